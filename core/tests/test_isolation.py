"""One plugin that fails is a row with a reason; everything else works."""

from __future__ import annotations

import pytest

from kinetoscope import Host
from kinetoscope_spec import PluginError, ProviderNotFound

GOOD = "acme-good"


@pytest.fixture
def bad(shelf):
    """A good plugin among five that are broken in different ways."""
    shelf.provide(GOOD, "importer", "good", options="reads=('good',)")
    shelf.add(
        "acme-raises",
        {"kinetoscope.importer": {"raises": "acme_raises"}},
        {"acme_raises": "1 / 0"},
        version="3.1",
    )
    shelf.add(
        "acme-exits", {"kinetoscope.importer": {"exits": "acme_exits"}}, {"acme_exits": "raise SystemExit(3)"}
    )
    shelf.provide("acme-misspelt", "importer", "misspelt", body="@hookimpl\ndef importr(): return []\n")
    shelf.add(
        "acme-argument",
        {"kinetoscope.importer": {"argument": "acme_argument"}},
        {
            "acme_argument": "from kinetoscope_spec import hookimpl\n@hookimpl\ndef importer(path): return []\n"
        },
    )
    shelf.provide("acme-future", "importer", "future", requires=["kinetoscope-spec>=99"])
    shelf.provide("acme-misnamed", "importer", "misnamed", version="2")
    shelf.folder.joinpath("acme_misnamed-2.dist-info", "entry_points.txt").write_text(
        "[kinetoscope.importer]\nother = acme_misnamed_importer_misnamed\n"
    )
    shelf.add("acme-gone", {"kinetoscope.importer": {"gone": "acme_no_such_module"}}, {})
    return shelf


REASONS = {
    "raises": "ZeroDivisionError",
    "exits": "SystemExit",
    "misspelt": "'importr'; did you mean 'importer'",
    "argument": "path",
    "future": "requires kinetoscope-spec>=99",
    "other": "'misnamed'",
    "gone": "acme_no_such_module",
}


def rows(host, **options):
    return {
        info.name: info
        for info in host.providers("importer", **options)
        if info.distribution.startswith("acme")
    }


def test_each_is_a_broken_row_with_distribution_version_and_reason(bad):
    with Host() as host:
        found = rows(host)
        assert {name for name, info in found.items() if info.state == "broken"} == set(REASONS)
        for name, text in REASONS.items():
            assert text in found[name].reason, name
        assert (found["raises"].distribution, found["raises"].version) == ("acme-raises", "3.1")
        assert found["good"].state == "loaded"
        assert host.importer("good").work(1) == 2
        assert {item.plugin for item in host.diagnostics()} >= set(REASONS)


@pytest.mark.parametrize("name", sorted(REASONS))
def test_calling_a_broken_one_raises_with_the_reason_and_where_it_is_from(bad, name):
    with Host() as host, pytest.raises(PluginError) as caught:
        host.importer(name)
    assert REASONS[name] in str(caught.value)
    assert "acme-" in str(caught.value)


def test_a_plugin_for_another_specification_is_not_imported(bad):
    with Host() as host:
        rows(host)
    assert "acme_future_importer_future" not in bad.imported()
    assert "acme_good_importer_good" in bad.imported()


def test_what_failed_is_on_record_for_the_next_host_which_imports_nothing(bad):
    with Host() as host:
        before = rows(host)
    bad.imported_log.unlink()
    with Host() as host:
        after = rows(host, load=False)
    assert bad.imported() == []
    for name, text in REASONS.items():
        assert after[name].state == "broken", name
        assert text in after[name].reason
    assert after["good"].state == "available"
    assert before["good"].state == "loaded"


def test_the_record_is_renewed_when_a_plugin_is_mended(shelf, monkeypatch):
    shelf.add("acme-moody", {"kinetoscope.importer": {"moody": "acme_moody"}}, {"acme_moody": "1 / 0"})
    with Host() as host:
        assert rows(host)["moody"].state == "broken"
    (shelf.folder / "acme_moody.py").write_text(
        "from kinetoscope_spec import Provider, hookimpl\n"
        "@hookimpl\ndef importer(): return [Provider('moody', '', load='json:JSONDecoder')]\n"
    )
    with Host() as host:
        assert rows(host, load=False)["moody"].state == "broken"
        assert host.importer("moody").decode("1") == 1
    with Host() as host:
        assert rows(host, load=False)["moody"].state == "available"


def test_a_class_that_fails_to_import_breaks_its_provider_alone(shelf):
    name = shelf.provide("acme-late", "importer", "late")
    text = (shelf.folder / f"{name}.py").read_text()
    (shelf.folder / f"{name}.py").write_text(text.replace(f"{name}:Thing", "acme_no_such:Thing"))
    with Host() as host:
        assert rows(host)["late"].state == "loaded"
        with pytest.raises(PluginError, match="acme_no_such"):
            host.importer("late")
        assert rows(host)["late"].state == "broken"
        with pytest.raises(PluginError, match="acme_no_such"):
            host.importer("late")
    with Host() as host:
        assert "acme_no_such" in rows(host, load=False)["late"].reason


def test_loading_everything_finds_classes_that_fail(shelf):
    name = shelf.provide("acme-late", "importer", "late")
    text = (shelf.folder / f"{name}.py").read_text()
    (shelf.folder / f"{name}.py").write_text(text.replace(f"{name}:Thing", f"{name}:Thingy"))
    with Host(allow=["acme-late"]) as host:
        host.load_all()
        assert "Thingy" in rows(host)["late"].reason


def test_a_constructor_that_raises_names_its_plugin(shelf):
    shelf.provide(
        "acme-ctor", "importer", "ctor", body="class Thing:\n    def __init__(self): raise OSError('no')\n"
    )
    with Host() as host, pytest.raises(PluginError, match="OSError: no") as caught:
        host.importer("ctor")
    assert "acme-ctor 1.2" in str(caught.value)


def test_the_home_may_be_missing_or_full_of_nonsense(bad, tmp_path):
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    for held in ("", "{", "[]", '{"format": 1, "outcomes": {"a": 3}}', '{"format": 1, "outcomes": []}'):
        (home / "record.json").write_text(held)
        with Host() as host:
            assert rows(host, load=False)["good"].state == "available"
            assert host.importer("good").work(1) == 2


def test_a_misspelt_hook_of_an_embedded_plugin_is_an_error():
    from kinetoscope_spec import Provider, hookimpl

    class Slip:
        @hookimpl
        def rendrer(self):
            return []

    class Fine:
        @hookimpl
        def importer(self):
            return [Provider("fine", "test", load=dict)]

    with pytest.raises(PluginError, match="'rendrer'"):
        Host(plugins=[Slip()], autoload=False).check_pending()
    assert [item.plugin for item in Host(plugins=[Slip()], autoload=False).diagnostics()] == ["Slip"]
    Host(plugins=[Fine()], autoload=False).check_pending()
    host = Host(plugins=[Slip(), Fine()], autoload=False)
    assert host.importer("fine") == {}
    with pytest.raises(PluginError, match="'rendrer'; did you mean 'renderer'"):
        host.check_pending()
    with pytest.raises(ProviderNotFound, match="did you mean 'renderer'"):
        host.renderer("any")


def test_a_plugin_that_takes_a_hook_of_the_specification_is_refused(shelf):
    shelf.add(
        "acme-thief",
        {"kinetoscope": {"thief": "acme_thief"}},
        {
            "acme_thief": """
                import sys
                from kinetoscope_spec import Hook, hookimpl, hookspec
                HOOKS = (Hook("importer", "mine now", "x:Y"), Hook("acmehook", "y", "x:Y"))
                @hookspec
                def acmehook(): pass
                @hookimpl
                def addhooks(): return [sys.modules[__name__]]
            """
        },
    )
    shelf.provide(GOOD, "importer", "good")
    with Host() as host:
        with pytest.raises(ProviderNotFound, match="brings the hook 'importer', which the specification has"):
            host.provider("acmehook")
        assert host.importer("good").work(1) == 2


def test_a_hook_that_is_missing_since_its_plugin_is_blocked_says_so(shelf):
    shelf.add(
        "acme-hooks",
        {"kinetoscope": {"acme": "acme_blocked_hooks"}},
        {"acme_blocked_hooks": "raise RuntimeError('imported although it is blocked')"},
    )
    with (
        Host(block=["acme-hooks"]) as host,
        pytest.raises(ProviderNotFound, match=r"'acme' of acme-hooks.*, which brings hooks, is blocked"),
    ):
        host.provider("juggler")


def test_a_submodule_that_took_the_place_of_a_hook_function_is_named(tmp_path, monkeypatch):
    """Python puts a submodule where a function of the same name was, once it is imported."""
    package = tmp_path / "acme_shadow"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from kinetoscope_spec import Provider, hookimpl\n"
        "@hookimpl\ndef importer():\n    return [Provider('shadow', 'x', load='acme_shadow.importer:Reader')]\n"
    )
    (package / "importer.py").write_text("class Reader:\n    def read(self, path): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import acme_shadow

    with Host(plugins=[acme_shadow], autoload=False) as host:
        assert host.importer("shadow")  # imports the submodule
    with Host(plugins=[acme_shadow], autoload=False) as host:
        told = " ".join(str(row) for row in host.diagnostics())
        assert "submodule 'importer'" in told
        assert "specname" in told
