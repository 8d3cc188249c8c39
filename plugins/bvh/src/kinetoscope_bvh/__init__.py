"""BioVision hierarchies (`.bvh`): the mocap format of one skeleton and one clip in a text file."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, Signature, hookimpl

__all__ = ["providers"]


# Not called `importer`: the submodule of that name would take the function's place in the package
# once it is imported, and a host that registers the package afterwards would find no hook.
@hookimpl(specname="importer")
def providers() -> Sequence[Provider]:
    """Return the provider `bvh`."""
    return [
        Provider(
            "bvh",
            "BioVision hierarchies, read and written",
            load="kinetoscope_bvh.importer:BvhImporter",
            reads=("bvh",),
            writes=("bvh",),
            contract="kinetoscope_bvh.contract:BvhContract",
            signatures=(
                Signature(
                    "bvh",
                    mime="model/x-bvh",
                    group="animation",
                    is_text=True,
                    extensions=("bvh",),
                    rule="kinetoscope_bvh.signature:is_bvh",
                ),
            ),
        )
    ]
