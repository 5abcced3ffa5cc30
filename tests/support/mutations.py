"""Documents that differ a little from a valid one, and are still well-formed as a rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_PIECE = re.compile(r"<[^>]*>|[^<]+")
_VALUE = re.compile(r'(?<==")[^"]*(?=")|(?<=>)[^<>]+(?=<)')
_ATTRIBUTE = re.compile(r' [^=\s]+="[^"]*"')
_CHARACTERS = "0159-+.:TZeaZ_ é漢\t&lt;"
_VALUES = ("", "0", "-1", "1.50", "99999999999", "2023-02-29", "2024-02-29Z", "true", "INF", "abc", "a b", "é", " x ")


def mutated(text: str, draw: random.Random) -> str:
    """A document with one to three changes."""
    for _ in range(draw.randint(1, 3)):
        text = draw.choice((_other_value, _other_character, _without, _twice, _exchanged, _copied_value))(text, draw)
    return text


def _other_value(text: str, draw: random.Random) -> str:
    """Another value for an attribute or an element."""
    return _replaced(text, _VALUE, draw, lambda _: draw.choice(_VALUES))


def _copied_value(text: str, draw: random.Random) -> str:
    """The value of another place: keys become equal, references lead elsewhere."""
    values = [match.group() for match in _VALUE.finditer(text)]
    return _replaced(text, _VALUE, draw, lambda _: draw.choice(values)) if values else text


def _other_character(text: str, draw: random.Random) -> str:
    """A character of a value left out, added or changed."""

    def change(value: str) -> str:
        at = draw.randrange(len(value) + 1)
        return value[:at] + draw.choice(("", draw.choice(_CHARACTERS))) + value[at + draw.randint(0, 1) :]

    return _replaced(text, _VALUE, draw, change)


def _without(text: str, draw: random.Random) -> str:
    """An attribute or an element left out."""
    if draw.random() < 0.4:
        return _replaced(text, _ATTRIBUTE, draw, lambda _: "")
    start, end = _element(text, draw)
    return text[:start] + text[end:]


def _twice(text: str, draw: random.Random) -> str:
    """An element twice."""
    start, end = _element(text, draw)
    return text[:end] + text[start:end] + text[end:]


def _exchanged(text: str, draw: random.Random) -> str:
    """Two elements in each other's place."""
    (start, end), (other_start, other_end) = sorted((_element(text, draw), _element(text, draw)))
    if end > other_start:
        return text
    return text[:start] + text[other_start:other_end] + text[end:other_start] + text[start:end] + text[other_end:]


def _replaced(text: str, pattern: re.Pattern[str], draw: random.Random, change: object) -> str:
    found = list(pattern.finditer(text))
    if not found:
        return text
    match = draw.choice(found)
    return text[: match.start()] + change(match.group()) + text[match.end() :]  # type: ignore[operator]


def _element(text: str, draw: random.Random) -> tuple[int, int]:
    """Where an element that is not the root begins and ends; nothing, if there is none."""
    pieces = list(_PIECE.finditer(text))
    starts = [i for i, piece in enumerate(pieces[1:], 1) if re.match(r"<[^/]", piece.group())]
    if not starts:
        return 0, 0
    first = draw.choice(starts)
    depth = 0
    for piece in pieces[first:]:
        tag = piece.group()
        if tag.startswith("<") and not tag.endswith("/>"):
            depth += -1 if tag.startswith("</") else 1
        if depth == 0:
            return pieces[first].start(), piece.end()
    return 0, 0
