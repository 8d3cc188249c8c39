"""The laws of the hook `acme_thing`, for every provider of it.

    class TestMine(AcmeThingContract):
        provider = MyProvider()

Needs hypothesis: `pip install "kinetoscope-spec[contracts]"`.
"""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st

from acme_thing.provider import AcmeThingSmoothing
from kinetoscope_spec import Motion, ValidationError
from kinetoscope_spec.contracts import Contract, law, require, strategies

__all__ = ["AcmeThingContract"]


class AcmeThingContract(Contract):
    """What callers rely on. A law's docstring is its promise: failures and documentation print it."""

    hook: ClassVar[str] = "acme_thing"
    mutants: ClassVar[str | None] = "acme_thing.mutants:MUTANTS"
    provider = AcmeThingSmoothing
    name = "acme-thing"

    def motions(self) -> st.SearchStrategy[Motion]:
        """Return the motions that laws are tried on; narrow it if a provider takes fewer."""
        return strategies.motions()

    @law("motions", st.floats(0, 1))
    def test_skeleton_and_time_are_kept(self, motion: Motion, amount: float) -> None:
        """The motion that comes back has the same skeleton, frames and framerate."""
        found = self.subject.apply(motion, amount=amount)
        require(found.skeleton == motion.skeleton, "another skeleton came back")
        wanted = (motion.frame_count, motion.framerate)
        held = (found.frame_count, found.framerate)
        require(
            held == wanted, f"{held[0]} frames at {held[1]:g} a second, expected {wanted[0]} at {wanted[1]:g}"
        )

    @law("motions")
    def test_an_amount_of_nothing_changes_nothing(self, motion: Motion) -> None:
        """With an amount of 0 the motion comes back as it was."""
        found = self.subject.apply(motion, amount=0.0)
        if found.positions.shape == motion.positions.shape:  # else it is another law that is broken
            off = max(
                abs(found.positions - motion.positions).max(), abs(found.rotations - motion.rotations).max()
            )
            require(off == 0, f"an amount of 0 changed the motion by up to {off:.3g}")

    @law("motions", st.sampled_from((-0.1, 1.5, float("nan"), float("inf"))))
    def test_a_wrong_amount_is_an_error(self, motion: Motion, amount: float) -> None:
        """An amount that is not from 0 to 1 is a `ValidationError`."""
        try:
            self.subject.apply(motion, amount=amount)
        except ValidationError:
            return
        require(False, f"an amount of {amount} was taken, expected a ValidationError")
