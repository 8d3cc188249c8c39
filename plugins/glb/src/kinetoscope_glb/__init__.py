"""glTF 2.0 (`.glb` and `.gltf`): the format of the Khronos Group for scenes, characters and their clips."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, Signature, hookimpl

__all__ = ["providers"]


# Not called `importer`: the submodule of that name would take the function's place in the package
# once it is imported, and a host that registers the package afterwards would find no hook.
@hookimpl(specname="importer")
def providers() -> Sequence[Provider]:
    """Return the provider `glb`."""
    return [
        Provider(
            "glb",
            "glTF 2.0, binary and JSON, read and written",
            load="kinetoscope_glb.importer:GlbImporter",
            reads=("glb", "gltf"),
            writes=("glb", "gltf"),
            contract="kinetoscope_glb.contract:GlbContract",
            signatures=(
                Signature(
                    "glb",
                    mime="model/gltf-binary",
                    group="animation",
                    magic=b"glTF",
                    rule="kinetoscope_glb.signature:is_glb",
                    extensions=("glb",),
                ),
                Signature(
                    "gltf",
                    mime="model/gltf+json",
                    group="animation",
                    rule="kinetoscope_glb.signature:is_gltf",
                    is_text=True,
                    extensions=("gltf",),
                ),
            ),
        )
    ]
