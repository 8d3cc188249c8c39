"""Runs of contact, what is dropped of them, and the bridges between."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_spec import footing


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_runs_are_those_of_a_loop(row) -> None:
    found, start = [], None
    for i, now in enumerate([*row, False]):
        if now and start is None:
            start = i
        if not now and start is not None:
            found.append((start, i))
            start = None
    assert footing.runs(np.array(row)) == found


@given(st.lists(st.booleans(), min_size=1, max_size=80), st.integers(1, 12), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_bridges_are_exact_in_contact_and_end_at_rest(row, blend, seed) -> None:
    contact = np.array(row)
    offsets = np.random.default_rng(seed).normal(size=(len(row), 3)) * 0.05
    bridged = footing.bridged(offsets, contact, blend)
    np.testing.assert_array_equal(bridged[contact], offsets[contact])
    held = np.flatnonzero(contact)
    for frame in np.flatnonzero(~contact):
        if not len(held) or np.abs(held - frame).min() > blend:
            assert not bridged[frame].any()


@given(st.integers(1, 20), st.integers(10, 30))
def test_a_short_gap_between_equal_offsets_is_bridged_level(gap, blend) -> None:
    contact = np.ones(60, bool)
    contact[20 : 20 + min(gap, 2 * blend - 1)] = False
    offsets = np.tile([0.01, -0.02, 0.03], (60, 1))
    np.testing.assert_allclose(footing.bridged(offsets, contact, blend), offsets, atol=1e-15)


def test_bridges_go_on_as_the_offset_changed() -> None:
    """Seen at a thousand frames a second, neither the offset nor its velocity has a step."""
    frames = np.arange(3000)
    contact = (frames > 500) & (frames < 1000) | (frames > 1300) & (frames < 1800)
    offsets = np.stack([np.sin(frames / 300), frames / 3000, np.cos(frames / 400)], axis=-1) * 0.1
    bridged = footing.bridged(offsets, contact, 400)
    assert np.abs(np.diff(bridged, axis=0)).max() < 1.5e-3
    assert np.abs(np.diff(bridged, 2, axis=0)).max() < 2e-5


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 6), st.integers(0, 6))
def test_short_gaps_are_closed_before_short_contacts_are_dropped(row, gap, blip) -> None:
    tidy = footing.tidied(np.array(row)[:, None], gap, blip)[:, 0]
    text = "".join("X" if now else "." for now in row)
    inner = text.strip(".")
    for length in range(1, gap + 1):
        inner = inner.replace("X" + "." * length + "X", "X" * (length + 2))
        inner = inner.replace("X" + "." * length + "X", "X" * (length + 2))  # those that shared an end
    start = len(text) - len(text.lstrip("."))
    closed = "." * start + inner + "." * (len(text) - start - len(inner))
    runs = [held for held in closed.replace(".X", ". X").replace("X.", "X .").split(" ") if held]
    kept = [
        "." * len(held) if held[0] == "X" and len(held) <= blip and 0 < i < len(runs) - 1 else held
        for i, held in enumerate(runs)
    ]
    assert "".join("X" if now else "." for now in tidy) == "".join(kept)
