"""Names, and bytes that pretend to be files."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

__all__ = ["file_bytes", "names"]

AWKWARD_NAMES = ("Hips", "Hüfte", "左足", "mixamorig:LeftArm", "a.b", "joint 1", "_", "Ω" * 40)


def names(*, exclude: str = "") -> st.SearchStrategy[str]:
    """Names of joints, meshes and clips: short, non-ASCII, long; without the characters `exclude`."""
    letters = st.text(
        st.characters(exclude_characters=exclude, exclude_categories=("C", "Z")), min_size=1, max_size=8
    )
    awkward = [name for name in AWKWARD_NAMES if not set(name) & set(exclude)]
    return st.one_of(letters, st.sampled_from(awkward)) if awkward else letters


@st.composite
def file_bytes(draw: st.DrawFn, samples: Sequence[bytes] = (), *, most: int = 512) -> bytes:
    """Bytes of a would-be file: random ones, or one of `samples` with some bytes changed.

    A change replaces, removes or repeats a run of at most 16 bytes.
    """
    if not samples or draw(st.integers(0, 3)) == 0:
        return draw(st.binary(max_size=most))
    data = bytearray(draw(st.sampled_from(list(samples))))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, max(len(data) - 1, 0)))
        size = draw(st.integers(0, 16))
        change = draw(st.sampled_from(("replace", "remove", "repeat")))
        if change == "replace":
            data[start : start + size] = draw(st.binary(min_size=size, max_size=size))
        elif change == "remove":
            del data[start : start + size]
        else:
            data[start:start] = data[start : start + size] * draw(st.sampled_from((1, 2, 50)))
    return bytes(data)
