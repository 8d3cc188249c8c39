"""Order, what systems are shown, what they ask for, and threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kinetoscope_spec import ConfigError, ValidationError
from kinetoscope_stage import (
    Loop,
    Numbers,
    Parent,
    Prefab,
    Schedule,
    World,
    WorldLocked,
    column,
    component,
    reference,
    system,
)


@component
class A:
    x: Numbers = column()


@component
class B:
    x: Numbers = column()


@component
class C:
    x: Numbers = column()


KINDS = (A, B, C)


def named(name, reads=(), writes=(), **more):
    return system(name=name, reads=reads, writes=writes, **more)(lambda world, dt: None)


def test_makers_come_before_changers_before_readers() -> None:
    given = [
        named("reads", [A]),
        named("changes2", [A], [A]),
        named("makes", [], [A]),
        named("changes1", [A], [A]),
    ]
    assert Schedule(given).order == ("makes", "changes2", "changes1", "reads")


def test_after_and_before_are_heard_first() -> None:
    late = named("make", [], [A], after=["read"])
    assert Schedule([late, named("read", [A])]).order == ("read", "make")
    assert Schedule([named("x"), named("y", before=["x"])]).order == ("y", "x")


def test_a_circle_is_named() -> None:
    circle = [named("a", [A], [B]), named("b", [B], [C]), named("c", [C], [A]), named("innocent")]
    with pytest.raises(ConfigError, match=r"(a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c)"):
        Schedule(circle)
    with pytest.raises(ConfigError, match="circle: a -> a"):
        Schedule([named("a", after=["a"])])


@pytest.mark.parametrize(
    ("systems", "words"),
    [
        ([named("a"), named("a")], "two systems are called 'a'"),
        ([named("a", after=["b"])], "'b', which is not there"),
        ([named("a", phase="never")], "phase 'never'"),
    ],
)
def test_what_makes_no_schedule_is_refused(systems, words) -> None:
    with pytest.raises(ConfigError, match=words):
        Schedule(systems)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sets(st.sampled_from(KINDS)), st.sets(st.sampled_from(KINDS))), max_size=7))
def test_systems_of_a_wave_touch_nothing_that_another_writes(declared) -> None:
    systems = [named(str(i), reads, writes) for i, (reads, writes) in enumerate(declared)]
    try:
        schedule = Schedule(systems)
    except ConfigError:
        assume(False)
    assert sorted(schedule.order) == sorted(s.name for s in systems)
    for wave in schedule.waves:
        for name in wave:
            for other in wave:
                a, b = schedule.systems[name], schedule.systems[other]
                assert name == other or not set(a.writes) & (set(b.reads) | set(b.writes))


def test_what_is_not_declared_is_not_shown_and_what_is_only_read_is_read_only() -> None:
    world = World()
    world.spawn(A(1), B(2))

    @system(reads=[A])
    def writes(view, dt) -> None:
        for chunk in view.query(A):
            assert B not in chunk
            with pytest.raises(ValidationError, match="no B"):
                chunk[B]
            chunk[A].x[:] = 3

    with pytest.raises(ValueError, match="read-only"):
        Schedule([writes]).run(world, 0.1)

    @system(reads=[A])
    def looks(view, dt) -> None:
        list(view.query(A, B))

    with pytest.raises(ValidationError, match="'looks' asks for B"):
        Schedule([looks]).run(world, 0.1)


def test_changes_wait_until_all_have_run() -> None:
    world = World()
    old = world.spawn(A(1))
    seen = []

    @system(reads=[A])
    def changes(view, dt) -> None:
        view.despawn(old)
        view.despawn(old)
        value = np.array([5.0])
        promise = view.spawn(A(value))
        value[:] = 6
        view.insert(promise, B(7))
        view.spawn(Parent(0), C(1))
        view.insert(old, C(9))

    @system(reads=[A], after=["changes"])
    def counts(view, dt) -> None:
        seen.append(sum(len(chunk) for chunk in view.query(A)))
        assert view.alive(old).all()

    Schedule([changes, counts]).run(world, 0.1)
    assert seen == [1]
    assert not world.alive(old).any()
    (chunk,) = world.query(A, B)
    assert (chunk[A].x.tolist(), chunk[B].x.tolist()) == ([5.0], [7.0])
    assert len(world) == 2


@component
class Rang:
    who: Numbers = column(dtype=np.int64)


def test_events_are_seen_once_by_all_in_the_next_step() -> None:
    world = World()
    heard: list[tuple[str, list[int]]] = []

    def listener(name, **more):
        @system(name=name, **more)
        def listens(view, dt) -> None:
            heard.append((name, view.events(Rang).who.tolist()))

        return listens

    @system(name="bell")
    def bell(view, dt) -> None:
        if view.step_count == 1:
            view.emit(Rang(np.array([4, 5])))
            view.emit(Rang(6))

    loop = Loop(world, Schedule([listener("first", before=["bell"]), bell, listener("last", after=["bell"])]))
    loop.headless(4)
    assert [who for name, who in heard if name == "first"] == [[], [], [4, 5, 6], []]
    assert [who for name, who in heard if name == "last"] == [[], [], [4, 5, 6], []]


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_change_nothing(threads) -> None:
    def run(threads: int) -> str:
        world = World(seed=5)
        world.spawn_many(500, A(np.arange(500)), B(1), C(2))

        def grows(name, kind):
            @system(name=name, reads=[kind], writes=[kind])
            def grow(view, dt) -> None:
                for chunk in view.query(kind):
                    chunk[kind].x[:] += view.random.normal(size=len(chunk)) * dt
                    view.spawn(kind(view.random.random()))
                    view.emit(kind(view.random.random()))
                    view.despawn(chunk.entities[:1])

            return grow

        @system(reads=KINDS, writes=[])
        def reads(view, dt) -> None:
            for chunk in view.query(*KINDS):
                view.emit(A(chunk[A].x.sum() + chunk[B].x.sum()))

        schedule = Schedule([grows("a", A), grows("b", B), grows("c", C), reads], threads=threads)
        assert schedule.waves == (("a", "b", "c"), ("reads",))
        Loop(world, schedule).headless(30)
        schedule.close()
        return world.digest()

    assert run(1) == run(threads)


def test_phases_order_nothing_of_each_other() -> None:
    # What is shown may depend on what is simulated, and the other way round: they never run together.
    given = [named("simulate", [B], [A]), named("show", [A], [B], phase="frame")]
    assert set(Schedule(given).order) == {"simulate", "show"}
    with pytest.raises(ConfigError, match="circle"):
        Schedule([named("simulate", [B], [A]), named("show", [A], [B])])


@component
class Friend:
    who: Numbers = reference(2)
    other: Numbers = column(dtype=np.int64)


def test_promises_become_ids_wherever_an_entity_is_named() -> None:
    world = World()
    old = world.spawn(A(0))
    heard = []

    @system(reads=[A])
    def makes(view, dt) -> None:
        heard.append(view.events(Meeting).who.tolist())
        if view.step_count:
            return
        family = Prefab([A(1)], children=[Prefab([B(2)], children=[Prefab([C(3)])])])
        parents = family.spawn(view, 2)
        lone = view.spawn(Friend([old, parents[1]], parents[0]))
        view.insert(old, Parent(lone))
        view.spawn(C(4), Parent(-99))  # nobody's promise
        view.emit(Meeting(parents))

    Loop(world, Schedule([makes])).headless(3)
    ones = sorted(e for e in entities(world, A) if world.get(e, A).x == 1)  # ids grow as they are given
    (twos,) = world.query(B, Parent)
    assert sorted(twos[Parent].entity.tolist()) == sorted(ones)
    threes = {int(world.get(e, Parent).entity): float(world.get(e, C).x) for e in entities(world, C)}
    assert threes == {**dict.fromkeys(twos.entities.tolist(), 3.0), -99: 4.0}
    (friends,) = world.query(Friend)
    assert friends[Friend].who.tolist() == [[old, ones[1]]]
    assert friends[Friend].other[0] < 0  # no reference: numbers stay as they are
    assert world.get(old, Parent).entity == friends.entities[0]
    assert heard == [[], ones, []]


def entities(world, kind) -> list[int]:
    return [int(e) for chunk in world.query(kind) for e in chunk.entities]


@component
class Meeting:
    who: Numbers = reference()


@component
class Shaped:
    points: Numbers = column("N", 3)


def test_events_have_sizes_of_numbers() -> None:
    world = World()
    hears = system(name="hears")(lambda view, dt: view.events(Shaped))
    emits = system(name="emits")(lambda view, dt: view.emit(Shaped(np.zeros((2, 3)))))
    for wrong in (hears, emits):
        with pytest.raises(ValidationError, match=r"Shaped.points has the size 'N'"):
            Schedule([wrong]).run(world, 0.1)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda view: view.despawn(1.5), "holds float64"),
        (lambda view: view.remove("a", A), "expected ids"),
        (lambda view: view.insert(True, A()), "holds bool"),
        (lambda view: view.insert([1, 2], A()), "expected one"),
        (lambda view: view.spawn_many(-1, A()), "count is -1"),
    ],
)
def test_what_a_system_can_not_ask_for_is_refused_at_once(ask, words) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        Schedule([system(name="asks")(lambda view, dt: ask(view))]).run(World(), 0.1)
    assert caught.value.__notes__ == ["in the system 'asks'"]


def test_one_schedule_runs_on_a_world_at_a_time() -> None:
    """Within another, it would make entities while the outer one's systems hold columns."""
    world = World()
    inner = Schedule([system(name="makes")(lambda view, dt: view.spawn(A(1)))])
    outer = Schedule([system(name="nests")(lambda view, dt: inner.run(world, dt))])
    with pytest.raises(WorldLocked, match="one schedule at a time"):
        outer.run(world, 0.1)
    inner.run(world, 0.1)
    assert len(world) == 1
