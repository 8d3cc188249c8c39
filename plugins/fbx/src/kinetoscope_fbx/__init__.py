"""Autodesk FBX (`.fbx`): skeletons, skinned meshes, blend shapes and clips, binary or ASCII."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, Signature, hookimpl

__all__ = ["providers"]


# Not called `importer`: the submodule of that name would take the function's place in the package.
@hookimpl(specname="importer")
def providers() -> Sequence[Provider]:
    """Return the provider `fbx`."""
    return [
        Provider(
            "fbx",
            "Autodesk FBX, read",
            load="kinetoscope_fbx.importer:FbxImporter",
            reads=("fbx",),
            contract="kinetoscope_fbx.contract:FbxContract",
            signatures=(
                Signature(
                    "fbx",
                    mime="application/vnd.autodesk.fbx",
                    group="3d",
                    magic=b"Kaydara FBX Binary",
                    extensions=("fbx",),
                ),
                Signature(
                    "fbx",
                    mime="application/vnd.autodesk.fbx",
                    group="3d",
                    is_text=True,
                    extensions=("fbx",),
                    rule="kinetoscope_fbx.signature:is_ascii_fbx",
                ),
            ),
        )
    ]
