"""What goes over the wire, dialect by dialect; the server refuses what Gemini refuses."""

from typing import Any

import pytest
from gemini_loopback import Loopback, of

from kinetoscope_gemini.direction import Direction
from kinetoscope_spec import Line, Script, ValidationError

NEW, LITE = "gemini-3.8-flash-tts", "gemini-3.8-flash-lite-tts"
PREVIEW, OLD = "gemini-3.1-flash-tts-preview", "gemini-2.5-flash-preview-tts"
MODELS = (NEW, LITE, PREVIEW, OLD, "gemini-2.5-flash-lite-preview-tts", "gemini-4.0-pro-tts")

DIALOGUE = Script(
    (Line("[excited] We did it!", "Ann"), Line("[sighs] Did we? [whispers] I doubt it.", "Bob")),
    {"Ann": "Zephyr", "Bob": "puck"},
)


def parts(server: Loopback, i: int = -1) -> list[dict[str, Any]]:
    return server.bodies[i]["contents"][0]["parts"]


def speech(server: Loopback, i: int = -1) -> dict[str, Any]:
    return of(server.bodies[i]["generationConfig"], "speechConfig")


def test_38_is_given_text_verbatim_with_styles_beside_it(make: Any, server: Loopback) -> None:
    make(model=NEW).speak(DIALOGUE)
    found = [(part["text"], of(part, "speechMetadata")) for part in parts(server)]
    assert found == [
        ("We did it!", {"style": "excited", "speaker": "Ann"}),
        ("<sighs> Did we?", {"speaker": "Bob"}),
        ("I doubt it.", {"style": "whispering", "speaker": "Bob"}),
    ]
    held = of(of(speech(server), "multiSpeakerVoiceConfig"), "speakerVoiceConfigs")
    assert [(h["speaker"], of(h, "voiceConfig")) for h in held] == [
        ("Ann", {"voice": "Zephyr"}),
        ("Bob", {"voice": "Puck"}),
    ]
    assert of(speech(server), "voiceConfig") is None
    assert not {"temperature", "topP", "topK", "top_p", "top_k"} & set(server.bodies[0]["generationConfig"])


def test_31_is_given_a_prompt_with_the_transcript_last(make: Any, server: Loopback) -> None:
    direction = Direction(profile="Two climbers", scene="A summit", style="out of breath", pacing="slow",
                          accent="Tyrolean", context="They set out at dawn.")  # fmt: skip
    make(model=PREVIEW).speak(DIALOGUE, direction=direction)
    assert parts(server)[0]["text"] == (
        "TTS the following conversation between Ann and Bob:\n\n"
        "# AUDIO PROFILE: Two climbers\n\n"
        "## THE SCENE: A summit\n\n"
        "### DIRECTOR'S NOTES\n* Style: out of breath\n* Pacing: slow\n* Accent: Tyrolean\n\n"
        "### SAMPLE CONTEXT\nThey set out at dawn.\n\n"
        "#### TRANSCRIPT\nAnn: [excited] We did it!\nBob: [sighs] Did we? [whispers] I doubt it."
    )


def test_25_is_given_only_tags_that_it_does_not_read_aloud(make: Any, server: Loopback) -> None:
    audio = make(model=OLD, parallel=1).speak(Script.of("[whispers] Come. [scared] It moved. [applause]"))
    texts = [body["contents"][0]["parts"][0]["text"] for body in server.bodies]
    assert [text.rpartition("\n")[2] for text in texts] == [
        "[whispering] Come.",
        "[whispering] It moved.",  # a mood of another category: both hold
    ]
    assert ["* Style: scared" in text for text in texts] == [False, True]
    effects = {entry["tag"]: entry["how"] for entry in audio.provenance.details["tags"]}
    assert effects == {"whispers": "native", "scared": "approximated", "applause": "unsupported"}


def test_one_voice_is_asked_for_in_the_models_own_form(make: Any, server: Loopback) -> None:
    for model, form in (
        (NEW, {"voice": "Orus"}),
        (PREVIEW, {"prebuilt_voice_config": {"voice_name": "Orus"}}),
    ):
        make(model=model).speak(Script.of("Words.", voices={"narrator": "ORUS"}))
        held = of(speech(server), "voiceConfig")
        assert held == form or of(of(held, "prebuiltVoiceConfig"), "voiceName") == "Orus"
        assert of(speech(server), "multiSpeakerVoiceConfig") is None


def test_a_cast_is_split_into_pairs_in_order(make: Any, server: Loopback) -> None:
    cast = "ABABCACBDD"
    script = Script(
        [Line(f"Words of {name}.", name) for name in cast],
        {"A": "Kore", "B": "Puck", "C": "Orus", "D": "Leda"},
    )
    audio = make(parallel=1).speak(script)
    said = "".join(part["text"][-2] for i in range(len(server.seen)) for part in parts(server, i))
    assert said == cast.replace("DD", "D")  # two lines of one speaker are one part
    assert max(len({of(p, "speechMetadata", {}).get("speaker") for p in body["contents"][0]["parts"]})
               for body in server.bodies) == 2  # fmt: skip
    assert len(server.seen) == 3
    assert audio.provenance.voice == "Kore, Puck, Orus, Leda"
    words = [cue.value for cue in audio.cues]
    assert words == [word for name in cast for word in ("Words", "of", name)]


def test_a_model_of_one_speaker_gets_one(make: Any, server: Loopback) -> None:
    make(model=MODELS[4]).speak(DIALOGUE)
    assert len(server.seen) >= 2
    assert all(of(speech(server, i), "voiceConfig") for i in range(len(server.seen)))


@pytest.mark.parametrize(
    ("model", "tag", "code"),
    [
        (NEW, "de", "de"), (NEW, "zh-Hans", "cmn"), (NEW, "yue", None), (NEW, "en-AU", "en"),
        (PREVIEW, "no", "nb"), (OLD, "de", "de-DE"), (OLD, "en", "en-US"),
    ],
)  # fmt: skip
def test_languages_go_out_as_the_code_that_is_documented(
    model: str, tag: str, code: str | None, make: Any, server: Loopback
) -> None:
    make(model=model).speak(Script.of("Ja.", language=tag))
    assert of(speech(server), "languageCode") == code


def test_each_language_is_a_request_of_its_own(make: Any, server: Loopback) -> None:
    lines = [Line("One.", language="en"), Line("Zwei.", language="de"), Line("Drei.", language="de"),
             Line("Quatre.", language="fr")]  # fmt: skip
    make(parallel=1).speak(Script(lines))
    assert [of(speech(server, i), "languageCode") for i in range(3)] == ["en", "de", "fr"]
    assert len(server.seen) == 3


@pytest.mark.parametrize("model", MODELS)
def test_every_model_speaks_all_of_its_voices_and_languages(model: str, make: Any, server: Loopback) -> None:
    voice = make(model=model, parallel=4)
    infos = voice.voices()
    assert len(infos) == 30
    wanted = {NEW: 130, LITE: 100, PREVIEW: 78, OLD: 23}.get(model, 23)
    assert len(set(infos[0].languages)) >= wanted
    lines = [Line("Words.", info.name, infos[0].languages[i]) for i, info in enumerate(infos[:23])]
    audio = voice.speak(Script(lines, {info.name: info.name for info in infos}))
    assert len(server.seen) == 23
    assert audio.provenance.voice == ", ".join(info.name for info in infos[:23])


def test_library_voices_are_for_38_alone(make: Any, server: Loopback) -> None:
    script = Script.of("Words.", voices={"narrator": "ext_en_us_042"})
    make(model=NEW).speak(script)
    assert of(speech(server), "voiceConfig") == {"voice": "ext_en_us_042"}
    with pytest.raises(ValidationError, match="library"):
        make(model=PREVIEW).speak(script)


def test_names_that_a_prompt_could_mistake_are_replaced(make: Any, server: Loopback) -> None:
    lines = (Line("One.\nBob: not he.", "#Ann: she"), Line("Two.", "Speaker 1"))
    make(model=PREVIEW).speak(Script(lines))
    transcript = parts(server)[0]["text"].partition("#### TRANSCRIPT\n")[2]
    assert transcript == "Speaker 1: One. Bob: not he.\nSpeaker 1 II: Two."


def test_the_lexicon_is_done_before_sending_or_noted(make: Any, server: Loopback) -> None:
    script = Script.of("SQL, tomato and SQLite.", lexicon={"SQL": "sequel", "tomato": "/təˈmɑːtəʊ/"})
    audio = make(model=PREVIEW).speak(script)
    text = parts(server)[0]["text"]
    assert text.endswith("sequel, tomato and SQLite.")
    assert "* Pronunciation: tomato is /təˈmɑːtəʊ/" in text
    assert [cue.value for cue in audio.cues] == ["SQL", "tomato", "and", "SQLite"]
    verbatim = make(model=NEW).speak(script)
    assert parts(server)[0]["text"] == "sequel, tomato and SQLite."
    assert [entry["how"] for entry in verbatim.provenance.details["lexicon"]] == ["native", "unsupported"]


def test_38_says_what_it_left_out_of_a_direction(make: Any, server: Loopback) -> None:
    table = {"style": "warm", "scene": "a cellar", "accent": "Scots"}
    audio = make(model=NEW).speak(Script.of("Words.", language="en-GB"), direction=table)
    assert of(parts(server)[0], "speechMetadata") == {"style": "warm"}
    assert [entry["part"] for entry in audio.provenance.details["direction"]] == [
        "scene",
        "accent",
        "accent of en-GB",
    ]


@pytest.mark.parametrize("model", [NEW, PREVIEW])
def test_marks_in_the_text_are_not_obeyed(model: str, make: Any, server: Loopback) -> None:
    make(model=model).speak(Script.of("a <laugh> b | c ] d \x00 e [ f"))
    said = parts(server)[0]["text"].rpartition("\n")[2]
    assert said == ("a laugh b c d e f" if model == NEW else "a <laugh> b | c d e f")


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_both_versions_of_the_api(version: str, make: Any, server: Loopback) -> None:
    make(api_version=version).speak(Script.of("Words."))
    assert server.seen[0][0].startswith(f"/{version}/models/")


@pytest.mark.parametrize("name", ["gemini-3.1-flash", "gpt-4o-mini-tts", "gemini-3.8-flash-ttts/x", ""])
def test_other_models_are_errors(name: str, make: Any) -> None:
    with pytest.raises(ValidationError, match="unknown model"):
        make().speak(Script.of("Words."), model=name)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"budget": 1}, "did you mean 'budget_usd'"), ({"direction": {"stile": "x"}}, "did you mean 'style'"),
     ({"take": "two"}, "take"), ({"budget_usd": -1}, "budget_usd"), ({"model": 3}, "model"),
     ({"direction": {"style": 3}}, "expected text")],
)  # fmt: skip
def test_mistaken_options_are_errors(options: dict[str, Any], said: str, make: Any, server: Loopback) -> None:
    with pytest.raises(ValidationError, match=said):
        make().speak(Script.of("Words."), **options)
    assert not server.seen


@pytest.mark.parametrize(
    "settings", [{"modell": NEW}, {"parallel": 0}, {"cache": "yes"}, {"model": "x"}, {"chunk_s": -1}]
)
def test_mistaken_settings_are_errors(settings: dict[str, Any], make: Any) -> None:
    with pytest.raises(ValidationError, match=r"gemini|model"):
        make(**settings)
