"""Training sets on disk: windows are what features say, whoever built them and however they are read."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_features import feature as providers
from kinetoscope_features import frame, root
from kinetoscope_features.build import build, mirror_map, split
from kinetoscope_features.frame import computed_together
from kinetoscope_features.labels import Labels
from kinetoscope_features.mirror import Mirror
from kinetoscope_features.moments import Moments
from kinetoscope_features.recipe import read_recipe, recipe_of
from kinetoscope_features.report import counted
from kinetoscope_features.sources import Clips, Item
from kinetoscope_features.store import TrainingStore
from kinetoscope_spec import FormatError, Skeleton, rotation
from kinetoscope_spec.errors import Cancelled, ConfigError, ValidationError

SAID = {
    "framerate": 30,
    "mirror": True,
    "validation": 0.25,
    "inputs": [{"feature": "joint-positions"}, {"feature": "joint-rotations", "offsets_s": [-0.1, 0.0]},
               {"feature": "labels"}],
    "outputs": [{"feature": "joint-positions", "offsets_s": [0.1, 0.5]}, {"feature": "foot-contacts"}],
}  # fmt: skip


def find(name):
    from importlib import import_module

    (load,) = [provider.load for provider in providers() if provider.name == name]
    module, kind = load.split(":")
    return getattr(import_module(module), kind)()


@pytest.fixture(scope="module")
def clips(walkers):
    return [
        walkers.walk(speed=0.6 + 0.1 * i, turn_rate=0.1 * i, frames=70 + 11 * i, name=f"walk_{style}_{i:02}")
        for i, style in enumerate(["old", "old", "old", "old", "new", "new", "new", "new"])
    ]


@pytest.fixture(scope="module")
def built(clips, tmp_path_factory):
    out = tmp_path_factory.mktemp("sets") / "one"
    return out, build(Clips(clips), out, recipe_of(SAID), find)


def bytes_of(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def expected(clip, flags=()):
    """Inputs and outputs of all windows of `clip`, put together by hand."""
    p, r, f = (find(name).compute(clip) for name in ("joint-positions", "joint-rotations", "foot-contacts"))
    label = Labels(labels=("new", "old")).compute(clip)
    t = np.arange(3, clip.frame_count - 15)
    return (
        np.concatenate([p[t], r[t - 3], r[t], label[t]], axis=1),
        np.concatenate([p[t + 3], p[t + 15], f[t]], axis=1),
    )


@pytest.mark.parametrize("compiled", [False, None])
def test_windows_are_the_features_rows_and_mirrored_ones_those_of_the_mirrored_clip(clips, built, compiled):
    store = TrainingStore(built[0])
    names = store.metadata["clips"]
    for training in (True, False):
        count = store.count(training=training)
        clip_of = store.training_set(training=training).clips
        for mirrored in (False, True):
            flags = np.full(count, mirrored)
            inputs, outputs = store.windows(
                np.arange(count), mirrored=flags, training=training, compiled=compiled
            )
            for number in sorted(set(clip_of.tolist())):
                (clip,) = [clip for clip in clips if clip.name == names[number]]
                seen = attrs.evolve(Mirror.of([clip])(clip), name=clip.name) if mirrored else clip
                wanted = expected(seen)
                np.testing.assert_allclose(inputs[clip_of == number], wanted[0], atol=1e-5)
                np.testing.assert_allclose(outputs[clip_of == number], wanted[1], atol=1e-5)


def test_statistics_are_those_of_the_windows_for_training_seen_both_ways(built):
    store = TrainingStore(built[0])
    once = store.training_set(mirrored=True)
    for held, schema in ((once.inputs, once.input_schema), (once.outputs, once.output_schema)):
        rows = held.astype(np.float64)
        np.testing.assert_allclose(rows.mean(axis=0), schema.mean, atol=1e-6)
        deviation = rows.std(axis=0)
        np.testing.assert_allclose(np.where(deviation < 1e-4, 1.0, deviation), schema.deviation, atol=1e-6)
    inputs, _ = store.windows(np.arange(9), normalised=True)
    plain = (once.inputs[:9] - once.input_schema.mean) / once.input_schema.deviation
    np.testing.assert_allclose(inputs, plain, atol=1e-4)


def test_the_report_counts_and_clips_are_split_by_label(clips, built):
    out, report = built
    store = TrainingStore(out)
    assert report.windows == sum(clip.frame_count - 18 for clip in clips) == len(store) + report.validation
    assert report.columns == (len(store.input_schema), len(store.output_schema))
    assert (report.clips, report.failed, report.short) == (8, (), 0)
    assert any("unlabelled" in name for name in report.dead)
    names = store.metadata["clips"]
    kept = {names[i] for i in store.training_set(training=False).clips}
    assert sorted(name.split("_")[1] for name in kept) == ["new", "old"]
    assert not kept & {names[i] for i in store.training_set().clips}
    assert store.skeleton.names == clips[0].skeleton.names


def test_whoever_builds_it_and_after_whatever_stop_the_bytes_are_the_same(
    clips, built, tmp_path, monkeypatch
):
    monkeypatch.setattr("kinetoscope_features.build.ITEMS", 3)
    recipe, source = recipe_of(SAID), Clips(clips)
    build(source, tmp_path / "alone", recipe, find)
    with ThreadPoolExecutor(3) as threads:
        build(source, tmp_path / "many", recipe, find, executor=threads, workers=3)
    with pytest.raises(Cancelled):
        build(source, tmp_path / "stopped", recipe, find, progress=lambda done, *_: done < 2)
    with pytest.raises(FormatError, match="no training set"):
        TrainingStore(tmp_path / "stopped")
    kept = (tmp_path / "stopped" / "shard-00000.f32").stat().st_mtime_ns
    (tmp_path / "stopped" / "shard-00001.f32").write_bytes(b"torn")
    build(source, tmp_path / "stopped", recipe, find)
    assert bytes_of(tmp_path / "alone") == bytes_of(tmp_path / "many") == bytes_of(tmp_path / "stopped")
    assert (tmp_path / "stopped" / "shard-00000.f32").stat().st_mtime_ns == kept
    # In how many shards they lie, windows do not tell.
    for a, b in zip(TrainingStore(built[0]).windows(np.arange(40)),
                    TrainingStore(tmp_path / "alone").windows(np.arange(40)), strict=True):  # fmt: skip
        np.testing.assert_array_equal(a, b)
    fewer = Clips(clips[:2])
    build(fewer, tmp_path / "many", recipe, find)
    assert len(TrainingStore(tmp_path / "many").metadata["clips"]) == 2
    assert not (tmp_path / "many" / "shard-00002.f32").exists()


@pytest.mark.parametrize("size", [7, 64, 10_000])
def test_batches_bring_every_window_once_in_an_order_of_the_seed(built, size, monkeypatch):
    monkeypatch.setattr("kinetoscope_features.store.CHUNK", 16)
    monkeypatch.setattr("kinetoscope_features.store.POOL", 4)
    monkeypatch.setattr("kinetoscope_features.store.AHEAD", 50)
    store = TrainingStore(built[0])
    held = list(store.batches(size, seed=4, epoch=1))
    assert {len(x) for x, _ in held[:-1]} <= {size}
    order, flags = store.order(seed=4, epoch=1)
    assert sorted(order.tolist()) == list(range(len(store)))
    assert 0.4 < flags.mean() < 0.6
    truth = store.windows(order, mirrored=flags)
    for i in range(2):
        np.testing.assert_array_equal(np.concatenate([pair[i] for pair in held]), truth[i])
    assert not np.array_equal(order, store.order(seed=4, epoch=2)[0])
    assert np.abs(np.diff(order)).min() >= 1
    whole = list(store.batches(size, drop_last=True))
    assert len(whole) == len(store) // size


def test_torch_and_jax_get_the_same_batches(built):
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")
    store = TrainingStore(built[0])
    ours, theirs, third = (next(store.batches(16, library=library)) for library in ("numpy", "torch", "jax"))
    assert isinstance(theirs[0], torch.Tensor)
    assert isinstance(third[0], jax.Array)
    np.testing.assert_array_equal(ours[1], theirs[1].numpy())
    np.testing.assert_array_equal(ours[1], np.asarray(third[1]))
    loader = torch.utils.data.DataLoader(store.torch(), batch_size=32, shuffle=True)
    rows = torch.cat([inputs for inputs, _ in loader])
    assert rows.shape == (len(store), len(store.input_schema))
    one = store.torch()[5][0].numpy()
    plain, other = (store.windows(np.array([5]), mirrored=np.array([flag]))[0][0] for flag in (False, True))
    assert np.array_equal(one, plain) or np.array_equal(one, other)
    assert 0.4 < (store.torch()._hashed(np.arange(4000), 0) < 0.5).mean() < 0.6


@pytest.mark.parametrize("compiled", [False, True])
@settings(deadline=None)  # the first one compiles
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.floats(-1e4, 1e4))
def test_moments_of_pieces_are_those_of_all(compiled, seed, pieces, shift):
    if compiled:
        pytest.importorskip("numba")
    random = np.random.default_rng(seed)
    clips = [
        (shift + random.normal(size=(random.integers(12, 40), 3))).astype(np.float32) for _ in range(pieces)
    ]
    offsets = [-2, 0, 5]
    total = Moments.empty(3, 3)
    for rows in clips:
        total = total.merged(Moments.of(rows, 2, len(rows) - 5, offsets, compiled=compiled))
    for k, offset in enumerate(offsets):
        seen = np.concatenate([rows[2 + offset : len(rows) - 5 + offset] for rows in clips], dtype=np.float64)
        np.testing.assert_allclose(total.mean[k], seen.mean(axis=0), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(total.squares[k] / total.count, seen.var(axis=0), rtol=1e-6, atol=1e-9)
    assert total.count == sum(len(rows) - 7 for rows in clips)
    np.testing.assert_array_equal(total.low, np.concatenate(clips).min(axis=0))
    np.testing.assert_array_equal(total.high, np.concatenate(clips).max(axis=0))


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=40), st.floats(0, 0.9), st.integers(0, 9))
def test_the_split_takes_its_part_of_every_label(labels, part, seed):
    names = [f"clip_{label}_{i:03}" for i, label in enumerate(labels)]
    training = split(names, part, seed)
    assert abs(training.count(False) - part * len(names)) <= 0.5 + 1e-9
    for label in set(labels):
        kept = [not t for t, own in zip(training, labels, strict=True) if own == label]
        assert abs(sum(kept) - part * len(kept)) <= 1 + 1e-9


def test_rotations_of_axes_askew_are_stored_twice(clips, tmp_path):
    skeleton = clips[0].skeleton
    tilt = np.array(skeleton.rest_rotations)
    tilt[3] = rotation.from_axis_angle(np.array([0.0, 1.0, 1.0]) / np.sqrt(2), np.array(0.7))
    askew = Skeleton(skeleton.names, skeleton.parents, skeleton.rest_positions, tilt)
    each = find("joint-rotations")
    assert mirror_map(each, skeleton, len(each.schema(skeleton))) is not None
    assert mirror_map(each, askew, len(each.schema(askew))) is None
    tilted = [attrs.evolve(clip, skeleton=askew) for clip in clips]
    build(Clips(tilted), tmp_path / "askew", recipe_of(SAID), find)
    store = TrainingStore(tmp_path / "askew")
    count = len(store)
    plain, _ = store.windows(np.arange(count))
    other, _ = store.windows(np.arange(count), mirrored=np.ones(count, bool))
    columns = store.input_schema.where("joint_rotation_6d")[-84:]
    np.testing.assert_allclose(other[:, columns], each.mirrored(plain[:, columns], askew), atol=1e-5)


def test_features_computed_together_are_those_computed_alone(walkers):
    clip = walkers.walk(turn_rate=0.3, framerate=60.0)
    each = [find("joint-positions"), find("root-trajectory").configured(smoothing_s=0.0), Labels(),
            find("joint-velocities"), find("foot-phase").configured(framerate=30.0)]  # fmt: skip
    for feature, rows in zip(each, computed_together(each, clip), strict=True):
        np.testing.assert_array_equal(rows, feature.compute(clip))


def test_no_window_holds_what_a_clip_does_not_show(clips, tmp_path):
    trajectory = {
        "feature": "trajectory-window",
        "options": {"offsets_s": [-0.5, 0.99]},
        "offsets_s": [0.0, 0.1],
    }
    said = SAID | {"inputs": [{"feature": "joint-positions"}], "outputs": [trajectory], "mirror": False}
    report = build(Clips(clips), tmp_path / "ahead", recipe_of(said), find)
    # Half a second before, 30 frames (29.7) after the row that is 3 frames ahead.
    assert report.windows == sum(clip.frame_count - 15 - 33 for clip in clips)


def test_normalised_windows_have_mean_and_deviation_taken_off_by_either_way(built):
    store = TrainingStore(built[0])
    at, flags = store.order()
    plain = store.windows(at, mirrored=flags)
    ways = [store.windows(at, mirrored=flags, normalised=True, compiled=way) for way in (False, None)]
    for rows, schema, ours, theirs in zip(
        plain, (store.input_schema, store.output_schema), *ways, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
        # A mean of about 1 is rounded to 6e-8, and divided by deviations down to 1e-4.
        np.testing.assert_allclose(ours, (rows - schema.mean) / schema.deviation, rtol=1e-5, atol=1e-3)


TURNED = {
    "heading_jitter_deg": 10,
    "validation": 0.25,
    "inputs": [{"feature": f"joint-{what}"} for what in ("positions", "rotations", "velocities")]
    + [{"feature": "root-trajectory", "offsets_s": [0.0, 0.2]}, {"feature": "labels"}],
    "outputs": [{"feature": "trajectory-window", "options": {"offsets_s": [0.1, 0.3]}}, {"feature": "tracking-targets"},
                {"feature": "foot-phase"}, {"feature": "joint-angular-velocities"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def jittered(clips, tmp_path_factory):
    out = tmp_path_factory.mktemp("sets") / "turned"
    build(Clips(clips), out, recipe_of(TURNED), find)
    return TrainingStore(out)


def test_windows_of_a_turned_root_are_the_formulas_of_it(jittered, clips, monkeypatch):
    angle, count = 0.15, jittered.count()
    seen = jittered.windows(np.arange(count), turned=np.full(count, angle))
    plain = root.root_track
    elsewhere = lambda *given, **more: attrs.evolve(  # noqa: E731
        plain(*given, **more), yaw=plain(*given, **more).yaw + angle
    )
    monkeypatch.setattr(frame, "root_track", elsewhere)
    names, clip_of = jittered.metadata["clips"], jittered.training_set().clips
    for number in sorted(set(clip_of.tolist())):
        (clip,) = [clip for clip in clips if clip.name == names[number]]
        mine = clip_of == number
        for part, entries in zip(seen, (TURNED["inputs"][:4], TURNED["outputs"]), strict=True):
            columns = []
            for entry in entries:
                rows = find(entry["feature"]).configured(**entry.get("options", {})).compute(clip)
                for offset in entry.get("offsets_s", [0.0]):
                    start = round(offset * 30)
                    columns.append(rows[start : start + mine.sum()])
            wanted = np.concatenate(columns, axis=1)
            np.testing.assert_allclose(part[mine][:, : wanted.shape[1]], wanted, atol=2e-5)


def test_jitter_is_of_seed_and_epoch_and_for_training_only(jittered):
    def epoch(number, **more):
        return np.concatenate([x for x, _ in jittered.batches(64, epoch=number, **more)])

    np.testing.assert_array_equal(epoch(0), epoch(0))
    order = [jittered.order(epoch=number)[0] for number in (0, 1)]
    assert not np.allclose(epoch(0)[np.argsort(order[0])], epoch(1)[np.argsort(order[1])], atol=1e-3)
    untouched = jittered.windows(jittered.order(training=False)[0], training=False)[0]
    np.testing.assert_array_equal(epoch(0, training=False), untouched)
    mean, deviation = jittered.input_schema.mean, jittered.input_schema.deviation
    np.testing.assert_allclose(epoch(0, normalised=True), (epoch(0) - mean) / deviation, rtol=1e-4, atol=2e-3)
    angles = jittered._turned(1000, 0, 0)
    assert np.abs(angles).max() <= np.radians(10)
    assert np.abs(angles).max() > np.radians(9.8)
    pytest.importorskip("torch")
    one = jittered.torch(epoch=3)[7][0].numpy()
    np.testing.assert_array_equal(one, jittered.torch(epoch=3)[7][0].numpy())
    assert not np.allclose(one, jittered.windows([7])[0][0], atol=1e-4)


def test_workers_of_a_data_loader_read_what_one_process_reads(jittered):
    torch = pytest.importorskip("torch")
    windows = jittered.torch(seed=2, epoch=1)
    loader = torch.utils.data.DataLoader(
        windows, batch_size=100, num_workers=2, multiprocessing_context="spawn"
    )
    there = [torch.cat(parts).numpy() for parts in zip(*loader, strict=True)]
    here = windows.__getitems__(list(range(len(windows))))
    for side, rows in enumerate(there):
        np.testing.assert_array_equal(rows, torch.stack([window[side] for window in here]).numpy())


def test_what_does_not_turn_with_the_root_is_not_jittered(clips, tmp_path, built):
    said = TURNED | {"outputs": [{"feature": "periodic-phase"}]}
    with pytest.raises(ValidationError, match="PeriodicPhase: the column"):
        build(Clips(clips), tmp_path / "phase", recipe_of(said), find)
    with pytest.raises(IndexError, match="built without heading_jitter_deg"):
        TrainingStore(built[0]).windows([0], turned=np.zeros(1))


def test_warped_copies_are_quicker_and_belong_to_their_clip(clips, tmp_path):
    said = SAID | {"warps": [1.25], "inputs": [{"feature": "root-trajectory"}], "mirror": False}
    report = build(Clips(clips), tmp_path / "warped", recipe_of(said), find)
    assert report.clips == 16
    store = TrainingStore(tmp_path / "warped")
    held = store.training_set()
    names = store.metadata["clips"]
    speed = {names[i]: held.inputs[held.clips == i][:, 1].mean() for i in sorted(set(held.clips.tolist()))}
    for name in [name for name in speed if not name.endswith("-x1.25")]:
        assert speed[f"{name}-x1.25"] == pytest.approx(1.25 * speed[name], rel=0.02)


def test_what_is_wrong_with_one_clip_leaves_the_others(clips, walkers, tmp_path):
    other = Skeleton(["Hips", "Head"], [-1, 0], np.zeros((2, 3)))
    strange = attrs.evolve(clips[0], name="odd_01", skeleton=other, positions=np.zeros((80, 2, 3)),
                           rotations=np.tile([0.0, 0, 0, 1], (80, 2, 1)))  # fmt: skip
    short = walkers.walk(frames=10, name="short_01")
    report = build(Clips([*clips, strange, short]), tmp_path / "mixed", recipe_of(SAID), find)
    assert report.short == 1
    assert [name for name, _ in report.failed] == ["odd_01"]
    assert "another skeleton" in report.failed[0][1]
    with pytest.raises(ValidationError, match="no clip for training holds a window of 19 frames"):
        build(Clips([short]), tmp_path / "none", recipe_of(SAID), find)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(ValidationError, match="holds other things"):
        build(Clips(clips), tmp_path / "full", recipe_of(SAID), find)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"framrate": 3}, "did you mean 'framerate'"),
        ({"framerate": 0}, "framerate: 0 is no such number"),
        ({"validation": 1.0}, "validation"),
        ({"mirror": 1}, "expected true or false"),
        ({"inputs": []}, r"at least one \[\[inputs\]\]"),
        ({"outputs": [{"feature": "x", "offset": [0]}]}, "did you mean 'offsets_s'"),
        ({"outputs": [{"feature": "x", "offsets_s": ["a"]}]}, "offsets_s"),
        ({"outputs": [{}]}, "feature is None"),
        ({"warps": [0.0]}, "warps"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_wrong_recipe_is_told(change, problem):
    with pytest.raises(ConfigError, match=problem):
        recipe_of(SAID | change)


def test_recipes_are_read_from_toml(tmp_path):
    path = tmp_path / "features.toml"
    path.write_text(
        'mirror = true\n[[inputs]]\nfeature = "foot-phase"\noptions = { height_m = 0.02 }\n'
        '[[outputs]]\nfeature = "joint-positions"\noffsets_s = [0.5, 1]\n'
    )
    recipe = read_recipe(path)
    assert recipe.inputs[0].options == {"height_m": 0.02}
    assert recipe.frames(recipe.outputs[0]) == (15, 30)
    assert recipe.reach([find(entry.feature) for entry in recipe.entries]) == (0, 30)
    path.write_text("mirror = ")
    with pytest.raises(ConfigError, match=r"features\.toml"):
        read_recipe(path)


@pytest.mark.parametrize("damage", ["gone", "short", "json"])
def test_a_damaged_training_set_is_told(clips, tmp_path, damage):
    build(Clips(clips), tmp_path / "set", recipe_of(SAID), find)
    shard, record = tmp_path / "set" / "shard-00000.f32", tmp_path / "set" / "training.json"
    if damage == "gone":
        shard.unlink()
    elif damage == "short":
        shard.write_bytes(shard.read_bytes()[:-4])
    else:
        record.write_text(json.dumps({"format": 9}))
    with pytest.raises(FormatError, match=r"training\.json: no training set"):
        TrainingStore(tmp_path / "set")


def test_windows_that_are_not_there_are_refused(clips, built, tmp_path):
    store = TrainingStore(built[0])
    with pytest.raises(IndexError):
        store.windows(np.array([10**6]))
    build(Clips(clips), tmp_path / "plain", recipe_of(SAID | {"mirror": False}), find)
    plain = TrainingStore(tmp_path / "plain")
    with pytest.raises(IndexError, match="without mirror = true"):
        plain.windows(np.array([0]), mirrored=np.array([True]))
    assert not plain.order()[1].any()


def rows_of(out):
    store = TrainingStore(out)
    held = store.training_set()
    return {
        name: held.inputs[held.clips == i]
        for i, name in enumerate(store.metadata["clips"])
        if (held.clips == i).any()
    }


def test_what_a_file_named_by_an_option_says_is_part_of_what_a_shard_is_known_by(clips, tmp_path):
    """A table or terrain that changed under the same name is not taken from an earlier run's shards."""
    table, ground = tmp_path / "labels.csv", tmp_path / "ground.npz"
    said = SAID | {
        "validation": 0.0,
        "inputs": [
            {"feature": "labels", "options": {"table": str(table), "labels": ["a", "b"]}},
            {"feature": "terrain-height", "options": {"terrain": str(ground)}},
        ],
    }
    seen = []
    for turn, height in enumerate((0.0, 0.5)):
        lines = [f"{clip.name},{'ab'[(i + turn) % 2]}" for i, clip in enumerate(clips)]
        table.write_text("\n".join(["clip,label", *lines]))
        heights = np.zeros((60, 60))  # so many that NumPy's own repr leaves out the middle
        heights[11:40, ::2] = height
        np.savez(ground, heights=heights, origin=[-5.0, -5.0], spacing_m=0.5)
        build(Clips(clips), tmp_path / "set", recipe_of(said), find)
        seen.append(rows_of(tmp_path / "set"))
    for name, rows in seen[0].items():
        np.testing.assert_array_equal(seen[1][name][:, :2], rows[:, 1::-1])
    assert not any(rows[:, 3:].any() for rows in seen[0].values())
    assert all(rows[:, 3:].any() for rows in seen[1].values())


def test_labels_of_a_table_cross_processes_and_stratify_the_split(clips, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text(
        "\n".join(["clip,label", *(f"{clip.name},{'ab'[i % 2]}" for i, clip in enumerate(clips))])
    )
    there = pickle.loads(pickle.dumps(Labels(labels=("a", "b"), table=str(table))))
    np.testing.assert_array_equal(there.compute(clips[1])[0], [0, 1, 0])
    for seed in range(6):
        said = SAID | {"seed": seed, "inputs": [{"feature": "labels", "options": {"table": str(table)}}]}
        build(Clips(clips), tmp_path / "set", recipe_of(said), find)
        store = TrainingStore(tmp_path / "set")
        kept = sorted(store.metadata["labels"][i] for i in set(store.clip_numbers(training=False)))
        assert kept == ["a", "b"]


def test_warped_copies_count_for_the_label_of_their_clip(clips, tmp_path):
    build(Clips(clips), tmp_path / "set", recipe_of(SAID | {"warps": [0.9, 1.1]}), find)
    assert set(counted(TrainingStore(tmp_path / "set"))) == {"new", "old"}


def test_a_reader_outlives_a_build_into_the_same_folder(clips, tmp_path):
    """In a process of its own: what is mapped of a file that gets shorter ends a process by SIGBUS."""
    build(Clips(clips), tmp_path / "set", recipe_of(SAID), find)
    code = "import sys, numpy as np\nfrom kinetoscope_features.store import TrainingStore\n" \
           "store = TrainingStore(sys.argv[1])\nprint('open', flush=True)\nsys.stdin.readline()\n" \
           "print(store.windows(np.arange(len(store)))[0].sum(dtype=float))"  # fmt: skip
    wanted = float(TrainingStore(tmp_path / "set").training_set().inputs.sum(dtype=float))
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "set")], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:  # fmt: skip
        assert reader.stdout.readline() == "open\n"
        build(Clips([clip.slice(0, 40) for clip in clips]), tmp_path / "set", recipe_of(SAID), find)
        said, _ = reader.communicate("\n", timeout=60)
    assert reader.returncode == 0
    assert float(said) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda data: data["inputs"]["columns"][1].__setitem__(0, 10**10), "a column is none"),
        (lambda data: data["inputs"]["columns"][0].__setitem__(0, -1), "a column is none"),
        (lambda data: data["outputs"].update(signs=[[1.0], [1.0]]), "are not those of"),
        (lambda data: data["outputs"].update(pairs=[[0, 10**9]]), "pairs"),
        (lambda data: data["shards"][0]["clips"][0].__setitem__(3, 10**12), "none of the"),
        (lambda data: data["shards"][0]["clips"][0].__setitem__(2, -5), "none of the"),
        (lambda data: data["inputs"]["schema"].update(mean=[0.0]), "mean"),
        (lambda data: data.update(labels=["old"]), "labels for"),
    ],
)
def test_a_record_that_points_elsewhere_is_told_before_compiled_code_reads_it(built, tmp_path, edit, problem):
    copy = tmp_path / "set"
    shutil.copytree(built[0], copy)
    data = json.loads((copy / "training.json").read_text())
    edit(data)
    (copy / "training.json").write_text(json.dumps(data))
    with pytest.raises(FormatError, match=rf"training\.json: no training set: .*{problem}"):
        TrainingStore(copy)


@pytest.mark.parametrize("indices", [[-1], [0.5], [True, False], [[0, 1]], [10**6]])
def test_indices_that_mean_no_window_are_refused(built, indices):
    with pytest.raises(IndexError):
        TrainingStore(built[0]).windows(indices)


def test_what_can_not_be_built_says_where_and_why(clips, tmp_path):
    quick = {"feature": "joint-positions", "options": {"framerate": 60}}
    with pytest.raises(
        ValidationError, match=r"JointPositions gives 139 rows for the 70 frames .* to the recipe"
    ):
        build(Clips(clips), tmp_path / "quick", recipe_of(SAID | {"inputs": [quick]}), find)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValidationError, match="file is a file, expected a new folder"):
        build(Clips(clips), tmp_path / "file", recipe_of(SAID), find)

    class Unreadable:
        items = (Item("walk_01", ""),)

        def read(self, index):
            raise FormatError("it is torn", path="walk_01.bvh")

    with pytest.raises(ValidationError, match=r"no clip can be read.*walk_01: walk_01\.bvh: it is torn"):
        build(Unreadable(), tmp_path / "none", recipe_of(SAID), find)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"framerate": 1e12}, "framerate: .* below 1000"),
        ({"framerate": 10**400}, "framerate"),
        ({"warps": [1.0, 1e-9]}, "warps: 1: .* from 0.1"),
        ({"inputs": [{"feature": "x", "offsets_s": [1e308]}]}, r"inputs\[0\]\.offsets_s: 0"),
    ],
)
def test_a_recipe_that_no_memory_holds_is_refused(change, place):
    with pytest.raises(ConfigError, match=place):
        recipe_of(SAID | change)
