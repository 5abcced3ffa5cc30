"""What a user chooses about documents: depth, lengths, the order of attributes, indentation."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
import xmlschema
from lxml import etree

from harmony_gen import Generator, Sampling, Schema, SchemaError, UnsatisfiableError
from harmony_gen.schema import engine

ORDER = Path(__file__).parents[3] / "schemas" / "xml" / "order.xsd"
HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" '
TREE = (
    HEAD + '><xs:element name="node"><xs:complexType><xs:sequence><xs:element ref="node" minOccurs="0" maxOccurs="3"/>'
    '<xs:element name="leaf" type="xs:string" minOccurs="0"/></xs:sequence><xs:attribute name="name" type="xs:token"/>'
    "</xs:complexType></xs:element></xs:schema>"
)
DEEP = (
    HEAD + '><xs:element name="a"><xs:complexType><xs:sequence><xs:element name="b"><xs:complexType><xs:sequence>'
    '<xs:element name="c" type="xs:int"/></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType>'
    "</xs:element></xs:schema>"
)
TEXTS = (
    HEAD + '><xs:element name="t"><xs:complexType mixed="true"><xs:sequence><xs:element name="free" type="xs:string"/>'
    '<xs:element name="long" type="Long"/><xs:element name="short" type="Short"/><xs:element name="words"'
    ' type="xs:NMTOKENS"/></xs:sequence><xs:attribute name="a" type="xs:anyURI" use="required"/></xs:complexType>'
    '</xs:element><xs:simpleType name="Long"><xs:restriction base="xs:string"><xs:minLength value="9"/>'
    '</xs:restriction></xs:simpleType><xs:simpleType name="Short"><xs:restriction base="xs:string">'
    '<xs:maxLength value="30"/></xs:restriction></xs:simpleType></xs:schema>'
)
POINT = (
    HEAD + '><xs:element name="p"><xs:complexType><xs:attribute name="x" type="xs:int" use="required"/>'
    '<xs:attribute name="xy" type="xs:int"/><xs:attribute name="y" type="xs:int" use="required"/></xs:complexType>'
    "</xs:element></xs:schema>"
)


def writes(schema: Schema[object], text: str) -> bool:
    """Whether the grammar has a document."""
    return engine.completes(engine.byte_matcher(schema.grammar), text.encode())


def depth(element: etree._Element) -> int:
    return 1 + max(map(depth, element), default=0)


@pytest.mark.parametrize("most", [1, 2, 4])
def test_documents_are_no_deeper(tiny: Generator, most: int) -> None:
    schema = Schema.from_xsd(TREE, depth=most)
    for seed in range(4):
        result = tiny.generate("x", schema, max_new_tokens=200, sampling=Sampling(temperature=1.0, seed=seed))
        assert depth(result.value) <= most
        assert xmlschema.XMLSchema10(TREE).is_valid(result.text)
    for number in range(1, 6):
        assert writes(schema, "<node>" * (number - 1) + "<node/>" + "</node>" * (number - 1)) == (number <= most)
    assert [caveat.text for caveat in schema.caveats()] == [f"answers leave out elements within {most} others"]


def test_a_depth_that_nothing_reaches_changes_nothing() -> None:
    assert Schema.from_xsd(DEEP, depth=3).grammar == Schema.from_xsd(DEEP).grammar
    assert not Schema.from_xsd(DEEP, depth=3).left_out
    with pytest.raises(UnsatisfiableError, match=r"at most 2 elements open .*Raise depth"):
        Schema.from_xsd(DEEP, depth=2)


@pytest.mark.parametrize("seed", range(3))
def test_texts_without_a_limit_get_one(tiny: Generator, seed: int) -> None:
    schema = Schema.from_xsd(TEXTS, longest_text=5)
    result = tiny.generate("x", schema, max_new_tokens=300, sampling=Sampling(temperature=1.0, seed=seed))
    assert xmlschema.XMLSchema10(TEXTS).is_valid(result.text)
    texts = {place: field.value for place, field in result.fields.items()}
    assert len(texts["/t/free"]) <= 5
    assert len(texts["/t/@a"]) <= 5
    assert len(texts["/t/long"]) >= 9
    assert all(len(text) <= 5 for place, text in texts.items() if "text()" in place)


def test_which_texts_have_a_limit_of_their_own() -> None:
    schema = Schema.from_xsd(TEXTS, longest_text=5)
    document = '<t a="{}">{}<free>{}</free><long>123456789{}</long><short>{}</short><words>{}</words></t>'
    assert writes(schema, document.format("12345", "12345", "&amp;&lt;345", "", "0", "a b c"))
    assert writes(schema, document.format("1", "", "1", "0" * 50, "0" * 30, "a"))  # no text of `long` is so short
    for number, text in enumerate(["123456", "123456", "123456", "", "", "a b cd"]):
        parts = ["1", "", "1", "", "0", "a"]
        parts[number] = text or parts[number]
        assert writes(schema, document.format(*parts)) == (not text)


def test_attributes_in_any_order(tiny: Generator) -> None:
    fixed, free = Schema.from_xsd(POINT), Schema.from_xsd(POINT, attribute_order="any")
    assert (fixed.property_order, free.property_order) == ("schema", "any")
    for order in permutations([' x="1"', ' xy="2"', ' y="3"']):
        text = f"<p{''.join(order)}/>"
        assert writes(free, text)
        assert writes(fixed, text) == (text == '<p x="1" xy="2" y="3"/>')
    assert writes(free, '<p y="1" x="2"/>')
    for text in ('<p y="1"/>', '<p x="1" y="1" x="1"/>', '<p xy="1" x="1"/>'):
        assert not writes(free, text)
    written = set[str]()
    for seed in range(12):
        result = tiny.generate("x", free, max_new_tokens=60, sampling=Sampling(temperature=1.0, seed=seed))
        assert xmlschema.XMLSchema10(POINT).is_valid(result.text)
        written.add(" ".join(result.value.keys()))
    assert len(written) > 1
    assert tiny.accepts(free, '<p y="1" x="2"/>')


def test_too_many_attributes_for_any_order() -> None:
    many = "".join(f'<xs:attribute name="a{number}"/>' for number in range(61))
    source = HEAD + f'><xs:element name="m"><xs:complexType>{many}</xs:complexType></xs:element></xs:schema>'
    schema = Schema.from_xsd(source, attribute_order="any")
    assert "other orders of more than 60 attributes of an element" in schema.left_out
    assert writes(schema, '<m a1="" a60=""/>')


@pytest.mark.parametrize(
    "options", [{"depth": 0}, {"depth": True}, {"longest_text": -1}, {"longest_text": "5"}, {"attribute_order": "no"}]
)
def test_options_that_are_none(options: dict[str, object]) -> None:
    (name,) = options
    with pytest.raises(ValueError, match=name):
        Schema.from_xsd(ORDER, **options)  # type: ignore[arg-type]


MIXED = (
    HEAD + 'targetNamespace="urn:m" xmlns="urn:m" elementFormDefault="qualified"><xs:element name="m"><xs:complexType>'
    '<xs:sequence><xs:element name="p"><xs:complexType mixed="true"><xs:sequence><xs:element name="b" type="xs:string"'
    ' maxOccurs="2"/></xs:sequence></xs:complexType></xs:element><xs:element name="e"><xs:complexType><xs:sequence>'
    '<xs:element name="s" type="xs:string"/></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType>'
    "</xs:element></xs:schema>"
)


def test_documents_in_lines() -> None:
    schema = Schema.from_xsd(MIXED)
    text = '<m xmlns="urn:m"><p>x<b> y </b><b/></p><e><s>\n z</s></e></m>'
    lines = '<m xmlns="urn:m">\n  <p>x<b> y </b><b/></p>\n  <e>\n    <s>\n z</s>\n  </e>\n</m>'
    assert schema.indented(text) == lines
    assert schema.indented(lines, 0) == lines.replace("  ", "")
    assert schema.canonical is not None
    assert schema.canonical(lines) == text
    schema.judge.check(lines)


@pytest.mark.parametrize("seed", range(3))
def test_indented_answers_are_the_same_documents(tiny: Generator, seed: int) -> None:
    schema = Schema.from_xsd(ORDER)
    assert schema.canonical is not None
    result = tiny.generate("x", schema, max_new_tokens=400, sampling=Sampling(temperature=1.0, seed=seed))
    for spaces in (0, 1, 4):
        lines = schema.indented(result.text, spaces)
        schema.judge.check(lines)
        assert schema.canonical(lines) == result.text
        assert len(lines.splitlines()) >= 4


def test_other_answers_are_not_indented() -> None:
    with pytest.raises(SchemaError, match="Only XML"):
        Schema.of({"type": "integer"}).indented("1")
