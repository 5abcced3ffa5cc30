"""Dates, times and durations within bounds, as plain trees.

Bounds hold for one lexical form: that of the bound, with its time zone, years of four digits. Values are compared field
by field, as their texts are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from harmony_gen.schema.markup.text import text_node
from harmony_gen.schema.strings.expression import NOTHING, Node, alternation, concat
from harmony_gen.schema.xsd import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

ZONE = r"(Z|[+\-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
YEAR = r"(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
MONTH = "(0[1-9]|1[0-2])"
DAY = "(0[1-9]|[12][0-9]|3[01])"
_COMMON_DAY = "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
_FOURS = "(0[48]|[2468][048]|[13579][26])"
MONTH_DAY = f"({_COMMON_DAY}|02-29)"
DATE = f"-?({YEAR}-{_COMMON_DAY}|((0[1-9]|[1-9][0-9]){_FOURS}|00{_FOURS}|{_FOURS}00)-02-29)"
TIME = r"(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?)"
_AMOUNT = "[0-9]{1,6}"
_SECONDS = r"[0-9]{1,6}(\.[0-9]{1,6})?S"
_HOURS = f"T({_AMOUNT}H({_AMOUNT}M)?({_SECONDS})?|{_AMOUNT}M({_SECONDS})?|{_SECONDS})"
_DAYS = f"({_AMOUNT}Y({_AMOUNT}M)?({_AMOUNT}D)?|{_AMOUNT}M({_AMOUNT}D)?|{_AMOUNT}D)"
DURATION = f"-?P({_DAYS}({_HOURS})?|{_HOURS})"


class _Field(NamedTuple):
    """A number in a date.

    Attributes:
        low: the least.
        high: the greatest.
        before: what stands before it.
        size: its digits; 0 for as many as it needs.
    """

    low: int
    high: int
    before: str = ""
    size: int = 2

    def between(self, low: int, high: int) -> Node:
        """The numbers in bounds, with what stands before them."""
        if low > high:
            return NOTHING
        node = numbers.fixed(low, high, self.size) if self.size else numbers.plain(low, high)
        return concat([text_node(self.before), node])


_YEAR = _Field(1, 9999, size=4)
_CLOCK = (_Field(0, 23, "T"), _Field(0, 59, ":"), _Field(0, 59, ":"))
_FIELDS: dict[str, tuple[_Field, ...]] = {
    "date": (_YEAR, _Field(1, 12, "-"), _Field(1, 31, "-")),
    "dateTime": (_YEAR, _Field(1, 12, "-"), _Field(1, 31, "-"), *_CLOCK),
    "time": (_Field(0, 23), *_CLOCK[1:]),
    "gYear": (_YEAR,),
    "gYearMonth": (_YEAR, _Field(1, 12, "-")),
    "gMonthDay": (_Field(1, 12, "--"), _Field(1, 31, "-")),
    "gDay": (_Field(1, 31, "---"),),
    "gMonth": (_Field(1, 12, "--"),),
    "duration": (
        _Field(0, 9999, "P", 0),
        _Field(0, 11, "Y", 0),
        _Field(0, 27, "M", 0),
        _Field(0, 23, "DT", 0),
        _Field(0, 59, "H", 0),
        _Field(0, 59, "M", 0),
    ),
}
_TEXTS = {
    "date": r"(\d{4})-(\d\d)-(\d\d)",
    "dateTime": r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)",
    "time": r"(\d\d):(\d\d):(\d\d)",
    "gYear": r"(\d{4})",
    "gYearMonth": r"(\d{4})-(\d\d)",
    "gMonthDay": r"--(\d\d)-(\d\d)",
    "gDay": r"---(\d\d)",
    "gMonth": r"--(\d\d)",
    "duration": r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?",
}


def zone_of(value: str) -> str:
    """The time zone of a value; "" without one."""
    found = re.search(r"(Z|[+-]\d\d:\d\d)$", value)
    return found[0] if found else ""


def bounded(kind: str, bound: str, *, is_lower: bool, exclusive: bool) -> Node:
    """The values of a type on one side of a bound.

    Args:
        kind: the primitive type's name.
        bound: the value of the facet.
        is_lower: whether it is a least value.
        exclusive: whether the bound itself is excluded.

    Raises:
        ValueError: bounds of this form are not understood.
    """
    found = re.fullmatch(f"{_TEXTS[kind]}(?P<zone>Z|[+-]\\d\\d:\\d\\d)?", bound)
    if found is None:
        message = f"the bound {bound!r} of a {kind} has a form whose order is not known"
        raise ValueError(message)
    values = [int(group or 0) for group in found.groups()[: len(_FIELDS[kind])]]
    fields = _FIELDS[kind]
    if any(not field.low <= value <= field.high for field, value in zip(fields, values, strict=True)):
        message = f"the bound {bound!r} of a {kind} is not in its usual form"
        raise ValueError(message)
    after = "S" if kind == "duration" else found["zone"] or ""
    return concat([_ordered(fields, values, is_lower=is_lower, exclusive=exclusive), text_node(after)])


def _ordered(fields: Sequence[_Field], bound: Sequence[int], *, is_lower: bool, exclusive: bool) -> Node:
    """Rows of numbers on one side of a bound, in the order of dictionaries."""
    equal = [field.between(value, value) for field, value in zip(fields, bound, strict=True)]
    options = [] if exclusive else [concat(equal)]
    for place, (field, value) in enumerate(zip(fields, bound, strict=True)):
        beyond = field.between(value + 1, field.high) if is_lower else field.between(field.low, value - 1)
        behind = [other.between(other.low, other.high) for other in fields[place + 1 :]]
        options.append(concat([*equal[:place], beyond, *behind]))
    return alternation(options)
