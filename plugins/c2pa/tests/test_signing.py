"""Films signed with certificates of either kind, read with the library itself; and what is refused."""

from __future__ import annotations

import json
import stat
import sys
import wave
from pathlib import Path

import c2pa
import pytest

from kinetoscope_c2pa.certificate import CHAIN, KEY
from kinetoscope_c2pa.manifests import Manifests
from kinetoscope_c2pa.protocol import Claim, Made
from kinetoscope_spec import ConfigError, FormatError

CLAIM = Claim(
    "A walk", ("tests", "1"), "trainedAlgorithmicMedia", (Made("spoken", "espeak", "algorithmicMedia"),)
)


@pytest.fixture
def sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    for name in (CHAIN, KEY):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(range(256)) * 8)
    return path


def signer(path: Path) -> str:
    with c2pa.Reader(str(path)) as reader:
        held = json.loads(reader.json())
    serial: str = held["manifests"][held["active_manifest"]]["signature_info"]["cert_serial_number"]
    return serial


def test_this_machine_has_one_certificate_whose_key_is_its_own(sound: Path, tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        Manifests().sign(sound, tmp_path / name, CLAIM)
    assert signer(tmp_path / "a.wav") == signer(tmp_path / "b.wav")
    (kept,) = (tmp_path / "home" / "credentials").iterdir()
    if sys.platform != "win32":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    told = Manifests().read(tmp_path / "a.wav")
    assert told is not None
    assert (told.intact, told.trusted) == (True, False)


def test_a_certificate_that_is_named_is_used(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Manifests().sign(sound, tmp_path / "own.wav", CLAIM)
    (kept,) = (tmp_path / "home" / "credentials").iterdir()
    key, _, chain = kept.read_text().partition("-----BEGIN CERTIFICATE-----")
    (tmp_path / "chain.pem").write_text("-----BEGIN CERTIFICATE-----" + chain)
    (tmp_path / "key.pem").write_text(key)
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "another"))
    monkeypatch.setenv(CHAIN, str(tmp_path / "chain.pem"))
    with pytest.raises(ConfigError, match="go together"):
        Manifests().sign(sound, tmp_path / "named.wav", CLAIM)
    monkeypatch.setenv(KEY, str(tmp_path / "key.pem"))
    Manifests().sign(sound, tmp_path / "named.wav", CLAIM)
    assert signer(tmp_path / "named.wav") == signer(tmp_path / "own.wav")
    assert not (tmp_path / "another").exists()


@pytest.mark.parametrize(
    ("text", "says"), [(None, "can't be read"), ("hello", "no PEM"), ("-----BEGIN X-----\n", "can't be used")]
)
def test_a_certificate_that_is_none_is_an_error(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, says: str
) -> None:
    if text is not None:
        (tmp_path / "x.pem").write_text(text)
    monkeypatch.setenv(CHAIN, str(tmp_path / "x.pem"))
    monkeypatch.setenv(KEY, str(tmp_path / "x.pem"))
    with pytest.raises(ConfigError, match=says):
        Manifests().sign(sound, tmp_path / "out.wav", CLAIM)
    assert not (tmp_path / "out.wav").exists()


def test_what_cannot_be_signed_is_an_error_and_leaves_nothing(sound: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no film")
    out = tmp_path / "out.mp4"
    with pytest.raises(FormatError, match=r"text\.mp4"):
        Manifests().sign(text, out, CLAIM)
    film = tmp_path / "film.webm"
    assert not Manifests().signs(film)
    with pytest.raises(ConfigError, match=r"\.mp4"):
        Manifests().sign(film, tmp_path / "out.webm", CLAIM)
    assert {path.name for path in tmp_path.iterdir()} <= {"home", "sound.wav", "text.mp4"}
    assert Manifests().read(film) is None
    with pytest.raises(FormatError, match="gone"):
        Manifests().read(tmp_path / "gone.mp4")


def test_a_source_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="source"):
        Made("spoken", source="magic")
