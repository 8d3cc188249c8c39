"""C3D: the markers of optical motion capture, as a skeleton of points."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, Signature, hookimpl

__all__ = ["providers"]


# Not called `importer`: the submodule of that name would take the function's place in the package
# once it is imported, and a host that registers the package afterwards would find no hook.
@hookimpl(specname="importer")
def providers() -> Sequence[Provider]:
    """Return the provider `c3d`."""
    return [
        Provider(
            "c3d",
            "C3D, the markers of optical motion capture",
            load="kinetoscope_c3d.importer:C3dImporter",
            reads=("c3d",),
            contract="kinetoscope_c3d.contract:C3dContract",
            signatures=(
                Signature(
                    "c3d",
                    mime="application/x-c3d",
                    group="animation",
                    extensions=("c3d",),
                    rule="kinetoscope_c3d.signature:is_c3d",
                ),
            ),
        )
    ]
