"""Where in the source a value comes from."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harmony_gen.result import Span

_NUMBER = re.compile(r"[-+−]?\d+(?:[,  ']\d{3})+(?:\.\d+)?|[-+−]?\d+(?:\.\d+)?")


def locate(value: Any, source: str) -> Span | None:
    """The first place in a source where a scalar is spelled out.

    Strings are sought as they are, then without regard to case; numbers by their value, thousands separators
    allowed. Booleans, null and the empty string stand nowhere.

    Returns:
        Half-open character offsets, or None.
    """
    if isinstance(value, bool) or value is None or value == "":
        return None
    if isinstance(value, str):
        return _locate_text(value, source)
    if isinstance(value, int | float):
        return _locate_number(value, source)
    return None


def _locate_text(text: str, source: str) -> Span | None:
    start = source.find(text)
    if start >= 0:
        return start, start + len(text)
    match = re.search(re.escape(text), source, re.IGNORECASE)
    return match.span() if match else None


def _locate_number(number: float, source: str) -> Span | None:
    wanted = Decimal(str(number))
    for match in _NUMBER.finditer(source):
        digits = re.sub(r"[,  ']", "", match.group()).replace("−", "-")
        try:
            found = Decimal(digits)
        except InvalidOperation:
            continue
        if wanted in (found, abs(found)):
            return match.span()
    return None
