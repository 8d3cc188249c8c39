"""What proves `acme-thing`: the contract of its hook, and files that must be told."""

from __future__ import annotations

from types import MappingProxyType

from acme_thing.provider import AcmeThingDetector
from kinetoscope_spec.contracts import DetectorContract

__all__ = ["AcmeThingContract"]


class AcmeThingContract(DetectorContract):
    """Add a small file for every label that your signatures bring."""

    provider = AcmeThingDetector
    name = "acme-thing"
    known = MappingProxyType(
        {
            "png": [b"\x89PNG\r\n\x1a\n" + bytes(32)],
            "zip": [b"PK\x03\x04" + bytes(40)],
            "json": [b'{"answer": 42}\n', b"[1, 2, 3]"],
        }
    )
