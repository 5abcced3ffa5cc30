"""Regular expressions of XML Schema (Part 2, appendix F) as plain trees. They match from end to end."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from harmony_gen.schema.strings.characters import Chars, common, complement, union
from harmony_gen.schema.strings.expression import Node, alternation, concat, one_of, repeat
from harmony_gen.schema.xsd import characters

if TYPE_CHECKING:
    from typing import NoReturn

_SINGLE = {"n": "\n", "r": "\r", "t": "\t"}
_ITSELF = "\\|.-^?*+{}()[]$"
_CLASSES = "sdwicSDWIC"
_QUANTIFIERS: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}
_NOT_IN_ATOMS = "?*+{}])"


@lru_cache(maxsize=4096)
def parse(pattern: str) -> Node:
    """The tree of a regular expression.

    Raises:
        ValueError: it cannot be read; the message says where.
    """
    reader = _Reader(pattern)
    node = reader.options()
    if not reader.is_over():
        reader.fail("an unexpected character")
    return node


class _Reader:
    """Reads a pattern by recursive descent."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def is_over(self) -> bool:
        """Whether everything has been read."""
        return self._at >= len(self._pattern)

    def fail(self, what: str) -> NoReturn:
        """Raises ValueError with the place."""
        message = f"{what} at character {self._at}"
        raise ValueError(message)

    def _peek(self, ahead: int = 0) -> str:
        return self._pattern[self._at + ahead : self._at + ahead + 1]

    def _next(self) -> str:
        char = self._peek()
        if not char:
            self.fail("it ends too early,")
        self._at += 1
        return char

    def options(self) -> Node:
        """Branches between bars."""
        found = [self._row()]
        while self._peek() == "|":
            self._at += 1
            found.append(self._row())
        return alternation(found)

    def _row(self) -> Node:
        parts = []
        while not self.is_over() and self._peek() not in "|)":
            parts.append(self._piece())
        return concat(parts)

    def _piece(self) -> Node:
        atom = self._atom()
        char = self._peek()
        if char and char in _QUANTIFIERS:
            self._at += 1
            return repeat(atom, *_QUANTIFIERS[char])
        if char != "{":
            return atom
        end = self._pattern.find("}", self._at)
        low, comma, high = self._pattern[self._at + 1 : end].partition(",")
        if end < 0 or not low.isdecimal() or (high and not high.isdecimal()):
            self.fail("a quantifier that cannot be read")
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if most is not None and most < least:
            self.fail("a quantifier whose bounds contradict each other")
        self._at = end + 1
        return repeat(atom, least, most)

    def _atom(self) -> Node:
        char = self._peek()
        if char == "(":
            self._at += 1
            node = self.options()
            if self._peek() != ")":
                self.fail("a parenthesis that is not closed")
            self._at += 1
            return node
        if char == "[":
            return one_of(self._class())
        if char == "\\":
            return one_of(self._escape())
        if char in _NOT_IN_ATOMS:
            self.fail(f"an unexpected {char!r}")
        self._at += 1
        return one_of(complement(characters.LINE_ENDS) if char == "." else characters.of(char))

    def _escape(self) -> Chars:
        self._at += 1
        letter = self._next()
        if letter in _SINGLE:
            return characters.of(_SINGLE[letter])
        if letter in _ITSELF:
            return characters.of(letter)
        if letter in _CLASSES:
            return characters.escape(letter)
        if letter not in "pP" or self._peek() != "{":
            self.fail(f"an unknown escape \\{letter}")
        end = self._pattern.find("}", self._at)
        if end < 0:
            self.fail("a category that is not closed")
        name = self._pattern[self._at + 1 : end]
        self._at = end + 1
        chars = characters.category(name)
        chars = complement(chars) if letter == "P" else chars
        return chars if name.startswith("Is") else common(chars, characters.settled())

    def _class(self) -> Chars:
        """A class in brackets, perhaps negated, perhaps less another."""
        self._at += 1
        is_negated = self._peek() == "^"
        self._at += is_negated
        ranges: list[tuple[int, int]] = []
        less: Chars = ()
        while self._peek() != "]" or not ranges:
            if self._peek() == "-" and self._peek(1) == "[":
                self._at += 1
                less = self._class()
                if self._peek() != "]":
                    self.fail("a subtraction that is not the end of its class,")
                break
            ranges += self._range()
        self._at += 1
        chars = union(ranges)
        return characters.without(complement(chars) if is_negated else chars, less)

    def _range(self) -> Chars:
        """One character, two with a hyphen between them, or what an escape stands for."""
        chars = self._escape() if self._peek() == "\\" else characters.of(self._next())
        is_single = len(chars) == 1 and chars[0][0] == chars[0][1]
        if not is_single or self._peek() != "-" or self._peek(1) in ("]", "[", ""):
            return chars
        self._at += 1
        last = self._escape() if self._peek() == "\\" else characters.of(self._next())
        low, high = chars[0][0], last[-1][1]
        if len(last) != 1 or last[0][0] != high or high < low:
            self.fail("a range whose ends are in the wrong order")
        return ((low, high),)
