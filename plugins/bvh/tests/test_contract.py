from kinetoscope_bvh.contract import BvhContract


class TestBvh(BvhContract):
    pass
