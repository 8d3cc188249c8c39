"""The provider keeps the contract of the hook that this plugin brings."""

from kinetoscope_perth.hooks import WatermarkerContract
from kinetoscope_perth.marker import PerthMarker


class TestPerth(WatermarkerContract):
    provider = PerthMarker()
