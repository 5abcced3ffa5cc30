"""Intervals of numbers as regular expressions over their decimal spelling.

The digits of a bound are compared with those of the number from the left; `&` of a lower and an upper bound makes the
interval. Digits are limited in number, so that no number goes on without end and all that is written can be read.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harmony_gen.schema.normal.numbers import Numbers

_DIGITS = 40
_FRACTION = 40
INTEGER = f"/-?(0|[1-9][0-9]{{0,{_DIGITS - 1}}})/"
NUMBER = f"/-?(0|[1-9][0-9]{{0,{_DIGITS - 1}}})(\\.[0-9]{{1,{_FRACTION}}})?([eE][+-]?([01]?[0-9]{{1,2}}|2[0-5][0-9]))?/"
"""Plain numbers: none is larger than a float can hold."""


def terminal(numbers: Numbers) -> str:
    """A Lark terminal of the numbers of an interval; steps and `whole=False` are not looked at."""
    if numbers.low is None and numbers.high is None:
        return INTEGER if numbers.whole else NUMBER
    low, high = (None if bound is None else _decimal(bound) for bound in (numbers.low, numbers.high))
    longest = max(bound.adjusted() for bound in (low, high) if bound is not None)
    rest = _any(whole=bool(numbers.whole), digits=max(_DIGITS, longest + 2))
    parts = []
    if low is not None:
        parts.append(_at_least(low, rest, strict=numbers.open[0], whole=bool(numbers.whole)))
    if high is not None:
        parts.append(_at_most(high, rest, strict=numbers.open[1], whole=bool(numbers.whole)))
    return " & ".join(parts)


def _decimal(value: float) -> Decimal:
    return (Decimal(value) if isinstance(value, int) else Decimal(repr(value))) or Decimal(0)  # no -0


def _at_least(bound: Decimal, rest: str, *, strict: bool, whole: bool) -> str:
    """Numbers that are not below a bound; `rest` are all from zero on, without a sign."""
    if bound > 0 or (bound == 0 and strict):
        return f"/{_above(bound, strict=strict, whole=whole)}/"
    negative = f"|-({_below(-bound, strict=strict, whole=whole)})" if bound < 0 else ""
    return f"/{rest}{negative}/"


def _at_most(bound: Decimal, rest: str, *, strict: bool, whole: bool) -> str:
    """Numbers that are not above a bound; `rest` are all from zero on, without a sign."""
    if bound < 0 or (bound == 0 and strict):
        return f"/-({_above(-bound, strict=strict, whole=whole)})/"
    return f"/-({rest})|{_below(bound, strict=strict, whole=whole)}/"


def _any(*, whole: bool, digits: int) -> str:
    """Numbers from zero on, without a sign."""
    return f"(0|[1-9][0-9]{{0,{digits - 1}}})" + ("" if whole else f"(\\.[0-9]{{1,{_FRACTION}}})?")


def _split(bound: Decimal) -> tuple[str, str]:
    """The digits of a bound before and behind the point, without needless zeros."""
    before, _, behind = format(bound, "f").partition(".")
    return before, behind.rstrip("0")


def _above(bound: Decimal, *, strict: bool, whole: bool) -> str:
    """Numbers without a sign that are not below a bound from zero on."""
    before, behind = _split(bound)
    larger = _larger(before)
    if whole:
        return "|".join([*larger, before] if not strict and not behind else larger)
    tail = f"(\\.[0-9]{{1,{_FRACTION}}})?"
    found = [f"({choice}){tail}" for choice in larger]
    return "|".join([*found, before + _fraction_above(behind, strict=strict)])


def _below(bound: Decimal, *, strict: bool, whole: bool) -> str:
    """Numbers without a sign that are not above a bound from zero on; matches nothing where there are none."""
    before, behind = _split(bound)
    smaller = _smaller(before)
    if whole:
        return "|".join([*smaller, before] if behind or not strict else smaller) or _NONE
    tail = f"(\\.[0-9]{{1,{_FRACTION}}})?"
    found = [f"({choice}){tail}" for choice in smaller]
    last = _fraction_below(behind, strict=strict)
    return "|".join([*found, *([] if last is None else [before + last])]) or _NONE


_NONE = "[^\\s\\S]"


def _larger(digits: str) -> list[str]:
    """Integers larger than one, digit by digit."""
    found = [f"[1-9][0-9]{{{len(digits)},{max(_DIGITS, len(digits) + 1)}}}"]
    for place, digit in enumerate(digits):
        if digit != "9":
            found.append(digits[:place] + _span(int(digit) + 1, 9) + _free(len(digits) - place - 1))
    return found


def _smaller(digits: str) -> list[str]:
    """Integers from zero on smaller than one, digit by digit."""
    if digits == "0":
        return []
    found = ["0"] if len(digits) > 1 else []
    if len(digits) > 1:
        found.append(f"[1-9][0-9]{{0,{len(digits) - 2}}}")
    for place, digit in enumerate(digits):
        first = 1 if place == 0 and len(digits) > 1 else 0
        if int(digit) > first:
            found.append(digits[:place] + _span(first, int(digit) - 1) + _free(len(digits) - place - 1))
    return found


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"[{first}-{last}]"


def _free(count: int) -> str:
    return "" if count == 0 else f"[0-9]{{{count}}}"


def _fraction_above(digits: str, *, strict: bool) -> str:
    """What may follow the integral part of a bound: a fraction that is not below that of the bound."""
    more = f"[0-9]{{0,{_FRACTION}}}"
    choices = [digits[:place] + _span(int(digit) + 1, 9) + more for place, digit in enumerate(digits) if digit != "9"]
    choices.append(f"{digits}0{{0,{_FRACTION}}}[1-9]{more}")
    if not strict:
        choices.append(f"{digits}0{{{0 if digits else 1},{_FRACTION}}}")
    found = f"(\\.({'|'.join(choices)}))"
    return found if digits or strict else f"{found}?"


def _fraction_below(digits: str, *, strict: bool) -> str | None:
    """What may follow the integral part of a bound: a fraction that is not above that of the bound."""
    more = f"[0-9]{{0,{_FRACTION}}}"
    choices = [digits[:place] + _span(0, int(digit) - 1) + more for place, digit in enumerate(digits) if digit != "0"]
    choices += [digits[: place + 1] for place in range(len(digits) - 1)]
    if not strict:
        choices.append(f"{digits}0{{{0 if digits else 1},{_FRACTION}}}")
    if not digits and strict:
        return None
    return f"(\\.({'|'.join(choices)}))?"


def spell_number(value: float) -> str:
    """The JSON text of a number; integers without a fraction."""
    return str(int(value)) if value == int(value) and abs(value) < 1e16 else json.dumps(value)  # noqa: PLR2004
