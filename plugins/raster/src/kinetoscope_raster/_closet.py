"""What the actors of a frame wear: meshes laid out once for all who share them, at the level of detail each is seen at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_raster._stage import Part, Piece, Table, build_table, lay_out
from kinetoscope_spec.character import Character, Mesh
from kinetoscope_spec.detail import Bounds, Sight, kept_levels
from kinetoscope_spec.scene import Actor, Camera

__all__ = ["Closet", "Worn"]

Array = NDArray[np.float64]


@attrs.define(eq=False)
class _Garment:
    """A mesh of a character with what holds it, and its lower levels with their errors, m, once they are asked for."""

    mesh: Mesh
    number: int
    materials: int
    piece: Piece
    bounds: Bounds
    coarser: list[tuple[Piece, float]] | None = None

    @classmethod
    def of(cls, character: Character, number: int) -> _Garment:
        mesh, count = character.meshes[number], len(character.materials)
        return cls(mesh, number, count, lay_out(mesh, count), Bounds.of(mesh))

    def levels(self) -> list[tuple[Piece, float]]:
        """Return the lower levels, the finest first."""
        if self.coarser is None:
            levels = kept_levels(self.mesh)
            self.coarser = [(lay_out(level.mesh, self.materials), level.error) for level in levels]
        return self.coarser

    def carry(self, poses: Array, origin: Array) -> Array:
        """Return its bones `[..., B, 4, 4]`, relative to `origin`, under `poses [..., J, 4, 4]`."""
        piece = self.piece
        shape = (*poses.shape[:-3], *piece.inverse_bind.shape)
        if piece.bones[0] < 0:
            moved = np.broadcast_to(piece.inverse_bind, shape).copy()
        else:
            moved = np.asarray(poses, np.float64)[..., piece.bones, :, :] @ piece.inverse_bind
        moved[..., :3, 3] -= origin
        return moved


@attrs.frozen(eq=False)
class Worn:
    """A part as one frame has it.

    Attributes:
        part: what is drawn.
        carry: `[B, 4, 4]`, its bones, relative to the camera.
        past: the same in the frame before, where that is asked for.
        corners: `[N, 3]` m of boxes that hold it, relative to the camera.
    """

    part: Part
    carry: Array
    past: Array | None
    corners: Array


class Closet:
    """Keeps what characters wear, as long as frames have them."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Character, tuple[_Garment, ...]]] = {}
        """By the characters' ids, which stay theirs as long as they are held."""
        self._table: tuple[tuple[Character, ...], Table] = (), build_table(())

    def keep(self, characters: Iterable[Character]) -> None:
        """Let go of all but these."""
        ids = {id(character) for character in characters}
        self._held = {key: held for key, held in self._held.items() if key in ids}

    def table(self, characters: Sequence[Character]) -> Table:
        """Return the materials of `characters`, the same as long as these are."""
        each = tuple({id(character): character for character in characters}.values())
        known, table = self._table
        if len(known) != len(each) or any(a is not b for a, b in zip(known, each, strict=True)):
            self._table = each, (table := build_table(each))
        return table

    def dress(
        self,
        actors: Sequence[Actor],
        camera: Camera,
        table: Table,
        *,
        size: tuple[int, int] = (1, 1),
        detail_px: float | None = None,
        moving: bool = False,
    ) -> list[Worn]:
        """Return what `actors` wear, in their order; in full where `detail_px` is None, else at levels so far off at most.

        Args:
            actors: whom.
            camera: who looks.
            table: of the actors' materials.
            size: width and height of the picture, pixels.
            detail_px: pixels that coarser meshes may be off where triangles outnumber pixels.
            moving: whether the frame before counts.
        """
        sight = None
        if detail_px is not None:
            count = sum(len(g.piece.faces) for actor in actors for g in self._garments(actor.character))
            sight = Sight.of(camera, size, count, detail_px)
        wearers: dict[int, list[int]] = {}
        for number, actor in enumerate(actors):
            wearers.setdefault(id(actor.character), []).append(number)
        worn: dict[tuple[int, int], Worn] = {}
        for numbers in wearers.values():
            for garment in self._garments(actors[numbers[0]].character):
                dressed = _put_on(
                    garment, [actors[n] for n in numbers], numbers, camera, table, sight, moving
                )
                worn |= {(n, garment.number): each for n, each in zip(numbers, dressed, strict=True)}
        return [worn[key] for key in sorted(worn)]

    def _garments(self, character: Character) -> tuple[_Garment, ...]:
        held = self._held.get(id(character))
        if held is None:
            garments = tuple(
                _Garment.of(character, number)
                for number, mesh in enumerate(character.meshes)
                if len(mesh.faces)
            )
            held = self._held[id(character)] = character, garments
        return held[1]


def _put_on(
    garment: _Garment, actors: Sequence[Actor], numbers: Sequence[int], camera: Camera, table: Table,
    sight: Sight | None, moving: bool,
) -> list[Worn]:  # fmt: skip
    """Return a garment as each of the actors wears it, who are one character."""
    carry = garment.carry(np.stack([actor.pose for actor in actors]), camera.position)
    corners = garment.bounds.corners(carry)
    past: Sequence[Array | None] = [None] * len(actors)
    if moving:
        before = [actor.pose if actor.previous_pose is None else actor.previous_pose for actor in actors]
        past = list(garment.carry(np.stack(before), camera.position))
    pieces, down = [garment.piece], np.zeros(len(actors), np.int64)
    if sight is not None:
        levels = garment.levels()
        pieces += [piece for piece, _ in levels]
        down = sight.down([error for _, error in levels], corners, carry)
    row = table.rows[id(actors[0].character)][garment.number]
    return [
        Worn(Part(number, pieces[level], int(level), row), *rest)
        for number, level, *rest in zip(numbers, down, carry, past, corners, strict=True)
    ]
