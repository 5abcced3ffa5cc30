"""Numbers that texts spell in words: in English, and in Chinese characters."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.scanner import Span

_SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
} | {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_SAID = {"once": 1, "single": 1, "twice": 2, "double": 2, "pair": 2, "couple": 2, "thrice": 3, "triple": 3} | {
    word: value
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), start=1
    )
}
"""Words that are a number by themselves and part of no other."""
_GROUPS = {"dozen": 12, "hundred": 100}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_WORD = "|".join((*_SMALL, *_GROUPS, *_SCALES))
_RUN = re.compile(rf"\b(?:{_WORD})(?:(?: |-| and )(?:{_WORD}))*\b(?: and a half\b)?", re.IGNORECASE)
_ONE = re.compile(rf"\b(?:{_WORD})\b", re.IGNORECASE)
_APART = re.compile(rf"\b(?:{'|'.join(_SAID)})\b", re.IGNORECASE)
_BEHIND_A = re.compile("a ", re.IGNORECASE)
_HALF = " and a half"

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_GROUPS = {"十": 10, "百": 100, "千": 1000}
_CHINESE_SCALES = {"万": 10**4, "亿": 10**8}
_CHINESE = re.compile(f"[{''.join((*_DIGITS, *_CHINESE_GROUPS))}][{''.join((*_DIGITS, *_CHINESE_GROUPS, '万亿'))}]*")


def spelled(source: str) -> Iterator[tuple[Decimal, Span]]:
    """Numbers spelled in words, and where they stand; of several words that make one number also each word."""
    for match in _RUN.finditer(source):
        first = re.split("[ -]", match.group().lower())[0]
        if first not in _SMALL and not _BEHIND_A.match(source, max(0, match.start() - 2)):
            continue  # "a million" is a number, the second word of "8 million" is not
        yield _english(match.group().lower()), match.span()
        words = list(_ONE.finditer(match.group()))
        for word in words if len(words) > 1 else ():
            if word.group().lower() in _SMALL:
                span = match.start() + word.start(), match.start() + word.end()
                yield Decimal(_SMALL[word.group().lower()]), span
    for match in _APART.finditer(source):
        yield Decimal(_SAID[match.group().lower()]), match.span()
    for match in _CHINESE.finditer(source):
        yield Decimal(chinese(match.group())), match.span()


def _english(words: str) -> Decimal:
    total = current = 0
    for word in re.findall(r"[a-z]+", words.removesuffix(_HALF)):
        if word in _SCALES:
            total, current = total + (current or 1) * _SCALES[word], 0
        elif word in _GROUPS:
            current = (current or 1) * _GROUPS[word]
        else:
            current += _SMALL.get(word, 0)  # not "and"
    return total + current + (Decimal("0.5") if words.endswith(_HALF) else Decimal(0))


def chinese(signs: str) -> int:
    """The whole number that Chinese signs spell."""
    if all(sign in _DIGITS for sign in signs):  # figure by figure, as years are read
        return int("".join(str(_DIGITS[sign]) for sign in signs))
    total = current = digit = 0
    for sign in signs:
        if sign in _CHINESE_SCALES:
            total, current, digit = (total + current + digit) * _CHINESE_SCALES[sign], 0, 0
        elif sign in _CHINESE_GROUPS:
            current, digit = current + (digit or 1) * _CHINESE_GROUPS[sign], 0
        else:
            digit = _DIGITS[sign]
    return total + current + digit
