"""Documents that are nested no deeper than somebody wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony_gen.schema.markup.copying import Copier
from harmony_gen.schema.markup.text import certain
from harmony_gen.schema.markup.tree import (
    NEVER,
    AnyOrder,
    Choice,
    Grammar,
    Lexeme,
    Reference,
    Sequence,
    Times,
    sequence,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony_gen.schema.markup.tree import Part


def limited(grammar: Grammar, most: int) -> Grammar:
    """The documents in which at most so many elements are open at a time; the root is one.

    A rule is copied for each depth at which it could grow too deep, and for no other.
    """
    return _Limiter(grammar.rules, most).grammar()


class _Limiter(Copier[int]):
    """The state is how many elements may still be opened."""

    mark = "_"

    def __init__(self, rules: Mapping[str, Part], most: int) -> None:
        super().__init__(rules, most)
        self._heights = _heights(rules, most + 1)

    def stays(self, rule: str, state: int) -> bool:
        return self._heights[rule] <= state

    def lexeme(self, part: Lexeme, state: int) -> Part:
        return part if state or not _is_element(part) else NEVER

    def sequence(self, parts: tuple[Part, ...], state: int) -> Part:
        if not parts or not _opens(parts[0]):
            return super().sequence(parts, state)
        return sequence([parts[0], *(self.part(inner, state - 1) for inner in parts[1:])]) if state else NEVER


def _heights(rules: Mapping[str, Part], most: int) -> dict[str, int]:
    """How many elements may be open at a time within each rule, counted up to a number."""
    found = dict.fromkeys(rules, 0)
    changed = True
    while changed:
        changed = False
        for name, part in rules.items():
            height = min(most, _height(part, found))
            if height > found[name]:
                found[name] = height
                changed = True
    return found


def _height(part: Part, known: Mapping[str, int]) -> int:
    match part:
        case Reference(rule):
            return known[rule]
        case Sequence(parts) | Choice(parts):
            height = max((_height(inner, known) for inner in parts), default=0)
            return height + (isinstance(part, Sequence) and bool(parts) and _opens(parts[0]))
        case Times(body):
            return _height(body, known)
        case AnyOrder(parts):
            return max((_height(inner, known) for inner, _ in parts), default=0)
    return int(_is_element(part))


def _opens(part: Part) -> bool:
    """Whether a part is the beginning of a tag, with the rest of the element behind it."""
    text = certain(part.node) if isinstance(part, Lexeme) else None
    return text is not None and text.startswith("<") and not text.startswith("</") and not text.endswith("/>")


def _is_element(part: Part) -> bool:
    """Whether a part is an empty element."""
    text = certain(part.node) if isinstance(part, Lexeme) else None
    return text is not None and text.startswith("<") and text.endswith("/>")
