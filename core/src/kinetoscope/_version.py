"""The version of the host."""

from typing import Final

VERSION: Final = "0.1.0"
