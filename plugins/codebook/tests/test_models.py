"""Laws of the models: they learn, agree with themselves, and say what they refuse."""

from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import attrs
import numpy as np
import onnxruntime
import pytest
import torch

from kinetoscope_codebook.model import CodebookMatching, Mlp
from kinetoscope_codebook.optimisers import cosine_restarts
from kinetoscope_spec import Column, TrainingSet
from kinetoscope_spec.errors import Cancelled, ValidationError

SMALL = {"hidden": 32, "batch": 64}
MODELS = [CodebookMatching(channels=4, classes=4, **SMALL), Mlp(**SMALL)]
each_model = pytest.mark.parametrize("model", MODELS, ids=["codebook-matching", "mlp"])


def dataset(rows=256, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 5)) * [1, 10, 0.1, 1, 1] + [0, 100, 0, 0, 0]
    y = np.stack([x[:, 0], x[:, 0] * x[:, 3], 50 + x[:, 1], np.full(rows, 7.0)], axis=1)
    columns = ([Column(f"in{i}") for i in range(5)], [Column(f"out{i}") for i in range(4)])
    schemas = (TrainingSet.measured(c, v) for c, v in zip(columns, (x, y), strict=True))
    return TrainingSet(x, y, *schemas, metadata={"clips": ["a"]})


@pytest.fixture(scope="module", params=range(2), ids=["codebook-matching", "mlp"])
def fitted(request):
    return MODELS[request.param].fit(dataset(), seed=3, budget={"steps": 40})


@each_model
def test_it_memorises_a_small_batch(model):
    rows = dataset(32)
    few, many = (model.fit(rows, seed=1, budget={"steps": n}) for n in (1, 600))

    def error(one):
        gap = (one.predict(rows.inputs) - rows.outputs) / rows.output_schema.deviation
        return np.sqrt((gap**2).mean())

    assert error(many) < 0.35 * error(few)
    assert many.losses[-1]["total"] < 0.5 * many.losses[0]["total"]
    # A column that never varies is predicted exactly.
    np.testing.assert_allclose(many.predict(rows.inputs)[:, 3], 7.0, atol=1e-5)


@each_model
def test_the_same_seed_gives_the_same_bits_and_leaves_torch_alone(model):
    torch.manual_seed(123)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    a, b, c = (model.fit(dataset(), seed=s, budget={"steps": 8}) for s in (5, 5, 6))
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.get_num_threads() == threads
    for name, tensor in a.network.state_dict().items():
        assert torch.equal(tensor, b.network.state_dict()[name]), name
    assert not np.array_equal(a.predict(dataset().inputs), c.predict(dataset().inputs))


def in_threads(work, count):
    """Run `work` in `count` threads that start together; raise what any of them raised."""
    together = threading.Barrier(count)

    def one(number):
        together.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_predicting_in_threads_leaves_torch_alone(fitted):
    x = dataset(8).inputs
    wanted = [fitted.predict(x, seed=seed) for seed in range(20)]
    torch.manual_seed(77)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    found = in_threads(lambda _: [fitted.predict(x, seed=seed) for seed in range(20)], 4)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == threads
    np.testing.assert_allclose(found, [wanted] * 4, rtol=1e-5, atol=1e-5)


def test_predicting_does_not_even_borrow_torchs_generator(fitted, monkeypatch):
    def touched(*_, **__):
        raise AssertionError("the global generator was touched")

    for name in ("manual_seed", "set_rng_state", "set_num_threads", "random.fork_rng"):
        monkeypatch.setattr(f"torch.{name}", touched)
    assert np.isfinite(fitted.predict(dataset(4).inputs, seed=1)).all()


@each_model
def test_training_in_threads_gives_the_same_bits_and_leaves_torch_alone(model):
    alone = [model.fit(dataset(), seed=seed, budget={"steps": 6}) for seed in range(3)]
    torch.manual_seed(78)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    beside = in_threads(lambda seed: model.fit(dataset(), seed=seed, budget={"steps": 6}), 3)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == threads
    for a, b in zip(alone, beside, strict=True):
        for name, tensor in a.network.state_dict().items():
            assert torch.equal(tensor, b.network.state_dict()[name]), name


def test_a_batch_is_its_rows(fitted):
    x = dataset(20, seed=9).inputs
    rows = np.concatenate([fitted.predict(x[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(fitted.predict(x), rows, rtol=1e-5, atol=1e-5)
    assert fitted.predict(x[:0]).shape == (0, 4)


def test_what_it_refuses_is_named(fitted):
    with pytest.raises(ValidationError, match=r"shape \[2, 3\], expected \[N, 5\].*'in0'"):
        fitted.predict(np.zeros((2, 3)))
    with pytest.raises(ValidationError, match=r"inputs\[1, 2\] \(in2\) is not finite"):
        fitted.predict(np.where(np.arange(10).reshape(2, 5) == 7, np.nan, 0.0))


def test_far_outside_of_training_it_stays_finite(fitted):
    far = fitted.predict(np.full((1, 5), 1e30))
    assert np.isfinite(far).all()
    np.testing.assert_array_equal(far, fitted.predict(np.full((1, 5), 1e20)))


def test_onnx_equals_predict(fitted, tmp_path):
    pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")
    fitted.export_onnx(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    x = dataset(17, seed=4).inputs.astype(np.float32)
    np.testing.assert_allclose(
        session.run(["outputs"], {"inputs": x})[0], fitted.predict(x), rtol=1e-5, atol=1e-5
    )


@each_model
def test_progress_is_told_and_can_cancel(model):
    told = []
    model.fit(dataset(), budget={"steps": 10}, progress=lambda *now: told.append(now))
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert told[-1][0] == told[-1][1]
    with pytest.raises(Cancelled):
        model.fit(dataset(), budget={"steps": 10}, progress=lambda done, *_: done < 50)


def test_budgets_count_steps_and_epochs():
    model = MODELS[1]
    steps = [model.fit(dataset(), budget=b).losses[-1]["step"] for b in ({"steps": 7}, {"epochs": 3})]
    assert steps == [7.0, 3 * (256 // 64)]
    assert model.fit(dataset(), budget=0.2).losses[-1]["step"] >= 1


def test_the_learning_rate_falls_in_three_cycles():
    rates = np.array([cosine_restarts(x) for x in np.linspace(0, 1, 701)])
    assert rates[0] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.01)
    restarts = np.flatnonzero(np.diff(rates) > 0.5) / 700
    np.testing.assert_allclose(restarts, [1 / 7, 3 / 7], atol=2e-3)


def test_the_codes_are_used_and_carry_the_answer():
    rows = dataset(512)
    fitted = CodebookMatching(hidden=64, channels=8, classes=4, batch=64).fit(rows, budget={"steps": 500})
    assert fitted.perplexity > 1.5
    network = fitted.network
    with torch.no_grad():
        x = network.normalized(torch.from_numpy(rows.inputs.astype(np.float32)))
        codes = network.codes(x)
        random = codes[torch.randperm(len(codes), generator=torch.Generator().manual_seed(0))]
        y = torch.from_numpy(rows.outputs.astype(np.float32))
        right, wrong = (
            float((((network.physical(network.decode(c)) - y) / network.output_scale) ** 2).mean())
            for c in (codes, random)
        )
    assert wrong > 2 * right


def test_both_branches_of_an_ambiguous_function_are_kept():
    """y = ±x·t²: matching draws one branch or the other, a plain network the mean of both."""
    random, t = np.random.default_rng(0), np.linspace(0.1, 1, 10)
    x = random.uniform(0.5, 1.5, (4000, 1))
    y = random.choice([-1, 1], (4000, 1)) * x * t**2
    schemas = ([Column("x")], x), ([Column("y", offset=float(s)) for s in t], y)
    rows = TrainingSet(x, y, *(TrainingSet.measured(c, v) for c, v in schemas))
    asked = np.linspace(0.55, 1.45, 300)[:, None]
    truth = asked * t**2
    size = np.sqrt((truth**2).mean())
    matching = CodebookMatching(
        hidden=64, channels=8, classes=8, refinements=20, input_noise=0.0, drift_noise=0.0, batch=256
    ).fit(rows, budget={"steps": 1000})
    for seed in range(5):
        drawn = matching.predict(asked, seed=seed)
        side = np.sign(drawn[:, -1:])
        assert 0.3 < (side > 0).mean() < 0.7
        for branch in (side > 0, side < 0):
            here = branch[:, 0]
            gap = np.sqrt(((drawn - side * truth)[here] ** 2).mean())
            assert gap < 0.05 * np.sqrt((truth[here] ** 2).mean())
    mean = Mlp(hidden=64, batch=256).fit(rows, budget={"steps": 300}).predict(asked)
    assert np.abs(mean).max() < 0.3 * size


def test_drawn_once_more_answers_spread_and_the_likeliest_stays(made):
    rows = made.smooth()
    firm = CodebookMatching(hidden=32, channels=8).fit(rows, budget={"steps": 200})
    loose, bold = (redrawn(firm, by) for by in (1.0, 2.0))
    for other in (loose, bold):
        assert (firm.predict(rows.inputs) == other.predict(rows.inputs)).all()
    deviation = np.maximum(np.array(rows.output_schema.deviation), 1e-3)
    spreads = [
        (np.std([fitted.predict(rows.inputs, seed=s) for s in range(6)], axis=0) / deviation).mean()
        for fitted in (firm, loose, bold)
    ]
    assert spreads[1] > 1.5 * spreads[0]
    assert spreads[2] > 1.3 * spreads[1]
    engine = bold.predictor("onnx")
    assert np.abs(engine.predict(rows.inputs, seed=1) - bold.predict(rows.inputs, seed=1)).max() < 1e-3


def redrawn(fitted, by):
    """Return the same weights in a network that draws once more."""
    network = copy.deepcopy(fitted.network)
    network.architecture = attrs.evolve(network.architecture, redraw=by)
    return attrs.evolve(fitted, network=network)
