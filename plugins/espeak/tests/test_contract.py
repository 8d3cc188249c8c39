from kinetoscope_espeak.voice import EspeakVoice
from kinetoscope_spec.contracts import VoiceContract


class TestEspeak(VoiceContract):
    provider = EspeakVoice()
