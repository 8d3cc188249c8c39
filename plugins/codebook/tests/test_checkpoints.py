"""Checkpoints: the same bits come back, and nothing else is ever loaded."""

from __future__ import annotations

import contextlib
import json
import pickle
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from kinetoscope_codebook.model import Autoencoder, CodebookMatching, Fsq, Mlp, PeriodicAutoencoder, Vq
from kinetoscope_spec import SPEC_VERSION, Column, Skeleton, TrainingSet
from kinetoscope_spec.errors import FormatError

MODELS = {
    "codebook-matching": CodebookMatching(hidden=8, channels=2, classes=3),
    "mlp": Mlp(hidden=8),
    "autoencoder": Autoencoder(hidden=8, latent=2),
    "variational": Autoencoder(hidden=8, latent=2, variational=True),
    "periodic": PeriodicAutoencoder(hidden=8, channels=2),
    "vq": Vq(hidden=8, channels=2, classes=3, latent=2),
    "fsq": Fsq(hidden=8, channels=2, levels=(4, 3)),
}


@pytest.fixture(scope="module", params=MODELS)
def saved(request, tmp_path_factory):
    x = np.random.default_rng(0).normal(size=(64, 3))
    # A window of three frames for the periodic one, three columns of one frame for all others.
    parts = [("x", 0.1 * i) if request.param == "periodic" else (a, 0.0) for i, a in enumerate("xyz")]
    schemas = (
        TrainingSet.measured([Column(n, "m", "Hips", a, at) for a, at in parts], x)
        for n in ("inner", "outer")
    )
    model = MODELS[request.param]
    skeleton = Skeleton(("Hips", "Leg"), (-1, 0), np.array([[0, 1.0, 0], [0, -0.5, 0]]))
    rows = TrainingSet(x, x**2, *schemas, skeleton=skeleton, metadata={"a": [1]})
    fitted = model.configured(licence="our own").fit(rows, budget={"steps": 5})
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    fitted.save(path)
    return model, fitted, path


def rewritten(path, target, change):
    """Write a copy of the checkpoint whose header `change` has altered."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header = change(header) or header
    text = json.dumps(header).encode()
    target.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])
    return target


def redescribed(change):
    def altered(header):
        about = json.loads(header["__metadata__"]["kinetoscope"])
        change(about)
        header["__metadata__"]["kinetoscope"] = json.dumps(about)

    return altered


def test_it_comes_back_bit_for_bit(saved):
    model, fitted, path = saved
    again = model.load(path)
    x = np.random.default_rng(1).normal(size=(10, 3))
    np.testing.assert_array_equal(again.predict(x), fitted.predict(x))
    np.testing.assert_array_equal(again.predict(x, seed=4), fitted.predict(x, seed=4))
    assert again.input_schema == fitted.input_schema
    assert again.output_schema == fitted.output_schema
    assert [dict(e) for e in again.losses] == [dict(e) for e in fitted.losses]
    assert again.perplexity == fitted.perplexity
    assert again.metadata == {"a": [1]}
    assert again.skeleton == fitted.skeleton != None  # noqa: E711 - both are values, and there is one
    again.save(path.with_name("again"))
    assert path.with_name("again").read_bytes() == path.read_bytes()


def test_it_is_safetensors_with_a_description(saved):
    _, _, path = saved
    with safe_open(path, "np") as file:
        about = json.loads(file.metadata()["kinetoscope"])
    assert about["spec"] == SPEC_VERSION
    assert about["training"]["rows"] == 64
    assert about["training"]["licence"] == "our own"
    assert len(about["training"]["data_sha256"]) == 64
    assert about["training"]["skeleton"]["names"] == ["Hips", "Leg"]
    assert about["input_schema"]["columns"][0] == ["inner", "m", "Hips", "x", 0.0]


def test_a_failed_save_leaves_nothing(saved, tmp_path, monkeypatch):
    _, fitted, _ = saved
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        fitted.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.pop("__metadata__") and None,
        lambda h: h.pop("output_mean") and None,
        lambda h: h.update(extra=h["output_mean"]),
        lambda h: h["output_mean"].update(shape=[1, 1]),
        lambda h: h["output_mean"].update(dtype="F64"),
        lambda h: h["output_mean"].update(data_offsets=[0, 10**12]),
        lambda h: ["a", "list"],
        redescribed(lambda a: a.update(format="other/1")),
        redescribed(lambda a: a.pop("losses")),
        redescribed(lambda a: a.update(metadata=3)),
        redescribed(lambda a: a["architecture"].update(hidden=10**9)),
        redescribed(lambda a: a["architecture"].update(hidden="8")),
        redescribed(lambda a: a["architecture"].update(hidden=16)),
        redescribed(lambda a: a["architecture"].update(kind="pickle")),
        redescribed(lambda a: a["architecture"].update(surprise=1)),
        redescribed(lambda a: a.update(architecture=[1])),
        redescribed(lambda a: a["input_schema"].update(columns=[["x"]])),
        redescribed(lambda a: a["output_schema"].update(deviation=[0, 0, 0])),
        redescribed(lambda a: a.update(input_schema=7)),
        redescribed(lambda a: a.update(losses=[1, 2, "x"])),
        redescribed(lambda a: a.update(losses=[{"step": "x"}])),
        redescribed(lambda a: a.update(losses=[{"step": True}])),
        redescribed(lambda a: a.update(losses=[{"step": 10**400}])),
        redescribed(lambda a: a.update(perplexity=True)),
        redescribed(lambda a: a.update(perplexity=-1)),
        redescribed(lambda a: a["training"].update(skeleton={"names": ["a"], "parents": [3]})),
        redescribed(lambda a: a["training"].update(skeleton=[])),
        redescribed(lambda a: a["training"].update(perplexities=["x"])),
        redescribed(lambda a: a["architecture"].update(window=0)),
        redescribed(lambda a: a["architecture"].update(window_s=0)),
        redescribed(lambda a: a["architecture"].update(levels=[2])),
        redescribed(lambda a: a["architecture"].update(levels=3)),
        redescribed(lambda a: a["architecture"].update(refinements=65)),
        redescribed(lambda a: a["architecture"].update(refinements=65_536)),
    ],
)
def test_whatever_is_wrong_is_a_format_error_that_names_the_file(saved, tmp_path, change):
    model, _, path = saved
    with pytest.raises(FormatError, match=r"bad\.safetensors"):
        model.load(rewritten(path, tmp_path / "bad.safetensors", change))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"abc",
        b"\xff" * 64,
        struct.pack("<Q", 2**40) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 100_000) + b"[" * 100_000,
        struct.pack("<Q", 3) + b"NaN",
        pickle.dumps({"a": 1}),
    ],
    ids=["empty", "short", "ff", "huge header", "no header", "deep", "nan", "pickle"],
)
def test_other_bytes_are_a_format_error(tmp_path, data):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"bad\.safetensors"):
        Mlp().load(path)


def test_a_number_beyond_all_floats_is_refused(saved, tmp_path):
    model, _, path = saved
    bad = tmp_path / "bad.safetensors"
    rewritten(path, bad, redescribed(lambda a: a.update(metadata={"x": 12345.678})))
    assert model.load(bad).metadata == {"x": 12345.678}
    # JSON has no infinity, but Python reads one out of too great an exponent.
    bad.write_bytes(bad.read_bytes().replace(b"12345.678", b"1e9999999"))
    with pytest.raises(FormatError, match=r"bad\.safetensors.*too large"):
        model.load(bad)


def of_size(tensor, factor, signed):
    """Return numbers as large as `factor`; of both signs they cancel out where all inputs are alike."""
    signs = (-1.0) ** np.arange(tensor.size).reshape(tensor.shape) if signed else 1.0
    return (np.full(tensor.shape, factor) * signs).astype(np.float32)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("factor", [1e30, 3e38])
def test_weights_that_cannot_predict_are_refused(saved, tmp_path, factor, signed):
    model, _, path = saved
    bad = tmp_path / "bad.safetensors"
    for name, tensor in load_file(path).items():
        if not name.endswith("weight"):
            continue
        with safe_open(path, "np") as file:
            about = file.metadata()
        save_file({**load_file(path), name: of_size(tensor, factor, signed)}, bad, about)
        with np.errstate(over="ignore"), contextlib.suppress(FormatError):
            predicted = model.load(bad).predict(np.random.default_rng(1).normal(size=(10, 3)))
            # What loads can predict: nothing it computes leaves float32.
            assert np.isfinite(predicted).all(), name
    save_file(
        {
            n: abs(t) if n == "input_deviation" else of_size(t, factor, signed)
            for n, t in load_file(path).items()
        },
        bad,
        about,
    )
    with pytest.raises(FormatError, match=r"bad\.safetensors.*not finite"):
        model.load(bad)


def test_a_deviation_of_zero_is_refused(saved, tmp_path):
    model, _, path = saved
    with safe_open(path, "np") as file:
        about = file.metadata()
    tensors = load_file(path)
    save_file({**tensors, "input_deviation": 0 * tensors["input_deviation"]}, tmp_path / "bad", about)
    with pytest.raises(FormatError, match="input_deviation"):
        model.load(tmp_path / "bad")


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_cut_or_changed_files_load_or_end_in_a_format_error(saved, data):
    model, _, path = saved
    whole = path.read_bytes()
    broken = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    if broken and data.draw(st.booleans()):
        broken = bytearray(whole)
        broken[data.draw(st.integers(0, len(broken) - 1))] ^= data.draw(st.integers(1, 255))
    target = path.with_name("broken.safetensors")
    target.write_bytes(bytes(broken))
    # The only error there may be; a changed weight or loss still loads.
    with contextlib.suppress(FormatError):
        model.load(target)


def test_missing_files_and_folders_are_os_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        Mlp().load(tmp_path / "none")
    with pytest.raises(OSError):
        Mlp().load(tmp_path)


def test_a_weight_that_is_not_finite_is_refused(saved, tmp_path):
    model, _, path = saved
    data = bytearray(path.read_bytes())
    data[-4:] = struct.pack("<f", float("nan"))
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(bytes(data))
    with pytest.raises(FormatError, match="not finite"):
        model.load(bad)
