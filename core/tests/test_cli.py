from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from click.testing import CliRunner

from kinetoscope import Host
from kinetoscope.cli import main
from kinetoscope_spec.errors import FormatError


@pytest.fixture
def run(shelf):
    def run(*words, status=0):
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == status, (result.output, result.stderr, result.exception)
        return result

    return run


@pytest.fixture
def toy(shelf):
    """An importer that reads and writes files of words, and a command that misbehaves."""
    shelf.add(
        "acme-toy",
        {"kinetoscope.importer": {"toy": "acme_toy"}},
        {
            "acme_toy": """
                import time
                from pathlib import Path
                from kinetoscope_spec import Provider, Signature, hookimpl
                SIGNATURES = (Signature("toy", magic=b"TOY"),)
                class Toy:
                    def read(self, path):
                        from kinetoscope_spec import Asset, FormatError, Motion, Skeleton
                        words = Path(path).read_text().split()
                        print("a library that prints")
                        if "damaged" in words:
                            raise FormatError("is damaged", path=path, line=7, expected="something else")
                        if "defect" in words:
                            raise ZeroDivisionError("oh")
                        skeleton = Skeleton(("root", "tip"), (-1, 0), [[0, 0, 0], [0, 1, 0]])
                        motion = Motion(skeleton, [[[0, 0, 0], [0, 1, 0]]] * 5, [[[0, 0, 0, 1]] * 2] * 5, 30, "hop")
                        metadata = {"format": "toy", "unit_m": 1, "axes": "+X+Y+Z"}
                        return Asset(Path(path).stem, skeleton, [motion], metadata=metadata, warnings=["was guessed"])
                    def write(self, asset, path):
                        path = Path(path)
                        with path.open("w") as file:
                            file.write("TOY half")
                            file.flush()
                            if "slow" in asset.name:
                                (path.parent / "started").touch()
                                time.sleep(60)
                            file.write(" and half")
                @hookimpl
                def importer():
                    return [Provider("toy", "toys", load=Toy, reads=("toy",), writes=("toy", "txt"),
                                     signatures=SIGNATURES)]
            """
        },
    )
    return shelf


def only_json(result):
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout)


def test_plugins_lists_with_the_promised_fields(run, shelf):
    shelf.provide("acme-anim", "importer", "acme", version="3")
    shelf.add("acme-bad", {"kinetoscope.importer": {"bad": "acme_bad"}}, {"acme_bad": "1 / 0"})
    found = {row["name"]: row for row in only_json(run("plugins", "--json"))["providers"]}
    assert found["acme"] == {
        "name": "acme",
        "hook": "importer",
        "distribution": "acme-anim",
        "version": "3",
        "state": "available",
        "reason": "",
    }
    assert found["bad"]["state"] == "available"
    assert shelf.imported() == []

    run("--allow", "acme-anim", "--allow", "acme-bad", "plugins", "--load")
    found = {row["name"]: row for row in only_json(run("plugins", "--json"))["providers"]}
    assert found["bad"]["state"] == "broken"
    assert "ZeroDivisionError" in found["bad"]["reason"]
    assert "acme-bad" in run("plugins").stdout
    assert "blocked" in run("--block", "acme", "plugins", "--hook", "importer").stdout
    assert "acme" not in run("plugins", "--hook", "voice").stdout
    assert "did you mean 'importer'" in run("plugins", "--hook", "imprter", status=2).stderr


def test_what_fails_to_load_is_named_at_once_and_from_the_record_afterwards(run, shelf):
    shelf.provide("acme-good", "importer", "good")
    shelf.add(
        "acme-raises",
        {"kinetoscope.voice": {"raises": "acme_raises"}},
        {"acme_raises": "1 / 0"},
        version="1.5",
    )
    wrong = "from kinetoscope_spec import hookimpl\n@hookimpl\ndef renderer(scene): return []\n"
    shelf.add(
        "acme-wrong", {"kinetoscope.renderer": {"wrong": "acme_wrong"}}, {"acme_wrong": wrong}, version="1.6"
    )
    shelf.provide("acme-future", "model", "future", requires=["kinetoscope-spec>=99"], version="1.7")
    only = [word for name in ("good", "raises", "wrong", "future") for word in ("--allow", name)]
    for words in (["plugins", "--load"], ["plugins"]):
        lines = [line for line in run(*only, *words).stdout.splitlines() if "blocked" not in line]
        for text in (
            ("acme-raises", "1.5", "broken", "ZeroDivisionError: division by zero"),
            ("acme-wrong", "1.6", "broken", "scene"),
            ("acme-future", "1.7", "broken", "requires kinetoscope-spec>=99"),
        ):
            assert any(all(part in line for part in text) for line in lines), text
        assert any("acme-good" in line and ("loaded" in line or "available" in line) for line in lines)
    assert "acme_future_model_future" not in shelf.imported()
    assert run(*only, "explain", "importer").stdout.startswith("importer: good")


def test_explain_says_why(run, toy, tmp_path):
    path = tmp_path / "work" / "x.bvh"
    path.write_text("TOY")
    data = only_json(run("--allow", "toy", "explain", "importer", path, "--json"))
    assert (data["chosen"], data["wanted"]) == ("toy", "toy")
    assert data["candidates"][0]["chosen"] is True
    assert "toy" in data["detected"]
    assert "importer: toy" in run("--allow", "toy", "explain", "importer", path).stdout
    assert "did you mean 'importer'" in run("explain", "imorter", status=1).stderr


def test_config_says_where_settings_come_from(run, shelf, monkeypatch, tmp_path):
    (tmp_path / "work" / "kinetoscope.toml").write_text('providers.importer = "bvh"\n')
    monkeypatch.setenv("KINETOSCOPE_TRACE", "1")
    data = only_json(run("--block", "x", "config", "--json"))
    assert data["settings"]["providers"] == {"importer": "bvh"}
    assert data["settings"]["block"] == ["x"]
    assert data["sources"]["trace"] == "KINETOSCOPE_TRACE"
    assert data["sources"]["providers.importer"].endswith("kinetoscope.toml")
    assert "KINETOSCOPE_TRACE" in run("config").stdout
    (tmp_path / "work" / "kinetoscope.toml").write_text("provider.importer = 3\n")
    failed = run("config", status=1)
    assert "kinetoscope.toml" in failed.stderr
    assert "'providers'" in failed.stderr


def test_detect_goes_by_bytes_and_marks_what_cannot_be_read(run, toy, tmp_path):
    path = tmp_path / "work" / "walk.bvh"
    path.write_text("TOY")
    data = only_json(run("--allow", "toy", "detect", path, "--json"))
    [row] = data["files"]
    assert set(row) == {"path", "label", "mime", "group", "score", "mode", "decided_by", "alarms", "error"}
    assert (row["path"], row["label"], row["error"]) == (str(path), "toy", None)
    data = only_json(run("--allow", "toy", "detect", path, "missing", "--json", status=1))
    assert [bool(row["error"]) for row in data["files"]] == [False, True]
    run("detect", status=2)


def test_inspect_shows_what_a_file_holds(run, toy, tmp_path):
    path = tmp_path / "work" / "walk.bvh"
    path.write_text("TOY")
    data = only_json(run("--allow", "toy", "inspect", path, "--json"))
    assert data["format"] == "toy"
    assert data["joints"] == [{"name": "root", "parent": None}, {"name": "tip", "parent": "root"}]
    assert data["motions"] == [
        {"name": "hop", "frames": 5, "framerate": 30.0, "duration": 4 / 30, "morphs": []}
    ]
    assert data["meshes"] == []
    assert data["warnings"] == ["was guessed"]
    text = run("--allow", "toy", "inspect", path).stdout
    assert "hop" in text
    assert "    tip" in text
    assert "warning: was guessed" in text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(toy, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # In a process of its own, since a defect here would wait for ever.
    words = [sys.executable, "-m", "kinetoscope", "--allow", "toy"]
    for command in ("inspect", "detect"):
        done = subprocess.run(
            [*words, command, pipe, "--json"], capture_output=True, text=True, timeout=60, check=False
        )
        assert "expected a regular file" in done.stdout + done.stderr
        assert str(pipe) in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert done.returncode == 1
    with pytest.raises(FormatError, match="regular file") as caught:
        Host(autoload=False).detect(pipe)
    assert isinstance(caught.value, OSError)


def test_an_error_is_one_readable_line_and_a_traceback_on_request(run, toy, tmp_path):
    path = tmp_path / "work" / "walk"
    path.write_text("TOY damaged")
    failed = run("--allow", "toy", "inspect", path, status=1)
    lines = failed.stderr.splitlines()
    errors = [line for line in lines if line.startswith("error:")]
    assert errors == [f"error: {path}:7: is damaged (expected something else)"]
    assert "  in importer 'toy' of acme-toy 1.2" in lines
    assert "Traceback" not in failed.output
    assert "Traceback" in run("--allow", "toy", "inspect", path, "--traceback", status=1).stderr
    assert "Traceback" in run("--traceback", "--allow", "toy", "inspect", path, status=1).stderr
    told = only_json(run("--allow", "toy", "inspect", path, "--json", status=1))
    assert told["error"]["kind"] == "FormatError"
    path.write_text("TOY defect")
    failed = run("--allow", "toy", "inspect", path, status=1)
    assert "ZeroDivisionError: oh" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_convert_one_file(run, toy, tmp_path):
    source, out = tmp_path / "work" / "a.bvh", tmp_path / "work" / "deep" / "b.toy"
    source.write_text("TOY")
    data = only_json(run("--allow", "toy", "convert", source, out, "--json"))
    assert (data["converted"], data["skipped"], data["failed"], data["frames"]) == (1, 0, [], 5)
    assert out.read_text() == "TOY half and half"
    assert "takes" not in run("--allow", "toy", "convert", source, tmp_path / "b.xyz", status=1).stderr


def test_convert_a_folder_goes_on_after_a_failure(run, toy, tmp_path):
    source, out = tmp_path / "work" / "in", tmp_path / "work" / "in" / "out"
    (source / "sub").mkdir(parents=True)
    (source / "a.x").write_text("TOY")
    (source / "sub" / "b.x").write_text("TOY damaged")
    (source / "sub" / "c.x").write_text("TOY defect")
    (source / "readme.md").write_text("text")
    (source / "z.x").write_text("TOY")
    for _ in range(2):  # the second time over what the first one wrote
        data = only_json(run("--allow", "toy", "convert", source, out, "--to", "txt", "--json", status=1))
        assert (data["converted"], data["skipped"], data["frames"]) == (2, 1, 10)
        assert [os.path.basename(item["path"]) for item in data["failed"]] == ["b.x", "c.x"]
        assert "is damaged" in data["failed"][0]["reason"]
        assert "acme-toy" in data["failed"][1]["reason"]
        assert sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()) == [
            "a.txt",
            "z.txt",
        ]


def test_convert_in_processes_gives_the_same(run, toy, tmp_path):
    source = tmp_path / "work" / "in"
    source.mkdir()
    for i in range(4):
        (source / f"{i}.x").write_text("TOY" if i else "TOY damaged")
    data = only_json(
        run(
            "--allow",
            "toy",
            "convert",
            source,
            tmp_path / "out",
            "--to",
            "toy",
            "--jobs",
            "2",
            "--json",
            status=1,
        )
    )
    assert (data["converted"], len(data["failed"])) == (3, 1)
    assert sorted(os.listdir(tmp_path / "out")) == ["1.toy", "2.toy", "3.toy"]


def test_convert_says_what_it_lacks(run, toy, tmp_path):
    source = tmp_path / "work" / "a.x"
    source.write_text("TOY")
    assert "--to" in run("convert", source, tmp_path, status=2).stderr
    other = tmp_path / "work" / "deep" / "a.y"
    other.parent.mkdir()
    other.write_text("TOY")
    assert "both be written" in run("convert", source, other, tmp_path / "o", "--to", "toy", status=2).stderr
    run("convert", source, status=2)
    failed = run("--allow", "toy", "convert", tmp_path / "missing", tmp_path / "o.toy", status=1)
    assert "missing" in failed.stderr
    assert not (tmp_path / "o.toy").exists()


def test_convert_says_why_there_is_nothing_to_do(run, toy, tmp_path):
    folder, empty = tmp_path / "work" / "in", tmp_path / "work" / "empty"
    folder.mkdir()
    empty.mkdir()
    (folder / "a.x").write_text("TOY")
    assert "another folder" in run("convert", folder, folder, "--to", "toy", status=2).stderr
    assert "no file to convert" in run("convert", empty, tmp_path / "o", "--to", "toy", status=2).stderr


def test_doctor_names_what_is_missing_with_advice(run, shelf):
    shelf.provide("acme-key", "voice", "needy", options="requires=('env:ACME_KEY_NOT_SET', 'module:json')")
    shelf.add("acme-bad", {"kinetoscope.importer": {"bad": "acme_bad"}}, {"acme_bad": "1 / 0"})
    checks = {check["name"]: check for check in only_json(run("doctor", "--json"))["checks"]}
    assert all(set(check) == {"name", "ok", "found", "advice"} for check in checks.values())
    assert checks["python"]["ok"] == ((3, 11) <= sys.version_info[:2] <= (3, 13))
    missing = checks["voice needy: env:ACME_KEY_NOT_SET"]
    assert not missing["ok"]
    assert "ACME_KEY_NOT_SET" in missing["advice"]
    assert checks["voice needy: module:json"]["ok"]
    assert "ZeroDivisionError" in checks["importer bad"]["found"]
    assert all(check["advice"] for check in checks.values() if not check["ok"])
    assert "opengl" in checks or sys.platform == "win32"
    assert "ACME_KEY_NOT_SET" in run("doctor").stdout


def test_usage_is_answered_with_the_nearest(run):
    assert "did you mean 'plugins'" in run("plugin", status=2).stderr
    run("plugins", "--nope", status=2)
    assert "plugins" in run("--help").stdout
    assert run("--version").stdout.startswith("main") or "0.1" in run("--version").stdout
    run("inspect", status=2)


def test_a_command_of_a_plugin_that_fails_names_itself_only(run, shelf):
    shelf.add("acme-cmd", {"kinetoscope.command": {"juggle": "acme_cmd"}}, {"acme_cmd": "1 / 0"})
    failed = run("juggle", status=1)
    assert "acme-cmd 1.2" in failed.stderr
    for words in (["plugins", "--load"], ["plugins"]):
        [line] = [line for line in run("--allow", "juggle", *words).stdout.splitlines() if "acme-cmd" in line]
        assert "broken" in line
        assert "ZeroDivisionError" in line
    assert "ZeroDivisionError" in failed.stderr
    assert "juggle" in run("--help").stdout
    assert "o such command" in run("--block", "acme-cmd", "juggle", status=2).stderr


def test_settings_leave_commands_out_too(run, shelf, tmp_path):
    text = """
        import click
        @click.command()
        def command(): click.echo("juggling")
    """
    shelf.add("acme-cmd", {"kinetoscope.command": {"juggle": "acme_cmd:command"}}, {"acme_cmd": text})
    assert run("juggle").stdout == "juggling\n"
    (tmp_path / "work" / "kinetoscope.toml").write_text('block = ["acme-cmd"]')
    run("juggle", status=2)
    (tmp_path / "work" / "kinetoscope.toml").unlink()
    shelf.add("acme-other", {"kinetoscope.command": {"juggle": "acme_cmd:command"}}, {})
    assert "acme-cmd 1.2 and by acme-other 1.2" in run("juggle", status=1).stderr
    (tmp_path / "work" / "kinetoscope.toml").write_text('providers.command.juggle = "acme-other"')
    assert run("juggle").stdout == "juggling\n"


def test_a_plugin_cannot_take_a_command_of_core(run, shelf):
    shelf.add("acme-cmd", {"kinetoscope.command": {"plugins": "acme_cmd"}}, {"acme_cmd": "1 / 0"})
    [row] = [
        row for row in only_json(run("plugins", "--json"))["providers"] if row["distribution"] == "acme-cmd"
    ]
    assert (row["state"], row["hook"]) == ("blocked", "command")
    assert shelf.imported() == []


def test_timings_on_request(run, toy, tmp_path):
    path = tmp_path / "work" / "walk"
    path.write_text("TOY")
    assert "toy: read" in run("--trace", "--allow", "toy", "inspect", path).stderr
    assert "toy: read" not in run("--allow", "toy", "inspect", path).stderr


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_half_written_file(toy, tmp_path, number):
    source, out = tmp_path / "work" / "slow.x", tmp_path / "work" / "out" / "film.toy"
    source.write_text("TOY")
    out.parent.mkdir()
    out.write_text("what was there before")
    # Where the tests run in the background of a shell, Ctrl-C is ignored; not so for a user.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from kinetoscope.cli import main; main(prog_name='kinetoscope')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--allow", "toy", "convert", source, out],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    started = out.parent / "started"
    while not started.exists() and process.poll() is None:
        time.sleep(0.05)
    assert len(os.listdir(out.parent)) == 3, "the temporary file is there while it is being written"
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else 143)
    assert "Traceback" not in stderr
    assert out.read_text() == "what was there before"
    assert sorted(os.listdir(out.parent)) == ["film.toy", "started"]


def test_a_pipe_that_closes_early_is_no_traceback(shelf):
    code = textwrap.dedent("""
        import subprocess, sys
        words = [sys.executable, "-m", "kinetoscope", "doctor"]
        run = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        run.stdout.close()
        print(run.stderr.read().decode())
    """)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Traceback" not in ran.stdout


def test_json_is_json_whatever_the_data(capsys):
    import click
    import numpy as np

    from kinetoscope.cli._common import emit, json_option

    @click.command()
    @json_option
    @click.pass_context
    def command(ctx):
        print("noise")
        data = {
            "a": np.float32("nan"),
            "b": np.arange(2),
            "c": (1.5, float("inf")),
            "d": {"x"},
            "e": np.int64(3),
        }
        emit(ctx, data | {"path": os.path}, "text")

    result = CliRunner().invoke(command, ["--json"])
    held = json.loads(result.stdout)
    assert {key: held[key] for key in "abcde"} == {
        "a": None,
        "b": [0, 1],
        "c": [1.5, None],
        "d": ["x"],
        "e": 3,
    }
    assert "noise" in result.stderr
    assert CliRunner().invoke(command, []).stdout == "noise\ntext\n"


def test_progress_is_shown_to_a_terminal_only(capsys):
    from kinetoscope.cli._common import progress_bar

    with progress_bar("working") as progress:
        assert progress(1, 2, "half") is None
    assert capsys.readouterr() == ("", "")
    code = (
        "from kinetoscope.cli._common import progress_bar\nwith progress_bar('w') as p: p(1, 2, 'half way')\n"
    )
    controller, terminal = os.openpty()
    ran = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=terminal, check=True)
    os.close(terminal)
    seen = b""
    while chunk := read_terminal(controller):
        seen += chunk
    os.close(controller)
    assert b"half way" in seen
    assert ran.stdout == b""


def read_terminal(controller):
    try:
        return os.read(controller, 65536)
    except OSError:  # Linux says EIO once the other end is closed
        return b""
