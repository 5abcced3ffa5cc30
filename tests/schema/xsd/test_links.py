"""Keys, references, ID and IDREF: what is broken is seen as two validators see it, and completions break nothing."""

from __future__ import annotations

import random

import pytest
import xmlschema
from lxml import etree

from harmony_gen import BudgetError, Generator, Sampling, Schema
from harmony_gen.schema.markup.paths import Path
from harmony_gen.schema.markup.reading import read

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" '

SHOP = (
    HEAD
    + """targetNamespace="urn:s" xmlns:s="urn:s" elementFormDefault="qualified">
<xs:element name="shop"><xs:complexType><xs:sequence>
 <xs:element name="part" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:simpleContent>
  <xs:extension base="xs:string"><xs:attribute name="no" type="xs:int"/><xs:attribute name="of" type="s:Maker"/>
  </xs:extension></xs:simpleContent></xs:complexType></xs:element>
 <xs:element name="sale" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
  <xs:attribute name="no" type="xs:int"/><xs:attribute name="of" type="s:Maker"/></xs:complexType></xs:element>
 </xs:sequence></xs:complexType>
 <xs:key name="parts"><xs:selector xpath="s:part"/><xs:field xpath="@no"/><xs:field xpath="@of"/></xs:key>
 <xs:keyref name="sales" refer="s:parts"><xs:selector xpath=".//s:sale"/><xs:field xpath="@no"/><xs:field xpath="@of"/>
 </xs:keyref>
 <xs:unique name="names"><xs:selector xpath="s:part"/><xs:field xpath="."/></xs:unique></xs:element>
<xs:simpleType name="Maker"><xs:restriction base="xs:string"><xs:enumeration value="a"/><xs:enumeration value="b"/>
</xs:restriction></xs:simpleType></xs:schema>"""
)

PEOPLE = (
    HEAD
    + """><xs:element name="people"><xs:complexType><xs:sequence>
 <xs:element name="person" minOccurs="2" maxOccurs="6"><xs:complexType>
  <xs:attribute name="id" type="xs:ID" use="required"/><xs:attribute name="boss" type="xs:IDREF" use="required"/>
  <xs:attribute name="friends" type="xs:IDREFS"/></xs:complexType></xs:element>
 <xs:element name="first" type="xs:IDREF"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""
)

FORWARD = (
    HEAD
    + """><xs:element name="r"><xs:complexType><xs:sequence>
 <xs:element name="use" type="xs:decimal" maxOccurs="3"/>
 <xs:element name="kid" minOccurs="0" maxOccurs="3"><xs:complexType><xs:attribute name="val" type="xs:decimal"/>
 </xs:complexType></xs:element></xs:sequence></xs:complexType>
 <xs:keyref name="uses" refer="kids"><xs:selector xpath="use"/><xs:field xpath="."/></xs:keyref>
 <xs:key name="kids"><xs:selector xpath="kid"/><xs:field xpath="@val"/></xs:key></xs:element></xs:schema>"""
)

SCARCE = (
    HEAD
    + """><xs:element name="r"><xs:complexType><xs:sequence>
 <xs:element name="k" minOccurs="3" maxOccurs="3"><xs:simpleType><xs:restriction base="xs:string">
 <xs:pattern value="[a-c]"/></xs:restriction></xs:simpleType></xs:element></xs:sequence></xs:complexType>
 <xs:unique name="u"><xs:selector xpath="k"/><xs:field xpath="."/></xs:unique></xs:element></xs:schema>"""
)

FIXED = (
    HEAD
    + """><xs:element name="r"><xs:complexType><xs:sequence>
 <xs:element name="u"><xs:complexType><xs:attribute name="v" type="xs:string" fixed="t"/></xs:complexType></xs:element>
 <xs:element name="k"><xs:complexType><xs:attribute name="v" type="xs:string"/></xs:complexType></xs:element>
 </xs:sequence></xs:complexType>
 <xs:keyref name="us" refer="ks"><xs:selector xpath="u"/><xs:field xpath="@v"/></xs:keyref>
 <xs:key name="ks"><xs:selector xpath="k"/><xs:field xpath="@v"/></xs:key></xs:element></xs:schema>"""
)

LISTS = (
    HEAD
    + """><xs:simpleType name="ids"><xs:restriction><xs:simpleType><xs:list itemType="xs:ID"/></xs:simpleType>
 <xs:minLength value="1"/></xs:restriction></xs:simpleType>
 <xs:simpleType name="refs"><xs:list itemType="xs:IDREF"/></xs:simpleType>
 <xs:element name="r"><xs:complexType><xs:sequence><xs:element name="ids" type="ids" maxOccurs="3"/>
 <xs:element name="to" type="refs"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""
)

LATER = (
    HEAD
    + """><xs:simpleType name="refs"><xs:restriction base="xs:IDREFS"><xs:minLength value="2"/></xs:restriction>
 </xs:simpleType><xs:element name="r"><xs:complexType><xs:sequence><xs:element name="a"><xs:complexType>
 <xs:attribute name="refs" type="refs"/><xs:attribute name="own" type="xs:ID"/></xs:complexType></xs:element>
 </xs:sequence><xs:attribute name="id" type="xs:ID" use="required"/></xs:complexType></xs:element></xs:schema>"""
)

SOURCES = {
    "later": LATER,
    "lists": LISTS,
    "shop": SHOP,
    "people": PEOPLE,
    "forward": FORWARD,
    "scarce": SCARCE,
    "fixed": FIXED,
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("seed", range(3))
def test_answers_are_valid_for_two_validators(tiny: Generator, name: str, seed: int) -> None:
    schema = Schema.from_xsd(SOURCES[name])
    with pytest.raises(BudgetError) as caught:
        tiny.generate("x", schema, max_new_tokens=2)
    budget = caught.value.needed + (0, 20, 60)[seed]
    result = tiny.generate("x", schema, max_new_tokens=budget, sampling=Sampling(temperature=1.0, seed=seed))
    assert len(result.tokens) <= budget
    assert xmlschema.XMLSchema10(SOURCES[name]).is_valid(result.text)
    assert etree.XMLSchema(etree.fromstring(SOURCES[name].encode())).validate(etree.fromstring(result.text.encode()))


@pytest.mark.parametrize("refs", ["more", "more more", "more own", "own more", "own own"])
def test_lists_of_references_lead_to_what_may_follow(tiny: Generator, refs: str) -> None:
    """An ID that need not be there is written where a reference to it stands."""
    schema = Schema.from_xsd(LATER)
    for own in ("", ' own="own"'):
        document = f'<r id="more"><a refs="{refs}"{own}/></r>'
        assert tiny.accepts(schema, document) == schema.judge.accepts(document.encode()), document


def shop(draw: random.Random) -> str:
    """A document within the grammar whose keys may clash."""
    parts = [
        f'<part no="{draw.choice(["1", "01", "2"])}" of="{draw.choice("ab")}">{draw.choice("xyz")}</part>'
        for _ in range(draw.randint(0, 3))
    ]
    numbers = ("", ' no="1"', ' no="2"')
    sales = [f'<sale{draw.choice(numbers)} of="{draw.choice("ab")}"/>' for _ in range(draw.randint(0, 2))]
    return f'<shop xmlns="urn:s">{"".join(parts + sales)}</shop>'


def people(draw: random.Random) -> str:
    """A document within the grammar whose references may lead nowhere."""
    friends = ("", ' friends="a b"')
    rows = [
        f'<person id="{draw.choice("abc")}" boss="{draw.choice("abc")}"{draw.choice(friends)}/>'
        for _ in range(draw.randint(2, 3))
    ]
    return f"<people>{''.join(rows)}<first>{draw.choice('abc')}</first></people>"


@pytest.mark.parametrize("write", [shop, people])
def test_what_is_broken_is_seen_as_validators_see_it(write: object) -> None:
    source = SHOP if write is shop else PEOPLE
    schema, second = Schema.from_xsd(source), etree.XMLSchema(etree.fromstring(source.encode()))
    assert schema.quick_judge is not None
    verdicts = []
    for seed in range(300):
        text = write(random.Random(seed))  # type: ignore[operator]
        verdicts.append(schema.quick_judge.accepts(text.encode()))
        assert verdicts[-1] == schema.judge.accepts(text.encode()), text
        assert verdicts[-1] <= second.validate(etree.fromstring(text)), text  # libxml2 looks up no IDREF
    assert 30 < sum(verdicts) < 270


@pytest.mark.parametrize("text", ["", "<a>", "<a/><b/>", "<a></b></a></a>", "<a/>x", '<a b="1" />'])
def test_other_spellings_are_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="no document in the spelling of answers"):
        read(text)


def test_values_are_read_with_their_places() -> None:
    text = '<p:a xmlns:p="urn:p" p:k="1 &lt; 2"><b>x&#13;&amp;</b><c/></p:a>'
    root = read(text)
    assert root.name == "{urn:p}a"
    assert [(name, piece.value) for name, piece in root.attributes.items()] == [("{urn:p}k", "1 < 2")]
    piece = root.children[0].text
    assert (piece.value, text[piece.start : piece.end]) == ("x\r&", "x&#13;&amp;")
    assert [element.name for element in root.descendants()] == ["{urn:p}a", "b", "c"]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("b", ["1", "2"]),
        (".//p:d", ["3"]),
        ("b/@k", ["x"]),
        ("b|c/p:d/.", ["1", "2", "3"]),
        ("@p:*", ["a"]),
        ("c/*", ["3"]),
        (" child::b / attribute::k ", ["x"]),
        (".//@k", ["x"]),
        ("z", []),
    ],
)
def test_paths_lead_to_values(path: str, values: list[str]) -> None:
    root = read('<r xmlns:p="urn:p" p:u="a"><b k="x">1</b><b>2</b><c><p:d>3</p:d></c></r>')
    assert [piece.value for piece in Path(path, {"p": "urn:p"}).values(root)] == values


@pytest.mark.parametrize("path", ["", "/", "a//b", "a[1]", "q:a", "@a/b"])
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        Path(path, {"p": "urn:p"})
