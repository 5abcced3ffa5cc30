"""Values of a completion that must differ from others, or be the same as others, and are chosen so.

A completion is made of the shortest texts. Where two values clash, one of them is written anew, if it is not yet
written: with another short text of its lexeme, or with a value it may refer to.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from harmony_gen.schema.markup.text import escaped, text_node
from harmony_gen.schema.strings.derivatives import derive, shortest
from harmony_gen.schema.strings.expression import (
    ANYTHING,
    NOTHING,
    Node,
    alternation,
    both,
    concat,
    is_nullable,
    negation,
    single,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harmony_gen.schema.markup.reading import Piece

_MOST_MENDS = 200


class Clash(NamedTuple):
    """Values that must not stay as they are.

    Attributes:
        row: the values; without any, only the judge can tell.
        others: rows that it must differ from.
        ways: what else may be made equal, each of them ends the clash: a row, and what it is to be.
    """

    row: tuple[Piece, ...]
    others: Sequence[tuple[Piece, ...]] = ()
    ways: Sequence[tuple[tuple[Piece, ...], tuple[Piece, ...]]] = ()


Lexemes = list[tuple[Node, str]]
"""The lexemes of a completion, the first perhaps begun before it, and the text of each."""


def mended(prefix: str, lexemes: Lexemes, clashes: Callable[[str], Iterator[Clash]]) -> str | None:
    """The text of a completion without clashes.

    Args:
        prefix: what has been written.
        lexemes: of the completion.
        clashes: what may be broken in a document.

    Returns:
        None if none was found.
    """
    lexemes = list(lexemes)
    for _ in range(_MOST_MENDS + len(lexemes)):
        text = "".join(text for _, text in lexemes)
        clash = next((clash for clash in clashes(prefix + text) if clash.row), None)
        if clash is None:
            return text
        change = _change(prefix, lexemes, clash)
        if change is None:
            return None
        for index, new in change.items():
            lexemes[index] = lexemes[index][0], new
    return None


def _change(prefix: str, lexemes: Lexemes, clash: Clash) -> dict[int, str] | None:
    """New texts of lexemes, by their places, that end a clash; None if there are none."""
    if clash.others:
        return _different(prefix, lexemes, clash)
    changes = (_equal(prefix, lexemes, row, wanted) for row, wanted in clash.ways)
    return next((change for change in changes if change), None)


def _different(prefix: str, lexemes: Lexemes, clash: Clash) -> dict[int, str] | None:
    """A text that makes a row differ from others; None if all of it has been written."""
    for index in reversed(range(len(clash.row))):
        cell = Cell.of(prefix, lexemes, clash.row[index])
        text = None if cell is None else cell.another(row[index].value for row in clash.others)
        if cell is not None and text is not None:
            return {cell.place: text}
    return None


def _equal(prefix: str, lexemes: Lexemes, row: Sequence[Piece], other: Sequence[Piece]) -> dict[int, str] | None:
    """The texts that make a row equal to another; None if that cannot be."""
    change = {}
    for piece, wanted in zip(row, other, strict=True):
        if piece.value == wanted.value:
            continue
        cell = Cell.of(prefix, lexemes, piece)
        text = None if cell is None else cell.with_value(wanted.value)
        if cell is None or text is None or cell.place in change:
            return None
        change[cell.place] = text
    return change


class Cell(NamedTuple):
    """A value whose text may still be chosen.

    Attributes:
        place: of its lexeme.
        node: what the lexeme may be.
        before: what of the lexeme stands before the value.
        after: what stands behind it.
        written: what of the value has been written already, escaped.
        in_attribute: whether it is one of an attribute.
    """

    place: int
    node: Node
    before: str
    after: str
    written: str
    in_attribute: bool

    @classmethod
    def of(cls, prefix: str, lexemes: Lexemes, piece: Piece) -> Cell | None:
        """The place of a value in a completion; None if all of it has been written."""
        whole = prefix + "".join(text for _, text in lexemes)
        if piece.end < len(prefix):
            return None
        start = max(piece.start, len(prefix))
        position = len(prefix)
        for place, (node, text) in enumerate(lexemes):
            if position <= start and piece.end <= position + len(text) and (text or place == 0):
                before, after = text[: start - position], text[piece.end - position :]
                in_attribute = whole[piece.end : piece.end + 1] == '"'
                cell = cls(place, node, before, after, whole[piece.start : start], in_attribute)
                if cell.is_open():
                    return cell
            position += len(text)
        return None

    def is_open(self) -> bool:
        """Whether another text may stand here."""
        rest = self.node
        for char in self.before:
            rest = _derived(rest, ord(char))
        return rest != text_node(self.after)

    def another(self, taken: Iterable[str]) -> str | None:
        """A text of the lexeme with a value that is not taken."""
        used = {text for value in taken if (text := self._spelled(value)) is not None}
        for number in (len(used) + 1, 10 * len(used) + 17):
            text = _holding(self.node, number)
            if text is not None and text not in used:
                return text
        unused = both([self.node, negation(alternation(map(text_node, sorted(used))))]) if used else self.node
        return shortest(unused, 0)

    def with_value(self, value: str) -> str | None:
        """The text of the lexeme with a certain value; None if it cannot have it."""
        text = self._spelled(value)
        if text is None:
            return None
        rest = self.node
        for char in text:
            rest = _derived(rest, ord(char))
            if rest == NOTHING:
                return None
        return text if is_nullable(rest) else None

    def _spelled(self, value: str) -> str | None:
        """The text of the lexeme with a value; None if something else has been written already."""
        spelled = escaped(value, attribute=self.in_attribute)
        if not spelled.startswith(self.written):
            return None
        return self.before + spelled[len(self.written) :] + self.after


_derived = lru_cache(maxsize=100_000)(derive)


@lru_cache(maxsize=10_000)
def _holding(node: Node, number: int) -> str | None:
    """A short text of a lexeme that holds a number."""
    digits = concat(single(ord(digit)) for digit in str(number))
    return shortest(both([node, concat([ANYTHING, digits, ANYTHING])]), 0)
