from __future__ import annotations

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope import Config, Host
from kinetoscope._layers import KEYS
from kinetoscope.config import Choice
from kinetoscope_spec import ConfigError


@pytest.fixture
def write(tmp_path):
    def write(name, text, folder="."):
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def load(tmp_path, arguments=None, environ=None, folder="."):
    return Config.load(arguments, folder=tmp_path / folder, environ=environ or {})


def test_without_any_source_the_settings_are_the_defaults(tmp_path):
    assert load(tmp_path) == Config()


def test_arguments_beat_variables_beat_pyproject_beat_the_file(tmp_path, write):
    toml = write("kinetoscope.toml", 'block = ["file"]\ntrace = true\n')
    assert load(tmp_path).block == ("file",)
    pyproject = write("pyproject.toml", '[tool.kinetoscope]\nblock = ["pyproject"]\n')
    assert load(tmp_path).block == ("pyproject",)
    environ = {"KINETOSCOPE_BLOCK": "variable, other"}
    assert load(tmp_path, environ=environ).block == ("variable", "other")
    config = load(tmp_path, {"block": ["argument"]}, environ)
    assert config.block == ("argument",)
    assert config.trace is True
    assert config.sources == {"block": "argument", "trace": str(toml)}
    assert load(tmp_path).sources["block"] == str(pyproject)


def test_tables_join_where_lists_replace(tmp_path, write):
    write(
        "kinetoscope.toml", '[providers]\nimporter = "bvh"\nvoice = "a"\n[plugins.bvh]\nunit = 1\nkeep = 2\n'
    )
    write(
        "pyproject.toml",
        '[tool.kinetoscope.plugins.bvh]\nunit = 3\n[tool.kinetoscope.providers]\nvoice = "b"\n',
    )
    config = load(
        tmp_path, environ={"KINETOSCOPE_PROVIDERS__MODEL": "m", "KINETOSCOPE_PLUGINS__BVH__MORE": "[4, 5]"}
    )
    assert {hook: choice.default for hook, choice in config.providers.items()} == {
        "importer": "bvh",
        "voice": "b",
        "model": "m",
    }
    assert config.plugins["bvh"] == {"unit": 3, "keep": 2, "more": [4, 5]}
    assert config.settings("nothing", "bvh") == {"unit": 3, "keep": 2, "more": [4, 5]}


def test_the_nearest_file_upward_counts(tmp_path, write):
    write("kinetoscope.toml", 'block = ["far"]')
    write("pyproject.toml", "[tool.other]\nkinetoscope = 1\n", "a/b")
    write("kinetoscope.toml", 'block = ["near"]', "a")
    assert load(tmp_path, folder="a/b").block == ("near",)
    assert load(tmp_path).block == ("far",)


def test_a_hook_may_have_a_default_and_owners_of_names(tmp_path, write):
    write("kinetoscope.toml", '[providers.importer]\ndefault = "bvh"\nbvh = "acme-bvh"\n')
    assert load(tmp_path).providers["importer"] == Choice("bvh", {"bvh": "acme-bvh"})
    write("kinetoscope.toml", 'providers.importer.bvh = "acme-bvh"\n')
    assert load(tmp_path, {"providers": {"importer": "fbx"}}).providers["importer"] == Choice(
        "fbx", {"bvh": "acme-bvh"}
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("blok = []", ["kinetoscope.toml", "'blok'", "'block'"]),
        ("autolaod = true", ["'autolaod'", "'autoload'"]),
        ("xyzzy = 1", ["'xyzzy'", "known are autoload, block"]),
        ("block = 'bvh'", ["block", "list of names"]),
        ("block = [1]", ["block", "list of names"]),
        ("autoload = 1", ["autoload", "true or false"]),
        ("trace = 'yes'", ["trace", "true or false"]),
        ("providers = 3", ["providers", "importer = "]),
        ("providers.importer = 3", ["providers", "'importer'", "3"]),
        ("providers.importer.bvh = 3", ["providers", "'importer'"]),
        ("plugins = []", ["plugins", "table"]),
        ("plugins.bvh = 1", ["plugins", "'bvh'"]),
        ("block = [", ["kinetoscope.toml", "TOML"]),
        ("\x00", ["kinetoscope.toml", "TOML"]),
        ("a = " + "[" * 5000, ["kinetoscope.toml"]),
    ],
)
def test_what_is_wrong_is_named_with_file_key_and_what_was_expected(tmp_path, write, text, words):
    write("kinetoscope.toml", text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert [word for word in words if word not in str(caught.value)] == []


def test_a_pyproject_key_is_named_with_its_file(tmp_path, write):
    path = write("pyproject.toml", "[tool.kinetoscope]\nprovider = 1\n")
    with pytest.raises(ConfigError, match="'provider'; did you mean 'providers'") as caught:
        load(tmp_path)
    assert caught.value.place == str(path)


def test_a_broken_pyproject_of_somebody_else_is_none_of_our_business(tmp_path, write):
    write("pyproject.toml", "this is [ not toml")
    assert load(tmp_path) == Config()


def test_a_huge_file_is_refused_unread(tmp_path, write):
    path = write("kinetoscope.toml", "")
    os.truncate(path, 10 << 30)
    with pytest.raises(ConfigError, match="larger than"):
        load(tmp_path)


def test_an_explicit_file_is_read_instead(tmp_path, write):
    write("kinetoscope.toml", 'block = ["a"]')
    other = write("other.toml", 'allow = ["b"]')
    config = Config.load(file=other, folder=tmp_path, environ={})
    assert (config.block, config.allow) == ((), ("b",))
    for missing in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError, match="can't be read"):
            Config.load(file=missing, environ={})


@pytest.mark.parametrize(("text", "flag"), [("1", True), ("off", False), ("TRUE", True), ("", False)])
def test_flags_of_variables(tmp_path, text, flag):
    assert load(tmp_path, environ={"KINETOSCOPE_AUTOLOAD": text}).autoload is flag


def test_a_variable_that_is_a_slip_is_an_error_and_others_are_left_alone(tmp_path):
    with pytest.raises(ConfigError, match=r"KINETOSCOPE_BLOK.*'block'"):
        load(tmp_path, environ={"KINETOSCOPE_BLOK": "a"})
    with pytest.raises(ConfigError, match="KINETOSCOPE_TRACE"):
        load(tmp_path, environ={"KINETOSCOPE_TRACE": "perhaps"})
    others = {"KINETOSCOPE_HOME": "/x", "KINETOSCOPE_DATA": "/y", "KINETOSCOPE_GEMINI_KEY": "z"}
    assert load(tmp_path, environ=others) == Config()


@given(
    st.dictionaries(
        st.sampled_from(KEYS) | st.text(max_size=8),
        st.none() | st.booleans() | st.text(max_size=4) | st.lists(st.integers()),
    )
)
def test_any_table_is_settings_or_a_config_error(table):
    given = {key: value for key, value in table.items() if value is not None}
    if given.keys() - set(KEYS):
        with pytest.raises(ConfigError, match=r"unknown key|is wrong|expected"):
            Config.load(table, folder="/", environ={})
        return
    try:
        config = Config.load(table, folder="/", environ={})
    except ConfigError:
        return
    assert set(config.sources) == set(given)


def test_settings_reach_the_host(shelf, tmp_path):
    shelf.provide("acme-a", "importer", "aaa", options="reads=('x',)")
    shelf.provide("acme-b", "importer", "bbb", options="reads=('x',)")
    with Host(allow=["aaa", "bbb"]) as host:
        assert host.explain("importer").chosen == "aaa"
    (tmp_path / "work" / "kinetoscope.toml").write_text(
        'providers.importer = "bbb"\nallow = ["aaa", "bbb"]\n'
    )
    with Host() as host:
        assert host.explain("importer").chosen == "bbb"
        assert host.explain("importer", "x").chosen == "bbb"
        assert "configuration" in host.explain("importer").why
        assert host.importer("aaa") is not host.importer()
    with Host(config=Config()) as host:
        assert host.config == Config()


def test_reading_no_settings_needs_no_cattrs(tmp_path):
    import subprocess

    code = "import sys; from kinetoscope import Config; Config.load(folder='/', environ={}); print('cattrs' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
