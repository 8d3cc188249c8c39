"""The providers keep the contracts of the hooks that this plugin brings."""

from kinetoscope_align import providers
from kinetoscope_align.aligner import EstimateAligner, SphinxAligner
from kinetoscope_align.hooks import AlignerContract, LipSyncContract
from kinetoscope_align.speaker import Speaker


class TestSphinx(AlignerContract):
    provider = SphinxAligner()
    omits = next(told.omits for told in providers() if told.name == "sphinx")


class TestEstimate(AlignerContract):
    provider = EstimateAligner()


class TestSpeaker(LipSyncContract):
    provider = Speaker()
