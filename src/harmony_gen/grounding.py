"""Where in the source a value comes from."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harmony_gen.result import Span

_SEPARATOR = re.compile(r"[,' \u00a0\u202f]")
_NUMBER = re.compile(rf"[-+−]?\d{{1,3}}(?:{_SEPARATOR.pattern}\d{{3}})+(?!\d)(?:\.\d+)?|[-+−]?\d+(?:\.\d+)?")


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
    if isinstance(value, int | float | Decimal):
        return _locate_number(value, source)
    return None


def _locate_text(text: str, source: str) -> Span | None:
    start = source.find(text)
    if start >= 0:
        return start, start + len(text)
    match = re.search(re.escape(text), source, re.IGNORECASE)
    return match.span() if match else None


def _locate_number(number: float | Decimal, source: str) -> Span | None:
    wanted = Decimal(str(number))
    for match in _NUMBER.finditer(source):
        found = Decimal(_SEPARATOR.sub("", match.group()).replace("−", "-"))
        if wanted == found:
            return match.span()
        if wanted == -found > 0:  # a dash before it, as in 10-15 or 2024-03-15
            return match.start() + 1, match.end()
    return None
