"""Other values for a completion, where only a judge knows which are right: guesses, the likelier ones first."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import combinations, product
from typing import TYPE_CHECKING, TypeVar

from harmony_gen.schema.markup.mending import Cell
from harmony_gen.schema.markup.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harmony_gen.schema.markup.mending import Lexemes
    from harmony_gen.schema.markup.reading import Element, Piece

_T = TypeVar("_T")
_LONGER = ("0", "9", "00", "99", "000", "999", "00000", "99999")
_MOST_CELLS = 12
_MOST_VALUES = 40


def varied(prefix: str, lexemes: Lexemes, words: Sequence[str]) -> Iterator[str]:
    """Texts of a completion with other values.

    All values that are not yet written are set to the same, then one alone to another, then two.

    Args:
        prefix: what has been written.
        lexemes: of the completion.
        words: values that may be wanted.
    """
    pieces = list(_pieces(read(prefix + "".join(text for _, text in lexemes))))
    found = (Cell.of(prefix, lexemes, piece) for piece in pieces)
    cells = [cell for cell in found if cell is not None][:_MOST_CELLS]
    values = _values(words, [piece.value for piece in pieces])
    options = [(cell, _texts(cell, values)) for cell in cells]
    for value in values:
        yield _with(lexemes, {cell.place: known[value] for cell, known in options if value in known})
    for number in (1, 2):
        yield from in_turn([_each(lexemes, some) for some in combinations(options, number)])


def in_turn(rows: Iterable[Iterator[_T]]) -> Iterator[_T]:
    """The first of each row, then the second of each, and so on."""
    waiting = list(rows)
    while waiting:
        left = []
        for row in waiting:
            for item in row:
                yield item
                left.append(row)
                break
        waiting = left


def _each(lexemes: Lexemes, some: Sequence[tuple[Cell, dict[str, str]]]) -> Iterator[str]:
    """The texts with each of the values of some cells."""
    for chosen in product(*(known.values() for _, known in some)):
        yield _with(lexemes, {cell.place: text for (cell, _), text in zip(some, chosen, strict=True)})


def _with(lexemes: Lexemes, change: dict[int, str]) -> str:
    return "".join(change.get(place, text) for place, (_, text) in enumerate(lexemes))


def _texts(cell: Cell, values: Sequence[str]) -> dict[str, str]:
    """The texts of a lexeme by its value: some of the values, or what has been written of it with more digits."""
    wanted = [*values, *(cell.written + more for more in _LONGER)]
    return {value: text for value in wanted if (text := cell.with_value(value)) is not None}


def _values(words: Sequence[str], written: Sequence[str]) -> list[str]:
    """Values that a condition may want, by what it names and what a document holds."""
    found = dict.fromkeys([*words, *written])
    numbers = [number for value in found if (number := _number(value)) is not None]
    here = [number for value in written if (number := _number(value)) is not None]
    for number in [sum(here, Decimal(0)), *(near for one in numbers for near in (one + 1, one - 1))]:
        found[f"{number:f}"] = None
    found.update(dict.fromkeys(near for value in written for near in _near_dates(value)))
    return list(found)[:_MOST_VALUES]


def _near_dates(value: str) -> Iterator[str]:
    """The days after and before a date, at the same time if it has one."""
    for days in (1, -1):
        with contextlib.suppress(ValueError, OverflowError):
            yield f"{date.fromisoformat(value[:10]) + timedelta(days=days)}{value[10:]}"


def _number(value: str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 20 else None  # noqa: PLR2004 - longer ones are codes


def _pieces(root: Element) -> Iterator[Piece]:
    """The values of a document: attributes, and texts of elements that hold no others."""
    for element in root.descendants():
        yield from element.attributes.values()
        if not element.children:
            yield element.text
