"""Laws: what is written is read again; any bytes end in an asset or a FormatError."""

from __future__ import annotations

import tempfile
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinetoscope_bvh.importer import BvhImporter
from kinetoscope_spec import Asset, ConfigError, FormatError, Motion, Skeleton, ValidationError

ORDERS = ["".join(order) for order in permutations("xyz")]
names = st.text(
    st.characters(exclude_characters="{\0\r\n", exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc")),
    min_size=1,
    max_size=12,
)
metres = st.floats(-3, 3, width=32)


@st.composite
def assets(draw: st.DrawFn, dtype: type = np.float32) -> Asset:
    """Skeletons of one root, any shape, and motions that turn, move and scale some joints."""
    count = draw(st.integers(1, 8))
    called = draw(st.lists(names, min_size=count, max_size=count, unique=True))
    parents = np.array([-1] + [draw(st.integers(0, joint - 1)) for joint in range(1, count)])
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    frames = draw(st.integers(1, 6))
    skeleton = Skeleton(tuple(called), parents, rng.normal(size=(count, 3)))
    rotations = Rotation.random(frames * count, rng=rng).as_quat().reshape(frames, count, 4)
    still = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    rotations[:, still] = [0, 0, 0, 1]
    moves = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    positions = np.where(moves[:, None], rng.normal(size=(frames, count, 3)), skeleton.rest_positions)
    scales = rng.uniform(0.5, 2, size=(frames, count, 3)).astype(dtype) if draw(st.booleans()) else None
    rate = draw(st.sampled_from([24.0, 30.0, 60.0, 120.0, 29.97, 1000 / 7]))
    motion = Motion(skeleton, positions.astype(dtype), rotations.astype(dtype), rate, "clip", scales=scales)
    return Asset("clip", skeleton, (motion,))


def again(asset: Asset, unit: float, **options: object) -> Asset:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.bvh"
        BvhImporter().write(asset, path, unit=unit, **options)  # type: ignore[arg-type]
        assert [*Path(folder).iterdir()] == [path]
        return BvhImporter().read(path, unit=unit)


def apart(a: Motion, b: Motion) -> float:
    """The largest difference of positions (m), directions and scales between two motions."""
    here = [b.skeleton.index(name) for name in a.skeleton.names]
    turns = (
        Rotation.from_quat(a.rotations.reshape(-1, 4))
        * Rotation.from_quat(b.rotations[:, here].reshape(-1, 4)).inv()
    )
    scales = 0.0
    if a.scales is not None or b.scales is not None:
        one = np.ones_like(a.positions)
        ours, theirs = (
            one if s is None else s for s in (a.scales, None if b.scales is None else b.scales[:, here])
        )
        scales = np.abs(ours - theirs).max()
    return max(np.abs(a.positions - b.positions[:, here]).max(), turns.magnitude().max(), scales)


@given(assets(), st.sampled_from([1.0, 0.01, 0.0254]), st.none() | st.sampled_from(ORDERS))
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_again(asset: Asset, unit: float, order: str | None) -> None:
    found = again(asset, unit, order=order)
    assert set(found.skeleton.names) == set(asset.skeleton.names)
    for joint, name in enumerate(asset.skeleton.names):
        parent = asset.skeleton.parents[joint]
        other = found.skeleton.index(name)
        wanted = None if parent < 0 else asset.skeleton.names[parent]
        above = found.skeleton.parents[other]
        assert (None if above < 0 else found.skeleton.names[above]) == wanted
        np.testing.assert_allclose(
            found.skeleton.rest_positions[other], asset.skeleton.rest_positions[joint], rtol=1e-8, atol=1e-10
        )
    assert apart(asset.motions[0], found.motions[0]) < 2e-6
    assert found.motions[0].framerate == pytest.approx(asset.motions[0].framerate, rel=1e-12)


def turns(channels: tuple[str, ...]) -> str:
    return "".join(name[0].lower() for name in channels if name.endswith("rotation"))


@given(assets(), st.sampled_from(ORDERS))
@settings(max_examples=50, deadline=None)
def test_the_order_asked_for_is_the_order_written(asset: Asset, order: str) -> None:
    for channels in again(asset, 1.0, order=order).metadata["channels"].values():
        assert turns(channels) == order


@given(assets(), st.dictionaries(st.integers(0, 7), st.sampled_from(ORDERS), max_size=8))
@settings(max_examples=50, deadline=None)
def test_an_order_by_name_is_that_joints_alone(asset: Asset, orders: dict[int, str]) -> None:
    first = again(asset, 1.0, order="yzx")
    wanted = {name: orders[j] for j, name in enumerate(first.skeleton.names) if j in orders}
    second = again(first, 1.0, order=wanted)
    for name, channels in second.metadata["channels"].items():
        before = first.metadata["channels"][name]
        assert turns(channels) == wanted.get(name, "yzx")
        assert [c for c in channels if "rotation" not in c] == [c for c in before if "rotation" not in c]
    assert apart(first.motions[0], second.motions[0]) < 2e-6


@given(assets())
@settings(max_examples=50, deadline=None)
def test_writing_what_was_read_changes_nothing_any_more(asset: Asset) -> None:
    with tempfile.TemporaryDirectory() as folder:
        importer, path = BvhImporter(), Path(folder) / "clip.bvh"
        importer.write(asset, path, unit=0.01)
        first = importer.read(path, unit=0.01)
        importer.write(first, path)
        second = importer.read(path, unit=0.01)
    assert second.skeleton.names == first.skeleton.names
    assert second.metadata["channels"] == first.metadata["channels"]
    assert second.metadata["end_sites"].keys() == first.metadata["end_sites"].keys()
    assert apart(first.motions[0], second.motions[0]) < 2e-6


def channel_lists() -> st.SearchStrategy[tuple[str, ...]]:
    axes = st.permutations("XYZ").flatmap(lambda p: st.integers(0, 3).map(lambda n: p[:n]))
    kinds = st.permutations(["position", "rotation", "scale"])
    return st.tuples(kinds, axes, axes, axes).map(
        lambda t: tuple(f"{axis}{kind}" for kind, chosen in zip(t[0], t[1:], strict=True) for axis in chosen)
    )


@given(st.lists(channel_lists(), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_any_mixture_of_channels_survives_a_round_trip(channels: list[tuple[str, ...]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    opened = "".join(
        f"{'JOINT' if i else 'ROOT'} j{i}\n{{\nOFFSET {i} 1 2\nCHANNELS {len(c)} {' '.join(c)}\n"
        for i, c in enumerate(channels)
    )
    columns = sum(map(len, channels))
    rows = (
        "\n".join(" ".join(f"{x:.4f}" for x in rng.uniform(0.5, 80, columns)) for _ in range(3))
        if columns
        else ""
    )
    content = f"HIERARCHY\n{opened}{'}' * len(channels)}\nMOTION\nFrames: {3 if columns else 0}\nFrame Time: 0.04\n{rows}\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.bvh"
        path.write_text(content)
        first = BvhImporter().read(path, unit=0.01)
        BvhImporter().write(first, path)
        second = BvhImporter().read(path, unit=0.01)
    assert second.skeleton == first.skeleton
    assert second.metadata == first.metadata
    assert not columns or apart(first.motions[0], second.motions[0]) < 2e-5


def assert_total(path: Path) -> None:
    """Read `path`: whatever is in it, only a FormatError that names file and line may come out."""
    error = None
    try:
        asset = BvhImporter().read(path)
    except FormatError as raised:
        error = raised
    else:
        assert asset.skeleton.names
    if error is not None:
        assert str(path) in str(error)
        assert error.line is not None


@given(
    st.binary(max_size=300)
    | st.binary(max_size=300).map(lambda b: b"HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\n" + b)
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_end_in_an_asset_or_a_format_error(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.bvh"
        path.write_bytes(data)
        assert_total(path)


WORDS = str.split(
    "HIERARCHY ROOT JOINT End Site { } OFFSET CHANNELS MOTION Frames: Frame Time: 0 1 2 3 -4.5 1e3 nan 0.04 "
    "Xposition Yrotation Zscale hip \n",
    " ",
)


@given(st.lists(st.sampled_from(WORDS), max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_words_of_the_format_end_in_an_asset_or_a_format_error(words: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.bvh"
        path.write_text("HIERARCHY ROOT a { OFFSET 0 0 0 CHANNELS 1 Yrotation " + " ".join(words))
        assert_total(path)


def two_roots() -> Asset:
    return Asset("two", Skeleton(("a", "b"), np.array([-1, -1]), np.zeros((2, 3))))


@pytest.mark.parametrize("name", ["a\nb", "a{", " a", "a\0"])
def test_what_a_file_cannot_hold_is_refused_and_nothing_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / "clip.bvh"
    with pytest.raises(ValidationError, match="roots"):
        BvhImporter().write(two_roots(), path)
    with pytest.raises(ValidationError, match="name"):
        BvhImporter().write(Asset("x", Skeleton((name,), np.array([-1]), np.zeros((1, 3)))), path)
    assert not path.exists()
    assert [*tmp_path.iterdir()] == []


def one() -> Asset:
    skeleton = Skeleton(("a",), np.array([-1]), np.zeros((1, 3)))
    return Asset(
        "x", skeleton, (Motion(skeleton, np.zeros((2, 1, 3)), np.array([[[0, 0, 0, 1.0]]] * 2), 30),)
    )


@pytest.mark.parametrize(
    "options", [{"order": "xyx"}, {"order": {"a": "q"}}, {"unit": 0}, {"motion": 1}, {"motion": -2}]
)
def test_wrong_options(tmp_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        BvhImporter().write(one(), tmp_path / "clip.bvh", **options)  # type: ignore[arg-type]
    assert [*tmp_path.iterdir()] == []


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clip.bvh"
    path.write_text("old")

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        BvhImporter().write(one(), path)
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_a_skeleton_alone(tmp_path: Path) -> None:
    path = tmp_path / "clip.bvh"
    BvhImporter().write(one(), path, motion=None)
    assert BvhImporter().read(path).motions == ()
