"""Hypothesis profiles, registered when hypothesis is imported (its entry-point group)."""

from __future__ import annotations

from typing import Final

__all__ = ["PROFILES", "register"]

PROFILES: Final = {"kinetoscope-quick": 10, "kinetoscope-ci": 50, "kinetoscope-nightly": 1000}
"""How many examples a plain law gets; `ci` draws the same ones every time."""


def register() -> None:
    """Register the profiles with hypothesis."""
    from hypothesis import settings

    for name, examples in PROFILES.items():
        settings.register_profile(
            name,
            max_examples=examples,
            deadline=None,
            derandomize=name == "kinetoscope-ci",
            print_blob=False,
        )
