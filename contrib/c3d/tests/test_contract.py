from kinetoscope_c3d.contract import C3dContract


class TestC3d(C3dContract):
    pass
