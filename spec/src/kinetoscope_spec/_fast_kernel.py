"""The loop of compiled forward kinematics. Imports Numba: only `_fast` imports this, when asked.

A joint's step is written in LLVM's vector instructions, one quaternion a register, because the
compiler does not find them by itself: they make 7 million frames a second of 22 joints out of 4.
Several frames go through each joint together, so that the processor has work to do while a
child waits for its parent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

_FRAMES: Final = 4
"""Frames that go through a joint together: enough to hide the latency of the products."""

_INT32: Final = ir.IntType(32)
_NEXT_AXIS: Final = (1, 2, 0, 3)  # x, y, z, w to y, z, x, w


class _Vectors:
    """Builds instructions on vectors of four numbers.

    Products and sums are not fused and come in the order of `rotation`'s formulas, so that the
    results are the same to the last bit.
    """

    def __init__(self, builder: Any, number: Any, size: int) -> None:
        self.builder, self.size = builder, size
        self.type = ir.VectorType(number, 4)

    def constant(self, *values: float) -> Any:
        return ir.Constant(self.type, list(values))

    def add(self, a: Any, b: Any) -> Any:
        return self.builder.fadd(a, b)

    def subtract(self, a: Any, b: Any) -> Any:
        return self.builder.fsub(a, b)

    def multiply(self, a: Any, b: Any) -> Any:
        return self.builder.fmul(a, b)

    def negate(self, a: Any, signs: Sequence[int]) -> Any:
        """`a` with the components negated whose sign is -1: a bit flipped, cheaper than a product."""
        number = ir.IntType(8 * self.size)
        whole = ir.VectorType(number, 4)
        flip = ir.Constant(whole, [1 << (8 * self.size - 1) if sign < 0 else 0 for sign in signs])
        return self.builder.bitcast(self.builder.xor(self.builder.bitcast(a, whole), flip), self.type)

    def shuffle(self, a: Any, order: Sequence[int]) -> Any:
        mask = ir.Constant(ir.VectorType(_INT32, 4), list(order))
        return self.builder.shuffle_vector(a, ir.Constant(self.type, ir.Undefined), mask)

    def address(self, data: Any, row: Any, columns: int, column: int = 0) -> Any:
        place = self.builder.mul(row, ir.Constant(row.type, columns))
        return self.builder.gep(data, [self.builder.add(place, ir.Constant(row.type, column))])

    def load_quaternion(self, data: Any, row: Any) -> Any:
        place = self.builder.bitcast(self.address(data, row, 4), self.type.as_pointer())
        return self.builder.load(place, align=self.size)

    def store_quaternion(self, q: Any, data: Any, row: Any) -> None:
        place = self.builder.bitcast(self.address(data, row, 4), self.type.as_pointer())
        self.builder.store(q, place, align=self.size)

    def load_point(self, data: Any, row: Any) -> Any:
        point = self.constant(0.0, 0.0, 0.0, 0.0)
        for i in range(3):
            number = self.builder.load(self.address(data, row, 3, i))
            point = self.builder.insert_element(point, number, ir.Constant(_INT32, i))
        return point

    def store_point(self, point: Any, data: Any, row: Any) -> None:
        for i in range(3):
            number = self.builder.extract_element(point, ir.Constant(_INT32, i))
            self.builder.store(number, self.address(data, row, 3, i))

    def cross(self, a: Any, a_next: Any, b: Any) -> Any:
        """`a x b`; `a_next` is `a` shuffled to the next axis."""
        product = self.subtract(self.multiply(a, self.shuffle(b, _NEXT_AXIS)), self.multiply(a_next, b))
        return self.shuffle(product, _NEXT_AXIS)

    def product(self, a: Any, b: Any) -> Any:
        """Hamilton's product, as in `rotation.multiply`."""
        x, y, z, w = (self.shuffle(a, [i] * 4) for i in range(4))
        total = self.multiply(w, b)
        for part, order, signs in (
            (x, (3, 2, 1, 0), (1, -1, 1, -1)),
            (y, (2, 3, 0, 1), (1, 1, -1, -1)),
            (z, (1, 0, 3, 2), (-1, 1, 1, -1)),
        ):
            signed = self.negate(self.shuffle(b, order), signs)
            total = self.add(total, self.multiply(part, signed))
        return total

    def rotate(self, q: Any, v: Any) -> Any:
        """The vector `v` turned by `q`, as in `rotation.rotate`."""
        q_next = self.shuffle(q, _NEXT_AXIS)
        t = self.cross(q, q_next, v)
        t = self.add(t, t)
        turned = self.add(v, self.multiply(self.shuffle(q, [3] * 4), t))
        return self.add(turned, self.cross(q, q_next, t))


@intrinsic
def _step(_: Any, p: Any, q: Any, out_p: Any, out_q: Any, child: Any, parent: Any) -> Any:
    """Write the global transform of row `child`, given that of row `parent`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = zip(signature.args[:4], arguments[:4], strict=True)
        local_p, local_q, global_p, global_q = (
            context.make_array(kind)(context, builder, array).data for kind, array in arrays
        )
        row, above = arguments[4:]
        v = _Vectors(builder, context.get_data_type(p.dtype), p.dtype.bitwidth // 8)
        parent_q = v.load_quaternion(global_q, above)
        turned = v.rotate(parent_q, v.load_point(local_p, row))
        v.store_point(v.add(v.load_point(global_p, above), turned), global_p, row)
        v.store_quaternion(v.product(parent_q, v.load_quaternion(local_q, row)), global_q, row)
        return context.get_dummy_value()

    return types.void(p, q, out_p, out_q, child, parent), generate


def _forward(parents: Any, p: Any, q: Any, out_p: Any, out_q: Any) -> None:
    frames, joints = p.shape[0], p.shape[1]
    for start in range(0, frames, _FRAMES):
        stop = min(start + _FRAMES, frames)
        for j in range(joints):
            parent = parents[j]
            if parent >= 0:
                for t in range(start, stop):
                    _step(p, q, out_p, out_q, t * joints + j, t * joints + parent)  # type: ignore[call-arg]
            else:
                out_p[start:stop, j] = p[start:stop, j]
                out_q[start:stop, j] = q[start:stop, j]


@lru_cache(maxsize=2)
def forward(dtype: np.dtype[Any]) -> Callable[[Any, Any, Any, Any, Any], None]:
    """Return `forward(parents, p, q, out_p, out_q)`, compiled for float32 or float64.

    The signature is given, so that arrays that can't be written to are not compiled for again.
    """
    kind = numba.from_dtype(dtype)
    given = types.Array(kind, 3, "C", readonly=True)
    wanted = types.Array(kind, 3, "C")
    parents = types.Array(types.int64, 1, "C", readonly=True)
    compiled: Callable[[Any, Any, Any, Any, Any], None] = numba.njit(
        types.void(parents, given, given, wanted, wanted), cache=True, nogil=True
    )(_forward)
    return compiled
