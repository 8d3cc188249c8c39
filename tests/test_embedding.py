"""A host leaves the process that it is embedded in as it found it, and knows nothing of other hosts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kinetoscope import Host
from kinetoscope_spec import Provider, ProviderNotFound, hookimpl

EVERYTHING = Path(__file__).parent / "everything.py"
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a clean process with a home and a folder for temporary files of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("KINETOSCOPE")}
    for name in ("home", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    environment |= {"KINETOSCOPE_HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    # A number no library would choose here by itself, so that one which sets its own is seen.
    environment |= {"OMP_NUM_THREADS": "1" if (os.cpu_count() or 1) > 1 else "2"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


TOPICS = (
    "signal handlers",
    "root logger",
    "disabled levels",
    "logger class",
    "handlers of loggers",
    "threads",
    "threads of libraries",
    "child processes",
    "descriptors",
    "warning filters",
    "showwarning",
    "excepthooks",
    "displayhook",
    "sys.path",
    "import machinery",
    "environment",
    "folder",
    "umask",
    "recursion limit",
    "switch interval",
    "tracing",
    "streams",
    "garbage collection",
    "locale",
    "files open",
    "temporary files",
    "random",
    "numpy random",
    "numpy errors",
    "numpy printing",
    "torch random",
    "torch threads",
    "torch seeds of GPUs",
    "BLAS threads",
    "torch default type",
    "torch determinism",
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process said in which a host used every plugin, trained, rendered, and was closed."""
    done = python(tmp_path_factory.mktemp("everything"), str(EVERYTHING))
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@linux
@pytest.mark.slow
@pytest.mark.gl
@pytest.mark.parametrize("topic", TOPICS)
def test_using_everything_leaves_the_process_as_it_was(told: dict[str, Any], topic: str) -> None:
    assert topic in told["topics"]
    before, after = told["changed"].get(topic, (None, None))
    assert after == before


@linux
@pytest.mark.slow
@pytest.mark.gl
def test_every_topic_is_tested(told: dict[str, Any]) -> None:
    assert sorted(told["topics"]) == sorted(TOPICS)


LOGGING = """
import io, logging
from kinetoscope import Host

class Typo:
    @staticmethod
    def importr(): return []

from kinetoscope_spec import Provider, Signature, hookimpl
Typo.importr = staticmethod(hookimpl(Typo.importr))

class Rules:
    @hookimpl
    def importer(self):
        signature = Signature('odd', rule=lambda head, tail, size: 1 / 0)
        return [Provider('odd', 'made for a test', load=object, reads=['odd'], signatures=[signature])]

def provoke():
    with Host(plugins=[Typo(), Rules()], config={}) as host:
        assert any('importr' in str(item) for item in host.diagnostics())
        host.detector().detect(b'?' * 100)

provoke()
assert logging.root.handlers == []
heard = io.StringIO()
logging.basicConfig(stream=heard, level=logging.WARNING, format='%(name)s %(message)s')
assert len(logging.root.handlers) == 1
provoke()
print(heard.getvalue())
"""


def test_logging_is_silent_until_the_application_sets_it_up(tmp_path: Path) -> None:
    done = python(tmp_path, "-c", LOGGING)
    assert done.stderr == ""
    lines = done.stdout.strip().splitlines()
    assert any(line.startswith("kinetoscope.host ") and "importr" in line for line in lines)
    assert any(line.startswith("kinetoscope.magika ") and "ZeroDivisionError" in line for line in lines)


class Told:
    """A plugin that notes what it is told, and offers a thing that can be closed."""

    def __init__(self) -> None:
        self.settings: list[dict[str, Any]] = []
        self.uses: list[str] = []
        self.made: list[Thing] = []

    @hookimpl
    def configured(self, settings: Any) -> None:
        self.settings.append(dict(settings))

    @hookimpl
    def before_use(self, hook: str, provider: str, operation: str) -> None:
        self.uses.append(f"{hook} {provider} {operation}")

    @hookimpl
    def voice(self) -> Sequence[Provider]:
        return [Provider(name, "made for a test", load=self.make) for name in ("one", "two")]

    def make(self) -> Thing:
        self.made.append(Thing(self.made))
        return self.made[-1]


class Thing:
    def __init__(self, others: list[Thing]) -> None:
        self.others = others
        self.closed: list[int] = []

    def work(self) -> int:
        return len(self.others)

    def close(self) -> None:
        self.closed.append(sum(len(other.closed) for other in self.others))
        if self is self.others[-1]:
            raise RuntimeError("does not like to be closed")


def test_two_hosts_interleaved_have_each_its_own_plugins_settings_and_blocks() -> None:
    left, right = Told(), Told()
    a = Host(plugins=[left], config={"plugins": {"Told": {"side": "left"}}}, block=["bvh"], trace=True)
    b = Host(plugins=[right], config={"plugins": {"Told": {"side": "right"}}}, allow=["bvh", "one", "Told"])
    with pytest.raises(ProviderNotFound, match="blocked"):
        a.importer("bvh")
    assert b.importer("bvh") is b.importer("bvh")
    with pytest.raises(ProviderNotFound):
        b.importer("samples")
    assert a.importer("samples") is a.importer("samples")
    assert a.provider("voice", "one").work() == b.provider("voice", "one").work() == 1
    assert a.provider("voice", "one") is not b.provider("voice", "one")
    assert left.settings == [{"side": "left"}]
    assert right.settings == [{"side": "right"}]
    assert "voice one work" in left.uses
    assert a.timings()
    assert not b.timings()
    heard = list(left.uses)
    b.provider("voice", "one").work()
    assert left.uses == heard
    left.made.append(Thing([]))  # so that none of those built is the last, which fails to close
    a.close()
    assert left.made[0].closed
    assert not right.made[0].closed
    assert b.provider("voice", "one").work() == 1
    right.made.append(Thing([]))
    b.close()
    assert right.made[0].closed


def test_one_plugin_object_in_two_hosts_is_told_the_settings_of_each() -> None:
    plugin = Told()
    for side in ("left", "right"):
        with Host(plugins=[plugin], autoload=False, config={"plugins": {"Told": {"side": side}}}) as host:
            host.providers("voice")
    assert plugin.settings == [{"side": "left"}, {"side": "right"}]


def test_all_are_closed_the_newest_first_though_one_raises() -> None:
    plugin = Told()
    host = Host(plugins=[plugin], autoload=False, config={})
    for name in ("one", "two"):
        host.provider("voice", name)
    with pytest.raises(RuntimeError, match="does not like"):
        host.close()
    first, second = plugin.made
    assert (second.closed, first.closed) == ([0], [1])
    host.close()
    assert (second.closed, first.closed) == ([0], [1])


def test_hosts_come_and_go_in_threads_that_are_not_the_main_one(tmp_path: Path) -> None:
    clip = tmp_path / "clip"
    clip.write_bytes(b"# kinetoscope sample\nseconds = 1.0\n")

    def work(number: int) -> Any:
        options = {"block": ["bvh"]} if number % 2 else {"allow": ["bvh", "samples", "magika"]}
        with Host(config={}, **options) as host:
            names = [info.name for info in host.providers("importer") if info.state != "blocked"]
            return names, host.open(clip)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(work, range(16)))
    for number, (names, asset) in enumerate(found):
        assert ("bvh" in names) == (number % 2 == 0)
        assert asset == found[0][1]
