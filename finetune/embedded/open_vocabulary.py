"""Domains that exist for one text only: names made of any words, values of any kind. They teach to copy by key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.domain import Domain, Field, Option, enumeration
from finetune.embedded.template import parse
from finetune.embedded.values import GENERATORS
from finetune.embedded.values.phrases import phrase, word
from finetune.embedded.values.pools import POOLS
from finetune.embedded.values.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from finetune.embedded.draw import Draw

OPEN = "open"
"""The name of all these domains."""
_NAMES = (
    *("phrase",) * 9,
    *("int",) * 5,
    *("num", "money", "date", "large_money") * 3,
    *("person", "company", "city", "code", "product") * 2,
    *("percent", "email", "phone", "time", "url", "title", "topic", "color", "job", "address", "duration", "team"),
    *("handle", "country", "stamp", "dish", "version", "machine", "problem", "size", "zip", "material"),
)
_ZH_NAMES = (
    *("phrase",) * 4,
    *("int", "date", "money", "person", "city", "company", "product", "code") * 2,
    *("percent", "phone", "email", "time", "address", "job", "department", "event", "duration", "room", "plate"),
)
_INT_RANGES = ((1, 9), (1, 30), (1, 100), (0, 999), (100, 9999), (1, 99_999), (-50, 50), (1000, 5_000_000))


def invent(draw: Draw) -> Domain:
    """A domain with three to twelve fields nobody has heard of."""
    names: dict[str, None] = {}
    for _ in range(draw.pick((2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 10, 12))):
        names[_name(draw)] = None
    fields = tuple(_field(draw, f"f{index}", name) for index, name in enumerate(names))
    noun = draw.of(POOLS["zh_general"]) if draw.language == "zh" else word(draw)
    return Domain(OPEN, draw.language, (noun,), fields)


def _name(draw: Draw) -> str:
    if draw.language == "zh":
        return "".join(draw.of(POOLS["zh_general"]) for _ in range(1 if draw.chance(0.6) else 2))
    return " ".join(word(draw) for _ in range(draw.pick((1, 1, 1, 1, 2, 2, 2, 3))))


def _field(draw: Draw, key: str, name: str) -> Field:
    return draw.pick(_FIELDS)(draw, key, name)


def _truth(_draw: Draw, key: str, name: str) -> Field:
    return Field(key, "bool", (name,), make=_affirmed)


def _array(draw: Draw, key: str, name: str) -> Field:
    return Field(key, "list", (name,), make=_listing(_generator(draw)[1]))


def _whole_number(draw: Draw, key: str, name: str) -> Field:
    low, high = draw.pick(_INT_RANGES)
    generate = GENERATORS["int"][1]
    return Field(key, "int", (name,), make=lambda draw: generate(draw, low, high))


def _anything(draw: Draw, key: str, name: str) -> Field:
    kind, make = _generator(draw)
    return Field(key, kind, (name,), make=make)


def _generator(draw: Draw) -> tuple[str, Callable[[Draw], Value]]:
    return GENERATORS[draw.pick(_ZH_NAMES if draw.language == "zh" else _NAMES)]


def _affirmed(draw: Draw) -> Value:
    answer = draw.chance(0.5)
    if draw.language == "zh":
        return Value(draw.pick(("是", "有", "需要") if answer else ("否", "没有", "不需要")), answer)
    yes, no = (
        ("yes", "Yes", "true", "True", "on", "enabled", "y"),
        ("no", "No", "false", "False", "off", "disabled", "n"),
    )
    return Value(draw.pick(yes if answer else no), answer)


def _enumeration(draw: Draw, key: str, name: str) -> Field:
    words = {phrase(draw, 1, 1).surface.lower(): None for _ in range(draw.between(2, 12 if draw.chance(0.15) else 5))}
    options = tuple(Option((text,), (text,)) for text in words)

    def make(draw: Draw) -> Value:
        index = draw.below(len(options))
        text = options[index].literals[0]
        return Value(draw.pick((text, text, text.capitalize(), text.upper())), index)

    return Field(key, "enum", (name,), make=make, options=options)


_PARTS = (_truth, _enumeration, *(_whole_number,) * 3, *(_anything,) * 8)


def _rows(draw: Draw, key: str, name: str) -> Field:
    """An array of objects; where a row stands in one line every value has its name before it."""
    names = dict.fromkeys(_name(draw) for _ in range(draw.between(2, 4)))
    parts = tuple(draw.pick(_PARTS)(draw, f"p{index}", part) for index, part in enumerate(names))
    line = ", ".join(f"{part.names[0]} {{{part.key}}}" for part in parts)
    return Field(key, "rows", (name,), parts=parts, templates=(parse(line),), size=(1, 5))


_FIELDS = (_truth, *(_enumeration,) * 2, *(_array,) * 2, *(_rows,) * 2, *(_whole_number,) * 3, *(_anything,) * 12)


def _listing(make_one: Callable[[Draw], Value]) -> Callable[[Draw], Value]:
    def make(draw: Draw) -> Value:
        parts = list(dict.fromkeys(make_one(draw).surface for _ in range(draw.between(1, 4))))
        while any("," in part or " and " in part for part in parts):
            parts = list(dict.fromkeys(phrase(draw, 1, 2).surface for _ in parts))
        return Value(enumeration(draw, parts), parts)

    return make
