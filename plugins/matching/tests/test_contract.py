from kinetoscope_matching.matching import MotionMatching
from kinetoscope_spec.contracts import ModelContract


class TestMotionMatching(ModelContract):
    provider = MotionMatching
