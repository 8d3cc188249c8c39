"""OpenUSD (`.usd`, `.usda`, `.usdc`, `.usdz`): skinned characters and their clips, by UsdSkel."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, Signature, hookimpl

__all__ = ["providers"]


# Not called `importer`: the submodule of that name would take the function's place in the package
# once it is imported, and a host that registers the package afterwards would find no hook.
@hookimpl(specname="importer")
def providers() -> Sequence[Provider]:
    """Return the provider `usd`."""
    return [
        Provider(
            "usd",
            "OpenUSD with UsdSkel, read in a process of its own, and written",
            load="kinetoscope_usd.importer:UsdImporter",
            reads=("usdc", "usda", "usdz"),
            writes=("usdc", "usda", "usdz", "usd"),
            requires=("module:pxr",),
            contract="kinetoscope_usd.contract:UsdContract",
            signatures=(
                Signature(
                    "usda",
                    mime="model/vnd.usda",
                    group="scene",
                    magic=b"#usda 1.",
                    is_text=True,
                    extensions=("usda", "usd"),
                ),
                Signature(
                    "usdc",
                    mime="model/vnd.usd",
                    group="scene",
                    magic=b"PXR-USDC",
                    rule="kinetoscope_usd.signature:is_usdc",
                    extensions=("usdc", "usd"),
                ),
                Signature(
                    "usdz",
                    mime="model/vnd.usdz+zip",
                    group="scene",
                    magic=b"PK\x03\x04",
                    rule="kinetoscope_usd.signature:is_usdz",
                    extensions=("usdz",),
                ),
            ),
        )
    ]
