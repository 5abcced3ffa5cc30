"""Goals: what the members of objects and the items of arrays must be, as facts that somebody else looks up."""

from __future__ import annotations

from typing import NamedTuple


class Fact(NamedTuple):
    """A schema, by its number, that a value satisfies, or does not satisfy."""

    schema: int
    positive: bool

    def negated(self) -> Fact:
        """The opposite."""
        return Fact(self.schema, not self.positive)


Goal = frozenset[Fact]
"""Facts that hold together."""

ANY: Goal = frozenset()
NEVER: Goal = frozenset([Fact(0, positive=False)])
"""What no value is: number 0 is the schema `true`."""


def both(one: Goal, other: Goal) -> Goal:
    """The conjunction of two goals."""
    if one is NEVER or other is NEVER:
        return NEVER
    union = one | other if one and other else one or other
    clash = len(union) > 1 and any(fact.negated() in union for fact in union if not fact.positive)
    return NEVER if clash else union


def negated(goal: Goal) -> list[Goal]:
    """The goals whose union is the complement of one."""
    return [ANY] if goal is NEVER else [frozenset([fact.negated()]) for fact in sorted(goal)]


def fewest(one: int | None, other: int | None) -> int | None:
    """The smaller of two upper bounds; None is no bound."""
    return other if one is None else one if other is None else min(one, other)
