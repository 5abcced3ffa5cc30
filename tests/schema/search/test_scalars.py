"""Suggested numbers and strings are valid, short first, and spelled as the grammar spells them."""

from __future__ import annotations

import json
from itertools import islice

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.schema import engine
from harmony_gen.schema.json_schema import lower
from harmony_gen.schema.normal import Normal
from harmony_gen.schema.search.scalars import (
    holds,
    in_turns,
    more_numbers,
    more_strings,
    number_texts,
    plain_numbers,
    remembered_strings,
    spell,
    strings,
)
from harmony_gen.schema.strings.language import Language
from harmony_gen.schema.subschema import Subschema


def shapes(schema):
    normal = Normal(Subschema.root({"type": "number"} | schema))
    return normal.node(normal.root).numbers


def texts(schema) -> list[str]:
    return list(number_texts(shapes(schema)))


def derives(schema, text: str) -> bool:
    grammar = lower(Subschema.root({"type": "number"} | schema)).grammar
    return engine.completes(engine.byte_matcher(grammar), text.encode())


@given(
    st.one_of(st.floats(-50, 50, width=16, allow_subnormal=False), st.integers(-(2**70), 2**70)),
    st.sampled_from([0, 0.25, 1, 5, 1000]),
    st.sampled_from([None, 1, 3, 0.5, 0.01, 2.5]),
    st.booleans(),
)
def test_numbers_are_in_their_interval(low, room, divisor, whole):
    schema = {"type": "integer" if whole else "number", "minimum": low, "maximum": low + room}
    schema |= {} if divisor is None else {"multipleOf": divisor}
    for shape in shapes(schema):
        for number in islice(more_numbers(shape), 20):
            assert jsonschema.Draft202012Validator(schema).is_valid(number)
    if not isinstance(divisor, float):
        assert all(derives(schema, text) for text in texts(schema))


@pytest.mark.parametrize(
    ("schema", "first"),
    [
        ({}, "0"),
        ({"minimum": 1000}, "1000"),
        ({"exclusiveMinimum": 1000}, "1001"),
        ({"exclusiveMinimum": 0, "exclusiveMaximum": 1}, "0.5"),
        ({"exclusiveMinimum": 0.123, "exclusiveMaximum": 0.124}, "0.1235"),
        ({"type": "integer", "minimum": 2**70}, str(2**70)),
        ({"minimum": 1e300}, str(int(1e300))),
        ({"maximum": -1e-7}, "-1"),
        ({"exclusiveMaximum": 0, "minimum": -1e-7}, "-0.0000001"),
        ({"multipleOf": 7, "minimum": 100}, "105"),
        ({"multipleOf": 0.1, "minimum": 0.25}, "1"),
        ({"multipleOf": 0.1, "minimum": 0.25, "maximum": 0.45}, "0.4"),
        ({"allOf": [{"multipleOf": 4}, {"multipleOf": 6}], "minimum": 1}, "12"),
        ({"allOf": [{"multipleOf": 0.4}, {"multipleOf": 0.6}], "minimum": 1}, "6"),
        ({"not": {"type": "integer"}, "minimum": 3, "maximum": 4}, "3.5"),
        ({"const": 1e300}, "1e+300"),
        ({"const": 2.0}, "2"),
    ],
)
def test_the_first_number(schema, first):
    assert texts(schema)[0] == first
    assert derives(schema, first)


def test_no_number_where_the_steps_leave_none():
    assert texts({"minimum": 1, "maximum": 2, "multipleOf": 3}) == []
    assert texts({"const": 5, "multipleOf": 0.3}) == []


def test_there_are_many_numbers_where_there_is_room():
    (shape,) = shapes({"type": "integer", "minimum": 10, "multipleOf": 5})
    assert len(set(islice(more_numbers(shape), 200))) == 200
    (shape,) = shapes({"minimum": 1.5, "maximum": 1.75})
    assert len(set(islice(more_numbers(shape), 200))) == 200
    (shape,) = shapes({"type": "integer", "minimum": 3, "maximum": 7})
    assert sorted(more_numbers(shape)) == [3, 4, 5, 6, 7]


def test_multiples_are_reckoned_as_the_judge_does():
    (shape,) = shapes({"multipleOf": 0.01})
    assert holds(shape, 0.07) == jsonschema.Draft202012Validator({"multipleOf": 0.01}).is_valid(0.07)
    assert not holds(shape, 1e308), "a quotient that is no number"


LANGUAGES = [
    Language.ALL,
    Language.of(["a", "ab", "abc"]),
    Language.lengths(3, 5),
    Language.pattern("^[b-d]{3}$"),
    ~Language.pattern("a"),
    Language.pattern("^a") & ~Language.of(["a", "aa"]),
    Language.lengths(2) | Language.of(["x"]),
]


@pytest.mark.parametrize("language", LANGUAGES)
@given(partial=st.text("abcdx", max_size=3))
def test_strings_complete_a_beginning(language, partial):
    assert all(partial + rest in language for rest in strings(language, partial))
    more = list(islice(more_strings(language, partial), 50))
    assert len(set(more)) == len(more)
    assert all(text in language and text.startswith(partial) for text in more)
    assert list(islice(remembered_strings(language, partial), 50)) == more


def test_there_are_many_strings_where_there_is_room():
    for language in (Language.ALL, Language.lengths(1, 2), Language.pattern("^ab[0-9]{2}z$"), ~Language.pattern("a")):
        assert len(list(islice(more_strings(language, ""), 90))) == 90
    assert list(more_strings(Language.NONE, "")) == []
    assert list(remembered_strings(Language.of(["a", "ab"]), "a")) == ["a", "ab"]
    assert len(list(islice(strings(Language.of(map(str, range(99))), ""), 99))) == 40


def test_spelling():
    assert spell({"é": "\ud800"}) == '{"\\u00e9":"\\ud800"}'
    assert spell({"é": 1}) == '{"é":1}'
    assert spell([1.0, {"a": -2.0}, 0.5, True]) == '[1,{"a":-2},0.5,true]'
    assert json.dumps(plain_numbers([1.0, "1.0"])) == '[1, "1.0"]'


def test_in_turns():
    assert list(in_turns(map(iter, ("ad", "b", "ce")))) == list("abcde")
