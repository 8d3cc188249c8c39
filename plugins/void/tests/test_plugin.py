"""What the host sees of the plugin, what importing it costs, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from void_weights import SMALL

from kinetoscope_spec import FormatError, Mask, ProviderUnavailable, ValidationError, Video
from kinetoscope_void._weights import BASE, FOLDER
from kinetoscope_void.inpainter import VoidInpainter

Host = pytest.importorskip("kinetoscope").Host
VIDEO = Video.from_frames(np.zeros((2, 16, 16, 3), np.uint8), 12)
MASK = Mask.from_frames(np.full((2, 16, 16), 255, np.uint8), 12)


def test_importing_and_building_are_light() -> None:
    code = (
        "import sys, kinetoscope_void; kinetoscope_void.providers();"
        "from kinetoscope_void.inpainter import VoidInpainter; VoidInpainter();"
        "assert not {'torch', 'diffusers', 'transformers', 'cv2'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_weights_the_host_says_so_and_chooses_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    with Host() as host:
        (info,) = [held for held in host.providers("inpainter") if held.name == "void"]
    assert info.state == "unavailable"
    assert FOLDER in info.reason


def test_a_host_configures_it(tmp_path: Path) -> None:
    table = {"folder": str(tmp_path), "passes": 1, "size": [192, 336]}
    with Host(config={"plugins": {"void": table}}) as host:
        held = host.provider("inpainter", "void")
    assert held.settings.folder == tmp_path
    assert held.settings.passes == 1
    assert held.settings.size == (192, 336)
    with (
        Host(config={"plugins": {"void": {"folder": str(tmp_path), "pass": 1}}}) as host,
        pytest.raises(ValidationError, match="void has no setting 'pass'"),
    ):
        host.provider("inpainter", "void")


@pytest.mark.parametrize(
    "wrong",
    [
        {"memory": "8bit"},
        {"passes": 3},
        {"size": (100, 160)},
        {"size": (160,)},
        {"size": 160},
        {"window": 84},
        {"window": 81},  # 21 latents: the last patch would be half outside
        {"least_frames": 0},
        {"overlap": 3},
        {"overlap": 12},
        {"steps": (0, 50)},
        {"guidance": (0.5, 6)},
        {"degradation": 1.5},
        {"noise_detail": 0},
    ],
    ids=str,
)
def test_settings_that_are_none_are_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=f"void: {next(iter(wrong))} is|void: a setting has"):
        VoidInpainter(**wrong)


def test_another_device_is_refused(weights: Path) -> None:
    with pytest.raises(ValidationError, match="'toaster', expected auto, cpu, cuda"):
        list(VoidInpainter(folder=weights, device="toaster", **SMALL).inpaint(VIDEO, MASK).frames())


def test_missing_weights_say_what_to_download_and_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    with pytest.raises(ProviderUnavailable, match=rf"download .*{BASE}.*void_pass1.*set {FOLDER}"):
        VoidInpainter().inpaint(VIDEO, MASK)
    with pytest.raises(ProviderUnavailable, match=r"lacks .*/vae, .*void_pass2.safetensors: download"):
        VoidInpainter(folder=tmp_path).inpaint(VIDEO, MASK)


def test_the_first_pass_needs_no_weights_of_the_second(weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "void"
    shutil.copytree(weights, folder)
    (folder / "void_pass2.safetensors").unlink()
    with pytest.raises(ProviderUnavailable, match=r"lacks void_pass2.safetensors \(or set passes to 1"):
        VoidInpainter(folder=folder, **SMALL).inpaint(VIDEO, MASK)
    made = VoidInpainter(folder=folder, passes=1, **SMALL).inpaint(VIDEO, MASK)
    assert len(list(made.frames())) == 2


@pytest.mark.parametrize("what", ["missing", "unknown", "shape", "no safetensors"])
def test_weights_are_read_strictly(what: str, weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "void"
    shutil.copytree(weights, folder)
    path = folder / "void_pass1.safetensors"
    held = load_file(path)
    name = "transformer_blocks.0.attn1.to_q.weight"
    if what == "missing":
        del held[name]
    elif what == "unknown":
        held["transformer_blocks.9.attn1.to_q.weight"] = held[name].clone()
    elif what == "shape":  # the base's own: 33 channels
        held["patch_embed.proj.weight"] = held["patch_embed.proj.weight"][:, :264].contiguous()
    save_file(held, path)
    if what == "no safetensors":
        path.write_bytes(b"PK\x03\x04" + bytes(64))
    expected = {
        "missing": rf"1 missing: {name}",
        "unknown": r"1 unknown: transformer_blocks\.9",
        "shape": r"patch_embed.proj.weight is \[32, 264\] \(expected \[32, 384\]\)",
        "no safetensors": "can't be read",
    }
    with pytest.raises(FormatError, match=rf"void_pass1\.safetensors: .*{expected[what]}"):
        list(VoidInpainter(folder=folder, **SMALL).inpaint(VIDEO, MASK).frames())


def test_a_base_of_another_kind_is_refused(weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "void"
    shutil.copytree(weights, folder)
    (folder / BASE / "transformer" / "config.json").write_text('{"num_layers": 2}')
    with pytest.raises(FormatError, match=r"config\.json: is no configuration .*patch_size_t"):
        list(VoidInpainter(folder=folder, **SMALL).inpaint(VIDEO, MASK).frames())


def test_a_film_longer_than_a_shot_is_refused(weights: Path) -> None:
    film = Video.from_frames(np.zeros((601, 2, 2, 3), np.uint8), 12)
    mask = Mask.from_frames(np.full((601, 2, 2), 255, np.uint8), 12)
    with pytest.raises(ValidationError, match="more than 600 frames"):
        list(VoidInpainter(folder=weights, **SMALL).inpaint(film, mask).frames())
