"""Decimal numbers in bounds, digit by digit, as plain trees. Leading zeros are allowed everywhere."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from harmony_gen.schema.markup.text import text_node
from harmony_gen.schema.strings.expression import (
    EMPTY,
    NOTHING,
    Character,
    Node,
    alternation,
    both,
    concat,
    is_nullable,
    repeat,
)
from harmony_gen.schema.xsd.characters import DIGIT

_DIGIT = Character(DIGIT)
_DIGITS = repeat(_DIGIT, 0, None)
_ZEROS = repeat(text_node("0"), 0, None)
_PLUS = repeat(text_node("+"), 0, 1)
_MINUS = text_node("-")
_SIGN = repeat(alternation([text_node("+"), _MINUS]), 0, 1)
_FRACTION = repeat(concat([text_node("."), _DIGITS]), 0, 1)
_BARE = concat([text_node("."), repeat(_DIGIT, 1, None)])
_SOME = concat([_DIGITS, Character(((49, 57),)), _DIGITS])
"""Digits that are not all zeros."""

LONGEST_WHOLE, LONGEST_FRACTION = 40, 20
"""Digits of the longest decimals that are written."""


class Bound(NamedTuple):
    """An end of an interval.

    Attributes:
        value: the number.
        is_open: whether it is itself excluded.
    """

    value: Decimal
    is_open: bool = False


def between(low: Bound | None, high: Bound | None, *, whole: bool) -> Node:
    """The decimals of an interval, or the whole numbers; None is no bound."""
    zero = Bound(Decimal(0))
    options = []
    if high is None or high.value >= 0:
        least = zero if low is None or low.value < 0 else low
        options.append(concat([_PLUS, _sizes(least, high, whole=whole)]))
    if low is None or low.value < 0:
        least = zero if high is None or high.value >= 0 else _mirrored(high)
        options.append(concat([_MINUS, _sizes(least, None if low is None else _mirrored(low), whole=whole)]))
    return alternation(options)


def _mirrored(bound: Bound) -> Bound:
    return Bound(-bound.value, bound.is_open)


def _sizes(low: Bound, high: Bound | None, *, whole: bool) -> Node:
    """Numbers without a sign in an interval that begins at 0 or above."""
    first, behind_first = _parts(low.value)
    any_fraction = EMPTY if whole else _FRACTION
    from_first = _fraction_at_least(behind_first, exclusive=low.is_open)
    if high is None:
        above = concat([_whole_at_least(first + 1, zeros=EMPTY), any_fraction])
        return concat([_ZEROS, alternation([above, _with(first, from_first, whole=whole)])])
    last, behind_last = _parts(high.value)
    up_to_last = _fraction_at_most(behind_last, exclusive=high.is_open)
    if last < first:
        return NOTHING
    if first == last:
        return concat([_ZEROS, _with(first, both([from_first, up_to_last]), whole=whole)])
    inside = concat([plain(first + 1, last - 1), any_fraction]) if last > first + 1 else NOTHING
    ends = [_with(first, from_first, whole=whole), _with(last, up_to_last, whole=whole)]
    return concat([_ZEROS, alternation([inside, *ends])])


def _with(number: int, fraction: Node, *, whole: bool) -> Node:
    """A certain whole part, and what may stand behind it."""
    if whole:
        return text_node(str(number)) if is_nullable(fraction) else NOTHING
    written = concat([text_node(str(number)), fraction])
    return written if number else alternation([written, both([fraction, _BARE])])


def digits(total: int | None, fraction: int | None) -> Node:
    """Decimals of so many digits, leading zeros among them, and so many behind the point."""
    total = LONGEST_WHOLE + LONGEST_FRACTION if total is None else total
    options = []
    for whole in range(min(total, LONGEST_WHOLE) + 1):
        most = min(total - whole, LONGEST_FRACTION if fraction is None else fraction)
        behind = concat([text_node("."), repeat(_DIGIT, 1, most)]) if most else EMPTY
        if whole or most:
            options.append(concat([repeat(_DIGIT, whole, whole), repeat(behind, 0 if whole else 1, 1)]))
    return concat([_SIGN, alternation(options)])


def fixed(low: int, high: int, size: int) -> Node:
    """Whole numbers in bounds, written with so many digits."""
    return _between(str(low).zfill(size), str(high).zfill(size)) if low <= high else NOTHING


def plain(low: int, high: int | None) -> Node:
    """Whole numbers in bounds, not negative, without leading zeros."""
    if high is None:
        return _whole_at_least(low, zeros=EMPTY)
    sizes = range(len(str(low)), len(str(high)) + 1)
    return alternation(
        fixed(max(low, 10 ** (size - 1) if size > 1 else 0), min(high, 10**size - 1), size) for size in sizes
    )


def _between(low: str, high: str) -> Node:
    """Digits of one length from one text to another."""
    if not low:
        return EMPTY
    if low > high:
        return NOTHING
    if set(low) == {"0"} and set(high) == {"9"}:
        return repeat(_DIGIT, len(low), len(low))
    first, last, size = int(low[0]), int(high[0]), len(low) - 1
    if first == last:
        return concat([text_node(low[0]), _between(low[1:], high[1:])])
    options = [
        concat([text_node(low[0]), _between(low[1:], "9" * size)]),
        concat([text_node(high[0]), _between("0" * size, high[1:])]),
    ]
    if last - first > 1:
        options.append(concat([_digits_between(first + 1, last - 1), repeat(_DIGIT, size, size)]))
    return alternation(options)


def _digits_between(low: int, high: int) -> Node:
    return Character(((48 + low, 48 + high),)) if low <= high else NOTHING


def _parts(bound: Decimal) -> tuple[int, str]:
    """The whole part and the digits behind the point, without zeros at the end."""
    whole, _, fraction = f"{bound:f}".partition(".")
    return int(whole), fraction.rstrip("0")


def _whole_at_least(bound: int, *, zeros: Node = _ZEROS) -> Node:
    text = str(bound)
    options = [concat([_digits_between(1, 9), repeat(_DIGIT, len(text), None)])]
    options.append(_between(text, "9" * len(text)))
    return concat([zeros, alternation(options)])


def _fraction_at_least(bound: str, *, exclusive: bool) -> Node:
    """What stands behind a whole part, the point included, from a bound on."""
    point = text_node(".")
    if not bound:
        return concat([point, _SOME]) if exclusive else _FRACTION
    options = [
        concat([text_node("." + bound[:place]), _digits_between(int(digit) + 1, 9), _DIGITS])
        for place, digit in enumerate(bound)
    ]
    return alternation([*options, concat([text_node("." + bound), _SOME if exclusive else _DIGITS])])


def _fraction_at_most(bound: str, *, exclusive: bool) -> Node:
    """What stands behind a whole part, the point included, up to a bound."""
    if not bound:
        return NOTHING if exclusive else repeat(concat([text_node("."), _ZEROS]), 0, 1)
    options: list[Node] = [EMPTY, text_node(".")]
    options += [text_node("." + bound[:place]) for place in range(1, len(bound))]
    options += [
        concat([text_node("." + bound[:place]), _digits_between(0, int(digit) - 1), _DIGITS])
        for place, digit in enumerate(bound)
    ]
    return alternation([*options, *([] if exclusive else [concat([text_node("." + bound), _ZEROS])])])
