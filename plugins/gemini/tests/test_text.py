"""From scripts to requests: nothing is lost, nothing is too long, every tag is accounted for."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_gemini._models import model_of
from kinetoscope_gemini._plan import plan_of
from kinetoscope_gemini._tags import compiled, pause_seconds
from kinetoscope_gemini._turns import Report, atoms_of
from kinetoscope_gemini._words import seconds_of, sentences
from kinetoscope_spec import Line, Script
from kinetoscope_spec.contracts.strategies import scripts
from kinetoscope_spec.script import Said, catalogue, steps, words

MODELS = [model_of(f"gemini-{version}-flash-tts") for version in ("2.5", "3.1", "3.8")]
LETTERS = st.text(st.sampled_from("abc .,!?…。、日本ไทย\n'\"«»–1"), max_size=80)


@given(LETTERS, st.floats(0.2, 5))
def test_sentences_cover_the_text_and_are_short_enough(text: str, most_s: float) -> None:
    cuts = list(sentences(text, most_s))
    assert "".join(text[a:b] for a, b in cuts) == text
    assert all(b > a for a, b in cuts)
    longest = max((seconds_of(text[a:b]) for a, b in cuts), default=0)
    assert longest <= max(most_s, max((seconds_of(c) for c in text), default=0) + 0.41)


@given(scripts(), st.sampled_from(MODELS), st.sampled_from([2.0, 10.0, 40.0]))
def test_every_word_is_sent_in_order_and_once(script: Script, model, chunk_s: float) -> None:
    script = Script(script.lines, {}, "en", {})
    script = Script([Line(line.text, line.speaker) for line in script.lines])
    plan = plan_of(script, model, chunk_s)
    sent = "".join(turn.text for chunk in plan.chunks for turn in chunk.turns)
    said = "".join(c for c in _untagged(sent) if unicodedata.category(c)[0] in "LN")
    text = "".join(_untagged(line.text) for line in script.lines)
    assert said == "".join(c for c in text if unicodedata.category(c)[0] in "LN")
    for chunk in plan.chunks:
        assert len(chunk.cast) <= model.speakers
        assert chunk.seconds <= chunk_s * 1.01 + 1


def _untagged(text: str) -> str:
    import re

    return re.sub(r"\[[^\]]*\]|<[^>]*>", " ", text)


@given(scripts(), st.sampled_from([2.0, 40.0]))
def test_the_words_of_chunks_are_those_of_the_script(script: Script, chunk_s: float) -> None:
    script = Script([Line(line.text, line.speaker) for line in script.lines])
    plan = plan_of(script, MODELS[2], chunk_s)
    joined = "".join(word for chunk in plan.chunks for word in chunk.words)
    expected = "".join(word.text for line in script.lines for word in words(_blank(line.text)))
    assert joined == expected


def _blank(text: str) -> str:
    import re

    return re.sub(r"\[[^\]]*\]", " ", text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Dr. Smith met Mr. J. Doe. They spoke.", 2),
        ("It is done. Dr. Smith left. (Mr. Doe too.) He knew.", 4),
        ("It cost 3.14 dollars, e.g. that. Really?! Yes.", 3),
        ("„Gut.“ sagte sie. Ende", 2),
        ("今日は。元気？はい！", 3),
        ("वह गया। वह आया।", 2),
    ],
)
def test_sentences_end_where_a_reader_would_say(text: str, count: int) -> None:
    assert len(list(sentences(text, 100))) == count


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        # read aloud at 150 words a minute, the pace of audio books; Chinese at 250 characters
        (
            "The quick brown fox jumps over the lazy dog, and then it sleeps in the sun for the whole afternoon.",
            8.0,
        ),
        ("我昨天去了图书馆，借了三本关于历史的书。", 4.6),
    ],
)
def test_how_long_a_text_takes_is_about_right(text: str, seconds: float) -> None:
    assert abs(seconds_of(text) / seconds - 1) < 0.3


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [("pause 1.5s", 1.5), ("pause: 500 ms", 0.5), ("2 seconds pause", 2), ("break 3 sec", 3), ("wait for 1s", 1),
     ("pause 900s", 60), ("short pause", None), ("pause", None), ("2s", None)],
)  # fmt: skip
def test_pauses_in_seconds_are_understood(tag: str, seconds: float | None) -> None:
    assert pause_seconds(tag) == seconds


OFFICIAL_31 = (
    "amazed crying curious excited sighs gasp giggles laughs mischievously panicked sarcastic serious shouting "
    "tired trembling whispers"
)
OFFICIAL_38 = (
    "argh,breath,heavy breath,exhales,cackle,cheer,chuckle,chuckles,cough,cry,gasp,giggle,groan,growl,grunt,"
    "grr,hiss,laugh,laughter,moan,pant,pff,phew,scream,shout,shriek,sigh,sighs,sneeze,snicker,snort,sob,"
    "throat-clearing,tsk,whimper,yawn,short pause,long pause"
)


def test_tags_that_a_dialect_documents_are_native_in_it() -> None:
    for tag in OFFICIAL_31.split():
        assert (compiled(tag, "3.1").kind, compiled(tag, "3.1").value) == ("inline", tag)
    for tag in OFFICIAL_38.split(","):
        assert compiled(tag, "3.8").value == f"<{tag}>"
    moods = [
        tag for tag in OFFICIAL_31.split() if tag not in ("crying", "sighs", "gasp", "giggles", "laughs")
    ]
    assert all(compiled(tag, "3.8").kind == "style" for tag in moods)
    assert compiled("laughs", "3.8").value == "<laugh>"
    assert compiled("medium pause", "3.8").how == "approximated"
    assert compiled("thunder", "3.8").how == "unsupported"


@given(st.text(max_size=12), st.sampled_from(["2.5", "3.1", "3.8"]))
def test_any_tag_has_one_of_three_effects(tag: str, dialect: str) -> None:
    found = compiled(tag, dialect)
    assert found.how in ("native", "approximated", "unsupported")
    assert found.how == "native" or found.note
    if dialect == "3.8":
        assert found.value.count("<") == found.value.count(">") == (found.value[:1] == "<")


def test_a_style_holds_until_the_next_or_the_end_of_the_line() -> None:
    lines = [Line("A. [sad] B. [laughs] C. [angry] [fast] D. [normal] E."), Line("F.")]
    turns = plan_of(Script(lines), MODELS[2], 40).chunks[0].turns
    assert [(turn.text, turn.style) for turn in turns] == [
        ("A.", ""), ("B. <laugh> C.", "sad"), ("D.", "angry, fast"), ("E. F.", "")
    ]  # fmt: skip


def test_tags_side_by_side_are_one_on_31_and_the_last_of_a_line_is_sent() -> None:
    chunk = plan_of(Script.of("[sighs] [tired] Go. [gasp]"), MODELS[1], 40).chunks[0]
    assert chunk.turns[0].text == "[sighs, tired] Go. [gasp]"
    assert chunk.words == ("Go",)


def test_exact_pauses_cut_requests() -> None:
    plan = plan_of(Script.of("A. [pause 1s] [pause 500ms] B. [pause 2s]"), MODELS[2], 40)
    assert [chunk.gap_s for chunk in plan.chunks] == [0, 1.5]
    assert plan.tail_s == 2


@pytest.mark.parametrize(
    ("text", "new", "preview"),
    [
        ("I *never* said **that one**.", "I NEVER said THAT ONE.", "I NEVER said THAT ONE."),
        ("[emphasis] never again, 2 * 3", "NEVER again, 2 * 3", "NEVER again, 2 * 3"),
        ("[mark here] Go.", "Go.", "Go."),
        ("[hmm] Go. [hiccup]", "hmm, Go. <hiccup>", "[hmm] Go. [hiccup]"),
        ("[beat] Go. [silence]", "<short pause> Go. <long pause>", "[short pause] Go. [long pause]"),
        ("[rate 120%] Go.", "Go.", "[faster] Go."),
        ("[style: like a tired king] Go.", "Go.", "[like a tired king] Go."),
        ("[overlap: uh-huh] Go.", "|uh-huh| Go.", "Go."),
        ("[a [b] Go.", "Go.", "[a b] Go."),
        ("[] Go.", "Go.", "Go."),
    ],
)
def test_scripts_of_every_kind_are_played(text: str, new: str, preview: str) -> None:
    for model, expected in ((MODELS[2], new), (MODELS[1], preview)):
        (chunk,) = plan_of(Script.of(text), model, 40).chunks
        assert " ".join(turn.text for turn in chunk.turns) == expected


def test_numbers_and_free_words_are_styles_on_38() -> None:
    for tag, style in (("rate 80%", "slower"), ("pitch +10%", "in a higher pitch"), ("volume -6dB", "softly"),
                       ("style: Like a King", "Like a King"), ("range 150%", "in a lively intonation")):  # fmt: skip
        (chunk,) = plan_of(Script.of(f"[{tag}] Go."), MODELS[2], 40).chunks
        assert chunk.turns[0].style == style


@pytest.mark.parametrize("unit", ["a. ", "wo rd ", "(a[", "*a ", "x", "。", "[short pause] a "])
def test_long_texts_are_cut_in_bounded_time(unit: str) -> None:
    from kinetoscope_spec.contracts._bounds import bounded_time

    with bounded_time(20, f"cutting 60,000 letters of {unit!r}"):
        plan = plan_of(Script.of("a " + unit * (60_000 // len(unit))), MODELS[2], 40)
    assert all(chunk.seconds < 45 for chunk in plan.chunks)


@given(st.lists(st.sampled_from(["one", "two", *(f"[{tag}]" for tag in catalogue())]), max_size=12))
def test_moods_hold_as_long_as_in_every_voice(pieces: list[str]) -> None:
    """The oracle is the spec's `steps`: a tag ends that before it in its category, `[neutral]` all."""
    text = " ".join([*pieces, "end"])
    report = Report()
    atoms, _ = atoms_of(Script.of(text), MODELS[2], 40.0, report)
    spoken = [atom for atom in atoms if atom.words]
    expected = {
        tag.name
        for step in steps(text)
        if isinstance(step, Said) and "end" in step.text
        for tag in step.tags
        if compiled(tag.name, "3.8").mood
    }
    assert set(spoken[-1].moods) == {name.lower() for name in expected}


def test_a_request_that_begins_under_a_mood_is_told_of_it() -> None:
    text = "[whispers] " + " ".join(["A sentence of some length, to be said quietly."] * 6)
    for model, sent in zip(MODELS[:2], ("[whispering] ", "[whispers] "), strict=True):
        plan = plan_of(Script.of(text + " [neutral] And aloud. And on."), model, 6.0)
        texts = [turn.text for chunk in plan.chunks for turn in chunk.turns]
        assert len(texts) > 3
        assert all(held.startswith(sent) for held in texts[:3])
        assert "whisper" not in texts[-1].partition("And aloud")[2]
    (style,) = {
        turn.style for chunk in plan_of(Script.of(text), MODELS[2], 6.0).chunks for turn in chunk.turns
    }
    assert style == "whispering"


@pytest.mark.parametrize("dialect", ["2.5", "3.1", "3.8"])
def test_what_lasts_in_the_catalogue_is_a_mood_here_and_nothing_else(dialect: str) -> None:
    assert [tag.name for tag in catalogue().values() if compiled(tag.name, dialect).mood != tag.lasts] == []
