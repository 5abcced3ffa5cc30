"""Quotations: strings that are spans of the source by construction."""

from __future__ import annotations

import copy
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from harmony_gen import Generator, Sampling, Schema, SchemaError, Verbatim, rule, verbatim
from harmony_gen.checksums import iban, luhn
from harmony_gen.schema import engine
from harmony_gen.schema.json_schema import subschemas
from harmony_gen.schema.strings.factors import factors
from harmony_gen.schema.strings.language import Language
from harmony_gen.schema.verbatim import has_quotations, with_places

SOURCE = 'The board said "no",\nthen \\ "maybe"\u2028 on 3 May. 董事会说“也许”。 Emoji: 👩‍🚀 done.'


class Claim(BaseModel):
    quote: Annotated[str, Verbatim(), Field(min_length=4)]
    speaker: Annotated[str, Verbatim()] | None
    score: int = Field(ge=0, le=9)


SCHEMA = {
    "type": "object",
    "properties": {
        "quotes": {"type": "array", "items": {"type": "string", "x-verbatim": True}, "minItems": 1, "maxItems": 2},
        "note": {"type": ["string", "null"]},
    },
    "required": ["quotes", "note"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("seed", range(5))
def test_quotations_stand_in_the_source(tiny: Generator, seed: int) -> None:
    sampling = Sampling(temperature=1.0, seed=seed)
    result = tiny.generate("x", Claim, source=SOURCE, sampling=sampling, max_new_tokens=80)
    assert result.value.quote in SOURCE
    assert len(result.value.quote) >= 4
    span = result.fields["/quote"].source_span
    assert span is not None
    assert SOURCE[slice(*span)] == result.value.quote
    assert result.value.speaker is None or result.value.speaker in SOURCE
    found = tiny.generate(SOURCE, SCHEMA, sampling=sampling, rules=[verbatim("/note")], max_new_tokens=120).value
    assert all(quote and quote in SOURCE for quote in [*found["quotes"], *filter(None, [found["note"]])])


class Person(BaseModel):
    name: str
    nickname: str | None
    email: Annotated[str, Field(pattern="@")]
    role: Literal["guest", "host"]
    born: date
    friends: list[Person] = []
    notes: dict[str, str]


@pytest.mark.parametrize("seed", range(3))
def test_all_plain_strings_quote(tiny: Generator, seed: int) -> None:
    sampling = Sampling(temperature=1.0, seed=seed)
    people = [tiny.generate(SOURCE, Person, sampling=sampling, rules=[verbatim("/**")], max_new_tokens=300).value]
    for person in people:
        people += person.friends
        assert person.name in SOURCE
        assert person.nickname is None or person.nickname in SOURCE
        assert all(note in SOURCE for note in person.notes.values())


def test_quoting_everywhere_leaves_alone_what_no_text_need_hold() -> None:
    other = [{"enum": ["a"]}, {"pattern": "a"}, {"format": "date"}, {"anyOf": [True]}, {"$ref": "#/properties/plain"}]
    schema = {
        "properties": {
            "plain": {"type": "string"},
            "not": {"type": ["string", "null"], "maxLength": 9},
            "strict": {"type": "string", "x-verbatim": False},
            **{str(number): {"type": "string", **more} for number, more in enumerate(other)},
        },
        "propertyNames": {"type": "string"},
        "not": {"type": "string"},
        "if": {"contains": {"type": "string"}},
        "then": {"items": {"type": "string"}},
    }
    given = copy.deepcopy(schema)
    quoting = with_places(schema, [verbatim("/**")])
    assert schema == given
    told = {"/".join(map(str, path)) for path, part in subschemas(quoting) if part.get("x-verbatim") is True}
    assert told == {"properties/plain", "properties/not", "then/items"}
    with_other = with_places(schema, [verbatim("/**"), verbatim("/0")])
    assert with_other["allOf"] == [{"properties": {"0": {"x-verbatim": True}}}]


NAME = {"type": "string"}


@pytest.mark.parametrize(
    "schema",
    [
        {"oneOf": [NAME, {"type": "string", "pattern": "^a"}]},
        {"type": ["string", "null"], "not": {"type": "string", "pattern": "^a"}},
        {"properties": {"a": NAME}, "not": {"properties": {"a": NAME}, "required": ["a"]}, "type": "object"},
        {"if": NAME, "then": {"maxLength": 2}, "else": {"type": "null"}},
    ],
)
def test_quoting_everywhere_admits_nothing_that_the_schema_refuses(schema: dict[str, Any]) -> None:
    plain = Schema.from_json_schema(schema)
    quoting = plain.quoting([verbatim("/**")])
    quoting = quoting.bound("board") if has_quotations(quoting.json_schema) else quoting
    for text in ('"a"', '"ab"', '"abc"', '"zz"', '"zzz"', "null", "{}", '{"a":"zz"}', '{"a":"bo"}', '{"a":1}'):
        assert plain.judge.accepts(text) or not quoting.judge.accepts(text), text


def test_references_below_negations_are_refused_by_name() -> None:
    schema = {"type": ["string", "null"], "$defs": {"a": NAME}, "not": {"$ref": "#/$defs/a"}}
    with pytest.raises(SchemaError, match="a reference at /not, below contains, if, not, oneOf"):
        Schema.from_json_schema(schema).quoting([verbatim("/**")])


def test_every_part_of_a_source_is_within_reach() -> None:
    schema = Schema.from_json_schema({"type": "string", "x-verbatim": True}).bound(SOURCE)
    matcher = engine.byte_matcher(schema.grammar)
    for start in range(0, len(SOURCE), 3):
        for end in range(start + 1, len(SOURCE) + 1, 7):
            text = spelled(SOURCE[start:end])
            assert engine.completes(matcher, text)
            assert schema.judge.accepts(text)
    for other in ("", "board  said", SOURCE + ".", "maybe\u2029", "也许。"):
        assert not engine.completes(matcher, spelled(other))
        assert not schema.judge.accepts(spelled(other))


def spelled(text: str) -> bytes:
    from harmony_gen.schema.strings.terminals import spell

    return spell(text).encode()


def test_quotations_keep_other_keywords_and_references() -> None:
    inner = {"$ref": "#/$defs/word"}
    words = {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5}
    kinds = {"all": {"type": "array", "items": inner}, "word": words}
    schema = Schema.from_json_schema({"$ref": "#/$defs/all", "$defs": kinds})
    bound = schema.quoting([verbatim("/*")]).bound("abc Def ghijklm")
    matcher = engine.byte_matcher(bound.grammar)
    assert engine.completes(matcher, b'["abc","ef","hijkl"]')
    for wrong in (b'["Def"]', b'["hijklm"]', b'["xyz"]', b'[""]'):
        assert not engine.completes(matcher, wrong)
        assert not bound.judge.accepts(wrong)
    assert bound.description == schema.quoting([verbatim("/*")]).description


def test_languages_of_quotations() -> None:
    quotations = factors("banana")
    assert "nan" in quotations
    assert "" not in quotations
    assert factors("") is Language.NONE
    assert list(quotations.completions("na")) == [""]
    longer = quotations & Language.lengths(4)
    assert all("n" + rest in "banana" and len(rest) >= 3 for rest in longer.completions("n"))
    assert "band" in ~quotations
    assert not (quotations & Language.of(["xyz"])).values
    assert (quotations & Language.of(["ana", "xyz"])).values == {"ana"}
    assert quotations.limits == (1, 6)
    assert not quotations.is_empty()


def test_examples_quote_their_own_texts(tiny: Generator) -> None:
    from harmony_gen.request import request_of

    request = request_of("prompt text", SCHEMA, examples=[("some words", {"quotes": ["words"], "note": None})])
    assert request.examples == (("some words", '{"quotes":["words"],"note":null}'),)


def test_nothing_can_be_quoted_from_nothing(tiny: Generator) -> None:
    with pytest.raises(SchemaError, match="the source is empty"):
        tiny.generate("x", SCHEMA, source="")


@pytest.mark.parametrize("place", ["quote", "/a~2", "a/b"])
def test_other_places_are_none(place: str) -> None:
    with pytest.raises(ValueError, match="JSON Pointer"):
        verbatim(place)


def test_quotations_need_json(tiny: Generator) -> None:
    with pytest.raises(SchemaError, match="answers in JSON"):
        tiny.generate("x", Schema.from_regex("a+"), rules=[verbatim("/a")])


@pytest.mark.parametrize("text", ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "NO9386011117947"])
def test_account_numbers(text: str) -> None:
    iban(text)
    with pytest.raises(ValueError, match="check digits"):
        iban(text[:-1] + str((int(text[-1]) + 1) % 10))


@pytest.mark.parametrize("text", ["", "DE8937", "de89370400440532013000", "DE89 3704-0044"])
def test_other_texts_are_no_account_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="an IBAN has"):
        iban(text)


@pytest.mark.parametrize("text", ["4539 1488 0343 6467", "79927398713", 18, "0", "4012-8888-8888-1881"])
def test_numbers_with_a_check_digit(text: str | int) -> None:
    luhn(text)
    plain = str(text)
    with pytest.raises(ValueError, match="check digit"):
        luhn(plain[:-1] + str((int(plain[-1]) + 1) % 10))


@pytest.mark.parametrize("text", ["", "abc", "12a", "١٨"])
def test_other_texts_have_no_check_digit(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        luhn(text)


def test_checksums_hold_while_decoding(tiny: Generator) -> None:
    card = {"type": "string", "pattern": "^[0-9]{3}$", "examples": ["018"]}
    schema = {"type": "object", "properties": {"card": card}, "required": ["card"]}
    for seed in range(4):
        sampling = Sampling(temperature=1.0, seed=seed)
        result = tiny.generate("x", schema, rules=[rule("/card", luhn)], sampling=sampling)
        luhn(result.value["card"])
        assert all("check digit" in item.reason for item in result.rejections)
