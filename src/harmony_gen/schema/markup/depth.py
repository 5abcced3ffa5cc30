"""Documents that are nested no deeper than somebody wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    choice,
    sequence,
    times,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony_gen.schema.markup.tree import Part


def limited(grammar: Grammar, most: int) -> Grammar:
    """The documents in which at most so many elements are open at a time; the root is one.

    A rule is copied for each depth at which it could grow too deep, and for no other.
    """
    return _Limiter(grammar.rules, most).grammar().cleaned()


class _Limiter:
    """Copies rules."""

    def __init__(self, rules: Mapping[str, Part], most: int) -> None:
        self._rules = rules
        self._most = most
        self._heights = _heights(rules, most + 1)
        self._waiting = [("start", "start", most)]
        self._copies: dict[tuple[str, int], str] = {("start", most): "start"}

    def grammar(self) -> Grammar:
        """All rules with their copies."""
        found = dict(self._rules)
        while self._waiting:
            name, rule, room = self._waiting.pop()
            found[name] = self._part(self._rules[rule], room)
        return Grammar(found)

    def _reference(self, rule: str, room: int) -> Part:
        if self._heights[rule] <= room:
            return Reference(rule)
        name = self._copies.get((rule, room))
        if name is None:
            name = self._copies[rule, room] = f"{rule}_{room}"
            self._waiting.append((name, rule, room))
        return Reference(name)

    def _sequence(self, parts: tuple[Part, ...], room: int) -> Part:
        if not parts or not _opens(parts[0]):
            return sequence(self._part(inner, room) for inner in parts)
        return sequence([parts[0], *(self._part(inner, room - 1) for inner in parts[1:])]) if room else NEVER

    def _part(self, part: Part, room: int) -> Part:
        """A part with no more than so many elements open."""
        match part:
            case Reference(rule):
                return self._reference(rule, room)
            case Sequence(parts):
                return self._sequence(parts, room)
            case Choice(options):
                return choice(self._part(option, room) for option in options)
            case Times(body, least, most):
                return times(self._part(body, room), least, most)
            case AnyOrder(parts):
                return AnyOrder(tuple((self._part(inner, room), is_needed) for inner, is_needed in parts))
            case _:
                return part if room or not _is_element(part) else NEVER


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
