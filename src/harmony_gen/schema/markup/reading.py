"""Reads documents in the spelling of answers: elements, attributes and texts, and where they stand.

Answers are well-formed by construction and hold neither comments nor sections nor entities of their own, so this reads
only what they may hold. Whether a document is valid is for its judge to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from harmony_gen.schema.markup.text import unescaped

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(r'<(/?)([^\s/>]+)((?: [^=\s]+="[^"]*")*)(/?)>|([^<]+)')
_ATTRIBUTE = re.compile(r' ([^=\s]+)="([^"]*)"')
_FIXED = {"xml": "http://www.w3.org/XML/1998/namespace"}


class Piece(NamedTuple):
    """A value in a document.

    Attributes:
        value: the text, unescaped.
        start: where its spelling begins, in characters of the document.
        end: where it ends.
    """

    value: str
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Element:
    """An element.

    Attributes:
        name: expanded, as {namespace}local.
        tag: the name as it is written.
        attributes: their values by expanded names, but for declarations of namespaces.
        labels: the names of attributes as they are written, in the same order.
        prefixes: the namespaces of prefixes.
        end: where its start tag is over.
        texts: the texts in it that are not empty, but for those in its children.
        children: the elements in it.
    """

    name: str
    tag: str
    attributes: dict[str, Piece]
    labels: list[str]
    prefixes: dict[str, str]
    end: int
    texts: list[Piece] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)

    @property
    def text(self) -> Piece:
        """The first of its texts; the empty one, where it would stand, if there is none."""
        return self.texts[0] if self.texts else Piece("", self.end, self.end)

    def descendants(self) -> Iterator[Element]:
        """The element and all in it, in the order of the document."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += reversed(element.children)


def read(document: str) -> Element:
    """The root element of a document in the spelling of answers.

    Raises:
        ValueError: it is none.
    """
    outer = Element("", "", {}, [], {}, 0)
    open_ = [outer]
    end = 0
    for token in _TOKEN.finditer(document):
        if token.start() != end or not _taken(token, open_):
            break
        end = token.end()
    if end != len(document) or open_ != [outer] or outer.texts or len(outer.children) != 1:
        message = f"This is no document in the spelling of answers; it goes wrong at character {end}."
        raise ValueError(message)
    return outer.children[0]


def _taken(token: re.Match[str], open_: list[Element]) -> bool:
    """Whether a token can follow; the elements that are open are changed by it."""
    closing, tag, attributes, empty, text = token.groups()
    if text is not None:
        open_[-1].texts.append(Piece(unescaped(text), token.start(), token.end()))
        return True
    if closing:
        return open_.pop().tag == tag
    element = _opened(open_[-1], tag, attributes, token.start(3))
    element.end = token.end() - 2 * len(empty)
    if not empty:
        open_.append(element)
    return True


def _opened(parent: Element, tag: str, attributes: str, start: int) -> Element:
    """A new element in another one."""
    found = {
        match[1]: Piece(unescaped(match[2]), start + match.start(2), start + match.end(2))
        for match in _ATTRIBUTE.finditer(attributes)
    }
    declared = {key: piece.value for key, piece in found.items() if key == "xmlns" or key.startswith("xmlns:")}
    prefixes = parent.prefixes
    if declared:
        prefixes = prefixes | {key[6:]: space for key, space in declared.items()}
    labels = [key for key in found if key not in declared]
    own = {_expanded(key, prefixes, default=""): found[key] for key in labels}
    element = Element(_expanded(tag, prefixes, default=prefixes.get("", "")), tag, own, labels, prefixes, 0)
    parent.children.append(element)
    return element


def _expanded(name: str, prefixes: dict[str, str], *, default: str) -> str:
    prefix, colon, local = name.rpartition(":")
    space = (_FIXED.get(prefix) or prefixes.get(prefix, prefix)) if colon else default
    return f"{{{space}}}{local}" if space else name
