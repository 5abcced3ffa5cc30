"""Which sets of values certainly share none: by type, constants, required names and what stands under them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from harmony_gen.schema.normal.goals import ANY, NEVER, Goal

if TYPE_CHECKING:
    from collections.abc import Callable

    from harmony_gen.schema.normal.arrays import Array
    from harmony_gen.schema.normal.node import Node
    from harmony_gen.schema.normal.objects import Object

_MOST_COMPARED = 3_000
_DEEPEST = 3


class Disjoint:
    """Compares nodes a few levels deep; `node` says what satisfies a goal, or None where that is not known yet."""

    def __init__(self, node: Callable[[Goal], Node | None]) -> None:
        self._node = node
        self._known: dict[tuple[Goal, Goal], bool] = {}

    def overlaps(self, nodes: list[Node]) -> list[tuple[int, int]]:
        """The pairs of nodes that are not known to be disjoint."""
        kinds = [node.kinds for node in nodes]
        found = []
        for tried, (i, j) in enumerate(combinations(range(len(nodes)), 2)):
            if kinds[i] & kinds[j] and (tried > _MOST_COMPARED or not self.disjoint(nodes[i], nodes[j])):
                found.append((i, j))
        return found

    def disjoint(self, one: Node, other: Node, depth: int = 0) -> bool:
        """Whether two nodes certainly share no value; looks a few levels deep."""
        if (one.null and other.null) or one.booleans & other.booleans:
            return False
        if any((left & right) is not None for left in one.numbers for right in other.numbers):
            return False
        if not (one.strings & other.strings).is_empty():
            return False
        if any(not self._arrays_clash(left, right, depth) for left in one.arrays for right in other.arrays):
            return False
        return all(self._objects_clash(left, right, depth) for left in one.objects for right in other.objects)

    def _arrays_clash(self, one: Array, other: Array, depth: int) -> bool:
        if (one & other) is None:
            return True
        least = max(one.least, other.least)
        length = min(least, 1 + max(len(one.prefix), len(other.prefix)))
        return any(self._goals_clash(one.item(i), other.item(i), depth) for i in range(length))

    def _objects_clash(self, one: Object, other: Object, depth: int) -> bool:
        names = sorted(one.required | other.required)
        if any(self._goals_clash(one.member(name), other.member(name), depth) for name in names):
            return True
        return (one & other) is None

    def _goals_clash(self, one: Goal, other: Goal, depth: int) -> bool:
        if one is NEVER or other is NEVER:
            return True
        if one is ANY or other is ANY or one == other or depth >= _DEEPEST:
            return False
        key = (one, other)
        if key not in self._known:
            self._known[key] = False  # what a cycle sees
            left, right = self._node(one), self._node(other)
            self._known[key] = left is not None and right is not None and self.disjoint(left, right, depth + 1)
        return self._known[key]
