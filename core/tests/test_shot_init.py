"""`kinetoscope shot init`: what options say, and what it asks at a terminal, a real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
from click.testing import CliRunner

from kinetoscope.cli import main
from kinetoscope.shot.settings import Shot, read_shot


def at_a_terminal(file: Path, answers: list[str], *options: str) -> tuple[int, str]:
    """Run `shot init` with a terminal of its own, type the answers, and return its status and what it wrote."""
    pty = pytest.importorskip("pty", reason="terminals of this kind are not on Windows")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kinetoscope", "shot", "init", str(file), *options]
    running = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
    seen, late = b"", Timer(120, running.kill)  # a question too many would wait for ever
    late.start()
    try:
        while block := os.read(ours, 4096):
            seen += block
    except OSError:  # the terminal is gone when the program is
        pass
    late.cancel()
    os.close(ours)
    return running.wait(60), seen.decode()


def begun(file: Path, *options: str) -> Shot:
    done = CliRunner().invoke(main, ["shot", "init", str(file), *options])
    assert done.exit_code == 0, done.output
    return read_shot(file).shot


def test_it_asks_for_what_no_option_says(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    answers = ["clips/*.bvh", "", "yard.mp4", "", "320,200", "", "7", "", "Hello there"]
    status, seen = at_a_terminal(file, answers)
    assert status == 0, seen
    options = ("--mocap", "clips/*.bvh", "--plate", "yard.mp4", "--point", "320,200")
    options += ("--height", "1.6", "--pitch", "7", "--text", "Hello there")
    same = tmp_path / "same" / "my.toml"
    same.parent.mkdir()
    assert read_shot(file).shot == begun(same, *options)
    assert read_shot(file).shot.plate.remove.points == ((320.0, 200.0),)


def test_return_is_the_default_and_what_is_said_is_not_asked(tmp_path: Path) -> None:
    status, seen = at_a_terminal(tmp_path / "my.toml", ["", ""], "--character", "hero.glb", "--text", "Hi")
    assert status == 0, seen
    assert "[mocap]" in seen
    assert "A character" not in seen
    same = tmp_path / "same" / "my.toml"
    same.parent.mkdir()
    shot = begun(same, "--character", "hero.glb", "--text", "Hi")
    assert read_shot(tmp_path / "my.toml").shot == shot
    assert shot.plate is None


def test_yes_asks_nothing(tmp_path: Path) -> None:
    status, seen = at_a_terminal(tmp_path / "my.toml", [], "--yes")
    assert status == 0
    assert "wrote" in seen
    assert read_shot(tmp_path / "my.toml").shot.voice is None


@pytest.mark.parametrize(
    "options",
    [
        ("--mask", "m.mp4"),
        ("--height", "2"),
        ("--plate", "p.mp4", "--mask", "m.mp4", "--point", "1,2"),
        ("--plate", "p.mp4", "--point", "1;2"),
        ("--text", "Hi", "--script", "a.txt"),
    ],
)
def test_what_does_not_go_together_is_an_error(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, ["shot", "init", str(tmp_path / "my.toml"), *options])
    assert done.exit_code == 2
    assert "--" in done.output
    assert list(tmp_path.iterdir()) == []
