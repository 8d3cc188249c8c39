"""Names and switches of passes, what `open` is asked for, and the stopwatch."""

from __future__ import annotations

from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_spec import ConfigError
from kinetoscope_spec.rendering import (
    PASSES,
    STANDARD,
    Quality,
    Stopwatch,
    check_names,
    check_size,
    quality,
    switched,
)

NAMES = st.sampled_from(PASSES)


@given(st.frozensets(NAMES), st.dictionaries(NAMES, st.booleans()))
def test_switches_decide_and_what_is_not_switched_stays(
    on: frozenset[str], switches: dict[str, bool]
) -> None:
    after = switched(on, switches)
    for name in PASSES:
        assert (name in after) == switches.get(name, name in on)
    assert switched(after, switches) == after


def test_pictures_depend_on_none_before_unless_it_is_asked_for() -> None:
    assert set(PASSES) - STANDARD == {"taa"}
    assert "taa" in switched(STANDARD, {"taa": True})
    assert switched(STANDARD, None) == STANDARD


@given(st.dictionaries(NAMES, st.booleans()))
def test_a_better_preset_spends_no_less_on_anything(switches: dict[str, bool]) -> None:
    for worse, better in pairwise(quality(name, switches) for name in ("draft", "medium", "high")):
        assert worse.passes <= better.passes
        assert all(name in better.passes or not worse.runs(name) for name in PASSES)
        assert better.detail_px <= worse.detail_px
        for field in attrs.fields(Quality):
            if field.name not in ("passes", "detail_px"):
                assert getattr(worse, field.name) <= getattr(better, field.name)
    assert all(quality("draft", switches).runs(name) is on for name, on in switches.items())


@given(st.text().filter(lambda word: word not in PASSES))
def test_unknown_names_are_named(word: str) -> None:
    for refused in (lambda: switched(STANDARD, {word: True}), lambda: check_names("passes", [word], PASSES)):
        with pytest.raises(ConfigError) as error:
            refused()
        assert str(error.value).startswith(f"passes names {word!r}, expected some of shadow, ground")


def test_the_nearest_name_is_proposed() -> None:
    with pytest.raises(
        ConfigError, match=r"quality is 'hihg', expected one of draft, medium, high.*high.*\?"
    ):
        quality("hihg")
    with pytest.raises(ConfigError, match=r"buffers names 'blom'.*bloom.*\?"):
        check_names("buffers", ["blom"], PASSES)


@given(st.tuples(st.integers(-5, 20000), st.integers(-5, 20000)))
def test_sizes_from_one_pixel_to_the_largest_texture_are_taken(size: tuple[int, int]) -> None:
    if all(1 <= n <= 16384 for n in size):
        assert check_size(size) == size
    else:
        with pytest.raises(
            ConfigError, match=r"size is \(.*expected width and height from 1 to 16384 pixels"
        ):
            check_size(size)


@pytest.mark.parametrize("size", [(1,), (1, 2, 3), ("wide", 2), None, 640])
def test_what_is_no_size_is_refused(size: object) -> None:
    with pytest.raises(ConfigError, match="expected width and height"):
        check_size(size)  # type: ignore[arg-type]


@given(st.lists(st.tuples(NAMES, st.integers(0, 100), st.integers(0, 100))))
def test_the_stopwatch_adds_up_what_passes_take_and_no_more(runs: list[tuple[str, int, int]]) -> None:
    now, expected = 0, dict[str, float]()
    watch = Stopwatch(clock=lambda: now)
    for name, work, between in runs:
        with watch(name):
            now += work
        now += between
        expected[name] = expected.get(name, 0) + work
    assert watch.seconds == expected
    assert sum(watch.seconds.values()) <= now


def test_a_pass_that_fails_is_counted_and_its_error_comes_through() -> None:
    ticks = iter(range(10))
    watch = Stopwatch(clock=lambda: next(ticks))
    with pytest.raises(ZeroDivisionError), watch("bloom"):
        1 / 0  # noqa: B018
    assert watch.seconds == {"bloom": 1}
