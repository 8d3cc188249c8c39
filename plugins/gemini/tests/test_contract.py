"""The provider keeps the contract of its hook, through the real client and the loopback server."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gemini_loopback import Loopback

from kinetoscope_gemini.provider import GeminiVoice
from kinetoscope_spec.contracts import VoiceContract

MODELS = ("gemini-3.8-flash-tts", "gemini-3.1-flash-tts-preview", "gemini-2.5-pro-preview-tts")


class Spoken(VoiceContract):
    """A contract whose provider is made for each test, when there is a server to talk to."""

    settings: ClassVar[dict[str, Any]] = {}

    @pytest.fixture(autouse=True)
    def provider_and_server(self) -> Iterator[None]:
        with Loopback() as server:
            type(self).provider = voice = GeminiVoice(base_url=server.url, first_wait_s=0, **self.settings)
            yield
            voice.close()


class TestVerbatim(Spoken):
    """3.8, streams whole: with the cache, voices say that they are deterministic, and all laws apply."""

    settings: ClassVar = {"model": MODELS[0], "live": False}


class TestPrompted(Spoken):
    """3.1, cut into many requests."""

    settings: ClassVar = {"model": MODELS[1], "live": False, "chunk_s": 4, "parallel": 3}


class TestLive(Spoken):
    """3.1, streamed while it is made, nothing kept."""

    settings: ClassVar = {"model": MODELS[1], "cache": False, "chunk_s": 10}


class TestOldest(Spoken):
    """2.5, which does not stream."""

    settings: ClassVar = {"model": MODELS[2]}
