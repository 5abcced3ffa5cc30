"""Conditions on places in a text, and how they turn into the parts beside them.

A *path* is a row of plain parts with conditions between them. A condition on the neighbouring character (`Edge`)
narrows the part that stands there; a condition on all that follows or stands before (`Rest`) is intersected with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from harmony_gen.schema.strings.characters import Chars, common, complement
from harmony_gen.schema.strings.expression import (
    ANYTHING,
    NOTHING,
    Alternation,
    Character,
    Concat,
    Node,
    Repeat,
    alternation,
    around,
    both,
    concat,
    is_nullable,
    negation,
    one_of,
    repeat,
    width,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_PATHS = 64
"""A pattern with more ways through it than this is simplified, and then matches more."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The neighbouring character is in a set; or there is no neighbour, if `none`."""

    behind: bool
    chars: Chars
    none: bool

    def negated(self) -> Edge:
        """The opposite condition."""
        return Edge(self.behind, complement(self.chars), not self.none)

    def admits_none(self) -> bool:
        """Whether there may be no character."""
        return self.none

    def narrow(self, node: Node) -> Node:
        """The texts of a part, but not the empty one, that have such a character at their near end."""
        match node:
            case _ if not self.chars:
                narrowed: Node = NOTHING
            case Character(chars):
                narrowed = one_of(common(chars, self.chars))
            case Alternation(options):
                narrowed = alternation(map(self.narrow, options))
            case Repeat(body, least, most) if not is_nullable(body):
                first = self.narrow(body)
                rest = repeat(body, max(least - 1, 0), None if most is None else most - 1)
                narrowed = node if first == body and least else self._row(first, rest)
            case Concat(parts):
                narrowed = self._narrow_row(parts)
            case _:
                narrowed = both([node, self._row(Character(self.chars), ANYTHING)])
        return narrowed

    def _narrow_row(self, parts: tuple[Node, ...]) -> Node:
        if not parts:
            return NOTHING
        near, far = (parts[-1], parts[:-1]) if self.behind else (parts[0], parts[1:])
        narrowed = self._row(self.narrow(near), concat(far))
        return alternation([narrowed, self._narrow_row(far)]) if is_nullable(near) else narrowed

    def _row(self, near: Node, far: Node) -> Node:
        return concat((far, near) if self.behind else (near, far))


@dataclass(frozen=True, slots=True)
class Rest:
    """All that follows, or stands before, is in a language; the nearest `depth` characters decide, or all if None."""

    behind: bool
    language: Node
    depth: int | None

    def negated(self) -> Rest:
        """The opposite condition."""
        return Rest(self.behind, negation(self.language), self.depth)

    def admits_none(self) -> bool:
        """Whether there may be no character."""
        return is_nullable(self.language)

    def reach(self, seen: list[Element]) -> int | None:
        """How many of the nearest parts settle the condition, whatever stands behind them; None if none do."""
        if self.depth is None:
            return None
        least, count = 0, 0
        for element in reversed(seen) if self.behind else seen:
            if least >= self.depth or isinstance(element, Edge | Rest):
                break
            least, count = least + width(element)[0], count + 1
        return count if least >= self.depth else None


Condition: TypeAlias = Edge | Rest
Element: TypeAlias = Node | Condition
Path: TypeAlias = tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """A path without conditions inside.

    Attributes:
        outside: conditions on the text beside it.
        tree: what it matches.
        exact: it matches no more than the path did.
    """

    outside: tuple[Condition, ...]
    tree: Node
    exact: bool


def parts_of(path: Iterable[Element]) -> list[Node]:
    """The plain parts of a path."""
    return [element for element in path if not isinstance(element, Edge | Rest)]


def conditions_of(path: Iterable[Element]) -> list[Condition]:
    """The conditions of a path."""
    return [element for element in path if isinstance(element, Edge | Rest)]


def close(path: Path, *, left: bool = True, right: bool = True) -> list[Closed]:
    """A path as plain trees.

    Args:
        path: the path.
        left: the text starts where the path does.
        right: the text ends where the path does.
    """
    return [_close(way, left=left, right=right) for way in _settle(path)]


def _settle(path: Path) -> list[Path]:
    """The paths that are left when edges have narrowed their neighbours, as far as they are not too many."""
    todo, done = [path], list[Path]()
    while todo and len(todo) + len(done) <= MOST_PATHS:
        path = todo.pop(0)
        ways = next((ways for at in range(len(path)) if (ways := _narrowed(path, at)) is not None), None)
        if ways is None:
            done.append(path)
        else:
            todo += ways
    return done + todo


def _narrowed(path: Path, at: int) -> list[Path] | None:
    """What a path becomes when an edge narrows its neighbour; None if there is no edge or no neighbour.

    Either the neighbour is not empty, and the edge is dealt with; or it is, and the edge looks beyond it.
    """
    edge = path[at]
    if not isinstance(edge, Edge):
        return None
    step = -1 if edge.behind else 1
    for near in range(at + step, -1 if edge.behind else len(path), step):
        node = path[near]
        if isinstance(node, Edge | Rest):
            continue
        ways: list[Path] = []
        narrow = edge.narrow(node)
        if narrow != NOTHING:
            ways.append(tuple(narrow if index == near else other for index, other in enumerate(path) if index != at))
        if is_nullable(node):
            ways.append((*path[:near], *path[near + 1 :]))
        return ways
    return None


def _close(path: Path, *, left: bool, right: bool) -> Closed:
    """A settled path as one plain tree; a condition that cannot be resolved is dropped."""
    row = _Row(_ordered(path), left=left, right=right)
    exact = True
    while conditions := [(at, one) for at, one in enumerate(row.elements) if isinstance(one, Edge | Rest)]:
        if NOTHING in row.elements:
            return Closed((), NOTHING, exact=True)
        if not any(row.resolve(at, condition) for at, condition in conditions):
            del row.elements[conditions[0][0]]
            exact = False
    return Closed(tuple(row.outside), both([around(parts_of(row.elements)), *row.everywhere]), exact)


def _ordered(path: Path) -> list[Element]:
    """A path in which, at each place, the conditions that look behind come first."""
    row: list[Element] = []
    for _, run in groupby(path, lambda element: isinstance(element, Edge | Rest)):
        row += sorted(run, key=lambda element: isinstance(element, Edge | Rest) and not element.behind)
    return row


class _Row:
    """A path whose conditions are resolved one by one.

    Attributes:
        elements: what is left of the path.
        outside: conditions on the text beside the path.
        everywhere: languages that the whole path must be in.
    """

    def __init__(self, elements: list[Element], *, left: bool, right: bool) -> None:
        self.elements = elements
        self.outside: list[Condition] = []
        self.everywhere: list[Node] = []
        self._left = left
        self._right = right

    def resolve(self, at: int, condition: Condition) -> bool:
        """Takes out the condition at a place, if its meaning can be put elsewhere."""
        before, after = self.elements[:at], self.elements[at + 1 :]
        if not condition.behind:
            seen = self._seen(condition, after, before, border=self._right)
            self.elements = self.elements if seen is None else before + seen
        else:
            seen = self._seen(condition, before, after, border=self._left)
            self.elements = self.elements if seen is None else seen + after
        return seen is not None

    def _seen(
        self, condition: Condition, seen: list[Element], others: list[Element], *, border: bool
    ) -> list[Element] | None:
        """What becomes of the elements that a condition sees; None if it cannot be resolved.

        Args:
            condition: the condition.
            seen: the elements on the side it looks to.
            others: those on the other side.
            border: the text ends behind the elements that it sees.
        """
        if not parts_of(seen):
            if not border:
                self.outside.append(condition)
            return seen if not border or condition.admits_none() else [NOTHING]
        if isinstance(condition, Edge):  # it has not been settled
            return None
        if border and not parts_of(others):
            self.everywhere.append(condition.language)
            return seen
        count = len(seen) if border and not conditions_of(seen) else condition.reach(seen)
        if count is None:
            return None
        cut = len(seen) - count if condition.behind else count
        front, back = seen[:cut], seen[cut:]
        if condition.behind:
            return [*front, both([around(parts_of(back)), condition.language])]
        return [both([around(parts_of(front)), condition.language]), *back]
