"""`kinetoscope speak`: a script in, marked speech out, with captions and cues beside it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope_spec import Audio, Progress, Script

_WORDS_A_SECOND = 2.6
"""Of plain English speech; for the bar only."""


@click.command("speak")
@click.argument("script", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--provider", metavar="NAME", help="Let this voice provider speak.")
@click.option("--voice", "default", metavar="NAME", help="The voice of speakers that the script gives none.")
@click.option("--language", metavar="TAG", help="The language of lines that name none.")
@click.option("--srt", is_flag=True, help="Write captions beside OUT, SubRip.")
@click.option("--vtt", is_flag=True, help="Write captions beside OUT, WebVTT.")
@click.option(
    "--cues",
    "with_cues",
    is_flag=True,
    help="Write the times of words, phonemes and, with kinetoscope-align, visemes beside OUT, JSON.",
)
@click.option("--play", "aloud", is_flag=True, help="Play it when it is written.")
@json_option
@pass_host
def command(
    host: Host,
    script: Path,
    out: Path,
    provider: str | None,
    default: str | None,
    language: str | None,
    srt: bool,
    vtt: bool,
    with_cues: bool,
    aloud: bool,
) -> None:
    """Speak SCRIPT (plain text, .toml or .ssml; - reads standard input) into OUT.

    OUT is a .wav, or with kinetoscope-av .flac, .mp3 or .opus. All speech is marked as such before it is
    written, and says where it came from, in the file and in OUT.provenance.json.
    """
    from kinetoscope.shot.outputs import refuse_overwriting
    from kinetoscope.sound import check_suffix, sidecar_of
    from kinetoscope.speech.playing import play, player
    from kinetoscope.speech.report import treatments

    suffixes = [(".srt", srt), (".vtt", vtt), (".cues.json", with_cues)]
    beside = {suffix: out.with_suffix(suffix) for suffix, wanted in suffixes if wanted}
    for path in (out, sidecar_of(out), *beside.values()):
        refuse_overwriting(path, [script])
    told = _read(script, default, language)
    check_suffix(host, out)
    if aloud:
        player()
    voice = host.voice(provider)
    began = time.perf_counter()
    with progress_bar("speaking") as progress:
        audio = _spoken(host, voice, told, progress)
    if beside:
        audio = _aligned(host, told, audio)
    took = time.perf_counter() - began
    written = host.write_audio(out, audio)
    files = [written.path, written.sidecar, *_write_beside(beside, told, audio)]
    if aloud:
        play(host, audio)
    data = _summary(audio, files, treatments(voice, told), took) | {"watermark": written.watermark}
    emit(click.get_current_context(), data, _human)


def _read(path: Path, default: str | None, language: str | None) -> Script:
    """Read the script; options fill what it leaves open."""
    import attrs

    from kinetoscope_spec.script import parse_text, read_script

    told = parse_text(sys.stdin.read(), path=path) if str(path) == "-" else read_script(path)
    if default is not None:
        others = {line.speaker: default for line in told.lines}
        told = attrs.evolve(told, voices={**others, **told.voices})
    return attrs.evolve(told, language=language) if language else told


def _spoken(host: Host, voice: Any, told: Script, progress: Progress) -> Audio:
    """Speak; piece by piece where that is the same speech, so that the bar moves."""
    from kinetoscope.sound import joined
    from kinetoscope_spec.script import plain_text, words

    if not all(info.deterministic for info in voice.voices()):
        audio: Audio = voice.speak(told)
        return audio
    count = sum(len(words(plain_text(line.text))) for line in told.lines)
    pieces, heard = [], 0.0
    for piece in voice.stream(told):
        pieces.append(piece)
        heard += piece.duration
        wanted = max(count / _WORDS_A_SECOND, heard)
        progress(round(1000 * heard), round(1000 * wanted), f"{heard:.0f} s spoken")
    return joined(host, pieces)


def _aligned(host: Host, told: Script, audio: Audio) -> Audio:
    """Return the speech with cues that the voice did not give, where something here finds them."""
    from kinetoscope_spec.errors import KinetoscopeError

    try:
        aligner = host.provider("aligner")
    except KinetoscopeError:  # none is installed, or none can run: the voice's own cues are what there is
        return audio
    aligned: Audio = aligner.align(audio, told)
    return aligned


def _write_beside(beside: dict[str, Path], told: Script, audio: Audio) -> list[str]:
    import json

    from kinetoscope_spec.files import write_text
    from kinetoscope_spec.script import captions

    held = captions.captions(told, audio) if {".srt", ".vtt"} & set(beside) else []
    made = {".srt": captions.srt, ".vtt": captions.vtt}
    for suffix, path in beside.items():
        text = (
            made[suffix](held) if suffix in made else json.dumps(_timed(audio), ensure_ascii=False, indent=1)
        )
        write_text(path, text)
    return [str(path) for path in beside.values()]


def _timed(audio: Audio) -> dict[str, Any]:
    import attrs

    cues = [
        {**attrs.asdict(cue), "start": round(cue.start, 6), "end": round(cue.end, 6)} for cue in audio.cues
    ]
    return {"seconds": audio.duration, "rate": audio.rate, "cues": cues}


def _summary(audio: Audio, files: list[str], tags: list[dict[str, Any]], took: float) -> dict[str, Any]:
    made = audio.provenance
    return {
        "output": files[0],
        "files": files,
        **_timed(audio),
        "provider": made.provider if made else None,
        "model": made.model if made else None,
        "voice": made.voice if made else None,
        "tags": tags,
        "took": took,
    }


def _human(data: dict[str, Any]) -> str:
    lines = [
        f"{data['seconds']:.1f} s by {data['provider']} ({data['voice']}) in {data['took']:.1f} s, "
        f"watermark {data['watermark']}: {', '.join(data['files'])}"
    ]
    lost = [row for row in data["tags"] if row["how"] != "native"]
    lines += [f"[{row['tag']}] {row['how'] or 'taken'}: {row['note']}".rstrip(": ") for row in lost]
    return "\n".join(lines)
