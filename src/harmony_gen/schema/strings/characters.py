"""Sets of characters: code points as sorted, disjoint ranges.

The named sets are those of ECMA 262: digits and word characters are ASCII, white space is Unicode's with U+FEFF.
"""

from __future__ import annotations

from array import array
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Chars = tuple[tuple[int, int], ...]
"""A set of characters: closed ranges of code points, sorted, with gaps between them."""

LAST = 0x10FFFF
EVERY: Chars = ((0, LAST),)
DIGITS: Chars = ((48, 57),)
WORD: Chars = ((48, 57), (65, 90), (95, 95), (97, 122))
SPACE: Chars = (
    (9, 13),
    (32, 32),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)
LINE_ENDS: Chars = ((10, 10), (13, 13), (0x2028, 0x2029))
SURROGATES: Chars = ((0xD800, 0xDFFF),)

_FAVOURITES = ("a0A1b-", "0b1B9_", "A1za_/")
"""Characters to try first in a set, one list for each variant of a completion."""
_FIRST_PRINTABLE = 32
_AWKWARD = frozenset((34, 92, 127, *range(0xD800, 0xE000)))
"""Quote, backslash, DEL, and the surrogates: JSON escapes them, or they are no characters."""
_FEW = 3
_LAST_CASED = 0x1F000
_OTHER_NAMES = {"IDC": "ID_Continue", "VS": "Variation_Selector"}
"""Short names of ECMA 262 that the package `regex` takes for blocks."""


def union(ranges: Iterable[tuple[int, int]]) -> Chars:
    """The set of all characters in some ranges, which may overlap."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            if high > result[-1][1]:
                result[-1] = (result[-1][0], high)
        else:
            result.append((low, high))
    return tuple(result)


def complement(chars: Chars) -> Chars:
    """All characters that are not in a set."""
    result, at = [], 0
    for low, high in chars:
        if low > at:
            result.append((at, low - 1))
        at = high + 1
    if at <= LAST:
        result.append((at, LAST))
    return tuple(result)


def common(one: Chars, other: Chars) -> Chars:
    """The characters that are in both sets."""
    result, ours, theirs = [], 0, 0
    while ours < len(one) and theirs < len(other):
        low, high = max(one[ours][0], other[theirs][0]), min(one[ours][1], other[theirs][1])
        if low <= high:
            result.append((low, high))
        if one[ours][1] < other[theirs][1]:
            ours += 1
        else:
            theirs += 1
    return tuple(result)


NOT_LINE_ENDS = complement(LINE_ENDS)


def is_high_surrogate(code: int) -> bool:
    """Whether a code point is the first half of a surrogate pair."""
    return 0xD800 <= code <= 0xDBFF  # noqa: PLR2004


def from_surrogates(high: int, low: int) -> int:
    """The code point that a surrogate pair stands for."""
    return 0x10000 + (high - 0xD800 << 10) + (low - 0xDC00)


def has(chars: Chars, code: int) -> bool:
    """Whether a code point is in a set."""
    return any(low <= code <= high for low, high in chars)


def pick(chars: Chars, variant: int) -> str:
    """A plain character of a set: one that JSON writes as itself, where there is one."""
    for favourite in _FAVOURITES[variant % len(_FAVOURITES)]:
        if has(chars, ord(favourite)):
            return favourite
    for low, high in chars:
        first = max(low, _FIRST_PRINTABLE)
        for code in range(first, min(high, first + _FEW) + 1):
            if code not in _AWKWARD:
                return chr(code)
    return chr(chars[0][0])


@cache
def _everything() -> str:
    """All code points in order, the surrogates too."""
    return array("I", range(LAST + 1)).tobytes().decode("utf-32", "surrogatepass")


@lru_cache(maxsize=256)
def unicode_property(name: str) -> Chars:
    """The characters with a Unicode property: a category, a script, or one that is there or not.

    Raises:
        ValueError: there is no such property.
    """
    regex: Any = import_module("regex")
    try:
        runs = regex.compile(f"\\p{{{_OTHER_NAMES.get(name, name)}}}+").finditer(_everything())
    except regex.error as error:
        raise ValueError(f"there is no Unicode property {name!r}") from error
    return tuple((run.start(), run.end() - 1) for run in runs)


@lru_cache(maxsize=256)
def any_case(chars: Chars) -> Chars:
    """A set with all characters that differ from its own in case only, by Unicode's simple case folding."""
    fold = _folds()
    twins: dict[int, list[int]] = _twins()
    ranges = list(chars)
    for low, high in chars:
        for code in range(low, min(high, _LAST_CASED) + 1):
            ranges += ((twin, twin) for twin in twins.get(fold.get(code, code), ()))
    return union(ranges)


@cache
def _folds() -> dict[int, int]:
    """For each character that folds to another one, that other."""
    found = {}
    for code in range(_LAST_CASED):
        char = chr(code)
        folded = char.casefold()
        if len(folded) > 1:
            folded = char.lower()
        if folded != char and len(folded) == 1:
            found[code] = ord(folded)
    return found


@cache
def _twins() -> dict[int, list[int]]:
    """For each folded character, all that fold to it, itself first."""
    found: dict[int, list[int]] = {}
    for code, folded in _folds().items():
        found.setdefault(folded, [folded]).append(code)
    return found
