"""What objects and arrays still need: names in order, counts, dependencies; items by length, kind and difference."""

from __future__ import annotations

from itertools import islice

import pytest

from harmony_gen.schema.normal import Normal
from harmony_gen.schema.search.containers import DEPTH, Items, value_of
from harmony_gen.schema.search.texts import Texts
from harmony_gen.schema.subschema import Subschema


def texts_of(schema, *, any_order: bool = False) -> Texts:
    return Texts(Normal(Subschema.root(schema)), any_order=any_order)


def shape_of(texts: Texts):
    node = texts.normal.node(texts.normal.root)
    (shape,) = (*node.objects, *node.arrays)
    return shape


def missing(schema, seen, *, any_order: bool = False, least: int = 0) -> list[str] | None:
    texts = texts_of({"type": "object"} | schema, any_order=any_order)
    return texts.names.missing(shape_of(texts), seen, DEPTH, least)


ABC = {"properties": {"a": {}, "b": {}, "c": {}}, "required": ["c"]}


@pytest.mark.parametrize(
    ("schema", "seen", "in_order", "in_any_order"),
    [
        ({}, (), [], []),
        (ABC, (), ["c"], ["c"]),
        (ABC, ("b",), ["c"], ["c"]),
        (ABC, ("c",), [], []),
        (ABC, ("other",), None, ["c"]),
        (ABC | {"required": ["a"]}, ("b",), None, ["a"]),
        (ABC | {"required": ["c", "a"]}, (), ["a", "c"], ["a", "c"]),
        (ABC | {"required": ["z", "c"]}, (), ["c", "z"], ["c", "z"]),
        (ABC | {"minProperties": 2}, ("c",), ["d"], ["a"]),
        (ABC | {"minProperties": 3}, (), ["a", "b", "c"], ["c", "a", "b"]),
        (ABC | {"minProperties": 3, "additionalProperties": False}, ("b",), None, ["c", "a"]),
        (ABC | {"maxProperties": 1}, ("c",), [], []),
        (ABC | {"maxProperties": 1}, ("a",), None, None),
        ({"maxProperties": 1}, ("a", "b"), None, None),
        ({"dependentRequired": {"a": ["b"], "b": ["c"]}}, ("a",), ["b", "c"], ["b", "c"]),
        ({"dependentRequired": {"a": ["b"], "b": ["c"]}, "maxProperties": 2}, ("a",), None, None),
        ({"dependentRequired": {"b": ["a"]}, "properties": {"a": {}, "b": {}}}, ("b",), None, ["a"]),
        (
            {"minProperties": 2, "dependentRequired": {"a": ["b"], "b": ["a"]}, "propertyNames": {"enum": ["a", "b"]}},
            (),
            ["a", "b"],
            ["a", "b"],
        ),
        ({"minProperties": 1, "propertyNames": {"maxLength": 0}}, (), [""], [""]),
        ({"minProperties": 2, "propertyNames": {"maxLength": 0}}, (), None, None),
        ({"minProperties": 1, "additionalProperties": {"not": {}}}, (), None, None),
    ],
)
def test_missing_members(schema, seen, in_order, in_any_order):
    assert missing(schema, seen) == in_order
    assert missing(schema, seen, any_order=True) == in_any_order


def test_one_more_member_than_there_need_be():
    assert missing(ABC, ("c",), least=2) == ["d"]
    assert missing(ABC, ("a",), least=1) == ["c"]
    assert missing(ABC | {"additionalProperties": False}, ("c",), least=2) is None


def test_listed_and_free_names():
    schema = {
        "type": "object",
        "properties": {"ab": {}, "ac": {}, "no": False},
        "patternProperties": {"^x[0-9]$": {}},
        "additionalProperties": {"type": "null"},
    }
    texts = texts_of(schema)
    shape, names = shape_of(texts), texts.names
    assert names.listed(shape, (), "a") == ["ab", "ac"]
    assert names.listed(shape, ("ab",)) == ["ac"]
    assert names.listed(shape, ("ac",)) == []
    assert names.listed(shape, ("x1",)) == []
    free = list(islice(names.free(shape, ("x0",)), 8))
    assert not {"ab", "ac", "x0"} & {*free}
    assert any(name.startswith("x") for name in free), "each kind of names has its turn"
    assert next(names.free(shape, (), "x")) in {"x", "x0", "x1"}
    assert list(names.free(shape, (), "x1")) != []


def test_how_objects_may_begin():
    texts = texts_of({"type": "object"} | ABC | {"additionalProperties": False})
    shape = shape_of(texts)
    assert texts.names.may_begin(shape, ("a", "b"))
    assert not texts.names.may_begin(shape, ("b", "a"))
    assert not texts.names.may_begin(shape, ("d",))
    free = texts_of({"type": "object"} | ABC, any_order=True)
    assert free.names.may_begin(shape_of(free), ("z", "b", "a"))


def items(schema, taken, hits=(), depth=DEPTH) -> list[str] | None:
    texts = texts_of({"type": "array"} | schema)
    return Items(texts, shape_of(texts), taken, hits).missing(depth)


@pytest.mark.parametrize(
    ("schema", "taken", "wanted"),
    [
        ({}, (), []),
        ({"minItems": 2}, ("1",), ["0"]),
        ({"prefixItems": [{}, {"const": "x"}], "items": {"const": "y"}, "minItems": 3}, ("1",), ['"x"', '"y"']),
        ({"minItems": 3, "uniqueItems": True}, ("0", "1"), ["null"]),
        ({"minItems": 2, "uniqueItems": True, "items": {"type": "integer"}}, ("0.0",), ["1"]),
        ({"minItems": 2, "uniqueItems": True, "items": {"enum": [1, True]}}, ("1",), ["true"]),
        ({"minItems": 2, "uniqueItems": True, "items": {"const": {"a": 1, "b": 2}}}, ('{"b":2,"a":1}',), None),
        ({"contains": {"const": 5}, "minContains": 2}, ("5",), ["5"]),
        ({"contains": {"const": 5}, "minContains": 0}, (), []),
        ({"contains": {"const": 5}, "maxItems": 1}, ("6",), None),
        ({"contains": {"const": 5}, "items": {"const": 6}}, (), None),
        ({"contains": {"const": 5}, "prefixItems": [{"const": 6}, {"const": 7}]}, (), ["6", "7", "5"]),
        ({"contains": {"minimum": 3}, "maxContains": 1, "minItems": 2, "items": {"type": "integer"}}, ("3",), ["0"]),
        ({"minItems": 1_001}, (), None),
    ],
)
def test_missing_items(schema, taken, wanted):
    assert items(schema, taken) == wanted


def test_an_item_that_is_open_counts_by_what_it_is_meant_to_be():
    schema = {"type": "array", "contains": {"const": 5}, "minItems": 2}
    texts = texts_of(schema)
    (goal, _, _), *_ = shape_of(texts).contains
    assert items(schema, (), (None,)) == ["5"]
    assert items(schema, (), (goal,)) == ["0"]


def test_items_are_nested_no_deeper_than_asked():
    schema = {"minItems": 1, "items": {"type": "array", "minItems": 1, "items": {"const": 1}}}
    assert items(schema, (), depth=-1) is None
    assert items(schema, (), depth=0) is None
    assert items(schema, (), depth=1) == ["[1]"]


def test_equal_values_share_a_text():
    assert value_of("1.0") == value_of("1") != value_of("true")
    assert value_of('{"b":[1.0],"a":2}') == value_of('{"a":2,"b":[1]}')
