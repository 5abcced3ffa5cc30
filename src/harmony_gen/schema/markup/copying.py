"""Grammars whose rules are copied for what is known where they stand, and changed by it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from harmony_gen.schema.markup.tree import (
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

S = TypeVar("S")


class Copier(ABC, Generic[S]):
    """Copies rules for each state in which they are referred to, and for no other. Elements are rules of their own.

    Attributes:
        mark: stands in the names of copies; others than those of a copier whose grammar is copied again.
    """

    mark: str

    def __init__(self, rules: Mapping[str, Part], start: S) -> None:
        """Takes rules, and the state in which the rule `start` stands."""
        self._rules = rules
        self._copies: dict[tuple[str, S], str] = {("start", start): "start"}
        self._waiting = [("start", start)]

    def grammar(self) -> Grammar:
        """All rules with their copies."""
        found = dict(self._rules)
        while self._waiting:
            rule, state = self._waiting.pop()
            found[self._copies[rule, state]] = self.part(self._rules[rule], state)
        return Grammar(found).cleaned()

    @abstractmethod
    def stays(self, rule: str, state: S) -> bool:
        """Whether a rule says in a state what it says anywhere."""

    @abstractmethod
    def lexeme(self, part: Lexeme, state: S) -> Part:
        """A lexeme in a state."""

    def sequence(self, parts: tuple[Part, ...], state: S) -> Part:
        """Parts in a row, which begin in a state."""
        return sequence(self.part(part, state) for part in parts)

    def choice(self, options: tuple[Part, ...], state: S) -> Part:
        """Options in a state."""
        return choice(self.part(option, state) for option in options)

    def part(self, part: Part, state: S) -> Part:
        """A part in a state."""
        match part:
            case Lexeme():
                found = self.lexeme(part, state)
            case Reference(rule):
                found = Reference(rule if self.stays(rule, state) else self._copied(rule, state))
            case Sequence(parts):
                found = self.sequence(parts, state)
            case Choice(options):
                found = self.choice(options, state)
            case Times(body, least, most):
                found = times(self.part(body, state), least, most)
            case AnyOrder(parts):
                found = AnyOrder(tuple((self.part(inner, state), is_needed) for inner, is_needed in parts))
        return found

    def _copied(self, rule: str, state: S) -> str:
        """The name of a copy."""
        key = rule, state
        if key not in self._copies:
            self._copies[key] = f"{rule}{self.mark}{len(self._copies)}"
            self._waiting.append(key)
        return self._copies[key]
