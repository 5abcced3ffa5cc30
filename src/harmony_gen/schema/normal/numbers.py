"""Intervals of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Numbers:
    """An interval of numbers.

    Attributes:
        low: the lower bound, or None.
        high: the upper bound, or None.
        open: whether the bounds themselves are left out, (low, high).
        whole: True for integers only, False for all but integers, None for both.
        steps: what the number must be a multiple of; one integer at most.
    """

    low: float | None = None
    high: float | None = None
    open: tuple[bool, bool] = (False, False)
    whole: bool | None = None
    steps: frozenset[float] = frozenset()

    def __and__(self, other: Numbers) -> Numbers | None:
        """The intersection, or None if it is empty."""
        if self.whole is not other.whole and None not in (self.whole, other.whole):
            return None
        low, low_open = _tighter((self.low, self.open[0]), (other.low, other.open[0]), 1)
        high, high_open = _tighter((self.high, self.open[1]), (other.high, other.open[1]), -1)
        whole = other.whole if self.whole is None else self.whole
        return interval(low, high, (low_open, high_open), whole, self.steps | other.steps)

    def holds(self, value: float) -> bool:
        """Whether a number lies between the bounds; steps are not looked at."""
        if self.low is not None and (value < self.low or (self.open[0] and value == self.low)):
            return False
        if self.high is not None and (value > self.high or (self.open[1] and value == self.high)):
            return False
        return self.whole is None or (value == int(value)) is self.whole

    @property
    def point(self) -> float | None:
        """The only number in it, or None if there are several."""
        return self.low if self.low is not None and self.low == self.high else None


def _tighter(one: tuple[float | None, bool], other: tuple[float | None, bool], sign: int) -> tuple[float | None, bool]:
    """The stricter of two lower bounds (sign 1) or upper bounds (sign -1)."""
    if one[0] is None or other[0] is None:
        return other if one[0] is None else one
    if one[0] == other[0]:
        return one[0], one[1] or other[1]
    return one if (one[0] > other[0]) == (sign > 0) else other


def interval(
    low: float | None, high: float | None, opened: tuple[bool, bool], whole: bool | None, steps: frozenset[float]
) -> Numbers | None:
    """An interval in normal form, or None if it is empty: integers have closed bounds that are among them."""
    units = [step for step in steps if isinstance(step, int)]
    unit = math.lcm(*units)
    if units:
        if whole is False:
            return None
        whole, steps = True, steps.difference(units) | ({unit} - {1})
    if whole and low is not None:
        first = math.floor(low) + 1 if opened[0] else math.ceil(low)
        low, opened = -(-first // unit) * unit, (False, opened[1])
    if whole and high is not None:
        last = math.ceil(high) - 1 if opened[1] else math.floor(high)
        high, opened = last // unit * unit, (opened[0], False)
    if low is not None and high is not None:
        if low > high or (low == high and any(opened)):
            return None
        if low == high:
            return None if whole is False and low == int(low) else Numbers(low, high, steps=steps - {unit})
    return Numbers(low, high, opened, whole, steps)


def difference(one: Numbers, other: Numbers) -> list[Numbers] | None:
    """The numbers of one interval that are not in another, or None where intervals cannot say it."""
    if (one & other) is None:
        return [one]
    rest = _others(other)
    if rest is None:
        return None
    kept = (one & numbers for numbers in rest)
    return [numbers for numbers in kept if numbers is not None]


def _others(shape: Numbers) -> list[Numbers] | None:
    """The complement of an interval, or None where it is no union of intervals."""
    if shape.steps:
        return None
    found = []
    if shape.low is not None:
        found.append(interval(None, shape.low, (False, not shape.open[0]), None, frozenset()))
    if shape.high is not None:
        found.append(interval(shape.high, None, (not shape.open[1], False), None, frozenset()))
    if shape.whole is not None:
        found.append(interval(shape.low, shape.high, shape.open, not shape.whole, frozenset()))
    return [numbers for numbers in found if numbers is not None]
