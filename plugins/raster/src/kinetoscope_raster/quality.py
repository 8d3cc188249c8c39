"""Presets: what each quality spends, and which passes it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from kinetoscope_spec.errors import ConfigError, nearest

__all__ = ["BUFFERS", "PASSES", "PRESETS", "Quality", "check_names", "choose"]

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
)
"""Passes that can be switched; G-buffer and lighting always run."""

BUFFERS = ("depth", "normal", "albedo", "material", "motion", "id", "hdr", "final")
"""Buffers that `Frame.buffers` can hold."""


_ALL = frozenset(PASSES) - {"taa"}  # with it, pictures depend on those before: who wants that says so


@attrs.frozen(kw_only=True)
class Quality:
    """What one preset spends: texels along a square of the shadow map, taps of its filter and squares at most,
    samples of occlusion, transparent layers, levels of bloom, steps along edges, and the names of the passes
    that run."""

    shadow_size: int
    shadow_taps: int
    cascades: int
    ssao_samples: int
    layers: int
    bloom_levels: int
    fxaa_steps: int
    passes: frozenset[str] = _ALL


PRESETS: Mapping[str, Quality] = {
    "draft": Quality(
        shadow_size=512,
        shadow_taps=1,
        cascades=2,
        ssao_samples=4,
        layers=3,
        bloom_levels=3,
        fxaa_steps=2,
        passes=_ALL - {"ssao", "bloom", "fxaa"},
    ),
    "medium": Quality(
        shadow_size=1024, shadow_taps=2, cascades=3, ssao_samples=8, layers=5, bloom_levels=5, fxaa_steps=3
    ),
    "high": Quality(
        shadow_size=2048, shadow_taps=3, cascades=4, ssao_samples=16, layers=8, bloom_levels=6, fxaa_steps=8
    ),
}
"""The presets by name."""


def choose(name: str, switches: Mapping[str, bool] | None = None) -> Quality:
    """Return the preset `name` with the passes in `switches` turned on or off.

    Raises:
        ConfigError: no such preset, or no such pass.
    """
    if name not in PRESETS:
        raise ConfigError(
            f"quality is {name!r}, expected one of {', '.join(PRESETS)}{nearest(name, list(PRESETS))}"
        )
    switches = switches or {}
    check_names("passes", switches, PASSES)
    on = {each for each, wanted in switches.items() if wanted}
    return attrs.evolve(PRESETS[name], passes=(PRESETS[name].passes | on) - (set(switches) - on))


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
