from kinetoscope_asf.contract import AsfContract


class TestAsf(AsfContract):
    pass
