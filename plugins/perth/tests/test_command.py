"""`kinetoscope verify` on files: what it prints, its status, and what it makes of records."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from kinetoscope_av.provider import AvMedia
from kinetoscope_perth.babble import babble
from kinetoscope_perth.command import command
from kinetoscope_perth.marker import PerthMarker
from kinetoscope_spec import Audio, ProviderNotFound

PLAIN = babble(seed=4, seconds=4.0, rate=16000)


class FakeHost:
    def provider(self, hook: str, name: str | None = None) -> object:
        held = {"media": AvMedia(), "watermarker": PerthMarker()}
        if hook not in held:
            raise ProviderNotFound(hook)
        return held[hook]


def run(path: Path, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, [str(path), *options], obj=FakeHost())
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".opus"])
def test_a_marked_file_is_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"said{suffix}"
    record = {"provenance": {"provider": "babble", "created": "2026-01-31T12:00:00+00:00"}}
    AvMedia().write_audio(path, PerthMarker().mark(PLAIN), metadata={"comment": json.dumps(record)})
    status, text = run(path, "--json")
    told = json.loads(text)
    assert status == 0
    assert told["marked"] is True
    assert told["score"] > 0.5
    assert told["abstained"] is None
    assert told["provenance"] == record["provenance"]
    assert told["sidecar"] is None
    assert [set(window) for window in told["windows"]] == [{"start", "end", "score", "abstained"}] * 4
    assert "says it was made by provider babble" in run(path)[1]


def test_unmarked_and_silent_files_have_status_1(tmp_path: Path) -> None:
    plain, silent = tmp_path / "plain.wav", tmp_path / "silent.wav"
    AvMedia().write_audio(plain, PLAIN)
    AvMedia().write_audio(silent, Audio(np.zeros((32000, 1)), 16000))
    status, text = run(plain)
    assert status == 1
    assert "plain.wav: not marked, score 0." in text
    status, text = run(silent)
    assert status == 1
    assert "silent.wav: can't be told: silence" in text


def test_a_record_of_another_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    AvMedia().write_audio(path, PLAIN)
    beside = tmp_path / "said.wav.provenance.json"
    beside.write_text(json.dumps({"sha256": "0", "provenance": {}}))
    assert "the record beside it is of another file" in run(path, "--no-search")[1]
    for wrong in ("[1]", "{", '"' + "x" * 3_000_000 + '"'):
        beside.write_text(wrong)
        assert json.loads(run(path, "--no-search", "--json")[1])["sidecar"] is None
