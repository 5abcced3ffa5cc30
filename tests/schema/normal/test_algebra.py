"""Intersection, union and complement of sets of values, by enumeration of a small universe."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_gen.schema.normal import arrays as array_shapes
from harmony_gen.schema.normal import numbers as number_shapes
from harmony_gen.schema.normal import objects as object_shapes
from harmony_gen.schema.normal.arrays import Array, array
from harmony_gen.schema.normal.disjoint import Disjoint
from harmony_gen.schema.normal.goals import ANY, NEVER, Fact, Goal, both, negated
from harmony_gen.schema.normal.node import EVERYTHING, NOTHING, TYPES, WIDTH, Node, union
from harmony_gen.schema.normal.numbers import Numbers, interval
from harmony_gen.schema.normal.objects import OPEN, Object, objects
from harmony_gen.schema.strings.language import Language

MANY = settings(max_examples=5 * settings().max_examples)

# What the facts of the goals say of values.
IS_ONE, IS_TEXT, IS_SHORT = 1, 2, 3
TRUTH = {
    0: lambda _: True,
    IS_ONE: lambda value: value == 1 and not isinstance(value, bool),
    IS_TEXT: lambda value: isinstance(value, str),
    IS_SHORT: lambda value: value in (1, "x"),
}
FACTS = {
    IS_ONE: Node(numbers=(Numbers(1, 1),)),
    IS_TEXT: Node(strings=Language.ALL),
    IS_SHORT: Node(numbers=(Numbers(1, 1),), strings=Language.of(["x"])),
}
ATOMS = (1, 2, "x")
NAMES = "abd"
NUMBERS = [Fraction(number, 4) for number in range(-14, 15)]
TEXTS = ["", *NAMES, "x", "ab", "bb"]
ARRAYS = [list(items) for length in range(4) for items in product(ATOMS, repeat=length)]
OBJECTS = [
    dict(zip(names, values, strict=True))
    for length in range(4)
    for names in combinations(NAMES, length)
    for values in product((1, "x"), repeat=length)
]
UNIVERSE: dict[str, list[Any]] = {
    "null": [None],
    "boolean": [True, False],
    "number": NUMBERS,
    "string": TEXTS,
    "array": ARRAYS,
    "object": OBJECTS,
}
ALL = [(kind, value) for kind, values in UNIVERSE.items() for value in values]


def true(goal: Goal, value: Any) -> bool:
    return all(TRUTH[fact.schema](value) == fact.positive for fact in goal)


def looked_up(goal: Goal) -> Node:
    found = EVERYTHING
    for number, positive in sorted(goal):
        known = FACTS.get(number, EVERYTHING)
        found &= known if positive else EVERYTHING.minus(known)
    return found


def in_numbers(shape: Numbers, value: Fraction) -> bool:
    low = shape.low is None or value > shape.low or (value == shape.low and not shape.open[0])
    high = shape.high is None or value < shape.high or (value == shape.high and not shape.open[1])
    whole = shape.whole is None or shape.whole == (value.denominator == 1)
    return low and high and whole and all(value % Fraction(step) == 0 for step in shape.steps)


def in_array(shape: Array, value: list[Any]) -> bool:
    goals = [*shape.prefix, *[shape.rest] * len(value)][: len(value)]
    if not all(map(true, goals, value)) or (shape.unique and len(set(value)) < len(value)):
        return False
    for goal, least, most in [(ANY, shape.least, shape.most), *shape.contains]:
        count = sum(true(goal, item) for item in value)
        if count < least or (most is not None and count > most):
            return False
    return True


def in_object(shape: Object, value: dict[str, Any]) -> bool:
    def goal_of(name: str) -> Goal:
        return next((goal for names, goal in shape.classes if name in names), NEVER)

    count = shape.least <= len(value) and (shape.most is None or len(value) <= shape.most)
    needs = all(other in value for name, other in shape.needs if name in value)
    members = (true(shape.named[name] if name in shape.named else goal_of(name), value[name]) for name in value)
    return count and needs and shape.required <= value.keys() and all(members)


def has(node: Node, kind: str, value: Any) -> bool:
    match kind:
        case "null":
            return node.null
        case "boolean":
            return value in node.booleans
        case "number":
            return any(in_numbers(shape, value) for shape in node.numbers)
        case "string":
            return value in node.strings
        case "array":
            return any(in_array(shape, value) for shape in node.arrays)
    return any(in_object(shape, value) for shape in node.objects)


FACT = st.builds(Fact, st.sampled_from([IS_ONE, IS_TEXT, IS_SHORT]), st.booleans())
GOALS = (
    st.just(ANY)
    | st.just(NEVER)
    | FACT.map(lambda fact: frozenset([fact]))
    | st.builds(both, FACT.map(lambda fact: frozenset([fact])), FACT.map(lambda fact: frozenset([fact])))
)
BOUND = st.none() | st.sampled_from([-2, -1, 0, 1, 2, 3, 0.5, -1.25, 1.75])
COUNT = st.integers(0, 3)
LIMIT = st.none() | COUNT
NUMBER_SHAPES = st.builds(
    lambda low, high, first, last, whole, steps: interval(
        low, high, (first and low is not None, last and high is not None), whole, steps
    ),
    BOUND,
    BOUND,
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, True, False]),
    st.sampled_from([frozenset(), frozenset(), frozenset([2]), frozenset([2, 3]), frozenset([0.5]), frozenset([1])]),
)
ARRAY_SHAPES = st.builds(
    array,
    st.lists(GOALS, max_size=2).map(tuple),
    GOALS,
    COUNT,
    LIMIT,
    st.lists(st.tuples(GOALS, COUNT, LIMIT), max_size=1).map(tuple),
    unique=st.booleans(),
)
LANGUAGES = st.sampled_from(
    [Language.ALL, Language.of("a"), Language.of("bd"), ~Language.of("a"), Language.pattern("^b")]
)
CLASSES = st.just(OPEN.classes) | st.builds(
    lambda names, one, other: tuple(
        (part, goal) for part, goal in ((names, one), (~names, other)) if goal is not NEVER
    ),
    st.sampled_from([Language.of("a"), Language.of("bd"), Language.pattern("^b")]),
    GOALS,
    GOALS,
)
SOME_NAMES = st.frozensets(st.sampled_from(NAMES), max_size=2)
OBJECT_SHAPES = st.builds(
    objects,
    st.dictionaries(st.sampled_from(NAMES), GOALS, max_size=2),
    CLASSES,
    SOME_NAMES,
    st.tuples(COUNT, LIMIT),
    st.frozensets(st.sampled_from([("a", "b"), ("b", "d"), ("d", "a")]), max_size=2),
)


def some(shapes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(shapes, max_size=2).map(lambda found: tuple(shape for shape in found if shape is not None))


NODES = st.builds(
    Node,
    st.booleans(),
    st.frozensets(st.booleans()),
    some(NUMBER_SHAPES),
    st.builds(
        lambda one, other, negate: ~(one & other) if negate else one | other, LANGUAGES, LANGUAGES, st.booleans()
    ),
    some(ARRAY_SHAPES),
    some(OBJECT_SHAPES),
) | st.sampled_from([EVERYTHING, NOTHING])


@given(GOALS, GOALS)
def test_goals(one: Goal, other: Goal) -> None:
    for value in (1, 2, "x", "y"):
        assert true(both(one, other), value) == (true(one, value) and true(other, value))
        assert any(true(goal, value) for goal in negated(one)) != true(one, value)


CASES = [
    (NUMBER_SHAPES, in_numbers, NUMBERS, number_shapes.difference),
    (ARRAY_SHAPES, in_array, ARRAYS, array_shapes.difference),
    (OBJECT_SHAPES, in_object, OBJECTS, object_shapes.difference),
]


@pytest.mark.parametrize(("shapes", "contains", "universe", "difference"), CASES, ids=["number", "array", "object"])
@given(data=st.data())
@MANY
def test_shapes(shapes: Any, contains: Any, universe: list[Any], difference: Any, data: st.DataObject) -> None:
    one, other = data.draw(shapes), data.draw(shapes)
    if one is None or other is None:
        return
    found, rest = one & other, difference(one, other)
    for value in universe:
        assert (found is not None and contains(found, value)) == (contains(one, value) and contains(other, value))
        if rest is not None:
            without = contains(one, value) and not contains(other, value)
            assert any(contains(shape, value) for shape in rest) == without, value


@given(
    low=BOUND, high=BOUND, opened=st.tuples(st.booleans(), st.booleans()), whole=st.sampled_from([None, True, False])
)
@MANY
def test_an_interval_in_normal_form_is_the_same(low: Any, high: Any, opened: tuple[bool, bool], whole: Any) -> None:
    plain = Numbers(low, high, opened, whole, frozenset([2]) if whole else frozenset())
    found = interval(low, high, opened, whole, plain.steps)
    for value in NUMBERS:
        assert (found is not None and in_numbers(found, value)) == in_numbers(plain, value), value
        if found is not None and not found.steps:
            number = int(value) if value.denominator == 1 else float(value)
            assert found.holds(number) == in_numbers(found, value)


@given(
    prefix=st.lists(GOALS, max_size=2).map(tuple),
    rest=GOALS,
    least=COUNT,
    most=LIMIT,
    contains=st.lists(st.tuples(GOALS, COUNT, LIMIT), max_size=2).map(tuple),
)
@MANY
def test_arrays_in_normal_form_are_the_same(prefix: Any, rest: Goal, least: int, most: Any, contains: Any) -> None:
    plain, found = Array(prefix, rest, least, most, contains), array(prefix, rest, least, most, contains)
    for value in ARRAYS:
        assert (found is not None and in_array(found, value)) == in_array(plain, value), value


@given(
    named=st.dictionaries(st.sampled_from(NAMES), GOALS, max_size=3),
    classes=CLASSES | st.just(()),
    required=SOME_NAMES,
    count=st.tuples(COUNT, LIMIT),
    needs=st.frozensets(st.sampled_from([("a", "b"), ("b", "d"), ("d", "a")]), max_size=2),
)
@MANY
def test_objects_in_normal_form_are_the_same(named: Any, classes: Any, required: Any, count: Any, needs: Any) -> None:
    plain = Object(named, classes, required, count, needs)
    found = objects(named, classes, required, count, needs)
    for value in OBJECTS:
        assert (found is not None and in_object(found, value)) == in_object(plain, value), value
    assert found is None or found.required | {name for pair in needs for name in pair} <= found.named.keys()


@given(NODES, NODES)
@MANY
def test_nodes(one: Node, other: Node) -> None:
    both_, either = one & other, union([one, other])
    assert not both_.loose
    assert not either.loose
    for kind, value in ALL:
        in_one, in_other = has(one, kind, value), has(other, kind, value)
        assert has(both_, kind, value) == (in_one and in_other), (kind, value)
        assert has(either, kind, value) == (in_one or in_other), (kind, value)
        assert kind in one.kinds or not in_one


@given(NODES, NODES)
@MANY
def test_differences(one: Node, other: Node) -> None:
    for left, right in ((one, other), (EVERYTHING, other)):
        rest = left.minus(right)
        for kind, value in ALL:
            wanted = has(left, kind, value) and not has(right, kind, value)
            assert has(rest, kind, value) or not wanted, (kind, value)
            assert has(left, kind, value) or not has(rest, kind, value), (kind, value)
            assert kind in rest.loose or has(rest, kind, value) == wanted, (kind, value)


@given(NODES, NODES)
@MANY
def test_what_is_said_to_be_disjoint_is(one: Node, other: Node) -> None:
    compared = Disjoint(looked_up)
    clash = compared.disjoint(one, other)
    assert clash == compared.disjoint(other, one)
    assert compared.overlaps([one, other]) == ([] if clash or not one.kinds & other.kinds else [(0, 1)])
    if clash:
        assert not [value for kind, value in ALL if has(one, kind, value) and has(other, kind, value)]


@given(NODES, st.lists(st.sampled_from([*TYPES, "integer"]), max_size=3))
def test_types(node: Node, types: list[str]) -> None:
    found = node.only(types)
    for kind, value in ALL:
        wanted = kind in types or (kind == "number" and "integer" in types and value.denominator == 1)
        assert has(found, kind, value) == (wanted and has(node, kind, value)), (kind, value)


@given(NODES)
def test_values_are_all_there_are(node: Node) -> None:
    values = node.values()
    if values is None:
        assert node.arrays or node.objects or node.numbers or node.strings.values is None
        return
    listed = Node(
        null=None in values,
        booleans=frozenset(value for value in values if isinstance(value, bool)),
        numbers=tuple(Numbers(value, value) for value in values if type(value) in (int, float)),
        strings=Language.of(value for value in values if isinstance(value, str)),
    )
    for kind, value in ALL:
        assert has(node, kind, value) == has(listed, kind, value), (kind, value)


def by_name(count: int, prefix: str = "a") -> Node:
    """Objects with one of many members."""
    return Node(objects=tuple(objects({}, OPEN.classes, frozenset([f"{prefix}{i}"])) for i in range(count)))


def test_a_product_that_is_too_wide_keeps_the_smaller_factor_and_says_so() -> None:
    one, other = by_name(12), by_name(13, "b")
    assert len(one.objects) * len(other.objects) > WIDTH
    for found in (one & other, other & one):
        assert found.loose == {"object"}
        assert found.objects == one.objects
    narrow = by_name(11) & by_name(11, "b")
    assert not narrow.loose
    assert len(narrow.objects) == 121
    alone = Node(objects=(OPEN,)) & by_name(WIDTH + 1)
    assert not alone.loose
    assert len(alone.objects) == WIDTH + 1


def test_a_complement_that_is_too_wide_is_loose() -> None:
    points = Node(numbers=tuple(Numbers(point, point) for point in range(WIDTH)))
    rest = EVERYTHING.minus(points)
    assert rest.loose == {"number"}
    assert all(has(rest, "number", value) != has(points, "number", value) for value in NUMBERS if value < 0)
    assert all(has(rest, "number", value) or has(points, "number", value) for value in NUMBERS)
    assert not EVERYTHING.minus(Node(numbers=points.numbers[: WIDTH // 2])).loose


@pytest.mark.parametrize(
    ("node", "loose"),
    [
        (Node(numbers=(Numbers(steps=frozenset([0.5])),)), {"number"}),
        (Node(arrays=(Array(unique=True),)), {"array"}),
        (Node(arrays=(Array((ANY,), frozenset([Fact(IS_ONE, True)])),)), {"array"}),
        (Node(objects=(Object({}, ((Language.of("a"), ANY),)),)), {"object"}),
        (EVERYTHING.loosened("string"), {"string"}),
    ],
)
def test_what_cannot_be_complemented_is_everything(node: Node, loose: set[str]) -> None:
    rest = EVERYTHING.minus(node)
    assert rest.loose == loose
    for kind, value in ALL:
        assert has(rest, kind, value) or kind not in loose


def test_looseness_is_handed_on() -> None:
    loose = NOTHING.loosened("array")
    assert (loose & by_name(1)).loose == {"array"}
    assert union([loose, by_name(1)]).loose == {"array"}
    assert loose.only(["array", "object"]).loose == {"array"}
    assert loose.only(["object"]).loose == set()
    assert union([loose]) is loose
    assert union([EVERYTHING, loose]) is EVERYTHING


def test_alike_shapes_are_kept_once() -> None:
    one, same = (objects({"a": ANY}, OPEN.classes, frozenset("a")) for _ in range(2))
    assert one is not None
    assert same is not None
    assert one.key() == same.key()
    assert len(union([Node(objects=(one,)), Node(objects=(same,))]).objects) == 1
    assert union([Node(objects=(one,)), Node(objects=(OPEN,))]).objects == (OPEN,)
    assert union([Node(arrays=(Array(least=1),)), Node(arrays=(Array(),))]).arrays == (Array(),)
    assert union([Node(numbers=(Numbers(1, 2),)), Node(numbers=(Numbers(1, 2),))]).numbers == (Numbers(1, 2),)


def test_strings_of_too_many_conditions_are_loose():
    def node(name):
        return Node(strings=Language.pattern(f"a.*{name}") | Language.pattern(f"b.*{name}"))

    found = union(node(number) for number in range(600))
    assert found.loose == {"string"}
    assert found.strings is Language.ALL
    factors = EVERYTHING
    for number in range(600):
        factors &= node(number)
    assert factors.loose == {"string"}
    assert factors.strings.weight <= 1_000
    assert "a599" not in factors.strings
    assert not (node(0) & node(1)).loose
