"""What a file says of how it came about, and who writes and reads that."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import attrs

__all__ = ["SOURCES", "Claim", "Credentials", "Made", "Statement"]

SOURCES = (
    "digitalCapture",
    "humanEdits",
    "algorithmicMedia",
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "compositeSynthetic",
    "digitalCreation",
)
"""Digital source types that a step may name: the last words of terms of the IPTC NewsCodes vocabulary,
http://cv.iptc.org/newscodes/digitalsourcetype."""


@attrs.frozen
class Made:
    """One step on the way to a file.

    Attributes:
        what: what was done, one line for people.
        by: who did it: provider, distribution, version; empty where nobody is named.
        source: one of `SOURCES`, of what the step brought in; empty for a step that brought in nothing.
    """

    what: str
    by: str = ""
    source: str = attrs.field(default="", validator=attrs.validators.in_(("", *SOURCES)))


@attrs.frozen
class Claim:
    """What is to be said of a file.

    Attributes:
        title: of the work.
        generator: name and version of the program that says it.
        source: one of `SOURCES`, of the file as a whole.
        steps: in order.
        ingredients: files that it was made from and that can be seen or heard in it.
    """

    title: str
    generator: tuple[str, str]
    source: str = attrs.field(validator=attrs.validators.in_(SOURCES))
    steps: tuple[Made, ...] = ()
    ingredients: tuple[Path, ...] = ()


@attrs.frozen
class Statement:
    """What a file says of itself.

    Attributes:
        title, generator, source, steps: as in `Claim`.
        ingredients: their names.
        signer: whose certificate it is.
        intact: neither the file nor the statement was changed after it was signed.
        trusted: the certificate goes back to an authority that is trusted here. Without it the statement
            is anybody's.
        problems: what was found wrong, in the reader's words.
    """

    title: str
    generator: str
    source: str
    steps: tuple[Made, ...]
    ingredients: tuple[str, ...]
    signer: str
    intact: bool
    trusted: bool
    problems: tuple[str, ...] = ()


@runtime_checkable
class Credentials(Protocol):
    """Signs statements into files, and reads them."""

    def signs(self, path: Path) -> bool:
        """Whether files with this one's suffix can carry a statement."""
        ...

    def signer(self) -> str:
        """Return what tells the certificate that signs now from any other: a hash of it.

        Raises:
            ConfigError: the certificate that is named can't be read.
        """
        ...

    def sign(self, source: Path, out: Path, claim: Claim) -> None:
        """Write `source` to `out` with a statement in it; what can be seen and heard stays as it is.

        Raises:
            ConfigError: that kind of file carries none, or the certificate that is named can't be used.
            FormatError: `source` or an ingredient is not what its suffix says.
        """
        ...

    def read(self, path: Path) -> Statement | None:
        """Return what a file says of itself; None where it says nothing.

        Raises:
            FormatError: it can't be read at all.
        """
        ...
