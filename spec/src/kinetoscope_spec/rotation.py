"""Quaternions, 6D rotations and matrices, written once on the array API standard.

Every function takes and returns arrays of one library (NumPy, PyTorch, JAX, ...), keeps their
dtype and device, and broadcasts over leading dimensions; the last dimension (the last two of a
matrix) is the thing itself. Nothing branches on values, so PyTorch differentiates and JAX traces
through all of it. Quaternions are `xyzw` with Hamilton's product; a rotation `q` turns a column
vector as `q v q*`, and `multiply(a, b)` turns by `b` first. Angles are radians.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

__all__ = [
    "angle",
    "between",
    "conjugate",
    "from_6d",
    "from_axis_angle",
    "from_euler",
    "from_matrix",
    "from_rotation_vector",
    "from_yaw",
    "identity",
    "inverse",
    "multiply",
    "nlerp",
    "normalize",
    "rotate",
    "slerp",
    "swing_twist",
    "to_6d",
    "to_euler",
    "to_matrix",
    "to_rotation_vector",
    "unroll",
]


def _norm(xp: Any, v: Any) -> Any:
    return xp.sqrt(xp.sum(v * v, axis=-1, keepdims=True))


def _root(xp: Any, squared: Any) -> Any:
    """Return the square root, with gradient zero instead of infinite where there is next to nothing."""
    none = squared <= float(xp.finfo(squared.dtype).tiny)
    return xp.where(none, xp.zeros_like(squared), xp.sqrt(xp.where(none, xp.ones_like(squared), squared)))


def _tiny(xp: Any, v: Any) -> float:
    return float(xp.finfo(v.dtype).tiny ** 0.5)


def normalize(q: Any) -> Any:
    """Return `q [..., N]` scaled to length 1; a zero vector stays zero."""
    xp = array_namespace(q)
    squared = xp.sum(q * q, axis=-1, keepdims=True)
    # The root is taken of a safe number, so that its gradient at zero is zero and not NaN.
    zero = squared <= float(xp.finfo(q.dtype).tiny)
    length = xp.sqrt(xp.where(zero, xp.ones_like(squared), squared))
    return xp.where(zero, xp.zeros_like(q), q / length)


def identity(like: Any) -> Any:
    """Return identity quaternions `[..., 4]` with the library, dtype and shape of `like`."""
    xp = array_namespace(like)
    return xp.zeros_like(like) + xp.asarray([0.0, 0.0, 0.0, 1.0], dtype=like.dtype)


def conjugate(q: Any) -> Any:
    """Return the conjugate of `q [..., 4]`: the inverse rotation of a unit quaternion."""
    xp = array_namespace(q)
    return xp.concat((-q[..., :3], q[..., 3:]), axis=-1)


def inverse(q: Any) -> Any:
    """Return the inverse rotation of unit quaternions `q [..., 4]`."""
    return conjugate(q)


def multiply(a: Any, b: Any) -> Any:
    """Return the Hamilton product `a b` of `[..., 4]`: turning by `b`, then by `a`."""
    xp = array_namespace(a, b)
    ax, ay, az, aw = a[..., 0], a[..., 1], a[..., 2], a[..., 3]
    bx, by, bz, bw = b[..., 0], b[..., 1], b[..., 2], b[..., 3]
    return xp.stack(
        (
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ),
        axis=-1,
    )


def _cross(xp: Any, a: Any, b: Any) -> Any:
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return xp.stack((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx), axis=-1)


def rotate(q: Any, v: Any) -> Any:
    """Return vectors `v [..., 3]` turned by unit quaternions `q [..., 4]`."""
    xp = array_namespace(q, v)
    xyz, w = q[..., :3], q[..., 3:]
    t = 2.0 * _cross(xp, xyz, v)
    return v + w * t + _cross(xp, xyz, t)


def to_matrix(q: Any) -> Any:
    """Return rotation matrices `[..., 3, 3]` of unit quaternions `q [..., 4]`."""
    xp = array_namespace(q)
    x, y, z, w = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    return xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2)


def from_matrix(m: Any) -> Any:
    """Return unit quaternions `[..., 4]` with w >= 0 of rotation matrices `m [..., 3, 3]`.

    Of the four ways to take the quaternion out of the matrix the best-conditioned one is chosen
    for each matrix (Shepperd, 1978, "Quaternion from rotation matrix").
    """
    xp = array_namespace(m)
    a, b, c = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    d, e, f = m[..., 2, 1], m[..., 0, 2], m[..., 1, 0]
    g, h, i = m[..., 1, 2], m[..., 2, 0], m[..., 0, 1]
    candidates = xp.stack(
        (
            xp.stack((1 + a - b - c, f + i, e + h, d - g), axis=-1),
            xp.stack((f + i, 1 - a + b - c, d + g, e - h), axis=-1),
            xp.stack((e + h, d + g, 1 - a - b + c, f - i), axis=-1),
            xp.stack((d - g, e - h, f - i, 1 + a + b + c), axis=-1),
        ),
        axis=-2,
    )
    score = xp.stack((a - b - c, b - a - c, c - a - b, a + b + c), axis=-1)
    best = xp.argmax(score, axis=-1)[..., None, None]
    chosen = _one_hot(xp, best, m)
    return _positive_w(xp, normalize(xp.sum(candidates * chosen, axis=-2)))


def _one_hot(xp: Any, best: Any, like: Any) -> Any:
    rows = xp.arange(4, device=getattr(best, "device", None))[:, None]
    return xp.astype(rows == best, like.dtype)


def _positive_w(xp: Any, q: Any) -> Any:
    return xp.where(q[..., 3:] < 0, -q, q)


def to_6d(q: Any) -> Any:
    """Return the first two columns of the rotation matrix, `[..., 6]`: column x, then column y.

    Continuous everywhere, unlike any representation in fewer than five numbers (Zhou et al. 2019,
    "On the Continuity of Rotation Representations in Neural Networks").
    """
    xp = array_namespace(q)
    m = to_matrix(q)
    return xp.concat((m[..., :, 0], m[..., :, 1]), axis=-1)


def from_6d(v: Any) -> Any:
    """Return unit quaternions `[..., 4]` of two column vectors `v [..., 6]`, by Gram-Schmidt.

    The columns need be neither orthogonal nor of length 1, so a network's output is always a
    rotation; parallel or zero columns have none and give an arbitrary one.
    """
    xp = array_namespace(v)
    x = normalize(v[..., :3])
    y = v[..., 3:]
    y = normalize(y - xp.sum(x * y, axis=-1, keepdims=True) * x)
    return from_matrix(xp.stack((x, y, _cross(xp, x, y)), axis=-1))


def from_axis_angle(axis: Any, radians: Any) -> Any:
    """Return quaternions `[..., 4]` turning by `radians [...]` about unit vectors `axis [..., 3]`."""
    xp = array_namespace(axis, radians)
    half = 0.5 * radians[..., None]
    return xp.concat((axis * xp.sin(half), xp.cos(half) * xp.ones_like(axis[..., :1])), axis=-1)


def from_rotation_vector(v: Any) -> Any:
    """Return quaternions `[..., 4]` of rotation vectors `v [..., 3]` (axis times radians)."""
    xp = array_namespace(v)
    squared = xp.sum(v * v, axis=-1, keepdims=True)
    small = squared < 1e-8
    length = xp.sqrt(xp.where(small, xp.ones_like(squared), squared))
    # sin(a/2)/a and its series: the quotient loses all digits near zero.
    scale = xp.where(small, 0.5 - squared / 48.0, xp.sin(0.5 * length) / length)
    w = xp.where(small, 1.0 - squared / 8.0, xp.cos(0.5 * length))
    return xp.concat((v * scale, w), axis=-1)


def to_rotation_vector(q: Any) -> Any:
    """Return rotation vectors `[..., 3]` of length at most pi of unit quaternions `q [..., 4]`."""
    xp = array_namespace(q)
    q = _positive_w(xp, q)
    xyz, w = q[..., :3], q[..., 3:]
    squared = xp.sum(xyz * xyz, axis=-1, keepdims=True)
    small = squared < 1e-8
    sine = xp.sqrt(xp.where(small, xp.ones_like(squared), squared))
    scale = xp.where(small, 2.0 + squared / 3.0, 2.0 * xp.atan2(sine, w) / sine)
    return xyz * scale


def angle(a: Any, b: Any) -> Any:
    """Return the angle in [0, pi] between rotations `a` and `b`, `[..., 4]` each."""
    xp = array_namespace(a, b)
    q = multiply(conjugate(a), b)
    squared = xp.sum(q[..., :3] * q[..., :3], axis=-1)
    return 2.0 * xp.atan2(_root(xp, squared), xp.abs(q[..., 3]))


def from_euler(order: str, radians: Any) -> Any:
    """Return quaternions `[..., 4]` of intrinsic Euler angles `radians [..., len(order)]`.

    `order` is one to three of `xyz`: `from_euler("zxy", a)` is Z(a0) X(a1) Y(a2), as a BVH file
    with the channels Zrotation Xrotation Yrotation means it (SciPy's upper-case "ZXY").
    """
    xp = array_namespace(radians)
    q = None
    for i, letter in enumerate(order.lower()):
        half = 0.5 * radians[..., i]
        sine, zero = xp.sin(half), xp.zeros_like(half)
        xyz = [sine if letter == axis else zero for axis in "xyz"]
        turn = xp.stack([*xyz, xp.cos(half)], axis=-1)
        q = turn if q is None else multiply(q, turn)
    if q is None:
        raise ValueError("order is empty, expected one to three of 'xyz'")
    return q


def to_euler(q: Any, order: str) -> Any:
    """Return intrinsic Tait-Bryan angles `[..., 3]` of unit quaternions `q [..., 4]`.

    The middle angle lies in [-pi/2, pi/2], the others in [-pi, pi]. At the middle angle's ends
    (gimbal lock) only the sum or difference of the outer angles is defined: the last one is 0.

    Raises:
        ValueError: `order` is not a permutation of `xyz`.
    """
    order = order.lower()
    if sorted(order) != ["x", "y", "z"]:
        raise ValueError(f"order is {order!r}, expected a permutation of 'xyz'")
    xp = array_namespace(q)
    i, j, k = ("xyz".index(letter) for letter in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    m = to_matrix(q)
    sine = sign * m[..., i, k]
    cosine = _root(xp, m[..., i, i] ** 2 + m[..., i, j] ** 2)
    locked = cosine < 8 * float(xp.finfo(q.dtype).eps) ** 0.5
    # Choose before the arctangent, which has no gradient at (0, 0).
    zero, one = xp.zeros_like(sine), xp.ones_like(sine)
    first = xp.atan2(
        xp.where(locked, sign * m[..., k, j], -sign * m[..., j, k]),
        xp.where(locked, m[..., j, j], m[..., k, k]),
    )
    last = xp.atan2(xp.where(locked, zero, -sign * m[..., i, j]), xp.where(locked, one, m[..., i, i]))
    return xp.stack((first, xp.atan2(sine, cosine), last), axis=-1)


def between(a: Any, b: Any) -> Any:
    """Return the shortest rotation `[..., 4]` that turns the direction of `a` into that of `b`.

    Opposite directions are half a turn apart about some axis perpendicular to `a`.
    """
    xp = array_namespace(a, b)
    a, b = normalize(a), normalize(b)
    cosine = xp.sum(a * b, axis=-1, keepdims=True)
    # Any vector across a: take the coordinate axis least along it.
    least = xp.argmin(xp.abs(a), axis=-1)[..., None]
    helper = xp.astype(xp.arange(3, device=getattr(least, "device", None)) == least, a.dtype)
    across = normalize(_cross(xp, a, helper * xp.ones_like(a)))
    half_turn = xp.concat((across, xp.zeros_like(cosine)), axis=-1)
    direct = normalize(xp.concat((_cross(xp, a, b), 1.0 + cosine), axis=-1))
    opposite = cosine < -1.0 + 16 * float(xp.finfo(a.dtype).eps)
    return xp.where(opposite, half_turn, direct)


def swing_twist(q: Any, axis: Any) -> tuple[Any, Any]:
    """Split `q [..., 4]` into `swing * twist`, where `twist` turns about the unit vector `axis`."""
    xp = array_namespace(q, axis)
    along = xp.sum(q[..., :3] * axis, axis=-1, keepdims=True) * axis
    raw = xp.concat((along, q[..., 3:]), axis=-1)
    lost = _norm(xp, raw) < _tiny(xp, q)
    twist = xp.where(lost, identity(raw), normalize(raw))
    return multiply(q, conjugate(twist)), twist


def nlerp(a: Any, b: Any, weight: Any) -> Any:
    """Blend `a` towards `b` (`[..., 4]`) by `weight [...]` along the shorter arc, normalised."""
    xp = array_namespace(a, b)
    b = xp.where(xp.sum(a * b, axis=-1, keepdims=True) < 0, -b, b)
    return normalize(a + (b - a) * weight[..., None])


def slerp(a: Any, b: Any, weight: Any) -> Any:
    """Turn `a` towards `b` (`[..., 4]`) by `weight [...]` of the way, at constant angular speed."""
    return multiply(
        a, from_rotation_vector(to_rotation_vector(multiply(conjugate(a), b)) * weight[..., None])
    )


def unroll(q: Any) -> Any:
    """Return `q [T, ..., 4]` with signs such that neighbours along the first axis are nearest."""
    xp = array_namespace(q)
    dots = xp.sum(q[1:, ...] * q[:-1, ...], axis=-1)
    steps = xp.where(dots < 0, -xp.ones_like(dots), xp.ones_like(dots))
    signs = xp.concat((xp.ones_like(q[:1, ..., 0]), xp.cumulative_prod(steps, axis=0)), axis=0)
    return q * signs[..., None]


def from_yaw(radians: Any) -> Any:
    """Return quaternions `[..., 4]` turning by `radians [...]` about the vertical (+Y) axis."""
    xp = array_namespace(radians)
    half, zero = 0.5 * radians, xp.zeros_like(radians)
    return xp.stack((zero, xp.sin(half), zero, xp.cos(half)), axis=-1)
