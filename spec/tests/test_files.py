from __future__ import annotations

import os

import pytest

from kinetoscope_spec.files import replacing, write_text


def half_written(path, error):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise error


def test_what_is_written_takes_the_place_at_the_end_only(tmp_path):
    target = tmp_path / "film.mp4"
    target.write_text("old")
    with replacing(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.suffix == ".mp4"
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["film.mp4"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_is_raised_leaves_the_old_file_and_no_litter(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error):
        half_written(target, error())
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_folders_are_made_and_taken_away_again_on_failure(tmp_path):
    with pytest.raises(ValueError, match="x"):
        half_written(tmp_path / "a" / "b" / "c.txt", ValueError("x"))
    assert os.listdir(tmp_path) == []
    write_text(tmp_path / "a" / "b" / "c.txt", "häß")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == "häß".encode()


def test_nothing_written_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a"):
        pass
    assert os.listdir(tmp_path) == []


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(IsADirectoryError, match="name of a file"), replacing(tmp_path):
        pass


def test_a_long_name_has_room_for_the_temporary_one(tmp_path):
    name = "n" * 250 + ".txt"
    write_text(tmp_path / name, "x")
    assert os.listdir(tmp_path) == [name]
