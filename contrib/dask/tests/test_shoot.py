"""One shot on a cluster: ranges of its frames, and the film that is drawn here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from distributed import LocalCluster

from kinetoscope.cli import main
from kinetoscope_samples.shot import write_sample


def shoot(*words: str | Path) -> dict[str, Any]:
    done = CliRunner().invoke(main, ["shoot", *map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_film_drawn_on_a_cluster_is_the_one_drawn_here(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = write_sample(tmp_path / "shot", steps=5, size=(64, 36), quality="draft", path=((0, 0), (0.2, 0.6)))
    for clip in (shot.parent / "mocap").iterdir():
        if clip.name != "walk-straight.sample.toml":
            clip.unlink()
    shot.write_text(shot.read_text().replace("[performer]", '[performer]\nmodel = "motion-matching"'))
    films = []
    for way in ([], ["--executor", f"dask://{cluster.scheduler_address.removeprefix('tcp://')}"]):
        monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / f"home-{len(way)}"))
        told = shoot(shot, "--out", tmp_path / "film.mp4", *way)
        (encoded,) = (tmp_path / f"home-{len(way)}").glob("cache/shots/encode/*/film.mp4")
        films.append(encoded.read_bytes())
        (render,) = (stage for stage in told["stages"] if stage["name"] == "render")
    assert render["details"]["workers"] == 2
    assert films[0] == films[1]
