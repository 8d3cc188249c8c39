"""Drawing a player with a session, into a window's framebuffer or any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import moderngl
import numpy as np
from PIL import Image

from kinetoscope_deferred.session import DeferredSession
from kinetoscope_deferred.window.hud import overlay
from kinetoscope_deferred.window.player import Player
from kinetoscope_spec.errors import ConfigError, PluginError
from kinetoscope_spec.files import replacing
from kinetoscope_spec.scene import Scene

__all__ = ["Stage"]

_OVER = (moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA)


class Stage:
    """Keeps a session in step with a player and draws its panes; one code path with films."""

    def __init__(self, session: DeferredSession, player: Player) -> None:
        self.session, self.player = session, player
        self.told = ""
        self._overlay: moderngl.Texture | None = None
        self._drawn: dict[int, dict[int, Any]] = {}

    def draw(self, target: moderngl.Framebuffer) -> None:
        """Draw everything, the timeline over it, into `target`, which has the player's size."""
        self._switch()
        self._show(target)
        if self.player.wants_screenshot:
            self.player.wants_screenshot = False
            self.told = self._saved()
        self._write(target)

    def pick(self, x: float, y: float) -> None:
        """Tell the player what is in a pixel of the window, from the top left."""
        for pane in self.player.panes():
            left, _, width, _ = pane.area
            if left <= x < left + width:
                self.session.resize(pane.area[2:])
                self.player.pick(self.session.pick(pane.scene, pane.camera, int(x) - left, int(y)))

    def _saved(self) -> str:
        try:
            return f"saved {self.save()}"
        except OSError as error:  # a window stays open where nothing can be written
            return f"not saved: {error}"

    def save(self, folder: Path | None = None) -> Path:
        """Write the picture, without the timeline, to a new PNG in `folder`, the current one if None; return its path."""
        width, height = self.player.size
        with self.session.device.context as context:
            target = context.simple_framebuffer((width, height), 4)
        self._show(target)
        with self.session.device.context:
            rows = np.frombuffer(target.read(components=3, alignment=1), np.uint8)
            for held in (*target.color_attachments, target.depth_attachment, target):
                held.release()
        picture = Image.fromarray(np.ascontiguousarray(rows.reshape(height, width, 3)[::-1]))
        folder, number = Path.cwd() if folder is None else folder, 1
        stem = Path(self.player.clips[self.player.focus].name).stem
        while (path := folder / f"{stem}-{number:03d}.png").exists():
            number += 1
        with replacing(path) as building:
            picture.save(building, "PNG")
        return path

    def _show(self, target: moderngl.Framebuffer) -> None:
        with self.session.device.context:  # another session of the thread may have made its own current
            target.clear()
        for i, pane in enumerate(self.player.panes()):
            self.session.resize(pane.area[2:])
            self.session.show(self._following(i, pane.scene), pane.camera, target, pane.area, film=i)

    def _following(self, pane: int, scene: Scene) -> Scene:
        """Return the scene as it follows the pane's picture before: a window shows some frames twice and others never."""
        before = self._drawn.get(pane, {})
        self._drawn[pane] = {actor.id: actor.pose for actor in scene.actors}
        actors = tuple(
            attrs.evolve(actor, previous_pose=before.get(actor.id, actor.pose)) for actor in scene.actors
        )
        return attrs.evolve(scene, actors=actors)

    def _switch(self) -> None:
        player, session = self.player, self.session
        for name in player.passes:
            if (name in player.on) != session.quality.runs(name):
                try:
                    session.switch(name, name in player.on)
                    self.told = f"{name} {'on' if name in player.on else 'off'}"
                except (ConfigError, PluginError) as error:
                    self.told = str(error)
                    player.on ^= {name}

    def _write(self, target: moderngl.Framebuffer) -> None:
        rgba = overlay(self.player, self.told)
        size = (rgba.shape[1], rgba.shape[0])
        with self.session.device.context as context:
            if self._overlay is None or self._overlay.size != size:
                if self._overlay is not None:
                    self._overlay.release()
                self._overlay = context.texture(size, 4)
                self._overlay.filter = (moderngl.NEAREST, moderngl.NEAREST)
            self._overlay.write(np.ascontiguousarray(rgba[::-1]).tobytes(), alignment=1)
        self.session.paste(self._overlay, target, (0, 0, *size), blend=_OVER)
