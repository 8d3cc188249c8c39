"""The contract of credentials over our own."""

from __future__ import annotations

from kinetoscope_c2pa.hooks import CredentialsContract
from kinetoscope_c2pa.manifests import Manifests


class TestC2pa(CredentialsContract):
    provider = Manifests()
