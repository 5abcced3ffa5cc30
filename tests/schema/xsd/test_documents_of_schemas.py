"""XML Schemas end to end: what is written is valid, for two validators, and ends within the budget."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from lxml import etree

from harmony_gen import (
    BudgetError,
    Generator,
    MissingExtra,
    Sampling,
    Schema,
    SchemaError,
    UnsatisfiableError,
    ValidationError,
)
from harmony_gen.request import request_of
from harmony_gen.schema import engine

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" '

ORDER = (
    HEAD
    + """targetNamespace="urn:o" xmlns="urn:o" elementFormDefault="qualified">
<xs:element name="order"><xs:complexType><xs:sequence>
 <xs:element name="customer" type="xs:token"/>
 <xs:element name="line" type="Line" maxOccurs="3"/>
 <xs:element name="note" type="xs:string" minOccurs="0" nillable="true"/>
 </xs:sequence><xs:attribute name="id" type="xs:positiveInteger" use="required"/>
 <xs:attribute name="paid" type="xs:boolean"/><xs:attribute name="v" fixed="1.0" type="xs:decimal"/>
 </xs:complexType></xs:element>
<xs:complexType name="Line"><xs:all><xs:element name="sku"><xs:simpleType><xs:restriction base="xs:string">
 <xs:pattern value="[A-Z]{2}-[0-9]{3}"/></xs:restriction></xs:simpleType></xs:element>
 <xs:element name="count" type="xs:unsignedByte"/><xs:element name="price" minOccurs="0"><xs:simpleType>
 <xs:restriction base="xs:decimal"><xs:minExclusive value="0"/><xs:fractionDigits value="2"/></xs:restriction>
 </xs:simpleType></xs:element></xs:all></xs:complexType></xs:schema>"""
)

SHAPES = (
    HEAD
    + """targetNamespace="urn:s" xmlns:s="urn:s">
<xs:element name="drawing"><xs:complexType><xs:choice minOccurs="0" maxOccurs="unbounded">
 <xs:element ref="s:shape"/><xs:element name="text" type="s:Rich"/><xs:element name="base" type="s:Base"/>
 <xs:any namespace="##other" processContents="lax"/></xs:choice><xs:anyAttribute/></xs:complexType></xs:element>
<xs:element name="shape" abstract="true" type="s:Base"/>
<xs:element name="circle" substitutionGroup="s:shape"><xs:complexType><xs:complexContent><xs:extension base="s:Base">
 <xs:attribute name="r" type="xs:double"/></xs:extension></xs:complexContent></xs:complexType></xs:element>
<xs:element name="box" type="s:Box" substitutionGroup="s:shape"/>
<xs:complexType name="Base"><xs:sequence><xs:element name="at" type="s:Point"/></xs:sequence></xs:complexType>
<xs:complexType name="Box"><xs:complexContent><xs:extension base="s:Base"><xs:sequence>
 <xs:element name="inner" type="s:Box" minOccurs="0"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:simpleType name="Point"><xs:restriction><xs:simpleType><xs:list itemType="xs:int"/></xs:simpleType>
 <xs:length value="2"/></xs:restriction></xs:simpleType>
<xs:complexType name="Rich" mixed="true"><xs:sequence minOccurs="0" maxOccurs="unbounded">
 <xs:element name="b" type="xs:string"/></xs:sequence>
 <xs:attribute name="lang" type="xs:language" default="en"/></xs:complexType>
<xs:attribute name="mark"><xs:simpleType><xs:union memberTypes="xs:date s:Level"/></xs:simpleType></xs:attribute>
<xs:simpleType name="Level"><xs:restriction base="xs:token"><xs:enumeration value="low &amp; slow"/>
 <xs:enumeration value="high"/></xs:restriction></xs:simpleType></xs:schema>"""
)

TYPES = (
    "string normalizedString token language NMTOKEN NMTOKENS Name NCName ID boolean decimal integer nonPositiveInteger "
    "negativeInteger nonNegativeInteger positiveInteger long int short byte unsignedLong unsignedInt unsignedShort "
    "unsignedByte float double dateTime date time gYear gYearMonth gMonthDay gDay gMonth duration hexBinary "
    "base64Binary anyURI QName anySimpleType"
).split()

FACETS = [
    ('base="xs:string"', '<xs:minLength value="3"/><xs:maxLength value="5"/>'),
    ('base="xs:token"', '<xs:length value="4"/>'),
    ('base="xs:hexBinary"', '<xs:length value="3"/>'),
    ('base="xs:base64Binary"', '<xs:minLength value="2"/><xs:maxLength value="4"/>'),
    ('base="xs:NMTOKENS"', '<xs:minLength value="2"/><xs:maxLength value="3"/>'),
    ('base="xs:decimal"', '<xs:totalDigits value="4"/><xs:fractionDigits value="1"/><xs:maxInclusive value="-2.5"/>'),
    ('base="xs:int"', '<xs:minExclusive value="99"/><xs:maxExclusive value="103"/><xs:pattern value="[0-9]+"/>'),
    ('base="xs:float"', '<xs:minInclusive value="1.5"/><xs:maxInclusive value="INF"/>'),
    ('base="xs:double"', '<xs:maxExclusive value="-1E3"/>'),
    ('base="xs:date"', '<xs:minInclusive value="2024-02-28"/><xs:maxExclusive value="2024-03-02"/>'),
    ('base="xs:duration"', '<xs:minInclusive value="P1Y"/>'),
    ('base="xs:anyURI"', '<xs:pattern value="https://.*"/>'),
    ('base="xs:string"', '<xs:whiteSpace value="collapse"/><xs:minLength value="1"/>'),
    ('base="xs:string"', '<xs:pattern value="[a-c]+"/><xs:pattern value="[0-9]{2}"/>'),
    ('base="xs:QName"', '<xs:enumeration value="xs:string"/>'),
]


OPENING = '<order xmlns="urn:o" id="'
LINE = "<line><sku>AB-123</sku><count>1</count></line>"
SPACED = """<?xml version="1.0"?>
<o:order xmlns:o="urn:o" paid="1" id="7">
 <o:customer> A  &amp; B</o:customer><!-- a --><o:line><o:count>3</o:count><o:sku>AB-123</o:sku></o:line></o:order>"""
UNIQUE = (
    HEAD
    + """><xs:element name="r"><xs:complexType><xs:sequence>
<xs:element name="k" type="D" minOccurs="3" maxOccurs="3"/></xs:sequence></xs:complexType>
<xs:unique name="u"><xs:selector xpath="k"/><xs:field xpath="."/></xs:unique></xs:element>
<xs:simpleType name="D"><xs:restriction base="xs:string"><xs:pattern value="[a-z0-9]"/></xs:restriction>
</xs:simpleType></xs:schema>"""
)
ENDLESS = (
    HEAD
    + """><xs:element name="a"><xs:complexType><xs:sequence><xs:element ref="a"/></xs:sequence></xs:complexType>
</xs:element></xs:schema>"""
)


def simple(inner: str) -> str:
    return HEAD + f'><xs:element name="v"><xs:simpleType>{inner}</xs:simpleType></xs:element></xs:schema>'


def valid(source: str, text: str) -> bool:
    """Whether both validators accept a document."""
    return xmlschema.XMLSchema10(source).is_valid(text) and etree.XMLSchema(etree.fromstring(source.encode())).validate(
        etree.fromstring(text.encode())
    )


@pytest.mark.parametrize("source", [ORDER, SHAPES], ids=["order", "shapes"])
@pytest.mark.parametrize("seed", range(6))
def test_documents_are_valid_and_end_within_the_budget(tiny: Generator, source: str, seed: int) -> None:
    schema = Schema.from_xsd(source, "order" if source is ORDER else "drawing")
    with pytest.raises(BudgetError) as caught:
        tiny.generate("x", schema, max_new_tokens=2)
    budget = caught.value.needed + (0, 10, 60, 150)[seed % 4]
    result = tiny.generate("x", schema, max_new_tokens=budget, sampling=Sampling(temperature=1.0, seed=seed))
    assert len(result.tokens) <= budget
    assert valid(source, result.text)
    assert result.value.tag == ("{urn:o}order" if source is ORDER else "{urn:s}drawing")
    assert schema.canonical is not None
    assert schema.canonical(result.text) == result.text


@pytest.mark.parametrize("read", [str, ET.fromstring, etree.fromstring])
def test_examples_are_shown_as_answers_are_spelled(read: Any) -> None:
    text = SPACED.partition("?>")[2].strip()
    (example,) = request_of("x", Schema.from_xsd(ORDER, "order"), examples=[("some text", read(text))]).examples
    assert example == ("some text", Schema.from_xsd(ORDER, "order").canonical(text))  # type: ignore[misc]
    with pytest.raises(ValidationError, match="example 0"):
        request_of("x", Schema.from_xsd(ORDER, "order"), examples=[("some text", read("<a/>"))])


@pytest.mark.parametrize("name", TYPES)
def test_values_of_built_in_types(tiny: Generator, name: str) -> None:
    source = HEAD + f'><xs:element name="v" type="xs:{name}"/></xs:schema>'
    schema = Schema.from_xsd(source)
    for seed in range(3):
        result = tiny.generate("x", schema, max_new_tokens=80, sampling=Sampling(temperature=1.0, seed=seed))
        assert valid(source, result.text), result.text


@pytest.mark.parametrize(("base", "facets"), FACETS)
def test_values_within_facets(tiny: Generator, base: str, facets: str) -> None:
    source = simple(f"<xs:restriction {base}>{facets}</xs:restriction>")
    schema = Schema.from_xsd(source)
    for seed in range(3):
        result = tiny.generate("x", schema, max_new_tokens=90, sampling=Sampling(temperature=1.0, seed=seed))
        assert valid(source, result.text), result.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SPACED, True),
        (f'{OPENING}1"><customer><![CDATA[<x>]]></customer>{LINE}</order>', True),
        (f'{OPENING}0"><customer/>{LINE}</order>', False),
        (f'{OPENING}1"><customer/></order>', False),
        ("<order", False),
        ("no document", False),
    ],
)
def test_documents_may_be_asked_for_in_any_spelling(tiny: Generator, text: str, expected: bool) -> None:
    assert tiny.accepts(Schema.from_xsd(ORDER), text) == expected


def test_xsi_type_nil_and_substitutes_are_within_reach(tiny: Generator) -> None:
    schema = Schema.from_xsd(SHAPES, "drawing")
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:s="urn:s"'
    for inner in (
        "<s:circle r='1.5'><at>1 2</at></s:circle>",
        "<base xsi:type='s:Box'><at>1 2</at><inner><at>0 0</at></inner></base>",
        "<text lang='de'>a<b>c</b>d</text>",
        "<s:box><at>1 -2</at></s:box>",
    ):
        assert tiny.accepts(schema, f"<s:drawing {xsi}>{inner}</s:drawing>"), inner
    assert tiny.accepts(schema, f"<s:drawing {xsi} s:mark='low &amp; slow'/>")
    assert not tiny.accepts(schema, f"<s:drawing {xsi}><s:shape><at>1 2</at></s:shape></s:drawing>")
    order = "<order xmlns='urn:o' {} id='1'><customer/><line><sku>AB-123</sku><count>1</count></line>{}</order>"
    nil = order.format(xsi, "<note xsi:nil='true'/>")
    assert tiny.accepts(Schema.from_xsd(ORDER), nil)


def test_xsi_type_names_what_the_judge_takes() -> None:
    """Of unions within unions xmlschema takes the members that are no unions."""
    types = """<xs:simpleType name="a"><xs:restriction base="xs:int"/></xs:simpleType>
      <xs:simpleType name="u"><xs:union memberTypes="a xs:boolean"/></xs:simpleType>
      <xs:simpleType name="w"><xs:union memberTypes="u xs:date"/></xs:simpleType>"""
    schema = Schema.from_xsd(
        f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{types}<xs:element name="r"><xs:complexType>
        <xs:sequence><xs:element name="e" type="w"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""
    )
    declared = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    found = {}
    for name in ("a", "u"):
        document = f'<r {declared}><e xsi:type="{name}">1</e></r>'.encode()
        found[name] = engine.completes(engine.byte_matcher(schema.grammar), document)
        assert found[name] == schema.judge.accepts(document)
    assert found == {"a": True, "u": False}


def test_identity_is_checked_while_decoding(tiny: Generator) -> None:
    schema = Schema.from_xsd(UNIQUE)
    assert schema.coverage["/r/unique[u]"] == "checked"
    assert not tiny.accepts(schema, "<r><k>a</k><k>b</k><k>a</k></r>")
    assert tiny.accepts(schema, "<r><k>a</k><k>b</k><k>c</k></r>")


KEYS = (
    HEAD
    + """><xs:element name="r"><xs:complexType><xs:sequence>
<xs:element name="k" minOccurs="3" maxOccurs="6"><xs:complexType><xs:attribute name="id" type="xs:ID" use="required"/>
<xs:attribute name="to" type="xs:IDREF"/></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>
</xs:schema>"""
)


@pytest.mark.parametrize("source", [UNIQUE, KEYS], ids=["unique", "ID"])
def test_keys_differ_in_documents(tiny: Generator, source: str) -> None:
    schema = Schema.from_xsd(source)
    assert "checked" in schema.coverage.values()
    for seed in range(4):
        result = tiny.generate("x", schema, max_new_tokens=140, sampling=Sampling(temperature=1.0, seed=seed))
        assert valid(source, result.text), result.text


def test_prefixes_are_chosen(tiny: Generator) -> None:
    schema = Schema.from_xsd(ORDER, prefixes={"urn:o": "ord"})
    assert schema.witness().startswith('<ord:order xmlns:ord="urn:o"')
    assert tiny.generate("x", schema, max_new_tokens=150).text.startswith("<ord:order")
    with pytest.raises(SchemaError, match="prefix 'xml'"):
        Schema.from_xsd(ORDER, prefixes={"urn:o": "xml"})


def test_sources(tmp_path: Path, tiny: Generator) -> None:
    path = tmp_path / "order.xsd"
    path.write_text(ORDER)
    archive = tmp_path / "order.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(path, "folder/order.xsd")
    expected = Schema.from_xsd(ORDER).witness()
    built: Any = xmlschema.XMLSchema10(ORDER)
    for source in (path, str(path), tmp_path, archive, built):
        assert Schema.from_xsd(source).witness() == expected
    assert Schema.of(path).witness() == expected
    assert Schema.from_xsd(archive, main="folder/order.xsd").witness() == expected
    assert "line{1,3}" in Schema.of(path).description
    assert tiny.generate("x", path, max_new_tokens=150).value is not None


@pytest.mark.parametrize(
    ("source", "root", "message"),
    [
        ("<xs:schema", None, "no XML Schema 1.0"),
        ("<a/>", None, "no XML Schema 1.0"),
        (HEAD + '><xs:element name="a" type="nope"/></xs:schema>', None, "no XML Schema 1.0"),
        ("missing.xsd", None, "no file 'missing.xsd'"),
        (HEAD + "/>", None, "declares no element"),
        (HEAD + '><xs:element name="a"/><xs:element name="b"/></xs:schema>', None, "one of: a, b"),
        (ORDER, "nothing", "no element 'nothing'.*order"),
        (HEAD + '><xs:include schemaLocation="missing.xsd"/><xs:element name="a"/></xs:schema>', None, "missing.xsd"),
        ('<!DOCTYPE a [<!ENTITY x "y">]>' + ORDER, None, "Entities are forbidden"),
        (HEAD + '><xs:override schemaLocation="b.xsd"/><xs:element name="a"/></xs:schema>', None, "override"),
    ],
)
def test_bad_schemas(source: str, root: str | None, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Schema.from_xsd(source, root)


def test_a_folder_with_two_beginnings(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.xsd").write_text(ORDER)
    with pytest.raises(SchemaError, match=r"main=….*a\.xsd, b\.xsd"):
        Schema.from_xsd(tmp_path)
    with pytest.raises(SchemaError, match=r"no document 'c\.xsd'"):
        Schema.from_xsd(tmp_path, main="c.xsd")


def test_schemas_without_documents() -> None:
    with pytest.raises(UnsatisfiableError, match="No document"):
        Schema.from_xsd(ENDLESS)


def test_documents_that_declare_entities_are_not_read() -> None:
    schema = Schema.from_xsd(ORDER)
    with pytest.raises(ValidationError, match="forbidden"):
        schema.validate('<!DOCTYPE order [<!ENTITY x "y">]><order xmlns="urn:o">&x;</order>')
    with pytest.raises(ValidationError, match="root element"):
        schema.validate("<other/>")


def test_strangers_stand_where_a_wildcard_needs_an_element(tiny: Generator) -> None:
    source = (
        HEAD + 'targetNamespace="urn:w"><xs:element name="w"><xs:complexType><xs:sequence><xs:any namespace="##other" '
        'processContents="skip"/></xs:sequence></xs:complexType></xs:element></xs:schema>'
    )
    assert valid(source, tiny.generate("x", Schema.from_xsd(source), max_new_tokens=80).text)


def test_what_answers_leave_out_is_said() -> None:
    assert any("xs:any" in caveat.text for caveat in Schema.from_xsd(SHAPES, "drawing").caveats())
    assert not Schema.from_xsd(ORDER).caveats()


def test_grammars_are_the_engines() -> None:
    schema = Schema.from_xsd(ORDER)
    assert engine.completes(engine.byte_matcher(schema.grammar), schema.witness().encode())
    assert not schema.is_json


def test_the_package_that_is_needed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("harmony_gen.schema.xsd")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "xmlschema", None)
    with pytest.raises(MissingExtra, match=r"xmlschema is needed.*\[xml\]"):
        Schema.from_xsd(ORDER)


def test_results_are_elements_of_the_standard_library_without_lxml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lxml.etree", None)
    schema = Schema.from_xsd(ORDER)
    assert type(schema.validate(schema.witness())).__module__ == "xml.etree.ElementTree"
