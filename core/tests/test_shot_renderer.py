"""Which renderer draws where the first in the host's order can't open."""

import textwrap

import pytest

from kinetoscope import Host
from kinetoscope.shot.stages import Stage, Stages
from kinetoscope_spec.errors import ProviderUnavailable

RENDERERS = """
    from kinetoscope_spec import Provider, ProviderUnavailable, hookimpl

    class Session:
        why = "paper"

        def close(self):
            pass

    class Draws:
        def open(self, size, quality="medium", **options):
            return Session()

    class Driverless:
        def open(self, size, quality="medium", **options):
            raise ProviderUnavailable("no driver gives a context")

    @hookimpl
    def renderer():
        return [
            Provider("alpha", "needs a driver", load="house_renderers:Driverless"),
            Provider("beta", "needs another", load="house_renderers:Driverless"),
            Provider("gamma", "needs none", load="house_renderers:Draws"),
        ]
"""


@pytest.fixture
def house(shelf):
    entries = {"kinetoscope.renderer": dict.fromkeys(("alpha", "beta", "gamma"), "house_renderers")}
    shelf.add("house", entries, {"house_renderers": textwrap.dedent(RENDERERS)})


def host(**config):
    return Host(config={"allow": ["house"], **config})


def test_the_first_that_opens_draws_and_why_is_said(house):
    stage = Stage("render")
    with host() as opened:
        Stages(opened).renderer(stage).open((8, 8)).close()
    assert stage.provider == "gamma"
    assert stage.why == "alpha can't draw here: no driver gives a context; paper"
    assert stage.details["device"] == "paper"


def test_one_that_was_named_is_not_replaced(house):
    stage = Stage("render")
    with host() as opened, pytest.raises(ProviderUnavailable):
        Stages(opened).renderer(stage, "beta").open((8, 8))
    assert stage.provider == "beta"


def test_where_none_opens_the_first_says_why(house):
    with host(block=["gamma"]) as opened, pytest.raises(ProviderUnavailable, match="no driver gives"):
        Stages(opened).renderer(Stage("render"))
