"""Mutants of a real model break their law and no other; bombs go off only where they are unpickled."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile

import numpy as np
import pytest

from kinetoscope_codebook.model import Mlp
from kinetoscope_spec.contracts import ModelContract, Mutant, check
from kinetoscope_spec.contracts._bombs import bombs

EXAMPLES = 12
MLP = ModelContract.of(Mlp(), name="mlp")


@pytest.mark.parametrize("mutant", [pytest.param(m, id=m.summary[:40]) for m in MLP.known_mutants()])
def test_a_mutant_breaks_its_law_and_no_other(mutant: Mutant) -> None:
    broken: list[str] = []
    for law in MLP.laws():
        mutated = MLP.of(mutant.wrap(MLP.subject), name="mutant")
        report = check(mutated, examples=EXAMPLES, seed=0, laws=[law.name], shrink=False)
        broken += [result.law for result in report.broken]
    assert broken == [mutant.law]


def opened(data: bytes) -> None:
    """Unpickle whatever in `data` can be: what the careless do."""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:6] == b"\x93NUMPY":
        np.load(io.BytesIO(data), allow_pickle=True)
    elif data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                if name.endswith((".pkl", ".npy")):
                    opened(archive.read(name))
    else:
        pickle.loads(data)


def test_every_bomb_goes_off_where_it_is_unpickled(tmp_path) -> None:
    own = io.BytesIO()
    np.savez(own, weights=np.zeros(3), bias=np.zeros(1))
    canary = tmp_path / "canary"
    made = bombs(canary, own.getvalue())
    assert len(made) == 10
    for what, data in made.items():
        opened(data)
        assert canary.exists(), what
        canary.unlink()
