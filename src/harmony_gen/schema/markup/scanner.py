"""Finds the values of a document in the spelling of answers: the texts of elements and the values of attributes.

It knows no schema, and expects what the grammar guarantees: no declaration, comments or CDATA sections, attributes in
double quotes, every `>` of a text escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from harmony_gen.schema.markup.text import unescaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.scanner import Span

_ATTRIBUTE = re.compile(rb' ([^=" ]+)="([^"]*)"')
_NAME = re.compile(rb"[^ />]+")


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
    """The values of a document, in order: of attributes, of elements without others in them, and texts among others."""
    reader = _Reader(document)
    reader.read()
    return reader.values()


class _Element:
    """An element that has begun."""

    def __init__(self, name: str, number: int, parent: _Element | None) -> None:
        self.number = number
        self.texts: list[Span] = []
        self.attributes: list[tuple[str, Span]] = []
        self.children: list[_Element] = []
        self.name = name
        self.parent = parent
        self._named = Counter[str]()
        self._place = parent._noted(self) if parent is not None else 1

    def _noted(self, child: _Element) -> int:
        self.children.append(child)
        self._named[child.name] += 1
        return self._named[child.name]

    @property
    def path(self) -> str:
        """Its XPath, when all of the parent has been read."""
        if self.parent is None:
            return f"/{self.name}"
        has_others = self.parent._named[self.name] > 1
        return f"{self.parent.path}/{self.name}{f'[{self._place}]' if has_others else ''}"


class _Reader:
    """Reads a document from its first byte to its last."""

    def __init__(self, document: bytes) -> None:
        self._document = document
        self._elements: list[_Element] = []
        self._open: list[_Element] = []
        self._at = 0

    def read(self) -> None:
        """Reads all elements."""
        while self._at < len(self._document):
            if self._document.startswith(b"</", self._at):
                self._end()
            elif self._document.startswith(b"<", self._at):
                self._start()
            else:
                self._text()

    def _start(self) -> None:
        name = _NAME.match(self._document, self._at + 1)
        assert name is not None  # noqa: S101 - the document is well-formed
        element = _Element(name.group().decode(), len(self._elements), self._open[-1] if self._open else None)
        self._elements.append(element)
        self._at = name.end()
        while attribute := _ATTRIBUTE.match(self._document, self._at):
            label = attribute.group(1).decode()
            if label != "xmlns" and not label.startswith("xmlns:"):
                element.attributes.append((label, attribute.span(2)))
            self._at = attribute.end()
        if self._document.startswith(b"/>", self._at):
            element.texts.append((self._at, self._at))
            self._at += 2
        else:
            self._open.append(element)
            self._at += 1

    def _text(self) -> None:
        end = self._document.index(b"<", self._at)
        self._open[-1].texts.append((self._at, end))
        self._at = end

    def _end(self) -> None:
        element = self._open.pop()
        if not element.children and not element.texts:
            element.texts.append((self._at, self._at))
        self._at = self._document.index(b">", self._at) + 1

    def values(self) -> list[Value]:
        """All values."""
        return sorted(
            (value for element in self._elements for value in self._of(element)), key=lambda value: value.span
        )

    def _of(self, element: _Element) -> Iterator[Value]:
        path = element.path
        for number, (name, span) in enumerate(element.attributes):
            yield self._value(f"{path}/@{name}", element, number, span)
        if not element.children:
            yield self._value(path, element, None, element.texts[0])
            return
        for number, span in enumerate(element.texts, 1):
            step = f"text()[{number}]" if len(element.texts) > 1 else "text()"
            yield self._value(f"{path}/{step}", element, None, span)

    def _value(self, path: str, element: _Element, attribute: int | None, span: Span) -> Value:
        is_whole = attribute is not None or not element.children
        text = unescaped(self._document[slice(*span)].decode())
        return Value(path, element.number, attribute, is_whole, text, span, (span[0], span[1] + 1))
