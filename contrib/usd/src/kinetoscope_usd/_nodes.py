"""From prims to nodes: the joints of every skeleton, and whatever else moves, is placed or carries a mesh."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Skeleton
from kinetoscope_usd._identifiers import Namer
from kinetoscope_usd._refused import Refused
from kinetoscope_usd._transforms import Z_UP, decompose, ours

__all__ = ["Nodes", "Rig", "collect"]

MOST_NODES = 16_384
MOST_PRIMS = 200_000
"""Instances of instances unfold to any number of prims; a film's set has some ten thousand."""


@attrs.define
class Rig:
    """One UsdSkel skeleton: its prim, joint tokens, the node of each joint, bind matrices `[J, 4, 4]`."""

    prim: Any
    tokens: list[str]
    nodes: list[int]
    bind: NDArray[np.float64]
    prefix: str = ""


@attrs.define
class Nodes:
    """What has been found: nodes in order, and where prims stand among them.

    Attributes:
        matrices: local rest matrices in metres.
        sources: the prim that moves each node, None for a joint.
        above: path of a prim to the nearest node, its own or above, -1 for none.
        meshes, rigs, clips: prims that are meshes, skeletons, animations.
    """

    unit: float
    turn: NDArray[np.float64] | None
    names: list[str] = attrs.field(factory=list)
    parents: list[int] = attrs.field(factory=list)
    matrices: list[NDArray[np.float64]] = attrs.field(factory=list)
    sources: list[Any] = attrs.field(factory=list)
    paths: list[str] = attrs.field(factory=list)
    above: dict[Any, int] = attrs.field(factory=dict)
    meshes: list[Any] = attrs.field(factory=list)
    rigs: list[Rig] = attrs.field(factory=list)
    clips: list[Any] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)
    namer: Namer = attrs.field(factory=Namer)
    renamed: int = 0

    def add(self, name: str, parent: int, local: NDArray[np.float64], source: Any, path: str) -> int:
        """Add a node whose local matrix is in file units and return its index."""
        if len(self.names) >= MOST_NODES:
            raise Refused(f"more than {MOST_NODES:,} nodes", "a character or a small scene")
        unique = self.namer(name)
        if unique != name and source is None:
            self.renamed += 1
        self.names.append(unique)
        self.parents.append(parent)
        self.matrices.append(self.placed(local, parent))
        self.sources.append(source)
        self.paths.append(path)
        return len(self.names) - 1

    def placed(self, local: NDArray[np.float64], parent: int) -> NDArray[np.float64]:
        """Return local matrices `[..., 4, 4]` in metres, and Y up where they are a root's."""
        moved = local.copy()
        moved[..., :3, 3] *= self.unit
        return self.turn @ moved if parent < 0 and self.turn is not None else moved

    def skeleton(self) -> Skeleton:
        """Return the skeleton of all nodes; a stage without any has one called `root`."""
        if not self.names:
            self.add("root", -1, np.eye(4), None, "/")
        matrices = np.stack(self.matrices)
        positions, rotations, scales, sheared = decompose(matrices)
        if self.renamed:
            self.warnings.append(f"{self.renamed} joints have the name of another; they are numbered here")
        if sheared:
            self.warnings.append("a rest transform shears; the shear is left out")
        return Skeleton(tuple(self.names), np.array(self.parents), positions, rotations, _snapped(scales))


def _snapped(scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return scales with those that are 1 but for rounding made 1."""
    near = np.abs(np.abs(scales) - 1) < 1e-9
    return np.where(near, np.sign(scales), scales)


def collect(stage: Any) -> Nodes:
    """Walk over the stage and return what it holds."""
    from pxr import UsdGeom, UsdSkel

    unit = float(UsdGeom.GetStageMetersPerUnit(stage))
    if not 1e-6 <= unit <= 1e6:
        raise Refused(f"metersPerUnit is {unit}", "metres from 1e-6 to 1e6")
    nodes = Nodes(unit, Z_UP if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.z else None)
    prims = list(_prims(stage, nodes.warnings))
    bare = not any(prim.IsA(UsdSkel.Skeleton) for prim in prims)
    left_out: Counter[str] = Counter()
    for prim in prims:
        if prim.HasAuthoredMetadata("clips"):
            raise Refused(f"{prim.GetPath()} takes its values from value clips", "values in the layers")
        nodes.above[prim.GetPath()] = _place(prim, nodes, bare)
        if prim.IsA(UsdSkel.Skeleton):
            nodes.rigs.append(_rig(prim, nodes))
        elif prim.IsA(UsdSkel.Animation):
            nodes.clips.append(prim)
        elif prim.IsA(UsdGeom.Mesh):
            nodes.meshes.append(prim)
        elif prim.IsA(UsdGeom.Gprim):
            left_out[prim.GetTypeName()] += 1
    for kind, count in left_out.items():
        nodes.warnings.append(f"{count} prims of type {kind} are left out: meshes alone are read")
    return nodes


def _prims(stage: Any, warnings: list[str]) -> Any:
    """Yield the prims that are drawn and those that move them."""
    from pxr import Usd, UsdGeom

    walk = iter(Usd.PrimRange.Stage(stage, Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)))
    for seen, prim in enumerate(walk):
        if seen >= MOST_PRIMS:
            raise Refused(f"more than {MOST_PRIMS:,} prims", "a character or a small scene")
        if prim.IsA(UsdGeom.PointInstancer):
            warnings.append(f"the instances of {prim.GetPath()} are left out")
            walk.PruneChildren()
            continue
        purpose = UsdGeom.Imageable(prim).GetPurposeAttr().Get() if prim.IsA(UsdGeom.Imageable) else None
        if purpose in (UsdGeom.Tokens.proxy, UsdGeom.Tokens.guide) and prim.GetTypeName() != "Skeleton":
            warnings.append(f"{prim.GetPath()} is a {purpose} and left out")
            walk.PruneChildren()
            continue
        yield prim


def _place(prim: Any, nodes: Nodes, bare: bool) -> int:
    """Return the node that the prim is, or the nearest one above it."""
    from pxr import Usd, UsdGeom

    parent = nodes.above.get(prim.GetParent().GetPath(), -1)
    if not prim.IsA(UsdGeom.Xformable) or _is_skinned(prim):
        return parent
    xform = UsdGeom.Xformable(prim)
    if xform.GetResetXformStack():
        parent = -1
    local = ours(xform.GetLocalTransformation(Usd.TimeCode.EarliestTime()))
    moves = xform.TransformMightBeTimeVarying()
    plain = np.array_equal(local, np.eye(4)) and not moves
    # A mesh at the origin of a stage that is Z up needs a node to be turned by.
    upright = parent >= 0 or nodes.turn is None or not prim.IsA(UsdGeom.Mesh)
    if plain and not bare and upright:
        return parent
    return nodes.add(prim.GetName(), parent, local, prim, str(prim.GetPath()))


def _is_skinned(prim: Any) -> bool:
    from pxr import UsdGeom, UsdSkel

    if not prim.IsA(UsdGeom.Mesh):
        return False
    binding = UsdSkel.BindingAPI(prim)
    primvars = UsdGeom.PrimvarsAPI(prim)
    held = primvars.FindPrimvarWithInheritance("skel:jointIndices")
    return bool(binding.GetInheritedSkeleton()) and bool(held) and held.HasAuthoredValue()


def _rig(prim: Any, nodes: Nodes) -> Rig:
    """Add the joints of a skeleton, parents first."""
    from pxr import Sdf, UsdSkel

    skeleton = UsdSkel.Skeleton(prim)
    tokens = [str(token) for token in skeleton.GetJointsAttr().Get() or ()]
    if len(tokens) > MOST_NODES:
        raise Refused(f"{prim.GetPath()} has {len(tokens):,} joints", f"at most {MOST_NODES:,}")
    if len(set(tokens)) < len(tokens):
        twice = next(token for token, count in Counter(tokens).items() if count > 1)
        raise Refused(f"{prim.GetPath()} names the joint {twice!r} twice", "a path for each joint")
    paths = [Sdf.Path(token) for token in tokens]
    wrong = next((token for token, path in zip(tokens, paths, strict=True) if path.isEmpty), None)
    if wrong is not None:
        raise Refused(f"{prim.GetPath()} has a joint {wrong[:80]!r}", "a path such as Hips/Spine")
    bind = _matrices(skeleton.GetBindTransformsAttr().Get(), tokens, f"bindTransforms of {prim.GetPath()}")
    rest = _matrices(skeleton.GetRestTransformsAttr().Get(), tokens, f"restTransforms of {prim.GetPath()}")
    place = {path: i for i, path in enumerate(paths)}
    above = [_ancestor(path, place) for path in paths]
    if rest is None:
        nodes.warnings.append(f"{prim.GetPath()} has no restTransforms: it rests as it was bound")
        rest = _relative(bind, above) if bind is not None else np.tile(np.eye(4), (len(tokens), 1, 1))
    names = [str(name) for name in skeleton.GetJointNamesAttr().Get() or ()]
    if len(names) != len(tokens) or not all(names):
        names = [path.name for path in paths]
    rig = Rig(prim, tokens, [-1] * len(tokens), np.empty(0))
    ordered = all(parent < i for i, parent in enumerate(above))
    for i in (
        range(len(tokens)) if ordered else sorted(place.values(), key=lambda j: paths[j].pathElementCount)
    ):
        parent = rig.nodes[above[i]] if above[i] >= 0 else nodes.above[prim.GetPath()]
        rig.nodes[i] = nodes.add(names[i], parent, rest[i], None, f"{prim.GetPath()}:{tokens[i]}")
    rig.bind = _global(rest, above, paths) if bind is None else bind
    return rig


def _matrices(held: Any, tokens: list[str], what: str) -> NDArray[np.float64] | None:
    if held is None or (not len(held) and tokens):
        return None
    if len(held) != len(tokens):
        raise Refused(f"{what} holds {len(held)} matrices", f"{len(tokens)}, one for each joint")
    matrices = ours(held).reshape(-1, 4, 4)
    if not np.isfinite(matrices).all():
        raise Refused(f"{what} holds a number that is not finite", "numbers")
    return matrices


def _ancestor(path: Any, place: dict[Any, int]) -> int:
    """Return the joint above a joint: the nearest ancestor that is one."""
    above = path.GetParentPath()
    while above.pathElementCount:
        if above in place:
            return place[above]
        above = above.GetParentPath()
    return -1


def _global(local: NDArray[np.float64], above: list[int], paths: list[Any]) -> NDArray[np.float64]:
    found = local.copy()
    for i in sorted(range(len(paths)), key=lambda joint: paths[joint].pathElementCount):
        if above[i] >= 0:
            found[i] = found[above[i]] @ local[i]
    return found


def _relative(world: NDArray[np.float64], above: list[int]) -> NDArray[np.float64]:
    return np.stack(
        [np.linalg.pinv(world[a]) @ m if a >= 0 else m for m, a in zip(world, above, strict=True)]
    )
