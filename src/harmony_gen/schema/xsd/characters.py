"""Sets of characters that XML Schema names, cut down to what validators agree on.

They follow different versions of Unicode and of XML: of categories only the characters that had the same in Unicode 3.2
count, of names only the letters that the fourth edition of XML 1.0 allows, too.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

from elementpath.regex import unicode_subset

from harmony_gen.schema.strings.characters import Chars, common, complement, union

_LAST_ASSIGNED = 0x30000


def of(text: str) -> Chars:
    """The characters of a text."""
    return union((ord(char), ord(char)) for char in text)


def without(chars: Chars, others: Chars) -> Chars:
    """The characters of one set that are not in another."""
    return common(chars, complement(others))


SPACE = of(" \t\n\r")
DIGIT: Chars = ((48, 57),)
LINE_ENDS = of("\n\r")

_LETTER = union(
    (
        *((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x131), (0x134, 0x13E), (0x141, 0x148)),
        *((0x14A, 0x17E), (0x391, 0x3A1), (0x3A3, 0x3CE), (0x410, 0x44F), (0x5D0, 0x5EA), (0x621, 0x63A)),
        *((0x3041, 0x3094), (0x30A1, 0x30FA), (0xAC00, 0xD7A3), (0x4E00, 0x9FA5)),
    )
)
NAME_START = union((*_LETTER, *of("_:")))
NAME = union((*NAME_START, *DIGIT, *of("-.\u00b7")))

_WIDE_LETTER = union(
    (
        *((0x41, 0x5A), (0x61, 0x7A), (0xAA, 0xAA), (0xB5, 0xB5), (0xBA, 0xBA), (0xC0, 0x2FF), (0x370, 0x1FFF)),
        *((0x200C, 0x200D), (0x2070, 0x218F), (0x2C00, 0x2FEF), (0x3001, 0xD7FF), (0xF900, 0xFFFD)),
        (0x10000, 0x10FFFF),
    )
)
"""All that any edition takes for a letter."""

_WIDE_NAME = union((*_WIDE_LETTER, *of("_:-.\u00b7"), *DIGIT, (0x300, 0x36F), (0x203F, 0x2040)))

_CLASSES = {
    "s": SPACE,
    "S": complement(SPACE),
    "i": NAME_START,
    "c": NAME,
    "I": without(complement(_WIDE_LETTER), of("_:")),
    "C": complement(_WIDE_NAME),
}


@cache
def settled() -> Chars:
    """The characters whose category is the same in Unicode 3.2 and now."""
    old = unicodedata.ucd_3_2_0
    codes = (
        code for code in range(_LAST_ASSIGNED) if unicodedata.category(chr(code)) == old.category(chr(code)) != "Cn"
    )
    return union((code, code) for code in codes)


@lru_cache(maxsize=256)
def category(name: str) -> Chars:
    """The characters of a category or of a block (`IsBasicLatin`).

    Raises:
        ValueError: there is none of that name.
    """
    try:
        found = unicode_subset(name)
    except Exception as error:
        message = f"there is no Unicode category or block {name!r}"
        raise ValueError(message) from error
    ranges = ((part, part) if isinstance(part, int) else (part[0], part[1] - 1) for part in found.codepoints)
    return union(ranges)


@cache
def escape(letter: str) -> Chars:
    """The characters of a multi-character escape: one of sdwicSDWIC."""
    if letter in _CLASSES:
        return _CLASSES[letter]
    if letter in "dD":
        digits = category("Nd")
        return common(digits if letter == "d" else complement(digits), settled())
    # The standard counts symbols among \w, validators do not: they are in neither.
    kinds = "LN" if letter == "w" else "PZC"
    return common(union(part for kind in kinds for part in category(kind)), settled())
