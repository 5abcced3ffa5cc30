"""Every value of a document is found where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from harmony_gen.schema.markup.text import escaped, unescaped
from harmony_gen.schema.markup.values import values

ORDER = (
    '<order xmlns="urn:o" xmlns:p="urn:p" id="7" p:mark="a &quot;b&quot;"><line><sku>A</sku></line>'
    '<line n="1"><sku>B &amp; &gt;ö</sku><sku/></line><p:note>x<b>y</b>z<b/>&lt;</p:note><end></end></order>'
)


def test_paths_and_places() -> None:
    found = {value.path: (value.text, value.is_whole) for value in values(ORDER.encode())}
    assert found == {
        "/order/@id": ("7", True),
        "/order/@p:mark": ('a "b"', True),
        "/order/line[1]/sku": ("A", True),
        "/order/line[2]/@n": ("1", True),
        "/order/line[2]/sku[1]": ("B & >ö", True),
        "/order/line[2]/sku[2]": ("", True),
        "/order/p:note/text()[1]": ("x", False),
        "/order/p:note/b[1]": ("y", True),
        "/order/p:note/text()[2]": ("z", False),
        "/order/p:note/b[2]": ("", True),
        "/order/p:note/text()[3]": ("<", False),
        "/order/end": ("", True),
    }


def test_only_texts_and_only_children_have_no_number() -> None:
    assert [value.path for value in values(b"<a><b/>x</a>")] == ["/a/b", "/a/text()"]
    assert [value.path for value in values(b"<a/>")] == ["/a"]


def test_what_ends_a_value_decides_it() -> None:
    data = ORDER.encode()
    for value in values(data):
        start, end = value.decided
        assert (start, end - 1) == value.span
        assert data[end - 1 : end] in (b'"', b"<", b"/")


names = st.sampled_from(["a", "b", "n:c", "é"])
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=6)


@st.composite
def documents(draw: st.DrawFn, depth: int = 0) -> str:
    name = draw(names)
    attributes = draw(st.dictionaries(names, texts, max_size=2))
    opening = "".join(f' {key}="{escaped(value, attribute=True)}"' for key, value in attributes.items())
    parts = st.one_of(texts, documents(depth + 1)) if depth < 3 else texts
    content = "".join(
        part if part.startswith("<") and "</" in part + "/>" and part.endswith(">") else escaped(part, attribute=False)
        for part in draw(st.lists(parts, max_size=4))
    )
    declared = ' xmlns:n="urn:n"' if not depth else ""
    return f"<{name}{declared}{opening}>{content}</{name}>" if content else f"<{name}{declared}{opening}/>"


@given(document=documents())
def test_a_parser_finds_the_same(document: str) -> None:
    root = etree.fromstring(document)
    spaces = {"n": "urn:n"}
    found = values(document.encode())
    for value in found:
        (node,) = root.xpath(value.path, namespaces=spaces)
        text = node if isinstance(node, str) else node.text or ""
        assert text == value.text
        assert unescaped(document.encode()[slice(*value.span)].decode()) == value.text
    every = root.xpath("count(//@*) + count(//*[not(*)]) + count(//*[*]/text())")
    assert len(found) == every
    assert [value.span for value in found] == sorted(value.span for value in found)


@pytest.mark.parametrize("text", ["&amp;lt;", '<&>"\t\n\r', "a&#13;b", ""])
def test_texts_are_unescaped_once(text: str) -> None:
    for attribute in (True, False):
        assert unescaped(escaped(text, attribute=attribute)) == text
