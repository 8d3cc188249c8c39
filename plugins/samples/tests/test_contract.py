from kinetoscope_samples.contract import SampleContract


class TestSamples(SampleContract):
    pass
