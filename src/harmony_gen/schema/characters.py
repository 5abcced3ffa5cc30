"""Sets of characters in a parsed regular expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Chars = tuple[tuple[int, int], ...]
"""A set of characters: closed ranges of code points."""

_LAST = 0x10FFFF
EVERY: Chars = ((0, _LAST),)
_FAVOURITES = ("a0A1b-", "0b1B9_", "A1za_/")
"""Characters to try first in a set, one list for each variant of a completion."""
_FIRST_PRINTABLE = 32
_AWKWARD = frozenset((34, 92, 127, *range(0xD800, 0xE000)))
"""Quote, backslash, DEL, and the surrogates: JSON escapes them, or they are no characters."""


def characters(kind: str, argument: Any) -> Chars:
    """The set that a parsed item for one character stands for."""
    match kind:
        case "LITERAL":
            return ((argument, argument),)
        case "NOT_LITERAL":
            return _complement([(argument, argument)])
        case "ANY":
            return _complement([(10, 10)])
        case _:
            return _class(argument)


def _class(items: Iterable[tuple[Any, Any]]) -> Chars:
    ranges: list[tuple[int, int]] = []
    negated = False
    for kind, argument in items:
        match str(kind):
            case "NEGATE":
                negated = True
            case "LITERAL":
                ranges.append((argument, argument))
            case "RANGE":
                ranges.append(argument)
            case _:
                ranges += _CATEGORIES[str(argument)]
    return _complement(ranges) if negated else tuple(ranges)


def _complement(ranges: Iterable[tuple[int, int]]) -> Chars:
    result, at = [], 0
    for low, high in sorted(ranges):
        if low > at:
            result.append((at, low - 1))
        at = max(at, high + 1)
    if at <= _LAST:
        result.append((at, _LAST))
    return tuple(result)


# The engine and Python read these classes as Unicode; those of digits and words are supersets here.
_DIGIT: Chars = ((48, 57), (0x660, _LAST))
_SPACE: Chars = (
    (32, 32),
    (9, 13),
    (0x85, 0x85),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x205F),
    (0x3000, 0x3000),
)
_WORD: Chars = ((97, 122), (65, 90), (48, 57), (95, 95), (0xAA, _LAST))
_CATEGORIES: dict[str, Chars] = {
    "CATEGORY_DIGIT": _DIGIT,
    "CATEGORY_NOT_DIGIT": _complement([(48, 57)]),
    "CATEGORY_SPACE": _SPACE,
    "CATEGORY_NOT_SPACE": _complement(_SPACE),
    "CATEGORY_WORD": _WORD,
    "CATEGORY_NOT_WORD": _complement([(97, 122), (65, 90), (48, 57), (95, 95)]),
}


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
        for code in range(first, min(high, first + 3) + 1):
            if code not in _AWKWARD:
                return chr(code)
    return chr(chars[0][0])
