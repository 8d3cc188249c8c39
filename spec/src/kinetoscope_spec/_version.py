"""The version of the specification, apart from everything so that it can be read cheaply."""

from typing import Final

SPEC_VERSION: Final = "0.1"
"""`major.minor` of the specification; until 1.0 a new minor may break, as a new major does later."""
