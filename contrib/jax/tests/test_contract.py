"""The provider `features-jax` keeps the contract of the hook `feature`."""

from __future__ import annotations

import kinetoscope
from kinetoscope_jax.contract import JaxContract


class TestFeaturesJax(JaxContract):
    provider = kinetoscope.Host().feature("features-jax")
    name = "features-jax"
