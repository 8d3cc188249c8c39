"""The questions of `kinetoscope shot init`, asked at a terminal where options leave them open."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import click

__all__ = ["answers", "at_terminal"]


@attrs.frozen
class _Question:
    """One question.

    Attributes:
        key: of the answer.
        text: what is asked; an empty answer means None.
        default: what stands in brackets.
        when: whether it is asked, given the answers so far.
    """

    key: str
    text: str
    default: str = ""
    when: Callable[[Mapping[str, Any]], bool] = lambda _: True


def _plate(told: Mapping[str, Any]) -> bool:
    return bool(told.get("plate"))


QUESTIONS = (
    _Question("mocap", "Clips to learn from, a folder or a pattern", "mocap"),
    _Question("character", "A character (GLB or FBX); nothing for a body that is built"),
    _Question("plate", "The film that the performer is put into; nothing for a drawn ground"),
    _Question(
        "mask", "A film that is bright on what is taken out of it; nothing if there is none", when=_plate
    ),
    _Question(
        "point",
        "Or a place on it, X,Y px in the first frame; nothing to take nothing out",
        when=lambda told: _plate(told) and not told.get("mask"),
    ),
    _Question("height", "How high the plate's camera stood, m", "1.6", when=_plate),
    _Question("pitch", "How far it looked down, degrees", "0", when=_plate),
    _Question(
        "script",
        "A script to speak (.txt, .toml, .ssml); nothing for words of your own, or for silence",
        when=lambda told: not told.get("text"),
    ),
    _Question(
        "text", "What the performer says; nothing for silence", when=lambda told: not told.get("script")
    ),
)


def at_terminal() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def answers(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is `given`, and an answer to every question that it leaves open."""
    told = {key: value for key, value in given.items() if value not in (None, ())}
    for question in QUESTIONS:
        if question.key not in told and question.when(told):
            answer = click.prompt(
                question.text, default=question.default, show_default=bool(question.default)
            )
            if answer:
                told[question.key] = answer
    return told
