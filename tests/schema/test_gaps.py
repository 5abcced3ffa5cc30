"""Schemas with gaps: wider than what they are made from, and never narrower."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import AfterValidator, BaseModel, Field

from harmony_gen import Schema, SchemaError, ValidationError
from harmony_gen.schema.gaps import widened, with_gaps

NULL = {"type": "null"}


@pytest.mark.parametrize(
    ("property_", "wide"),
    [
        ({"type": "string", "minLength": 2}, {"type": ["string", "null"], "minLength": 2}),
        ({"type": ["integer", "null"]}, {"type": ["integer", "null"]}),
        ({"enum": ["a", "b"]}, {"enum": ["a", "b", None]}),
        ({"type": "string", "enum": ["a", "b"]}, {"type": ["string", "null"], "enum": ["a", "b", None]}),
        ({"const": "a"}, {"const": "a"}),
        ({"enum": ["a"]}, {"enum": ["a"]}),
        ({"anyOf": [{"type": "string"}, NULL]}, {"anyOf": [{"type": "string"}, NULL]}),
        ({"oneOf": [{"type": "string"}], "title": "T"}, {"anyOf": [{"type": "string"}, NULL], "title": "T"}),
        ({"$ref": "#/$defs/x", "description": "D"}, {"anyOf": [{"$ref": "#/$defs/x"}, NULL], "description": "D"}),
        ({"allOf": [{"minLength": 1}]}, {"anyOf": [{"allOf": [{"minLength": 1}]}, NULL]}),
        (
            {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "number"}}}},
            {"type": ["array", "null"], "items": {"type": "object", "properties": {"b": {"type": ["number", "null"]}}}},
        ),
        (True, True),
    ],
)
def test_properties_may_be_null(property_: Any, wide: Any) -> None:
    defs = {"x": {"type": "integer"}}
    schema = {"type": "object", "properties": {"a": property_}, "required": ["a"], "$defs": defs}
    found = widened(schema, "null")
    assert found == {"type": "object", "properties": {"a": wide}, "required": ["a"], "$defs": defs}
    if property_ is not True and "const" not in property_ and property_ != {"enum": ["a"]}:
        assert Draft202012Validator(found).is_valid({"a": None})


def test_properties_may_be_left_out_but_for_constants() -> None:
    inner = {"type": "object", "properties": {"b": {}, "k": {"const": 0}}, "required": ["b", "k"]}
    schema = {
        "properties": {"a": {"type": "array", "items": inner}, "kind": {"const": 1}},
        "required": ["a", "kind", "z"],
        "not": {"required": ["q"]},
    }
    assert widened(schema, "omit") == {
        "properties": {"a": {"type": "array", "items": {**inner, "required": ["k"]}}, "kind": {"const": 1}},
        "required": ["kind"],
        "not": {"required": ["q"]},
    }


def test_of_alternatives_more_than_one_may_hold() -> None:
    branches = [{"properties": {"a": {"type": kind}}, "required": ["a"]} for kind in ("string", "integer")]
    for schema in ({"oneOf": branches}, {"oneOf": branches, "anyOf": [True]}, {"oneOf": branches, "allOf": [True]}):
        assert not Draft202012Validator(schema).is_valid({"a": None})
        assert Draft202012Validator(widened(schema, "null")).is_valid({"a": None})


@pytest.mark.parametrize("keyword", ["not", "if", "contains"])
def test_references_in_conditions_are_refused(keyword: str) -> None:
    schema = {"$defs": {"x": {"properties": {"a": {"type": "string"}}}}, keyword: {"$ref": "#/$defs/x"}}
    with pytest.raises(SchemaError, match="abstain") as caught:
        widened(schema, "null")
    assert (caught.value.pointer, caught.value.keyword) == (f"/{keyword}/$ref", "$ref")
    assert widened({keyword: {"enum": [{"$ref": "x"}]}}, "null") == {keyword: {"enum": [{"$ref": "x"}]}}


def even(number: int) -> int:
    if number % 2:
        message = "it is odd"
        raise ValueError(message)
    return number


class Line(BaseModel):
    count: Annotated[int, AfterValidator(even)]
    unit: str = Field(pattern="^[a-z]+$")


class Order(BaseModel):
    kind: Literal["order"]
    lines: list[Line]
    note: str


def test_validators_do_not_mind_what_is_missing() -> None:
    null, omit = with_gaps(Schema.of(Order), "null"), with_gaps(Schema.of(Order), "omit")
    text = '{"kind":"order","lines":[{"count":null,"unit":"kg"},{"count":2,"unit":null}],"note":null}'
    assert null.validate(text) == json.loads(text)
    assert omit.validate('{"kind":"order","lines":[{"unit":"kg"}]}') == {"kind": "order", "lines": [{"unit": "kg"}]}
    for schema, wrong in (
        (null, text.replace("2", "3")),
        (null, text.replace('"order"', "null")),
        (null, '{"kind":"order"}'),
        (omit, '{"kind":"order","note":null}'),
        (omit, '{"kind":"order","lines":[{"count":1}]}'),
    ):
        with pytest.raises(ValidationError):
            schema.validate(wrong)
    assert null.kind is None
    assert Schema.of(Order).kind is Order


def test_gaps_need_json() -> None:
    with pytest.raises(SchemaError, match="answers in JSON"):
        with_gaps(Schema.from_regex("a"), "null")
