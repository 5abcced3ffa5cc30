"""Characters of XML, and how texts spell them: each has one spelling, so sets of texts can be intersected as written.

`>` is always escaped, and white space that a parser would change is written as a character reference.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from harmony_gen.schema.strings.characters import Chars, common, complement, has, union
from harmony_gen.schema.strings.expression import (
    Alternation,
    Both,
    Character,
    Concat,
    Node,
    Repeat,
    alternation,
    both,
    concat,
    one_of,
    repeat,
    single,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

LEGAL: Chars = ((9, 10), (13, 13), (0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
"""The characters of XML 1.0."""

_BLANKS = str.maketrans("\t\n\r", "   ")

IN_TEXT = {"<": "&lt;", "&": "&amp;", ">": "&gt;", "\r": "&#13;"}
IN_ATTRIBUTE = {**IN_TEXT, '"': "&quot;", "\t": "&#9;", "\n": "&#10;"}

_SPELLED = {spelling: char for char, spelling in IN_ATTRIBUTE.items()}
_SPELLINGS = re.compile("|".join(map(re.escape, _SPELLED)))


def normal(text: str, mode: str | None) -> str:
    """A text with its white space preserved, replaced or collapsed; other white space than XML's is none."""
    if mode not in ("replace", "collapse"):
        return text
    text = text.translate(_BLANKS)
    return " ".join(filter(None, text.split(" "))) if mode == "collapse" else text


def escaped(text: str, *, attribute: bool) -> str:
    """A text as a document spells it."""
    escapes = IN_ATTRIBUTE if attribute else IN_TEXT
    return "".join(escapes.get(char, char) for char in text)


def unescaped(text: str) -> str:
    """The text that a document spells so."""
    return _SPELLINGS.sub(lambda match: _SPELLED[match.group()], text)


@lru_cache(maxsize=16384)
def spelled(node: Node, *, attribute: bool) -> Node:
    """The spellings of the texts of a tree that is made of characters, rows, options, repetitions and intersections."""
    match node:
        case Character(chars):
            return _spelled(chars, attribute=attribute)
        case Concat(parts):
            return concat(spelled(part, attribute=attribute) for part in parts)
        case Alternation(options):
            return alternation(spelled(option, attribute=attribute) for option in options)
        case Both(parts):
            return both(spelled(part, attribute=attribute) for part in parts)
        case Repeat(body, least, most):
            return repeat(spelled(body, attribute=attribute), least, most)
    raise TypeError(node)


@lru_cache(maxsize=4096)
def _spelled(chars: Chars, *, attribute: bool) -> Node:
    """One character of a set, as a document spells it."""
    escapes = IN_ATTRIBUTE if attribute else IN_TEXT
    references = [text_node(spelling) for char, spelling in escapes.items() if has(chars, ord(char))]
    raw = common(chars, _raw(attribute=attribute))
    return alternation([*([one_of(raw)] if raw else []), *references])


@lru_cache(maxsize=2)
def _raw(*, attribute: bool) -> Chars:
    escapes: Mapping[str, str] = IN_ATTRIBUTE if attribute else IN_TEXT
    return common(LEGAL, complement(union((ord(char), ord(char)) for char in escapes)))


@lru_cache(maxsize=8192)
def text_node(text: str) -> Node:
    """One certain text."""
    return concat(single(ord(char)) for char in text)


def certain(node: Node) -> str | None:
    """The text of a tree that has but one."""
    parts = node.parts if isinstance(node, Concat) else (node,)
    codes = [part.chars[0] for part in parts if isinstance(part, Character) and len(part.chars) == 1]
    if len(codes) < len(parts) or any(low != high for low, high in codes):
        return None
    return "".join(chr(low) for low, _ in codes)
