"""What is suggested at a place: completions that hold together, pieces, and what is known of open containers."""

from __future__ import annotations

import json

import pytest

from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.normal import Normal
from harmony_gen.schema.scanner import Scan
from harmony_gen.schema.search.frames import children
from harmony_gen.schema.search.guide import Guide, is_whole


def guide_of(schema, *, any_order: bool = False) -> Guide:
    judge = JsonSchemaJudge(schema)
    return Guide(Normal(judge.root), judge.accepts_part, any_order=any_order)


def whole(schema, prefix: bytes, *, any_order: bool = False) -> list[bytes]:
    guide, scan = guide_of(schema, any_order=any_order), Scan().feed(prefix)[0]
    guide.start(scan, prefix)
    return list(guide.whole(scan, prefix))


KINDS = {
    "oneOf": [
        {"properties": {"data": {"properties": {"x": {"type": "integer"}}}, "kind": {"const": "x"}}},
        {"properties": {"data": {"properties": {"y": {"type": "string"}}}, "kind": {"const": "y"}}},
    ]
}
for part in KINDS["oneOf"]:
    part |= {"type": "object", "required": ["data", "kind"]}
    part["properties"]["data"] |= {"type": "object", "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "prefix", "first"),
    [
        ({"type": "integer"}, b"", b"0"),
        ({"type": "integer"}, b"12", b""),
        ({"type": "integer", "minimum": 1000}, b"12", b""),
        ({"type": "boolean"}, b"f", b"alse"),
        ({"type": "null"}, b"null", b""),
        ({"type": "array", "items": {"type": "integer"}}, b"[1", b"]"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, b"[1", b",0,0]"),
        ({"type": "object", "required": ["abc"]}, b'{"a', b'bc":0}'),
        ({"type": "object", "properties": {"abc": {"const": "d"}}}, b'{"a', b'bc":"d"}'),
        ({"type": "object", "propertyNames": {"pattern": "^ab"}}, b'{"', b'ab":0}'),
        ({"type": "object", "additionalProperties": {"type": "null"}}, b'{"x":null,', b'"a":null}'),
        (KINDS, b'{"data":{"x"', b':0},"kind":"x"}'),
        (KINDS, b'{"data":{"y"', b':""},"kind":"y"}'),
        (KINDS, b'{"data":{"y":"', b'"},"kind":"y"}'),
        (KINDS, b'{"data":{"y":""}', b',"kind":"y"}'),
        ({"type": "array", "contains": {"const": [5]}}, b"[[", b"5]]"),
        ({"type": "array", "contains": {"const": [5]}}, b"[1", b",[5]]"),
    ],
)
def test_the_first_suggestion(schema, prefix, first):
    assert whole(schema, prefix)[0] == first
    json.loads(prefix + first)


def test_what_came_before_decides_among_many_shapes():
    union = {
        "anyOf": [
            {"type": "object", "properties": {"kind": {"const": i}}, "required": ["kind", f"n{i}"]} for i in range(150)
        ]
    }
    assert whole(union, b'{"kind":149')[0] == b',"n149":0}'
    assert whole(union, b'{"kind":149,"n')[0] == b'149":0}'
    assert whole(union, b'{"n149":0', any_order=True)[0] == b',"kind":149}'


def test_contradicting_members_leave_all_shapes():
    assert whole(KINDS, b'{"data":{"y":1}') != []


def test_values_too_long_to_look_at_contradict_nothing():
    schema = {"anyOf": [{"type": "object", "properties": {"a": {"const": c}}, "required": ["a", c]} for c in "xy"]}
    text = b'{"a":"' + b"y" * 300 + b'"'
    assert b',"x":0}' in whole(schema, text)


def test_no_suggestion_inside_a_character_or_an_escape():
    assert whole({"type": "string"}, b'"\\') == []
    assert not is_whole(b'"\\')
    assert not is_whole(b'"\\u00')
    assert not is_whole("é".encode()[:1].join([b'"', b""]))
    assert is_whole(b'"\\u00e9')
    assert is_whole(b"12")


def test_what_an_item_may_be_where_contains_asks_for_more():
    schema = {"type": "array", "items": {"type": "integer"}, "contains": {"minimum": 5}}
    normal = Normal(JsonSchemaJudge(schema).root)
    (shape,) = normal.node(normal.root).arrays
    (item, none), (joint, asked) = children(shape, 0)
    assert (item, none) == (shape.rest, None)
    assert joint == shape.rest | asked


def pieces(schema, prefix: bytes, **options) -> tuple[list[bytes], list[bytes]]:
    guide, scan = guide_of(schema, **options), Scan().feed(prefix)[0]
    guide.start(scan, prefix)
    likely, possible = guide.likely(scan, prefix), guide.possible(scan, prefix)
    return [piece for piece, _ in likely], [piece for piece, _ in possible]


def test_pieces_between_tokens():
    schema = {"type": "object", "properties": {"a": {"enum": [1, 22]}, "b": {}}, "required": ["a"]}
    likely, possible = pieces(schema, b"{")
    assert likely[:3] == [b'"a":1}', b"}", b'"a":']
    assert {b'"b":', b'"'} <= {*possible}
    likely, possible = pieces(schema, b'{"a"')
    assert {b":1}", b":1", b":22"} <= {*likely}
    assert b":{" in possible
    likely, possible = pieces(schema, b'{"a":1')
    assert b"}" in likely
    assert b"00" in possible
    likely, _ = pieces({"type": "array", "items": {"type": "string"}}, b'["x"')
    assert b"]" in likely


def test_pieces_inside_tokens():
    likely, possible = pieces({"type": "string", "default": "abc"}, b'"a')
    assert b'"' in likely
    assert b'bc"' in possible
    likely, possible = pieces({"type": "object", "properties": {"abc": {}}}, b'{"a')
    assert likely == [b'bc":']
    assert b'":' in possible
    assert pieces({"type": "integer"}, b"1")[1][0] == b"00"
    assert pieces({"type": "null"}, b"null") == ([], [])


def test_estimates_are_near_the_length_of_a_completion():
    schema = {"type": "object", "properties": {"abc": {"type": "array", "minItems": 2}}, "required": ["abc"]}
    guide = guide_of(schema)
    for prefix in (b"", b"{", b'{"a', b'{"abc"', b'{"abc":[', b'{"abc":["x', b'{"abc":[tr'):
        scan = Scan().feed(prefix)[0]
        guide.start(scan, prefix)
        rests = list(guide.whole(scan, prefix))
        assert abs(guide.estimate(scan, prefix) - len(rests[0])) <= 6
    prefix, scan = b'{"abc":{"x"', Scan().feed(b'{"abc":{"x"')[0]
    guide.start(scan, prefix)
    assert guide.estimate(scan, prefix) >= 200, "nothing is known to close it"
