"""Worlds that live: whatever is done to a world while its systems run, the laws hold.

One machine does the same to several worlds at once: `live` is ticked by an application and its ticks
are written down, `headless` runs steps by itself, `threaded` runs systems side by side, `other` has had
another past. They must be the same, bit for bit, after everything that is done.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kinetoscope_stage import (
    GlobalTransform,
    Loop,
    Numbers,
    Parent,
    Recording,
    Schedule,
    Spring,
    Transform,
    World,
    column,
    component,
    system,
)
from kinetoscope_stage.springs import SpringSystem
from kinetoscope_stage.transforms import TransformSystem


@component
class Count:
    steps: Numbers = column(dtype=np.int64)
    seen: Numbers = column(dtype=np.int64)


@component
class Shape:
    points: Numbers = column("N", 3)


@component
class Born:
    parent: Numbers = column(dtype=np.int64)


@system(reads=[Count], writes=[Count])
def counts(view, dt) -> None:
    for chunk in view.query(Count):
        chunk[Count].steps[:] += 1


@system(reads=[Count, Shape, Spring], writes=[Shape, Spring])
def drifts(view, dt) -> None:
    push = view.input("push", np.zeros(3))
    for chunk in view.query(Spring):
        chunk[Spring].goal[:] = view.random.normal(size=(len(chunk), 3)) + push
    for chunk in view.query(Shape):
        chunk[Shape].points[:] += view.random.normal(size=chunk[Shape].points.shape) * dt


@system(reads=[Count, Born])
def breeds(view, dt) -> None:
    born = view.events(Born).parent
    view.despawn(born)
    for chunk in view.query(Count):
        chosen = chunk.entities[chunk[Count].steps % 7 == 3][:3]
        for entity in chosen.tolist():
            view.spawn(Count(), Transform(), GlobalTransform(), Parent(entity), Spring())
            view.emit(Born(entity))
        old = chunk.entities[chunk[Count].steps > 12]
        view.remove(old, Spring)


class Lives(RuleBasedStateMachine):
    """Does the same to every world."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list = []
        self.ever: set[int] = set()
        self.loops: dict[str, Loop] = {}

    @initialize(seed=st.integers(0, 3))
    def begin(self, seed) -> None:
        self.seed = seed
        self.loops = {
            name: self.loop(threads, past, recording=Recording() if name == "live" else None)
            for name, threads, past in (
                ("live", 1, False),
                ("headless", 1, False),
                ("threaded", 3, False),
                ("other", 1, True),
            )
        }

    def loop(self, threads, past, recording=None) -> Loop:
        world = World(seed=self.seed)
        if past:  # its tables are older, and in another order: no part of the state
            for size in (3, 2, 1):
                for more in ([(Parent, ())], []):
                    plain = [(Count, ()), (Transform, ()), (GlobalTransform, ())]
                    world._archetype(frozenset([*plain, *more, (Shape, (("N", size),))]))
                    world._archetype(frozenset([*plain, *more, (Spring, ())]))
        systems = [counts, drifts, breeds, SpringSystem(), TransformSystem()]
        return Loop(world, Schedule(systems, threads=threads), steps_per_second=50, recording=recording)

    def everywhere(self, act) -> list:
        self.done.append(act)
        return [act(loop.world) for loop in self.loops.values()]

    @rule(count=st.integers(0, 4), size=st.integers(1, 3), tall=st.booleans(), hangs=st.booleans())
    def spawn(self, count, size, tall, hangs) -> None:
        parts = [Count(), Transform(), GlobalTransform()]
        parts += [Shape(np.ones((size, 3)))] if tall else [Spring()]
        parts += [Parent(self.living()[0])] if hangs and len(self.living()) else []
        ids = self.everywhere(lambda world: world.spawn_many(count, *parts).tolist())
        assert all(held == ids[0] for held in ids)

    def living(self) -> np.ndarray:
        (*chunks,) = self.loops["live"].world.query()
        return np.sort(np.concatenate([chunk.entities for chunk in chunks])) if chunks else np.zeros(0, int)

    @precondition(lambda self: len(self.living()))
    @rule(which=st.lists(st.integers(0, 10**6), min_size=1, max_size=3), what=st.sampled_from("dir"))
    def change(self, which, what) -> None:
        living = self.living()
        chosen = np.unique(living[np.array(which) % len(living)])
        acts = {
            "d": lambda world: world.despawn(chosen),
            "i": lambda world: world.insert(chosen, Shape(np.zeros((2, 3)))),
            "r": lambda world: world.remove(chosen, Spring, Shape),
        }
        self.everywhere(acts[what])

    @rule(steps=st.integers(1, 4), push=st.one_of(st.none(), st.floats(-2, 2)))
    def run(self, steps, push) -> None:
        inputs = None if push is None else {"push": [push, 0, 0]}
        before = self.live_counts()
        for name, loop in self.loops.items():
            if name == "headless":
                loop.headless(steps, inputs=lambda i: inputs if i == 0 else None)
            else:
                for i in range(steps):
                    assert loop.tick(loop.step_s, inputs if i == 0 else None) == 1
        after = self.live_counts()
        for entity in before.keys() & after.keys():
            assert after[entity] == before[entity] + steps, "a system saw an entity not once a step"
        self.done.append((steps, inputs))

    def live_counts(self) -> dict[int, int]:
        return {
            int(entity): int(number)
            for chunk in self.loops["live"].world.query(Count)
            for entity, number in zip(chunk.entities, chunk[Count].steps, strict=True)
        }

    @invariant()
    def all_worlds_are_one(self) -> None:
        digests = {name: loop.world.digest() for name, loop in self.loops.items()}
        assert len(set(digests.values())) <= 1, digests

    @invariant()
    def ids_never_alias(self) -> None:
        if self.loops:
            now = set(self.living().tolist())
            assert len(now) == len(self.loops["live"].world)
            gone = sorted(self.ever - now)
            assert not self.loops["live"].world.alive(np.array(gone, np.int64)).any()
            self.ever |= now

    def teardown(self) -> None:
        """Do it all again as it was written down: the end is the same."""
        if not self.loops:
            return
        live = self.loops["live"]
        with TemporaryDirectory() as folder:
            path = str(Path(folder) / "run.jsonl")
            live.recording.save(path)
            ticks = Recording.load(path).ticks
        again = self.loop(1, False)
        for act in self.done:
            if callable(act):
                act(again.world)
            else:
                part, ticks = ticks[: act[0]], ticks[act[0] :]
                again.replay(Recording(part))
        assert not ticks
        assert again.world.digest() == live.world.digest()
        self.loops["threaded"].schedule.close()


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
