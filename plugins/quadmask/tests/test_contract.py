from quadmask_discs import Beneath, Flood

from kinetoscope_quadmask.hooks import ReasonerContract, SegmenterContract


class TestFlood(SegmenterContract):
    provider = Flood()


class TestBeneath(ReasonerContract):
    provider = Beneath()
