"""The plugin in a host: found, configured, chosen last, and unavailable without a key."""

import sys
from typing import Any

import pytest
from gemini_loopback import Loopback

from kinetoscope_gemini._key import find_key
from kinetoscope_gemini.provider import GeminiVoice
from kinetoscope_spec import Script
from kinetoscope_spec.errors import ProviderUnavailable

Host = pytest.importorskip("kinetoscope").Host


def settings(server: Loopback, **more: Any) -> dict[str, Any]:
    return {"plugins": {"gemini": {"base_url": server.url, **more}}}


def test_each_host_has_its_own_settings(server: Loopback) -> None:
    with (
        Host(config=settings(server, model="gemini-3.1-flash-tts-preview")) as one,
        Host(config=settings(server)) as two,
        Host() as three,
    ):
        voices = [host.provider("voice", "gemini") for host in (one, two, three)]
        assert [voice.settings.model for voice in voices] == [
            "gemini-3.1-flash-tts-preview", "gemini-3.8-flash-tts", "gemini-3.8-flash-tts"
        ]  # fmt: skip
        assert voices[2].settings.base_url is None
        assert len(voices[0].voices()[0].languages) == 79
        for voice in voices[:2]:
            assert voice.speak(Script.of("Words.")).provenance.provider == "gemini"
    assert [path.split("/")[3].partition(":")[0] for path, _, _ in server.seen] == [
        "gemini-3.1-flash-tts-preview", "gemini-3.8-flash-tts"
    ]  # fmt: skip


def test_without_a_key_it_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY")
    with Host() as host:
        (info,) = (info for info in host.providers("voice") if info.name == "gemini")
        assert info.state == "unavailable"
        assert "GEMINI_API_KEY" in info.reason
    monkeypatch.setenv("GOOGLE_API_KEY", "x")
    with Host() as host:
        (info,) = (info for info in host.providers("voice") if info.name == "gemini")
        assert info.state != "unavailable"


class Ring:
    """A keyring of one entry."""

    def get_password(self, service: str, user: str) -> str | None:
        return "from the ring" if (service, user) == ("kinetoscope", "gemini") else None


def test_the_keyring_is_asked_where_settings_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Ring())
    assert "from" not in find_key(keyring=True).reveal(), "the environment comes first"
    monkeypatch.delenv("GEMINI_API_KEY")
    assert find_key(keyring=True).reveal() == "from the ring"
    with pytest.raises(ProviderUnavailable, match="keyring set kinetoscope gemini"):
        find_key(keyring=False)


def test_a_keyring_that_fails_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    class Locked:
        def get_password(self, *_: str) -> str:
            raise RuntimeError("locked")

    monkeypatch.setitem(sys.modules, "keyring", Locked())
    monkeypatch.delenv("GEMINI_API_KEY")
    with pytest.raises(ProviderUnavailable):
        find_key(keyring=True)


def test_a_key_does_not_show_itself() -> None:
    import pickle

    key = find_key(keyring=False)
    assert f"{key} {key!r}" == "[key] [key]"
    with pytest.raises(TypeError):
        pickle.dumps(key)
    assert key.reveal() not in key.taken_out(f"?key={key.reveal()}&x {key.reveal()}")


def test_there_is_no_way_to_pass_a_key() -> None:
    for name in ("key", "api_key"):
        with pytest.raises(ValueError, match="no setting"):
            GeminiVoice(**{name: "x"})
        with pytest.raises(ValueError, match="no option"):
            GeminiVoice().speak(Script.of("Words."), **{name: "x"})


def test_a_voice_tells_what_it_does_with_a_tag() -> None:
    class Tag:
        name, category = "here", "mark"

    voice = GeminiVoice(model="gemini-3.8-flash-tts")
    assert voice.treatment("medium pause").how == "approximated"
    assert voice.treatment("whispers").how == "native"
    assert voice.treatment(Tag()).how == "unsupported"
