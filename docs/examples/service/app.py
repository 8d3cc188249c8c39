"""A render service: motion in, a picture or a short film out. Run it with `uvicorn app:app`.

One host lives as long as the app and all requests share it. A renderer's session belongs to the
thread that opened it, so each request opens one of its own, in the worker thread that renders.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import FastAPI, Form, HTTPException, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from kinetoscope import Host
from kinetoscope.shot import film, settings
from kinetoscope_spec import Asset, FormatError, ProviderNotFound, ProviderUnavailable

MOST_BYTES = 16 << 20
"""Of a request: a motion of some minutes, and no more."""
MOST_FRAMES = 90
WORKERS = 2
"""How many render at once; more wait in line."""
SAMPLES = {
    "walk": b"# kinetoscope sample\naction = 'walk'\nseconds = 4.0\n",
    "jog": b"# kinetoscope sample\naction = 'jog'\nseconds = 4.0\n",
}
Side = Annotated[int, Form(ge=16, le=1920, multiple_of=2)]


def create_app(make_host: Callable[[], Host] = Host) -> FastAPI:
    """Return the app; `make_host` is called when it starts, and what it makes is closed when it ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with make_host() as host, ThreadPoolExecutor(WORKERS, "render") as workers:
            app.state.host, app.state.workers = host, workers
            yield

    app = FastAPI(title="render service", lifespan=lifespan)
    app.add_middleware(Bounded)
    app.add_exception_handler(FormatError, _told(422))
    app.add_exception_handler(ProviderUnavailable, _told(503))
    app.add_exception_handler(ProviderNotFound, _told(503))
    app.post("/render")(render)
    return app


async def render(
    request: Request,
    file: UploadFile | None = None,
    sample: Annotated[str | None, Form()] = None,
    frame: Annotated[int, Form(ge=0)] = 0,
    frames: Annotated[int, Form(ge=1, le=MOST_FRAMES)] = 1,
    width: Side = 640,
    height: Side = 360,
) -> Response:
    """Draw `frames` frames from `frame` on: a PNG of one, an MP4 of more."""
    if file is not None:
        name, data = file.filename or "upload", await file.read()
    elif sample in SAMPLES:
        name, data = sample, SAMPLES[sample]
    else:
        raise HTTPException(422, f"no file, and no sample {sample!r}; samples: {', '.join(SAMPLES)}")
    state = request.app.state
    wanted = (data, name, slice(frame, frame + frames), (width, height))
    body = await asyncio.get_running_loop().run_in_executor(state.workers, _draw, state.host, *wanted)
    return Response(body, media_type="image/png" if frames == 1 else "video/mp4")


def _draw(host: Host, data: bytes, name: str, span: slice, size: tuple[int, int]) -> bytes:
    """Return the bytes of a picture or film; the thread that calls this opens and closes the session."""
    with TemporaryDirectory(prefix="render-") as folder:
        motion, character = film.stand_in(_read(host, Path(folder, "source"), data, name), 0)
        if span.stop > motion.frame_count:
            raise HTTPException(422, f"{name} has {motion.frame_count} frames, asked for {span.stop}")
        views = film.cameras(settings.Camera(), motion, None)[span]
        shown = motion.slice(span.start, span.stop)
        output = settings.Output(file="film.mp4", size=size, framerate=motion.framerate, quality="draft")
        drawn = film.draw(host.renderer(), output, settings.Light(), character, shown, views)
        media = host.provider("media")
        if len(views) == 1:
            (picture,) = drawn
            target = Path(folder, "picture.png")
            media.write_image(target, picture)
        else:
            target = Path(folder, "film.mp4")
            media.write(target, drawn, rate=motion.framerate)
        return target.read_bytes()


def _read(host: Host, source: Path, data: bytes, name: str) -> Asset:
    """Read a motion by its bytes: the name that a client gave is not trusted, errors only quote it."""
    source.write_bytes(data)
    try:
        return host.open(source)
    except FormatError as error:
        raise FormatError(str(error).replace(str(source), name)) from error


def _told(status: int) -> Callable[[Request, Exception], JSONResponse]:
    """Return a handler that answers with an error's own message."""
    return lambda _request, error: JSONResponse({"detail": str(error)}, status)


class Bounded:
    """Refuses a request once more than `MOST_BYTES` of it have come, whatever length it declared."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on and count what is read of it."""
        taken = 0

        async def counted() -> Any:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MOST_BYTES:
                raise HTTPException(413, f"the request is larger than {MOST_BYTES} bytes")
            return message

        await self.app(scope, counted, send)


app = create_app()
