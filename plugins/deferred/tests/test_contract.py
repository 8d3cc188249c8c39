"""The laws of renderers, without the costly passes and with all of them."""

import pytest

from kinetoscope_deferred.renderer import DeferredRenderer
from kinetoscope_spec.contracts import RendererContract

pytestmark = pytest.mark.gl


class TestDraft(RendererContract):
    provider = DeferredRenderer
    name = "deferred, draft"


class TestHigh(RendererContract):
    provider = DeferredRenderer
    name = "deferred, high"
    quality = "high"
    size = (47, 31)
