"""`kinetoscope align`: when each word of a script is said in a recording."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kinetoscope_spec.files import write_text

if TYPE_CHECKING:
    from kinetoscope_spec import Audio, Script

__all__ = ["command"]

_SUFFIXES: Final = (".json", ".srt", ".vtt", ".textgrid")


@click.command("align")
@click.argument("audio", type=click.Path(path_type=Path))
@click.argument("script", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--provider", metavar="NAME", help="Ask this aligner.")
@click.option("--language", metavar="TAG", help="The language of lines that name none.")
@click.option(
    "--framerate",
    type=click.FloatRange(1, 1000),
    help="Write curves of visemes into .json, so many frames a second.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def command(
    ctx: click.Context,
    audio: Path,
    script: Path,
    out: Path,
    provider: str | None,
    language: str | None,
    framerate: float | None,
    as_json: bool,
) -> None:
    """Find out when the words of SCRIPT are said in AUDIO, a recording or a film, and write it to OUT.

    OUT is a .json (words, phonemes, visemes), .srt, .vtt, or a .TextGrid of Praat.
    """
    import attrs

    from kinetoscope_spec.script import read_script

    _check(audio, script, out, framerate)
    told = read_script(script)
    told = attrs.evolve(told, language=language) if language else told
    host = ctx.find_root().obj
    sound = _sound(host, audio)
    aligned: Audio = host.provider("aligner", provider).align(sound, told)
    write_text(out, _text(out, told, aligned, framerate))
    data = _summary(out, aligned)
    click.echo(json.dumps(data) if as_json else _human(data))


def _check(audio: Path, script: Path, out: Path, framerate: float | None) -> None:
    suffix = out.suffix.lower()
    if suffix not in _SUFFIXES:
        raise click.BadParameter(f"{out}: expected a name that ends in {', '.join(_SUFFIXES)}")
    if framerate is not None and suffix != ".json":
        raise click.BadParameter(f"{out}: --framerate goes with .json")
    if out.exists() and any(path.exists() and out.samefile(path) for path in (audio, script)):
        raise click.BadParameter(f"{out} is read from, it can't be written to")
    if not out.parent.is_dir():
        raise click.BadParameter(f"{out}: there is no folder {out.parent}")


def _sound(host: Any, path: Path) -> Audio:
    from kinetoscope_spec import FormatError

    sound: Audio | None = host.provider("media").read_audio(path)
    if sound is None:
        raise FormatError("has no sound", path=path, expected="a recording or a film with sound")
    return sound


def _text(out: Path, script: Script, audio: Audio, framerate: float | None) -> str:
    from kinetoscope_align.textgrid import textgrid
    from kinetoscope_spec.script import captions

    suffix = out.suffix.lower()
    if suffix == ".textgrid":
        return textgrid(audio)
    if suffix == ".json":
        return json.dumps(_timed(audio) | _curves(audio, framerate), ensure_ascii=False, indent=1) + "\n"
    made = captions.srt if suffix == ".srt" else captions.vtt
    return made(captions.captions(script, audio))


def _timed(audio: Audio) -> dict[str, Any]:
    import attrs

    cues = [
        {**attrs.asdict(cue), "start": round(cue.start, 6), "end": round(cue.end, 6)} for cue in audio.cues
    ]
    return {"seconds": audio.duration, "rate": audio.rate, "cues": cues}


def _curves(audio: Audio, framerate: float | None) -> dict[str, Any]:
    if framerate is None:
        return {}
    from kinetoscope_align.curves import viseme_curves
    from kinetoscope_align.visemes import arkit_weights

    shown = viseme_curves(audio, framerate)
    made = {"visemes": shown, "arkit": arkit_weights(shown)}
    rounded = {
        kind: {name: [round(float(v), 4) for v in curve] for name, curve in curves.items()}
        for kind, curves in made.items()
    }
    return {"framerate": framerate, **rounded}


def _summary(out: Path, audio: Audio) -> dict[str, Any]:
    words = [cue for cue in audio.cues if cue.kind == "word"]
    sources = Counter(cue.source for cue in words)
    return {
        "output": str(out),
        "seconds": audio.duration,
        "words": len(words),
        "sources": dict(sources),
        "cues": len(audio.cues),
    }


def _human(data: dict[str, Any]) -> str:
    how = ", ".join(f"{count} {source}" for source, count in data["sources"].items())
    return f"{data['output']}: {data['words']} words ({how}) in {data['seconds']:.1f} s"
