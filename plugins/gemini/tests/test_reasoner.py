"""The reasoner through the real client and a server on this machine: what it shows, sends, and makes of answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from gemini_loopback import KEY
from gemini_sight import Sight
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_av.provider import AvMedia
from kinetoscope_gemini import _sight
from kinetoscope_gemini.contract_reasoner import GeminiReasonerContract
from kinetoscope_gemini.errors import (
    Blocked,
    KeyRefused,
    NoAnswer,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServerFault,
)
from kinetoscope_gemini.reasoner import GeminiReasoner
from kinetoscope_quadmask.hooks import Affected, Grid, ReasonerContract, Step
from kinetoscope_spec import Cancelled, Mask, ValidationError, Video

COUNT, HIGH, WIDE = 24, 90, 160


class TestGeminiReasoner(ReasonerContract):
    """All laws: this model answers the same each time."""

    @pytest.fixture(autouse=True)
    def provider_and_server(self) -> Iterator[None]:
        with Sight() as server:
            type(self).provider = held = GeminiReasoner(AvMedia(), base_url=server.url, first_wait_s=0)
            yield
            held.close()


def test_what_a_model_cannot_promise_is_left_out() -> None:
    assert set(GeminiReasonerContract.of(None).left_out()) == {"the_same_video_gives_the_same_answer"}


@pytest.fixture
def sight() -> Iterator[Sight]:
    with Sight() as server:
        yield server


@pytest.fixture
def make(sight: Sight) -> Iterator[Any]:
    made: list[GeminiReasoner] = []

    def maker(media: Any = None, **settings: Any) -> GeminiReasoner:
        made.append(
            GeminiReasoner(
                media, **{"base_url": sight.url, "first_wait_s": 0.001, "timeout_s": 20.0, **settings}
            )
        )
        return made[-1]

    yield maker
    for held in made:
        held.close()


def scene(width: int = WIDE, height: int = HIGH) -> tuple[Video, Mask]:
    """A grey box in the middle of frames 8 to 15 on green."""
    frames = np.full((COUNT, height, width, 3), (60, 120, 70), np.uint8)
    inside = np.zeros((COUNT, height, width), bool)
    inside[8:16, height // 3 : height // 2, width // 3 : width // 2] = True
    inside[12, height // 4 : height // 2, width // 3 : width // 2] = True
    frames[inside] = 128
    return Video.from_frames(frames, Fraction(12)), Mask.from_frames(np.where(inside, 255, 0), 12)


def test_frames_a_target_and_the_film_are_shown(make: Any, sight: Sight) -> None:
    made = make(AvMedia()).reason(*scene(), instruction="take   the box\nout")
    ((pictures, frames),) = sight.looked
    assert pictures == [(WIDE, HIGH)] * 11
    assert frames == COUNT
    parts = sight.bodies[0]["contents"][0]["parts"]
    said = [part["text"] for part in parts if "text" in part]
    assert said[:3] == [
        "Frame 0 of 24 (0% of the video), grid drawn over it:",
        "Frame 2 of 24 (9% of the video), grid drawn over it:",
        "Frame 5 of 24 (22% of the video), grid drawn over it:",
    ]
    assert said[-2] == "TARGET: frame 12, the object to be removed is red:"
    assert "What the user wants: take the box out\n" in said[-1]
    assert "grid of 8 rows and 14 columns" in said[-1]
    # the middle of the red is in row 2 or 3, columns 4 to 6; what lies off the grid and past the end is told
    assert made.affected == (
        Affected("shadow", "visual_artifact", "It is cast by the disc.", cells=made.affected[0].cells),
    )
    ((row, col),) = made.affected[0].cells[0].cells
    assert row in (3, 4)
    assert col in (4, 5, 6)
    assert (made.scene, made.confidence, made.grid) == ("A plain floor.", 0.7, Grid(8, 14))
    assert any("cell (8, 0) lies outside" in text for text in made.warnings)
    assert any("frame 10000 is not there" in text for text in made.warnings)


def test_a_whole_answer_is_taken(make: Any, sight: Sight) -> None:
    ball = {
        "noun": "Ball", "category": "physical", "why": "held", "will_move": True, "first_appears_frame": 8,
        "movement_description": "falls", "object_size_grids": {"rows": 3, "cols": 3},
        "trajectory_path": [{"frame": 8, "grid_row": 2, "grid_col": 5}, {"frame": 15, "grid_row": 7, "grid_col": 5}],
        "box_2d": [0, 500, 500, 1000], "box_frame": 9,
    }  # fmt: skip
    sight.answers.append("```json\n" + json.dumps({"affected_objects": [ball], "confidence": 1}) + "\n```")
    (held,) = make().reason(*scene()).affected
    assert held.path == (Step(8, 2, 5), Step(15, 7, 5))
    assert (held.box.left, held.box.top, held.box.right, held.box.bottom, held.box.frame) == (
        80,
        0,
        160,
        45,
        9,
    )
    assert held.size == (3, 3)


def test_without_media_frames_are_enough(make: Any, sight: Sight) -> None:
    make(frames=3).reason(*scene())
    assert [(len(pictures), frames) for pictures, frames in sight.looked] == [(4, 0)]


def test_large_pictures_are_brought_down(make: Any, sight: Sight) -> None:
    make(frames=1).reason(*scene(2050, 1100))
    assert sight.looked[0][0] == [(683, 366)] * 2


def test_a_large_film_is_uploaded_and_deleted(
    make: Any, sight: Sight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinetoscope_gemini._client.POLL_S", 0.001)
    sight.processing = 2
    make(AvMedia(), inline_mb=0).reason(*scene())
    assert sight.looked[0][1] == COUNT
    assert sight.deleted == ["files/film0"]
    assert sight.files == {}


def test_an_upload_that_fails_leaves_frames(make: Any, sight: Sight) -> None:
    sight.processing = "FAILED"
    made = make(AvMedia(), inline_mb=0).reason(*scene())
    assert [frames for _, frames in sight.looked] == [0]
    assert made.warnings[0].startswith(
        "the film was refused, only frames were sent: Gemini can't read the film"
    )
    assert sight.deleted == ["files/film0"]


def test_an_upload_that_is_never_ready_is_sent_again_then_given_up(
    make: Any, sight: Sight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinetoscope_gemini._client.POLL_S", 0)
    monkeypatch.setattr("kinetoscope_gemini._client.MOST_POLLS", 3)
    sight.processing = "PROCESSING"
    with pytest.raises(NoAnswer, match="not ready in time"):
        make(AvMedia(), inline_mb=0, attempts=2).reason(*scene())
    assert len(sight.deleted) == 2


def test_a_film_that_is_too_large_is_left_out(make: Any, sight: Sight) -> None:
    made = make(AvMedia(), upload_mb=0).reason(*scene())
    assert [frames for _, frames in sight.looked] == [0]
    assert "only frames were sent" in made.warnings[0]


def test_a_model_that_takes_no_video_is_asked_with_frames(make: Any, sight: Sight) -> None:
    sight.faults.extend(["no-video", "ok"])
    made = make(AvMedia()).reason(*scene())
    assert [frames for _, frames in sight.looked] == [COUNT, 0]
    assert made.warnings[0].startswith("the film was refused")


@pytest.mark.parametrize(
    "fault", ["500", "503", "429:0.01", "text", "no-candidates", "finish:MAX_TOKENS", "truncated-json"]
)
def test_what_may_help_is_sent_again(make: Any, sight: Sight, fault: str) -> None:
    sight.faults.extend([fault, fault])
    assert make().reason(*scene()).scene == "A plain floor."
    assert len(sight.seen) == 3


@pytest.mark.parametrize(
    ("fault", "kind", "sent"),
    [
        ("400", RequestRefused, 1),
        ("400-key", KeyRefused, 1),
        ("429-per-day", QuotaExhausted, 1),
        ("429:9999", RateLimited, 1),
        ("blocked:SAFETY", Blocked, 1),
        ("finish:PROHIBITED_CONTENT", Blocked, 1),
        ("500", ServerFault, 2),
        ("text", NoAnswer, 2),
    ],
)
def test_what_does_not_help_is_said(
    make: Any, sight: Sight, fault: str, kind: type[Exception], sent: int
) -> None:
    sight.faults.extend([fault] * 4)
    with pytest.raises(kind) as caught:
        make(attempts=2).reason(*scene())
    assert len(sight.seen) == sent
    error: BaseException | None = caught.value
    while error is not None:  # nothing on the way shows the key
        assert KEY not in f"{error!r} {error} {getattr(error, '__notes__', '')}"
        error = error.__cause__ or error.__context__


def test_waiting_can_be_cancelled(make: Any, sight: Sight) -> None:
    sight.faults.append("slow:5")
    told: list[tuple[int, str]] = []

    def listen(done: int, _total: int, message: str) -> bool:
        told.append((done, message))
        return message != "waiting for Gemini"

    with pytest.raises(Cancelled, match="waiting for Gemini"):
        make().reason(*scene(), progress=listen)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_nothing_to_remove_sends_nothing(sight: Sight, make: Any) -> None:
    video, _ = scene()
    empty = Mask.from_frames(np.zeros((COUNT, HIGH, WIDE), np.uint8), 12)
    assert make().reason(video, empty).affected == ()
    assert sight.seen == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"model": "Gemini Pro"}, "expected the id of a model that sees"),
        ({"frames": 0}, "frames is 0, expected 1 to 100"),
        ({"film": 1}, "expected true or false"),
        ({"framse": 3}, "did you mean 'frames'"),
        ({"inline_mb": 99}, "expected 0 to 14"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        GeminiReasoner(**settings)


def test_a_host_configures_and_finds_it(sight: Sight) -> None:
    host_of = pytest.importorskip("kinetoscope").Host
    table = {"base_url": sight.url, "reasoner": {"frames": 2, "model": "gemini-9-vision"}}
    with host_of(config={"plugins": {"gemini": table}}) as host:
        held = host.provider("reasoner", "gemini")
        assert host.provider("voice", "gemini").settings.base_url == sight.url
        made = held.reason(*scene())
        held.close()
    assert made.scene == "A plain floor."
    assert "/models/gemini-9-vision:generateContent" in sight.seen[0][0]
    assert sight.looked == [([(WIDE, HIGH)] * 3, COUNT)]  # the host's media provider made the film


@given(st.integers(1, 500), st.integers(1, 30))
def test_frames_are_shown_from_the_first_to_the_last(count: int, most: int) -> None:
    places = _sight.shown_places(count, most)
    assert places[0] == 0
    assert len(places) <= most
    assert places == sorted(set(places))
    assert all(0 <= place < count for place in places)
    if most > 1:
        assert places[-1] == count - 1


def test_the_ten_frames_of_voids_own_pipeline() -> None:
    """int(t (n - 1)) at t = 0, 1/9, …, 1, as its description has it."""
    assert _sight.shown_places(62, 10) == [0, 6, 13, 20, 27, 33, 40, 47, 54, 61]
