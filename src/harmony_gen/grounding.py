"""Where in the source a value comes from."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from harmony_gen import addresses, calendar_dates, number_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.scanner import Span

_SEPARATOR = re.compile(r"[,'’ \u00a0\u202f]")
_NUMBER = re.compile(rf"[-+−]?\d{{1,3}}(?:{_SEPARATOR.pattern}\d{{3}})+(?!\d)(?:\.\d+)?|[-+−]?\d+(?:\.\d+)?")
_COMMA = re.compile(r"[-+−]?\d{1,3}(?:[. \u00a0\u202f]\d{3})*,\d+(?!\d)")
"""Numbers with a decimal comma."""
_DOTTED = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{3})+(?![\d.,]*\d)")
"""Whole numbers with dots between their thousands."""

_SCALES = {
    "hundred": 2,
    "thousand": 3,
    "k": 3,
    "million": 6,
    "mn": 6,
    "m": 6,
    "billion": 9,
    "bn": 9,
    "b": 9,
    "trillion": 12,
    "十": 1,
    "百": 2,
    "千": 3,
    "万": 4,
    "百万": 6,
    "千万": 7,
    "亿": 8,
    "万亿": 12,
}
_SCALE = re.compile(rf"[ \u00a0-]?({'|'.join(sorted(_SCALES, key=len, reverse=True))})(?![^\W\d_])", re.IGNORECASE)
_CJK_SCALE = re.compile("(百万|千万|万亿|[十百千万亿])")
_PERCENT = re.compile(r"[ \u00a0]?(?:%|％|percent\b|per cent\b)", re.IGNORECASE)


def locate(value: Any, source: str) -> Span | None:
    """The first place in a source where a scalar is spelled out.

    Strings are sought as they are, then without regard to case, then, if they are dates, by what they mean: 2026-03-15
    is found in "March 15, 2026", then as addresses: https://acme.com is found in "acme.com". Numbers are sought by
    their value: with separators of thousands, with a decimal comma,
    with what multiplies them ("2.87 billion", "12 %" for 0.12, "3.5万"), and as words ("twenty-five", "三十").
    Booleans, null and the empty string stand nowhere.

    Returns:
        Half-open character offsets, or None.
    """
    if isinstance(value, bool) or value is None or value == "":
        return None
    if isinstance(value, str):
        known = (_locate_text, calendar_dates.locate, addresses.locate)
        return next((span for find in known if (span := find(value, source)) is not None), None)
    if isinstance(value, int | float | Decimal):
        return _locate_number(Decimal(str(value)), source)
    return None


def numbers(source: str) -> set[Decimal]:
    """All numbers that a source states: every value that `locate` finds there."""
    found = {number for number, _ in _spelled(source)}
    for match in _NUMBER.finditer(source):
        number = _value(match.group())
        is_joined = source[match.start() - 1 : match.start()].isalnum()  # a dash, as in 2024-03-15
        found |= {abs(number) if is_joined else number, abs(number)}
        found.update(map(Decimal, re.findall(r"\d+(?:\.\d+)?", match.group())))
    return found


def _locate_text(text: str, source: str) -> Span | None:
    start = source.find(text)
    if start >= 0:
        return start, start + len(text)
    match = re.search(re.escape(text), source, re.IGNORECASE)
    return match.span() if match else None


def _locate_number(wanted: Decimal, source: str) -> Span | None:
    for match in _NUMBER.finditer(source):
        found = _value(match.group())
        if wanted == found:
            return match.span()
        if wanted == -found > 0:  # a dash before it, as in 10-15 or 2024-03-15
            return match.start() + 1, match.end()
    others = (span for number, span in _spelled(source) if number == wanted)
    return min(others, default=None)


def _spelled(source: str) -> Iterator[tuple[Decimal, Span]]:
    """Numbers that are spelled with more than digits and separators of thousands, and where they stand."""
    for match in _NUMBER.finditer(source):
        number = _value(match.group())
        yield from _multiplied(number, match.span(), source)
    for match in _DOTTED.finditer(source):
        yield Decimal(match.group().replace(".", "")), match.span()
    for match in _COMMA.finditer(source):
        digits = re.sub(r"[. \u00a0\u202f]", "", match.group())
        number = Decimal(digits.replace("−", "-").replace(",", "."))
        yield number, match.span()
        yield from _multiplied(number, match.span(), source)
    for number, span in number_words.spelled(source):
        yield number, span
        yield from _multiplied(number, span, source)


def _value(figures: str) -> Decimal:
    """A number in figures, perhaps with separators of thousands."""
    return Decimal(_SEPARATOR.sub("", figures).replace("−", "-"))


def _multiplied(number: Decimal, span: Span, source: str) -> Iterator[tuple[Decimal, Span]]:
    """What a number is together with what follows it: a scale, or a percent sign."""
    scale = _SCALE.match(source, span[1]) or _CJK_SCALE.match(source, span[1])
    if scale is not None:
        yield number.scaleb(_SCALES[scale[1].lower()]), (span[0], scale.end())
    percent = _PERCENT.match(source, span[1])
    if percent is not None:
        yield number / 100, (span[0], percent.end())
