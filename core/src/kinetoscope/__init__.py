"""The host: finds plugins, chooses among them, and hands out what they provide.

Everything here is imported on first use, so that `import kinetoscope` costs next to nothing.
"""

from typing import TYPE_CHECKING

from kinetoscope_spec._lazy import lazy_attributes

if TYPE_CHECKING:
    from kinetoscope._version import VERSION
    from kinetoscope.config import Config
    from kinetoscope.host import Host
    from kinetoscope.infos import Candidate, Diagnostic, Explanation, ProviderInfo, Timing
    from kinetoscope.shot.events import ShotEvent
    from kinetoscope.shot.run import Film

_HOMES = {
    "VERSION": "_version",
    "Config": "config",
    "Host": "host",
    "Film": "shot.run",
    "ShotEvent": "shot.events",
    **dict.fromkeys(("Candidate", "Diagnostic", "Explanation", "ProviderInfo", "Timing"), "infos"),
}

__all__ = [
    "VERSION",
    "Candidate",
    "Config",
    "Diagnostic",
    "Explanation",
    "Film",
    "Host",
    "ProviderInfo",
    "ShotEvent",
    "Timing",
]

__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
