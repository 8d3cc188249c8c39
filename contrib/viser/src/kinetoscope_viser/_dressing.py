"""What every page has: light, ground, background, and where the camera stands at first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import viser
from numpy.typing import NDArray

__all__ = ["FIELD_OF_VIEW", "dress", "framed"]

Array = NDArray[Any]

_SKY: Final = np.array([176, 190, 208])
_HORIZON: Final = np.array([226, 230, 236])
FIELD_OF_VIEW: Final = np.radians(35.0)
_ASIDE: Final = np.radians(32.0)
_RISE: Final = np.radians(11.0)
_MARGIN: Final = 1.35
_BRAND: Final = (214, 92, 42)


def dress(server: viser.ViserServer) -> Any:
    """Light the scene, lay the ground and paint the sky; return the ground."""
    server.gui.configure_theme(
        control_width="medium", show_logo=False, show_share_button=False, brand_color=_BRAND
    )
    scene = server.scene
    scene.set_up_direction("+y")
    scene.world_axes.visible = False
    scene.configure_default_lights(enabled=True, cast_shadow=True)
    scene.configure_environment_map("studio", environment_intensity=0.12)
    down = np.linspace(0, 1, 256)[:, None, None] ** 0.8
    sky = (_SKY * (1 - down) + _HORIZON * down).round().astype(np.uint8)
    scene.set_background_image(np.repeat(sky, 2, axis=1), format="png")
    return scene.add_grid(
        "/ground",
        plane="xz",
        infinite_grid=True,
        cell_size=0.25,
        section_size=1.0,
        cell_color=(196, 200, 206),
        section_color=(150, 156, 166),
        cell_thickness=0.6,
        section_thickness=1.0,
        fade_distance=32.0,
        fade_strength=1.2,
        shadow_opacity=0.35,
        plane_color=(214, 217, 222),
        plane_opacity=1.0,
    )


def framed(bounds: Sequence[Array]) -> tuple[Array, Array]:
    """Return where a camera stands, and the point `[3]` m it looks at, to see all of `bounds`.

    Args:
        bounds: the lowest and the highest corner `[2, 3]` m of each thing.
    """
    if not bounds:
        return np.array([1.6, 1.4, 3.6]), np.array([0.0, 0.9, 0.0])
    held = np.stack(bounds)
    low, high = held[:, 0].min(axis=0), held[:, 1].max(axis=0)
    centre = 0.5 * (low + high)
    reach = max(0.5 * float(np.linalg.norm(high - low)), 0.05)
    distance = _MARGIN * reach / np.tan(0.5 * FIELD_OF_VIEW)
    level = np.cos(_RISE)
    way = np.array([np.sin(_ASIDE) * level, np.sin(_RISE), np.cos(_ASIDE) * level])
    return centre + distance * way, centre
