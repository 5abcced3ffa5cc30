"""`accepts`: a text is reachable under a constraint if, and only if, it could have been decoded."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from harmony_gen import Generator, Sampling, Schema
from harmony_gen.decoding.matcher import Matcher
from harmony_gen.decoding.reachable import reachable, respelled

scalars = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=6)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@given(value=values)
def test_every_document_is_reachable_where_anything_may_be_written(tiny: Generator, value: Any) -> None:
    assert tiny.accepts(True, compact(value))


@given(value=values, other=values)
@settings(max_examples=30)
def test_a_constant_and_nothing_else(tiny: Generator, value: Any, other: Any) -> None:
    assert tiny.accepts({"const": value}, compact(value))
    assert tiny.accepts({"const": value}, compact(other)) == (compact(value) == compact(other))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "maxLength": 12},
        {"type": "array", "items": {"type": "integer"}, "maxItems": 3, "uniqueItems": True},
        {
            "type": "object",
            "properties": {"a": {"type": "number"}, "b": {"enum": ["x", None]}},
            "required": ["a"],
        },
    ],
)
def test_what_is_generated_is_reachable(tiny: Generator, schema: dict[str, Any]) -> None:
    for seed in range(4):
        result = tiny.generate("x", schema, max_new_tokens=40, sampling=Sampling(temperature=1.0, seed=seed))
        assert tiny.accepts(schema, result.text)
        assert not tiny.accepts(schema, result.text[:-1] + "~")
        assert not tiny.accepts(schema, result.text + "]")


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "integer"}, "1.5"),
        ({"type": "integer"}, ""),
        ({"type": "integer"}, "-"),
        ({"type": "integer"}, "12x"),
        ({"type": "string"}, '"open'),
        ({"type": "string"}, '"half a pair \ud800"'),
        ({"type": "array", "items": {"type": "integer"}, "uniqueItems": True}, "[1,1]"),
        ({"type": "object", "additionalProperties": False}, '{"a":1}'),
        ({"type": "object"}, '{"a":1,"a":2}'),
        ({"type": "array"}, "[1 2]"),
        ({"type": "string"}, '"half a pair \\ud800"'),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"}, "1.0"),
        ({"type": "string", "format": "date"}, '"2023-02-29"'),
    ],
)
def test_what_is_not_valid_is_not_reachable(tiny: Generator, schema: dict[str, Any], text: str) -> None:
    assert not tiny.accepts(schema, text)


@pytest.mark.parametrize(
    ("text", "compact"),
    [
        ('{ "b" : [ 1 ,\n2 ] ,\t"a" : null }', '{"b":[1,2],"a":null}'),
        (r'"\u00e9\/\ud83d\ude00\n\u000a\u001f\u007f"', '"é/😀\\n\\n\\u001f\x7f"'),
        ("[2.0, -0.0, 1e2, 1.50E+1, 1E20]", "[2,0,100,15,1" + "0" * 20 + "]"),
        ("1e-06", "0.000001"),
        ("-12.5e-1", "-1.25"),
        ("1e-300", "1e-300"),
        ("0.10", "0.1"),
        ("true", "true"),
    ],
)
def test_a_text_is_respelled_as_answers_are(text: str, compact: str) -> None:
    assert respelled(text) == compact
    assert respelled(compact) == compact


@given(value=st.recursive(scalars | st.floats(allow_nan=False, allow_infinity=False), st.lists, max_leaves=4))
def test_respelling_changes_no_value(value: Any) -> None:
    text = json.dumps(value)
    assert exact(respelled(text)) == exact(text)


def exact(text: str) -> Any:
    """A JSON value with its numbers as they are written, whatever a float makes of them."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "array", "items": {"type": "integer"}}, "[1,  2]"),
        ({"type": "integer"}, "3.0"),
        ({"type": "number"}, "1e-06"),
        ({"const": "é"}, r'"\u00e9"'),
        ({"type": "object", "properties": {"a": {}}}, ' {"a": null}\n'),
    ],
)
def test_other_spellings_of_a_value_are_accepted(tiny: Generator, schema: dict[str, Any], text: str) -> None:
    assert tiny.accepts(schema, text)


def test_a_number_that_means_another_in_the_spelling_of_answers_is_not_accepted(tiny: Generator) -> None:
    schema = {"const": 3.602879701896397e16}  # a float that is not what its shortest digits say
    assert tiny.accepts(schema, Schema.of(schema).witness())
    assert not tiny.accepts(schema, "36028797018963970")


def test_a_text_that_no_search_would_find_is_reachable_without_one(
    tiny: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = Schema.of({"type": "array", "items": {"type": "string"}, "uniqueItems": True})

    def never(*_: Any, **__: Any) -> None:
        pytest.fail("a finish was searched for")

    monkeypatch.setattr(type(schema.finisher), "finish", never)
    assert tiny.accepts(schema, compact([str(number) for number in range(40)]))


def test_long_texts_and_long_detours_are_no_matter_of_budget(tiny: Generator) -> None:
    assert tiny.accepts({"type": "string"}, compact("漢" * 500))
    assert tiny.accepts({"const": "漢" * 300}, compact("漢" * 300))
    long = {"anyOf": [{"const": "a"}, {"const": "b" * 400}]}
    assert tiny.accepts(long, '"a"')
    assert tiny.accepts(long, compact("b" * 400))


def test_validators_are_heard(tiny: Generator) -> None:
    class Even(BaseModel):
        n: int

        @field_validator("n")
        @classmethod
        def _even(cls, value: int) -> int:
            if value % 2:
                msg = "odd"
                raise ValueError(msg)
            return value

    assert tiny.accepts(Even, '{"n":1312}')
    assert not tiny.accepts(Even, '{"n":1313}')


def test_texts_of_a_regex(tiny: Generator) -> None:
    schema = Schema.from_regex("[ab]{2,3}")
    assert [tiny.accepts(schema, text) for text in ("a", "ab", "aba", "abab", "ac", "")] == [
        False,
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_text_is_reachable_within_a_budget_that_holds_it(tiny: Generator) -> None:
    vocabulary = tiny._vocabulary
    schema = Schema.of({"type": "string"})
    text = compact("some words that take a few tokens").encode()
    least = next(n for n in range(3, 60) if reachable(Matcher(schema, vocabulary, n), vocabulary, text))
    assert least == len(vocabulary.encode_bytes(text)) + 1
