"""The network, against the one that PyTorch runs from its own reading of the same checkpoint.

The oracle is written from the paper's description in PyTorch's operations (`stft`, `conv1d`,
`interpolate`, `istft`) on the whole sound at once; it shares no code with the plugin.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kinetoscope_perth._marking import STRENGTH
from kinetoscope_perth._scores import listen
from kinetoscope_perth._weights import OUTPUTS, checkpoint, layers
from kinetoscope_perth.babble import babble
from kinetoscope_perth.marker import PerthMarker

torch = pytest.importorskip("torch")
F = pytest.importorskip("torch.nn.functional")

HZ = 32_000
SIZE, HOP, BINS = 2048, 320, 128


@pytest.fixture(scope="module")
def state() -> dict[str, Any]:
    held: dict[str, Any] = torch.load(checkpoint(), weights_only=True, map_location="cpu")["model"]
    return held


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return babble(seed=5, seconds=4.0, rate=HZ).samples[:, 0]


def stack(state: dict[str, Any], name: str, x: Any) -> Any:
    for i in range(7):
        weights = state[f"{name}.{i}.conv.weight"]
        x = F.conv1d(x, weights, state[f"{name}.{i}.conv.bias"], padding=weights.shape[2] // 2)
        x = F.leaky_relu(x) if i < 6 else x
    return x


def spectrum(sound: np.ndarray) -> tuple[Any, Any]:
    window = torch.hann_window(SIZE)
    padded = torch.stft(
        torch.tensor(sound), SIZE, HOP, SIZE, window, pad_mode="constant", return_complex=True
    )
    return padded, (20 * torch.log10(padded.abs().clip(1e-9)) + 180) / 195


def reference_score(state: dict[str, Any], sound: np.ndarray) -> float:
    levels = spectrum(sound)[1][None, :BINS]
    weights, marks = [], []
    for branch, scale in {"slow": 1.25, "normal": 1.0, "fast": 0.75}.items():
        size = int(levels.shape[2] * scale)
        seen = F.interpolate(levels, size=size, mode="linear", align_corners=True)
        votes = stack(state, f"decoder.{branch}_layers", seen).mean(dim=2)[0]
        weights.append(votes[0])
        marks.append(votes[1])
    return float((torch.softmax(torch.stack(weights), 0) * torch.stack(marks)).sum().clip(0, 1))


def test_weights_are_those_of_the_checkpoint(state: dict[str, Any]) -> None:
    count = 0
    for name in OUTPUTS:
        prefix = "encoder.layers" if name == "encoder" else f"decoder.{name}_layers"
        for i, (weights, bias) in enumerate(layers(name)):
            whole = state[f"{prefix}.{i}.conv.weight"].numpy()
            outputs, inputs, taps = whole.shape
            held = weights.reshape(taps, inputs, outputs).transpose(2, 1, 0)
            np.testing.assert_array_equal(held, whole)
            np.testing.assert_array_equal(bias, state[f"{prefix}.{i}.conv.bias"].numpy())
            count += weights.size + bias.size
    assert count == sum(tensor.numel() for name, tensor in state.items() if "conv" in name)


def test_marked_sound_is_the_references(state: dict[str, Any], sound: np.ndarray) -> None:
    complex_, levels = spectrum(sound)
    changed = levels.clone()
    changed[:BINS] += stack(state, "encoder.layers", levels[None, :BINS])[0]
    polar = torch.polar(10 ** ((changed * 195 - 180) / 20), complex_.angle())
    expected = torch.istft(polar, SIZE, HOP, SIZE, torch.hann_window(SIZE), length=len(sound)).numpy()
    expected = sound + STRENGTH * (expected - sound)
    marked = PerthMarker().mark(babble(seed=5, seconds=4.0, rate=HZ)).samples[:, 0]
    assert np.abs(expected - sound).max() > 0.02
    # At the very ends the reference divides by windows that are next to nothing; ours fades in.
    np.testing.assert_allclose(marked[SIZE:-SIZE], expected[SIZE:-SIZE], atol=5e-5)


@pytest.mark.parametrize("marked", [False, True])
def test_scores_are_the_references(state: dict[str, Any], sound: np.ndarray, marked: bool) -> None:
    if marked:
        sound = PerthMarker().mark(babble(seed=5, seconds=4.0, rate=HZ)).samples[:, 0]
    heard = listen(sound, HZ)
    assert heard.score(0, len(heard.levels)) == pytest.approx(reference_score(state, sound), abs=5e-3)
