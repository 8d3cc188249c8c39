"""The contract of retargeters over our own."""

from __future__ import annotations

from kinetoscope_retarget.hooks import RetargeterContract
from kinetoscope_retarget.retargeter import AnatomicRetargeter


class TestAnatomic(RetargeterContract):
    provider = AnatomicRetargeter()
