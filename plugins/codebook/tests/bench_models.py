"""Predicting and training, beside the same network in plain PyTorch in the same run. CPU seconds."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from kinetoscope_codebook.model import CodebookMatching
from kinetoscope_spec import Column, TrainingSet

pytestmark = pytest.mark.bench

INPUTS, OUTPUTS, HIDDEN, CHANNELS, CLASSES, COMPONENTS, BATCH = 305, 1340, 256, 32, 8, 256, 128
"""The sizes of locomotion on 21 joints, and of the model as it comes."""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    x = random.normal(size=(4096, INPUTS)).astype(np.float32)
    y = np.tanh(x @ random.normal(size=(INPUTS, OUTPUTS)).astype(np.float32) / 10)
    schemas = ([Column("x")] * INPUTS, x), ([Column("y")] * OUTPUTS, y)
    return TrainingSet(x, y, *(TrainingSet.measured(c, v) for c, v in schemas))


@pytest.fixture(scope="module")
def fitted(rows):
    return CodebookMatching().fit(rows, budget={"steps": 1})


def layers(inputs, outputs):
    return nn.Sequential(
        nn.Linear(inputs, HIDDEN), nn.ELU(), nn.Linear(HIDDEN, HIDDEN), nn.ELU(), nn.Linear(HIDDEN, outputs)
    )


class Plain(nn.Module):
    """Codebook matching as one would write it down: what a practitioner has without Kinetoscope."""

    def __init__(self):
        super().__init__()
        codes = CHANNELS * CLASSES
        self.encoder, self.decoder = layers(COMPONENTS, codes), layers(codes, COMPONENTS)
        self.estimator, self.denoiser = layers(INPUTS, codes), layers(codes + INPUTS, codes)
        self.output = nn.Linear(COMPONENTS, OUTPUTS)
        self.register_buffer("mean", torch.zeros(INPUTS))
        self.register_buffer("deviation", torch.ones(INPUTS))

    def softmax(self, logits, noise=None):
        logits = logits.reshape(-1, CHANNELS, CLASSES)
        return (logits if noise is None else logits + noise).softmax(-1).flatten(1)

    def forward(self, x):
        x = (x - self.mean) / self.deviation
        codes = self.softmax(self.estimator(x))
        for _ in range(3):
            codes = self.softmax(self.denoiser(torch.cat([codes, x], -1)))
        return self.output(self.decoder(codes))

    def loss(self, x, z):
        def gumbel():
            return -torch.log(-torch.log(torch.rand(len(x), CHANNELS, CLASSES).clamp(1e-10, 1 - 1e-7)))

        x = x + 0.05 * torch.randn_like(x) + 0.05 * torch.randn(len(x), 1) * (x.flip(0) - x)
        logits, estimated = self.encoder(z), self.estimator(x)
        truth, guess = self.softmax(logits), self.softmax(estimated)
        share = torch.rand(len(x), 1)
        seeds = ((1 - share) * truth + share * self.softmax(estimated, gumbel())).detach()
        refined = self.softmax(self.denoiser(torch.cat([seeds, x], -1)))
        drawn = self.softmax(logits, gumbel())
        decoded = (self.decoder(codes) for codes in (drawn, guess, refined))
        errors = sum(functional.mse_loss(one, z) for one in decoded)
        return errors + CLASSES * (functional.mse_loss(guess, truth) + functional.mse_loss(refined, truth))


def alternating(ours, theirs, rounds=7):
    """Return the least CPU seconds of each, measured in turns."""
    best = [np.inf, np.inf]
    for work in (ours, theirs):
        work()
    for _ in range(rounds):
        for i, work in enumerate((ours, theirs)):
            start = process_time()
            work()
            best[i] = min(best[i], process_time() - start)
    return best


@pytest.mark.parametrize("crowd", [1, 100, 1000])
@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_predict(benchmark, fitted, rows, engine, crowd):
    """Characters × predictions a second; a prediction is of ten frames, of which five are played."""
    x, predictor, plain = rows.inputs[:crowd].copy(), fitted.predictor(engine), Plain().eval()
    times = 200 if crowd == 1 else 5

    def ours():
        for _ in range(times):
            predictor.predict(x)

    def theirs():
        with torch.inference_mode():
            for _ in range(times):
                plain(torch.from_numpy(x)).numpy()

    value, peer = (crowd * times / seconds for seconds in alternating(ours, theirs))
    benchmark.pedantic(predictor.predict, (x,), rounds=3)
    note = f"{1e3 * crowd / value:.3f} ms of CPU a call, plain {1e3 * crowd / peer:.3f} ms"
    told = {
        "value": value,
        "unit": "characters × predictions/s",
        "peer": "plain torch, eager",
        "peer_value": peer,
    }
    benchmark.extra_info |= {**told, "ratio": value / peer, "note": note}


def test_training(benchmark, rows):
    """Steps a second: long trainings less short ones, so that preparing the data does not count."""
    few, many = 10, 110
    model = CodebookMatching(components=COMPONENTS, variance=1.0, accelerator="cpu")
    x, z = torch.from_numpy(rows.inputs.copy()), torch.from_numpy(rows.outputs[:, :COMPONENTS].copy())

    def ours(steps):
        start = process_time()
        model.fit(rows, budget={"steps": steps})
        return process_time() - start

    def theirs(steps):
        plain = Plain()
        optimiser = torch.optim.AdamW(plain.parameters(), lr=1e-3)
        start = process_time()
        for _ in range(steps):
            pick = torch.randint(len(x), (BATCH,))
            loss = plain.loss(x[pick], z[pick])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
            optimiser.step()
        return process_time() - start

    ours(few), theirs(few)
    spans = np.array([[work(many) - work(few) for work in (ours, theirs)] for _ in range(4)])
    value, peer = (many - few) / spans.min(0)
    benchmark.pedantic(ours, (few,), rounds=1)
    told = {"value": value, "unit": "steps/s", "peer": "plain torch, eager", "peer_value": peer}
    benchmark.extra_info |= {**told, "ratio": value / peer, "note": f"batches of {BATCH}, one thread"}
