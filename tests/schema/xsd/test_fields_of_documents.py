"""Values of documents: as fields with their types and probabilities, and as dicts."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from lxml import etree

from harmony_gen import Generator, Sampling, Schema, SchemaError, ValidationError
from harmony_gen.confidence import fields_of
from harmony_gen.decoding.sampling import Choice
from harmony_gen.result import Field

ORDER = Path(__file__).parents[3] / "schemas" / "xml" / "order.xsd"
HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" '
TYPES = (
    HEAD + 'targetNamespace="urn:t" xmlns="urn:t" elementFormDefault="qualified"><xs:element name="t"><xs:complexType>'
    '<xs:sequence><xs:element name="whole" type="xs:int" default="5" maxOccurs="2"/>'
    '<xs:element name="amount" type="xs:decimal" nillable="true" maxOccurs="2"/>'
    '<xs:element name="list" type="Numbers"/><xs:element name="name" type="xs:QName"/><xs:element name="empty">'
    '<xs:complexType><xs:attribute name="yes" type="xs:boolean"/></xs:complexType></xs:element>'
    '<xs:element name="base" type="Base"/><xs:element name="p"><xs:complexType mixed="true"><xs:sequence>'
    '<xs:element name="b" type="xs:date" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>'
    '<xs:any processContents="lax" namespace="##other" minOccurs="0"/></xs:sequence>'
    '<xs:anyAttribute/></xs:complexType></xs:element><xs:attribute name="rate" type="xs:double"/>'
    '<xs:simpleType name="Numbers"><xs:list itemType="xs:int"/></xs:simpleType>'
    '<xs:complexType name="Base"/><xs:complexType name="Sized"><xs:complexContent><xs:extension base="Base">'
    '<xs:attribute name="size" type="xs:int"/></xs:extension></xs:complexContent></xs:complexType></xs:schema>'
)
DOCUMENT = (
    '<t xmlns="urn:t" xmlns:t="urn:t" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" t:rate="1.5">'
    '<whole>7</whole><whole/><amount>24.90</amount><amount xsi:nil="true"/><list>1 2</list><name>t:x</name>'
    '<empty yes="1"/><base xsi:type="Sized" size="3"/><p>on <b>2026-03-14</b></p>{}</t>'
)
STRANGER = '<any:any xmlns:any="urn:any" n="1">two</any:any>'


def fields(schema: Schema[Any], text: str, source: str = "") -> dict[str, Field]:
    """The fields of a text that was written one character a token, each at one half."""
    choices = [(Choice(0, math.log(0.5), math.log(0.25), forced=False), len(char.encode())) for char in text]
    return dict(fields_of(schema.scalars(text.encode()), text.encode(), choices, source))


def test_values_have_their_types() -> None:
    schema = Schema.from_xsd(TYPES)
    text = DOCUMENT.format(STRANGER)
    schema.judge.check(text)
    assert {place: field.value for place, field in fields(schema, text).items()} == {
        "/t/@t:rate": 1.5,
        "/t/whole[1]": 7,
        "/t/whole[2]": 5,
        "/t/amount[1]": Decimal("24.90"),
        "/t/amount[2]/@xsi:nil": "true",
        "/t/amount[2]": None,
        "/t/list": [1, 2],
        "/t/name": "t:x",
        "/t/empty/@yes": True,
        "/t/base/@xsi:type": "Sized",
        "/t/base/@size": 3,
        "/t/p/text()": "on ",
        "/t/p/b": "2026-03-14",
        "/t/any:any/@n": "1",
        "/t/any:any": "two",
    }


def test_texts_among_elements_are_one_field_where_there_is_no_element() -> None:
    text = DOCUMENT.format("").replace("on <b>2026-03-14</b>", "on")
    assert fields(Schema.from_xsd(TYPES), text)["/t/p"].value == "on"
    nothing = DOCUMENT.format("").replace("<p>on <b>2026-03-14</b></p>", "<p/>")
    assert fields(Schema.from_xsd(TYPES), nothing)["/t/p"].value == ""


def test_probabilities_are_those_of_the_value_and_its_end() -> None:
    found = fields(Schema.from_xsd(TYPES), DOCUMENT.format(""))
    assert found["/t/amount[1]"].confidence == pytest.approx(0.5**6)
    assert found["/t/amount[1]"].allowed_mass == pytest.approx(0.25**6)
    assert found["/t/whole[2]"].confidence == pytest.approx(0.5)


def test_sources_are_searched_for_numbers_and_unescaped_texts() -> None:
    schema = Schema.from_xsd(ORDER)
    source = "4711: Weber & Sohn, 2 lamps at 24.9 each"
    text = schema.canonical and schema.canonical(
        '<order xmlns="urn:harmony-gen:order" number="4711"><customer>Weber &amp; Sohn</customer><line item="lamps">'
        '<quantity>2</quantity><price currency="EUR">24.90</price></line><total currency="EUR">49.80</total></order>'
    )
    assert text is not None
    found = {
        place: source[slice(*field.source_span)]
        for place, field in fields(schema, text, source).items()
        if field.source_span is not None
    }
    assert found == {
        "/order/@number": "4711",
        "/order/customer": "Weber & Sohn",
        "/order/line/@item": "lamps",
        "/order/line/quantity": "2",
        "/order/line/price": "24.9",
    }


@pytest.mark.parametrize("seed", range(3))
def test_fields_of_answers(tiny: Generator, seed: int) -> None:
    schema = Schema.from_xsd(ORDER)
    result = tiny.generate("x", schema, max_new_tokens=400, sampling=Sampling(temperature=1.0, seed=seed))
    root = etree.fromstring(result.text.encode())
    assert "/order/@number" in result.fields
    assert list(result.fields) == sorted(result.fields, key=lambda place: result.fields[place].text_span)
    for place, field in result.fields.items():
        steps = place.split("/")[2:]
        (node,) = root.xpath(
            "/o:order" + "".join(f"/{step if step[0] == '@' else 'o:' + step}" for step in steps),
            namespaces={"o": "urn:harmony-gen:order"},
        )
        assert field.pointer == place
        assert (node if isinstance(node, str) else node.text) == etree.fromstring(
            f"<x>{result.text[slice(*field.text_span)]}</x>"
        ).text
        assert 0 <= field.confidence <= 1
        assert 0 <= field.allowed_mass <= 1


def test_documents_as_dicts(tiny: Generator) -> None:
    schema = Schema.from_xsd(ORDER)
    document = ORDER.with_suffix(".xml").read_text("utf-8").partition("?>")[2]
    found = schema.to_dict(document)
    assert found["@number"] == "4711"
    assert found["line"][0]["price"] == {"@currency": "EUR", "$": Decimal("24.90")}
    assert schema.to_dict(etree.fromstring(document.strip())) == found
    element = ET.fromstring(document.strip())  # noqa: S314 - it is our own
    plain = schema.to_dict(element)
    assert plain["{urn:harmony-gen:order}customer"] == "Anna Weber"
    result = tiny.generate("x", schema, max_new_tokens=200)
    assert schema.to_dict(result.text) == schema.to_dict(result.value)


@pytest.mark.parametrize("text", ["<order/>", "nothing", '<order xmlns="urn:harmony-gen:order"/>'])
def test_invalid_documents_are_no_dicts(text: str) -> None:
    with pytest.raises(ValidationError):
        Schema.from_xsd(ORDER).to_dict(text)
    if text.startswith("<"):
        with pytest.raises(ValidationError):
            Schema.from_xsd(ORDER).to_dict(etree.fromstring(text))


def test_other_answers_are_no_dicts() -> None:
    with pytest.raises(SchemaError, match="take the value itself"):
        Schema.of({"type": "object"}).to_dict("{}")


def test_plain_texts_have_no_fields(tiny: Generator) -> None:
    assert tiny.generate("x", Schema.from_regex("[a-z]{3}")).fields == {}
