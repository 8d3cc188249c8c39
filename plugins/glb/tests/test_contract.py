from kinetoscope_glb.contract import GlbContract


class TestGlb(GlbContract):
    pass
