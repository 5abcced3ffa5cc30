"""A tree of a regular expression in the words of Python's `re`."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from harmony_gen.schema.strings.characters import EVERY, LAST, Chars, complement
from harmony_gen.schema.strings.expression import (
    Alternation,
    Anchor,
    Atomic,
    Backreference,
    Capture,
    Character,
    Concat,
    Look,
    Node,
    Repeat,
    WordBoundary,
    alternation,
    concat,
    repeat,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_WIDTHS = 100
_TIMES = {(0, None): "*", (1, None): "+", (0, 1): "?"}


def write(node: Node) -> str:
    """A pattern for `re` that matches the same texts.

    Raises:
        TypeError: `re` has no word for a part: it is `Both` or `Not`.
    """
    return _Writer().write(node)


class _Writer:
    """Writes a tree from left to right; the groups that capture are numbered as they come."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}

    def write(self, node: Node) -> str:  # noqa: PLR0911 - one case for each kind of node
        match node:
            case Character(chars):
                return character(chars)
            case Concat(parts):
                return "".join(self._part(part) for part in parts)
            case Alternation(options):
                return "|".join(map(self.write, options)) if options else "(?!)"
            case Repeat(body, least, most, lazy):
                return self._repeated(body) + times(least, most) + ("?" if lazy else "")
            case Anchor(end):
                return r"\Z" if end else "^"
            case WordBoundary(negative):
                return r"(?!(?a:\b))" if negative else r"(?a:\b)"
            case Look():
                return self._look(node)
            case _:
                return self._remembering(node)

    def _remembering(self, node: Node) -> str:
        """A part that looks at how others have matched."""
        match node:
            case Capture(number, body):
                self.numbers[number] = len(self.numbers) + 1
                return f"({self.write(body)})"
            case Backreference(numbers, any_case):
                return "".join(self._back(number, any_case=any_case) for number in numbers)
            case Atomic(body):
                return f"(?>{self.write(body)})"
        raise TypeError(node)

    def _part(self, node: Node) -> str:
        """A tree as a part of a row."""
        return f"(?:{self.write(node)})" if isinstance(node, Alternation) else self.write(node)

    def _repeated(self, node: Node) -> str:
        """A tree that a quantifier may follow."""
        return self.write(node) if isinstance(node, Character | Capture | Atomic) else f"(?:{self.write(node)})"

    def _look(self, look: Look) -> str:
        """A look-around; where it looks behind, `re` wants one width, and the options stand side by side."""
        if not look.behind:
            return f"(?{'!' if look.negative else '='}{self.write(look.body)})"
        options = look.body.options if isinstance(look.body, Alternation) else (look.body,)
        if look.negative:
            return "".join(f"(?<!{self.write(option)})" for option in options)
        return f"(?:{'|'.join(f'(?<={self.write(option)})' for option in options)})"

    def _back(self, number: int, *, any_case: bool) -> str:
        """A reference that is empty where the group has not matched."""
        number = self.numbers[number]
        return f"(?({number})(?i:\\{number}))" if any_case else f"(?({number})\\{number})"


def times(least: int, most: int | None) -> str:
    """A quantifier."""
    known = _TIMES.get((least, most))
    if known:
        return known
    return f"{{{least}}}" if least == most else f"{{{least},{'' if most is None else most}}}"


@lru_cache(maxsize=1024)
def character(chars: Chars) -> str:
    """One character of a set."""
    if chars == EVERY:
        return "(?s:.)"
    if len(chars) == 1 and chars[0][0] == chars[0][1]:
        return _escaped(chars[0][0])
    if chars[-1][1] == LAST:
        return f"[^{_ranges(complement(chars))}]"
    return f"[{_ranges(chars)}]"


def _ranges(chars: Chars) -> str:
    """The inside of a class."""
    return "".join(
        _escaped(low) if low == high else f"{_escaped(low)}{dash(low, high)}{_escaped(high)}" for low, high in chars
    )


def dash(low: int, high: int) -> str:
    """What stands between the ends of a range: nothing if they are neighbours."""
    return "" if low + 1 == high else "-"


def _escaped(code: int) -> str:
    char = chr(code)
    if char.isalnum() and char.isascii():
        return char
    if char.isascii() and char.isprintable():
        return re.escape(char) if char not in "&~" else "\\" + char
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def fixed_widths(node: Node) -> Node:
    """A tree as an alternation of trees that have one width each, as `re` wants it in a look-behind.

    Raises:
        ValueError: there are too many widths, or a part remembers.
    """
    return alternation(_by_width(node).values())


def _by_width(node: Node) -> dict[int, Node]:
    """For each width of a match, the tree of the matches that have it."""
    match node:
        case Character():
            return {1: node}
        case Concat(parts):
            return _row([_by_width(part) for part in parts])
        case Alternation(options):
            return _merged((width, option) for part in options for width, option in _by_width(part).items())
        case Repeat(body, least, most) if most is not None and most <= _MOST_WIDTHS:
            widths = _by_width(body)
            if widths.keys() == {1}:
                return {count: repeat(body, count, count) for count in range(least, most + 1)}
            rows = (_row([widths] * count) for count in range(least, most + 1))
            return _merged((width, option) for row in rows for width, option in row.items())
        case Anchor() | WordBoundary() | Look():
            return {0: node}
        case _:
            message = "a look-behind holds what Python cannot look for backwards"
            raise ValueError(message)


def _row(parts: list[dict[int, Node]]) -> dict[int, Node]:
    """The widths of one part after the other."""
    found: dict[int, Node] = {0: concat(())}
    for part in parts:
        found = _merged(
            (one + two, concat((front, back))) for (one, front), (two, back) in product(found.items(), part.items())
        )
    return found


def _merged(trees: Iterable[tuple[int, Node]]) -> dict[int, Node]:
    """The trees of the same width together."""
    found: dict[int, list[Node]] = {}
    for width, tree in trees:
        found.setdefault(width, []).append(tree)
    if len(found) > _MOST_WIDTHS:
        message = "a look-behind has too many widths"
        raise ValueError(message)
    return {width: alternation(trees) for width, trees in found.items()}
