"""Where compiled kernels are kept, and what is said while they compile."""

import logging
import os

import pytest

from kinetoscope_raster._kernel import cache_folder, kernel


def twice(x):
    return 2 * x


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def compiled(caplog):
    caplog.clear()
    with caplog.at_level(logging.INFO, "kinetoscope.raster"):
        assert kernel()(twice)(21) == 42
    return [record.getMessage() for record in caplog.records]


def test_kernels_are_kept_in_the_home_and_compiled_once(folder, caplog):
    (said,) = compiled(caplog)
    assert said.startswith("compiling twice, kernel ")
    assert any(path.suffix == ".nbc" for path in (folder / "cache" / "raster").rglob("*"))
    assert compiled(caplog) == []
    assert "NUMBA_CACHE_DIR" not in os.environ


def test_other_sources_compile_anew(monkeypatch, caplog):
    compiled(caplog)
    monkeypatch.setattr("kinetoscope_raster._kernel._stamp", lambda: "another state of the sources")
    assert len(compiled(caplog)) == 1


def test_a_home_that_cant_be_written_is_no_error(folder, caplog):
    folder.write_text("a file in its place")
    said = compiled(caplog)
    assert len(said) == 1
    assert "can't be written" in said[0]


def test_what_the_user_told_numba_goes_first(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path / "numba"))
    assert cache_folder().parent == tmp_path / "numba"
    compiled(caplog)
    assert any((tmp_path / "numba").rglob("*.nbc"))
