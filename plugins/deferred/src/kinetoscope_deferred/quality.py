"""Presets: what each quality spends, and which passes it runs."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from kinetoscope_spec.rendering import PASSES, STANDARD, chosen, switched

__all__ = ["PASSES", "PRESETS", "Quality", "quality"]


@attrs.frozen(kw_only=True)
class Quality:
    """What one preset spends.

    Attributes:
        shadow_size: texels along an edge of each square of the sun's shadow map.
        shadow_taps: taps along an edge of the shadow filter (1, 2 or 3).
        cascades: squares of the shadow map at most, for parts of the view from near to far.
        ssao_samples: occlusion samples a half-resolution pixel takes.
        layers: transparent surfaces behind each other that a pixel shows at most.
        bloom_levels: mips of the bloom chain.
        fxaa_steps: pixels that the search along an edge goes at most.
        detail_px: pixels that coarser meshes may be off, where triangles outnumber pixels.
        passes: names of the passes that run.
    """

    shadow_size: int
    shadow_taps: int
    cascades: int
    ssao_samples: int
    layers: int
    bloom_levels: int
    fxaa_steps: int
    detail_px: float
    passes: frozenset[str]

    def runs(self, name: str) -> bool:
        """Tell whether the pass `name` is switched on."""
        return name in self.passes


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
        passes=STANDARD,
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
        passes=STANDARD,
    ),
}
"""The presets by name."""


def quality(name: str, switches: Mapping[str, bool] | None = None) -> Quality:
    """Return the preset `name` with the passes in `switches` turned on or off.

    Raises:
        ConfigError: no such preset, or no such pass.
    """
    preset = chosen(PRESETS, name)
    return attrs.evolve(preset, passes=switched(preset.passes, switches))
