"""`kinetoscope serve`, as it is typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from kinetoscope_serve.command import VARIABLE, command

GIVEN = "this-token-is-given-by-me"


def served(tmp_path: Path, number: int, **variables: str) -> tuple[str, str, int]:
    """Serve, ask for the state with the token that is known, send a signal; return url, output and status."""
    words = ["serve", "--json", "--port", "0", "--folder", str(tmp_path)]
    running = subprocess.Popen(
        [sys.executable, "-m", "kinetoscope", *words],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        url = json.loads(running.stdout.readline())["url"]
        page, _, token = url.partition("#token=")
        state = urllib.request.Request(
            f"{page}api/state", headers={"Authorization": f"Bearer {token or GIVEN}"}
        )
        with urllib.request.urlopen(state, timeout=30) as answer:
            assert json.load(answer)["jobs"] == []
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{page}api/state?token={token or GIVEN}", timeout=30)
        assert len(list(tmp_path.iterdir())) == 1
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
    return url, out + err, running.returncode


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_it_serves_until_it_is_interrupted_and_leaves_nothing(tmp_path: Path) -> None:
    url, said, status = served(tmp_path, signal.SIGINT)
    assert (said, status) == ("ended\n", 0)
    assert len(url.partition("#token=")[2]) >= 32
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_given_token_is_shown_nowhere_and_terminated_it_leaves_nothing(tmp_path: Path) -> None:
    url, said, status = served(tmp_path, signal.SIGTERM, **{VARIABLE: GIVEN})
    assert GIVEN not in url + said
    assert status == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "token", "says"),
    [
        (["--address", "0.0.0.0"], None, "a token is needed"),
        (["--address", "::"], None, "a token is needed"),
        (["--address", "192.0.2.7"], None, "a token is needed"),
        (["--address", "0.0.0.0"], GIVEN, "say by which ones the server is reached"),
        (["--address", "0.0.0.0", "--name", "render.example"], "short", "16 letters"),
        (["--address", "0.0.0.0", "--name", "render.example"], "with spaces in the token", "16 letters"),
        (["--address", "everywhere"], GIVEN, "expected an IP address"),
        (["--token-file", "gone.txt"], None, "can't be read"),
    ],
)
def test_it_does_not_start_open_to_others(
    words: list[str], token: str | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if token is not None:
        monkeypatch.setenv(VARIABLE, token)
    done = CliRunner().invoke(command, words)
    assert (done.exit_code, says in done.output) == (2, True), done.output
