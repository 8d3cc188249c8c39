"""Presets: what each quality spends, and which passes it runs."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from kinetoscope_spec.rendering import STANDARD, chosen, switched

__all__ = ["PRESETS", "Quality", "choose"]


@attrs.frozen(kw_only=True)
class Quality:
    """What one preset spends: texels along a square of the shadow map, taps of its filter and squares at most,
    samples of occlusion, transparent layers, levels of bloom, steps along edges, pixels that coarser meshes may
    be off where triangles outnumber pixels, and the names of the passes that run."""

    shadow_size: int
    shadow_taps: int
    cascades: int
    ssao_samples: int
    layers: int
    bloom_levels: int
    fxaa_steps: int
    detail_px: float
    passes: frozenset[str] = STANDARD


PRESETS: Mapping[str, Quality] = {
    "draft": Quality(
        shadow_size=512,
        shadow_taps=1,
        cascades=2,
        ssao_samples=4,
        layers=3,
        bloom_levels=3,
        fxaa_steps=2,
        detail_px=2.0,
        passes=STANDARD - {"ssao", "bloom", "fxaa"},
    ),
    "medium": Quality(
        shadow_size=1024,
        shadow_taps=2,
        cascades=3,
        ssao_samples=8,
        layers=5,
        bloom_levels=5,
        fxaa_steps=3,
        detail_px=1.0,
    ),
    "high": Quality(
        shadow_size=2048,
        shadow_taps=3,
        cascades=4,
        ssao_samples=16,
        layers=8,
        bloom_levels=6,
        fxaa_steps=8,
        detail_px=0.5,
    ),
}
"""The presets by name."""


def choose(name: str, switches: Mapping[str, bool] | None = None) -> Quality:
    """Return the preset `name` with the passes in `switches` turned on or off.

    Raises:
        ConfigError: no such preset, or no such pass.
    """
    preset = chosen(PRESETS, name)
    return attrs.evolve(preset, passes=switched(preset.passes, switches))
