"""Elements that may hold nothing have one spelling, and may hold whatever they could before."""

from __future__ import annotations

from itertools import combinations

import pytest

from harmony_gen import Schema
from harmony_gen.schema import engine

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
NAMES = ("b", "c", "d", "e")
OPTIONAL = "".join(f'<xs:element name="{name}" type="xs:int" minOccurs="0"/>' for name in NAMES)
GROUPS = (
    f'<xs:sequence minOccurs="0">{OPTIONAL[: len(OPTIONAL) // 2]}</xs:sequence>'
    f'<xs:choice minOccurs="0" maxOccurs="3">{OPTIONAL[len(OPTIONAL) // 2 :]}</xs:choice>'
)


def admits(content: str, inner: str, *, mixed: bool = False) -> tuple[bool, bool]:
    """Whether an element with this content may hold something, between its tags; and by an empty tag."""
    type_ = f'<xs:complexType mixed="{str(mixed).lower()}">{content}</xs:complexType>'
    schema = Schema.from_xsd(f'{HEAD}<xs:element name="a">{type_}</xs:element></xs:schema>')
    matchers = [engine.byte_matcher(schema.grammar) for _ in range(2)]
    whole, empty = f"<a>{inner}</a>".encode(), b"<a/>"
    return engine.completes(matchers[0], whole), engine.completes(matchers[1], empty)


@pytest.mark.parametrize(
    "content",
    [
        f"<xs:sequence>{OPTIONAL}</xs:sequence>",
        f'<xs:choice minOccurs="0" maxOccurs="unbounded">{OPTIONAL}</xs:choice>',
        f'<xs:sequence minOccurs="0" maxOccurs="5">{OPTIONAL}</xs:sequence>',
        f"<xs:sequence>{GROUPS}</xs:sequence>",
    ],
    ids=["optional", "choice", "repeated", "groups"],
)
@pytest.mark.parametrize("mixed", [False, True])
def test_an_element_that_holds_nothing_has_one_spelling(content: str, mixed: bool) -> None:
    assert admits(content, "", mixed=mixed) == (False, True)
    assert admits(content, "text", mixed=mixed) == (mixed, True)


def test_any_of_several_optional_children_may_be_the_first() -> None:
    for count in range(1, len(NAMES) + 1):
        for some in combinations(NAMES, count):
            inner = "".join(f"<{name}>1</{name}>" for name in some)
            assert admits(f"<xs:sequence>{OPTIONAL}</xs:sequence>", inner) == (True, True), inner
    assert admits(f"<xs:sequence>{OPTIONAL}</xs:sequence>", "<c>1</c><b>1</b>") == (False, True)


def test_what_must_be_there_must_be_there() -> None:
    content = f'<xs:sequence>{OPTIONAL}<xs:element name="f" type="xs:int"/></xs:sequence>'
    assert admits(content, "<c>1</c><f>1</f>") == (True, False)
    assert admits(content, "<c>1</c>") == (False, False)
