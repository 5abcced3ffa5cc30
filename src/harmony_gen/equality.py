"""When two scalars are equal: one answer for scores, for calibration and for training."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable

_TIME = r"\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:[zZ]|[+-]\d{2}:?\d{2})?"
_MOMENT = re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}[Tt ]{_TIME}", re.ASCII)
_TIME_ALONE = re.compile(_TIME, re.ASCII)
_NUMERAL = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Equality:
    """What makes no difference between two scalars.

    Numbers are equal by value: 1 and 1.0, but not 1 and true. Dates with a time, and times, are equal if they are the
    same moment: 2026-03-15T10:00Z and 2026-03-15T12:00:00+02:00. Strings are equal but for what is ignored.

    Attributes:
        ignore_case: of strings.
        ignore_white_space: at the ends of strings, and how much of it there is within.
        ignore_form: which of several characters that mean the same stands there (Unicode's NFKC): ﬁ and fi, ２ and 2.
    """

    ignore_case: bool = False
    ignore_white_space: bool = True
    ignore_form: bool = True

    def same(self, left: Any, right: Any) -> bool:
        """Whether two scalars are equal."""
        return self.key(left) == self.key(right)

    def key(self, value: Any, *, as_number: bool = False) -> Hashable:
        """What equal scalars have in common, and no others.

        Args:
            value: a string, number, boolean or None; also a list of such, as XML has them, or an object.
            as_number: take a string that spells a number for one; where a schema admits either, they mean the same.
        """
        if value is None or isinstance(value, bool):
            return ("constant", value)
        if isinstance(value, int | float | Decimal):
            amount = Decimal(repr(value)) if isinstance(value, float) else value
            return ("number", amount if amount == amount else "nan")  # noqa: PLR0124 - XML knows numbers that are none
        if isinstance(value, list | tuple):
            return ("list", tuple(self.key(item, as_number=as_number) for item in value))
        if isinstance(value, dict):
            return ("object", frozenset((name, self.key(part)) for name, part in value.items()))
        text = str(value)
        if as_number and (number := _number(text)) is not None:
            return ("number", number)
        return self._text_key(text)

    def _text_key(self, text: str) -> Hashable:
        if self.ignore_form:
            text = unicodedata.normalize("NFKC", text)
        if self.ignore_white_space:
            text = " ".join(text.split())
        if (moment := _moment(text)) is not None:
            return ("moment", moment)
        return ("text", text.casefold() if self.ignore_case else text)


def same(left: Any, right: Any) -> bool:
    """Whether two scalars are equal by the rules that hold where nobody chose others."""
    return _USUAL.same(left, right)


_USUAL = Equality()


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.strip()) if _NUMERAL.fullmatch(text.strip()) else None
    except InvalidOperation:
        return None


def _moment(text: str) -> datetime | time | None:
    """The moment that a text is: with an offset in UTC, without one as it stands; None if it is none."""
    try:
        if _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(text.upper())
            return moment if moment.tzinfo is None else moment.astimezone(UTC)
        return time.fromisoformat(text.upper()) if _TIME_ALONE.fullmatch(text) else None
    except (ValueError, OverflowError):  # the 30th of February, the last second of the year 9999
        return None
