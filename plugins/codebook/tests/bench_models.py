"""Predicting and training, beside the same network in plain PyTorch in the same run. CPU seconds."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from kinetoscope_codebook.model import CodebookMatching
from kinetoscope_spec import Column, Control, TrainingSet

pytestmark = pytest.mark.bench

INPUTS, OUTPUTS, HIDDEN, CHANNELS, CLASSES, COMPONENTS, BATCH = 305, 1340, 256, 32, 8, 256, 128
"""The sizes of locomotion on 21 joints, and of the model as it comes."""


RECIPE = """# kinetoscope sample
kind = "biped"
action = "walk"
seconds = 8.0
"""


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

    def __init__(self, inputs=INPUTS, outputs=OUTPUTS):
        super().__init__()
        codes = CHANNELS * CLASSES
        self.encoder, self.decoder = layers(COMPONENTS, codes), layers(codes, COMPONENTS)
        self.estimator, self.denoiser = layers(inputs, codes), layers(codes + inputs, codes)
        self.output = nn.Linear(COMPONENTS, outputs)
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))

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


@pytest.fixture(scope="module")
def character(tmp_path_factory):
    """What a shot walks with: the feature, a model, the solver, and a clip to begin with."""
    kinetoscope = pytest.importorskip("kinetoscope", reason="the host hands out feature and solver")
    folder = tmp_path_factory.mktemp("clip")
    (folder / "walk.sample.toml").write_text(RECIPE)
    with kinetoscope.Host() as host:
        clip = host.open(folder / "walk.sample.toml").motions[0].resample(30.0)
        maker = host.feature("locomotion").configured(bends=0, mirror=False)
        dataset = maker.training_set([clip])
        fitted = CodebookMatching(components=COMPONENTS, variance=1.0).fit(dataset, budget={"steps": 1})
        yield maker.restored(dataset.metadata), fitted, host.provider("solver"), clip


def ahead(feature, state):
    times = np.arange(1, 11) / 10
    here, facing = feature.root(state)
    return Control(times, here + 1.2 * times[:, None] * facing, np.tile(facing, (10, 1)))


class PlainCharacters:
    """N characters in plain PyTorch, all at once: features, network, kinematics, feet held by two bones."""

    def __init__(self, feature, fitted, clip, count):
        body = feature.start(clip).rig.body
        self.parents, self.feet = body.parents, body.feet_in_body
        self.network = Plain(len(fitted.input_schema), len(fitted.output_schema)).eval()
        self.offsets = torch.from_numpy(np.array(clip.skeleton.rest_positions[list(body.joints)], np.float32))
        self.horizon, self.stride, self.styles = feature.horizon, feature.stride, len(feature.styles)
        bodies = len(body.joints)
        self.ground, self.yaw = torch.zeros(count, 32, 2), torch.zeros(count, 32)
        self.joints, self.before = torch.zeros(2, count, bodies, 3)
        self.rotations, self.contacts = torch.eye(3).expand(count, bodies, 3, 3), torch.zeros(count, 2)

    def turned(self, yaw, v):
        sin, cos = torch.sin(yaw), torch.cos(yaw)
        return torch.stack([cos * v[..., 0] + sin * v[..., 1], cos * v[..., 1] - sin * v[..., 0]], -1)

    def inputs(self, wanted):
        here, yaw = self.ground[:, -1:], self.yaw[:, -1:]
        past = [1, 9, 16, 24]
        points = self.turned(-yaw, torch.cat([self.ground[:, past], wanted], 1) - here)
        turns = torch.cat([self.yaw[:, past] - yaw, torch.zeros(len(yaw), wanted.shape[1])], 1)
        headings = torch.stack([torch.sin(turns), torch.cos(turns)], -1)
        velocities = (self.joints - self.before) * 30
        six = self.rotations[..., :2].transpose(-1, -2)
        parts = (points, headings, self.joints, velocities, six, self.contacts)
        flat = [part.flatten(1) for part in parts]
        return torch.cat([*flat, torch.zeros(len(yaw), self.styles)], 1)

    def posed(self, rows):
        a, b = rows[..., 6:-2].unflatten(-1, (-1, 2, 3)).unbind(-2)
        x = functional.normalize(a, dim=-1)
        y = functional.normalize(b - (x * b).sum(-1, keepdim=True) * x, dim=-1)
        rotations = torch.stack([x, y, torch.linalg.cross(x, y)], -1)
        positions = [rows[..., 3:6]]
        for joint, parent in enumerate(self.parents[1:], start=1):
            positions.append(positions[parent] + rotations[:, :, parent] @ self.offsets[joint])
        return torch.stack(positions, 2), rotations

    def planted(self, positions):
        """Bend hip and knee so that each ankle stays where it is in the first frame."""
        for toes in self.feet:
            foot = self.parents[toes]
            knee, hip = self.parents[foot], self.parents[self.parents[foot]]
            goal, start = positions[:, :1, foot], positions[:, :, hip]
            upper, lower = (positions[:, :, a] - positions[:, :, b] for a, b in ((knee, hip), (foot, knee)))
            la, lb = upper.norm(dim=-1), lower.norm(dim=-1)
            reach = goal - start
            length = reach.norm(dim=-1).clamp(max=la + lb)
            way = functional.normalize(reach, dim=-1)
            along = (la**2 - lb**2 + length**2) / (2 * length + 1e-6)
            bend = functional.normalize(upper - (upper * way).sum(-1, keepdim=True) * way, dim=-1)
            height = (la**2 - along**2).clamp_min(0).sqrt()
            positions[:, :, knee] = start + along[..., None] * way + height[..., None] * bend
            positions[:, :, foot] = start + length[..., None] * way
        return positions

    def step(self, wanted, plant):
        rows = self.network(self.inputs(wanted)).unflatten(-1, (self.horizon, -1))[:, : self.stride]
        positions, rotations = self.posed(rows)
        yaw = self.yaw[:, -1:]
        ground = self.ground[:, -1:] + self.turned(yaw.expand(-1, self.stride), rows[..., :2])
        self.ground = torch.cat([self.ground, ground], 1)[:, -32:]
        self.yaw = torch.cat([self.yaw, yaw + rows[..., 2]], 1)[:, -32:]
        self.before, self.joints = positions[:, -2], positions[:, -1]
        self.rotations, self.contacts = rotations[:, -1], rows[:, -1, -2:]
        return self.planted(positions) if plant else positions


@pytest.mark.parametrize(("crowd", "plant"), [(1, True), (1, False), (100, False), (1000, False)])
def test_characters(benchmark, character, crowd, plant):
    """Frames a second of all characters: features, model, kinematics, and planting of the one that has it."""
    feature, fitted, solver, clip = character
    steps = {1: 60, 100: 2, 1000: 1}[crowd]
    predictor, start = fitted.predictor("onnx"), feature.start(clip.slice(0, 60))
    plain = PlainCharacters(feature, fitted, clip, crowd)

    def ours():
        states = [start] * crowd
        for _ in range(steps):
            rows = feature.crowd_inputs(states, [ahead(feature, state) for state in states])
            states = feature.crowd_advance(states, predictor.predict(rows))
        for state in states:
            motion = feature.motion(state)
            if plant:
                solver.plant(motion)

    def theirs():
        wanted = torch.zeros(crowd, len(feature.future_s), 2)
        with torch.inference_mode():
            for _ in range(steps):
                plain.step(wanted, plant)

    frames = crowd * steps * feature.stride
    value, peer = (frames / seconds for seconds in alternating(ours, theirs, rounds=3 if crowd > 1 else 5))
    benchmark.pedantic(ours, rounds=1)
    note = f"{1e3 * crowd / value:.3f} ms of CPU a frame, {feature.stride} frames a question"
    told = {"value": value, "unit": "characters × frames/s", "peer": "plain torch, eager", "peer_value": peer}
    benchmark.extra_info |= {**told, "ratio": value / peer, "note": note}
