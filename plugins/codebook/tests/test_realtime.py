"""Prediction in real time, and gradients through all of it."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import torch

from kinetoscope_codebook.model import Autoencoder, CodebookMatching, Fsq, Mlp, PeriodicAutoencoder, Vq
from kinetoscope_spec import Column, TrainingSet, kinematics, rotation
from kinetoscope_spec.errors import ValidationError

SMALL = {"hidden": 16, "batch": 64}
MODELS = {
    "codebook-matching": CodebookMatching(channels=4, classes=4, **SMALL),
    "mlp": Mlp(**SMALL),
    "autoencoder": Autoencoder(latent=3, **SMALL),
    "variational": Autoencoder(latent=3, variational=True, **SMALL),
    "vq": Vq(channels=2, classes=8, latent=2, **SMALL),
    "fsq": Fsq(channels=2, levels=(5, 4), **SMALL),
    "periodic": PeriodicAutoencoder(channels=2, **SMALL),
}


@pytest.fixture(scope="module", params=MODELS, ids=MODELS.keys())
def fitted(request, made):
    rows = made.sinusoids()[0] if request.param == "periodic" else made.smooth()
    return MODELS[request.param].fit(rows, budget={"steps": 60}), np.asarray(rows.inputs, np.float32)


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_an_engine_says_what_predict_says(fitted, engine, seed):
    one, x = fitted
    predictor = one.predictor(engine)
    scale = np.maximum(one.output_schema.deviation, 1.0)
    for rows in (x[:1], x[:100], x[:0]):
        found, expected = predictor.predict(rows, seed=seed), one.predict(rows, seed=seed)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found / scale, expected / scale, rtol=2e-5, atol=2e-5)


def test_a_predictor_names_what_it_refuses(fitted):
    one, x = fitted
    with pytest.raises(ValidationError, match=r"'tensorrt'.*'onnx'"):
        one.predictor("tensorrt")
    with pytest.raises(ValidationError, match=r"expected \[N, \d+\]"):
        one.predictor("torch").predict(x[:, 1:])


COMPILERS = ("g++", "c++", "clang++", "cl")
"""What `torch.compile` has a choice of, besides what the environment names."""


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("CXX") and not any(map(shutil.which, COMPILERS)),
    reason="torch.compile needs a C++ compiler, and there is none",
)
def test_a_compiled_network_says_the_same(made):
    one = MODELS["codebook-matching"].fit(made.smooth(), budget={"steps": 20})
    x = made.smooth().inputs[:64]
    found = one.predictor("compile").predict(x, seed=1)
    np.testing.assert_allclose(found, one.predict(x, seed=1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seed", [None, 3])
def test_tensors_predict_what_arrays_do(fitted, seed):
    one, x = fitted
    found = one.predict_tensor(torch.from_numpy(x[:50]), seed=seed)
    np.testing.assert_allclose(found.detach().numpy(), one.predict(x[:50], seed=seed), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["codebook-matching", "mlp", "autoencoder", "variational", "periodic"])
def test_gradients_are_those_of_finite_differences(name, made):
    rows = made.sinusoids(rows=64, frames=5)[0] if name == "periodic" else made.smooth(64)
    one = MODELS[name].fit(rows, budget={"steps": 10})
    x = torch.tensor(np.array(rows.inputs[:2]), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda given: one.predict_tensor(given, seed=1), (x,), eps=1e-6, atol=1e-4
    )
    assert one.network.input_mean.dtype == torch.float32


LEG = [[0.0, 0.9, 0.0], [0.0, -0.45, 0.0], [0.0, -0.42, 0.0], [0.0, 0.0, 0.15]]
PARENTS = [-1, 0, 1, 2]


def global_positions(rows):
    """Return where joints are, `[N, J, 3]` m, of rows `[N, J * 6]` of 6D rotations."""
    turns = rotation.from_6d(rows.reshape(len(rows), 4, 6))
    offsets = torch.as_tensor(LEG, dtype=rows.dtype).expand(len(rows), 4, 3)
    return kinematics.global_transforms(PARENTS, offsets, turns)[0]


def test_a_loss_on_global_positions_reaches_the_inputs():
    """Model, kinematics and loss in one graph: the inputs are found that put the toes where they should be."""
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (512, 2))
    angles = np.stack([0 * x[:, 0], x[:, 0], x[:, 1] + 1, 0 * x[:, 0]], axis=-1)
    quaternions = np.stack([np.sin(angles / 2), 0 * angles, 0 * angles, np.cos(angles / 2)], axis=-1)
    y = rotation.to_6d(quaternions).reshape(512, -1)
    schemas = ([Column("swing"), Column("bend")], x), ([Column(f"c{i}") for i in range(24)], y)
    rows = TrainingSet(x, y, *(TrainingSet.measured(c, v) for c, v in schemas))
    model = CodebookMatching(hidden=64, channels=8, classes=8, input_noise=0.0, drift_noise=0.0)
    fitted = model.fit(rows, budget={"steps": 600})

    given = torch.tensor([[-0.5, 0.5]], dtype=torch.float64, requires_grad=True)
    target = global_positions(fitted.predict_tensor(torch.tensor([[0.4, 0.2]], dtype=torch.float64))).detach()

    def loss():
        return ((global_positions(fitted.predict_tensor(given)) - target)[:, -1] ** 2).sum()

    before = loss()
    (gradient,) = torch.autograd.grad(before, given)
    for column in range(2):
        step = torch.zeros_like(given)
        step[0, column] = 1e-5
        with torch.no_grad():
            ahead, behind = (
                ((global_positions(fitted.predict_tensor(given + s)) - target)[:, -1] ** 2).sum()
                for s in (step, -step)
            )
        assert gradient[0, column] == pytest.approx(float((ahead - behind) / 2e-5), rel=1e-3, abs=1e-6)
    optimiser = torch.optim.Adam([given], lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert loss() < 0.02 * before
