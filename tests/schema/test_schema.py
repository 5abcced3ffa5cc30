import dataclasses
import enum
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import outlines.inputs
import outlines.types
import pydantic
import pytest
import referencing
from hypothesis import given
from hypothesis import strategies as st
from outlines.types import dsl
from referencing.jsonschema import DRAFT7
from typing_extensions import TypedDict

from harmony_gen import Generator, Schema, SchemaError, UnsatisfiableError, ValidationError, rule
from harmony_gen.schema.subschema import DIALECTS


class Money(pydantic.BaseModel):
    """An amount that must be even."""

    amount: int
    currency: Literal["EUR", "USD"] = "EUR"

    @pydantic.field_validator("amount")
    @classmethod
    def _even(cls, amount: int) -> int:
        if amount % 2:
            raise ValueError("odd")
        return amount


@dataclasses.dataclass
class Point:
    """A standard dataclass."""

    x: int
    y: int = 0


class Row(TypedDict):
    """A typed dictionary."""

    name: str


class Colour(enum.Enum):
    """An enum."""

    RED = "red"
    BLUE = "blue"


SOURCES: list[tuple[Any, str, Any, str]] = [
    ({"type": "integer"}, "3", 3, '"3"'),
    (True, '{"a":1}', {"a": 1}, "nul"),
    ({"$schema": "http://json-schema.org/draft-04/schema#", "enum": ["x"]}, '"x"', "x", '"y"'),
    (Money, '{"amount":2}', Money(amount=2), '{"amount":1}'),
    (list[int], "[1]", [1], '["1"]'),
    (list[Money], '[{"amount":2}]', [Money(amount=2)], '[{"amount":1}]'),
    (dict[str, int], '{"a":1}', {"a": 1}, '{"a":"x"}'),
    (tuple[int, str], '[1,"a"]', (1, "a"), "[1]"),
    (Literal["a", 1], "1", 1, "2"),
    (int | None, "null", None, '""'),
    (type(None), "null", None, "0"),
    (int, "5", 5, "5.5"),
    (Annotated[int, pydantic.Field(gt=3)], "4", 4, "3"),
    (Point, '{"x":1}', Point(1), '{"y":1}'),
    (Row, '{"name":"a"}', {"name": "a"}, "{}"),
    (Colour, '"red"', Colour.RED, '"green"'),
    (outlines.types.integer, "-12", "-12", "1.5"),
    (outlines.types.email, "a@b.de", "a@b.de", "a@"),
    (outlines.types.date, "2024-02-29", "2024-02-29", "2024"),
    (outlines.types.regex("a{2,3}"), "aa", "aa", "a"),
    (outlines.types.either("yes", "no"), "yes", "yes", "maybe"),
    (dsl.Choice(["yes", 1]), "1", "1", "2"),
    ("a" + outlines.types.digit.exactly(2), "a12", "a12", "a1"),
    (outlines.types.optional("x") + "y", "y", "y", "x"),
    (outlines.types.json_schema({"type": "integer"}), "3", 3, '"3"'),
    (outlines.types.json_schema(Money), '{"amount":1}', {"amount": 1}, "{}"),
    (outlines.types.cfg('start: "a" start "b" | "c"'), "aacbb", "aacbb", "aacb"),
]


@pytest.mark.parametrize(("source", "good", "value", "bad"), SOURCES)
def test_every_source_makes_a_schema(source: Any, good: str, value: Any, bad: str) -> None:
    schema = Schema.of(source)
    assert schema.accepts(good.encode())
    assert schema.validate(good) == value
    assert not schema.accepts(bad.encode())
    with pytest.raises(ValidationError):
        schema.validate(bad)
    witness = schema.witness()
    assert schema.accepts(witness.encode())
    schema.validate(witness)
    assert set(schema.coverage.values()) <= {"masked", "checked"}
    assert schema.is_json is (schema.json_schema is not None)
    assert schema.description


@pytest.mark.parametrize(("source", "good", "value", "bad"), SOURCES)
def test_a_schema_is_its_own_schema(source: Any, good: str, value: Any, bad: str) -> None:
    schema = Schema.of(source)
    assert Schema.of(schema) is schema


TERMS = [
    term
    for name in dir(outlines.types)
    if not name.startswith("_") and name != "isbn" and isinstance(term := getattr(outlines.types, name), dsl.Term)
]


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_every_ready_made_outlines_type_has_a_witness(term: dsl.Term) -> None:
    witness = Schema.of(term).witness()
    assert re.fullmatch(dsl.to_regex(term), witness)


def test_an_outlines_type_beyond_the_engine_is_refused() -> None:
    with pytest.raises(SchemaError, match="cannot be compiled"):
        Schema.of(outlines.types.isbn)  # looks ahead
    text_around_a_grammar = outlines.types.cfg('start: "a"') + "x"
    text_around_nothing = outlines.types.json_schema({"not": {}}) + "x"
    for term in (text_around_a_grammar, text_around_nothing, outlines.inputs.Chat([])):
        with pytest.raises(SchemaError, match="outlines type"):
            Schema.of(term)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=8))
def test_a_literal_of_outlines_stands_for_itself(text: str) -> None:
    schema = Schema.of(dsl.String(text))
    assert schema.accepts(text.encode())
    assert not schema.accepts((text + "x").encode())
    assert schema.witness() == text


@given(
    st.recursive(
        st.sampled_from(["a", "b", "[ab]", "\\d"]),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map("".join),
            st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
            inner.map(lambda part: f"(?:{part})?"),
            inner.map(lambda part: f"(?:{part}){{1,2}}"),
        ),
        max_leaves=5,
    ),
    st.text("ab1", max_size=4),
)
def test_a_regex_matches_as_a_whole(pattern: str, text: str) -> None:
    schema = Schema.from_regex(pattern)
    assert schema.accepts(text.encode()) is (re.fullmatch(pattern, text) is not None)
    assert re.fullmatch(pattern, schema.witness())


def test_text_that_is_no_json() -> None:
    schema = Schema.from_lark('start: "<" /[a-z]+/ ">"')
    assert not schema.is_json
    assert schema.coverage == {"": "masked"}
    assert schema.validate("<ab>") == "<ab>"
    assert schema.witness().startswith("<")
    assert schema.structural_witness == schema.witness()


@pytest.mark.parametrize("make", [lambda: Schema.from_regex("("), lambda: Schema.from_lark("start: nothing")])
def test_a_grammar_that_does_not_compile_is_refused(make: Any) -> None:
    with pytest.raises(SchemaError, match="cannot be compiled"):
        make()


def looped() -> dict[str, Any]:
    schema: dict[str, Any] = {}
    schema["not"] = schema
    return schema


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"not": schema}
    return schema


class Nothing:
    """No type that Pydantic can describe."""


def function(number: int) -> int:
    raise AssertionError("a schema must not call what it is given")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "None is no schema"),
        (5, "neither a schema nor a type"),
        (1.5, "neither a schema nor a type"),
        (b"{}", "neither a schema nor a type"),
        ([{"type": "string"}], "neither a schema nor a type"),
        ({1, 2}, "neither a schema nor a type"),
        (re.compile("a"), "neither a schema nor a type"),
        (Nothing, "neither a schema nor a type"),
        (Nothing(), "neither a schema nor a type"),
        (Money(amount=2), "neither a schema nor a type"),
        (list[Nothing], "neither a schema nor a type"),
        (list["Missing"], "neither a schema nor a type"),  # noqa: F821
        (function, "it is a function"),
        (lambda: 0, "it is a function"),
        ("hello", "not the path"),
        ('{"type":"string"}', "not the path"),
        ("", "not the path"),
        (Path("schema.txt"), "not the path"),
        ({"enum": {1}}, "not JSON"),
        ({"const": float("nan")}, "not JSON"),
        ({"const": float("inf")}, "not JSON"),
        ({"const": b"x"}, "not JSON"),
        ({("a",): 1}, "not JSON"),
        ({"const": "\ud800"}, "not JSON"),
        (looped(), "not JSON"),
        (nested(2000), "nested too deeply"),
        (nested(400), "nested too deeply"),
        ({"type": "strin"}, "not a valid JSON Schema"),
        ({"$schema": "http://json-schema.org/draft-03/schema#"}, "not known"),
        ({"$ref": "https://example.com/schema.json"}, "nothing is fetched"),
        (False, "no value satisfies"),
    ],
)
def test_what_is_no_schema_is_refused_in_words(source: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        Schema.of(source)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"5", "a dict or a bool, not 5"),
        (b"null", "a dict or a bool, not None"),
        (b"[1]", r"a dict or a bool, not \[1\]"),
        (b'"abc"', "a dict or a bool, not 'abc'"),
        (b"{", "is not JSON"),
        (b"", "is not JSON"),
        (b'\xef\xbb\xbf{"type":"integer"}', "is not JSON"),
        (b'{"const":NaN}', "NaN is not JSON"),
        (b'{"const":1e999}', "not JSON"),
        (b'{"type":"string","type":"integer"}', "'type' twice"),
        (b'{"title":"\xff"}', "not UTF-8: byte 10"),
        (b'{"not":' * 3000 + b"{}" + b"}" * 3000, "nested too deeply"),
    ],
)
def test_a_file_that_holds_no_schema_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(data)
    for source in (path, str(path)):
        with pytest.raises(SchemaError, match=message):
            Schema.of(source)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    for path, message in (
        ("missing.json", "No such file"),
        ("folder.json", "directory"),
        ("a\0.json", "null"),
    ):
        with pytest.raises(SchemaError, match=message):
            Schema.of(tmp_path / path)


def test_a_file_by_path_and_by_name(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text('{"const": "ü"}', "utf-8")
    for source in (path, str(path)):
        assert Schema.of(source).validate('"ü"') == "ü"
    assert Schema.from_json_schema(path).json_schema == {"const": "ü"}
    assert Schema.from_json_schema(str(path)).json_schema == {"const": "ü"}
    path.write_text('{"const": "o"}', "utf-8")
    assert Schema.of(path).witness() == '"o"'


@pytest.mark.parametrize("source", [5, None, [1], "x"])
def test_from_json_schema_takes_dicts_bools_and_paths(source: Any) -> None:
    with pytest.raises(SchemaError):
        Schema.from_json_schema(source)


def test_changing_the_dict_later_changes_nothing() -> None:
    source: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    schema = Schema.of(source)
    source["properties"]["a"]["type"] = "string"
    source["required"].append("b")
    assert schema.accepts(b'{"a":1}')
    assert not schema.accepts(b'{"a":"x","b":1}')
    assert schema.witness() == '{"a":0}'
    again = Schema.of(source)
    assert again.accepts(b'{"a":"x","b":1}')
    assert not again.accepts(b'{"a":1}')


def test_equal_schemas_share_their_work_and_different_ones_do_not() -> None:
    assert Schema.of({"type": "integer"}) is Schema.of({"type": "integer"})
    assert Schema.of(Money) is Schema.of(Money)
    assert Schema.of({"const": 1}).accepts(b"1")
    assert not Schema.of({"const": True}).accepts(b"1")
    assert Schema.of(Literal[1]).validate("1") == 1
    assert not Schema.of(Literal[True]).accepts(b"1")


def test_types_that_cannot_be_hashed_are_types_all_the_same() -> None:
    kind = Annotated[int, pydantic.Field(json_schema_extra={"examples": [4]}), ["no", "hash"]]
    with pytest.raises(TypeError, match="unhashable"):
        hash(kind)
    assert Schema.of(kind).validate("4") == 4


def test_an_error_of_a_type_is_not_hidden() -> None:
    class Broken:
        @classmethod
        def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
            raise TypeError("broken by its author")

    with pytest.raises(TypeError, match="broken by its author"):
        Schema.of(Broken)


def test_objects_of_types_are_closed_unless_they_are_open() -> None:
    class Open(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="allow")
        a: int

    assert not Schema.of(Money).accepts(b'{"amount":2,"x":1}')
    assert not Schema.of(Point).accepts(b'{"x":2,"z":1}')
    assert Schema.of(Open).accepts(b'{"a":2,"x":1}')
    assert Schema.of({"properties": {"a": {}}}).accepts(b'{"b":1}')


def test_the_reason_of_either_judge() -> None:
    schema = Schema.of(list[Money])
    for text, pointer, message in (
        ('[{"amount":2},{"amount":1}]', "/1/amount", "odd"),
        ('[{"amount":2,"currency":"x"}]', "/0/currency", "'x' is not one of"),
        ("[", "", "not a JSON text"),
        ('[{"amount":2,"amount":2}]', "", "twice"),
    ):
        with pytest.raises(ValidationError, match=message) as caught:
            schema.validate(text)
        assert caught.value.pointer == pointer


def test_a_schema_without_any_answer_has_no_witness() -> None:
    contradiction = {"allOf": [{"type": "integer"}, {"not": {"multipleOf": 1}}]}
    with pytest.raises(UnsatisfiableError, match="contradict"):
        Schema.of(contradiction).witness()
    refused = Schema.of({"type": "null"}).with_rules([rule("", lambda _: False)])
    with pytest.raises(UnsatisfiableError):
        refused.witness()
    assert refused.structural_witness == "null"


def test_the_structural_witness_passes_over_validators() -> None:
    class Odd(pydantic.BaseModel):
        code: str

        @pydantic.field_validator("code")
        @classmethod
        def _secret(cls, code: str) -> str:
            assert code == "quite impossible to guess"
            return code

    schema = Schema.of(Odd)
    with pytest.raises(UnsatisfiableError, match="examples"):
        schema.witness()
    assert schema.structural_witness is not None
    assert schema.judge.accepts(schema.structural_witness.encode())


def test_examples_make_a_witness_of_what_cannot_be_guessed() -> None:
    schema = Schema.of({"type": "string", "examples": ["open sesame"]})
    kept = schema.with_rules([rule("", lambda text: text == "open sesame")])
    assert kept.witness() == '"open sesame"'
    assert kept.validate(kept.witness()) == "open sesame"


def test_rules_come_with_validators() -> None:
    schema = Schema.of(Money).with_rules([rule("/amount", lambda amount: amount > 2)])
    assert [n for n in range(7) if schema.accepts(json.dumps({"amount": n}).encode())] == [4, 6]
    with pytest.raises(ValidationError, match="odd"):
        schema.validate('{"amount":5}')
    with pytest.raises(ValidationError, match="refuses this value") as caught:
        schema.validate('{"amount":2}')
    assert caught.value.pointer == "/amount"
    assert schema.validate('{"amount":4}') == Money(amount=4)
    assert schema.accepts(schema.witness().encode())


REMOTE: dict[str, Any] = {
    "https://example.com/money": {
        "type": "object",
        "properties": {"amount": {"type": "integer"}, "currency": {"$ref": "#/definitions/code"}},
        "required": ["currency", "amount"],
        "additionalProperties": False,
        "definitions": {"code": {"enum": ["EUR"]}},
    }
}
BILL = {"type": "array", "items": {"$ref": "https://example.com/money"}, "minItems": 1}


@pytest.mark.parametrize(
    "registry",
    [
        REMOTE,
        referencing.Registry().with_contents(REMOTE.items(), default_specification=DRAFT7),
        referencing.Registry(retrieve=lambda _: pytest.fail("a registry was asked to fetch")).with_contents(
            REMOTE.items(), default_specification=referencing.Specification.OPAQUE
        ),
        {
            "https://example.com/money": REMOTE["https://example.com/money"]
            | {"$schema": "http://json-schema.org/draft-07/schema"}
        },
    ],
)
def test_references_lead_into_the_registry(registry: Any) -> None:
    schema = Schema.from_json_schema(BILL, registry=registry)
    assert schema.witness() == '[{"amount":0,"currency":"EUR"}]'
    assert schema.accepts(b'[{"currency":"EUR","amount":-1}]')
    assert not schema.accepts(b'[{"currency":"USD","amount":1}]')
    with pytest.raises(SchemaError, match="nothing is fetched"):
        Schema.from_json_schema({"$ref": "https://example.com/other"}, registry=registry)
    with pytest.raises(SchemaError, match="nothing is fetched"):
        Schema.of(BILL)


def test_documents_of_a_registry_may_change_later() -> None:
    documents = json.loads(json.dumps(REMOTE))
    schema = Schema.from_json_schema(BILL, registry=documents)
    documents["https://example.com/money"]["definitions"]["code"]["enum"].append("USD")
    assert not schema.accepts(b'[{"currency":"USD","amount":1}]')
    assert Schema.from_json_schema(BILL, registry=documents).accepts(b'[{"currency":"USD","amount":1}]')


@pytest.mark.parametrize(
    ("registry", "error", "message"),
    [
        ([], TypeError, "must be a referencing.Registry or a dict"),
        ({"https://example.com/money": {1, 2}}, SchemaError, "document https://example.com/money of the registry"),
        (
            {"https://example.com/money": nested(2000)},
            SchemaError,
            "document https://example.com/money of the registry",
        ),
        ({"https://example.com/money": {"$schema": "https://example.com/mine"}}, SchemaError, "not known"),
        ({"https://example.com/money": 5}, SchemaError, "not a schema"),
    ],
)
def test_a_bad_registry_is_refused(registry: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Schema.from_json_schema(BILL, registry=registry)


@pytest.mark.parametrize("uri", DIALECTS)
def test_meta_schemas_are_in_every_registry(uri: str) -> None:
    for registry in (None, REMOTE):
        schema = Schema.from_json_schema({"$ref": uri + "#"}, registry=registry)
        assert schema.accepts(b'{"type":"string"}')
        assert not schema.accepts(b'{"type":"strin"}')


def test_members_come_in_any_order_if_asked_for(tiny: Generator) -> None:
    plain = REMOTE["https://example.com/money"]
    texts = ('{"amount":1,"currency":"EUR"}', '{"currency":"EUR","amount":1}')
    for make, source in ((Schema.from_json_schema, plain), (Schema.from_pydantic, Money)):
        fixed = make(source)
        free = make(source, property_order="any")
        assert (fixed.property_order, free.property_order) == ("schema", "any")
        assert make(source, property_order="any") is free
        assert Schema.of(free) is free
        assert free.with_rules([rule("/amount", lambda amount: amount)]).property_order == "any"
        even = [text.replace("1", "2") for text in texts]
        assert [tiny.accepts(fixed, text) for text in even] == [True, False]
        assert [tiny.accepts(free, text) for text in even] == [True, True]
        for order in ("free", None, ["any"]):
            with pytest.raises(ValueError, match='property_order must be "schema" or "any"'):
                make(source, property_order=order)
