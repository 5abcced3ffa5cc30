"""Which value of an answer stands for which gold value.

Members of objects are paired by name. Items of lists are paired so that as many scalars as possible are right, whatever
their order; nested lists likewise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harmony_gen.evaluation.tree import Leaf, identity, leaves

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from numpy.typing import NDArray

    from harmony_gen.evaluation.tree import Node

Pair = tuple[Leaf | None, Leaf | None]
"""A gold leaf and that of the answer; None where there is none."""

_MOST = 250_000
"""Pairs of unequal items of one list that are weighed; items of longer lists are paired in order."""


def pairs(gold: Node | None, given: Node | None) -> list[Pair]:
    """All leaves of a gold value and an answer, paired.

    Args:
        gold: its tree, or None for no value.
        given: that of the answer.
    """
    if isinstance(gold, Leaf) and isinstance(given, Leaf):
        return [(gold, given)]
    if isinstance(gold, dict) and isinstance(given, dict):
        return [pair for name in {**gold, **given} for pair in pairs(gold.get(name), given.get(name))]
    if isinstance(gold, list) and isinstance(given, list):
        return [pair for one, other in _items(gold, given) for pair in pairs(one, other)]
    missing: list[Pair] = [] if gold is None else [(leaf, None) for leaf in leaves(gold)]
    return missing + ([] if given is None else [(None, leaf) for leaf in leaves(given)])


def right(gold: Node | None, given: Node | None) -> int:
    """How many values are right, paired as `pairs` does; null is no value."""
    if isinstance(gold, Leaf) and isinstance(given, Leaf):
        return int(gold.key is not None and gold.key == given.key)
    if isinstance(gold, dict) and isinstance(given, dict):
        return sum(right(part, given.get(name)) for name, part in gold.items())
    if isinstance(gold, list) and isinstance(given, list):
        return sum(right(one, other) for one, other in _items(gold, given))
    return 0


def _items(gold: list[Any], given: list[Any]) -> list[tuple[Node | None, Node | None]]:
    """Items of two lists, paired.

    Equal items are paired first: that never costs a right value. For if a = b, a with c has x values right, and d with
    b has y, then d with c has at least x + y less the values of a.
    """
    equal = _equal(gold, given)
    rows = sorted(set(range(len(gold))) - equal.keys())
    columns = sorted(set(range(len(given))) - set(equal.values()))
    if rows and columns:
        equal |= {rows[one]: columns[other] for one, other in _best(gold, given, rows, columns)}
    taken = set(equal.values())
    paired: list[tuple[Node | None, Node | None]] = [
        (item, given[equal[at]] if at in equal else None) for at, item in enumerate(gold)
    ]
    return paired + [(None, item) for at, item in enumerate(given) if at not in taken]


def _equal(gold: list[Any], given: list[Any]) -> dict[int, int]:
    """Items that are equal, each paired with the first that is left."""
    places: dict[Hashable, list[int]] = {}
    for at in reversed(range(len(given))):
        places.setdefault(identity(given[at]), []).append(at)
    return {at: found.pop() for at, item in enumerate(gold) if (found := places.get(identity(item)))}


def _best(gold: list[Any], given: list[Any], rows: Sequence[int], columns: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Positions in `rows` and `columns` of items with the most right values; those of like position if it is even."""
    if len(rows) * len(columns) > _MOST:
        return zip(range(len(rows)), range(len(columns)), strict=False)
    found = np.array([[right(gold[row], given[column]) for column in columns] for row in rows], dtype=np.float64)
    distance = np.abs(np.arange(len(rows))[:, None] - np.arange(len(columns))[None, :])
    return iter(assignment(found - distance / (distance.size * max(distance.shape))))


def assignment(weights: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs of rows and columns, each at most once, with the greatest sum of weights.

    The Hungarian algorithm with potentials (Harold Kuhn, "The Hungarian method for the assignment problem", 1955; in
    the cubic form of Jack Edmonds and Richard Karp, 1972): rows are added one by one along a shortest path.

    Args:
        weights: (rows, columns), finite.
    """
    if weights.shape[0] > weights.shape[1]:
        return sorted((row, column) for column, row in assignment(weights.T))
    rows, columns = weights.shape
    of_row, of_column = np.zeros(rows + 1), np.zeros(columns + 1)  # potentials; number 0 is no row, and no column
    owner = np.zeros(columns + 1, dtype=np.intp)  # the row of each column
    for row in range(1, rows + 1):
        owner[0], column = row, 0
        least = np.full(columns + 1, np.inf)  # what it costs at least to come to each column
        before = np.zeros(columns + 1, dtype=np.intp)  # and from which column
        done = np.zeros(columns + 1, dtype=bool)
        while owner[column]:
            done[column] = True
            reduced = -weights[owner[column] - 1] - of_row[owner[column]] - of_column[1:]
            better = ~done[1:] & (reduced < least[1:])
            least[1:][better], before[1:][better] = reduced[better], column
            column = int(np.argmin(np.where(done[1:], np.inf, least[1:]))) + 1
            step = least[column]
            of_row[owner[done]] += step
            of_column[done] -= step
            least[~done] -= step
        while column:
            owner[column], column = owner[before[column]], int(before[column])
    return sorted((int(row) - 1, column - 1) for column, row in enumerate(owner) if column and row)
