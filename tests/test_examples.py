"""The examples of embedding work, and the pages print them as they are."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import httpx
import nbformat
import numpy as np
import pytest
from PIL import Image

from kinetoscope import Host
from kinetoscope_spec import Provider, hookimpl

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"
PAGES = [
    ROOT / "docs" / "pages" / "how-to" / name
    for name in ("embed-the-host.md", "bring-a-hook.md", "fill-a-stage.md")
]

gl = pytest.mark.gl


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))


def example(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    folder, _, module = name.partition("/")
    monkeypatch.syspath_prepend(str(EXAMPLES / folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, module, raising=False)
    return import_module(module)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_pages_print_the_examples_and_run_the_rest(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```([^\n]+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    for head, code in blocks:
        if "title=" in head:
            included = re.fullmatch(r'--8<-- "(docs/examples/[^"]+)"\n', code)
            assert included, f"{head} is not the code of an example"
            assert (ROOT / included[1]).is_file(), included[1]
            assert Path(included[1]).name in head
        else:
            assert head == "{.python .run}" or head.startswith("toml"), f"{head!r}: {code}"


# -- the service


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return example("service/app", monkeypatch)


@asynccontextmanager
async def client(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as connected,
    ):
        yield connected


def talk(app: Any, conversation: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        async with client(app) as connected:
            return await conversation(connected)

    return asyncio.run(whole())


WALK = {"sample": "walk", "frame": 10, "width": 96, "height": 54}
JOG = {"sample": "jog", "frame": 40, "width": 64, "height": 64}
FILM = {"sample": "walk", "frame": 10, "frames": 8, "width": 96, "height": 54}


@gl
@pytest.mark.slow
def test_requests_at_once_get_the_pictures_that_each_gets_alone(service: ModuleType, tmp_path: Path) -> None:
    async def conversation(connected: httpx.AsyncClient) -> tuple[list[bytes], list[bytes]]:
        async def ask(data: dict[str, Any]) -> bytes:
            answer = await connected.post("/render", data=data)
            assert answer.status_code == 200, answer.text
            return answer.content

        alone = [await ask(data) for data in (WALK, JOG, FILM)]
        together = await asyncio.gather(*(ask(data) for data in (WALK, JOG, FILM, WALK, JOG)))
        return alone, together

    alone, together = talk(service.create_app(), conversation)
    assert together == [*alone, *alone[:2]]
    picture = np.asarray(Image.open(io.BytesIO(alone[0])))
    assert picture.shape == (54, 96, 3)
    assert np.unique(picture.reshape(-1, 3), axis=0).shape[0] > 50, "somebody is to be seen"
    assert Image.open(io.BytesIO(alone[1])).size == (64, 64)
    with av.open(io.BytesIO(alone[2])) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 8
    assert np.abs(frames[0].astype(int) - picture).mean() < 8, "the film begins with the picture"
    assert list((tmp_path / "tmp").iterdir()) == []


@gl
def test_a_file_that_is_sent_is_read_by_its_bytes(service: ModuleType, tmp_path: Path) -> None:
    async def conversation(connected: httpx.AsyncClient) -> list[httpx.Response]:
        walk = service.SAMPLES["walk"]
        small = {"width": "64", "height": "36"}
        return [
            await connected.post("/render", data=small, files={"file": (name, data)})
            for name, data in (
                ("walk.png", walk),
                ("../../up.bvh", b"HIERARCHY\nROOT x\n{\n  OFFSET 0 0\n}\n"),
            )
        ]

    good, bad = talk(service.create_app(), conversation)
    assert good.headers["content-type"] == "image/png", good.text
    assert bad.status_code == 422
    assert bad.json()["detail"].startswith("../../up.bvh:5: ")
    assert "OFFSET" in bad.json()["detail"]
    assert str(tmp_path) not in bad.text
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "no file, and no sample None; samples: walk, jog"),
        ({"sample": "run"}, "no sample 'run'"),
        ({"sample": "walk", "frame": 121}, "walk has 121 frames, asked for 122"),
        ({"sample": "walk", "width": 2}, "greater than or equal to 16"),
        ({"sample": "walk", "frames": 1000}, "less than or equal to 90"),
    ],
)
def test_wrong_requests_are_told_what_is_wrong(service: ModuleType, data: dict[str, Any], text: str) -> None:
    answer = talk(service.create_app(), lambda connected: connected.post("/render", data=data))
    assert answer.status_code == 422
    assert text in answer.text


@pytest.mark.parametrize("declared", [True, False])
def test_a_request_that_is_too_large_is_refused_before_it_is_read_to_the_end(
    service: ModuleType, tmp_path: Path, declared: bool
) -> None:
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield head
        for _ in range(64):
            sent += 1
            yield b"x" * (1 << 20)

    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    if declared:
        headers["Content-Length"] = "1000"  # which is a lie
    answer = talk(
        service.create_app(),
        lambda connected: connected.post("/render", content=endless(), headers=headers),
    )
    assert answer.status_code == 413
    assert "larger than 16777216 bytes" in answer.json()["detail"]
    assert sent < 20
    assert list((tmp_path / "tmp").iterdir()) == []


class NoDriver:
    """A plugin whose renderer lacks something."""

    @hookimpl
    def renderer(self) -> Sequence[Provider]:
        return [Provider("none", "made for a test", load=object, requires=["library:libnothing.so.9"])]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"plugins": [NoDriver()], "config": {"providers": {"renderer": "none"}}}, "libnothing.so.9"),
        ({"block": ["deferred", "raster"], "config": {}}, "no renderer"),
    ],
)
def test_a_renderer_that_is_not_there_is_the_servers_fault(
    service: ModuleType, options: dict[str, Any], text: str
) -> None:
    app = service.create_app(lambda: Host(**options))
    answer = talk(app, lambda connected: connected.post("/render", data=WALK))
    assert answer.status_code == 503
    assert text in answer.json()["detail"]


def test_the_host_lives_as_long_as_the_app(service: ModuleType) -> None:
    made: list[Host] = []

    def make_host() -> Host:
        made.append(Host(config={}))
        return made[-1]

    app = service.create_app(make_host)
    assert not made
    answer = talk(app, lambda connected: connected.get("/openapi.json"))
    assert "/render" in answer.json()["paths"]
    assert ["closed" in repr(host) for host in made] == [True]


# -- the notebook


@gl
@pytest.mark.slow
def test_the_notebook_shows_a_film_that_plays(tmp_path: Path) -> None:
    book = nbformat.read(EXAMPLES / "notebook" / "first-look.ipynb", as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code), (
        "commit it without outputs"
    )
    # A process of its own: the client changes signal handlers and event loop policies.
    shutil.copy(EXAMPLES / "notebook" / "first-look.ipynb", tmp_path)
    run = (
        "import nbformat, nbclient; book = nbformat.read('first-look.ipynb', 4);"
        "nbclient.NotebookClient(book, timeout=120).execute(); nbformat.write(book, 'done.ipynb')"
    )
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    book = nbformat.read(tmp_path / "done.ipynb", as_version=4)
    shown = [output.data for cell in book.cells for output in cell.get("outputs", ()) if "data" in output]
    kinds = {kind for data in shown for kind in data}
    assert {"image/png", "image/svg+xml", "text/html"} <= kinds
    (html,) = [data["text/html"] for data in shown if "text/html" in data]
    found = re.search(r'<source src="data:video/mp4;base64,([^"]+)"', html)
    assert found
    with av.open(io.BytesIO(base64.b64decode(found[1]))) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
    assert len(frames) == 30
    (png,) = [data["image/png"] for data in shown if "image/png" in data]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))
    assert picture.shape == frames[0].shape == (180, 320, 3)
    assert np.abs(frames[0].astype(int) - picture).mean() < 6, "the film begins with the picture"
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 60, "somebody moves"


# -- the rest


def test_a_test_of_somebodys_own_passes_whatever_is_installed(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "testing", tmp_path / "theirs", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "theirs" / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    done = subprocess.run(
        command, cwd=tmp_path / "theirs", capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_two_hosts_in_two_threads_read_one_file_each_its_own_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = tmp_path / "track"
    track.write_text("# points\n0,0,0\n30,0,40\n")
    distances = example("two_hosts/two_hosts", monkeypatch).distances
    assert distances(track, [1.0, 0.01]) == pytest.approx([50.0, 0.5])
    units = [10.0**-n for n in range(6)]
    assert distances(track, units) == pytest.approx([50 * unit for unit in units])


def test_reading_says_who_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = tmp_path / "clip.any"
    clip.write_bytes(b"# kinetoscope sample\nseconds = 1.0\n")
    told = example("embed/read", monkeypatch).describe(clip)
    assert "31 frames of 26 joints at 30 Hz" in told
    assert "samples" in told


def test_a_shot_is_cancelled_from_another_thread_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kinetoscope_samples.shot import write_sample

    shot = write_sample(tmp_path / "sample", steps=1)
    before = sorted(tmp_path.joinpath("sample").rglob("*"))
    shoot_unless = example("embed/shooting", monkeypatch).shoot_unless
    with ThreadPoolExecutor(1) as threads:  # where no signal handler could be installed
        assert threads.submit(shoot_unless, lambda: True, shot).result() is None
    assert sorted(tmp_path.joinpath("sample").rglob("*")) == before


@gl
@pytest.mark.slow
def test_a_shot_that_is_not_cancelled_is_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kinetoscope_samples.shot import write_sample

    path = ((0, 0), (0.3, 1.5))
    shot = write_sample(tmp_path / "sample", steps=20, size=(64, 36), quality="draft", path=path)
    film = example("embed/shooting", monkeypatch).shoot_unless(lambda: False, shot)
    assert film.film.stat().st_size > 1000
    assert film.figures["foot_skate_cm_s"]["after"] >= 0


# -- the stage


@gl
def test_a_crowd_is_filmed_and_does_it_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    crowd = example("stage/crowd", monkeypatch)
    with Host() as host:
        walks, run, wave = crowd.samples(host)
        digests = []
        for name in ("one", "two"):
            options = {"count": 6, "seconds": 0.3, "size": (96, 54), "quality": "draft"}
            world, recording, _ = crowd.film(host, walks, run, wave, tmp_path / f"{name}.mp4", **options)
            digests.append(world.digest())
    assert digests[0] == digests[1]
    assert len(recording.ticks) == 9
    with av.open(str(tmp_path / "one.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 9
    assert len(np.unique(frames[0].reshape(-1, 3), axis=0)) > 50, "somebody is to be seen"
