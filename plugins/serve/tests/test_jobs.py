"""Jobs in their processes: to their end, and ended."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest
from serve_page import SMALL, TOKEN, Page, shot
from serve_work import FILM, work

from kinetoscope import Host
from kinetoscope_serve.jobs import Jobs
from kinetoscope_serve.limits import Limits
from kinetoscope_serve.working import THREADS, _Telling


def events(page: Page, job: str, most: int = 1000) -> list[dict[str, object]]:
    """What the event stream tells, to its end or until `most` were told."""
    found: list[dict[str, object]] = []
    with page.connect() as connection:
        lines = [
            f"GET /api/jobs/{job}/events HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {TOKEN}",
            "",
            "",
        ]
        connection.sendall("\r\n".join(lines).encode())
        for line in connection.makefile("rb"):
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
                if len(found) >= most:
                    break
    return found


def test_a_job_is_told_of_and_its_files_are_fetched(page: Page) -> None:
    job = page.begin("make")
    told = events(page, job)
    assert [one["state"] for one in told][-1] == "done"
    last = told[-1]
    assert last == page.told(job)
    assert (last["whole"], last["error"]) == (1.0, None)
    assert last["warnings"] == ["shot.toml:3: so"]  # and not where the service keeps it
    # the link opens this job's files, without a header and nothing else
    for given in ({}, {"Authorization": "none"}):
        status, film, headers = page.ask("GET", str(last["film"]), **given)
        assert (status, film, headers["content-type"]) == (200, FILM, "video/mp4")
    assert page.ask("GET", str(last["film"])[:-1], Authorization="none")[0] == 401
    assert page.ask("GET", f"/api/jobs/{job}/film", Authorization="none")[0] == 401
    key = str(last["film"]).partition("?")[2]
    assert page.ask("GET", f"/api/jobs/{job}?{key}", Authorization="none")[0] == 401
    assert page.ask("POST", f"/api/jobs/{job}/cancel?{key}", b"", Authorization="none")[0] == 401
    assert page.ask("DELETE", f"/api/jobs/{job}?{key}", Authorization="none")[0] == 401
    status, part, headers = page.ask("GET", str(last["film"]), Range="bytes=100-199")
    assert (status, part) == (206, FILM[100:200])
    _, report, _ = page.ask("GET", str(last["report"]))
    assert report == {"path": "shot.toml", "film": "out/shot.mp4"}
    _, _, headers = page.ask("GET", str(last["page"]))
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert page.ask("GET", f"/api/jobs/{job}/motion")[0] == 404
    assert page.ask("GET", f"/api/jobs/{job}/passwd")[0] == 404
    # uploads are gone, what was made stays until it is removed
    assert {name.rpartition("/")[2] for name in page.files()} == {
        "shot.mp4",
        "shot.report.json",
        "shot.report.html",
    }
    assert page.ask("DELETE", f"/api/jobs/{job}")[0] == 200
    assert page.ask("GET", str(last["film"]))[0] == 404
    assert page.files() == []


def test_cancelled_in_the_middle_nothing_of_it_stays(page: Page) -> None:
    job = page.begin("go on")
    page.until(job, lambda told: told["whole"] > 0)
    assert any(name.endswith("half.mp4") for name in page.files())
    assert page.ask("DELETE", f"/api/jobs/{job}")[0] == 409
    assert page.ask("POST", f"/api/jobs/{job}/cancel", b"")[0] == 200
    told = page.ended(job)
    assert (told["state"], told["error"], told["film"]) == ("cancelled", None, None)
    assert page.files() == []


def test_what_does_not_hear_is_ended(page: Page) -> None:
    job = page.begin("sleep")
    page.until(job, lambda told: told["whole"] > 0)
    page.ask("POST", f"/api/jobs/{job}/cancel", b"")
    assert page.ended(job)["state"] == "cancelled"


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("die", "died (exit status 7)"),
        ("fail", "walk.bvh: is no clip"),
        ("fill", "more than 2,000,000 bytes"),
    ],
)
def test_a_job_that_fails_says_why_and_the_next_one_is_done(page: Page, kind: str, says: str) -> None:
    job, after = page.begin(kind), page.begin("make")
    told = page.ended(job)
    assert told["state"] == "failed"
    assert says in told["error"]
    assert str(page.folder) not in told["error"]
    assert page.ended(after)["state"] == "done"
    assert not any(job in name for name in page.files())


def test_more_jobs_than_may_wait_are_refused(page: Page) -> None:
    running = page.begin("go on")
    page.until(running, lambda told: told["state"] == "running")
    waiting = [page.begin("make") for _ in range(2)]
    assert [page.told(job)["before"] for job in waiting] == [0, 1]
    status, told = page.submit(shot())
    assert (status, "2 jobs wait already" in told["error"]) == (503, True)
    page.ask("POST", f"/api/jobs/{waiting[0]}/cancel", b"")
    assert page.told(waiting[0])["state"] == "cancelled"
    assert page.told(waiting[1])["before"] == 0
    page.ask("POST", f"/api/jobs/{running}/cancel", b"")
    assert page.ended(waiting[1])["state"] == "done"


def test_one_stream_tells_of_all_jobs_and_ends_with_the_service(host: Host, tmp_path: Path) -> None:
    held = Page.of(host, Host, tmp_path, work)
    with held.server, held.connect() as connection:
        lines = ["GET /api/events HTTP/1.1", "Host: localhost", f"Authorization: Bearer {TOKEN}", "", ""]
        connection.sendall("\r\n".join(lines).encode())
        made, running = held.begin("make"), held.begin("go on")
        stream = (json.loads(line[6:]) for line in connection.makefile("rb") if line.startswith(b"data: "))
        assert next(one for one in stream if one["state"] == "done")["id"] == made
        assert held.ask("DELETE", f"/api/jobs/{made}")[0] == 200
        assert next(one for one in stream if one["state"] == "removed")["id"] == made
        assert next(one for one in stream if one["whole"] > 0)["id"] == running
        held.server.stop()
        assert [one["state"] for one in stream if one["id"] == running][-1] == "cancelled"


def test_a_watcher_that_leaves_disturbs_nobody(page: Page) -> None:
    job = page.begin("go on")
    assert len(events(page, job, 3)) == 3
    page.until(job, lambda told: told["state"] == "running" and told["whole"] > 0)
    deadline = time.monotonic() + 120
    while page.server.service._watching:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    page.ask("POST", f"/api/jobs/{job}/cancel", b"")
    assert page.ended(job)["state"] == "cancelled"


def test_too_long_is_too_long(host: Host, tmp_path: Path) -> None:
    held = Page.of(host, Host, tmp_path, work, attrs.evolve(SMALL, job_s=0.5))
    with held.server:
        told = held.ended(held.begin("go on"))
    assert told["state"] == "failed"
    assert "longer than 0.5 s" in told["error"]


def test_on_a_full_disk_nothing_is_begun(host: Host, tmp_path: Path) -> None:
    held = Page.of(host, Host, tmp_path, work, attrs.evolve(SMALL, free_bytes=1 << 60))
    with held.server:
        status, told = held.submit(shot())
    assert (status, "disk is full" in told["error"]) == (507, True)
    assert list(tmp_path.iterdir()) == []


def test_those_who_watch_are_bounded(host: Host, tmp_path: Path) -> None:
    held = Page.of(host, Host, tmp_path, work, attrs.evolve(SMALL, watchers=1))
    with held.server:
        job = held.begin("go on")
        with held.connect() as connection:
            lines = [
                f"GET /api/jobs/{job}/events HTTP/1.1",
                "Host: localhost",
                f"Authorization: Bearer {TOKEN}",
            ]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            assert b"200 OK" in connection.recv(64)
            status, told, _ = held.ask("GET", f"/api/jobs/{job}/events")
    assert (status, "1 clients watch already" in told["error"]) == (503, True)


def test_a_connection_without_a_request_is_closed(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinetoscope_serve.server.HEAD_S", 0.3)
    held = Page.of(host, Host, tmp_path, work)
    with held.server, held.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: local")
        assert connection.recv(64) == b""


def test_the_oldest_go_when_there_are_too_many_or_they_are_too_old(host: Host, tmp_path: Path) -> None:
    held = Page.of(host, Host, tmp_path, work, attrs.evolve(SMALL, kept=1))
    with held.server:
        jobs = [held.begin("make") for _ in range(2)]
        held.ended(jobs[1])
        held.until(jobs[0], lambda told: "no such job" in str(told.get("error")))
        service: Jobs = held.server.service.jobs
        service.sweep(time.time() + SMALL.kept_s + 1)
        assert service.all() == []
        assert list(tmp_path.iterdir()) == []


def test_the_end_of_the_service_is_told_and_leaves_no_process(host: Host, tmp_path: Path) -> None:
    held = Page.of(host, Host, tmp_path, work)
    with held.server:
        running, waiting = held.begin("go on"), held.begin("make")
        held.until(running, lambda told: told["whole"] > 0)
        jobs = [held.server.service.jobs.get(job) for job in (running, waiting)]
        with held.connect() as connection:
            lines = [
                f"GET /api/jobs/{running}/events HTTP/1.1",
                "Host: localhost",
                f"Authorization: Bearer {TOKEN}",
            ]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            connection.recv(64)
            held.server.stop()
            stream = b"".join(iter(lambda: connection.recv(4096), b""))
        assert b'"state": "cancelled"' in stream
    assert [job.state for job in jobs] == ["cancelled", "cancelled"]
    assert held.files() == []
    assert multiprocessing.active_children() == []


CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.mark.parametrize(("parallel", "each"), [(1, None), (max(CORES, 2), 1), (2 * CORES, 1)])
def test_jobs_share_the_cores(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parallel: int, each: int | None
) -> None:
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    held = Page.of(host, Host, tmp_path, work, attrs.evolve(SMALL, parallel=parallel))
    with held.server:
        (told,) = held.ended(held.begin("threads"))["warnings"]
    assert json.loads(told) == {"blas": [each or CORES], "numba": each or CORES, "cores": each}


def test_what_the_whole_service_is_told_of_threads_holds_for_jobs(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in THREADS:
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(Limits, "cores_each", lambda _: 2)
    held = Page.of(host, Host, tmp_path, work)
    with held.server:
        (told,) = held.ended(held.begin("threads"))["warnings"]
    assert json.loads(told) == {"blas": [1], "numba": 1, "cores": 2}


def test_stages_that_take_turns_are_told_of_as_seldom_as_one_alone(monkeypatch) -> None:
    now = [0.0]
    # Only there: with a clock that stands, pipes wait for ever.
    monkeypatch.setattr("kinetoscope_serve.working.time", SimpleNamespace(monotonic=lambda: now[0]))
    ours, theirs = multiprocessing.Pipe()
    tell = _Telling(theirs)
    # Few enough for a pipe to hold, were all of them sent.
    for number in range(200):
        now[0] = 0.005 * number
        assert tell({"stage": ("train", "inpaint")[number % 2], "number": number})
    told = []
    while ours.poll():
        told.append(ours.recv()[1]["stage"])
    assert told[:2] == ["train", "inpaint"]  # the first of each, at once
    assert {stage: told.count(stage) for stage in ("train", "inpaint")} == {"train": 10, "inpaint": 10}
    ours.send("cancel")
    assert not tell({"stage": "train"})
    assert not tell({"stage": "train"})
    ours.close()
    assert not _Telling(theirs)({"stage": "train"})  # nobody listens
