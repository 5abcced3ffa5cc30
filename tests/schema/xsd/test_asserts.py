"""Assertions of XML Schema 1.1: answers keep them, whatever the model wants, and errors name them."""

from __future__ import annotations

import re

import pytest
import xmlschema

from harmony_gen import BudgetError, Generator, Sampling, Schema, SchemaError, UnsatisfiableError
from harmony_gen.schema.markup.scan import DocumentScan

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
RANGE = (
    '<xs:attribute name="min" type="xs:int" use="required"/><xs:attribute name="max" type="xs:int" use="required"/>'
    '<xs:assert test="@min le @max"/>'
)


def element(name: str, content: str) -> str:
    return f'<xs:element name="{name}"><xs:complexType>{content}</xs:complexType></xs:element>'


def schema(*parts: str) -> str:
    return f"{HEAD}{''.join(parts)}</xs:schema>"


SOURCES = {
    "range": schema(element("r", RANGE)),
    "ranges": schema(
        '<xs:element name="all"><xs:complexType><xs:sequence maxOccurs="2">'
        + element("r", RANGE)
        + '</xs:sequence><xs:assert test="every $r in r satisfies $r/@max lt 1000"/></xs:complexType></xs:element>'
    ),
    "count": schema(
        element(
            "list",
            '<xs:sequence><xs:element name="item" type="xs:string" minOccurs="0" maxOccurs="9"/></xs:sequence>'
            '<xs:assert test="count(item) ge 3 and count(item) le 5"/>',
        )
    ),
    "conditional": schema(
        element(
            "pay",
            '<xs:sequence><xs:element name="card" type="xs:int" minOccurs="0"/>'
            '<xs:element name="iban" type="xs:token" minOccurs="0"/></xs:sequence>'
            '<xs:attribute name="by" use="required"><xs:simpleType><xs:restriction base="xs:string">'
            '<xs:enumeration value="card"/><xs:enumeration value="transfer"/></xs:restriction></xs:simpleType>'
            """</xs:attribute><xs:assert test="if (@by = 'card') then card and not(iban) else iban and not(card)"/>""",
        )
    ),
    "value": schema(
        '<xs:simpleType name="even"><xs:restriction base="xs:int"><xs:assertion test="$value mod 2 eq 0"/>'
        "</xs:restriction></xs:simpleType>",
        element("e", '<xs:sequence><xs:element name="n" type="even" maxOccurs="3"/></xs:sequence>'),
    ),
    "dates": schema(
        element(
            "stay",
            '<xs:sequence><xs:element name="from" type="xs:date"/><xs:element name="to" type="xs:date"/></xs:sequence>'
            '<xs:assert test="from lt to"/>',
        )
    ),
    "length": schema(
        element(
            "note",
            '<xs:choice maxOccurs="unbounded"><xs:element name="a" type="xs:string"/>'
            '<xs:element name="b" type="xs:string"/></xs:choice><xs:assert test="a and string-length(b[1]) ge 4"/>',
        )
    ),
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("seed", range(3))
def test_answers_of_a_random_model_keep_assertions(tiny: Generator, name: str, seed: int) -> None:
    compiled = Schema.from_xsd(SOURCES[name])
    with pytest.raises(BudgetError) as caught:
        tiny.generate("x", compiled, max_new_tokens=2)
    budget = caught.value.needed + (0, 15, 40)[seed]
    result = tiny.generate("x", compiled, max_new_tokens=budget, sampling=Sampling(temperature=1.0, seed=seed))
    assert len(result.tokens) <= budget
    assert xmlschema.XMLSchema11(SOURCES[name]).is_valid(result.text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("range", '<r min="5" max="5"/>'),
        ("range", '<r min="17" max="230"/>'),
        ("count", "<list><item>a</item><item>b</item><item>c</item><item>d</item></list>"),
        ("conditional", '<pay by="card"><card>17</card></pay>'),
        ("conditional", '<pay by="transfer"><iban>DE1</iban></pay>'),
        ("value", "<e><n>14</n><n>-6</n></e>"),
        ("dates", "<stay><from>2026-05-01</from><to>2026-05-03</to></stay>"),
        ("length", "<note><b>long</b><a>x</a></note>"),
    ],
)
def test_what_keeps_assertions_is_within_reach(tiny: Generator, name: str, text: str) -> None:
    assert tiny.accepts(Schema.from_xsd(SOURCES[name]), text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("range", '<r min="6" max="5"/>'),
        ("count", "<list><item>a</item><item>b</item></list>"),
        ("conditional", '<pay by="card"><iban>DE1</iban></pay>'),
        ("value", "<e><n>14</n><n>7</n></e>"),
        ("dates", "<stay><from>2026-05-01</from><to>2026-05-01</to></stay>"),
    ],
)
def test_what_breaks_them_is_not_and_the_element_is_refused_as_it_closes(tiny: Generator, name: str, text: str) -> None:
    compiled = Schema.from_xsd(SOURCES[name])
    assert not tiny.accepts(compiled, text)
    scan, closed = DocumentScan().feed(text.encode())
    (rule,) = compiled.rules
    rejection = rule.rejects(text.encode(), scan, closed)
    assert rejection is not None
    assert "breaks the condition" in rejection.reason


def test_coverage_says_what_is_checked() -> None:
    assert Schema.from_xsd(SOURCES["range"]).coverage == {
        "": "masked",
        "/r/assert[@min le @max]": "checked",
        "/xs:schema/version 1.1": "checked",
    }


def test_assertions_that_nothing_satisfies_are_named() -> None:
    source = schema(
        element("r", '<xs:attribute name="n" type="xs:int" use="required"/><xs:assert test="@n lt 5 and @n gt 6"/>')
    )
    with pytest.raises(UnsatisfiableError, match=re.escape("/r/assert[@n lt 5 and @n gt 6]")):
        Schema.from_xsd(source).witness()


def test_conditions_that_are_no_xpath_are_refused() -> None:
    source = schema(element("r", '<xs:assert test="@n lt"/>'))
    with pytest.raises(SchemaError, match=r"xs:assert: .* unexpected end"):
        Schema.from_xsd(source)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('<xs:all><xs:element name="b" maxOccurs="2"/></xs:all>', "xs:all"),
        ("<xs:openContent><xs:any/></xs:openContent><xs:sequence/>", "xs:openContent"),
        ('<xs:sequence><xs:any notQName="b"/></xs:sequence>', "notQName"),
    ],
)
def test_other_constructs_beside_assertions_are_refused_by_name(content: str, name: str) -> None:
    with pytest.raises(SchemaError, match="which is XML Schema 1") as caught:
        Schema.from_xsd(schema(element("r", content + '<xs:assert test="true()"/>')))
    assert caught.value.keyword == name


def test_a_schema_may_ask_for_the_newer_version(tiny: Generator) -> None:
    versioned = SOURCES["range"].replace(
        "<xs:schema", '<xs:schema xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1"'
    )
    assert tiny.accepts(Schema.from_xsd(versioned), '<r min="1" max="2"/>')


def test_assertions_beside_keys(tiny: Generator) -> None:
    source = schema(
        '<xs:element name="all"><xs:complexType><xs:sequence>'
        '<xs:element name="r" maxOccurs="3"><xs:complexType>' + RANGE + "</xs:complexType></xs:element></xs:sequence>"
        '</xs:complexType><xs:key name="k"><xs:selector xpath="r"/><xs:field xpath="@min"/></xs:key></xs:element>'
    )
    compiled = Schema.from_xsd(source)
    assert compiled.validate(compiled.witness()) is not None
    result = tiny.generate("x", compiled, max_new_tokens=60, sampling=Sampling(temperature=1.0, seed=1))
    assert xmlschema.XMLSchema11(source).is_valid(result.text)
