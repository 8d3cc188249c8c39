"""The format `acme-thing`, read and written for Kinetoscope."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, Signature, hookimpl

__all__ = ["providers"]


@hookimpl(specname="importer")
def providers() -> Sequence[Provider]:
    """Return the importer `acme-thing`, and how its files are known; nothing else is imported yet."""
    return [
        Provider(
            "acme-thing",
            "acme-thing files, read and written",
            load="acme_thing.provider:AcmeThingImporter",
            reads=("acme-thing",),
            writes=("acme-thing",),
            signatures=(
                Signature(
                    "acme-thing",
                    mime="text/x-acme-thing",
                    group="animation",
                    magic=b"acme-thing v1\n",
                    is_text=True,
                    extensions=("acme-thing",),
                ),
            ),
            contract="acme_thing.contract:AcmeThingContract",
        )
    ]
