"""The laws of renderers, without the costly passes and with all of them."""

import pytest

from kinetoscope_deferred.renderer import DeferredRenderer
from kinetoscope_spec.contracts import DeferredContract

pytestmark = pytest.mark.gl


class TestDraft(DeferredContract):
    provider = DeferredRenderer
    name = "deferred, draft"


class TestHigh(DeferredContract):
    provider = DeferredRenderer
    name = "deferred, high"
    quality = "high"
    size = (47, 31)
