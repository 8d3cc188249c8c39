"""Checkpoints that a stranger might send: each runs code if it is unpickled, and does no harm."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["bombs"]


class _Bomb:
    """Makes an empty file when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"open({str(self.canary)!r}, 'w').close()",)


def bombs(canary: Path, own: bytes) -> dict[str, bytes]:
    """Return checkpoints that create the file `canary` if they are unpickled, by what they are.

    Args:
        canary: the file.
        own: a good checkpoint of the provider's: where it is an archive, each member is replaced in turn.
    """
    bomb = _Bomb(canary)
    plain = {f"a pickle of protocol {protocol}": pickle.dumps(bomb, protocol) for protocol in (0, 2, 4)}
    pickled = pickle.dumps({"state_dict": bomb})
    array = _saved(bomb)
    return {
        **plain,
        "a compressed pickle": gzip.compress(pickled),
        "a PyTorch archive": _archive({"archive/data.pkl": pickled, "archive/version": b"3\n"}),
        "a NumPy array of objects": array,
        "a NumPy archive of objects": _archive({"weights.npy": array, "arr_0.npy": array}),
        "its own checkpoint with a pickle in front": pickled + own,
        **_armed(own, array, pickled),
    }


def _saved(bomb: _Bomb) -> bytes:
    held = np.empty(1, object)
    held[0] = bomb
    out = io.BytesIO()
    np.save(out, held, allow_pickle=True)
    return out.getvalue()


def _archive(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def _armed(own: bytes, array: bytes, pickled: bytes) -> dict[str, bytes]:
    """Return `own`, an archive, with each member replaced by a bomb of its kind."""
    if not zipfile.is_zipfile(io.BytesIO(own)):
        return {}
    with zipfile.ZipFile(io.BytesIO(own)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return {
        f"its own archive with a bomb for {name!r}": _archive(
            {**members, name: array if name.endswith(".npy") else pickled}
        )
        for name in members
    }
