"""Features side by side, compiled by JAX: their own formulas, which take arrays of any library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from kinetoscope_spec import FeatureSchema, Motion, Services, Skeleton
from kinetoscope_spec.errors import ValidationError

__all__ = ["JaxFeatures"]

Array = NDArray[Any]
DEFAULT = ("joint-positions", "joint-rotations", "joint-velocities")
COMPILED = 32
"""Functions that a feature keeps, one for each skeleton and framerate; JAX keeps one of each for every length."""


class JaxFeatures:
    """Rows of other features, one beside the other, computed by JAX.

    Which ones is an option, so that this plugin knows no feature: each has a method `rows`
    (`protocols.ArrayFeature`) that computes on arrays of any library. `compute` compiles them together
    once for each skeleton and length of clip, and computes in float64; `function` is what it compiles,
    for `jax.vmap`, `jax.grad` and programs of your own.

    Options:
        features: names of providers of the hook `feature`, or tables with `feature` and its options.
    """

    def __init__(self, services: Services | None = None, *, parts: Sequence[Any] | None = None) -> None:
        self._services, self._held = services, None if parts is None else tuple(parts)
        self._compiled = lru_cache(maxsize=COMPILED)(self._compile)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._parts,)

    def __repr__(self) -> str:
        """Say which features it holds, with their options: by it a training set knows its shards again."""
        return f"JaxFeatures({', '.join(map(repr, self._parts))})"

    @property
    def reach_s(self) -> tuple[float, float]:
        """The first and the last time that a row looks at, s from its own."""
        ends = [getattr(part, "reach_s", (0.0, 0.0)) for part in self._parts]
        return min(first for first, _ in ends), max(last for _, last in ends)

    @property
    def _parts(self) -> tuple[Any, ...]:
        if self._held is None:
            self._held = self._found(DEFAULT)
        return self._held

    def _found(self, wanted: Sequence[str | Mapping[str, Any]]) -> tuple[Any, ...]:
        if self._services is None:
            raise ValidationError("'features-jax' was restored without a host, which finds other features")
        parts = []
        for entry in wanted:
            options = {} if isinstance(entry, str) else {k: v for k, v in entry.items() if k != "feature"}
            name = entry if isinstance(entry, str) else entry.get("feature")
            if not isinstance(name, str):
                raise ValidationError(
                    f"features holds {entry!r:.60}, expected a name or a table with `feature`"
                )
            part = self._services.provider("feature", name)
            if not hasattr(part, "rows"):
                raise ValidationError(f"feature {name!r} does not compute on arrays of JAX: it has no `rows`")
            parts.append(part.configured(**options) if options else part)
        return tuple(parts)

    def configured(self, **options: Any) -> JaxFeatures:
        """Return a new feature with these options; this one stays as it is.

        Raises:
            ValidationError: another option than `features`, or a feature that JAX can't compute.
            ProviderNotFound: there is no such feature.
        """
        features = options.pop("features", None)
        if options:
            raise ValidationError(f"'features-jax' has no option {next(iter(options))!r}; it has 'features'")
        if features is None:
            return self
        if isinstance(features, str) or not isinstance(features, Sequence) or not features:
            raise ValidationError(f"features is {features!r:.60}, expected at least one name or table")
        return JaxFeatures(self._services, parts=self._found(features))

    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        """Return the features' columns, one after the other."""
        return FeatureSchema(
            tuple(column for part in self._parts for column in part.schema(skeleton).columns)
        )

    def rows(self, skeleton: Skeleton, positions: Any, rotations: Any, framerate: float) -> Any:
        """Return the rows `[T, D]` of all frames, not compiled here; in the arrays' library.

        Args:
            skeleton: whose motion it is; rigid.
            positions: `[T, J, 3]` m, relative to the parent.
            rotations: `[T, J, 4]` unit quaternions xyzw, relative to the parent.
            framerate: frames per second.
        """
        parts = [part.rows(skeleton, positions, rotations, framerate) for part in self._parts]
        return array_namespace(*parts).concat(parts, axis=1)

    def function(self, skeleton: Skeleton, framerate: float) -> Callable[[Any, Any], Any]:
        """Return `(positions [T, J, 3], rotations [T, J, 4]) -> rows [T, D]`, a pure function of arrays.

        `jax.jit`, `jax.vmap` (over clips of one length) and `jax.grad` take it.
        """

        def computed(positions: Any, rotations: Any) -> Any:
            return self.rows(skeleton, positions, rotations, framerate)

        return computed

    def compute(self, motion: Motion, frames: Sequence[int] | Array | None = None) -> Array:
        """Return rows `[N, D]`, float64, for the `frames` asked for, all if None.

        Raises:
            ValidationError: a joint is missing, a frame lies outside the clip, or its scales change lengths.
        """
        (rows,) = self.compute_many([motion])
        if frames is None:
            return rows
        asked = np.asarray(frames, np.int64).reshape(-1)
        outside = (asked < -len(rows)) | (asked >= len(rows))
        if outside.any():
            raise ValidationError(
                f"frame {asked[outside][0]} asked of {motion.name!r}, which has {len(rows)} frames"
            )
        return rows[asked]

    def compute_many(self, motions: Sequence[Motion]) -> list[Array]:
        """Return the rows of each of `motions`; those of one skeleton, framerate and length in one call.

        Raises:
            ValidationError: as for `compute`.
        """
        groups: dict[tuple[Any, ...], list[int]] = {}
        clips = [self._checked(motion) for motion in motions]
        for i, clip in enumerate(clips):
            groups.setdefault((*_key(clip.skeleton), clip.framerate, clip.frame_count), []).append(i)
        found: list[Any] = [None] * len(clips)
        for key, members in groups.items():
            with _double():
                stacked = (
                    np.stack([np.asarray(getattr(clips[i], name), np.float64) for i in members])
                    for name in ("positions", "rotations")
                )
                rows = np.asarray(self._compiled(key[:-1])(*stacked))
            for i, held in zip(members, rows, strict=True):
                found[i] = held
        return found

    def _checked(self, motion: Motion) -> Motion:
        if motion.scales is not None and not np.allclose(motion.scales, 1.0, atol=1e-4):
            raise ValidationError(
                f"motion {motion.name!r} scales its joints, expected a rigid skeleton: bake scales into offsets"
            )
        self.schema(motion.skeleton)  # a joint that is missing is told before JAX traces anything
        known = (getattr(part, "framerate", None) for part in self._parts)
        rates = {float(rate) for rate in known if rate is not None}
        if len(rates) > 1:
            raise ValidationError(f"features have the framerates {sorted(rates)}, expected one for all")
        return motion.resample(rates.pop()) if rates else motion

    def _compile(self, key: tuple[Any, ...]) -> Callable[[Any, Any], Any]:
        import jax

        names, parents, positions, rotations, framerate = key
        size = len(names)
        skeleton = Skeleton(
            names,
            parents,
            np.frombuffer(positions).reshape(size, 3),
            np.frombuffer(rotations).reshape(size, 4),
        )
        made: Callable[[Any, Any], Any] = jax.jit(jax.vmap(self.function(skeleton, framerate)))
        return made

    def turning(self, skeleton: Skeleton) -> Array:
        """Return the columns `[P, 2]` that turn with a root which faces elsewhere, as its features say them.

        Raises:
            ValidationError: a feature does not say, or turning does not make it good.
        """
        found, start = [np.zeros((0, 2), np.int64)], 0
        for part in self._parts:
            if not hasattr(part, "turning"):
                name = type(part).__name__
                raise ValidationError(f"{name} does not say what turns with the root: no heading_jitter_deg")
            found.append(np.asarray(part.turning(skeleton), np.int64) + start)
            start += len(part.schema(skeleton))
        return np.concatenate(found)

    def mirrored(self, rows: Array, skeleton: Skeleton) -> Array:
        """Return the rows of the motion mirrored on the plane x = 0, left and right exchanged."""
        ends = np.cumsum([0, *(len(part.schema(skeleton)) for part in self._parts)])
        pieces = [
            part.mirrored(np.asarray(rows)[:, a:b], skeleton)
            for part, a, b in zip(self._parts, ends, ends[1:], strict=False)
        ]
        return np.concatenate(pieces, axis=1)


def _restored(parts: tuple[Any, ...]) -> JaxFeatures:
    return JaxFeatures(parts=parts)


def _key(skeleton: Skeleton) -> tuple[Any, ...]:
    """Return what tells one skeleton from another, as JAX compiles for it."""
    rest = (skeleton.rest_positions, skeleton.rest_rotations)
    parents = tuple(int(parent) for parent in skeleton.parents)
    return skeleton.names, parents, *(np.asarray(held, np.float64).tobytes() for held in rest)


def _double() -> Any:
    """Return a context in which JAX computes in float64, in this thread only."""
    import jax

    home: Any = jax if hasattr(jax, "enable_x64") else jax.experimental  # it moved in 0.8
    return home.enable_x64(True)
