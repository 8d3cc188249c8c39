"""Around the networks: what goes in, in which order, and what comes out, with diffusers' own as the oracle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLCogVideoX
from void_weights import BASE, SMALL, publish

from kinetoscope_spec import Audio, Cancelled, Quadmask, Video
from kinetoscope_void._codec import decoded, encoded
from kinetoscope_void._denoise import Conditions, denoised, velocity
from kinetoscope_void._network import Network
from kinetoscope_void._settings import MEMORY, Settings
from kinetoscope_void._windows import spans
from kinetoscope_void.inpainter import VoidInpainter


def _scene(frames: int = 13, seed: int = 0) -> tuple[Video, Quadmask]:
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (frames, 40, 60, 3), dtype=np.uint8)
    quad = np.full((frames, 40, 60), 255, np.uint8)
    quad[:, 10:20, 10:30] = 0
    quad[1:, 20:30, 10:30] = 127
    quad[1:, 18:22, 20:24] = 63
    sound = Audio(rng.uniform(-1, 1, (800, 1)).astype(np.float32), 8000)
    return Video.from_frames(pictures, 12, sound), Quadmask.from_frames(quad, 12)


def _network(weights: Path, **settings: Any) -> Network:
    return Network.find(Settings(folder=weights, device="cpu", **{**SMALL, **settings}))


# -- the autoencoder


@pytest.fixture(scope="module")
def vae(weights: Path) -> Any:
    return AutoencoderKLCogVideoX.from_pretrained(weights / BASE / "vae").eval()


@pytest.mark.parametrize("frames", [1, 5, 9, 13, 21, 29])
@torch.inference_mode()
def test_encoding_in_parts_is_the_mode_of_diffusers_encode_scaled(vae: Any, frames: int) -> None:
    film = torch.rand(1, 3, frames, 16, 24, generator=torch.Generator().manual_seed(frames)) * 2 - 1
    expected = vae.encode(film).latent_dist.mode().transpose(1, 2) * 0.7
    found = encoded(vae, frames, lambda start, stop: film[:, :, start:stop])
    assert found.shape == (1, (frames - 1) // 4 + 1, 16, 2, 3)
    assert torch.equal(found, expected)


@pytest.mark.parametrize("latents", [2, 4, 6, 22])
@torch.inference_mode()
def test_an_even_number_of_latents_gives_the_frames_of_the_odd_one_before_and_four_more(
    vae: Any, latents: int
) -> None:
    held = torch.randn(1, latents, 16, 2, 3, generator=torch.Generator().manual_seed(latents))
    found = torch.cat(list(decoded(vae, held)), dim=1)
    assert found.shape == (3, 4 * latents - 3, 16, 24)
    assert vae.decode(held.transpose(1, 2)).sample.shape[2] == 4 * latents  # diffusers' own: three too many
    before = torch.cat(list(decoded(vae, held[:, :-1])), dim=1)
    assert torch.equal(found[:, :-4], before)


@torch.inference_mode()
def test_the_first_latents_frame_is_diffusers_decode_of_it_alone(vae: Any) -> None:
    held = torch.randn(1, 4, 16, 2, 3, generator=torch.Generator().manual_seed(9))
    first = vae.decode(held[:, :1].transpose(1, 2) / 0.7).sample[0]
    found = next(iter(decoded(vae, held)))
    torch.testing.assert_close(found, (first / 2 + 0.5).clamp(0, 1))


# -- the transformer


@torch.inference_mode()
def test_the_transformer_is_given_noise_mask_and_film_in_this_order(weights: Path) -> None:
    network = _network(weights)
    rng = torch.Generator().manual_seed(1)
    noise, mask, film = (torch.randn(1, 4, 16, 4, 6, generator=rng) for _ in range(3))
    heard: list[dict[str, Any]] = []
    with network.transformer(1) as transformer:
        hook = transformer.register_forward_pre_hook(
            lambda _module, _arguments, options: heard.append(options), with_kwargs=True
        )
        velocity(transformer, noise, 500, Conditions(mask, film, network.text("a wall"), 1.0), (0, 4))
        hook.remove()
    (given,) = heard
    stacked = given["hidden_states"].numpy()
    assert stacked.shape == (1, 4, 48, 4, 6)
    for first, part in ((0, noise), (16, mask), (32, film)):
        np.testing.assert_array_equal(stacked[:, :, first : first + 16], part.numpy())


def _heard(weights: Path, tmp_path: Path, frames: int, **settings: Any) -> list[np.ndarray]:
    """Return every input of both transformers over a scene."""
    made = VoidInpainter(folder=weights, device="cpu", memory="full", **{**SMALL, **settings})
    made._network = network = Network.find(made.settings)
    heard: list[np.ndarray] = []
    for number in (1, 2):
        with network.transformer(number) as transformer:
            transformer.register_forward_pre_hook(
                lambda _module, _arguments, options: heard.append(options["hidden_states"].numpy().copy()),
                with_kwargs=True,
            )
    list(made.inpaint(*_scene(frames), prompt="a wall of red bricks", seed=3).frames())
    return heard


def _slow_area(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the mean of the pixels that each cell covers, cell by cell."""
    height, width = plane.shape
    made = np.zeros(size)
    for i in range(size[0]):
        for j in range(size[1]):
            top, bottom = i * height // size[0], -(-(i + 1) * height // size[0])
            left, right = j * width // size[1], -(-(j + 1) * width // size[1])
            made[i, j] = plane[top:bottom, left:right].mean()
    return made


@torch.inference_mode()
def test_what_both_passes_see_is_what_the_description_says(weights: Path, tmp_path: Path, vae: Any) -> None:
    video, quadmask = _scene(10)
    first, *_, last = _heard(weights, tmp_path, 10)
    clip = list(range(10)) + list(range(9, -1, -1))
    clip = clip[:13]  # the least 4k + 1 with k odd
    size = SMALL["size"]
    frames, masks = list(video.frames()), list(quadmask.frames())
    film = np.stack([[_slow_area(frames[n][..., c] / 255, size) for c in range(3)] for n in clip], 1)
    expected = vae.encode(torch.tensor(film[None] * 2 - 1, dtype=torch.float32)).latent_dist.mode() * 0.7
    np.testing.assert_allclose(first[0, :, 32:], expected[0].transpose(0, 1), atol=2e-5)
    np.testing.assert_array_equal(first[:, :, 32:], last[:1, :, 32:])
    for heard, overlap, affected in ((first, 1.0, 127 / 255), (last, 1.0, 1.0)):
        planes = []
        for n in clip:
            area = _slow_area(masks[n].astype(float), size)
            level = {0: 1.0, 63: overlap, 127: affected, 255: 0.0}
            value = np.where(area <= 31, 0, np.where(area <= 95, 63, np.where(area <= 191, 127, 255)))
            planes.append(np.vectorize(lambda v, level=level: 1 - level[int(v)])(value))
        held = torch.tensor(np.stack([np.stack(planes)] * 3)[None], dtype=torch.float32)
        expected = vae.encode(held).latent_dist.mode() * 0.7
        np.testing.assert_allclose(heard[0, :, 16:32], expected[0].transpose(0, 1), atol=2e-5)


def test_the_second_pass_begins_from_noise_that_moved_and_asks_twice(weights: Path, tmp_path: Path) -> None:
    heard = _heard(weights, tmp_path, 13)
    assert [len(each) for each in heard] == [1, 1, 2, 2]  # two steps each; the second pass is guided
    np.testing.assert_array_equal(heard[2][0], heard[2][1])
    fresh, moved = heard[0][0, :, :16], heard[2][0, :, :16]
    assert fresh.std() == pytest.approx(1, abs=0.08)
    assert moved.std() == pytest.approx(1, abs=0.08)
    assert abs((fresh * moved).mean()) < 0.1


def _alphas(config: dict[str, Any]) -> np.ndarray:
    """Return the products of 1 - beta, shifted so that the last is 0 (Lin et al. 2024, algorithm 1)."""
    betas = np.linspace(config["beta_start"] ** 0.5, config["beta_end"] ** 0.5, 1000) ** 2
    root = np.sqrt(np.cumprod(1 - betas))
    root = (root - root[-1]) * root[0] / (root[0] - root[-1])
    return root**2


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("guidance", [1.0, 6.0])
@torch.inference_mode()
def test_steps_through_windows_are_those_written_out_by_hand(
    weights: Path, number: int, guidance: float
) -> None:
    network = _network(weights)
    scheduler = network.scheduler(number)
    rng = torch.Generator().manual_seed(5)
    noise, mask, film = (torch.randn(1, 8, 16, 4, 6, generator=rng) for _ in range(3))
    texts = [network.text(told) for told in (["", "the sea"] if guidance > 1 else ["the sea"])]
    given = Conditions(mask, film, torch.cat(texts), guidance)
    alphas = _alphas(dict(scheduler.config))
    with network.transformer(number) as transformer:
        found = denoised(transformer, scheduler, noise, given, steps=3, window=4, overlap=2)
        latents = noise.numpy().astype(np.float64)
        times = [999, 666, 332]  # trailing: 1000, 666.7 and 333.3, less one
        for step, time in enumerate(times):
            total, weight = np.zeros_like(latents), np.zeros(8)
            for start, stop in ((0, 4), (2, 6), (4, 8)):
                part = torch.tensor(latents, dtype=torch.float32)[:, start:stop]
                stacked = torch.cat([part, mask[:, start:stop], film[:, start:stop]], dim=2)
                places = _places(*stacked.shape[1:2], 4, 6)
                answers = [
                    transformer(
                        stacked, text, torch.tensor([time]), image_rotary_emb=places, return_dict=False
                    )[0].numpy()
                    for text in texts
                ]
                answer = answers[0] + guidance * (answers[1] - answers[0]) if guidance > 1 else answers[0]
                for t in range(start, stop):
                    rise = (t - start + 1) / 3 if start > 0 and t - start < 2 else 1
                    fall = (stop - t) / 3 if stop < 8 and stop - t <= 2 else 1
                    total[:, t] += rise * fall * answer[:, t - start]
                    weight[t] += rise * fall
            v = total / weight[:, None, None, None]
            alpha = alphas[time]
            after = alphas[time - 1000 // 3] if step < 2 else 1.0
            clean = np.sqrt(alpha) * latents - np.sqrt(1 - alpha) * v
            error = np.sqrt(alpha) * v + np.sqrt(1 - alpha) * latents
            latents = np.sqrt(after) * clean + np.sqrt(1 - after) * error
    scale = np.abs(latents).max()
    np.testing.assert_allclose(found.numpy(), latents, atol=2e-4 * scale)


def _places(latents: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cosines and sines of a window's patches: a quarter of a head is time, the rest height and width."""
    rows = []
    for t in range(latents // 2):
        for y in range(height // 2):
            for x in range(width // 2):
                angles = []
                for place, long in ((t, 4), (y, 6), (x, 6)):
                    for n in range(0, long, 2):
                        angles += [place / 10000 ** (n / long)] * 2
                rows.append(angles)
    held = torch.tensor(rows, dtype=torch.float32)
    return held.cos(), held.sin()


# -- whole


def _frames(video: Video) -> np.ndarray:
    return np.stack(list(video.frames()))


def test_a_prompt_a_seed_and_the_passes_change_what_is_made(weights: Path) -> None:
    video, mask = _scene(5)
    usual = {"prompt": "an empty table", "seed": 1}
    made = _frames(VoidInpainter(folder=weights, **SMALL).inpaint(video, mask, **usual))
    for other in ({**usual, "prompt": "the sea"}, {**usual, "seed": 2}):
        assert (_frames(VoidInpainter(folder=weights, **SMALL).inpaint(video, mask, **other)) != made).any()
    for setting in ({"passes": 1}, {"degradation": 0.5}, {"guidance": (1, 1)}, {"steps": (2, 3)}):
        inpainter = VoidInpainter(folder=weights, **{**SMALL, **setting})
        assert (_frames(inpainter.inpaint(video, mask, **usual)) != made).any(), setting


@pytest.mark.parametrize("memory", MEMORY)
def test_every_memory_mode_makes_the_film(weights: Path, memory: str) -> None:
    video, mask = _scene(5)
    made = _frames(VoidInpainter(folder=weights, memory=memory, **SMALL).inpaint(video, mask))
    full = _frames(VoidInpainter(folder=weights, memory="full", **SMALL).inpaint(video, mask))
    if memory == "float8":  # weights of three bits after the point
        assert (made != full).any()
        assert abs(made.astype(int) - full).mean() < 10
    else:
        np.testing.assert_array_equal(made, full)


def test_noise_on_pixels_is_added_where_the_base_was_trained_with_it(tmp_path: Path, weights: Path) -> None:
    noisy = publish(tmp_path, adds_noise=True)
    video, mask = _scene(5)
    plain, with_noise = (
        _frames(VoidInpainter(folder=folder, passes=1, **SMALL).inpaint(video, mask))
        for folder in (weights, noisy)
    )
    assert (plain != with_noise).any()


def test_cancelled_work_can_be_begun_again(weights: Path) -> None:
    video, mask = _scene(5)
    count = 0

    def listen(done: int, total: int, message: str) -> bool:
        nonlocal count
        count += 1
        return count != 12

    made = VoidInpainter(folder=weights, **SMALL).inpaint(video, mask, progress=listen)
    with pytest.raises(Cancelled, match="cancelled while"):
        _frames(made)
    np.testing.assert_array_equal(
        _frames(made), _frames(VoidInpainter(folder=weights, **SMALL).inpaint(video, mask))
    )


def test_what_was_padded_is_trimmed_from_the_end(weights: Path) -> None:
    video, quadmask = _scene(5)
    there = [0, 1, 2, 3, 4, 4, 3, 2, 1, 0, 0, 1, 2]
    played = Video.from_frames(_frames(video)[there], 12)
    mask = Quadmask.from_frames(np.stack(list(quadmask.frames()))[there], 12)
    settings = {**SMALL, "least_frames": 13}
    short = _frames(VoidInpainter(folder=weights, **settings).inpaint(video, quadmask))
    whole = _frames(VoidInpainter(folder=weights, **settings).inpaint(played, mask))
    np.testing.assert_array_equal(short, whole[:5])


@torch.inference_mode()
def test_the_empty_prompt_comes_before_the_prompt(weights: Path) -> None:
    made = VoidInpainter(folder=weights, device="cpu", memory="full", **SMALL)
    made._network = network = Network.find(made.settings)
    heard: list[torch.Tensor] = []
    for number in (1, 2):
        with network.transformer(number) as transformer:
            transformer.register_forward_pre_hook(
                lambda _module, _arguments, options: heard.append(options["encoder_hidden_states"]),
                with_kwargs=True,
            )
    list(made.inpaint(*_scene(5), prompt="the sea").frames())
    empty, told = network.text(""), network.text("the sea")
    assert not torch.equal(empty, told)
    assert told.shape == (1, 12, 16)  # padded to the full length
    assert torch.equal(heard[0], told)
    assert torch.equal(heard[-1], torch.cat([empty, told]))


def test_long_shots_go_through_several_windows(weights: Path) -> None:
    video, mask = _scene(30)
    assert len(spans(10, 4, 2)) == 4
    made = VoidInpainter(folder=weights, passes=1, **SMALL).inpaint(video, mask)
    assert len(_frames(made)) == 30


def test_from_a_film_on_disk_to_a_film_on_disk(weights: Path, tmp_path: Path) -> None:
    pytest.importorskip("kinetoscope_av", reason="the plugin av is not installed")
    from kinetoscope import Host

    video, quadmask = _scene(24)
    with Host(config={"plugins": {"void": {"folder": str(weights), **SMALL}}}) as host:
        media = host.provider("media")
        media.write(tmp_path / "shot.mp4", video)
        film = media.open(tmp_path / "shot.mp4")
        made = host.provider("inpainter", "void").inpaint(film, quadmask, prompt="an empty table")
        written = media.write(tmp_path / "clean.mp4", made)
        back = media.open(tmp_path / "clean.mp4")
        assert (written.frames, back.width, back.height, back.rate) == (24, 60, 40, film.rate)
        assert back.audio is not None
        hole = np.stack(list(quadmask.frames())) != 255
        was, now = _frames(film).astype(int), _frames(back).astype(int)
        assert abs(was - now)[:, :, 40:].mean() < 12  # the codec's alone
        assert abs(was - now)[hole].mean() > 30
