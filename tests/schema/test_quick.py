"""The fast second validator, and when there is none."""

import pytest

from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.quick import quick_validator
from harmony_gen.schema.subschema import Subschema


def quick(schema):
    return quick_validator(Subschema.root(schema))


def test_it_judges_values_without_their_formats():
    validator = quick({"properties": {"a": {"type": "string", "format": "date"}}, "required": ["a"]})
    assert validator.is_valid({"a": "no date"})
    assert not validator.is_valid({})


def test_it_knows_the_dialect():
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "null"}]}
    assert not quick(schema).is_valid([1])


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"properties": {"next": {"$ref": "#"}}},
        {"pattern": "(?=a)b"},
        {"$ref": "https://example.org/elsewhere"},
    ],
)
def test_there_is_none_for_what_it_cannot_judge_in_time(schema):
    assert quick(schema) is None


def test_references_are_counted_as_often_as_they_are_followed():
    def chain(length):
        link = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(length)}
        return {"$ref": "#/$defs/d0", "$defs": link | {f"d{length}": {"type": "integer"}}}

    assert quick(chain(10)) is not None
    assert quick(chain(20)) is None


@pytest.mark.parametrize(("text", "valid"), [(b'{"a":1}', True), (b'{"a":"x"}', False), (b'{"a":1,"a":1}', False)])
@pytest.mark.parametrize("rest", [{}, {"properties": {"a": {"type": "integer"}, "b": {"$ref": "#"}}}])
def test_the_judge_decides_where_it_does_not_agree(text, valid, rest):
    judge = JsonSchemaJudge({"properties": {"a": {"type": "integer"}}} | rest)
    assert judge.accepts_derived(text) is judge.accepts(text) is valid
