"""The values of a document in the spelling of answers, with their XPaths and bytes. It knows no schema."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from harmony_gen.schema.markup.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.markup.reading import Element, Piece
    from harmony_gen.schema.scanner import Span


class Value(NamedTuple):
    """A value of a document.

    Attributes:
        path: its XPath, names as the document writes them; of several elements of one name the first is [1].
        element: which element of the document it belongs to, in the order of their start tags.
        attribute: which of its attributes, namespace declarations not counted; None for a text.
        is_whole: whether it is all that an element holds.
        text: without escapes.
        span: its bytes.
        decided: the bytes that say what it is: its own, and the first of what ends it.
    """

    path: str
    element: int
    attribute: int | None
    is_whole: bool
    text: str
    span: Span
    decided: Span


def values(document: bytes) -> list[Value]:
    """The values of a document, in order: of attributes, of elements without others in them, and texts among others.

    Raises:
        ValueError: it is no document in the spelling of answers.
    """
    text = document.decode()
    offsets = range(len(text) + 1) if text.isascii() else [0, *accumulate(len(char.encode()) for char in text)]
    root = read(text)
    paths = {root: f"/{root.tag}"}
    found = []
    for number, element in enumerate(root.descendants()):
        path = paths[element]
        paths.update(zip(element.children, _paths(path, element.children), strict=True))
        for place, attribute, piece in _values(element):
            span = offsets[piece.start], offsets[piece.end]
            is_whole = attribute is not None or not element.children
            found.append(Value(path + place, number, attribute, is_whole, piece.value, span, (span[0], span[1] + 1)))
    return sorted(found, key=lambda value: value.span)


def _paths(parent: str, children: list[Element]) -> Iterator[str]:
    """The XPaths of the elements in another one."""
    total = Counter(child.tag for child in children)
    passed = Counter[str]()
    for child in children:
        passed[child.tag] += 1
        yield f"{parent}/{child.tag}" + (f"[{passed[child.tag]}]" if total[child.tag] > 1 else "")


def _values(element: Element) -> Iterator[tuple[str, int | None, Piece]]:
    """The values of an element: the end of the XPath, which of its attributes, and what is written."""
    for number, (label, piece) in enumerate(zip(element.labels, element.attributes.values(), strict=True)):
        yield f"/@{label}", number, piece
    if not element.children:
        yield "", None, element.text
        return
    for number, piece in enumerate(element.texts, 1):
        yield f"/text()[{number}]" if len(element.texts) > 1 else "/text()", None, piece
