"""What the host sees of the plugin, what importing it costs, and weights that are missing or real."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kinetoscope_quadmask.hooks import Point, Prompts, SegmenterContract
from kinetoscope_sam2._weights import CHECKPOINT, FOLDER, config_of, weights_path
from kinetoscope_sam2.package import Sam2Segmenter
from kinetoscope_sam2.port import Sam2TransformersSegmenter
from kinetoscope_spec import ProviderUnavailable, ValidationError, Video

Host = pytest.importorskip("kinetoscope").Host
CLICK = [Prompts([Point(1, 1)])]
VIDEO = Video.from_frames(np.zeros((1, 4, 4, 3), np.uint8), 12)


def test_importing_and_building_are_light() -> None:
    code = (
        "import sys, kinetoscope_sam2; kinetoscope_sam2.segmenters();"
        "from kinetoscope_sam2.package import Sam2Segmenter; Sam2Segmenter();"
        "from kinetoscope_sam2.port import Sam2TransformersSegmenter; Sam2TransformersSegmenter();"
        "assert not {'torch', 'sam2', 'transformers', 'PIL'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_weights_the_host_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (CHECKPOINT, FOLDER):
        monkeypatch.delenv(name, raising=False)
    with Host() as host:
        held = {info.name: info for info in host.providers("segmenter")}
    assert CHECKPOINT in held["sam2"].reason or "sam2" in held["sam2"].reason
    assert FOLDER in held["sam2-transformers"].reason
    assert {held[name].state for name in ("sam2", "sam2-transformers")} == {"unavailable"}


def test_a_host_configures_both(tmp_path: Path) -> None:
    table = {"folder": str(tmp_path), "checkpoint": str(tmp_path / "x.pt"), "device": "cpu"}
    with Host(config={"plugins": {"sam2": table}}) as host:
        assert isinstance(host.provider("segmenter", "sam2-transformers"), Sam2TransformersSegmenter)
    wrong = {"folder": str(tmp_path), "weights": 1}
    with (
        Host(config={"plugins": {"sam2": wrong}}) as host,
        pytest.raises(ValidationError, match="sam2 has no setting 'weights'"),
    ):
        host.provider("segmenter", "sam2-transformers")


@pytest.mark.parametrize(
    ("kind", "what"), [(Sam2Segmenter, "a file"), (Sam2TransformersSegmenter, "a folder")]
)
def test_missing_weights_say_what_to_download(
    kind: type, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (CHECKPOINT, FOLDER):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ProviderUnavailable, match=r"download .* and set KINETOSCOPE_SAM2_"):
        kind().segment(VIDEO, CLICK)
    with pytest.raises(ProviderUnavailable, match=f"are not {what}"):
        kind(tmp_path / "nowhere").segment(VIDEO, CLICK)


def test_weights_are_found_by_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sam2.1_hiera_tiny.pt").write_bytes(b"")
    monkeypatch.setenv(CHECKPOINT, str(tmp_path / "sam2.1_hiera_tiny.pt"))
    monkeypatch.setenv(FOLDER, str(tmp_path))
    assert weights_path(None, variable=CHECKPOINT).name == "sam2.1_hiera_tiny.pt"
    assert weights_path(None, variable=FOLDER) == tmp_path


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("sam2.1_hiera_tiny.pt", "configs/sam2.1/sam2.1_hiera_t.yaml"),
        ("sam2_hiera_large.pt", "configs/sam2/sam2_hiera_l.yaml"),
        ("sam2.1_hiera_base_plus.pt", "configs/sam2.1/sam2.1_hiera_b+.yaml"),
    ],
)
def test_configurations_are_known_by_name(name: str, config: str) -> None:
    assert config_of(Path(name)) == config
    package = pytest.importorskip("sam2", reason="the package sam2 is not installed")
    assert (Path(package.__file__).parent / config).is_file()


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"expected such as sam2\.1_hiera_large\.pt"):
        config_of(Path("weights.pt"))


def test_another_device_is_refused(tmp_path: Path) -> None:
    from kinetoscope_sam2._weights import device_of

    assert device_of("cpu").type == "cpu"
    with pytest.raises(ValidationError, match="expected auto, cpu or cuda"):
        device_of("toaster")


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get(CHECKPOINT), reason=f"{CHECKPOINT} is not set")
class TestRealWeights(SegmenterContract):
    """Every law, the ones about what is seen too, with weights that were trained."""

    provider = Sam2Segmenter()
    least_iou = 0.85
