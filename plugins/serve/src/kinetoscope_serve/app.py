"""The service's addresses: what is asked where, and what is answered."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import attrs
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from kinetoscope_serve import guard
from kinetoscope_serve.gate import admit
from kinetoscope_serve.jobs import ENDED, Job, Jobs
from kinetoscope_serve.limits import Limits, Refused
from kinetoscope_serve.names import SAMPLES
from kinetoscope_serve.receiving import Form, receive
from kinetoscope_serve.working import Task

__all__ = ["Service"]

WATCH_S: Final = 0.1
BEAT_S: Final = 10.0
"""Seconds after which an event stream says that it is there: a client that left is noticed."""

PAGE: Final = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/serve.js": ("serve.js", "text/javascript; charset=utf-8"),
    "/serve.css": ("serve.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
KINDS: Final = {
    "film": "video/mp4",
    "report": "application/json",
    "page": "text/html; charset=utf-8",
    "motion": "text/plain; charset=utf-8",
    "unplanted": "text/plain; charset=utf-8",
}
_TEXTS: Final = ("report", "page")
_SANDBOX: Final = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""A report is shown as it is, and holds words that a stranger wrote: nothing in it runs."""


@attrs.define(eq=False)
class Service:
    """All that requests share.

    Attributes:
        host: of the providers; jobs have their own, made by `make_host`.
        make_host: pickles.
        jobs: the queue.
        limits: what is put up with.
        token: that requests bear.
        names: by which the server goes.
        samples: a folder whose files every shot may name, or None.
    """

    host: Any
    make_host: Callable[[], Any]
    jobs: Jobs
    limits: Limits
    token: str
    names: tuple[str, ...]
    samples: Path | None = None
    _arriving: int = 0
    _watching: int = 0

    def app(self) -> guard.Guard:
        """Return the application."""
        job = "/api/jobs/{job}"
        routes = [
            *(Route(path, self._page) for path in PAGE),
            Route("/api/state", _answering(self._state)),
            Route("/api/events", _answering(self._events)),
            Route("/api/jobs", _answering(self._submit), methods=["POST"]),
            Route(job, _answering(self._show)),
            Route(job, _answering(self._remove), methods=["DELETE"]),
            Route(f"{job}/cancel", _answering(self._cancel), methods=["POST"]),
            Route(f"{job}/events", _answering(self._events)),
            Route(job + "/{kind}", _answering(self._file)),
        ]
        handlers = {HTTPException: _unknown, Exception: _broken}
        return guard.Guard(Starlette(routes=routes, exception_handlers=handlers), self.names, self.token)

    # -- what is asked

    async def _page(self, request: Request) -> Response:
        name, kind = PAGE[request.url.path]
        content = files("kinetoscope_serve").joinpath("page", name).read_bytes()
        return Response(content, media_type=kind)

    async def _state(self, _request: Request) -> Response:
        told = {
            "jobs": [self.told(job) for job in self.jobs.all()],
            "limits": attrs.asdict(self.limits),
            "samples": self.samples is not None and (self.samples / "shot.toml").is_file(),
        }
        return JSONResponse(told)

    async def _submit(self, request: Request) -> Response:
        self.jobs.check_room()
        if self._arriving >= self.limits.arriving:
            raise Refused(503, f"{self._arriving} uploads arrive already; try later")
        self._arriving += 1
        try:
            name, folder = self.jobs.new_folder()
            try:
                form = await receive(request, folder / "in", self.limits)
                job = await asyncio.to_thread(self._made, name, folder, form)
                self.jobs.add(job)
            except BaseException:
                await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
                raise
        finally:
            self._arriving -= 1
        return JSONResponse(self.told(job), 201)

    async def _show(self, request: Request) -> Response:
        return JSONResponse(self.told(self._job(request)))

    async def _remove(self, request: Request) -> Response:
        await asyncio.to_thread(self.jobs.remove, self._job(request))
        return JSONResponse({})

    async def _cancel(self, request: Request) -> Response:
        job = self._job(request)
        await asyncio.to_thread(self.jobs.cancel, job)
        return JSONResponse(self.told(job))

    async def _events(self, request: Request) -> Response:
        job = self._job(request) if "job" in request.path_params else None
        if self._watching >= self.limits.watchers:
            raise Refused(503, f"{self._watching} clients watch already; try later")
        return StreamingResponse(self._watched(job), media_type="text/event-stream")

    async def _watched(self, only: Job | None) -> AsyncIterator[str]:
        """Yield what is told of a job each time that it changes, until it has ended; of all, until all ends."""
        self._watching += 1
        try:
            seen: dict[str, Any] = {}
            silent = 0.0
            while True:
                closed = self.jobs.closed  # asked first: what ended by then is told
                for told in self._news(seen, self.jobs.all() if only is None else [only]):
                    silent = 0.0
                    yield f"data: {json.dumps(told)}\n\n"
                if closed or (only is not None and only.state in ENDED and seen[only.id][1] in ENDED):
                    return
                if silent >= BEAT_S:
                    silent = 0.0
                    yield ": still there\n\n"
                await asyncio.sleep(WATCH_S)
                silent += WATCH_S
        finally:
            self._watching -= 1

    def _news(self, seen: dict[str, Any], jobs: list[Job]) -> Iterator[dict[str, Any]]:
        """Yield what is told of jobs that are not as they were `seen`, and note how they are."""
        for job in jobs:
            now = (job.version, job.state, self.jobs.place(job))
            if seen.get(job.id) != now:
                seen[job.id] = now
                yield self.told(job)
        for name in seen.keys() - {job.id for job in jobs}:
            del seen[name]
            yield {"id": name, "state": "removed"}

    async def _file(self, request: Request) -> Response:
        job, kind = self._job(request), request.path_params["kind"]
        if kind not in KINDS:
            raise Refused(404, f"there is no {kind[:40]!r}, expected one of {', '.join(KINDS)}")
        held = job.result.get("files", {}).get(kind)
        if held is None or not Path(held).is_file():
            raise Refused(404, f"the job is {job.state}: it has no {kind}")
        if kind not in _TEXTS:
            return FileResponse(held, media_type=KINDS[kind])
        text = await asyncio.to_thread(Path(held).read_text, encoding="utf-8")
        headers = {"Content-Security-Policy": _SANDBOX}
        return Response(job.without_folder(text), media_type=KINDS[kind], headers=headers)

    # -- what is answered

    def told(self, job: Job) -> dict[str, Any]:
        """Return what a client is told of a job."""
        key = guard.key_of(self.token, job.id)
        links = {kind: f"/api/jobs/{job.id}/{kind}?key={key}" for kind in job.result.get("files", {})}
        return {
            "id": job.id,
            "name": job.name,
            "state": job.state,
            "cancelling": job.cancelling and job.state == "running",
            "before": self.jobs.place(job),
            "stage": job.event.get("stage"),
            "fraction": job.event.get("fraction"),
            "whole": 1.0 if job.state == "done" else job.event.get("whole", 0.0),
            "message": job.event.get("message"),
            "error": job.error,
            "seconds": None if job.began is None or job.ended is None else round(job.ended - job.began, 1),
            "stages": job.result.get("stages", []),
            "warnings": [job.without_folder(text) for text in job.result.get("warnings", [])],
            **{kind: links.get(kind) for kind in KINDS},
        }

    def _job(self, request: Request) -> Job:
        return self.jobs.get(request.path_params["job"])

    def _made(self, name: str, folder: Path, form: Form) -> Job:
        """Return the job that a form asks for.

        Raises:
            Refused: a file may not come in, or the shot can't be shot.
        """
        admit(self.host, form.files)
        if self.samples is not None:
            _link(folder / "in" / SAMPLES, self.samples)
        within = (folder / "in", *filter(None, [self.samples]))
        shot = self._shot_of(folder, form)
        out, cores = folder / "out" / "shot.mp4", self.jobs.limits.cores_each()
        task = Task(self.make_host, shot, within, out, folder / "scratch", cores)
        job = Job(name, form.fields.get("name", "")[:100] or "shot", folder, task)
        problems = self.host.check_shot(shot, within=within)
        if problems:
            told = [job.without_folder(text) for text in problems]
            raise Refused(422, "; ".join(told), problems=told)
        return job

    def _shot_of(self, folder: Path, form: Form) -> Path:
        if form.fields.get("sample"):
            if self.samples is None:
                raise Refused(422, "this service has no sample")
            return self.samples / "shot.toml"
        if "shot.toml" not in form.files:
            raise Refused(422, "no file is called shot.toml, which says what is to be shot")
        return form.files["shot.toml"]


def _link(link: Path, folder: Path) -> None:
    """Let a folder be found in another; copied where links are not for everybody (Windows)."""
    try:
        link.symlink_to(folder, target_is_directory=True)
    except OSError:
        shutil.copytree(folder, link)


def _answering(work: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await work(request)
        except Refused as error:
            return guard.told(error)
        except OSError as error:
            return guard.told(Refused(507, f"the service can't keep it: {error.strerror}"))

    return answer


async def _unknown(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = "there is nothing of that name" if status == 404 else "that can't be asked here"
    return guard.told(Refused(status, said))


async def _broken(_request: Request, _error: Exception) -> Response:
    return guard.told(Refused(500, "the service failed at this; its log says more"))
