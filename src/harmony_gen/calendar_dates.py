"""Dates as texts spell them, and where they stand: in English, in some other languages of Europe, and in Chinese."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date
from itertools import product
from typing import TYPE_CHECKING

from harmony_gen import number_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.scanner import Span

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
_START, _STOP = r"(?<![A-Za-z\d_])", r"(?![A-SU-Za-z\d_])"
"""Where figures begin and end: Chinese signs may stand beside them, and a T before the time."""
_FIGURES = "〇零一二三四五六七八九"
_FORMS = (
    re.compile(
        rf"\b{_DAY}(?: (?:of|de|day of))?[ \-./]+(?P<month>{_MONTH})\b\.?(?:,? (?:de )?|[\-./ ]){_YEAR}\b",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?P<month>{_MONTH})\b\.?[ \-]{_DAY}(?:,? |-){_YEAR}\b", re.IGNORECASE),
    re.compile(r"(?P<year>\d{4}) ?年 ?(?P<month>\d{1,2}) ?月 ?(?P<day>\d{1,2}) ?[日号]"),
    re.compile(rf"(?P<year>[{_FIGURES}]{{4}})年(?P<month>[{_FIGURES}十]{{1,2}})月(?P<day>[{_FIGURES}十]{{1,3}})[日号]"),
    re.compile(rf"{_START}(?P<year>\d{{4}})[./\-](?P<month>\d{{1,2}})[./\-](?P<day>\d{{1,2}}){_STOP}"),
    re.compile(rf"{_START}(?P<day>\d{{1,2}})[./\-](?P<month>\d{{1,2}})[./\-](?P<year>\d{{4}}|\d{{2}}){_STOP}"),
    re.compile(rf"{_START}(?P<month>\d{{1,2}})[./\-](?P<day>\d{{1,2}})[./\-](?P<year>\d{{4}}|\d{{2}}){_STOP}"),
    re.compile(rf"{_START}(?P<year>\d{{4}})(?P<month>\d{{2}})(?P<day>\d{{2}}){_STOP}"),
)


_YEARS = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_ONE_DAY = r"\d{1,2}(?:st|nd|rd|th|er|\.|º)?"
_BETWEEN = r"(?: ?[-–—/&,+] ?| (?:to|and|until|till|or|bis|und|au|al|y) )"
_DAYS = rf"(?P<days>{_ONE_DAY}(?:{_BETWEEN}{_ONE_DAY})*)"
_PARTIAL = (
    re.compile(rf"\b{_DAYS}(?: (?:of|de|day of))?[ \-./]*(?P<month>{_MONTH})\b", re.IGNORECASE),
    re.compile(rf"\b(?P<month>{_MONTH})\b\.?[ \-]{_DAYS}(?!\d)", re.IGNORECASE),
    re.compile(r"(?P<month>\d{1,2}) ?月 ?(?P<days>\d{1,2} ?[日号]?(?: ?[-–—~～至到、和] ?\d{1,2} ?[日号])*)"),
)
"""Days without their year, several of them with one month ("1 to 7 October")."""
_MONTH_ALONE = re.compile(rf"\b(?P<month>{_MONTH})\b\.?,? (?P<year>(?:19|20)\d\d)\b", re.IGNORECASE)


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
                yield date(_year(match["year"]), _month(match["month"]), _figure(match["day"])), match.span()
            except ValueError:
                continue


def mentioned(source: str) -> set[date]:
    """All days that a source mentions; of those that it writes without a year, each with all its years.

    "From 1 to 7 October, as in 2024" mentions 2024-10-01 and 2024-10-07, and "March 2024" the first of that month.
    """
    found = {day for day, _ in _dates(source)}
    years = {int(year) for year in _YEARS.findall(source)} | {day.year for day in found}
    for match in (match for form in _PARTIAL for match in form.finditer(source)):
        for number, year in product(re.findall(r"\d+", match["days"]), years):
            with suppress(ValueError):
                found.add(date(year, _month(match["month"]), int(number)))
    months = {(day.year, day.month) for day in found}
    alone = {(int(match["year"]), _month(match["month"])) for match in _MONTH_ALONE.finditer(source)}
    return found | {date(year, month, 1) for year, month in alone - months}


def _year(text: str) -> int:
    digits = text.lstrip("'’")
    return _figure(digits) if len(digits) > 2 else 2000 + int(digits)  # noqa: PLR2004 - digits of a year in short


def _month(text: str) -> int:
    if text.isdecimal() or text[0] in f"{_FIGURES}十":
        return _figure(text)
    word = text.lower()
    names = next((number for number, names in enumerate(_MONTHS, 1) if word in names.split("|")), None)
    return names or _SHORT.index(word[:3]) + 1


def _figure(text: str) -> int:
    return int(text) if text.isdecimal() else number_words.chinese(text)
