"""Core's own commands: names and help, so that neither takes an import."""

from __future__ import annotations

from typing import Final

__all__ = ["CORE"]

CORE: Final = {
    "plugins": ("kinetoscope.cli.plugins", "List what is installed, from where, and its state."),
    "explain": ("kinetoscope.cli.explain", "Say which provider would be chosen, and why."),
    "config": ("kinetoscope.cli.config", "Show the settings in force and where each came from."),
    "doctor": ("kinetoscope.cli.doctor", "Check drivers, weights, keys and libraries."),
    "check": ("kinetoscope.cli.check", "Run the contracts of installed providers."),
    "new": ("kinetoscope.cli.new", "Begin a plugin: a distribution ready to publish."),
    "detect": ("kinetoscope.cli.detect", "Tell what files are, from their bytes."),
    "inspect": ("kinetoscope.cli.inspect", "Show what a motion or character file holds."),
    "convert": ("kinetoscope.cli.convert", "Convert files between formats."),
    "train": ("kinetoscope.cli.train", "Train a model on clips."),
    "export": ("kinetoscope.cli.export", "Write a trained model as ONNX."),
    "generate": ("kinetoscope.cli.generate", "Generate motion with a trained model."),
    "render": ("kinetoscope.cli.render", "Render a motion file to a film or a picture."),
    "speak": ("kinetoscope.cli.speak", "Speak a script, with captions and cues."),
    "voices": ("kinetoscope.cli.voices", "List voices and what they speak."),
    "tags": ("kinetoscope.cli.tags", "List the audio tags of scripts, and what voices make of them."),
    "shot": ("kinetoscope.cli.shot", "Begin, check and plan shots."),
    "shoot": ("kinetoscope.cli.shoot", "Run a shot from its description to its film."),
    "cache": ("kinetoscope.cli.cache", "List and clear what shots keep for later."),
}
"""Core's commands: where each lives (attribute `command`) and its line in `--help`."""
