"""Both providers keep the contract of their hook."""

from kinetoscope_magika.contract import MagikaContract, MagikaOnnxContract


class TestMagika(MagikaContract):
    pass


class TestMagikaOnnx(MagikaOnnxContract):
    pass
