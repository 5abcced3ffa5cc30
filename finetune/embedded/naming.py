"""What schemas and labels call a field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from finetune.embedded.domain import Field
    from finetune.embedded.draw import Draw

ABBREVIATIONS = {
    "quantity": "qty",
    "number": "no",
    "amount": "amt",
    "address": "addr",
    "telephone": "tel",
    "department": "dept",
    "description": "desc",
    "reference": "ref",
    "identifier": "id",
    "temperature": "temp",
    "organization": "org",
    "message": "msg",
    "percentage": "pct",
    "account": "acct",
    "maximum": "max",
    "minimum": "min",
    "average": "avg",
    "duration": "dur",
}
"""Words that names may shorten."""


def _snake(words: list[str]) -> str:
    return "_".join(words)


def _camel(words: list[str]) -> str:
    return words[0] + "".join(word.capitalize() for word in words[1:])


def _pascal(words: list[str]) -> str:
    return "".join(word.capitalize() for word in words)


def _kebab(words: list[str]) -> str:
    return "-".join(words)


def _upper(words: list[str]) -> str:
    return "_".join(words).upper()


def _spaced(words: list[str]) -> str:
    return " ".join(words)


def _titled(words: list[str]) -> str:
    return " ".join(word.capitalize() for word in words)


def _sentence(words: list[str]) -> str:
    return " ".join(words).capitalize()


def _run_together(words: list[str]) -> str:
    return "".join(words)


NameStyle = "Callable[[list[str]], str]"
_STYLES = (_snake,) * 9 + (_camel,) * 4 + (_spaced,) * 2 + (_pascal, _kebab, _upper, _titled, _sentence, _run_together)
_LABEL_STYLES = (_sentence,) * 5 + (_titled,) * 5 + (_spaced,) * 4 + (_snake,)


def name_style(draw: Draw) -> Callable[[list[str]], str]:
    """The way in which a schema writes its names."""
    return draw.pick(_STYLES)


def label_style(draw: Draw) -> Callable[[list[str]], str]:
    """The way in which a text writes its labels."""
    return (lambda words: " ".join(words).upper()) if draw.chance(0.1) else draw.pick(_LABEL_STYLES)


def is_chinese(name: str) -> bool:
    """Whether a name is written in Chinese characters."""
    return any("\u4e00" <= sign <= "\u9fff" for sign in name)


def named(style: Callable[[list[str]], str], name: str) -> str:
    """A name in a style; Chinese names have none."""
    if is_chinese(name):
        return name
    return style(re.findall(r"[^\W_]+", name.replace("'", "").lower()))


def schema_words(draw: Draw, field: Field, nouns: tuple[str, ...], *, chinese: bool, exact: bool) -> str:
    """The words of a field's name in a schema.

    Args:
        draw: chance; in the split "aliases" names that training never uses are taken where there are any.
        field: the field.
        nouns: what the text is about, at times put before a short name.
        chinese: whether Chinese names are wanted, where there are any.
        exact: whether a single word would be too vague, because the text tells something similar.
    """
    names = field.held_names if draw.split == "aliases" and field.held_names else field.names
    names = tuple(name for name in names if is_chinese(name) == chinese) or names
    if exact:
        names = tuple(name for name in names if " " in name or is_chinese(name)) or names[:1]
    name = draw.pick(names)
    if is_chinese(name):
        return name
    if draw.chance(0.12):
        name = " ".join(ABBREVIATIONS.get(word, word) for word in name.split())
    noun = nouns[0]
    prefixed = len(nouns) > 1 and " " not in name and noun not in name and not is_chinese(noun) and draw.chance(0.1)
    return f"{noun} {name}" if prefixed else name


def label_words(draw: Draw, field: Field) -> str:
    """The words of a field's label in a text."""
    chinese = draw.language == "zh"
    names = tuple(name for name in field.names if is_chinese(name) == chinese) or field.names
    return draw.pick(names)
