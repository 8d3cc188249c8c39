"""An interactive window on the deferred renderer's own passes."""

from kinetoscope_deferred.window.clips import Clip, clip_of
from kinetoscope_deferred.window.player import Pane, Player

__all__ = ["Clip", "Pane", "Player", "clip_of"]
