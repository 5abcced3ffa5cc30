from __future__ import annotations

import json
from collections import Counter
from typing import Any

import jsonschema
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen import Schema, SchemaError, ValidationError
from harmony_gen.schema.judge import (
    DuplicateKeyError,
    GrammarJudge,
    JsonSchemaJudge,
    Judge,
    PydanticJudge,
    read_json,
)
from harmony_gen.schema.subschema import Subschema
from support.corpora import bench_cases

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.one_of(
    JSON.map(json.dumps),
    st.sampled_from(
        ["1e400", "-1e400", "NaN", '{"a":1,"a":1}', "[" * 5000, "9" * 5000, '"\\ud800"', "", "nul", "[1,]"]
    ),
    st.text(max_size=6),
)
SCHEMAS: list[dict[str, Any] | bool] = [
    {},
    True,
    False,
    {"type": "string", "format": "email"},
    {"type": ["integer", "array"], "minimum": 3, "items": {"type": "boolean"}},
    {"multipleOf": 0.1},
    {"multipleOf": 1e-300},
    {"uniqueItems": True},
    {"$ref": "#"},
    {"oneOf": [{"type": "number"}, {"type": "integer"}]},
    {"properties": {"a": {"const": 1}}, "additionalProperties": False},
    {"format": "idn-hostname"},
]


def agrees(judge: Judge, text: str) -> bool:
    """Whether a judge accepts a text; fails if its two methods do not agree."""
    accepted = True
    try:
        judge.check(text)
    except ValidationError:
        accepted = False
    assert judge.accepts(text.encode()) is accepted
    return accepted


@given(st.sampled_from(SCHEMAS), TEXTS)
def test_check_raises_exactly_where_accepts_says_no(schema: dict[str, Any] | bool, text: str) -> None:
    agrees(JsonSchemaJudge(schema), text)


@given(st.sampled_from(SCHEMAS), JSON)
def test_the_verdict_is_that_of_jsonschema(schema: dict[str, Any] | bool, value: Any) -> None:
    text = json.dumps(value)
    if "NaN" in text or "Infinity" in text:
        assert not agrees(JsonSchemaJudge(schema), text)
        return
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    try:
        expected = validator.is_valid(value)
    except (RecursionError, ArithmeticError):
        expected = False
    assert agrees(JsonSchemaJudge(schema), text) is expected


@given(JSON)
def test_read_json_is_json_loads_where_json_is_strict(value: Any) -> None:
    text = json.dumps(value)
    if "NaN" in text or "Infinity" in text:
        with pytest.raises(ValueError, match="is not JSON"):
            read_json(text)
    else:
        assert read_json(text) == json.loads(text)
        assert read_json(text.encode()) == json.loads(text)


def test_the_verdicts_on_real_schemas_are_those_of_the_corpus() -> None:
    verdicts = Counter[bool]()
    for case in bench_cases()[::10]:
        try:
            judge = JsonSchemaJudge(case["schema"])
        except SchemaError:
            continue
        for test in case["tests"]:
            verdicts[test["valid"]] += 1
            assert judge.accepts(json.dumps(test["data"]).encode()) is test["valid"], case["id"]
    assert min(verdicts.values()) > 100


def test_a_format_of_a_later_draft_is_checked_too() -> None:
    judge = JsonSchemaJudge({"$schema": "http://json-schema.org/draft-04/schema#", "format": "date"})
    assert not judge.accepts(b'"1990-01-32"')


def test_a_key_that_stands_twice_is_named() -> None:
    with pytest.raises(DuplicateKeyError, match="'b' twice"):
        read_json('{"a":1,"b":{"b":2},"b":3}')


def test_a_text_nested_too_deeply_is_no_value() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        read_json("[" * 100_000)


def test_the_reason_names_the_place() -> None:
    judge = JsonSchemaJudge({"properties": {"a/b": {"items": {"type": "integer"}}}})
    with pytest.raises(ValidationError, match="'x' is not of type 'integer'") as caught:
        judge.check('{"a/b":[1,"x"]}')
    assert caught.value.pointer == "/a~1b/1"
    with pytest.raises(ValidationError, match="At the root"):
        JsonSchemaJudge(False).check("1")


def test_the_reason_is_short_even_for_a_long_value() -> None:
    with pytest.raises(ValidationError) as caught:
        JsonSchemaJudge({"maxLength": 3}).check(json.dumps("x" * 100_000))
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("schema", "pointer", "keyword"),
    [
        ({"type": "strin"}, "/type", "type"),
        ({"properties": {"a": {"minLength": -1}}}, "/properties/a/minLength", "minLength"),
        ({"items": [{}]}, "/items", "items"),
        ({"exclusiveMinimum": True, "minimum": 1}, "/exclusiveMinimum", "exclusiveMinimum"),
        ({"pattern": "("}, "/pattern", "pattern"),
        ({"anyOf": [{"required": "a"}]}, "/anyOf/0/required", "required"),
        ({"$ref": 5}, "/$ref", "$ref"),
    ],
)
def test_what_breaks_the_meta_schema_is_refused(schema: dict[str, Any], pointer: str, keyword: str) -> None:
    with pytest.raises(SchemaError, match="not a valid JSON Schema") as caught:
        JsonSchemaJudge(schema)
    assert (caught.value.pointer, caught.value.keyword) == (pointer, keyword)


def test_a_schema_nested_too_deeply_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(900):
        schema = {"not": schema}
    with pytest.raises(SchemaError, match="nested too deeply"):
        JsonSchemaJudge(schema)


def test_formats_are_checked() -> None:
    judge = JsonSchemaJudge({"format": "date"})
    assert judge.accepts(b'"2024-02-29"')
    assert not judge.accepts(b'"2023-02-29"')


def test_a_pattern_with_a_doubled_bracket_is_no_warning() -> None:
    assert JsonSchemaJudge({"pattern": "^[[a]+$"}).accepts(b'"[a"')


def test_a_part_is_judged_where_it_stands() -> None:
    schema = {
        "properties": {"a": {"$ref": "#/$defs/short"}},
        "$defs": {
            "short": {
                "$id": "https://example.com/x",
                "$ref": "#/$defs/limit",
                "$defs": {"limit": {"maximum": 3}},
            }
        },
    }
    judge = JsonSchemaJudge(schema)
    root = Subschema.root(schema)
    (part,) = root.member("a")
    for _ in range(2):  # the second time its validator is kept
        assert judge.accepts_part(part, 3)
        assert not judge.accepts_part(part, 4)


class Model(pydantic.BaseModel):
    """Validators that complain in every way."""

    number: int | str = 0
    inner: dict[str, list[Model]] = {}

    @pydantic.field_validator("number")
    @classmethod
    def _odd(cls, number: int | str) -> int | str:
        if number == 1:
            raise ValueError("not one")
        if number == 2:
            raise KeyError("two")
        if number == 3:
            raise SystemError("three")
        assert number != 4
        return number


@given(st.integers(0, 6), st.booleans())
def test_pydantic_check_raises_exactly_where_accepts_says_no(number: int, nested: bool) -> None:
    judge = PydanticJudge(pydantic.TypeAdapter(Model))
    text = json.dumps({"inner": {"a": [{"number": number}]}} if nested else {"number": number})
    assert agrees(judge, text) is (number in {0, 5, 6})


@pytest.mark.parametrize(
    ("text", "pointer", "reason"),
    [
        ('{"number":1}', "/number", "not one"),
        ('{"inner":{"k/l":[{},{"number":1}]}}', "/inner/k~1l/1/number", "not one"),
        ('{"number":[]}', "/number", "valid"),  # Pydantic says /number/int
        ("[", "", "Invalid JSON"),
        ('{"number":2}', "", "KeyError"),
        ('{"number":3}', "", "SystemError: three"),
    ],
)
def test_pydantic_reasons_name_places_of_the_text(text: str, pointer: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as caught:
        PydanticJudge(pydantic.TypeAdapter(Model)).check(text)
    assert caught.value.pointer == pointer


def test_pydantic_values_are_of_the_type() -> None:
    assert PydanticJudge(pydantic.TypeAdapter(Model)).parse('{"number":"x"}') == Model(number="x")


@given(st.text("ab", max_size=5))
def test_the_judge_of_a_grammar_agrees_with_itself(text: str) -> None:
    judge = Schema.from_regex("a(ba)*").judge
    assert isinstance(judge, GrammarJudge)
    assert agrees(judge, text) is (text in {"a", "aba", "ababa"})


def test_a_grammar_says_what_it_wanted() -> None:
    with pytest.raises(ValidationError, match=r"regular expression 'a\+'"):
        Schema.from_regex("a+").judge.check("b")
    with pytest.raises(ValidationError, match="the grammar"):
        Schema.from_lark('start: "x"').judge.check(b"b")


@given(st.sampled_from(SCHEMAS[:2] + SCHEMAS[3:8] + SCHEMAS[9:]))
def test_what_the_grammar_and_the_judge_accept_is_valid_and_has_a_value(
    schema: dict[str, Any] | bool,
) -> None:
    made = Schema.of(schema)
    text = made.witness()
    assert agrees(made.judge, text)
    jsonschema.Draft202012Validator(schema).validate(made.validate(text))


def test_a_number_too_large_for_a_float_is_not_read() -> None:
    assert read_json("[1e308]") == [1e308]
    with pytest.raises(ValueError, match="too large"):
        read_json("[-1e999]")
    with pytest.raises(ValueError, match="too large"):
        read_json("9" * 400)
    assert read_json("1" + "0" * 308) == 10**308
    assert not JsonSchemaJudge({"type": "number"}).accepts(b"1e400")
