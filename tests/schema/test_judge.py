from __future__ import annotations

import json
from collections import Counter
from typing import Any

import jsonschema
import jsonschema_rs
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
from harmony_gen.schema.sources import registry_of
from harmony_gen.schema.strings.format_checks import CHECKER
from harmony_gen.schema.subschema import DIALECTS, Subschema
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
    validator = jsonschema.Draft202012Validator(schema, format_checker=CHECKER)
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
        ({"anyOf": [{"required": "a"}]}, "/anyOf/0/required", "required"),
        ({"$ref": 5}, "/$ref", "$ref"),
    ],
)
def test_what_breaks_the_meta_schema_is_refused(schema: dict[str, Any], pointer: str, keyword: str) -> None:
    with pytest.raises(SchemaError, match="not a valid JSON Schema") as caught:
        JsonSchemaJudge(schema)
    assert (caught.value.pointer, caught.value.keyword) == (pointer, keyword)


@pytest.mark.parametrize(
    ("schema", "pointer", "keyword"),
    [
        ({"pattern": "("}, "/pattern", "pattern"),
        ({"properties": {"a/b": {"pattern": "(?<n>a"}}}, "/properties/a~1b/pattern", "pattern"),
        ({"patternProperties": {"[": {}}}, "/patternProperties/[", "patternProperties"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"items": {"pattern": "a{2,1}"}}}}, "/$ref/items/pattern", "pattern"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused(schema: dict[str, Any], pointer: str, keyword: str) -> None:
    with pytest.raises(SchemaError, match="The regular expression") as caught:
        JsonSchemaJudge(schema)
    assert (caught.value.pointer, caught.value.keyword) == (pointer, keyword)


@pytest.mark.parametrize("schema", [{"const": {"pattern": "("}}, {"$defs": {"unused": {"pattern": "("}}}])
def test_what_only_looks_like_a_pattern_is_none(schema: dict[str, Any]) -> None:
    JsonSchemaJudge(schema)


@pytest.mark.parametrize("uri", DIALECTS)
@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^\d$", "1", "\u0661"),  # ASCII digits only
        (r"^\w$", "w", "\u00e9"),
        (r"^a$", "a", "a\n"),  # nothing may follow, no line feed either
        (r"^\cA$", "\x01", "cA"),
        (r"^\S+$", "ab", "a\u2028b"),
        (r"^\p{Lu}$", "\u00c4", "\u00e4"),
        (r"^(?<year>\d{4})$", "2024", "24"),
    ],
)
def test_patterns_are_those_of_ecma_262(uri: str, pattern: str, good: str, bad: str) -> None:
    judge = JsonSchemaJudge({"$schema": uri, "type": ["string", "object"], "pattern": pattern})
    assert judge.accepts(json.dumps(good).encode())
    assert not judge.accepts(json.dumps(bad).encode())
    for others in ("additionalProperties", "unevaluatedProperties"):
        if others == "unevaluatedProperties" and uri not in DIALECTS[3:]:
            continue
        judge = JsonSchemaJudge({"$schema": uri, "patternProperties": {pattern: {"type": "null"}}, others: False})
        assert judge.accepts(json.dumps({good: None}).encode())
        assert not judge.accepts(json.dumps({good: 1}).encode())
        assert not judge.accepts(json.dumps({bad: None}).encode())


def test_reasons_quote_the_pattern_that_was_written() -> None:
    judge = JsonSchemaJudge({"properties": {"a": {"pattern": r"^\p{Lu}$"}}})
    with pytest.raises(ValidationError, match=r"'x' does not match '\^\\\\p\{Lu\}\$'") as caught:
        judge.check('{"a":"x"}')
    assert caught.value.pointer == "/a"


UNEVALUATED = {
    "allOf": [{"patternProperties": {r"^\cA": True}}, {"$ref": "#/$defs/named"}],
    "anyOf": [{"properties": {"b": {"const": 1}}}, {"properties": {"c": True}, "required": ["c"]}],
    "if": {"properties": {"d": True}, "required": ["d"]},
    "then": {"properties": {"e": True}},
    "else": {"properties": {"f": True}},
    "dependentSchemas": {"a": {"properties": {"g": True}}},
    "unevaluatedProperties": {"type": "null"},
    "$defs": {"named": {"properties": {"a": True}}},
}


@given(st.dictionaries(st.sampled_from(["\x01", *"abcdefgh"]), st.sampled_from([1, 2, None]), max_size=5))
@pytest.mark.parametrize("uri", DIALECTS[3:])
def test_unevaluated_properties_are_those_of_jsonschema(uri: str, value: dict[str, Any]) -> None:
    """With a pattern that Python reads, jsonschema's own classes can be asked."""
    readable = json.loads(json.dumps(UNEVALUATED).replace(r"\\cA", r"\\x01"))
    kind = jsonschema.validators.validator_for({"$schema": uri})
    text = json.dumps(value).encode()
    assert JsonSchemaJudge(UNEVALUATED | {"$schema": uri}).accepts(text) is kind(readable).is_valid(value)


@pytest.mark.parametrize("uri", DIALECTS[3:])
def test_what_is_no_object_has_nothing_unevaluated(uri: str) -> None:
    judge = JsonSchemaJudge({"$schema": uri, "unevaluatedProperties": False, "patternProperties": {"a": False}})
    for text in ("[1]", "null", '"a"', "{}"):
        assert judge.accepts(text.encode())
    assert not judge.accepts(b'{"b":1}')


def test_a_boolean_looks_at_no_members() -> None:
    judge = JsonSchemaJudge({"anyOf": [True, {"properties": {"a": True}}], "unevaluatedProperties": False})
    assert judge.accepts(b'{"a":1}')
    assert not judge.accepts(b'{"b":1}')


def test_a_recursive_reference_looks_at_members() -> None:
    schema = {
        "$schema": DIALECTS[3],
        "$id": "https://example.com/closed",
        "$recursiveAnchor": True,
        "$ref": "tree",
        "unevaluatedProperties": False,
        "$defs": {
            "tree": {
                "$id": "tree",
                "$recursiveAnchor": True,
                "properties": {"a": {"$recursiveRef": "#"}, "b": {"allOf": [{"$recursiveRef": "#"}]}},
            }
        },
    }
    judge = JsonSchemaJudge(schema)
    plain = jsonschema.Draft201909Validator(schema)
    for value in ({"a": {"a": {}}}, {"a": {"x": 1}}, {"b": {"a": {}, "b": {"x": 1}}}, {"x": 1}, {"b": {"b": {}}}):
        assert judge.accepts(json.dumps(value).encode()) is plain.is_valid(value)
    beside = {"$schema": DIALECTS[3], "properties": {"a": True, "c": {"$recursiveRef": "#"}}}
    beside |= {"anyOf": [{"properties": {"c": {"$recursiveRef": "#", "unevaluatedProperties": False}}}]}
    assert JsonSchemaJudge(beside).accepts(b'{"c":{"a":1}}')
    assert JsonSchemaJudge({"$schema": DIALECTS[3], "if": True, "unevaluatedProperties": {}}).accepts(b'{"a":1}')
    assert not JsonSchemaJudge(beside).accepts(b'{"c":{"b":1}}')


def test_what_only_the_quick_check_refuses_is_a_schema() -> None:
    schema = {"pattern": "^a\\Z"}  # a regular expression for Python, and read so
    meta = jsonschema.Draft202012Validator.META_SCHEMA
    assert not jsonschema_rs.Draft202012Validator(meta, validate_formats=True).is_valid(schema)
    assert JsonSchemaJudge(schema).accepts(b'"a"')


def test_a_schema_beside_additional_properties_leaves_nothing_unevaluated() -> None:
    for uri in DIALECTS[3:]:
        judge = JsonSchemaJudge(
            {"$schema": uri, "additionalProperties": {"type": "string"}, "unevaluatedProperties": False}
        )
        assert judge.accepts(b'{"a":"x"}')
        assert not judge.accepts(b'{"a":1}')


def test_what_is_wrong_far_inside_is_refused_all_the_same() -> None:
    for depth in (20, 240):
        schema: dict[str, Any] = {"type": "strin"}
        for _ in range(depth):
            schema = {"not": schema}
        with pytest.raises(SchemaError, match=r"'strin' is not|nested too deeply"):
            JsonSchemaJudge(schema)


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_references_that_double_take_no_exponential_time(keyword: str) -> None:
    defs: dict[str, Any] = {f"d{n}": {keyword: [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(60)}
    judge = JsonSchemaJudge({"$ref": "#/$defs/d0", "$defs": defs | {"d60": {"items": {"type": "integer"}}}})
    assert agrees(judge, "[1]") is (keyword != "oneOf")
    assert agrees(judge, '[1,"x"]') is False
    if keyword == "allOf":
        with pytest.raises(ValidationError, match="'x' is not of type 'integer'") as caught:
            judge.check('[1,"x"]')
        assert caught.value.pointer == "/1"


def test_a_schema_that_refers_to_itself_at_the_same_value_judges_nothing() -> None:
    for schema in ({"$ref": "#"}, {"not": {"$ref": "#"}}, {"$dynamicAnchor": "a", "not": {"$dynamicRef": "#a"}}):
        judge = JsonSchemaJudge(schema)
        assert not agrees(judge, "1")
        with pytest.raises(ValidationError, match="refers to itself without end"):
            judge.check("1")


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


REMOTE = {
    "https://example.com/2020": {"$schema": DIALECTS[4], "prefixItems": [{"type": "string"}]},
    "https://example.com/7": {"$schema": DIALECTS[2], "dependentRequired": {"a": ["b"]}, "definitions": {"x": {}}},
    "https://example.com/plain": {"definitions": {"x": {"$ref": "#/definitions/y"}, "y": {"maximum": 3}}},
    "https://example.com/wrong": {"components": {"x": {"type": "strin"}}},
    "https://example.com/odd": {"$schema": "https://example.com/mine"},
}


def judge_with(schema: dict[str, Any]) -> JsonSchemaJudge:
    return JsonSchemaJudge(schema, registry_of(REMOTE, schema))


def test_references_lead_into_the_registry_and_into_its_dialects() -> None:
    judge = judge_with({"$schema": DIALECTS[3], "$ref": "https://example.com/2020"})
    assert judge.accepts(b'["a",1]')
    assert not judge.accepts(b"[1]")
    assert judge_with({"$ref": "https://example.com/7"}).accepts(b'{"a":1}')
    judge = judge_with({"$schema": DIALECTS[0], "$ref": "https://example.com/plain#/definitions/x"})
    assert judge.accepts(b"3")
    assert not judge.accepts(b"4")


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("https://example.com/none", "nothing is fetched"),
        ("https://example.com/wrong#/components/x", "not a valid JSON Schema: at /items/\\$ref/type"),
        ("https://example.com/odd", "https://example.com/mine"),
        ("http://json-schema.org/draft-03/schema", "not known"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(ref: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        judge_with({"items": {"$ref": ref}})
    assert caught.value.pointer.startswith("/items/$ref")


def test_the_meta_schema_is_asked_about_what_it_has_not_seen() -> None:
    with pytest.raises(SchemaError, match="not a valid JSON Schema") as caught:
        JsonSchemaJudge({"$ref": "#/x-parts/a", "x-parts": {"a": {"type": "strin"}}})
    assert caught.value.pointer == "/$ref/type"
    with pytest.raises(SchemaError, match="not a valid JSON Schema"):
        JsonSchemaJudge({"$schema": DIALECTS[2], "$ref": "#/$defs/a", "$defs": {"a": {"type": "strin"}}})


def test_a_resource_inside_has_its_own_dialect() -> None:
    inner = {"$id": "https://example.com/inner", "$schema": DIALECTS[2], "items": [{"type": "string"}]}
    judge = JsonSchemaJudge({"properties": {"a": inner, "b": {"$ref": "https://example.com/inner#"}}})
    for key in "ab":
        assert judge.accepts(json.dumps({key: ["x", 1]}).encode())
        assert not judge.accepts(json.dumps({key: [1]}).encode())


@pytest.mark.parametrize(
    "schema", [{"enum": ["x" * 10_000] * 2}, {"pattern": "(" * 10_000}, {"patternProperties": {"(" * 10_000: {}}}]
)
def test_refusals_are_short_even_of_long_schemas(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaError) as caught:
        JsonSchemaJudge({"$schema": DIALECTS[0]} | schema)
    assert len(str(caught.value)) < 1000


def test_what_is_wrong_beside_and_inside_of_a_resource_is_named() -> None:
    same = {"$id": "https://example.com/same", "minimum": 1}
    other = {"$id": "https://example.com/other", "$schema": DIALECTS[2], "items": [{"type": "strin"}]}
    with pytest.raises(SchemaError) as caught:
        JsonSchemaJudge({"properties": {"a": same, "b": other}, "type": "strin"})
    assert caught.value.pointer == "/type"
    with pytest.raises(SchemaError) as caught:
        JsonSchemaJudge({"properties": {"a": same, "b": other}})
    assert caught.value.pointer == "/properties/b/items/0/type"


def test_a_resource_inside_of_an_unknown_dialect_is_refused() -> None:
    inner = {"$id": "https://example.com/inner", "$schema": "https://example.com/mine"}
    with pytest.raises(SchemaError, match="Below /properties/a: ") as caught:
        JsonSchemaJudge({"properties": {"a": {"not": inner}}})
    assert (caught.value.pointer, caught.value.keyword) == ("/properties/a", "$schema")
    del inner["$id"]
    JsonSchemaJudge({"properties": {"a": {"not": inner}}})  # an annotation


def test_an_id_that_is_no_uri_is_refused() -> None:
    schema = {"$schema": DIALECTS[0], "id": "http://example.com/", "properties": {"a": {"id": "http://[bad"}}}
    with pytest.raises(SchemaError, match="is no URI"):
        JsonSchemaJudge(schema)


def quick_and_slow(schema: Any) -> tuple[bool, bool]:
    """The verdicts of `JsonSchemaJudge` and of jsonschema's own check, formats of patterns left out."""
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    formats = jsonschema.FormatChecker(set(kind.FORMAT_CHECKER.checkers) - {"regex"})
    slow = jsonschema.validators.validator_for(kind.META_SCHEMA)(kind.META_SCHEMA, format_checker=formats)
    try:
        JsonSchemaJudge(schema)
    except SchemaError as error:
        return "not a valid JSON Schema" not in str(error), slow.is_valid(schema)
    return True, slow.is_valid(schema)


def test_the_quick_check_of_real_schemas_says_what_jsonschema_says() -> None:
    for case in bench_cases()[::40]:
        quick, slow = quick_and_slow(case["schema"])
        assert quick is slow, case["id"]


BROKEN_PARTS = st.sampled_from(
    [
        {"type": "strin"},
        {"minLength": -1},
        {"minLength": 2.0},
        {"minLength": 1.5},
        {"items": [{}]},
        {"exclusiveMinimum": True, "minimum": 1},
        {"exclusiveMinimum": True},
        {"required": []},
        {"required": ["a", "a"]},
        {"enum": []},
        {"enum": [1, 1]},
        {"enum": [1, True, 1.5]},
        {"anyOf": []},
        {"multipleOf": 0},
        {"multipleOf": 1e-320},
        {"maxLength": 10**30},
        {"dependencies": {"a": []}},
        {"dependencies": {"a": ["b", "b"]}},
        {"properties": {"$ref": {"type": "object"}}},
        {"const": None},
        {"title": 5},
        {"format": 5},
        {"$ref": "#/a b"},
        {"$id": "a b"},
        {"additionalProperties": 0},
        {"definitions": {"a": 1}},
        {"$defs": {"a": 1}},
        True,
        False,
    ]
)


@given(BROKEN_PARTS, st.sampled_from([*DIALECTS, None]), st.booleans())
def test_the_quick_check_of_broken_schemas_says_what_jsonschema_says(part: Any, uri: str | None, inside: bool) -> None:
    schema = {"not": part} if inside or isinstance(part, bool) else dict(part)
    if uri is not None:
        schema["$schema"] = uri
    quick, slow = quick_and_slow(schema)
    assert quick is slow


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
