"""What may be uploaded: the host's gate, held strictly, and the kinds of files that shots are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import attrs

from kinetoscope_serve.limits import Refused
from kinetoscope_spec.errors import FormatError

__all__ = ["admit", "allowed"]

WORDS: Final = ("txt", "toml", "json", "xml", "yaml", "markdown", "csv", "ini")
"""Scripts, cameras and shot files, and what a detector takes short ones for."""


def allowed(host: Any) -> frozenset[str]:
    """Return the labels that something here reads."""
    known = {
        label
        for hook in ("importer", "media")
        if hook in host.hooks()
        for info in host.providers(hook)
        if info.provider is not None
        for label in info.provider.reads
    }
    return frozenset(known.union(WORDS))


def admit(host: Any, files: dict[str, Path]) -> None:
    """Refuse files that are not what their names say, that raise an alarm, or that no shot is made of.

    Whatever the configuration's `gate.policy` is, here it is `strict`; all else it says holds, too.

    Raises:
        Refused: names each file, and why.
    """
    gate = attrs.evolve(host.config.gate, policy="strict")
    labels, table = allowed(host), host.extensions()
    refused = {}
    for name, path in files.items():
        try:
            detection = host.detect(path)
        except FormatError as error:
            refused[name] = str(error).replace(str(path), name)
            continue
        reasons = list(gate.doubts(detection, path, table))
        if blocked := gate.refusal(detection, path.stat().st_size):
            reasons.append(blocked)
        if not reasons and detection.label not in labels:
            reasons.append(f"is {detection.label}, which no shot is made of")
        if reasons:
            refused[name] = "; ".join(reasons)
    if refused:
        lines = "; ".join(f"{name} {why}" for name, why in refused.items())
        raise Refused(422, f"not let in: {lines}", refused=refused)
