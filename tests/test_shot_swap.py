"""Every provider of a shot swapped by configuration alone: the shot file stays as it is."""

from __future__ import annotations

import json
import sys
import tomllib
from importlib import invalidate_caches
from pathlib import Path

import pytest
from click.testing import CliRunner

from kinetoscope import Host
from kinetoscope.cli import main
from kinetoscope.shot.plan import plan
from kinetoscope.shot.run import open_store, shoot
from kinetoscope.shot.settings import read_shot
from kinetoscope.shot.steps import asks, steps_of
from kinetoscope_samples.plate import PlateScene
from kinetoscope_samples.shot import write_sample
from kinetoscope_spec import ProviderUnavailable

SCENE = PlateScene(size=(96, 54), frames=8, noise=0.0)

OTHERS = {
    "train": ("model", "motion-matching"),
    "plant": ("solver", "two-bone"),
    "align": ("aligner", "estimate"),
    "render": ("renderer", "raster"),
    "speak": ("voice", "espeak"),
}
"""Another provider than the first for each stage that has two without weights, keys or a GPU."""


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    with Host() as host:
        media = host.provider("media")
        path = ((0.6, 5.6), (0.0, 5.4))
        shot = write_sample(tmp_path / "shot", steps=5, path=path, media=media, plate=SCENE, voice=True)
    for clip in (tmp_path / "shot" / "mocap").iterdir():
        if clip.name != "walk-straight.sample.toml":
            clip.unlink()
    return shot


def stranger(folder: Path, hook: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Begin a plugin with `kinetoscope new`, and put it where installed distributions are looked for."""
    begun = CliRunner().invoke(main, ["new", hook, f"acme-{hook}", "--in", str(folder), "--json"])
    assert begun.exit_code == 0, begun.output
    root = Path(json.loads(begun.stdout)["path"])
    told = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    held = root / "src" / f"{told['name'].replace('-', '_')}-{told['version']}.dist-info"
    held.mkdir()
    needs = "".join(f"Requires-Dist: {need}\n" for need in told["dependencies"])
    head = f"Metadata-Version: 2.1\nName: {told['name']}\nVersion: {told['version']}\n{needs}"
    (held / "METADATA").write_text(head)
    groups = told["entry-points"].items()
    lines = [
        f"[{group}]\n" + "".join(f"{a} = {b}\n" for a, b in entries.items()) for group, entries in groups
    ]
    (held / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(root / "src"))
    invalidate_caches()
    (name,) = told["entry-points"][f"kinetoscope.{hook}"]
    return str(name)


def test_each_stage_has_whom_the_configuration_names(sample: Path) -> None:
    shot = read_shot(sample)
    with Host(config={"providers": dict(OTHERS.values())}) as host:
        planned = {stage.name: stage for stage in plan(host, shot, open_store(host))}
    for stage, (_, name) in OTHERS.items():
        assert planned[stage].provider == name, stage
        assert planned[stage].missing is None
    # What the shot file says is stronger than the configuration, and the command line than both.
    sample.write_text(sample.read_text().replace("[performer]", '[performer]\nsolver = "ccd"'))
    with Host(config={"providers": {"solver": "two-bone"}}) as host:
        for choices, name in (({}, "ccd"), ({"plant": "jacobian"}, "jacobian")):
            stages = plan(host, read_shot(sample), open_store(host), choices)
            assert next(stage for stage in stages if stage.name == "plant").provider == name


def test_no_stage_is_forgotten(sample: Path) -> None:
    """Whoever has two providers here that can work is swapped above, or chosen by what is asked of it."""
    shot = read_shot(sample).shot
    with Host() as host:
        for step in steps_of(shot):
            if not asks(step, shot) or step.hook in ("importer", "feature"):
                continue
            able = [info.name for info in host.providers(step.hook) if _works(host, step.hook, info.name)]
            assert len(able) < 2 or step.name in OTHERS, f"{step.name} has {able}"


def _works(host: Host, hook: str, name: str) -> bool:
    try:
        host.provider(hook, name)
    except ProviderUnavailable:
        return False
    return True


def test_a_strangers_inpainter_and_the_others_shoot_the_shot(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = stranger(tmp_path / "theirs", "inpainter", monkeypatch)
    swapped = {hook: provider for hook, provider in OTHERS.values() if hook != "renderer"}
    with Host(config={"providers": {**swapped, "inpainter": name}}) as host:
        film = shoot(host, sample, until="align")
    done = {stage["name"]: stage for stage in film.stages}
    assert done["inpaint"]["provider"] == name
    assert done["inpaint"]["distribution"] == "acme-inpainter"
    assert "configuration" in done["inpaint"]["why"]
    for stage, (hook, provider) in OTHERS.items():
        if hook != "renderer":
            assert done[stage]["provider"] == provider
    assert "acme_inpainter" in sys.modules
