"""The loopback server for every test, and no key, network or cache of the user's."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gemini_loopback import KEY, Loopback

from kinetoscope_gemini.provider import GeminiVoice


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    for name in ("GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_GENAI_USE_VERTEXAI"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


class Maker:
    """Makes voices that talk to the loopback server and do not wait long."""

    def __init__(self, server: Loopback) -> None:
        self.server = server
        self.made: list[GeminiVoice] = []

    def __call__(self, **settings: Any) -> GeminiVoice:
        defaults = {"base_url": self.server.url, "first_wait_s": 0.001, "timeout_s": 20.0}
        self.made.append(GeminiVoice(**{**defaults, **settings}))
        return self.made[-1]


@pytest.fixture
def make(server: Loopback) -> Iterator[Maker]:
    maker = Maker(server)
    yield maker
    for voice in maker.made:
        voice.close()
