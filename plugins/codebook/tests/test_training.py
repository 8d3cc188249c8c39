"""The training loop: unbroken or taken up, in one process or two, whole or in pieces, it is one training."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from kinetoscope_codebook.model import Autoencoder, CodebookMatching, Mlp, Vq
from kinetoscope_codebook.optimisers import averaged
from kinetoscope_spec.errors import Cancelled, FormatError, ValidationError

SMALL = {"hidden": 16, "batch": 32, "accelerator": "cpu"}
MODELS = {
    "codebook-matching": CodebookMatching(channels=4, classes=4, dropout=0.1, ema=0.9, **SMALL),
    "mlp": Mlp(optimiser="SGD", optimiser_options={"momentum": 0.9}, scheduler="StepLR",
               scheduler_options={"step_size": 7, "gamma": 0.7}, **SMALL),
    "variational": Autoencoder(latent=3, variational=True, patience=200, validation=0.3, **SMALL),
    "vq": Vq(channels=2, classes=8, latent=2, **SMALL),
}  # fmt: skip
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())


def weights(fitted):
    return {name: tensor.numpy() for name, tensor in fitted.network.state_dict().items()}


def assert_equal_weights(a, b, tolerance=0.0):
    for name, value in weights(a).items():
        np.testing.assert_allclose(weights(b)[name], value, rtol=tolerance, atol=tolerance, err_msg=name)


@each_model
def test_a_training_taken_up_ends_as_an_unbroken_one(model, made, tmp_path):
    rows = made.smooth(clips=4)
    whole = model.fit(rows, seed=2, budget={"steps": 40})
    stopping = model.configured(checkpoint=tmp_path / "state", checkpoint_every=6)
    with pytest.raises(Cancelled):
        stopping.fit(rows, seed=2, budget={"steps": 40}, progress=lambda done, *_: done < 110)
    after = stopping.fit(rows, seed=2, budget={"steps": 40})
    assert [dict(entry) for entry in after.losses] == [dict(entry) for entry in whole.losses]
    assert_equal_weights(whole, after)
    # What is done stays done: nothing is left to train.
    told = []
    again = stopping.fit(rows, seed=2, budget={"steps": 40}, progress=lambda *now: told.append(now))
    assert len(told) == 1
    assert_equal_weights(whole, again)


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from conftest import smooth
from kinetoscope_codebook.model import CodebookMatching

def progress(done, total, message):
    if done >= 120:
        os.kill(os.getpid(), signal.SIGKILL)

model = CodebookMatching(
    hidden=16, batch=32, channels=4, classes=4, accelerator="cpu", checkpoint={state!r}, checkpoint_every=5
)
model.fit(smooth(), seed=1, budget={{"steps": 40}}, progress=progress)
"""


def run(command, **environment):
    """Run a command of few steps; nothing of a surrounding torchrun reaches it."""
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        check=False,
    )


def test_a_training_that_was_killed_goes_on_with_the_same_losses(made, tmp_path):
    state = str(tmp_path / "state")
    ended = run([sys.executable, "-c", KILLED.format(tests=str(Path(__file__).parent), state=state)])
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-2000:]
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    model = CodebookMatching(channels=4, classes=4, **SMALL)
    whole = model.fit(made.smooth(), seed=1, budget={"steps": 40})
    after = model.configured(checkpoint=state).fit(made.smooth(), seed=1, budget={"steps": 40})
    assert [dict(entry) for entry in after.losses] == [dict(entry) for entry in whole.losses]
    assert_equal_weights(whole, after)


TOGETHER = """
import sys
import torch.distributed
sys.path.insert(0, {tests!r})
from conftest import smooth
from kinetoscope_codebook.model import CodebookMatching

model = CodebookMatching(hidden=16, batch=33, channels=4, classes=4, accelerator="cpu")
fitted = model.fit(smooth(), seed=1, budget={{"steps": 20}})
assert torch.distributed.get_backend() == "gloo" and torch.distributed.get_world_size() == 2
if torch.distributed.get_rank() == 0:
    fitted.save({out!r})
torch.distributed.destroy_process_group()
"""


def test_two_processes_train_what_one_does(made, tmp_path):
    """Batches of 33 are shared 17 to 16, so the shares' weights are looked at too."""
    script, out = tmp_path / "together.py", tmp_path / "out.safetensors"
    script.write_text(TOGETHER.format(tests=str(Path(__file__).parent), out=str(out)))
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node=2",
        "--standalone",
        str(script),
    ]
    ended = run(command)
    assert ended.returncode == 0, ended.stderr[-2000:]
    model = CodebookMatching(channels=4, classes=4, hidden=16, batch=33, accelerator="cpu")
    one = model.fit(made.smooth(), seed=1, budget={"steps": 20})
    assert_equal_weights(one, model.load(out), 2e-4)
    for a, b in zip(one.losses, model.load(out).losses, strict=True):
        assert dict(a) == pytest.approx(dict(b), rel=1e-4)


@each_model
def test_a_batch_in_pieces_is_a_batch(model, made):
    whole = model.configured(dropout=0.0, batch=31)
    one = whole.fit(made.smooth(clips=4), budget={"steps": 12})
    pieces = whole.configured(accumulate=4).fit(made.smooth(clips=4), budget={"steps": 12})
    assert_equal_weights(one, pieces, 2e-4)
    for a, b in zip(one.losses, pieces.losses, strict=True):
        assert dict(a) == pytest.approx(dict(b), rel=1e-4)


def test_every_row_comes_once_before_any_comes_again(made, monkeypatch):
    rows, seen = made.smooth(96), []
    from kinetoscope_codebook.task import Task

    inner = Task.losses
    monkeypatch.setattr(
        Task, "losses", lambda self, x, z, n: (seen.append(z.clone()), inner(self, x, z, n))[1]
    )
    Mlp(**SMALL).fit(rows, budget={"epochs": 2})
    assert len(seen) == 6
    for epoch in (seen[:3], seen[3:]):
        assert len(np.unique(torch.cat(epoch).numpy(), axis=0)) == 96
    assert not torch.equal(seen[0], seen[3])


def test_clips_that_are_held_out_are_not_learned_from(made, monkeypatch):
    rows = made.smooth(100, clips=5)
    from kinetoscope_codebook.task import Task

    seen, inner = [], Task.losses

    def watched(self, x, z, noise):
        seen.append((self.network.training, len(x), z.clone()))
        return inner(self, x, z, noise)

    monkeypatch.setattr(Task, "losses", watched)
    fitted = Mlp(hidden=8, batch=20, validation=0.2, patience=1, input_noise=0, drift_noise=0).fit(
        rows, budget={"epochs": 3}
    )
    learned = np.unique(torch.cat([z for training, _, z in seen if training]).numpy(), axis=0)
    held = np.unique(torch.cat([z for training, _, z in seen if not training]).numpy(), axis=0)
    assert (len(learned), len(held)) == (80, 20)
    assert len(np.unique(np.concatenate([learned, held]), axis=0)) == 100
    assert all("validation" in entry for entry in fitted.losses)


def test_training_stops_early_and_keeps_the_best_weights(made):
    """A learning rate that is far too high: after the lowest loss come only higher ones."""
    model = Mlp(
        hidden=16,
        batch=16,
        rate=0.2,
        scheduler="ConstantLR",
        scheduler_options={"factor": 1.0},
        patience=5,
    )
    stopped = model.fit(made.smooth(), budget={"steps": 200})
    totals = [entry["total"] for entry in stopped.losses]
    best = int(np.argmin(totals))
    assert len(totals) == best + 6 < 200
    assert_equal_weights(model.configured(patience=0).fit(made.smooth(), budget={"steps": best + 1}), stopped)


def test_a_training_that_diverges_says_so(made):
    wild = Mlp(hidden=16, batch=16, rate=100.0, optimiser="SGD", clip=0)
    with pytest.raises(ValidationError, match=r"diverged at step \d+.*'rate'"):
        wild.fit(made.smooth(), budget={"steps": 100})


@given(decay=st.floats(0, 0.999), steps=st.integers(1, 30))
@settings(deadline=None)
def test_the_moving_average_of_what_does_not_move_is_that(decay, steps):
    layer = torch.nn.Linear(2, 2)
    average = {name: torch.zeros_like(w) for name, w in layer.named_parameters()}
    for step in range(steps):
        averaged(average, layer, decay, step)
    # By hand: the share of the start that is left.
    left = np.prod([min(decay, (1 + s) / (10 + s)) for s in range(steps)])
    for name, weight in layer.named_parameters():
        np.testing.assert_allclose(average[name], (1 - left) * weight.detach(), rtol=1e-4, atol=1e-6)


def test_the_average_is_what_predicts(made):
    plain, smoothed = (Mlp(ema=ema, **SMALL).fit(made.smooth(), budget={"steps": 30}) for ema in (0.0, 0.99))
    assert [dict(e) for e in plain.losses] == [dict(e) for e in smoothed.losses]
    assert not np.array_equal(plain.predict(made.smooth().inputs), smoothed.predict(made.smooth().inputs))


def test_half_precision_learns_too(made):
    rows = made.smooth()
    full, half = (
        Mlp(precision=p, **SMALL).fit(rows, budget={"steps": 100}) for p in ("32-true", "bf16-mixed")
    )
    assert half.losses[-1]["total"] == pytest.approx(full.losses[-1]["total"], rel=0.1)
    assert half.losses[-1]["total"] != full.losses[-1]["total"]


def test_logs_are_what_tensorboard_reads(made, tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    fitted = Mlp(logs=tmp_path, **SMALL).fit(made.smooth(), budget={"steps": 10})
    read = events.EventAccumulator(str(tmp_path)).Reload()
    logged = [(e.step, e.value) for e in read.Scalars("training/total")]
    assert logged == [(entry["step"], pytest.approx(entry["total"])) for entry in fitted.losses]
    assert read.Scalars("training/rate")[0].value == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimiser": "AdamV"}, "'AdamV'.*'Adam'"),
        ({"optimiser": "LBFGS"}, "LBFGS"),
        ({"optimiser_options": {"surprise": 1}}, "surprise"),
        ({"scheduler": "StepLr"}, "StepLR"),
        ({"scheduler": "StepLR"}, "step_size"),
        ({"accumulate": 64}, "64 pieces"),
        ({"validation": 0.5}, "one clip"),
    ],
)
def test_options_that_do_not_fit_are_named(options, message, made):
    with pytest.raises(ValidationError, match=message):
        Mlp(**SMALL, **options).fit(made.smooth(), budget={"steps": 2})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hiden": 8}, "'hiden'.*'hidden'"),
        ({"hidden": 0}, "hidden is 0"),
        ({"hidden": True}, "hidden"),
        ({"rate": float("nan")}, "rate"),
        ({"ema": 1.5}, "ema"),
        ({"precision": "8-bit"}, "precision"),
    ],
)
def test_unknown_options_and_values_are_named(options, message):
    with pytest.raises(ValidationError, match=message):
        Mlp().configured(**options)


@pytest.fixture(scope="module")
def state(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("training") / "state"
    model = Mlp(hidden=4, batch=32, accelerator="cpu", checkpoint=path)
    model.fit(made.smooth(), seed=1, budget={"steps": 6})
    return model, path, path.read_bytes()


def test_the_state_of_another_training_is_refused(state, made):
    model, _, _ = state
    for other, seed, steps in ((model, 2, 6), (model, 1, 7), (model.configured(rate=0.1), 1, 6)):
        with pytest.raises(ValidationError, match="another training"):
            other.fit(made.smooth(), seed=seed, budget={"steps": steps})
    with pytest.raises(ValidationError, match="another training"):
        model.fit(made.smooth(seed=5), seed=1, budget={"steps": 6})


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_damaged_state_is_taken_up_or_a_format_error(state, made, data):
    model, path, whole = state
    broken = bytearray(whole)
    if data.draw(st.booleans()):
        broken = broken[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        broken[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(broken))
    try:
        # The only errors there may be; a changed loss or weight is taken up.
        with contextlib.suppress(FormatError, ValidationError):
            assert np.isfinite(model.fit(made.smooth(), seed=1, budget={"steps": 6}).losses[-1]["total"])
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b'"step": 6', b'"step":-6'),
        (b'"counted": 0', b'"counted":-1'),
        (b'"optimiser/0/exp_avg":', b'"optimiser/1/exp_avg":'),
        (b'"F32","shape":[4]', b'"F16","shape":[8]'),
    ],
)
def test_a_state_that_does_not_fit_is_a_format_error(state, made, was, becomes):
    model, path, whole = state
    escaped = [text.replace(b'"', b'\\"') for text in (was, becomes)]
    broken = whole.replace(was, becomes, 1) if was in whole else whole.replace(*escaped, 1)
    assert broken != whole
    assert len(broken) == len(whole)
    path.write_bytes(broken)
    try:
        with pytest.raises(FormatError, match="state"):
            model.fit(made.smooth(), seed=1, budget={"steps": 6})
    finally:
        path.write_bytes(whole)


def test_the_state_is_safetensors(state):
    _, path, _ = state
    names = load_file(path)
    assert {"network/body.1.weight", "optimiser/0/exp_avg"} <= names.keys()
