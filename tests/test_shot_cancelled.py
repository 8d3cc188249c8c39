"""A run that is cancelled in the middle of a provider which says nothing of how far it is."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from kinetoscope import Host, ShotEvent
from kinetoscope_align.aligner import SphinxAligner
from kinetoscope_fabrik.solver import FabrikSolver
from kinetoscope_samples.shot import write_sample
from kinetoscope_spec import Cancelled


@pytest.fixture
def shot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model without a training that walks a few steps, and a word."""
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    path = write_sample(tmp_path / "shot", steps=5, size=(64, 36), quality="draft", path=((0, 0), (0.2, 0.6)))
    for clip in (path.parent / "mocap").iterdir():
        if clip.name != "walk-straight.sample.toml":
            clip.unlink()
    text = path.read_text().replace("[performer]", '[performer]\nmodel = "motion-matching"')
    path.write_text(text + '\n[voice]\ntext = "Hello."\n')
    return path


def test_plant_and_align_need_not_end(shot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    films, end = tmp_path / "films", threading.Event()
    try:
        for stage, provider, method in (("plant", FabrikSolver, "plant"), ("align", SphinxAligner, "align")):
            entered = threading.Event()

            def endless(*_: Any, entered: threading.Event = entered, **__: Any) -> None:
                entered.set()
                end.wait(120)

            def progress(event: ShotEvent, entered: threading.Event = entered) -> bool:
                return not entered.is_set()

            with monkeypatch.context() as changed, Host() as host:
                changed.setattr(provider, method, endless)
                with pytest.raises(Cancelled, match="while"):
                    # One after the other: beside it, the other one would come to its end, and be kept.
                    host.shoot(
                        shot,
                        out=films / "film.mp4",
                        providers={"align": "sphinx"},
                        progress=progress,
                        workers=1,
                    )
            assert not end.is_set(), "the stage was waited for"
            assert list((tmp_path / "home" / "cache" / "shots" / stage).iterdir()) == []
            assert not films.exists()
    finally:
        end.set()


def test_a_word_too_short_for_its_mark_to_be_found_is_spoken_again(shot: Path) -> None:
    """Who resumes a run has to know that what was spoken is marked; a kept sound does not say so by itself."""
    for _ in range(2):
        with Host() as host:
            stages = host.shoot(shot, until="speak").stages
        assert stages[-1]["name"] == "speak"
        assert stages[-1]["details"]["seconds"] < 0.5
        assert not stages[-1]["cached"]
