"""Reads documents in the spelling of answers: elements, attributes and texts, and where they stand.

Answers are well-formed by construction and hold neither comments nor sections nor entities of their own, so this reads
only what they may hold. Whether a document is valid is for its judge to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(r'<(/?)([^\s/>]+)((?: [^=\s]+="[^"]*")*)(/?)>|([^<]+)')
_ATTRIBUTE = re.compile(r' ([^=\s]+)="([^"]*)"')
_REFERENCE = re.compile(r"&(?:#(\d+)|(lt|gt|amp|quot));")
_FIXED = {"xml": "http://www.w3.org/XML/1998/namespace"}
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


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


_NOTHING = Piece("", 0, 0)


@dataclass(slots=True, eq=False)
class Element:
    """An element.

    Attributes:
        name: expanded, as {namespace}local.
        attributes: their values by expanded names, but for declarations of namespaces.
        children: the elements in it.
        text: what stands before the first of them.
        prefixes: the namespaces of prefixes, which are all declared on the root.
    """

    name: str
    attributes: dict[str, Piece]
    prefixes: dict[str, str]
    text: Piece
    children: list[Element] = field(default_factory=list)

    def descendants(self) -> Iterator[Element]:
        """The element and all in it, in the order of the document."""
        yield self
        for child in self.children:
            yield from child.descendants()


def read(document: str) -> Element:
    """The root element of a document in the spelling of answers.

    Raises:
        ValueError: it is none.
    """
    outer = Element("", {}, {}, _NOTHING)
    open_ = [outer]
    end = 0
    for token in _TOKEN.finditer(document):
        closing, name, attributes, empty, text = token.groups()
        if token.start() != end:
            break
        if text is not None:
            if not open_[-1].children:
                open_[-1].text = Piece(unescaped(text), token.start(), token.end())
            if open_ == [outer]:
                break
            end = token.end()
            continue
        end = token.end()
        if closing:
            open_.pop()
            if not open_:
                break
            continue
        element = _opened(open_[-1], name, attributes, token.start(3))
        element.text = Piece("", token.end(), token.end())
        if not empty:
            open_.append(element)
    if end != len(document) or open_ != [outer] or len(outer.children) != 1:
        message = f"This is no document in the spelling of answers; it goes wrong at character {end}."
        raise ValueError(message)
    return outer.children[0]


def _opened(parent: Element, name: str, attributes: str, start: int) -> Element:
    """A new element in another one."""
    found = {
        match[1]: Piece(unescaped(match[2]), start + match.start(2), start + match.end(2))
        for match in _ATTRIBUTE.finditer(attributes)
    }
    declared = {key: piece.value for key, piece in found.items() if key == "xmlns" or key.startswith("xmlns:")}
    prefixes = parent.prefixes
    if declared:
        prefixes = prefixes | {key[6:]: space for key, space in declared.items()}
    own = {_expanded(key, prefixes, default=""): piece for key, piece in found.items() if key not in declared}
    element = Element(_expanded(name, prefixes, default=prefixes.get("", "")), own, prefixes, _NOTHING)
    parent.children.append(element)
    return element


def _expanded(name: str, prefixes: dict[str, str], *, default: str) -> str:
    prefix, colon, local = name.rpartition(":")
    space = _FIXED.get(prefix) or prefixes.get(prefix, prefix) if colon else default
    return f"{{{space}}}{local}" if space else name


def unescaped(text: str) -> str:
    """A text without the references that spell single characters."""
    if "&" not in text:
        return text
    return _REFERENCE.sub(lambda match: chr(int(match[1])) if match[1] else _ENTITIES[match[2]], text)
