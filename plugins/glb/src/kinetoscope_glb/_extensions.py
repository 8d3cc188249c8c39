"""Which extensions a document uses, which it can't do without, and what becomes of them here."""

from __future__ import annotations

from kinetoscope_glb import _draco, _meshopt
from kinetoscope_glb._budget import Warnings
from kinetoscope_glb._json import Item
from kinetoscope_spec import FormatError

READ = {
    _draco.NAME,
    *_meshopt.NAMES,
    "EXT_texture_webp",
    "KHR_materials_emissive_strength",
    "KHR_materials_unlit",
    "KHR_mesh_quantization",
    "KHR_texture_transform",
}
"""What is understood."""

_LOOKS = ("KHR_materials_", "KHR_lights_", "EXT_lights_", "KHR_texture_basisu", "MSFT_texture_dds", "KHR_xmp")
"""What only changes how things look: a document that requires it is read all the same."""


def check(document: Item, warnings: Warnings) -> tuple[str, ...]:
    """Return the names of the extensions used.

    Raises:
        FormatError: one is required that would change shapes or motions and is not understood.
    """
    used, required = (_names(document, key) for key in ("extensionsUsed", "extensionsRequired"))
    unknown = [name for name in required if name not in READ and not name.startswith(_LOOKS)]
    if unknown:
        raise FormatError(
            f"the extension {unknown[0]} is required to read it",
            path=document.path,
            expected=f"extensions among {', '.join(sorted(READ))}",
        )
    for name in dict.fromkeys((*used, *required)):
        if name not in READ:
            warnings.add("extensions", f"the extension {name} is not read: what it says is left out")
    return tuple(dict.fromkeys((*used, *required)))


def _names(document: Item, key: str) -> list[str]:
    names = document.array(key)
    if not all(isinstance(name, str) for name in names):
        document.fail(key, "names of extensions")
    return [name[:200] for name in names]
