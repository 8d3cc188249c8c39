"""`kinetoscope detect`: which files, in which order, in which form, with which status."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kinetoscope import Config, Host
from kinetoscope.cli import detect as module
from kinetoscope.cli._printers import printer
from kinetoscope.cli._walk import walk
from kinetoscope.cli.detect import FIELDS, command
from kinetoscope_spec import Detection, Provider, Signature, hookimpl

GIT = shutil.which("git")


class Sniffer:
    """Says what a file's first word is; `audit` finds alarms."""

    asked = 0

    def detect(self, source, mode="high-confidence", *, audit=False):
        return self.detect_many([source], mode, audit=audit)[0]

    def detect_many(self, paths, mode="high-confidence", *, audit=False):
        paths = list(paths)
        Sniffer.asked = max(Sniffer.asked, len(paths))
        return [self._one(Path(path), audit) for path in paths]

    def _one(self, path, audit):
        if path.is_dir():
            return Detection("directory", "inode/directory", "inode")
        try:
            label = path.read_text().split()[0]
        except OSError as error:
            return Detection("unknown", score=0.0, error=str(error.strerror))
        return Detection(label, alarms=("evil",) if audit and label == "bad" else ())


class Plugin:
    @hookimpl
    def importer(self):
        return [
            Provider(
                label,
                "test",
                load=object,
                reads=(label,),
                signatures=(Signature(label, magic=b"?", extensions=(label,)),),
            )
            for label in ("aa", "bb")
        ]

    @hookimpl
    def detector(self):
        return [Provider("sniffer", "test", load=Sniffer)]


def run(*words, status=0):
    with Host(plugins=[Plugin()], autoload=False, config=Config()) as host:
        done = CliRunner().invoke(command, [str(word) for word in words], obj=host)
    assert done.exit_code == status, done.output[-500:] + str(done.exception)
    return done.stdout


@pytest.fixture
def tree(tmp_path):
    for name, text in {"b.aa": "aa", "a/2.bb": "bb", "a/10.bb": "aa", "a/z/k": "bad", "c d": "bb"}.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "tree"


ORDER = ["a/10.bb", "a/2.bb", "a/z/k", "b.aa", "c d"]


def test_every_form_says_the_same_in_the_order_of_names(tree):
    whole = json.loads(run("-r", tree, "--json"))["files"]
    lines = [json.loads(line) for line in run("-r", tree, "--jsonl").splitlines()]
    rows = list(csv.DictReader(io.StringIO(run("-r", tree, "--csv"))))
    text = run("-r", tree).splitlines()
    assert [os.path.relpath(row["path"], tree) for row in whole] == ORDER
    assert whole == lines
    assert (
        [row["label"] for row in rows] == [row["label"] for row in whole] == ["aa", "bb", "bad", "aa", "bb"]
    )
    assert list(rows[0]) == list(whole[0]) == list(FIELDS)
    assert [line.partition(":")[0] for line in text] == [row["path"] for row in whole]
    assert json.loads(run("--json", tree))["files"][0]["label"] == "directory"
    assert {row["mode"] for row in whole} == {"high-confidence"}


def test_mismatches_are_shown_alone_and_make_the_status(tree):
    (row,) = json.loads(run("-r", tree, "--mismatches", "--json", status=1))["files"]
    assert row["path"].endswith("10.bb")
    assert row["mismatch"] == "is named .bb but is aa (1.00, by signature)"
    assert "named .bb" in run("-r", tree, "--mismatches", status=1)
    (cells,) = csv.DictReader(io.StringIO(run("-r", tree, "--mismatches", "--csv", status=1)))
    assert cells["mismatch"] == row["mismatch"]
    assert run(tree / "b.aa", "--mismatches") == ""
    assert json.loads(run(tree / "b.aa", "--mismatches", "--json")) == {"files": []}


def test_audit_shows_what_raises_alarms(tree):
    (row,) = json.loads(run("-r", tree, "--audit", "--json", status=1))["files"]
    assert (row["label"], row["alarms"]) == ("bad", ["evil"])
    assert run(tree / "b.aa", "--audit") == ""


def test_what_cannot_be_read_is_a_row_and_the_status(tree):
    for form in ((), ("--audit",), ("--mismatches",)):
        rows = json.loads(run(tree / "b.aa", tree / "gone", tree / "c d", "--json", *form, status=1))["files"]
        assert [row["error"] for row in rows if row["path"].endswith("gone")] == ["No such file or directory"]
    assert "gone: No such file" in run(tree / "gone", status=1)


@pytest.mark.skipif(os.name == "nt", reason="other limits there")
def test_a_name_that_is_too_long_loses_no_other(tree):
    paths = [Path("x" * 5000), tree / "c d"]
    assert list(walk(paths)) == list(walk(paths, ignored=True)) == paths


def test_a_folder_that_was_named_is_looked_at_although_it_is_excluded(tree):
    (tree / ".git").mkdir()
    (tree / ".gitignore").write_text("a/\n")
    (tree / "a" / ".gitignore").write_text("10.bb\n")
    assert [path.name for path in walk([tree])] == [".gitignore", "b.aa", "c d"]
    assert [path.name for path in walk([tree / "a"])] == [".gitignore", "2.bb", "k"]
    assert [path.name for path in walk([tree / "a" / "z"])] == ["k"]


@pytest.mark.parametrize("form", ["text", "csv"])
def test_letters_that_the_stream_lacks_are_escaped(form):
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    detection = {"label": "aa", "group": "g", "mime": "m", "score": 1.0, "decided_by": "rule"}
    with printer(form, ("path", "label"), out) as show:
        show({"path": "Läufe/言.aa", "error": None, "alarms": [], **detection})
    out.flush()
    assert raw.getvalue().splitlines()[-1].startswith(rb"L\xe4ufe/\u8a00.aa")


def test_of_a_large_folder_only_names_are_held(tmp_path):
    many = 3000
    for i in range(many):
        (tmp_path / f"{i:040d}").touch()
    assert sum(1 for _ in walk([tmp_path], ignored=True)) == many  # the interpreter's own tables grow first
    tracemalloc.start()
    try:
        assert sum(1 for _ in walk([tmp_path], ignored=True)) == many
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < many * 150


def test_forms_exclude_each_other(tree):
    run("--json", "--csv", tree, status=2)
    run(status=2)
    run("--jobs", "0", tree, status=2)


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_names_with_line_breaks_and_without_unicode(tmp_path):
    names = [b"line\nbreak", b"caf\xe9", "言葉".encode(), b'quo"te,comma']
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("aa")
    assert len(run("-r", tmp_path).splitlines()) == 4
    assert len(list(csv.DictReader(io.StringIO(run("-r", tmp_path, "--csv"))))) == 4
    paths = [json.loads(line)["path"] for line in run("-r", tmp_path, "--jsonl").splitlines()]
    assert sorted(os.fsencode(Path(path).name) for path in paths) == sorted(names)


def test_paths_are_taken_a_chunk_at_a_time(tree, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 2)
    Sniffer.asked = 0
    assert len(run("-r", tree, tree, "--jsonl").splitlines()) == 10
    assert Sniffer.asked == 2


def test_links_are_not_gone_into(tree):
    (tree / "a" / "up").symlink_to(tree)
    (tree / "loop").symlink_to(tree / "loop")
    rows = json.loads(run("-r", tree, "--json", status=1))["files"]
    found = {os.path.relpath(row["path"], tree): row for row in rows}
    assert len(found) == 7
    assert found["a/up"]["label"] == "directory"
    assert found["a/up"]["error"] is None
    assert found["loop"]["error"]


def test_folders_may_be_nested_more_deeply_than_calls(tmp_path):
    deep = tmp_path
    for _ in range(900):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "x").write_text("aa")
    assert sum(1 for _ in walk([tmp_path])) == 1


names = st.sampled_from(["a", "b", "a.o", "b.o", "build", "x y", "#h", "!n"])
LINES = (
    "*.o", "!b.o", "/a", "build/", "build", "a/b", "**/b.o", "*", "!*/", "!a.o", "\\#h", "\\!n", "# no", "", "a/",
    "x\\ y", "/build/*.o", "[ab]", "d/**",
)  # fmt: skip
patterns = st.sampled_from(LINES)
trees = st.lists(st.lists(names | st.just("d"), min_size=1, max_size=3).map("/".join), min_size=1, max_size=9)


@pytest.mark.skipif(GIT is None, reason="git is not installed")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=trees,
    rules=st.dictionaries(st.sampled_from(["", "d", "build"]), st.lists(patterns, max_size=3), max_size=3),
)
@example(files=["a.o", "b.o", "d/a.o", "d/b.o"], rules={"": ["*.o"], "d": ["!b.o"]})
@example(files=["d/a", "build/d/b"], rules={"": ["d/**", "!*/"], "build": ["/d"]})
def test_what_is_left_out_is_what_git_ignores(tmp_path_factory, files, rules):
    root = tmp_path_factory.mktemp("repository")
    for name in files:
        path = root / name
        if not any(parent.is_file() for parent in [path, *path.parents]) and not path.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    for folder, lines in rules.items():
        if not (root / folder).is_file():
            (root / folder).mkdir(exist_ok=True)
            (root / folder / ".gitignore").write_text("\n".join(lines) + "\n")
    subprocess.run(
        [str(GIT), "init", "-q", str(root)], check=True, env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}
    )
    listed = subprocess.run(
        [str(GIT), "-C", str(root), "-c", "core.excludesFile=", "ls-files", "-coz", "--exclude-standard"],
        check=True,
        capture_output=True,
    )
    expected = {name for name in os.fsdecode(listed.stdout).split("\0") if name}
    assert {path.relative_to(root).as_posix() for path in walk([root])} == expected
    for folder in {name.partition("/")[0] for name in expected if "/" in name}:
        below = {path.relative_to(root).as_posix() for path in walk([root / folder])}
        assert below == {name for name in expected if name.startswith(f"{folder}/")}
    everything = {p for p in root.rglob("*") if p.is_file() and ".git" not in p.relative_to(root).parts}
    assert {p for p in walk([root], ignored=True) if ".git" not in p.relative_to(root).parts} == everything
