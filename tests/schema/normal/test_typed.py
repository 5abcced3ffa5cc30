"""What the keywords about one type of values become."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.schema.normal import Normal, typed
from harmony_gen.schema.normal.arrays import Array
from harmony_gen.schema.normal.goals import ANY, NEVER, Fact, Goal, both
from harmony_gen.schema.normal.node import EVERYTHING, NOTHING, Node
from harmony_gen.schema.normal.numbers import Numbers
from harmony_gen.schema.normal.objects import OPEN, Object
from harmony_gen.schema.normal.typed import cells
from harmony_gen.schema.strings.language import Language
from harmony_gen.schema.subschema import DIALECTS, Subschema

DRAFT4, DRAFT6, _, DRAFT2019, DRAFT2020 = DIALECTS


def normal_of(schema: Any, dialect: str = DRAFT2020) -> Normal:
    return Normal(Subschema.root({"$schema": dialect, **schema}))


def node_of(schema: Any, dialect: str = DRAFT2020) -> Node:
    normal = normal_of(schema, dialect)
    node = normal.node(normal.root)
    assert not normal.noted
    return node


@pytest.mark.parametrize(
    ("keywords", "dialect", "numbers"),
    [
        ({"minimum": 1, "maximum": 2.5}, DRAFT2020, Numbers(1, 2.5)),
        ({"minimum": 1, "exclusiveMinimum": 1}, DRAFT2020, Numbers(1, None, (True, False))),
        ({"minimum": 2, "exclusiveMinimum": 1}, DRAFT2020, Numbers(2)),
        ({"maximum": 1, "exclusiveMaximum": 2}, DRAFT2020, Numbers(None, 1)),
        ({"exclusiveMaximum": 1, "maximum": 2}, DRAFT6, Numbers(None, 1, (False, True))),
        ({"minimum": 1, "exclusiveMinimum": True}, DRAFT4, Numbers(1, None, (True, False))),
        ({"minimum": 1, "exclusiveMinimum": False}, DRAFT4, Numbers(1)),
        ({"maximum": 1, "exclusiveMaximum": True}, DRAFT4, Numbers(None, 1, (False, True))),
        ({"type": "integer", "minimum": 0.5, "exclusiveMaximum": 3}, DRAFT2020, Numbers(1, 2, whole=True)),
        ({"multipleOf": 3, "minimum": 1, "maximum": 10}, DRAFT2020, Numbers(3, 9, whole=True, steps=frozenset([3]))),
        ({"multipleOf": 1}, DRAFT2020, Numbers(whole=True)),
        ({"allOf": [{"multipleOf": 4}, {"multipleOf": 6}]}, DRAFT2020, Numbers(whole=True, steps=frozenset([12]))),
        ({"multipleOf": 3, "minimum": 2, "maximum": 5}, DRAFT2020, Numbers(3, 3)),
        ({"multipleOf": 3, "minimum": 4, "maximum": 5}, DRAFT2020, None),
        ({"minimum": 2, "maximum": 1}, DRAFT2020, None),
        ({"minimum": 2, "exclusiveMaximum": 2}, DRAFT2020, None),
    ],
)
def test_numbers(keywords: dict[str, Any], dialect: str, numbers: Numbers | None) -> None:
    node = node_of(keywords, dialect)
    assert node.numbers == (() if numbers is None else (numbers,))
    assert node.strings is Language.ALL or keywords.get("type")


def test_steps_that_are_no_integers_are_noted() -> None:
    normal = normal_of({"multipleOf": 0.5})
    assert normal.node(normal.root).loose == {"number"}
    assert {keyword for _, keyword in normal.noted} == {"multipleOf"}


@pytest.mark.parametrize(
    ("keywords", "inside", "outside"),
    [
        ({"minLength": 1, "maxLength": 2.0}, ["a", "ab", "😀😀"], ["", "abc", "😀😀😀"]),
        ({"pattern": "^a", "maxLength": 2}, ["a", "ab"], ["b", "abc"]),
        ({"pattern": "b"}, ["b", "abc"], ["", "ac"]),
        ({"format": "date"}, ["2024-02-29"], ["2023-02-29", "x"]),
        ({"format": "date", "pattern": "^2"}, ["2024-02-29"], ["1024-02-28"]),
        ({"format": "no format"}, ["", "x"], []),
        ({"enum": ["a", "bb", 1], "maxLength": 1}, ["a"], ["bb", "1"]),
        ({"minLength": 2, "maxLength": 1}, [], ["", "a", "ab"]),
    ],
)
def test_strings(keywords: dict[str, Any], inside: list[str], outside: list[str]) -> None:
    strings = node_of(keywords).strings
    assert all(text in strings for text in inside)
    assert not any(text in strings for text in outside)


def test_a_format_that_is_no_regular_language_is_noted() -> None:
    normal = normal_of({"format": "email"})
    node = normal.node(normal.root)
    assert {keyword for _, keyword in normal.noted} == {"format"}
    assert node.loose == {"string"}
    assert "a@example.org" in node.strings
    assert "x" not in node.strings


NULL = {"type": "null"}
TEXT = {"type": "string"}


def goals_of(normal: Normal, *parts: Any) -> list[Goal]:
    root = Subschema.root({})
    return [normal.child(root, part) for part in parts]


def test_arrays() -> None:
    one, other, hit = NULL.copy(), TEXT.copy(), TEXT.copy()
    normal = normal_of({"prefixItems": [one, True], "items": other, "minItems": 1, "maxItems": 4, "contains": hit})
    null, text, counted = goals_of(normal, one, other, hit)
    shape = Array((null, ANY), text, 1, 4, ((counted, 1, None),))
    assert normal.node(normal.root).arrays == (shape,)


@pytest.mark.parametrize(
    ("keywords", "dialect", "shape"),
    [
        ({"items": [True, False]}, DRAFT2019, Array((ANY,), NEVER, 0, 1)),
        ({"items": [True], "additionalItems": False}, DRAFT2019, Array((ANY,), NEVER, 0, 1)),
        ({"items": False, "additionalItems": True}, DRAFT2019, Array((), NEVER, 0, 0)),
        ({"additionalItems": False}, DRAFT2019, Array()),
        ({"items": [True], "additionalItems": False}, DRAFT2020, None),
        ({"prefixItems": [True], "items": False}, DRAFT2020, Array((ANY,), NEVER, 0, 1)),
        ({"prefixItems": [False]}, DRAFT2019, Array()),
        ({"uniqueItems": True}, DRAFT4, Array(unique=True)),
        ({"uniqueItems": False}, DRAFT4, Array()),
        ({"contains": True}, DRAFT4, Array()),
        ({"contains": True, "minContains": 3}, DRAFT6, Array(contains=((ANY, 1, None),))),
        ({"contains": True, "minContains": 0}, DRAFT2020, Array()),
        ({"contains": True, "minContains": 0, "maxContains": 2.0}, DRAFT2020, Array(contains=((ANY, 0, 2),))),
        ({"minContains": 2, "maxContains": 1}, DRAFT2020, Array()),
        ({"minItems": 1e40, "maxItems": 1e41}, DRAFT2020, Array((), ANY, 2**31 - 1, 2**31 - 1)),
    ],
)
def test_arrays_by_dialect(keywords: dict[str, Any], dialect: str, shape: Array | None) -> None:
    if shape is not None:
        assert node_of(keywords, dialect).arrays == (shape,)


def test_arrays_that_cannot_be() -> None:
    assert node_of({"minItems": 2, "maxItems": 1}).arrays == ()
    assert node_of({"contains": {}, "maxItems": 0}).arrays == ()


def test_objects() -> None:
    one, other, rest = NULL.copy(), TEXT.copy(), NULL.copy()
    normal = normal_of(
        {
            "properties": {"a": one, "xb": other},
            "patternProperties": {"^x": True, "y$": other},
            "additionalProperties": rest,
            "required": ["b", "xy", "a"],
            "minProperties": 4,
            "dependentRequired": {"q": ["a", "q"]},
        }
    )
    null, text, others = goals_of(normal, one, other, rest)
    (shape,) = normal.node(normal.root).objects
    assert shape.named == {"a": null, "xb": text, "b": others, "xy": text, "q": others}
    assert shape.required == {"a", "b", "xy"}
    assert (shape.least, shape.most) == (4, None)
    assert shape.needs == frozenset()  # what it needs is required
    wanted = {"x": ANY, "zy": text, "x-y": text, "z": others, "a": null}
    assert {name: shape.member(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("keywords", "shape"),
    [
        ({"required": ["a"]}, Object({"a": ANY}, OPEN.classes, frozenset("a"))),
        ({"additionalProperties": False}, Object({}, ())),
        ({"properties": {"a": False}}, Object({"a": NEVER}, OPEN.classes)),
        ({"propertyNames": False}, Object({}, ())),
        ({"propertyNames": {"type": "integer"}}, Object({}, ())),
        ({"propertyNames": {"enum": ["a", 1]}}, Object({}, ((Language.of("a"), ANY),))),
        ({"propertyNames": {"enum": ["a"]}, "properties": {"a": {}, "b": {}}}, Object({"a": ANY, "b": NEVER}, ())),
        ({"minProperties": 1, "required": ["a"]}, Object({"a": ANY}, OPEN.classes, frozenset("a"))),
        ({"maxProperties": 2, "properties": {"a": {}}, "additionalProperties": False}, Object({"a": ANY}, ())),
        (
            {"dependentRequired": {"a": ["b"]}},
            Object({"a": ANY, "b": ANY}, OPEN.classes, needs=frozenset([("a", "b")])),
        ),
        (
            {"dependentRequired": {"a": ["b"], "c": ["a"]}, "required": ["c"]},
            Object(dict.fromkeys("cab", ANY), OPEN.classes, frozenset("abc")),
        ),
        (
            {"dependentRequired": {"a": ["b"], "c": ["a"]}, "properties": {"b": False}},
            Object(dict.fromkeys("bac", NEVER), OPEN.classes, needs=frozenset([("a", "b"), ("c", "a")])),
        ),
    ],
)
def test_objects_in_normal_form(keywords: dict[str, Any], shape: Object) -> None:
    (found,) = node_of(keywords).objects
    assert found.key() == shape.key()


def test_dependencies_are_of_their_drafts() -> None:
    old, new = {"dependencies": {"a": ["b"], "c": "a"}}, {"dependentRequired": {"a": ["b"]}}
    for dialect in DIALECTS[:3]:
        assert node_of(old, dialect).objects[0].needs == {("a", "b"), ("c", "a")}
        assert node_of(new, dialect).objects == (OPEN,)
    for dialect in DIALECTS[3:]:
        assert node_of(old, dialect).objects == (OPEN,)
        assert node_of(new, dialect).objects[0].needs == {("a", "b")}


def test_too_many_patterns_leave_the_others_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed, "_MOST_PATTERNS", 1)
    normal = normal_of({"patternProperties": {"^a": NULL, "b$": TEXT}, "additionalProperties": False})
    node = normal.node(normal.root)
    assert node.loose == {"object"}
    assert {keyword for _, keyword in normal.noted} == {"patternProperties", "additionalProperties"}
    (shape,) = node.objects
    assert shape.member("z") is ANY
    assert shape.member("a") != ANY


NAMES = ["", "a", "b", "ab", "ba", "c", "abc"]
LANGUAGES = st.sampled_from(
    [Language.pattern("^a"), Language.pattern("b$"), Language.of(["a", "c"]), ~Language.of("b")]
)
GOALS = st.sampled_from([ANY, NEVER, frozenset([Fact(1, True)]), frozenset([Fact(2, False)])])


@given(st.lists(st.tuples(LANGUAGES, GOALS), max_size=8), GOALS)
def test_cells_are_disjoint_and_hold_all_names(patterns: list[tuple[Language, Goal]], rest: Goal) -> None:
    found = cells(patterns, rest)
    assert all(goal is not NEVER for _, goal in found)
    for name in NAMES:
        goals = [goal for names, goal in patterns if name in names]
        wanted = ANY if goals else rest
        for goal in goals:
            wanted = both(wanted, goal)
        held = [goal for names, goal in found if name in names]
        if len(patterns) <= typed._MOST_PATTERNS:
            assert held == ([] if wanted is NEVER else [wanted])
        else:
            assert wanted is NEVER or (len(held) == 1 and held[0] <= wanted)


def test_listed_values() -> None:
    node = node_of({"enum": [None, True, 1, 1.0, 2.5, "x", "", [], [1], {}, {"a": [1]}]})
    assert node.null
    assert node.booleans == {True}
    assert node.numbers == (Numbers(1, 1), Numbers(2.5, 2.5))
    assert node.strings.values == {"x", ""}
    assert [shape.least for shape in node.arrays] == [0, 1]
    assert [shape.required for shape in node.objects] == [frozenset(), frozenset("a")]
    assert node_of({"enum": [0, "0"]}).booleans == frozenset()
    assert node_of({"enum": []}) == NOTHING


@pytest.mark.parametrize("dialect", DIALECTS)
def test_constants_inside_constants_mean_the_same_in_all_dialects(dialect: str) -> None:
    normal = normal_of({"enum": [{"a": 1}, [True]]}, dialect)
    node = normal.node(normal.root)
    assert normal.node(node.objects[0].named["a"]) == Node(numbers=(Numbers(1, 1),))
    assert normal.node(node.arrays[0].item(0)) == Node(booleans=frozenset([True]))


def test_a_keyword_says_nothing_of_other_types() -> None:
    for keywords in ({"minimum": 1}, {"minLength": 1}, {"minItems": 1}, {"minProperties": 1}):
        node = node_of(keywords)
        assert node.kinds == EVERYTHING.kinds
        assert node != EVERYTHING
