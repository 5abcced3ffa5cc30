"""Answers that hold only what the source states: quotations, its numbers, dates and addresses."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, Field, field_validator

from harmony_gen import Generator, Sampling, Schema, SchemaError, addresses, rule
from harmony_gen.calendar_dates import mentioned
from harmony_gen.grounding import locate, numbers
from harmony_gen.loaded_model import GROUNDS
from harmony_gen.schema import engine
from harmony_gen.schema.grounded import grounded
from harmony_gen.schema.strings.factors import factors
from harmony_gen.schema.strings.format_checks import is_valid
from harmony_gen.schema.strings.terminals import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = "Acme Ltd, 3 March 2026. Twenty-five chairs at 1,250.50 EUR, 12 % VAT; from 1 to 7 October. 共3.5万元。"


class Line(BaseModel):
    name: str
    quantity: int | None
    price: Annotated[float, Field(ge=0)]


class Paper(BaseModel):
    seller: str = Field(max_length=40)
    issued: date
    due: date | None
    paid: bool
    kind: Literal["invoice", "note"]
    email: Annotated[str, Field(pattern="@")]
    lines: list[Line]
    sums: dict[str, float]


@pytest.mark.parametrize("seed", range(4))
def test_values_stand_in_the_source(tiny: Generator, seed: int) -> None:
    sampling = Sampling(temperature=1.0, seed=seed)
    paper = tiny.generate(SOURCE, Paper, grounded=True, sampling=sampling, max_new_tokens=400).value
    stated = {float(number) for number in numbers(SOURCE)}
    assert paper.seller in SOURCE
    assert {paper.issued, paper.due} - {None} <= {date(2026, 3, 3), date(2026, 10, 1), date(2026, 10, 7)}
    assert all(line.name in SOURCE for line in paper.lines)
    assert {line.quantity for line in paper.lines} - {None} <= stated
    assert {line.price for line in paper.lines} | set(paper.sums.values()) <= stated


@pytest.mark.parametrize("seed", range(3))
def test_what_the_source_does_not_state_is_free(tiny: Generator, seed: int) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 10}, "day": {"type": "string", "format": "date"}},
        "required": ["n", "day"],
        "additionalProperties": False,
    }
    found = tiny.generate("five, no day", schema, grounded=True, sampling=Sampling(temperature=1.0, seed=seed)).value
    assert found["n"] >= 10
    assert date.fromisoformat(found["day"])


class Deal(BaseModel):
    price: float | None
    day: date | None
    until: date | int | None
    free: Annotated[int | None, Field(json_schema_extra={"x-verbatim": False})]


def test_what_may_be_null_is_null_where_the_source_states_nothing(tiny: Generator) -> None:
    for seed in range(4):
        sampling = Sampling(temperature=1.0, seed=seed)
        deal = tiny.generate("seven, perhaps", Deal, grounded=True, sampling=sampling).value
        assert deal.price in (7, None)
        assert deal.day is None
        assert deal.until in (7, None)
    found = grounded({"properties": {"n": {"type": ["integer", "null"]}, "m": {"type": "integer"}}}, "none")
    assert found["properties"] == {"n": {"type": ["integer", "null"], "enum": [None]}, "m": {"type": "integer"}}


def test_only_what_is_asserted_is_changed() -> None:
    schema = {
        "properties": {
            "name": {"type": "string"},
            "free": {"type": "string", "x-verbatim": False},
            "other": {"type": "number", "x-verbatim": False},
            "code": {"type": "string", "pattern": "a"},
            "count": {"type": ["integer", "null"], "maximum": 100},
            "odd": {"type": "integer", "multipleOf": 99},
            "none": {"anyOf": [{"type": "integer", "multipleOf": 99}, {"type": "null"}]},
            "rate": {"type": "number", "exclusiveMaximum": 1},
            "day": {"type": ["string", "null"], "format": "date"},
            "at": {"type": "string", "format": "date-time"},
            "mail": {"type": "string", "format": "email", "minLength": 9},
            "site": {"type": ["string", "null"], "format": "uri", "maxLength": 20},
            "quoted": {"type": "string", "format": "uri", "x-verbatim": True},
            "secure": {"type": "string", "format": "uri", "pattern": "^https"},
            "id": {"type": "string", "format": "uuid"},
            "mixed": {"type": ["string", "number"], "pattern": "a"},
            "one": {"enum": [1, 2]},
            "any": {},
        },
        "not": {"required": ["x"], "properties": {"x": {"type": "number"}}},
        "additionalProperties": {"type": "number"},
    }
    text = "8 of 500 at 12 % on 2024-03-05: www.acme.com, a@b.de, jo@acme.com, https://acme.com/terms"
    properties = schema["properties"]
    found = grounded(schema, text)
    changed = {name: part for name, part in found["properties"].items() if part != properties[name]}
    days = [5, 8, 12]
    assert changed == {
        "name": {"type": "string", "x-verbatim": text, "x-whole-words": True},
        "count": {**properties["count"], "enum": [3, *days, None]},
        "none": {"anyOf": [{"type": "null"}]},
        "rate": {**properties["rate"], "enum": [0.12]},
        "day": {**properties["day"], "enum": ["2024-03-05", None]},
        "at": {**properties["at"], "pattern": "^(2024-03-05)"},
        "mail": {**properties["mail"], "enum": ["jo@acme.com"]},
        "site": {**properties["site"], "enum": ["https://www.acme.com", None]},
    }
    assert found["not"] == schema["not"]
    assert found["additionalProperties"]["enum"][-1] == 2024


NUMBER = {"type": "number"}


@pytest.mark.parametrize(
    "schema",
    [
        {"oneOf": [NUMBER, {"type": "number", "minimum": 7}]},
        {"type": ["number", "null"], "not": {"type": "number", "minimum": 7}},
        {"properties": {"a": NUMBER}, "not": {"properties": {"a": NUMBER}, "required": ["a"]}, "type": "object"},
        {"if": NUMBER, "then": {"maximum": 7}, "else": {"type": "null"}},
        {"$defs": {"n": NUMBER}, "oneOf": [{"$ref": "#/$defs/n"}, {"type": "number", "minimum": 7}]},
        {"anyOf": [{"properties": {"a": NUMBER}}, {"type": "object"}], "unevaluatedProperties": {"type": "null"}},
        {"type": "array", "contains": NUMBER, "maxContains": 1},
        {"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": {"type": "string"}},
    ],
)
def test_grounding_admits_nothing_that_the_schema_refuses(schema: dict[str, Any]) -> None:
    plain = Schema.from_json_schema(schema)
    strict = plain.bound("3 or 8 boards", is_grounded=True)
    values = ["3", "5", "8", "9", "null", '"x"', '"boards"']
    lists = [f"[{', '.join(pair)}]" for pair in combinations(values, 2)]
    for text in (*values, *lists, "{}", *(f'{{"a": {value}}}' for value in values)):
        assert plain.judge.accepts(text.encode()) or not strict.judge.accepts(text.encode()), text


@given(
    st.integers(-(10**12), 10**12), st.sampled_from(["{}", "{:,}", "{} %", "{}k", "{} million"]), st.text(max_size=8)
)
def test_every_number_that_is_found_is_stated(number: int, spelling: str, around: str) -> None:
    source = f"{around} {spelling.format(number)} {around}"
    stated = numbers(source)
    for value in (number, number / 100, number * 1000, number * 10**6):
        if locate(value, source) is not None:
            assert Decimal(str(value)) in stated


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("twenty-five", {25, 20, 5}),
        ("a hundred and twenty-one", {121, 20, 1}),
        ("two thousand three hundred", {2300, 2, 3}),
        ("two dozen", {24, 2}),
        ("a million", {1000000}),
        ("one and a half", {1.5}),
        ("thirteen", {13}),
        ("二十五", {25}),
        ("两百三十", {230}),
        ("十二万", {120000}),
        ("二〇二四", {2024}),
        ("1.234.567 and 12.345,6", {1234567, 1.234, 567, 12345.6, 12.345, 6}),
        ("2’500", {2500, 2, 500}),
        ("twice daily in the third quarter", {2, 3}),
        ("no figures", set()),
    ],
)
def test_numbers_are_read_in_many_spellings(text: str, expected: set[float]) -> None:
    assert {float(number) for number in numbers(text)} >= expected
    assert expected or not numbers(text)


def test_a_scale_behind_figures_is_no_number_itself() -> None:
    assert numbers("8 million") == {8, 8_000_000}
    assert locate(1_000_000, "8 million, then 1 million") == (16, 25)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 March 2026", "2026-03-03"),
        ("from 1 to 7 October 2024", "2024-10-01 2024-10-07"),
        ("October 1-3, 2024", "2024-10-01 2024-10-03"),
        ("1 May to 2 June, all of 2024", "2024-05-01 2024-06-02"),
        ("March 2024", "2024-03-01"),
        ("2026年3月15日，4月1日至3日", "2026-03-15 2026-04-01 2026-04-03"),
        ("自2016.08.31起", "2016-08-31"),
        ("二〇二六年十月二十六日", "2026-10-26"),
        ("2019-05-09T05:11:44Z", "2019-05-09"),
        ("7 October", ""),
        ("31 February 2024", "2024-02-01"),
    ],
)
def test_days_are_read_in_many_spellings(text: str, expected: str) -> None:
    assert sorted(day.isoformat() for day in mentioned(text)) == expected.split()


ADDRESSES = """E-mail:jo.weber@acme.co.uk. Or max (at) post [dot] de; 邮箱wang@x.cn，网址www.x.cn/a。 At 5 p.m.
See [it](https://docs.x.io/a_(b)?q=1&r=2#top), "http://y.org", <mailto:ann@z.net>, note:this. Müller.de
10.0.0.1, 999.1.1.1, 1.2.3.4.5 fe80::1ff:890a, at 12:30 550e8400-e29b-41d4-a716-446655440000!"""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("email", "jo.weber@acme.co.uk max@post.de wang@x.cn ann@z.net"),
        ("idn-email", "jo.weber@acme.co.uk max@post.de 邮箱wang@x.cn wang@x.cn ann@z.net"),
        ("uri", "https://www.x.cn/a https://docs.x.io/a_(b)?q=1&r=2#top http://y.org mailto:ann@z.net"),
        ("ipv4", "10.0.0.1"),
        ("ipv6", "fe80::1ff:890a"),
        ("uuid", "550e8400-e29b-41d4-a716-446655440000"),
    ],
)
def test_addresses_are_read_as_texts_spell_them(kind: str, expected: str) -> None:
    found = addresses.mentioned(ADDRESSES, kind)
    assert [address for address in found if is_valid(kind, address)] == expected.split()


@pytest.mark.parametrize(
    ("address", "spelled"),
    [
        ("max@post.de", "max (at) post [dot] de"),
        ("https://www.x.cn/a", "www.x.cn/a"),
        ("http://y.org", "http://y.org"),
        ("https://nowhere.org", None),
        ("ann@z.org", None),
    ],
)
def test_addresses_are_located_however_they_are_spelled(address: str, spelled: str | None) -> None:
    span = locate(address, ADDRESSES)
    assert (span and ADDRESSES[slice(*span)]) == spelled
    assert locate("https://", "no site") is None


def test_hosts_are_words_and_sites_of_any_script() -> None:
    assert addresses.mentioned("host db-01.intern, 公司.com.", "hostname") == ["host", "db-01.intern", "com"]
    assert "公司.com" in addresses.mentioned("host db-01.intern, 公司.com.", "idn-hostname")
    assert "https://Müller.de" in addresses.mentioned(ADDRESSES, "iri")


@pytest.mark.parametrize("kind", sorted(addresses.FORMATS))
def test_addresses_are_found_in_linear_time(kind: str) -> None:
    started = time.process_time()
    for part in ("a", "a.b-", "a_", "1.", ":", "a:", "(at)", "x@", "http://a", ")", "( "):
        addresses.mentioned(part * (100_000 // len(part)), kind)
    assert time.process_time() - started < 3


class Contact(BaseModel):
    email: Annotated[str, Field(json_schema_extra={"format": "email"})]
    site: AnyUrl | None
    id: UUID | None


def test_addresses_stand_in_the_source(tiny: Generator) -> None:
    for seed in range(4):
        sampling = Sampling(temperature=1.0, seed=seed)
        contact = tiny.generate("jo@x.de or ann@y.de", Contact, grounded=True, sampling=sampling).value
        assert contact.email in ("jo@x.de", "ann@y.de")
        assert contact.site is None
        assert contact.id is None


@pytest.fixture
def grounding(tiny: Generator) -> Iterator[Generator]:
    """A model whose answers are grounded by default."""
    setattr(tiny._model.config, GROUNDS, True)
    yield tiny
    delattr(tiny._model.config, GROUNDS)


LIST = {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 3}


def drawn(generator: Generator, schema: Any, text: str = "There are 7 or 8.", **options: Any) -> list[Any]:
    """Answers of several seeds."""
    samples = (Sampling(temperature=1.0, seed=seed) for seed in range(6))
    return [generator.generate(text, schema, sampling=sampling, **options).value for sampling in samples]


def test_a_model_may_ask_for_it(grounding: Generator) -> None:
    assert {number for found in drawn(grounding, LIST) for number in found} <= {7, 8}
    assert not {number for found in drawn(grounding, LIST, grounded=False) for number in found} <= {7, 8}
    assert {number for found in drawn(grounding, list[int]) for number in found} <= {7, 8}
    batch = grounding.generate_batch(["There are 7.", "There are 8."], LIST)
    assert [result.value for result in batch] == [[7] * 3, [8] * 3]  # type: ignore[union-attr]


def test_the_default_gives_way_where_nothing_else_could_be_finished(grounding: Generator) -> None:
    for found in drawn(grounding, {**LIST, "uniqueItems": True}):
        assert len(set(found)) == 3
    long = "The sum is 123456789123456."
    assert drawn(grounding, {"type": "integer"}, long, max_new_tokens=3) != [123456789123456] * 6
    assert set(drawn(grounding, {"type": "integer"}, long)) == {123456789123456}


class Even(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def is_even(cls, number: int) -> int:
        if number % 2:
            raise ValueError("odd")
        return number


def test_the_default_leaves_rules_and_validators_their_choice(grounding: Generator) -> None:
    assert grounding.generate("There are 7.", Even).value.number % 2 == 0
    found = grounding.generate("There are 7.", {"type": "integer"}, rules=[rule("", lambda value: value == 4)])
    assert found.value == 4


def test_what_cannot_be_grounded_is_refused_by_name(tiny: Generator) -> None:
    with pytest.raises(SchemaError, match="Only answers in JSON can be grounded"):
        tiny.generate("7", Schema.from_regex("[0-9]"), grounded=True)
    with pytest.raises(TypeError, match="grounded must be True, False or None"):
        tiny.generate("7", int, grounded="yes")  # type: ignore[call-overload]
    assert tiny.generate("7", Schema.from_regex("[0-9]")).value.isdigit()


WORDS = 'Café  Rouge-Noir (12kg), "Anna\'s"\n\t行政部 a/b'


def test_grounded_strings_are_whole_words() -> None:
    schema = Schema.from_json_schema({"type": "string", "maxLength": 14}).bound(WORDS, is_grounded=True)
    matcher = engine.byte_matcher(schema.grammar)
    whole = {"Café", "Rouge", "Rouge-Noir", "Noir (12kg", "12", "kg", '"Anna\'s"', "Anna", "政", "行政部", "a/b", "/"}
    torn = {
        "Caf",
        "é",
        "ouge",
        "Rou",
        "1",
        "2kg",
        " Rouge",
        "Rouge ",
        "Café ",
        "\n",
        "\t行",
        " ",
        "nna",
        "s a",
        "x",
        "",
    }
    for text in whole | torn:
        spelled = spell(text).encode()
        assert engine.completes(matcher, spelled) == (text in whole), text
        assert schema.judge.accepts(spelled) == (text in whole), text


def test_every_beginning_of_whole_words_can_be_finished(tiny: Generator) -> None:
    for seed in range(8):
        sampling = Sampling(temperature=1.5, seed=seed)
        found = tiny.generate(WORDS, list[str], grounded=True, sampling=sampling, max_new_tokens=20).value
        assert all(part in factors(WORDS, whole=True) for part in found)


ESCAPED = "path C:\\n and\nerror \\n\nend\\"


def test_a_backslash_is_no_beginning_of_white_space(tiny: Generator) -> None:
    schema = Schema.from_json_schema({"type": "string"}).bound(ESCAPED, is_grounded=True)
    matcher = engine.byte_matcher(schema.grammar)
    for text in ("C:\\n", "error \\n", "\\n", "end\\", "\\"):
        assert schema.judge.accepts(spell(text).encode()), text
        assert engine.completes(matcher, spell(text).encode()), text
    for text in ("and\n", "\nerror", "\n"):
        assert not engine.completes(matcher, spell(text).encode()), text
    for seed in range(8):
        sampling = Sampling(temperature=1.5, seed=seed)
        assert tiny.generate(ESCAPED, str, grounded=True, sampling=sampling, max_new_tokens=9).value in ESCAPED
