"""Who has a name that two distributions use: configuration says, or nobody has it."""

from __future__ import annotations

import pytest

from kinetoscope import Host
from kinetoscope_spec import PluginError


@pytest.fixture
def two(shelf):
    shelf.provide("kinetoscope-unicycle", "importer", "uni", version="0.1", options="reads=('uni',)")
    shelf.provide("acme-uni", "importer", "uni", version="9.9", options="reads=('uni',), order=1")
    return shelf


def test_the_name_of_a_first_party_provider_is_not_taken_in_silence(two):
    with Host() as host:
        for ask in (lambda: host.importer("uni"), lambda: host.importer(for_="uni")):
            with pytest.raises(PluginError) as caught:
                ask()
            assert "kinetoscope-unicycle 0.1" in str(caught.value)
            assert "acme-uni 9.9" in str(caught.value)
            assert 'providers.importer.uni = "acme-uni"' in str(caught.value)
        states = {info.distribution: info.state for info in host.providers("importer") if info.name == "uni"}
    assert states == {"kinetoscope-unicycle": "loaded", "acme-uni": "blocked"}
    assert two.imported() == ["kinetoscope_unicycle_importer_uni"]


@pytest.mark.parametrize("owner", ["acme-uni", "Acme_Uni", "kinetoscope-unicycle"])
def test_configuration_says_who_has_it(two, owner):
    with Host(config={"providers": {"importer": {"uni": owner}}}) as host:
        with pytest.raises(ValueError, match="no good") as caught:
            host.importer("uni").fail()
        assert owner.lower().replace("_", "-") in caught.value.__notes__[0]
        assert host.importer(for_="uni") is host.importer("uni")
    assert len(two.imported()) == 1


def test_blocking_one_of_them_leaves_the_other(two):
    with Host(block=["kinetoscope-unicycle"]) as host:
        assert host.importer("uni").work(1) == 2
    with Host(block=["acme-uni"]) as host:
        assert host.importer("uni").work(1) == 2


def test_two_strangers_with_one_name_are_both_named(shelf):
    shelf.provide("acme-a", "importer", "same")
    shelf.provide("acme-b", "importer", "same")
    with Host() as host, pytest.raises(PluginError, match=r"acme-a 1\.2 and by acme-b 1\.2"):
        host.importer("same")
    assert shelf.imported() == []


def test_a_plugin_for_another_specification_takes_no_name(shelf):
    shelf.provide("kinetoscope-unicycle", "importer", "uni")
    shelf.provide("acme-uni", "importer", "uni", requires=["kinetoscope-spec>=99"])
    with Host() as host:
        assert host.importer("uni").work(1) == 2


def test_the_same_name_under_two_hooks_is_no_conflict(shelf):
    shelf.provide("acme-a", "importer", "same")
    shelf.provide("acme-b", "voice", "same")
    with Host() as host:
        assert host.importer("same").work(1) == host.voice("same").work(1) == 2
