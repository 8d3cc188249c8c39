"""A person's proportions: lumps of flesh, gaps in the shell and materials, by the joints' roles.

Sizes are for a body of `_HEIGHT_M` and scale with it. They were set by eye against photographs of
artists' mannequins.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec._flesh import Cut, Lump

__all__ = ["SPINE", "Figure", "figure"]

SPINE = -1
"""The carrier of the trunk: all joints from hips to neck by height."""

_HEIGHT_M = 1.75
_GAP_M = 0.008
"""Half the width of a gap."""

_SOLE_M = (0.012, 0.06)
"""Heights of the toes' joints over the ground that a foot can have."""

_FRONT = np.array([0.0, 0.0, 1.0])
_UP = np.array([0.0, 1.0, 0.0])
_LEFT = np.array([1.0, 0.0, 0.0])


@attrs.frozen(eq=False)
class Figure:
    """What a mannequin is made of.

    Attributes:
        lumps: flesh.
        cuts: gaps between panels.
        scale: its size over a body of 1.75 m.
        sole: height of the ground under its feet, m.
    """

    lumps: tuple[Lump, ...]
    cuts: tuple[Cut, ...]
    scale: float
    sole: float


def figure(positions: Array, roles: Mapping[str, int], *, toe_height: float = 0.0) -> Figure:
    """Shape a person around joints `[J, 3]` m that stand as `_stance` puts them.

    `toe_height` is how far over the ground the toes' joints are when they stand, metres; one that
    can't be a foot's is left out of account.
    """
    return _Sculptor(positions, roles, toe_height).figure()


class _Sculptor:
    def __init__(self, positions: Array, roles: Mapping[str, int], toe_height: float) -> None:
        self.at = {role: positions[joint] for role, joint in roles.items()}
        self.joint = dict(roles)
        self._fill_trunk()
        self.scale = self._body_scale()
        thin, thick = (self.scale * h for h in _SOLE_M)
        self.toe_height = toe_height if thin < toe_height < thick else 0.030 * self.scale
        self.limb = 0
        self.lumps: list[Lump] = []
        self.cuts: list[Cut] = []
        self.sole = float(min(p[1] for p in self.at.values()))

    def figure(self) -> Figure:
        self._trunk()
        self._head()
        for where, sign in (("left", 1), ("right", -1)):
            self.limb = sign
            self._arm(where, sign)
            self._leg(where, sign)
        return Figure(tuple(self.lumps), tuple(self.cuts), self.scale, self.sole)

    def _fill_trunk(self) -> None:
        """Give the trunk's joints that the skeleton lacks a place between those it has."""
        hips = self.at["hips"]
        shoulders = 0.5 * (self.at["left_upper_arm"] + self.at["right_upper_arm"])
        rise = float(np.linalg.norm(shoulders - hips))
        if "neck" not in self.at:
            self.at["neck"] = shoulders + 0.08 * rise * _UP
        if "head" not in self.at:
            self.at["head"] = self.at["neck"] + 0.18 * rise * _UP
        self._raise_neck(shoulders)
        for role, share in (("chest", 0.5), ("spine", 0.3)):
            self.at.setdefault(role, hips + share * (self.at["neck"] - hips))

    def _raise_neck(self, shoulders: Array) -> None:
        """Move the root of a neck that begins in the chest (CMU's does) up to the shoulders."""
        neck, head = self.at["neck"], self.at["head"]
        missing = float(shoulders[1] - neck[1])
        rise = float(head[1] - neck[1])
        if missing > 0 and rise > 1e-9:
            self.at["neck"] = neck + min(missing / rise + 0.05, 0.7) * (head - neck)

    def _body_scale(self) -> float:
        """Judge the body's size from its legs and trunk, which vary less than its head and arms."""
        leg = np.linalg.norm(self.at["left_lower_leg"] - self.at["left_upper_leg"])
        foot = self.at.get("left_foot", self.at["left_lower_leg"] - leg * _UP)
        leg += np.linalg.norm(foot - self.at["left_lower_leg"])
        trunk = np.linalg.norm(self.at["neck"] - self.at["hips"])
        # A body of 1.75 m has 0.84 m from hip to ankle and 0.52 m from hips to the neck's root.
        return max(float(leg + trunk) / 1.36, 1e-3)

    def _add(
        self,
        start: Array,
        end: Array,
        radii: tuple[float, ...],
        carrier: int | str,
        *,
        side: Array = _LEFT,
        wide: float = 1.0,
        deep: float = 1.0,
        bulge: tuple[float, ...] = (0.0,),
        front: Array = _FRONT,
    ) -> None:
        joint = carrier if isinstance(carrier, int) else self.joint.get(carrier, SPINE)
        sized = tuple(self.scale * r for r in radii)
        self.lumps.append(
            Lump(
                start,
                end,
                sized,
                joint,
                side,
                wide,
                deep,
                tuple(self.scale * b for b in bulge),
                front,
                self.limb,
            )
        )

    def _cut(self, centre: Array, axis: Array, radius: float, *, dark_beyond: bool = False) -> None:
        axis = axis / max(float(np.linalg.norm(axis)), 1e-9)
        self.cuts.append(Cut(centre, axis, self.scale * _GAP_M, self.scale * radius, self.limb, dark_beyond))

    def _trunk(self) -> None:
        s, hips, neck = self.scale, self.at["hips"], self.at["neck"]
        legs = 0.5 * (self.at["left_upper_leg"] + self.at["right_upper_leg"])
        shoulders = 0.5 * (self.at["left_upper_arm"] + self.at["right_upper_arm"])
        spread = abs(float(self.at["left_upper_arm"][0] - shoulders[0])) / s
        low = legs - 0.012 * s * _UP
        waist = hips + 0.26 * (neck - hips)
        ribs = hips + 0.55 * (neck - hips)
        top = hips + 0.84 * (neck - hips)
        half = max(spread, 0.13)
        self._add(
            low,
            top,
            (0.088, 0.092, 0.084, 0.082, 0.094, 0.103, 0.102, 0.090),
            SPINE,
            wide=1.38,
            deep=1.02,
            bulge=(-0.004, -0.004, 0.0, 0.004, 0.006, 0.010, 0.008, 0.0),
        )
        side_to_side = 0.5 * (self.at["left_upper_leg"] - self.at["right_upper_leg"])
        basin = legs + s * (0.030 * _UP - 0.004 * _FRONT)
        self._add(basin - side_to_side, basin + side_to_side, (0.080, 0.084, 0.080), SPINE)
        for sign in (1.0, -1.0):
            out = sign * _LEFT
            blade = top + s * (0.66 * half * out + 0.018 * _UP)
            self._add(top + 0.025 * s * _UP, blade, (0.072, 0.060), SPINE)
            slope = blade + s * (0.30 * half * out + 0.014 * _UP)
            self._add(neck + s * (0.018 * out - 0.002 * _UP), slope, (0.037, 0.040), SPINE)
            breast = ribs + 0.62 * (top - ribs) + s * (0.050 * out + 0.034 * _FRONT)
            self._add(breast, breast + s * (0.055 * out + 0.012 * _UP), (0.066, 0.056), SPINE)
            seat = legs + s * (0.050 * out - 0.036 * _FRONT - 0.004 * _UP)
            self._add(seat, seat + 0.03 * s * _UP, (0.078, 0.074), SPINE)
        self._cut(waist + 0.015 * s * _UP, neck - hips, 0.24)

    def _head(self) -> None:
        s, neck, head = self.scale, self.at["neck"], self.at["head"]
        carrier: int | str = "head" if "head" in self.joint else "neck"
        up = head - neck
        up = up / max(float(np.linalg.norm(up)), 1e-9) if np.linalg.norm(up) > 1e-9 else _UP
        base = head + s * (0.045 * _UP + 0.006 * _FRONT)
        self._add(
            neck - 0.03 * s * up, base + s * (0.03 * _UP - 0.014 * _FRONT), (0.056, 0.048, 0.045), "neck"
        )
        # A skull that is deep, and a face that narrows to the chin.
        skull = base + s * (0.094 * _UP - 0.010 * _FRONT)
        self._add(skull, skull + 0.016 * s * _UP, (0.077, 0.078), carrier, wide=0.96, deep=1.16)
        brow = base + s * (0.100 * _UP + 0.014 * _FRONT)
        mouth = base + s * (0.040 * _UP + 0.024 * _FRONT)
        self._add(brow, mouth, (0.070, 0.058), carrier, wide=0.94)
        chin = base + s * (0.022 * _UP + 0.044 * _FRONT)
        self._add(mouth + 0.008 * s * _FRONT, chin, (0.050, 0.036), carrier)
        self._cut(neck + 0.046 * s * up, up, 0.085)

    def _arm(self, where: str, sign: float) -> None:
        s = self.scale
        shoulder, elbow = self.at[f"{where}_upper_arm"], self.at[f"{where}_lower_arm"]
        arm = elbow - shoulder
        arm = arm / max(float(np.linalg.norm(arm)), 1e-9)
        wrist = self.at.get(f"{where}_hand", elbow + 0.25 * s * arm)
        clavicle = f"{where}_shoulder" if f"{where}_shoulder" in self.joint else SPINE
        out = sign * _LEFT
        # Narrow skeletons get their breadth from the deltoid.
        blade = shoulder + s * (0.014 * out + 0.008 * _UP)
        self._add(blade - 0.05 * s * out, blade, (0.052, 0.054), clavicle)
        self._add(
            blade,
            elbow,
            (0.058, 0.054, 0.049, 0.045, 0.038),
            f"{where}_upper_arm",
            bulge=(0.0, 0.004, 0.007, 0.003, 0.0),
        )
        self._add(
            elbow,
            wrist,
            (0.037, 0.045, 0.041, 0.031, 0.025),
            f"{where}_lower_arm",
            side=_FRONT,
            wide=1.08,
        )
        self._cut(shoulder + 0.38 * (elbow - shoulder), arm, 0.085)
        self._cut(elbow, arm, 0.085)
        self._cut(wrist, arm, 0.07, dark_beyond=True)
        self._hand(where, wrist, arm)

    def _hand(self, where: str, wrist: Array, arm: Array) -> None:
        s = self.scale
        carrier = f"{where}_hand" if f"{where}_hand" in self.joint else f"{where}_lower_arm"
        knuckles = wrist + 0.088 * s * arm
        self._add(
            wrist + 0.012 * s * arm,
            knuckles,
            (0.024, 0.029, 0.027),
            carrier,
            side=_FRONT,
            wide=1.30,
            deep=0.62,
        )
        self._add(
            knuckles,
            wrist + 0.165 * s * arm,
            (0.026, 0.024, 0.017),
            carrier,
            side=_FRONT,
            wide=1.30,
            deep=0.55,
        )
        thumb = wrist + s * (0.03 * arm + 0.025 * _FRONT)
        self._add(thumb, thumb + s * (0.050 * arm + 0.032 * _FRONT), (0.016, 0.014, 0.010), carrier)

    def _leg(self, where: str, sign: float) -> None:
        s = self.scale
        hip, knee = self.at[f"{where}_upper_leg"], self.at[f"{where}_lower_leg"]
        thigh = knee - hip
        leg = thigh / max(float(np.linalg.norm(thigh)), 1e-9)
        ankle = self.at.get(f"{where}_foot", knee + 0.42 * s * leg)
        out = sign * _LEFT
        start = hip + s * 0.006 * out
        self._add(
            start,
            knee,
            (0.082, 0.082, 0.075, 0.064, 0.052),
            f"{where}_upper_leg",
            bulge=(0.0, 0.010, 0.012, 0.006, 0.0),
        )
        self._add(
            knee,
            ankle,
            (0.050, 0.055, 0.050, 0.039, 0.034),
            f"{where}_lower_leg",
            bulge=(0.004, -0.014, -0.012, -0.004, 0.0),
        )
        self._cut(hip + 0.36 * thigh, leg, 0.12)
        self._cut(knee, leg, 0.10)
        self._cut(ankle - 0.03 * s * leg, leg, 0.08, dark_beyond=True)
        self._foot(where, ankle)

    def _foot(self, where: str, ankle: Array) -> None:
        s = self.scale
        carrier = f"{where}_foot" if f"{where}_foot" in self.joint else f"{where}_lower_leg"
        has_toes = f"{where}_toes" in self.joint
        toes = self.at.get(f"{where}_toes", ankle + s * (0.13 * _FRONT - 0.055 * _UP))
        ahead = (toes - ankle) * (1.0, 0.0, 1.0)
        ahead = ahead / max(float(np.linalg.norm(ahead)), 1e-9) if np.linalg.norm(ahead) > 1e-9 else _FRONT
        floor = float(toes[1]) - self.toe_height
        self.sole = min(self.sole, floor)
        across = np.cross(_UP, ahead)
        heel = ankle * (1.0, 0.0, 1.0) + (floor + 0.036 * s) * _UP - 0.028 * s * ahead
        ball = toes * (1.0, 0.0, 1.0) + (floor + 0.027 * s) * _UP
        tip = ball + 0.062 * s * ahead - 0.003 * s * _UP
        self._add(
            ankle,
            ankle * (1.0, 0.0, 1.0) + (floor + 0.05 * s) * _UP + 0.012 * s * ahead,
            (0.038, 0.044),
            carrier,
        )
        self._add(heel, heel + 0.03 * s * ahead, (0.036, 0.037), carrier)
        self._add(
            heel + s * (0.05 * ahead + 0.014 * _UP),
            ball,
            (0.042, 0.038, 0.029),
            carrier,
            side=across,
            wide=1.16,
        )
        toe_carrier = f"{where}_toes" if has_toes else carrier
        self._add(ball, tip, (0.029, 0.027, 0.021), toe_carrier, side=across, wide=1.45)
