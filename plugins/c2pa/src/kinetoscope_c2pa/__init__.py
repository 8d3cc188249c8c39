"""Content credentials: what in a film was synthesised, by whom, signed into the file itself (C2PA)."""

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="credentials")
def providers() -> Sequence[Provider]:
    """Offer C2PA manifests, written and read by the Content Authenticity Initiative's own library."""
    return [
        Provider(
            "c2pa",
            "signed C2PA manifests in films, sounds and pictures",
            load="kinetoscope_c2pa.manifests:Manifests",
            licence="MIT OR Apache-2.0",
            requires=("module:c2pa", "module:cryptography"),
        )
    ]
