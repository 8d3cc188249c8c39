"""Presets: what each quality spends, and which passes it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from kinetoscope_spec.errors import ConfigError, nearest

__all__ = ["BUFFERS", "PASSES", "PRESETS", "Quality", "quality"]

PASSES = (
    "shadow",
    "ground",
    "ssao",
    "transparent",
    "ghosts",
    "bloom",
    "tonemap",
    "taa",
    "fxaa",
    "annotations",
    "lod",
)
"""Passes that can be switched, and `lod`, levels of detail; G-buffer and lighting always run."""

BUFFERS = ("depth", "normal", "albedo", "material", "motion", "id", "hdr", "final")
"""Buffers that `Frame.buffers` can hold."""


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


_ALL = frozenset(PASSES) - {"taa"}  # with it, pictures depend on those before: who wants that says so

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
        passes=_ALL - {"ssao", "bloom", "fxaa"},
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
        passes=_ALL,
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
        passes=_ALL,
    ),
}
"""The presets by name."""


def quality(name: str, switches: Mapping[str, bool] | None = None) -> Quality:
    """Return the preset `name` with the passes in `switches` turned on or off.

    Raises:
        ConfigError: no such preset, or no such pass.
    """
    if name not in PRESETS:
        raise ConfigError(
            f"quality is {name!r}, expected one of {', '.join(PRESETS)}{nearest(name, list(PRESETS))}"
        )
    preset = PRESETS[name]
    switches = switches or {}
    check_names("passes", switches, PASSES)
    on = {pass_name for pass_name, wanted in switches.items() if wanted}
    off = set(switches) - on
    return attrs.evolve(preset, passes=(preset.passes | on) - off)


def check_names(option: str, given: Iterable[str], known: tuple[str, ...]) -> None:
    """Refuse names that are not known.

    Raises:
        ConfigError: naming the first unknown one, and the nearest known ones.
    """
    for name in given:
        if name not in known:
            raise ConfigError(
                f"{option} names {name!r}, expected some of {', '.join(known)}{nearest(str(name), known)}"
            )
