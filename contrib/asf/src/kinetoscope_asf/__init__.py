"""Acclaim's pair of formats: a skeleton (`.asf`) and motions of it (`.amc`)."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, Signature, hookimpl

__all__ = ["providers"]


# Not called `importer`: the submodule of that name would take the function's place in the package
# once it is imported, and a host that registers the package afterwards would find no hook.
@hookimpl(specname="importer")
def providers() -> Sequence[Provider]:
    """Return the provider `asf`."""
    return [
        Provider(
            "asf",
            "Acclaim skeletons and motions (ASF/AMC)",
            load="kinetoscope_asf.importer:AsfImporter",
            reads=("acclaim-amc", "acclaim-asf"),
            contract="kinetoscope_asf.contract:AsfContract",
            signatures=(
                Signature(
                    "acclaim-asf",
                    mime="text/x-acclaim-asf",
                    group="animation",
                    is_text=True,
                    extensions=("asf",),
                    rule="kinetoscope_asf.signature:is_asf",
                ),
                Signature(
                    "acclaim-amc",
                    mime="text/x-acclaim-amc",
                    group="animation",
                    is_text=True,
                    extensions=("amc",),
                    rule="kinetoscope_asf.signature:is_amc",
                ),
            ),
        )
    ]
