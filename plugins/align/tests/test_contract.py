"""The providers keep the contract of the hook that this plugin brings."""

from kinetoscope_align.aligner import EstimateAligner, SphinxAligner
from kinetoscope_align.hooks import AlignerContract


class TestSphinx(AlignerContract):
    provider = SphinxAligner()


class TestEstimate(AlignerContract):
    provider = EstimateAligner()
