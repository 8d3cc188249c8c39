"""A viewer in the browser: motions and skinned characters that play, and stages while they run."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kinetoscope_viser.viewer import Viewer

__all__ = ["Viewer"]


def __getattr__(name: str) -> Any:
    # viser takes half a second to import: `kinetoscope --help` is not to wait for it.
    if name == "Viewer":
        from kinetoscope_viser.viewer import Viewer

        return Viewer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
