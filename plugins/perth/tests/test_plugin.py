"""What the host sees of the plugin, what importing it costs, and damaged weights."""

from __future__ import annotations

import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kinetoscope_perth import _weights
from kinetoscope_perth.babble import babble
from kinetoscope_perth.marker import PerthMarker
from kinetoscope_spec import Audio, FormatError, ProviderUnavailable, ValidationError


def test_importing_is_light_and_the_package_of_the_weights_is_never_imported() -> None:
    code = (
        "import sys, kinetoscope_perth, kinetoscope_perth.hooks; kinetoscope_perth.providers();"
        "assert not {'numpy', 'torch', 'perth'} & set(sys.modules), sys.modules.keys();"
        "from kinetoscope_perth.marker import PerthMarker; from kinetoscope_perth.babble import babble;"
        "audio = PerthMarker().mark(babble(seed=0, seconds=1, rate=8000));"
        "assert 'perth' not in sys.modules and 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_marker_travels_without_its_weights() -> None:
    PerthMarker().mark(_babble())
    assert len(pickle.dumps(PerthMarker())) < 1000


def test_another_checkpoint_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "weights.pth.tar"
    other.write_bytes(b"something else")
    with pytest.raises(FormatError, match=r"is another checkpoint .*expected that of resemble-perth"):
        _weights._check(other)


@pytest.mark.parametrize("damage", ["no zip", "no tensor", "short tensor"])
def test_a_damaged_checkpoint_is_one_clear_error(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "weights.pth.tar"
    path.write_bytes(b"PK no zip")
    if damage != "no zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data/1" if damage == "no tensor" else "archive/data/0", b"\0" * 4)
    with pytest.raises(FormatError, match=f"{path.name}: can't be read"):
        _weights.read_layers(path, "encoder")


def test_missing_weights_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_weights, "DISTRIBUTION", "resemble-perth-that-is-not-there")
    with pytest.raises(ProviderUnavailable, match="pip install"):
        _weights.checkpoint()


def test_a_finished_sound_takes_no_more() -> None:
    marking = PerthMarker().open(8000, 1)
    marking.finish()
    with pytest.raises(ValidationError, match="was finished"):
        marking.push(_babble().samples)


def test_shapes_that_change_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"expected \[N, 2\]"):
        PerthMarker().open(8000, 2).push(_babble().samples)


def _babble() -> Audio:
    return babble(seed=1, seconds=1.0, rate=8000)
