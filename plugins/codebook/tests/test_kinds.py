"""What each kind of network promises by itself, against analytic truth and other people's libraries."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_codebook.autoencoder import AutoencoderNetwork
from kinetoscope_codebook.fsq import FsqNetwork
from kinetoscope_codebook.model import Autoencoder, CodebookMatching, Fsq, Mlp, PeriodicAutoencoder, Vq
from kinetoscope_codebook.network import Architecture
from kinetoscope_codebook.vq import VqNetwork
from kinetoscope_spec import Column, TrainingSet
from kinetoscope_spec.errors import ValidationError

SIZES = {"inputs": 3, "outputs": 2, "components": 2, "hidden": 8}
seeds = st.integers(0, 2**16)


def latents(seed, *shape, size=3.0):
    return size * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class Answers(torch.nn.Module):
    """An encoder that says what it is told to."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x):
        return self.answer


# -- fsq, against vector-quantize-pytorch


@settings(deadline=None, max_examples=40)
@given(levels=st.lists(st.integers(3, 9), min_size=1, max_size=4), seed=seeds)
def test_rounding_is_that_of_the_papers_authors(levels, seed):
    """Oracle: FSQ of vector-quantize-pytorch, a port of the paper's own code."""
    library = pytest.importorskip("vector_quantize_pytorch")
    network = FsqNetwork(Architecture(kind="fsq", channels=2, levels=levels, **SIZES))
    encoded = latents(seed, 16, 2, len(levels))
    network.encoder = Answers(encoded.flatten(1))
    theirs = library.FSQ(levels)
    for channel in range(2):
        codes, classes = theirs(encoded[:, None, channel])
        ours = network._bounded(encoded)[:, channel].round()
        torch.testing.assert_close(ours / network.half_levels, codes[:, 0], atol=1e-6, rtol=1e-6)
        assert torch.equal(network._classes(ours[:, None])[:, 0], classes[:, 0].long())


# -- vq, against vector-quantize-pytorch


@settings(deadline=None, max_examples=40)
@given(classes=st.integers(2, 20), size=st.integers(1, 5), seed=seeds)
def test_the_nearest_vector_is_chosen(classes, size, seed):
    """Oracle: VectorQuantize of vector-quantize-pytorch with the same codebook."""
    library = pytest.importorskip("vector_quantize_pytorch")
    network = VqNetwork(Architecture(kind="vq", channels=1, classes=classes, latent=size, **SIZES))
    theirs = library.VectorQuantize(dim=size, codebook_size=classes, commitment_weight=0.25)
    theirs.codebook = network.codebook[0].detach()
    theirs.eval()
    encoded = latents(seed, 16, 1, size, size=1.0)
    chosen, indices, _ = theirs(encoded)
    network.encoder = Answers(encoded.flatten(1))
    assert torch.equal(network._chosen(encoded[:, :, None]), indices)
    torch.testing.assert_close(network.quantised(encoded[:, :, None]), chosen)


def test_losses_of_a_codebook_pull_both_ways():
    network = VqNetwork(Architecture(kind="vq", channels=1, classes=3, latent=2, **SIZES), 0.0, 0.25)
    encoded = latents(1, 8, 2).requires_grad_()
    network.encoder = Answers(encoded)
    losses = network.losses(torch.zeros(8, 3), torch.zeros(8, 2), {})
    apart = (network.codebook[0, network._chosen(encoded.reshape(8, 1, 1, 2))[:, 0]] - encoded).detach()
    (gradient,) = torch.autograd.grad(losses["commitment"], encoded, retain_graph=True)
    torch.testing.assert_close(gradient, -0.25 * 2 * apart / apart.numel())
    assert torch.autograd.grad(losses["codebook"], encoded, allow_unused=True, retain_graph=True) == (None,)
    (through,) = torch.autograd.grad(losses["reconstruction"], encoded)
    assert through.abs().sum() > 0


def test_classes_that_nothing_uses_are_moved_to_where_rows_are():
    network = VqNetwork(Architecture(kind="vq", channels=2, classes=16, latent=2, **SIZES))
    with torch.no_grad():
        network.codebook += 100.0
        network.codebook[:, 0] = 0.0
        x, z = latents(0, 64, 3), torch.zeros(64, 2)
        used = (network.usage(x, z) > 0).sum(-1)
        assert used.tolist() == [1, 1]
        network.revive(x, z, torch.Generator().manual_seed(0))
        assert ((network.usage(x, z) > 0).sum(-1) > 8).all()


def test_a_collapsed_codebook_is_told(made):
    rows = made.smooth()
    fitted = Vq(hidden=8, channels=2, classes=32, rate=1e-9).fit(rows, budget={"steps": 1})
    with torch.no_grad():
        fitted.network.codebook += 100.0
        fitted.network.codebook[:, 0] = 0.0
    task = Vq(hidden=8, channels=2, classes=32)._task(rows)
    task.network.load_state_dict(fitted.network.state_dict())
    assert torch.count_nonzero(task.usage()) == 2
    # What `fit` keeps: a codebook whose encoder says one thing alone.
    still = TrainingSet(rows.inputs * 0 + 1, rows.outputs, rows.input_schema, rows.output_schema)
    flat = Vq(hidden=8, channels=2, classes=32, input_noise=0.0, drift_noise=0.0).fit(
        still, budget={"steps": 3}
    )
    assert flat.collapsed == (0, 1)
    assert flat.perplexity == pytest.approx(1.0)
    healthy = CodebookMatching(hidden=8, channels=3, classes=4).fit(rows, budget={"steps": 3})
    assert healthy.collapsed == ()
    assert len(healthy.training["perplexities"]) == 3
    assert healthy.perplexity == pytest.approx(np.mean(healthy.training["perplexities"]))
    assert Mlp(hidden=8).fit(rows, budget={"steps": 1}).collapsed == ()


# -- autoencoders


@settings(deadline=None, max_examples=30)
@given(seed=seeds, weight=st.floats(0.01, 2.0))
def test_the_divergence_is_that_of_two_gaussians(seed, weight):
    """Oracle: torch.distributions."""
    architecture = Architecture(kind="autoencoder", latent=4, variational=True, **SIZES)
    network = AutoencoderNetwork(architecture, 0.0, weight)
    encoded = latents(seed, 5, 8, size=1.0)
    network.encoder = Answers(encoded)
    found = network.losses(torch.zeros(5, 3), torch.zeros(5, 2), {"latent": torch.zeros(5, 4)})["divergence"]
    ours = torch.distributions.Normal(encoded[:, :4], encoded[:, 4:].exp())
    standard = torch.distributions.Normal(torch.zeros(4), torch.ones(4))
    truth = torch.distributions.kl_divergence(ours, standard).sum(-1).mean()
    torch.testing.assert_close(found, weight * truth, rtol=1e-4, atol=1e-5)


def test_a_narrow_latent_finds_the_plane_that_rows_lie_in():
    """Rows of a plane in eight dimensions go through two numbers; one number is too narrow."""
    random = np.random.default_rng(0)
    flat = random.normal(size=(1024, 2)) @ random.normal(size=(2, 8))
    schema = TrainingSet.measured([Column(f"c{i}") for i in range(8)], flat)
    rows = TrainingSet(flat, flat, schema, schema)

    def left(latent):
        model = Autoencoder(latent=latent, hidden=64, input_noise=0.0, drift_noise=0.0, variance=1.0)
        fitted = model.fit(rows, budget={"steps": 800})
        return ((fitted.predict(flat) - flat) ** 2).sum() / ((flat - flat.mean(0)) ** 2).sum()

    assert left(2) < 0.01 < 0.1 < left(1)


def test_a_variational_latent_draws(made):
    rows = made.smooth()
    fitted = Autoencoder(hidden=16, latent=2, variational=True).fit(rows, budget={"steps": 30})
    one, other = (fitted.predict(rows.inputs, seed=seed) for seed in (1, 2))
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(one, fitted.predict(rows.inputs, seed=1))
    assert fitted.latent(rows.inputs).shape == (256, 2)


# -- the periodic autoencoder


@pytest.mark.slow
def test_phase_and_frequency_of_sinusoids_are_found(made):
    """Windows of one sinusoid: its frequency comes out, and the phase turns with it."""
    rows, frequency, phase = made.sinusoids(rows=2048, frames=31)
    model = PeriodicAutoencoder(channels=1, hidden=16, input_noise=0.0, drift_noise=0.0, rate=3e-3)
    fitted = model.fit(rows, seed=0, budget={"steps": 500})
    gap = fitted.predict(rows.inputs) - rows.outputs
    assert np.sqrt((gap**2).mean()) < 0.25 * rows.outputs.std()
    found = fitted.latent(rows.inputs)[:, 0]
    assert np.corrcoef(found[:, 1], frequency)[0, 1] > 0.9
    # At one frequency, the phase found and the true one differ by a constant, up to direction.
    near = np.abs(frequency - 2) < 0.1
    apart = [np.exp(2j * np.pi * (found[near, 0] - sign * phase[near])).mean() for sign in (1, -1)]
    assert np.abs(apart).max() > 0.95


def test_the_sinusoids_parameters_are_those_of_a_fourier_transform(made):
    """Oracle: NumPy's FFT of the curves that the encoder gives."""
    rows, _, _ = made.sinusoids(rows=8, frames=21)
    network = PeriodicAutoencoder(channels=2, hidden=4)._task(rows).network.eval()
    x = network.normalized(torch.from_numpy(rows.inputs.astype(np.float32)))
    with torch.no_grad():
        curves = network.encoder(x.reshape(-1, 21, 3).transpose(1, 2)).double().numpy()
        _, _, amplitude, frequency, offset = (part[..., 0].numpy() for part in network._wave(x))
    spectrum = np.fft.rfft(curves, axis=-1)
    power, hertz = np.abs(spectrum[..., 1:]) ** 2, np.fft.rfftfreq(21, d=1 / 20)[1:]
    np.testing.assert_allclose(frequency, (power * hertz).sum(-1) / power.sum(-1), rtol=1e-3)
    np.testing.assert_allclose(amplitude, 2 * np.sqrt(power.sum(-1)) / 21, rtol=1e-3)
    np.testing.assert_allclose(offset, spectrum[..., 0].real / 21, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "offsets",
    [[0.0, 0.1], [0.0, 0.1, 0.3], [0.0, 0.0, 0.1, 0.1, 0.2], [0.2, 0.1, 0.0], [0.0]],
    ids=["even", "uneven", "ragged", "backwards", "one frame"],
)
def test_what_is_no_window_is_refused(offsets):
    x = np.random.default_rng(0).normal(size=(16, len(offsets)))
    schema = TrainingSet.measured([Column("x", offset=s) for s in offsets], x)
    with pytest.raises(ValidationError, match="odd number of evenly spaced offsets"):
        PeriodicAutoencoder().fit(TrainingSet(x, x, schema, schema), budget={"steps": 1})


# -- codebook matching


def test_as_published_has_the_papers_losses(made):
    """Three losses and no more, averaged over classes; seeds of the estimator's own."""
    model = CodebookMatching(hidden=8, channels=2, classes=4).as_published()
    task = model._task(made.smooth())
    x, z = task.x[:16], task.z[:16]
    noise = task.noise(16, torch.arange(256), torch.Generator().manual_seed(0))
    assert noise.keys() == {"prior", "sampler", "share"}
    assert len(torch.unique(noise["share"])) == 1
    network = task.network.eval()
    losses = network.losses(x, z, noise)
    assert losses.keys() == {"reconstruction", "match", "denoise"}
    # By hand, in NumPy, from the logits.
    logits, estimated = (one.detach().double().numpy() for one in (network.encode(z), network.estimate(x)))

    def softmax(values):
        powers = np.exp(values - values.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    share, drawn = (noise[name].double().numpy() for name in ("share", "sampler"))
    seeds = (1 - share) * softmax(estimated) + share * softmax(estimated + drawn)
    refined = softmax(network.denoise(torch.from_numpy(seeds).float(), x).detach().double().numpy())
    assert losses["match"].item() == pytest.approx(
        ((softmax(estimated) - softmax(logits)) ** 2).mean(), rel=1e-4
    )
    assert losses["denoise"].item() == pytest.approx(((refined - softmax(logits)) ** 2).mean(), rel=1e-4)
    gradient = torch.autograd.grad(losses["match"], network.encoder[1].weight)[0]
    assert gradient.abs().sum() > 0, "the prior is to be pulled too"


def test_every_codebook_counts_its_classes(made):
    rows = made.smooth()
    for model, classes in (
        (Fsq(hidden=8, channels=2, levels=(3, 4)), 12),
        (Vq(hidden=8, channels=2, classes=5), 5),
        (CodebookMatching(hidden=8, channels=2, classes=7), 7),
    ):
        used = model._task(rows).usage()
        assert used.shape == (2, classes)
        torch.testing.assert_close(used.sum(-1), torch.ones(2))
        assert 1.0 <= model.fit(rows, budget={"steps": 1}).perplexity <= classes + 1e-3


def test_classes_are_the_digits_of_one_number():
    network = FsqNetwork(Architecture(kind="fsq", channels=1, levels=(3, 4), **SIZES))
    grid = torch.cartesian_prod(torch.arange(-1.0, 2.0), torch.arange(-2.0, 2.0))[:, None]
    assert sorted(network._classes(grid).flatten().tolist()) == list(range(math.prod((3, 4))))
