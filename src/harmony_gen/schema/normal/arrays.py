"""Arrays by the shape of their items."""

from __future__ import annotations

from dataclasses import dataclass

from harmony_gen.schema.normal.goals import ANY, NEVER, Goal, both, fewest, negated


@dataclass(frozen=True, slots=True)
class Array:
    """Arrays by their items.

    Attributes:
        prefix: what the first items are.
        rest: what all others are.
        least: items there are at least.
        most: items there are at most, or None.
        contains: (goal, at least, at most or None): how many items satisfy a goal.
        unique: no two items are equal.
    """

    prefix: tuple[Goal, ...] = ()
    rest: Goal = ANY
    least: int = 0
    most: int | None = None
    contains: tuple[tuple[Goal, int, int | None], ...] = ()
    unique: bool = False

    def item(self, index: int) -> Goal:
        """What one item is."""
        return self.prefix[index] if index < len(self.prefix) else self.rest

    def __and__(self, other: Array) -> Array | None:
        """The intersection, or None if it is empty."""
        length = max(len(self.prefix), len(other.prefix))
        return array(
            tuple(both(self.item(i), other.item(i)) for i in range(length)),
            both(self.rest, other.rest),
            max(self.least, other.least),
            fewest(self.most, other.most),
            tuple(dict.fromkeys(self.contains + other.contains)),
            unique=self.unique or other.unique,
        )


def array(
    prefix: tuple[Goal, ...],
    rest: Goal,
    least: int,
    most: int | None,
    contains: tuple[tuple[Goal, int, int | None], ...] = (),
    *,
    unique: bool = False,
) -> Array | None:
    """Arrays in normal form, or None if there are none: no item that cannot be."""
    end = next((i for i, goal in enumerate(prefix) if goal is NEVER), len(prefix) if rest is NEVER else None)
    if end is not None:
        most = end if most is None else min(most, end)
    if most is not None:
        prefix, rest = prefix[:most], NEVER if most <= len(prefix) else rest
    needed = max((count for _, count, _ in contains), default=0)
    if most is not None and max(least, needed) > most:
        return None
    if any(fewest is not None and fewest < count for _, count, fewest in contains):
        return None
    return Array(prefix, rest, least, most, contains, unique)


def difference(one: Array, other: Array) -> list[Array] | None:
    """The arrays of one shape that are not of another, or None where shapes cannot say it."""
    if (one & other) is None:
        return [one]
    rest = _others(other)
    if rest is None:
        return None
    kept = (one & shape for shape in rest)
    return [shape for shape in kept if shape is not None]


def _others(shape: Array) -> list[Array] | None:
    """The complement of an array shape, or None where shapes cannot say it."""
    if shape.unique or (shape.prefix and shape.rest not in (ANY, NEVER)):
        return None
    found: list[Array | None] = []
    if shape.least:
        found.append(array((), ANY, 0, shape.least - 1))
    if shape.most is not None:
        found.append(array((), ANY, shape.most + 1, None))
    for index, goal in enumerate(shape.prefix):
        found += [array((*(ANY,) * index, other), ANY, index + 1, None) for other in negated(goal)]
    if not shape.prefix and shape.rest is not NEVER:
        found += [array((), ANY, 1, None, ((other, 1, None),)) for other in negated(shape.rest)]
    for goal, least, most in shape.contains:
        if least:
            found.append(array((), ANY, 0, None, ((goal, 0, least - 1),)))
        if most is not None:
            found.append(array((), ANY, most + 1, None, ((goal, most + 1, None),)))
    return [arrays for arrays in found if arrays is not None]
