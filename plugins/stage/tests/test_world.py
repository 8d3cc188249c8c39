"""The world against a model in plain dictionaries, and the laws of ids and memory."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kinetoscope_spec import ValidationError
from kinetoscope_stage import (
    NOBODY,
    DeadEntity,
    Numbers,
    Parent,
    Schedule,
    World,
    WorldLocked,
    column,
    component,
    system,
)


@component
class Weight:
    kilograms: Numbers = column()
    count: Numbers = column(dtype=np.int32, default=7)


@component
class Shape:
    points: Numbers = column("N", 3)
    chosen: Numbers = column("N", dtype=bool)


@component
class Tag:
    pass


KINDS = (Weight, Shape, Tag)


def made(kind, number: int):
    if kind is Weight:
        return Weight(number, number % 100)
    if kind is Shape:
        n = 1 + number % 3
        return Shape(np.arange(n * 3).reshape(n, 3) + number, np.arange(n) % 2 == 0)
    return Tag()


def told(held) -> tuple:
    return tuple(np.asarray(getattr(held, name)).tolist() for name in type(held).__columns__)


class Model(RuleBasedStateMachine):
    """Every operation on the world is done on `{id: {kind: number}}` too."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.model: dict[int, dict] = {}
        self.ever: set[int] = set()

    def some(self, data, most: int = 4) -> list[int]:
        return (
            data.draw(st.lists(st.sampled_from(sorted(self.model)), max_size=most, unique=True))
            if self.model
            else []
        )

    @rule(kinds=st.sets(st.sampled_from(range(3))), count=st.integers(0, 5), number=st.integers(0, 9))
    def spawn(self, kinds, count, number) -> None:
        ids = self.world.spawn_many(count, *(made(KINDS[i], number) for i in sorted(kinds)))
        assert not self.ever.intersection(ids.tolist())
        assert len(set(ids.tolist())) == count
        assert NOBODY not in ids
        self.ever.update(ids.tolist())
        self.model |= {int(i): {KINDS[k]: number for k in kinds} for i in ids}

    @rule(data=st.data())
    def despawn(self, data) -> None:
        gone = self.some(data)
        self.world.despawn(gone)
        for entity in gone:
            del self.model[entity]

    @rule(data=st.data(), kind=st.sampled_from(KINDS), number=st.integers(0, 9))
    def insert(self, data, kind, number) -> None:
        chosen = self.some(data)
        self.world.insert(chosen, made(kind, number))
        for entity in chosen:
            self.model[entity][kind] = number

    @rule(data=st.data(), kind=st.sampled_from(KINDS))
    def remove(self, data, kind) -> None:
        chosen = self.some(data)
        self.world.remove(chosen, kind)
        for entity in chosen:
            self.model[entity].pop(kind, None)

    @invariant()
    def the_world_is_the_model(self) -> None:
        assert len(self.world) == len(self.model)
        dead = [entity for entity in self.ever if entity not in self.model]
        assert not self.world.alive(dead).any()
        assert self.world.alive(sorted(self.model)).all()
        for entity, held in self.model.items():
            for kind in KINDS:
                assert self.world.has(entity, kind) == (kind in held)
                if kind in held:
                    assert told(self.world.get(entity, kind)) == told(self.world.get(entity, kind))
                    expected = World()
                    other = expected.spawn(made(kind, held[kind]))
                    assert told(self.world.get(entity, kind)) == told(expected.get(other, kind))

    @invariant()
    def queries_see_every_matching_entity_once(self) -> None:
        for kinds, without in (((), ()), ((Weight,), ()), ((Weight, Shape), (Tag,)), ((), (Shape,))):
            seen = [int(e) for chunk in self.world.query(*kinds, without=without) for e in chunk.entities]
            expected = [
                e
                for e, held in self.model.items()
                if held.keys() >= set(kinds) and not held.keys() & set(without)
            ]
            assert sorted(seen) == sorted(expected)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_a_million_entities_leave_no_memory_behind() -> None:
    world = World()
    world.despawn(world.spawn_many(1000, Weight(1)))
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(10):
        ids = world.spawn_many(100_000, Weight(1), Parent(0))
        world.despawn(ids)
    gone = [int(world.spawn(Weight(1))) for _ in range(3)]
    ids = world.spawn_many(1_000_000, Weight(2.0))
    peak = tracemalloc.get_traced_memory()[0]
    world.despawn(ids)
    world.despawn(gone)
    del ids
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert peak - before > 20e6
    assert after - before < 64e3
    assert len(world) == 0


def test_ids_never_alias_after_tables_were_cut() -> None:
    world = World()
    ever: set[int] = set()
    for count in (10_000, 20, 5_000, 1, 30_000):
        ids = world.spawn_many(count)
        assert not ever.intersection(ids.tolist())
        ever.update(ids.tolist())
        world.despawn(ids)
        assert not world.alive(np.array(sorted(ever))).any()


def test_ids_never_alias_where_tables_are_cut_twice() -> None:
    world = World()
    upper = world.spawn_many(20_000)[4_000:]
    ever = set(upper.tolist())
    for _ in range(3):  # slots above are worn more than those below
        world.despawn(upper)
        upper = world.spawn_many(16_000)
        ever.update(upper.tolist())
    world.despawn(upper)
    (rest,) = world.query()
    world.despawn(rest.entities.copy())
    assert not ever.intersection(world.spawn_many(40_000).tolist())


def test_a_worn_out_slot_is_not_used_again_once_tables_were_cut() -> None:
    world = World()
    ids = world.spawn_many(10_000)
    world._entities._generation[9_000] = 2**31 - 1
    last = (2**31 - 1) << 32 | 9_000
    world.despawn(np.r_[ids[:9_000], last, ids[9_001:]])
    assert last not in world.spawn_many(20_000)


def test_a_worn_out_slot_is_not_used_again() -> None:
    world = World()
    first = world.spawn()
    slot = first & 0xFFFFFFFF
    world._entities._generation[slot] = 2**31 - 1
    last = (2**31 - 1) << 32 | slot
    assert world.alive(last).all()
    world.despawn(last)
    assert (world.spawn_many(50) & 0xFFFFFFFF != slot).all()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda: Weight(kilograms=[1, 2, 3]), "Weight.kilograms has 3 rows, expected 1"),
        (lambda: Weight(kilograms=np.nan), r"Weight.kilograms\[\] is not finite"),
        (lambda: Weight(count=1.5), "fractions"),
        (lambda: Weight(count=2**40), "int32 can't hold"),
        (lambda: Weight(count=np.inf), "int32 can't hold"),
        (lambda: Weight(kilograms=[[1, 2], [3]]), "Weight.kilograms: "),
        (lambda: Weight(kilograms="heavy"), "expected numbers"),
        (
            lambda: Shape(np.zeros((2, 3)), np.zeros(3, bool)),
            r"Shape.chosen has shape \[3\], expected \[N=2\]",
        ),
        (lambda: Shape(np.zeros((2, 2))), r"expected \[N, 3\]|expected \[N=2, 3\]"),
        (Shape, "nothing given tells the size 'N'"),
        (lambda: 3, "no component"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_made(given, words) -> None:
    world = World()
    with pytest.raises(ValidationError, match=words):
        world.spawn(Tag(), given())
    assert len(world) == 0


@component
class Enormous:
    numbers: Numbers = column(2**20)


def test_what_memory_has_no_room_for_leaves_the_world_as_it_was() -> None:
    world = World()
    world.spawn_many(2, Weight())
    world.despawn(world.spawn(Tag()))  # a slot to be used again
    digest = world.digest()
    with pytest.raises(MemoryError):
        world.spawn_many(2**25, Enormous())  # 256 TiB, more than there are addresses
    assert (len(world), world.digest()) == (2, digest)
    world.spawn_many(30, Weight())
    assert len(world) == sum(len(chunk) for chunk in world.query(Weight)) == 32


def test_a_table_that_can_not_grow_stays_whole(monkeypatch) -> None:
    world = World()
    world.spawn_many(10, Weight())
    digest, empty = world.digest(), np.empty

    def short(shape, dtype=float):
        if dtype == np.int32:  # of the second column
            raise MemoryError("no room")
        return empty(shape, dtype)

    with monkeypatch.context() as patched:
        patched.setattr(np, "empty", short)
        with pytest.raises(MemoryError):
            world.spawn_many(100, Weight())
    assert world.digest() == digest
    world.spawn_many(100, Weight(count=np.arange(100)))
    assert len(world) == 110


@pytest.mark.parametrize("wrong", [0.5, "one", None, True])
def test_ids_are_whole_numbers(wrong) -> None:
    world = World()
    entity = world.spawn(Weight())
    with pytest.raises(ValidationError, match="expected ids"):
        world.despawn(entity + wrong if wrong == 0.5 else wrong)
    assert world.alive(entity).all()
    world.despawn([])
    assert len(world) == 1


def test_the_dead_are_named() -> None:
    world = World()
    entity = world.spawn(Weight())
    world.despawn(entity)
    for act in (
        world.despawn,
        lambda e: world.get(e, Weight),
        lambda e: world.insert(e, Tag()),
        lambda e: world.remove(e, Tag),
    ):
        with pytest.raises(DeadEntity, match=str(entity)):
            act(entity)
    assert not world.alive([NOBODY, -1, -(2**40), 2**62, entity]).any()


def test_children_go_with_their_parents() -> None:
    world = World()
    root, other = world.spawn(), world.spawn()
    child = world.spawn(Parent(root))
    grandchild = world.spawn(Parent(child), Tag())
    free = world.spawn(Parent(other))
    world.despawn(root)
    assert world.alive([root, child, grandchild, other, free]).tolist() == [False, False, False, True, True]
    world.despawn(other, children=False)
    assert world.alive([other, free]).tolist() == [False, True]


@settings(deadline=None)
@given(st.integers(1, 30), st.data())
def test_gather_follows_references(count, data) -> None:
    world = World()
    ids = world.spawn_many(count, Weight(np.arange(count)))
    world.insert(ids[::3], Tag())
    world.remove(ids[::5], Weight)
    picks = data.draw(st.lists(st.integers(-1, count - 1), min_size=1, max_size=20))
    wanted = np.array([NOBODY if i < 0 else ids[i] for i in picks])
    held, found = world.gather(wanted, Weight)
    assert found.tolist() == [i >= 0 and i % 5 != 0 for i in picks]
    assert held.kilograms.tolist() == [float(i) if i >= 0 and i % 5 else 0.0 for i in picks]


@settings(deadline=None)
@given(st.lists(st.integers(-1, 19), min_size=1, max_size=20), st.sets(st.integers(0, 19), min_size=1))
def test_who_hangs_on_whom_is_gone_and_nobody_else(above, taken) -> None:
    """Trees and circles, against a walk up from each."""
    count = len(above)
    world = World()
    ids = world.spawn_many(count)
    for i, parent in enumerate(above):
        if 0 <= parent < count:
            world.insert(ids[i], Parent(ids[parent]))
    taken = {i % count for i in taken}

    def goes(i: int) -> bool:
        for _ in range(count + 1):
            if i in taken:
                return True
            if not 0 <= above[i] < count:
                return False
            i = above[i]
        return False

    world.despawn(ids[sorted(taken)])
    assert world.alive(ids).tolist() == [not goes(i) for i in range(count)]


def test_structure_is_shut_while_systems_run() -> None:
    world = World()

    @system(reads=[Weight])
    def bad(view, dt) -> None:
        world.spawn(Weight())

    with pytest.raises(WorldLocked) as caught:
        Schedule([bad]).run(world, 0.1)
    assert any("'bad'" in note for note in caught.value.__notes__)
    world.spawn(Weight())


def test_digest_tells_states_apart() -> None:
    def world(number=1.0, extra=False, order=1) -> World:
        made = World(seed=3)
        made.spawn_many(2, Weight(np.array([number, 2.0])[::order]))
        if extra:
            made.despawn(made.spawn())
        return made

    assert world().digest() == world().digest()
    others = [world(np.nextafter(1, 2)), world(extra=True), world(order=-1), World(seed=3), World(seed=4)]
    late = world()
    late.time = 1.0
    drawn = world()
    drawn.random("a").random()
    told_ = world()
    told_.events.emit(Weight(3))
    fed = world()
    fed.inputs = {"a": np.zeros(3)}
    large = (World(seed=2**60), World(seed=2**60 + 1))
    digests = {held.digest() for held in (world(), *others, late, drawn, told_, fed, *large)}
    assert len(digests) == 12


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: column(3, default=(1, 2)), r"column default \(1, 2\), expected float64 \[3\]"),
        (lambda: column(dtype=np.int8, default=300), "expected int8"),
        (lambda: column("N", default="a"), r"expected float64 \[N\]"),
        (lambda: World(seed=-1), "seed is -1"),
        (lambda: World(seed=0.5), "seed is 0.5"),
    ],
)
def test_what_would_fail_later_is_refused_at_once(make, words) -> None:
    with pytest.raises(ValidationError, match=words):
        make()


def test_digest_knows_whose_row_it_is() -> None:
    one, other = World(), World()
    one.spawn_many(2, Weight([1.0, 2.0]))
    ids = other.spawn_many(2, Weight([2.0, 1.0]))
    other.insert(ids[0], Tag())
    other.remove(ids[0], Tag)  # moves it behind the other
    columns = [next(world.query(Weight))[Weight].kilograms.tolist() for world in (one, other)]
    assert columns == [[1.0, 2.0], [1.0, 2.0]]
    assert one.digest() != other.digest()
