"""Texts broken into short lines, as mail programs do."""

from __future__ import annotations

import re
from typing import Any


def folded(text: str, value: Any, width: int) -> str:
    """A text with line breaks instead of some blanks, none of them inside a string that is copied.

    Args:
        text: the text.
        value: the answer.
        width: most characters of a line, where a blank allows it.
    """
    kept = [False] * len(text)
    for string in _strings(value):
        for match in re.finditer(re.escape(string), text):
            kept[match.start() : match.end()] = [True] * len(string)
    signs = list(text)
    start, blank = 0, -1
    for index, sign in enumerate(text):
        if sign == "\n":
            start, blank = index + 1, -1
        elif sign == " " and not kept[index]:
            blank = index
        if index - start >= width and blank >= start:
            signs[blank] = "\n"
            start, blank = blank + 1, -1
    return "".join(signs)


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [string for part in value.values() for string in _strings(part)]
    if isinstance(value, list):
        return [string for part in value for string in _strings(part)]
    return [value] if isinstance(value, str) and " " in value else []
