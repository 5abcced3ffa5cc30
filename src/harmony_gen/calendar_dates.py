"""Dates as texts spell them, and where they stand: in English, in some other languages of Europe, and in Chinese."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.result import Span

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:T.*)?")
_MONTHS = (
    "january|januar|janvier|enero|gennaio|janeiro",
    "february|februar|février|febrero|febbraio|fevereiro",
    "march|märz|mars|marzo|março",
    "april|avril|abril|aprile",
    "may|mai|mayo|maggio|maio",
    "june|juni|juin|junio|giugno|junho",
    "july|juli|juillet|julio|luglio|julho",
    "august|août|agosto",
    "september|septembre|septiembre|settembre|setembro",
    "october|oktober|octobre|octubre|ottobre|outubro",
    "november|novembre|noviembre|novembro",
    "december|dezember|décembre|diciembre|dicembre|dezembro",
)
_SHORT = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = "|".join([*_MONTHS, *(f"{short}t?" for short in _SHORT)])
_YEAR = r"(?P<year>\d{4}|['’]?\d{2})"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.|º)?"
_FORMS = (
    re.compile(
        rf"\b{_DAY}(?: (?:of|de|day of))?[ \-./]+(?P<month>{_MONTH})\b\.?(?:,? (?:de )?|[\-./ ]){_YEAR}\b",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?P<month>{_MONTH})\b\.?[ \-]{_DAY}(?:,? |-){_YEAR}\b", re.IGNORECASE),
    re.compile(r"(?P<year>\d{4}) ?年 ?(?P<month>\d{1,2}) ?月 ?(?P<day>\d{1,2}) ?[日号]"),
    re.compile(r"\b(?P<year>\d{4})[./\-](?P<month>\d{1,2})[./\-](?P<day>\d{1,2})\b"),
    re.compile(r"\b(?P<day>\d{1,2})[./\-](?P<month>\d{1,2})[./\-](?P<year>\d{4}|\d{2})\b"),
    re.compile(r"\b(?P<month>\d{1,2})[./\-](?P<day>\d{1,2})[./\-](?P<year>\d{4}|\d{2})\b"),
    re.compile(r"\b(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})\b"),
)


def locate(text: str, source: str) -> Span | None:
    """The first place of a source where a date stands.

    Where a source says 03/04/2026, both days that it may mean are found there.

    Args:
        text: the date as YYYY-MM-DD, perhaps with a time behind it.
        source: where to look.

    Returns:
        Half-open character offsets, or None; also for texts that are no dates.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    try:
        wanted = date(*map(int, match.groups()))
    except ValueError:
        return None
    return min((span for found, span in _dates(source) if found == wanted), default=None)


def _dates(source: str) -> Iterator[tuple[date, Span]]:
    """The dates in a source."""
    for form in _FORMS:
        for match in form.finditer(source):
            try:
                yield date(_year(match["year"]), _month(match["month"]), int(match["day"])), match.span()
            except ValueError:
                continue


def _year(text: str) -> int:
    digits = text.lstrip("'’")
    return int(digits) if len(digits) > 2 else 2000 + int(digits)  # noqa: PLR2004 - digits of a year in short


def _month(text: str) -> int:
    if text.isdigit():
        return int(text)
    word = text.lower()
    names = next((number for number, names in enumerate(_MONTHS, 1) if word in names.split("|")), None)
    return names or _SHORT.index(word[:3]) + 1
