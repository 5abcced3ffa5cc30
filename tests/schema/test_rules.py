from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen import Rejection, Schema, SchemaError, ValidationError, rule
from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.rules import Readable, Rule, RulesJudge, SchemaParts, UniqueItems, UniqueKeys, members
from harmony_gen.schema.scanner import Scan
from harmony_gen.schema.subschema import Subschema

ATOMS = st.sampled_from([0, 1, 1.0, -0.0, 2**53 + 1, float(2**53), True, False, None, "", "1", "a"])
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


def first_rejection(rule_: Rule, text: str | bytes, sizes: tuple[int, ...] = (1,)) -> tuple[int, Rejection] | None:
    """Writes a text piece by piece; the bytes written and the rejection, or None."""
    data = text.encode() if isinstance(text, str) else text
    scan, written, turn = Scan(), 0, 0
    while written < len(data):
        size = sizes[turn % len(sizes)]
        turn += 1
        scan, closed = scan.feed(data[written : written + size])
        written = min(len(data), written + size)
        rejection = rule_.rejects(data[:written], scan, closed)
        if rejection is not None:
            return written, rejection
    rejection = rule_.rejects(data, *scan.end())
    return None if rejection is None else (written, rejection)


SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple)


@given(st.lists(VALUES, max_size=5), SIZES)
def test_unique_items_agrees_with_jsonschema(items: list[Any], sizes: tuple[int, ...]) -> None:
    schema = {"uniqueItems": True}
    text = json.dumps(items)
    expected = jsonschema.Draft202012Validator(schema).is_valid(items)
    found = first_rejection(UniqueItems(Subschema.root(schema)), text, sizes)
    assert (found is None) is expected
    if found is not None:
        _, rejection = found
        repeated = json.loads(rejection.text)
        assert text.encode()[rejection.start :].startswith(rejection.text.encode())
        before = json.loads(text[: rejection.start].rstrip(", ") + "]")
        assert not jsonschema.Draft202012Validator(schema).is_valid([*before, repeated])


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ("[1,1.0]", False),
        ("[1,true]", True),
        ("[0,false]", True),
        ("[[1],[true]]", True),
        ('[{"a":1,"b":2},{"b":2,"a":1.0}]', False),
        ('[{"a":1},{"a":true}]', True),
        ('["a","\\u0061"]', False),
        ("[[],{}]", True),
        ("[1e2,100]", False),
        ("[null,null]", False),
    ],
)
def test_equality_is_that_of_json(items: str, unique: bool) -> None:
    found = first_rejection(UniqueItems(Subschema.root({"uniqueItems": True})), items)
    assert (found is None) is unique


def test_unique_items_is_decided_as_the_item_closes_and_only_where_it_applies() -> None:
    schema = {"properties": {"a": {"uniqueItems": True}, "b": {"uniqueItems": False}}}
    unique = UniqueItems(Subschema.root(schema))
    assert first_rejection(unique, '{"b":[1,1]}') is None
    assert first_rejection(unique, "[1,1]") is None
    found = first_rejection(unique, '{"a":["x","x","y"]}')
    assert found == (13, Rejection("/a/1", '"x"', "this item is in the array already", 10))


@st.composite
def objects_with_repeats(draw: st.DrawFn) -> str:
    """A JSON text whose objects may hold a key twice."""

    def write(depth: int) -> str:
        if depth == 0 or draw(st.booleans()):
            return draw(st.sampled_from(["1", '"a"', "null"]))
        if draw(st.booleans()):
            return "[" + ",".join(write(depth - 1) for _ in range(draw(st.integers(0, 2)))) + "]"
        keys = draw(st.lists(st.sampled_from(['"a"', '"b"', '"\\u0061"', '"c"']), max_size=4))
        return "{" + ",".join(f"{key}:{write(depth - 1)}" for key in keys) + "}"

    return write(3)


@given(objects_with_repeats(), SIZES)
def test_unique_keys_agrees_with_the_judge(text: str, sizes: tuple[int, ...]) -> None:
    expected = JsonSchemaJudge(True).accepts(text.encode())
    found = first_rejection(UniqueKeys(), text, sizes)
    assert (found is None) is expected
    if found is not None:
        written, rejection = found
        twice = json.loads(rejection.text)
        assert json.loads(text[rejection.start : text.index(":", rejection.start)]) == twice
        parent: Any = json.loads(text, object_pairs_hook=OrderedDict)
        for step in rejection.pointer.split("/")[1:-1]:
            parent = parent[int(step) if isinstance(parent, list) else step]
        assert twice in parent
        assert written <= len(text)


@given(objects_with_repeats())
def test_a_repeated_key_is_refused_before_its_colon(text: str) -> None:
    found = first_rejection(UniqueKeys(), text)
    if found is not None:
        written, rejection = found
        assert written == text.index(":", rejection.start)


def test_a_repeated_key_is_seen_even_if_its_value_opens_in_the_same_token() -> None:
    data = b'{"x":{"a":1,"a":{"'
    scan, closed = Scan().feed(data)
    rejection = UniqueKeys().rejects(data, scan, closed)
    assert rejection == Rejection("/x/a", '"a"', "this key is in the object already", 12)


def test_numbers_and_depths_that_cannot_be_read_are_refused() -> None:
    for number in ("1" * 308, "-" + "9" * 308, "1e308", "1E-400", "1" * 400 + "e-300", "0." + "1" * 5000, "0e999"):
        assert first_rejection(Readable(), f"[{number}]", (100,)) is None
    for number in ("1" * 310, "-" + "9" * 309, "1e309", "-1E+400", "1" * 400 + "e-30", "1" * 5000):
        rejected = first_rejection(Readable(), f"[{number}]", (100,))
        assert rejected is not None
        assert rejected[1].text == number
    assert first_rejection(Readable(), '["' + "1" * 5000 + '"]', (100,)) is None
    found = first_rejection(Readable(), "[" + "1" * 5000 + "]", (100,))
    assert found is not None
    assert found[1].pointer == "/0"
    assert first_rejection(Readable(), "[" * 200 + "]" * 200, (50,)) is None
    found = first_rejection(Readable(), "[" * 300 + "]" * 300, (50,))
    assert found is not None
    assert "levels deep" in found[1].reason


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,320})(\.[0-9]{1,5})?([eE][-+]?[0-9]{1,3})?", fullmatch=True))
def test_numbers_are_refused_exactly_if_the_judges_cannot_read_them(number: str) -> None:
    readable = JsonSchemaJudge(True).accepts(number.encode())
    assert (first_rejection(Readable(), f"[{number}]") is None) is readable


@given(st.sampled_from(["1" * 5000, "[" * 300 + "]" * 300, "[" * 990 + "]" * 990]))
def test_no_rule_of_a_schema_fails_on_what_cannot_be_read(value: str) -> None:
    schema = Schema.of({"uniqueItems": True, "items": {"$ref": "#"}})
    data = f"[{value},{value}]".encode()
    scan, closed = Scan().feed(data)
    found = (rule_.rejects(data, scan, closed) for rule_ in schema.rules)
    assert next((rejection for rejection in found if rejection is not None), None) is not None


PARTS = {
    "properties": {
        "a": {"$ref": "#/$defs/even"},
        "b": {"allOf": [{"format": "date"}]},
        "c": True,
        "d": False,
    },
    "additionalProperties": {"contains": {"const": 1}},
    "propertyNames": {"maxLength": 3},
    "$defs": {"even": {"not": {"const": 1}}},
}


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c", "d", "x", "long"]),
        st.sampled_from([0, 1, "2024-02-29", "2023-02-29", [], [1], [0]]),
        max_size=3,
    )
)
def test_the_parts_reject_a_document_exactly_if_the_judge_does(value: dict[str, Any]) -> None:
    judge = JsonSchemaJudge(PARTS)
    rule_ = SchemaParts(Subschema.root(PARTS), judge)
    text = json.dumps(value)
    assert (first_rejection(rule_, text) is None) is judge.accepts(text.encode())


def test_a_part_is_refused_where_it_closes() -> None:
    rule_ = SchemaParts(Subschema.root(PARTS), JsonSchemaJudge(PARTS))
    found = first_rejection(rule_, '{"b":"2023-02-29","c":1}')
    assert found == (17, Rejection("/b", '"2023-02-29"', "not valid under the schema of this place", 5))


def test_members_of_an_open_object() -> None:
    data = b'{"a":[1],"b":"x","c":'
    scan, _ = Scan().feed(data)
    assert members(data, scan.frames[0]) == {"a": b"[1]", "b": b'"x"'}


@pytest.mark.parametrize(
    ("place", "seen"),
    [
        ("", [{"a": [{"b": 1}, {"b": 2}], "": {"": 3}, "*": 4, "a.b": 5}]),
        ("/a", [[{"b": 1}, {"b": 2}]]),
        ("/a/*/b", [1, 2]),
        ("/a/1/b", [2]),
        ("/*/1", [{"b": 2}]),
        ("/*/*", [{"b": 1}, {"b": 2}, 3]),
        ("/", [{"": 3}]),
        ("//", [3]),
        ("//*", [3]),
        ("/a.b", [5]),
        ("/axb", []),
        ("/b", []),
    ],
)
def test_a_rule_sees_the_values_of_its_place(place: str, seen: list[Any]) -> None:
    values: list[Any] = []
    text = '{"a":[{"b":1},{"b":2}],"":{"":3},"*":4,"a.b":5}'
    assert first_rejection(rule(place, values.append), text) is None
    assert values == seen


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (lambda _: True, None),
        (lambda _: None, None),
        (lambda value: value > 1, "the rule refuses this value"),
        (lambda _: 0, "the rule refuses this value"),
        (lambda value: np.isclose(value, 2), "the rule refuses this value"),
        (lambda value: np.isclose(value, 1), None),
        (lambda _: {}["x"], "'x'"),
        (lambda value: value / 0, "division by zero"),
        (lambda _: next(iter(())), "StopIteration"),
        (lambda value: np.array([1, 2]) == value, "ambiguous"),
    ],
)
def test_a_condition_refuses_by_false_or_by_raising(condition: Any, reason: str | None) -> None:
    found = first_rejection(rule("/a", condition), '{"a":1}')
    if reason is None:
        assert found is None
    else:
        assert found is not None
        assert reason in found[1].reason
        assert found[1][:2] == ("/a", "1")


@pytest.mark.parametrize("place", ["total", "a/b", "/a~b", "/~", "$.a", "*"])
def test_a_place_that_is_no_pointer_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="JSON Pointer"):
        rule(place, bool)


@given(st.lists(st.integers(0, 9), max_size=4), SIZES)
def test_a_schema_with_rules_accepts_what_keeps_them(items: list[int], sizes: tuple[int, ...]) -> None:
    rules = [rule("/*", lambda item: item % 2 == 0), rule("", lambda whole: sum(whole) < 10)]
    schema = Schema.of({"type": "array", "items": {"type": "integer"}}).with_rules(rules)
    text = json.dumps(items, separators=(",", ":"))
    expected = all(item % 2 == 0 for item in items) and sum(items) < 10
    assert schema.accepts(text.encode()) is expected
    assert all(first_rejection(rule_, text, sizes) is None for rule_ in schema.rules) is expected
    if not expected:
        with pytest.raises(ValidationError, match="refuses"):
            schema.validate(text)
    else:
        assert schema.validate(text) == items


def test_rules_are_added_to_rules() -> None:
    schema = Schema.of({"type": "integer"}).with_rules([rule("", lambda n: n > 1)])
    both = schema.with_rules([rule("", lambda n: n < 5)])
    assert [number for number in range(8) if both.accepts(str(number).encode())] == [2, 3, 4]
    with pytest.raises(ValidationError, match="At the root"):
        both.validate("1")
    with pytest.raises(ValidationError, match="At the root"):
        both.validate("5")
    assert schema.accepts(b"7")
    assert schema.with_rules([]) is schema


def test_rules_need_json() -> None:
    with pytest.raises(SchemaError, match="plain text"):
        Schema.from_regex("a").with_rules([rule("", bool)])


def test_a_rules_judge_takes_text_and_bytes() -> None:
    judge = RulesJudge((rule("", lambda number: number == 1),), None, Scan())
    judge.check("1")
    judge.check(b"1")
    assert judge.accepts(b" 1 ")
    with pytest.raises(ValidationError):
        judge.check("2")
