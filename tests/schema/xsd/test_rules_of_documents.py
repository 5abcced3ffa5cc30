"""Rules on XML: values are followed while they are written, and what a rule refuses is never in an answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from harmony_gen import (
    Done,
    FieldDone,
    Generator,
    RuleError,
    Sampling,
    Schema,
    SchemaError,
    ValidationError,
    rule,
)
from harmony_gen.schema.markup.scan import DocumentScan, completed
from harmony_gen.schema.scanner import Scanner

ORDER = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o"
 elementFormDefault="qualified">
<xs:element name="order"><xs:complexType><xs:sequence>
 <xs:element name="line" maxOccurs="4"><xs:complexType><xs:sequence>
  <xs:element name="sku"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[A-D]{2}"/>
  </xs:restriction></xs:simpleType></xs:element>
  <xs:element name="count"><xs:simpleType><xs:restriction base="xs:int"><xs:minInclusive value="0"/>
  <xs:maxInclusive value="9"/></xs:restriction></xs:simpleType></xs:element></xs:sequence>
  <xs:attribute name="no" type="xs:unsignedByte" use="required"/></xs:complexType></xs:element>
 <xs:element name="total"><xs:simpleType><xs:restriction base="xs:decimal"><xs:totalDigits value="3"/>
 <xs:fractionDigits value="1"/></xs:restriction></xs:simpleType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""

TEXT = (
    '<order xmlns="urn:o"><line no="1"><sku>AB</sku><count>2</count></line><line no="22"><sku>é&amp;</sku>'
    "<count/></line><total>2.5</total></order>"
)
CLOSED = [
    ("order/line[1]/@no", "1"),
    ("order/line[1]/sku[1]", "AB"),
    ("order/line[1]/count[1]", "2"),
    ("order/line[1]", '<line no="1"><sku>AB</sku><count>2</count></line>'),
    ("order/line[2]/@no", "22"),
    ("order/line[2]/sku[1]", "é&amp;"),
    ("order/line[2]/count[1]", ""),
    ("order/line[2]", '<line no="22"><sku>é&amp;</sku><count/></line>'),
    ("order/total[1]", "2.5"),
    ("order", TEXT),
]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_values_close_as_they_are_written(size: int) -> None:
    data = TEXT.encode()
    scan: Scanner = DocumentScan()
    found = []
    for start in range(0, len(data), size):
        before = scan
        scan, closed = scan.feed(data[start : start + size])
        found += [("/".join(map(str, item.path)), data[slice(*item.span)].decode()) for item in closed]
        assert not closed or not scan.frames or scan.frames is not before.frames
    assert found == CLOSED
    assert (scan.frames, scan.tail, scan.position) == ((), b"", len(data))
    assert scan.end() == (scan, [])


@pytest.mark.parametrize("end", range(len(TEXT.encode()) + 1))
def test_beginnings_are_completed_with_all_values_that_have_closed(end: int) -> None:
    scan, closed = DocumentScan().feed(TEXT.encode()[:end])
    if closed:
        whole = completed(TEXT.encode()[:end], scan)
        etree.fromstring(whole)
        assert DocumentScan().feed(whole)[1][: len(closed)] == closed


def test_texts_are_told_from_tags() -> None:
    scan, _ = DocumentScan().feed(b"<a><b>x")
    assert scan.in_string_value
    assert not scan.in_number
    assert (scan.path, scan.path_of(0)) == (("a", "b[1]"), ("a",))
    assert not scan.feed(b"<")[0].in_string_value


def is_kept(document: str) -> bool:
    """Whether a document keeps the rules below."""
    root = etree.fromstring(document)
    counts = [int(item.text) for item in root.iter("{urn:o}count")]
    numbers = [int(item.get("no")) for item in root.iter("{urn:o}line")]
    return (
        Decimal(root.findtext("{urn:o}total")) == sum(counts)
        and all(count % 2 for count in counts)
        and 7 not in numbers
    )


def sums(order: Any) -> None:
    counts = [int(line.findtext("{urn:o}count")) for line in order.findall("{urn:o}line")]
    if sum(counts) != Decimal(order.findtext("{urn:o}total")):
        message = f"the counts make {sum(counts)}"
        raise ValueError(message)


RULES = [
    rule("//count", lambda count: isinstance(count, int) and count % 2 == 1),
    rule("/order/line/@no", lambda number: number != 7),
    rule("/order", sums),
]


def test_answers_keep_typed_rules(tiny: Generator) -> None:
    schema, rules = Schema.from_xsd(ORDER), RULES[:2]
    for seed in range(6):
        sampling = Sampling(temperature=1.0, seed=seed)
        result = tiny.generate("x", schema, max_new_tokens=150, sampling=sampling, rules=rules)
        root = etree.fromstring(result.text)
        assert all(int(item.text) % 2 for item in root.iter("{urn:o}count"))
        assert all(int(item.get("no")) != 7 for item in root.iter("{urn:o}line"))
        assert all(item.pointer.startswith("/order/line[") for item in result.rejections)


def test_rules_on_whole_documents_hold_or_say_what_was_tried(tiny: Generator) -> None:
    schema = Schema.from_xsd(ORDER)
    outcomes = []
    for seed in range(3):
        sampling = Sampling(temperature=1.0, seed=seed)
        try:
            result = tiny.generate("x", schema, max_new_tokens=200, sampling=sampling, rules=RULES)
        except RuleError as error:
            outcomes.append(any("the counts make" in reason for _, _, reason in error.attempts))
        else:
            outcomes.append(is_kept(result.text))
    assert all(outcomes)


def test_judges_know_rules() -> None:
    schema = Schema.from_xsd(ORDER).with_rules(RULES)
    right = '<order xmlns="urn:o"><line no="1"><sku>AB</sku><count>3</count></line><total>3.0</total></order>'
    assert is_kept(right)
    assert schema.validate(right).tag == "{urn:o}order"
    with pytest.raises(ValidationError, match=r"/order: the counts make 3"):
        schema.validate(right.replace("3.0", "4"))
    with pytest.raises(ValidationError, match=r"line\[1\]/@no: the rule refuses"):
        schema.validate(right.replace('no="1"', 'no="7"'))


def test_values_are_told_as_they_close(tiny: Generator) -> None:
    events = list(tiny.stream("x", Schema.from_xsd(ORDER), sampling=Sampling(temperature=1.0, seed=1)))
    done = events[-1]
    assert isinstance(done, Done)
    found = {event.pointer: event.value for event in events if isinstance(event, FieldDone)}
    assert found["/order/total[1]"] == etree.fromstring(done.result.text).findtext("{urn:o}total")
    assert "/order/line[1]/@no" in found


@pytest.mark.parametrize("place", ["order", "/order/", "/order[1]", "", "/a/@b/c", "/a b"])
def test_other_places_are_refused(place: str) -> None:
    with pytest.raises(ValueError, match="place of a rule"):
        Schema.from_xsd(ORDER).with_rules([rule(place, bool)])


def test_other_rules_are_refused() -> None:
    with pytest.raises(SchemaError, match=r"made by harmony_gen\.rule"):
        Schema.from_xsd(ORDER).with_rules([object()])  # type: ignore[list-item]
