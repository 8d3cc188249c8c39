"""The language of scripts: three forms, the catalogue of tags, and what a line asks for."""

from __future__ import annotations

import itertools
import xml.dom.minidom

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_spec import FormatError, Line, Script, ValidationError
from kinetoscope_spec.contracts._speech import words_of
from kinetoscope_spec.contracts.strategies._voice import scripts
from kinetoscope_spec.script import (
    CATEGORIES,
    Effect,
    Said,
    Sounded,
    catalogue,
    find_tag,
    parse_ssml,
    parse_text,
    parse_toml,
    plain_text,
    read_script,
    sources,
    steps,
    tags_of,
    words,
    write_script,
    write_ssml,
    write_text,
    write_toml,
)
from kinetoscope_spec.voice import VoiceInfo

ANY = (VoiceInfo("one", ("en", "de"), 16000, tuple(catalogue())), VoiceInfo("two", ("en", "ja"), 16000, ()))
ENCODABLE = st.text(st.characters(codec="utf-8"), max_size=12)
STARRED = st.lists(
    st.sampled_from(["*", "**", "a", "don't", " ", "(", ")", "é", "-", "[emphasis]", "."]), max_size=14
)


def said(script: Script) -> list[str]:
    return [word for line in script.lines for word in words_of(line.text)]


def lines(script: Script) -> list[tuple[object, ...]]:
    """Return what a reader of the plain form is to find: white space at the ends of rows is free."""
    return [
        ("\n".join(row.strip() for row in line.text.strip().split("\n")), line.speaker, line.language)
        for line in script.lines
    ]


# -- the catalogue


def test_the_catalogue_has_over_two_hundred_tags_with_sources() -> None:
    held = catalogue()
    assert len(held) > 300
    assert {tag.source for tag in held.values()} == set(sources())
    assert {tag.category for tag in held.values()} == set(CATEGORIES) - {"mark", "free text"}


def test_no_two_tags_mean_the_same_unless_the_catalogue_says_so() -> None:
    own = [tag for tag in catalogue().values() if tag.same is None and tag.effect != Effect()]
    for one, other in itertools.combinations(own, 2):
        assert one.effect != other.effect, (one.name, other.name)
    for tag in catalogue().values():
        if tag.same is not None:
            real = catalogue()[tag.same]
            assert real.same is None
            assert tag.effect == real.effect
    plain = [tag for tag in catalogue().values() if tag.same is None and tag.effect == Effect()]
    assert len({tag.category for tag in plain}) == len(plain)  # each sets back another category


@given(st.sampled_from(list(catalogue())))
def test_tags_are_found_whatever_their_capitals_and_hyphens(name: str) -> None:
    for spelt in (name, name.upper(), name.replace(" ", "-"), name.replace("-", "_"), f" {name} "):
        assert find_tag(spelt) == catalogue()[name]


@given(st.sampled_from(list(catalogue())), st.integers(0, 30), st.sampled_from("lsd"))
def test_slips_are_errors_that_name_what_was_meant(name: str, at: int, kind: str) -> None:
    at %= len(name)
    slip = {"l": name[:at] + name[at + 1 :], "d": name[: at + 1] + name[at:]}.get(
        kind, name[:at] + name[at : at + 2][::-1] + name[at + 2 :]
    )
    said = ""
    try:
        assert find_tag(slip) in catalogue().values()  # it happens to be another, or the same
    except ValidationError as error:
        said = str(error)
    assert not said or (slip in said and "[style:" in said)


@pytest.mark.parametrize(
    ("text", "category", "effect"),
    [
        ("pause 1.5s", "pause", Effect(pause=1.5)),
        ("pause: 300 ms", "pause", Effect(pause=0.3)),
        ("rate 120%", "pace", Effect(rate=1.2)),
        ("RATE +20%", "pace", Effect(rate=1.2)),
        ("pitch -10%", "pitch", Effect(pitch=0.9)),
        ("range 0%", "range", Effect(range=0.0)),
        ("volume -6dB", "volume", Effect(volume=-6.0)),
        ("mark here", "mark", Effect()),
        ("style: as if asleep", "free text", Effect()),
        ("like a wet dog in the rain", "free text", Effect()),
    ],
)
def test_tags_with_numbers_and_in_free_words(text: str, category: str, effect: Effect) -> None:
    tag = find_tag(text)
    assert tag.category == category
    assert attrs.astuple(tag.effect) == pytest.approx(attrs.astuple(effect))


@pytest.mark.parametrize(
    "text", ["pause 90s", "rate 1%", "volume 12dB", "pitch 3s", "pause 5%", "", "grumpily", "style:", "mark"]
)
def test_tags_that_are_none(text: str) -> None:
    with pytest.raises(ValidationError):
        find_tag(text)


@given(st.sampled_from(list(catalogue().values())), st.sampled_from(list(catalogue().values())))
def test_effects_together_are_effects(one: object, other: object) -> None:
    both = one.effect.then(other.effect)  # type: ignore[attr-defined]
    assert Effect().then(both) == both
    assert 0.25 <= both.rate <= 4


# -- steps


@given(scripts(ANY))
def test_the_words_of_the_steps_are_the_words_of_the_text(script: Script) -> None:
    for line in script.lines:
        found = [
            word.text for step in steps(line.text) if isinstance(step, Said) for word in words(step.text)
        ]
        assert found == words_of(line.text) == [word.text for word in words(plain_text(line.text))]


@given(STARRED)
def test_stars_take_no_word_apart(parts: list[str]) -> None:
    text = "".join(parts)
    found = [word.text for step in steps(text) if isinstance(step, Said) for word in words(step.text)]
    assert found == words_of(text)


def test_a_tag_holds_to_the_end_of_the_line_or_the_next_of_its_category() -> None:
    found = steps("a [excited] b [fast] c [sad] d [neutral] e")
    assert [step.text.strip() for step in found if isinstance(step, Said)] == list("abcde")
    held = [[tag.name for tag in step.tags] for step in found if isinstance(step, Said)]
    assert held == [[], ["excited"], ["excited", "fast"], ["fast", "sad"], []]
    joyful, fast = catalogue()["excited"].effect, catalogue()["fast"].effect
    assert [step.effect for step in found if isinstance(step, Said)][2] == joyful.then(fast)


def test_pauses_and_marks_stand_where_they_are() -> None:
    found = steps("one [pause 2s] two [mark here] three[laughs]")
    assert [step.tag.name if isinstance(step, Sounded) else step.text.strip() for step in found] == [
        "one", "pause 2s", "two", "here", "three", "laughs",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so *very* good", [("so", 0), ("very", 1), ("good", 0)]),
        ("so **very** good", [("so", 0), ("very", 2), ("good", 0)]),
        ("[emphasis] now or never", [("now", 1), ("or", 0), ("never", 0)]),
        ("[strong emphasis] … [short pause] now!", [("now", 2)]),
        ("[reduced emphasis] (now) or", [("now", -1), ("or", 0)]),
        ("2 * 3 * 4", [("2", 0), ("3", 0), ("4", 0)]),
        ("abso*lute*ly", [("abso*lute*ly", 0)]),
    ],
)
def test_emphasis_is_of_the_words_that_it_is_put_on(text: str, expected: list[tuple[str, int]]) -> None:
    found = [
        (word.text, step.effect.emphasis)
        for step in steps(text)
        if isinstance(step, Said)
        for word in words(step.text)
    ]
    assert found == expected


def test_an_unknown_tag_says_where_it_is() -> None:
    with pytest.raises(ValidationError, match="whispers") as caught:
        tags_of(Script((Line("fine"), Line("not [wispers] fine"))))
    assert "line 2" in caught.value.__notes__[0]


# -- the three forms


@given(scripts(ANY))
def test_toml_holds_any_script(script: Script) -> None:
    assert parse_toml(write_toml(script)) == script


@given(ENCODABLE, ENCODABLE, ENCODABLE)
def test_toml_holds_any_text(text: str, speaker: str, word: str) -> None:
    script = Script((Line(f"a {text}", speaker), Line("b")), {speaker: word}, "en", {word: text})
    assert parse_toml(write_toml(script)) == script


@given(scripts(ANY))
def test_plain_text_holds_what_people_write(script: Script) -> None:
    again = parse_text(write_text(script))
    assert lines(again) == lines(script)
    assert (again.voices, again.language, again.lexicon) == (script.voices, script.language, script.lexicon)


@given(
    st.lists(
        st.sampled_from(["Ann: x", "#y", "@voice", "\\z", "", "(de): w", "q", "  p", "narrator:"]), min_size=1
    )
)
def test_what_looks_like_something_else_stays_words(rows: list[str]) -> None:
    script = Script((Line("\n".join(["begins", *rows, "ends"]), "Ann"), Line("next")))
    assert lines(parse_text(write_text(script))) == lines(script)


@given(scripts(ANY))
def test_ssml_keeps_words_pauses_and_marks(script: Script) -> None:
    plain = attrs.evolve(script, lexicon={})
    text = write_ssml(plain)
    xml.dom.minidom.parseString(text.encode())  # an XML reader that is not ours
    again = parse_ssml(text)
    assert [word.replace("[", "(").replace("]", ")").replace("*", "\u2217") for word in said(plain)] == said(
        again
    )
    silences = [
        [round(tag.effect.pause, 3) for tag in tags_of(held) if tag.category == "pause"]
        for held in (plain, again)
    ]
    assert silences[0] == silences[1]


def test_ssml_is_read_as_it_is_meant() -> None:
    script = parse_ssml(
        """<?xml version="1.0"?><speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis"
        xmlns:mstts="https://www.w3.org/2001/mstts" xml:lang="en-GB">
        <p>One <prosody rate="150%" pitch="+10%">two <prosody rate="50%">three</prosody></prosody> four.</p>
        <voice name="Kore">Five<break time="1.5s"/><break strength="weak"/> six</voice>
        <lang xml:lang="de-DE">sieben</lang> <mstts:express-as style="sad">eight</mstts:express-as> nine
        <emphasis level="strong">ten eleven</emphasis> <sub alias="World Wide Web">WWW</sub>
        <say-as interpret-as="characters">abc</say-as> <phoneme alphabet="ipa" ph="təˈmɑːtəʊ">tomato</phoneme>
        <mark name="end"/><desc>not read</desc> [x] *y*</speak>"""
    )
    texts = [(line.speaker, line.language, line.text) for line in script.lines]
    assert texts[0] == (
        "narrator", None, "One [rate 150%] [pitch 110%] two [rate 75%] three [rate 100%] [pitch 100%] four.",
    )  # fmt: skip
    assert texts[1] == ("Kore", None, "Five [pause 1.5s] [pause 0.15s] six")
    assert texts[2] == ("narrator", "de-DE", "sieben")
    assert texts[3][2] == (
        "[sad] eight [neutral] nine [strong emphasis] ten [strong emphasis] eleven World Wide Web a b c tomato "
        "[mark end] (x) \u2217y\u2217"
    )
    assert script.language == "en-GB"
    assert script.voices == {"Kore": "Kore"}
    assert script.lexicon == {"tomato": "/təˈmɑːtəʊ/"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<speak>a<b/></speak>", "<b>"),
        ("<speech>a</speech>", "<speech>"),
        ("<speak>a", "no XML"),
        ("", "no XML"),
        ("<speak><prosody rate='quick'>a</prosody></speak>", "quick"),
        ("<speak><prosody contour='(0%,+20Hz)'>a</prosody></speak>", "contour"),
        ("<speak>a<break time='long'/></speak>", "long"),
        ("<speak><emphasis level='huge'>a</emphasis></speak>", "huge"),
        ("<speak><phoneme ph='a'>two words</phoneme></speak>", "two words"),
        ("<speak><phoneme alphabet='x-sampa' ph='a'>b</phoneme></speak>", "ipa"),
        ("<speak><express-as style='cheerfull'>b</express-as></speak>", "cheerful"),
        ("<speak>" + "<s>" * 500 + "a" + "</s>" * 500 + "</speak>", "nested"),
        ("<speak> … </speak>", "no text"),
        ('<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><speak>&b;</speak>', "document type"),
    ],
)
def test_bad_ssml_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(FormatError, match=r"no text|no XML|line|<") as caught:
        parse_ssml(text)
    assert says in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_script_or_a_format_error(held: bytes) -> None:
    for parse in (parse_text, parse_toml, parse_ssml):
        for text in (held.decode("latin-1"), f"<speak>{held.decode('latin-1')}</speak>"):
            try:
                script = parse(text)
            except FormatError:
                continue
            assert isinstance(script, Script)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("@langage en\nhello", 1, "did you mean 'language'"),
        ("hello\n@voice Ann\n", 2, "@voice SPEAKER = VOICE"),
        ("@voice Ann = f2\n\nAnna: hello", 3, "did you mean 'Ann'"),
        ("@language en\n# nothing", None, "no text"),
    ],
)
def test_bad_text_says_where(text: str, line: int | None, says: str) -> None:
    with pytest.raises(FormatError, match=r"play\.txt") as caught:
        parse_text(text, path="play.txt")
    assert caught.value.line == line
    assert says in str(caught.value)


def test_speakers_are_those_declared_or_what_looks_like_names() -> None:
    found = parse_text("Ann: hi\nnote: this is read\n\nBob Lee (de): ja\n(fr): oui\n\nand so it ends")
    assert [(line.speaker, line.language, line.text) for line in found.lines] == [
        ("Ann", None, "hi\nnote: this is read"), ("Bob Lee", "de", "ja"), ("narrator", "fr", "oui"),
        ("narrator", None, "and so it ends"),
    ]  # fmt: skip
    declared = parse_text("@speaker bob\nbob: hi\n\nWarning: this is read")
    assert [(line.speaker, line.text) for line in declared.lines] == [
        ("bob", "hi"),
        ("narrator", "Warning: this is read"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("line = 3", "tables"),
        ("[[line]]\nspeaker = 'a'", "has no text"),
        ("lexicon = {a = 3}\n[[line]]\ntext = 'a'", "table of strings"),
        ("voice = {}\n[[line]]\ntext = 'a'", "did you mean 'voices'"),
        ("[[line]]\ntext = '…'\nlang = 'de'", "lang"),
        ("= 3", "no TOML"),
    ],
)
def test_bad_toml_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_toml(text, path="play.toml")
    assert says in str(caught.value)


@pytest.mark.parametrize("name", ["a.txt", "a.toml", "a.ssml", "a.xml", "a"])
def test_files_have_the_form_of_their_suffix(tmp_path, name) -> None:  # type: ignore[no-untyped-def]
    script = Script((Line("[pause 2s] hello", "Ann", "de"), Line("world")), {"Ann": "Ann"}, "en-GB")
    write_script(script, tmp_path / name)
    assert said(read_script(tmp_path / name)) == ["hello", "world"]
    assert read_script(tmp_path / name).lines[0].speaker == "Ann"
    (tmp_path / name).write_bytes(b"\xff\xfe\xff hello")
    with pytest.raises(FormatError, match=name):
        read_script(tmp_path / name)


def test_what_plain_text_has_no_way_to_write_is_an_error() -> None:
    for script in (
        Script((Line("a", "Ann: Bob"),)),
        Script.of("a", lexicon={"a=b": "c"}),
        Script.of("a", voices={"x\ny": "c"}),
        Script((Line("a", language="not a tag"),)),
    ):
        with pytest.raises(ValidationError, match="TOML"):
            write_text(script)
        assert parse_toml(write_toml(script)) == script
