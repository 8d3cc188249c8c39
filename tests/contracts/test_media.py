"""The contract of media over our own, its mutants, and how memory of native libraries is bounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinetoscope_av import contract as media_contract
from kinetoscope_av._clips import grown_bytes
from kinetoscope_av.contract import FilmKind
from kinetoscope_av.contract_mutants import MUTANTS
from kinetoscope_av.hooks import HOOKS, MediaContract
from kinetoscope_av.own_contract import AvContract
from kinetoscope_spec.contracts import Mutant, Wrapper, check


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.wrap.__name__)
def test_only_its_law_notices_a_mutant(mutant: Mutant) -> None:
    broken = []
    for law in AvContract.laws():
        mutated = AvContract.of(mutant.wrap(AvContract().subject), name="mutated")
        # What is drawn for a seed depends on what else has been imported: its own law draws until it meets it.
        for seed in range(8 if law.name == mutant.law else 1):
            report = check(mutated, examples=20, seed=seed, laws=[law.name], shrink=False)
            if report.broken:
                broken.append(law.name)
                break
    assert broken == [mutant.law]


def test_every_law_has_a_mutant() -> None:
    assert {law.name for law in MediaContract.laws()} == {mutant.law for mutant in MUTANTS}


def test_the_hook_names_the_contract() -> None:
    assert HOOKS[0].contract == "kinetoscope_av.hooks:MediaContract"
    assert MediaContract is media_contract.MediaContract


def test_laws_of_sound_and_words_are_left_out_where_no_film_holds_them() -> None:
    class Mute(AvContract):
        films = (FilmKind(".gif", 26.0, rates=AvContract.films[-1].rates, sound_rates=(), keys=()),)

    report = check(Mute, examples=5, seed=0)
    report.require()
    assert {result.law: result.reason for result in report.results if result.outcome == "omitted"} == {
        "metadata_is_kept": "its films hold no metadata",
        "sound_is_kept": "its films hold no sound",
        "a_piece_of_sound_is_cut_from_the_whole": "its films hold no sound",
    }


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="memory is counted anew on Linux alone"
)
def test_a_reader_that_takes_too_much_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Greedy(Wrapper):
        def read_image(self, path: str | Path) -> Any:
            np.ones(256 << 20, np.uint8)  # far more than what earlier tests left to be freed meanwhile
            return self.real.read_image(path)

    monkeypatch.setattr(media_contract, "BYTES", 20 << 20)
    law = "any_bytes_end_in_a_picture_or_a_format_error"
    (broken,) = check(AvContract.of(Greedy(AvContract().subject)), examples=1, laws=[law]).broken
    assert "bytes, expected at most 20,971,520" in broken.message
    with grown_bytes() as grown:
        assert grown() < 20 << 20
