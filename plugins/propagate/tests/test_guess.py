"""What no frame shows: patches where they say what is there, smooth colours elsewhere; truth is known throughout."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from kinetoscope_propagate import _exemplar, inpainter
from kinetoscope_propagate._exemplar import exemplar
from kinetoscope_propagate._guess import KEPT_HOLES, MOST_HOLES, Guess
from kinetoscope_propagate._light import SAME
from kinetoscope_propagate._smooth import smooth
from kinetoscope_propagate._views import MARGIN, Held, Sight
from kinetoscope_propagate.inpainter import PropagateInpainter
from kinetoscope_spec import Mask, Video

SIZE = (144, 192)
WAYS = {
    "stripes": "exemplar",
    "bricks": "exemplar",
    "edge": "exemplar",
    "haze": "smooth",
    "noise": "smooth",
    "gravel": "smooth",
}
THING = (0, 255, 0)


def ground(kind, seed):
    """Return a picture `uint8 [H, W, 3]` of a kind."""
    random = np.random.default_rng((171, seed))
    v, u = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    turn = random.uniform(0.3, 1.2)
    across = u * np.cos(turn) + v * np.sin(turn)

    def blurred(by):
        noise = cv2.GaussianBlur(random.normal(size=(*SIZE, 3)).astype(np.float32), (0, 0), by)
        return noise / noise.std()

    if kind == "stripes":
        picture = (
            120 + 50 * np.sign(np.sin(across * 2 * np.pi / random.uniform(9, 15)))[..., None] + blurred(1)
        )
    elif kind == "bricks":
        wide, high = random.integers(18, 28), random.integers(9, 14)
        joint = (v % high < 2) | ((u + (v // high % 2) * wide / 2) % wide < 2)
        picture = np.where(joint[..., None], 190, (150, 80, 60)) + 4 * blurred(1.2)
    elif kind == "edge":
        middle = SIZE[1] / 2 * np.cos(turn) + SIZE[0] / 2 * np.sin(turn)
        picture = np.where((across > middle)[..., None], 170, 80) + blurred(1)
    elif kind == "haze":
        picture = 120 + 40 * (u / SIZE[1])[..., None] * (1, 0.5, -0.5) + 20 * blurred(30)
    else:
        picture = 120 + (6 * random.normal(size=(*SIZE, 3)) if kind == "noise" else 30 * blurred(2))
    return np.rint(picture).clip(0, 255).astype(np.uint8)


def oval(at=(96, 72), size=(22, 15)):
    hole = np.zeros(SIZE, np.uint8)
    cv2.ellipse(hole, at, size, 20, 0, 360, 1, -1)
    return hole > 0


def without(picture, hole):
    return np.where(hole[..., None], np.uint8(THING), picture)


def telea(picture, hole):
    return cv2.inpaint(np.ascontiguousarray(picture), hole.astype(np.uint8), 5, cv2.INPAINT_TELEA)


def sight(picture, hole, number=0, place=None):
    held = Held(number, picture, hole, np.eye(3) if place is None else place, SAME, np.nan)
    return Sight(held, (slice(0, hole.shape[0]), slice(0, hole.shape[1])))


def guessed(guess, picture, hole, *, number=0, place=None, patches=False):
    """Return a picture with its hole made up as a frame that nothing is carried to; `patches`: as was chosen before."""
    parts = guess.parts(hole, sight(picture, hole, number, place))
    for _, one in parts:
        one.patches |= patches
    return guess.fill(picture, parts, np.zeros_like(hole))[0]


def psnr(made, truth, hole):
    return 10 * np.log10(255**2 / np.square(made.astype(float) - truth)[hole].mean())


def fineness(picture, hole):
    """Return the mean slope of brightness in a hole, beyond what noise makes of it."""
    grey = cv2.GaussianBlur(picture.astype(np.float32).mean(axis=2), (0, 0), 1)
    return np.hypot(cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1))[hole].mean()


@pytest.mark.parametrize("kind", WAYS)
def test_the_way_is_chosen_by_what_is_around(kind) -> None:
    """The way that is chosen wins over the other: patches on both counts, smooth colours by how far they are off."""
    hole, gained, ways = oval(), [], []
    for seed in (1, 2, 3):
        truth = ground(kind, seed)
        guess = Guess()
        made = guessed(guess, without(truth, hole), hole)
        np.testing.assert_array_equal(made[~hole], truth[~hole])
        ways.append(guess.way)
        plain, patched = smooth(without(truth, hole), hole), exemplar(without(truth, hole), hole)[0]
        other = plain if guess.way == "exemplar" else patched
        gained.append(psnr(made, truth, hole) - psnr(other, truth, hole))
        if guess.way == "exemplar":
            kept = (fineness(held, hole) / fineness(truth, hole) for held in (made, plain))
            fine, coarse = (abs(np.log(share)) for share in kept)
            assert fine < coarse or fine < 0.05
    assert ways == [WAYS[kind]] * 3
    assert np.mean(gained) > (2 if WAYS[kind] == "exemplar" else 0.5)
    assert min(gained) > 0


def two_grounds(seed):
    """Return stripes on the left and haze on the right, and a hole in each."""
    both = np.where(np.arange(SIZE[1])[:, None] < 88, ground("stripes", seed), ground("haze", seed))
    return both, oval((44, 72), (14, 10)), oval((156, 72), (14, 10))


@pytest.mark.parametrize("pan", [0, 1])
def test_each_hole_of_a_picture_is_made_up_in_its_own_way(pan) -> None:
    """One in stripes, one in haze; both go with the ground, so that no frame shows them. The report tells them apart."""
    behind, left, right = two_grounds(3)
    window = [slice(pan * t, pan * t + SIZE[1] - 8) for t in range(5)]
    truth = np.stack([behind[:, held] for held in window])
    holes = np.stack([(left | right)[:, held] for held in window])
    film = np.where(holes[..., None], np.uint8(THING), truth)
    made = PropagateInpainter().inpaint(
        Video.from_frames(film, 25), Mask.from_frames(holes * np.uint8(255), 25)
    )
    frames, report = np.stack(list(made.frames())), made.source.report
    assert report.guess == "both"
    found = {hole.guess: hole for hole in report.holes}
    assert len(report.holes) == len(found) == 2
    assert sum(hole.pixels for hole in report.holes) == report.guessed
    for way, where in (("exemplar", left), ("smooth", right)):
        rows, columns = np.nonzero(where)
        place = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        assert np.abs(np.array(found[way].box) - place).max() <= 2
        assert (found[way].first, found[way].last) == (0, 4)
        there = np.stack([where[:, held] for held in window])
        plain = np.stack([smooth(*held) for held in zip(film, holes, strict=True)])
        patched = np.stack([exemplar(*held)[0] for held in zip(film, holes, strict=True)])
        mine, other = (patched, plain) if way == "exemplar" else (plain, patched)
        assert psnr(frames, truth, there) > psnr(mine, truth, there) - 1
        assert psnr(frames, truth, there) > psnr(other, truth, there) + 2


def test_a_hole_is_the_same_one_as_long_as_it_is_there() -> None:
    """Seen with the camera: it moves in the picture, and stays where it is."""
    behind, left, right = two_grounds(1)
    guess = Guess()
    for t in range(5):
        place = np.array([[1, 0, 6.0 * t], [0, 1, 0], [0, 0, 1]])
        hole = np.roll(left if t < 3 else left | right, -6 * t, axis=1)
        guessed(guess, np.roll(behind, -6 * t, axis=1), hole, number=t, place=place)
    first, second = guess.holes
    assert (first.first, first.last, second.first, second.last) == (0, 4, 3, 4)
    assert (first.pixels, second.pixels) == (5 * left.sum(), 2 * right.sum())


def test_many_holes_are_no_more_work_and_no_more_memory() -> None:
    """Those beyond a few go with the nearest of these, and of all that come and go the largest are told of."""
    picture, guess = ground("haze", 2), Guess()
    for t in range(12):
        hole = np.zeros(SIZE, bool)
        hole[4 + t % 3 * 24 : 140 : 72, 4 + t % 4 * 24 :: 72] = True
        large = oval((40 + 10 * t, 72), (9, 6)) if t == 7 else np.zeros(SIZE, bool)
        hole |= large
        parts = guess.parts(hole, sight(picture, hole, t))
        assert len(parts) <= MOST_HOLES
        np.testing.assert_array_equal(np.sum([where for where, _ in parts], axis=0), hole)
        made, _ = guess.fill(without(picture, hole), parts, np.zeros_like(hole))
        assert not (made == THING).all(axis=-1).any()
    assert MOST_HOLES < len(guess.holes) <= KEPT_HOLES + MOST_HOLES
    assert max(guess.holes, key=lambda hole: hole.pixels).first == 7


@pytest.mark.parametrize("side", [12, 30, 60])
def test_patches_are_tried_beside_straight_sides_too(side) -> None:
    """As a shot looks at it: the hole with the margin around it, and no more."""
    extent = side + 2 * MARGIN
    v, u = np.mgrid[:extent, :extent]
    stripes = np.where((u + v) // 6 % 2, 60, 190).astype(np.uint8)
    picture = np.repeat(stripes[..., None], 3, axis=2)
    hole = np.zeros((extent, extent), bool)
    hole[MARGIN:-MARGIN, MARGIN:-MARGIN] = True
    guess = Guess()
    made = guessed(guess, without(picture, hole), hole)
    assert guess.way == "exemplar"
    assert np.abs(made.astype(int) - picture).mean() < 1


@pytest.mark.parametrize(
    "hole", [oval(), oval((4, 3)), oval((96, 72), (60, 45))], ids=["in", "corner", "large"]
)
def test_patches_are_of_what_is_shown_and_allowed(hole) -> None:
    """At the border, too, and where patches are sought at a fraction of the size."""
    truth = ground("stripes", 4)
    barred = oval((40, 110)) & ~hole
    given = without(truth, hole)
    given[barred] = (255, 0, 0)
    made, left = exemplar(given, hole, barred)
    assert not left.any()
    np.testing.assert_array_equal(made[~hole], given[~hole])
    colours = {tuple(colour) for colour in given[~hole & ~barred].tolist()}
    assert {tuple(colour) for colour in made[hole].tolist()} <= colours
    assert psnr(made, truth, hole) > psnr(telea(without(truth, hole), hole), truth, hole) + 3


def test_where_there_is_no_whole_patch_there_is_no_exemplar() -> None:
    hole = np.ones(SIZE, bool)
    hole[:8] = False
    given = without(ground("stripes", 5), hole)
    assert exemplar(given, hole) is None
    guess = Guess()
    assert guessed(guess, given, hole).shape == given.shape
    assert guess.way == "smooth"
    assert exemplar(given[:5, :5], np.eye(5) > 0) is None


@pytest.mark.parametrize("pan", [0, 2])
def test_a_shot_is_guessed_once_and_says_how(pan) -> None:
    """A hole that goes with the ground is seen in no frame."""
    behind = ground("stripes", 6)
    holes = np.stack([oval((90 - pan * t, 72)) for t in range(6)])[:, :, :160]
    truth = np.stack([behind[:, pan * t : pan * t + 160] for t in range(6)])
    film = np.where(holes[..., None], np.uint8(THING), truth)
    made = PropagateInpainter().inpaint(
        Video.from_frames(film, 25), Mask.from_frames(holes * np.uint8(255), 25)
    )
    frames = np.stack(list(made.frames()))
    report = made.source.report
    assert (report.guess, report.hidden) == ("exemplar", holes.sum())
    assert report.guessed > 0.8 * report.hidden
    smooth = np.stack([telea(*held) for held in zip(film, holes, strict=True)])
    assert psnr(frames, truth, holes) > psnr(smooth, truth, holes) + 6
    off = np.diff(frames.astype(float) - truth, axis=0)[holes[1:] & holes[:-1]]
    assert np.abs(off).mean() < (8 if pan else 0.01)


def test_a_smooth_guess_goes_with_what_is_around_it() -> None:
    """Somebody who is not masked stands beside the hole and goes, while the mask is wide: the guess goes by him no more."""
    behind = ground("haze", 4)
    hole = oval((96, 72), (18, 12))
    film = np.stack([behind] * 40)
    film[:3, 50:95, 60:90] = 20
    film[:, hole] = THING
    covered = np.stack([hole] * 40)
    covered[3:9, 40:104, 40:150] = True
    made = PropagateInpainter().inpaint(
        Video.from_frames(film, 25), Mask.from_frames(covered * np.uint8(255), 25)
    )
    frames = np.stack(list(made.frames())).astype(float)
    off = np.abs(frames - behind)[:, hole].mean(axis=(1, 2))
    assert off[0] > 20
    assert off[13] < 0.15 * off[0]
    # It comes to rest there.
    assert off[20:].max() <= off[13]
    np.testing.assert_array_equal(frames[30:, hole], frames[29:-1, hole])


def test_what_was_seen_once_is_carried_on_before_a_camera_that_moves(monkeypatch) -> None:
    """For longer than frames are looked back at: nothing smooth is mixed into it."""
    monkeypatch.setattr(inpainter, "REACH", 4)
    behind = ground("gravel", 9)
    hole = oval((110, 72), (12, 9))
    window = [slice(t, t + 150) for t in range(24)]
    truth = np.stack([behind[:, held] for held in window])
    covered = np.stack([hole[:, held] & (t > 2) for t, held in enumerate(window)])
    film = np.where(covered[..., None], np.uint8(THING), truth)
    made = PropagateInpainter().inpaint(
        Video.from_frames(film, 25), Mask.from_frames(covered * np.uint8(255), 25)
    )
    frames, report = np.stack(list(made.frames())), made.source.report
    assert report.guessed > 0.5 * report.hidden
    plain = smooth(film[-1], covered[-1])
    off = [np.abs(held.astype(float) - truth[-1])[covered[-1]].mean() for held in (frames[-1], plain)]
    assert off[0] < 0.2 * off[1]


def test_noise_moves_no_smooth_guess_before_a_still_camera() -> None:
    behind, hole = ground("haze", 2).astype(float), oval()
    noise = np.random.default_rng(5).normal(scale=2, size=(20, *behind.shape))
    film = np.where(hole[..., None], THING, behind + noise).round().clip(0, 255).astype(np.uint8)
    mask = Mask.from_frames(np.stack([hole] * 20) * np.uint8(255), 25)
    frames = np.stack(list(PropagateInpainter().inpaint(Video.from_frames(film, 25), mask).frames()))
    inside = frames[:, hole].astype(int)
    assert np.abs(np.diff(inside, axis=0)).mean() < 0.1
    assert np.abs(inside[-1] - inside[0]).mean() < 1


def test_patches_are_bounded_and_what_is_left_is_smooth(monkeypatch) -> None:
    """A hole of many pixels here and there takes a patch each: no film may wait for that."""
    truth = ground("stripes", 7)
    hole = np.zeros(SIZE, bool)
    hole[10::12, 10::12] = True
    monkeypatch.setattr(_exemplar, "MOST_PATCHES", 20)
    given = without(truth, hole)
    made, left = exemplar(given, hole)
    assert 0 < left.sum() < hole.sum()
    np.testing.assert_array_equal(made[left], given[left])
    guess = Guess()
    filled = guessed(guess, given, hole, patches=True)
    assert guess.way == "both"
    assert not (filled[hole] == THING).all(axis=-1).any()


def test_what_is_said_is_what_was_done() -> None:
    """Where patches were chosen, but none is whole, colours are smooth, and that is said."""
    hole = np.ones(SIZE, bool)
    hole[:8] = False
    guess = Guess()
    guessed(guess, without(ground("stripes", 5), hole), hole, patches=True)
    assert guess.way == "smooth"


def test_patches_go_by_what_shows_through() -> None:
    """Stripes that are solid and clear by turns, of one colour: nothing but the fourth channel tells them."""
    stripes = ground("stripes", 8)[..., :1] > 120
    truth = np.where(stripes, np.uint8((150, 150, 150, 255)), np.uint8((150, 150, 150, 0)))
    hole = oval()
    given = np.where(hole[..., None], np.uint8(90), truth)
    guess = Guess()
    made = guessed(guess, given, hole)
    assert guess.way == "exemplar"
    assert np.abs(made[hole].astype(int) - truth[hole])[:, 3].mean() < 40
    assert (made[hole][:, :3] == 150).all()


def test_other_ground_is_tried_again() -> None:
    plain, striped, hole = ground("haze", 1), ground("stripes", 1), oval()
    guess = Guess()
    guessed(guess, without(plain, hole), hole)
    assert guess.way == "smooth"
    for _ in range(24):
        guessed(guess, without(striped, hole), hole)
    assert guess.holes[0].patches
    assert guess.way == "both"
