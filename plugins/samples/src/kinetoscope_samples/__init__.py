"""Mocap that the project makes itself: recipe files in, a walking biped out."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, Signature, hookimpl

__all__ = ["HEADER", "LABEL", "importers", "is_recipe"]

LABEL = "kinetoscope-sample"
HEADER = "# kinetoscope sample"
"""The first line of every recipe file."""


def is_recipe(head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a file's first line is the header, and it is text."""
    line = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].rstrip()
    return line == HEADER.encode() and b"\0" not in head + tail


# Not named after its hook: the submodule `importer` takes that name in the package once it is imported.
@hookimpl(specname="importer")
def importers() -> Sequence[Provider]:
    """Offer the provider `samples`."""
    return [
        Provider(
            "samples",
            "procedural biped mocap from recipe files",
            load="kinetoscope_samples.importer:SampleImporter",
            reads=(LABEL,),
            contract="kinetoscope_samples.contract:SampleContract",
            signatures=(
                Signature(
                    LABEL,
                    mime="application/toml",
                    group="animation",
                    rule="kinetoscope_samples:is_recipe",
                    is_text=True,
                    extensions=("sample.toml",),
                ),
            ),
        )
    ]
