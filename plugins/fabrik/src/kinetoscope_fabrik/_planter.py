"""What every solver of this distribution does besides solving: plant feet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinetoscope_fabrik.protocol import Array, Planting

if TYPE_CHECKING:
    from kinetoscope_spec import Motion
    from kinetoscope_spec.limits import JointLimits

__all__ = ["Planter"]


class Planter:
    """Plants feet. Legs have two bones, whose one bend needs no iteration: all solvers plant alike."""

    def plant(
        self,
        motion: Motion,
        *,
        contacts: Array | None = None,
        height_m: float = 0.05,
        speed_m_s: float = 0.4,
        ground_m: float | None = None,
        limits: JointLimits | None = None,
        blend_s: float = 0.2,
        close_gaps_s: float = 0.1,
        drop_blips_s: float = 0.0,
    ) -> Planting:
        """Hold the toes still wherever they touch the ground.

        Args:
            motion: of a skeleton whose legs `kinetoscope_spec.anatomy` knows.
            contacts: bool `[T, 2]`, left and right; None finds them by `height_m` and `speed_m_s`.
            height_m: height of the toes over the ground under which they may be in contact.
            speed_m_s: speed under which they are.
            ground_m: height at which toes rest; None takes the fifth percentile of the clip's.
            limits: joint limits that the legs are to respect as far as the contacts let them.
            blend_s: time over which a foot comes to where it is held and leaves it.
            close_gaps_s: gaps in contact of up to this time are closed.
            drop_blips_s: contacts of up to this time are dropped.

        Raises:
            ValidationError: joints that no name tells, contacts of another shape.
        """
        from kinetoscope_fabrik.planting import plant

        return plant(
            motion,
            contacts=contacts,
            height_m=height_m,
            speed_m_s=speed_m_s,
            ground_m=ground_m,
            limits=limits,
            blend_s=blend_s,
            close_gaps_s=close_gaps_s,
            drop_blips_s=drop_blips_s,
        )
