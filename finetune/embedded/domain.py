"""Domains: what texts of one kind tell, under which names, and in which sentences.

A file in `domains/` holds several of them:

    @ invoice en | invoice, bill
    vendor: company | vendor, seller, supplier, ~billed by | who wrote the invoice
    status: enum paid/settled=has been paid, settled; open=unpaid, outstanding | status, payment status
    taxed: bool VAT included, with tax; without VAT, tax free | tax included, VAT included
    tags: list color 1 3 | colours, colors
    items: rows 1 4 | items, line items
      product: product | name, item
      count: int 1 20 | quantity, qty
      - {count} x {product}[ (each new)|]
    > A sentence with {vendor}.
    + A further sentence with {status}.
    ! a request with {vendor}

A field is `key: generator | names | description`; `key/other` says that it tells the same as another field in a
different form, so that a text with one of them does not lack the other. The fields of rows or of an object are
indented below it, and so are, after a dash, the ways to write them in one line. `>` is a text, `+` a sentence that
may follow any text, `!` something a person says. `~` marks names and sentences that training never uses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from finetune.embedded.draw import Pool
from finetune.embedded.template import Sequence_, parse
from finetune.embedded.values import generator
from finetune.embedded.values.syllables import pseudo_word
from finetune.embedded.values.value import Value, verbatim

if TYPE_CHECKING:
    from collections.abc import Callable

    from finetune.embedded.draw import Draw

_HEADER = re.compile(r"@ (\w+) (en|zh) \| (.+)")
_FIELD = re.compile(r"(\w+)(?:/(\w+))?: (\w+) ?([^|]*?) *\| *([^|]+?) *(?:\| *(.+))?")
_NESTED = ("rows", "object")
_UNITS = "km² kg km/h km cm GB MB ms mg ml mAh hPa ppm lux hp g m² sqm kWh W min minutes hours days nights".split()
_UNIT = re.compile(rf"\{{(\w+)\}}( ?(?:{'|'.join(_UNITS)})(?!\w))")


@dataclass(frozen=True)
class Option:
    """One value of an enumeration: what an answer may call it and how texts say it."""

    literals: tuple[str, ...]
    surfaces: tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """Something that texts of a domain tell.

    Attributes:
        key: its name in templates.
        kind: "str", "int", "num", "date", "bool", "enum", "list", "rows" (an array of objects) or "object".
        names: what schemas and labels call it, as plain words.
        held_names: names that training never uses.
        description: what it means; "" if its names say it.
        make: draws a value; None for nested kinds.
        options: of an enumeration; of a boolean the way to say yes and the way to say no.
        parts: fields of the rows or of the object.
        templates: ways to write a row or the object in one line.
        size: fewest and most rows.
        unit: what the sentences of the domain write after the number; "" if nothing.
        rival: key of a field that tells the same in a different form; "" if there is none.
    """

    key: str
    kind: str
    names: tuple[str, ...]
    held_names: tuple[str, ...] = ()
    description: str = ""
    make: Callable[[Draw], Value] | None = None
    options: tuple[Option, ...] = ()
    parts: tuple[Field, ...] = ()
    templates: tuple[Sequence_, ...] = ()
    size: tuple[int, int] = (1, 4)
    unit: str = ""
    rival: str = ""


@dataclass(frozen=True)
class Prose:
    """Templates of a domain, apart from those that training never uses."""

    texts: tuple[Sequence_, ...] = ()
    sentences: tuple[Sequence_, ...] = ()
    requests: tuple[Sequence_, ...] = ()


@dataclass(frozen=True)
class Domain:
    """Texts of one kind.

    Attributes:
        name: unique.
        language: of the texts.
        nouns: what such a text is or is about; also a prefix of names.
        fields: what the texts tell.
        prose: sentences.
        held_prose: sentences that training never uses.
    """

    name: str
    language: str
    nouns: tuple[str, ...]
    fields: tuple[Field, ...]
    prose: Prose = field(default_factory=Prose)
    held_prose: Prose = field(default_factory=Prose)


@cache
def domains() -> tuple[Domain, ...]:
    """All domains, in the order of their files and lines."""
    files = sorted((Path(__file__).parent / "domains").glob("*.txt"))
    blocks = (
        block for file in files for block in re.split(r"^(?=@ )", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    return tuple(_domain(block) for block in blocks if block.startswith("@"))


def _domain(block: str) -> Domain:
    header, *lines = [line.rstrip() for line in block.splitlines() if line.strip()]
    match = _HEADER.fullmatch(header)
    if match is None:
        message = f"not the head of a domain: {header!r}"
        raise ValueError(message)
    fields, sentences = _split(lines)
    units = {key: unit for line in sentences for key, unit in _UNIT.findall(line)}
    return Domain(
        name=match[1],
        language=match[2],
        nouns=_listed(match[3]),
        fields=tuple(_measured(_field(own, inner), units) for own, inner in fields),
        prose=_prose([line for line in sentences if not line.startswith("~")]),
        held_prose=_prose([line[1:] for line in sentences if line.startswith("~")]),
    )


def _measured(plain: Field, units: dict[str, str]) -> Field:
    return replace(plain, unit=units.get(plain.key, "")) if plain.kind in ("int", "num") else plain


def _split(lines: list[str]) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """The lines of fields, each with the indented ones below it, and the lines of sentences."""
    fields: list[tuple[str, list[str]]] = []
    sentences: list[str] = []
    for line in lines:
        if line.startswith("  "):
            fields[-1][1].append(line.strip())
        elif line.lstrip("~")[:2] in ("> ", "+ ", "! "):
            sentences.append(line)
        else:
            fields.append((line, []))
    return fields, sentences


def _prose(lines: list[str]) -> Prose:
    texts, sentences, requests = (
        tuple(parse(line[2:].replace("\\n", "\n")) for line in lines if line.startswith(sign)) for sign in ">+!"
    )
    return Prose(texts, sentences, requests)


def _field(line: str, inner: list[str]) -> Field:
    match = _FIELD.fullmatch(line)
    if match is None:
        message = f"not a field: {line!r}"
        raise ValueError(message)
    key, rival, kind, arguments, names, description = match.groups()
    every = _listed(names)
    plain = Field(
        key,
        kind,
        tuple(name for name in every if not name.startswith("~")),
        tuple(name[1:] for name in every if name.startswith("~")),
        description or "",
        rival=rival or "",
    )
    if kind in _NESTED:
        return _nested(plain, arguments, inner)
    return _simple(plain, arguments)


def _nested(plain: Field, arguments: str, inner: list[str]) -> Field:
    low, high = (int(number) for number in arguments.split()) if arguments else (1, 4)
    return replace(
        plain,
        parts=tuple(_field(line, []) for line in inner if not line.startswith("- ")),
        templates=tuple(parse(line[2:]) for line in inner if line.startswith("- ")),
        size=(low, high),
    )


def _simple(plain: Field, arguments: str) -> Field:
    kind, make, options = _maker(plain.kind, arguments)
    return replace(plain, kind=kind, make=make, options=options)


def _maker(kind: str, arguments: str) -> tuple[str, Callable[[Draw], Value], tuple[Option, ...]]:
    if kind == "enum":
        options = tuple(_option(text) for text in arguments.split(";"))
        return "enum", _enumerated(options), options
    if kind == "bool":
        yes, no = arguments.split(";")
        options = (Option(("yes",), _listed(yes)), Option(("no",), _listed(no)))
        return "bool", _affirmed(options), options
    if kind == "list":
        name, *numbers = arguments.split()
        low, high = (int(number) for number in numbers) if numbers else (1, 4)
        return "list", _listing(generator(name, [])[1], low, high, articles=name in _COUNTABLE), ()
    if kind == "pick":
        return "str", _picked(Pool(_listed(arguments))), ()
    own_kind, make = generator(kind, arguments.split())
    return own_kind, make, ()


def _option(text: str) -> Option:
    literals, _, surfaces = text.partition("=")
    return Option(tuple(part.strip() for part in literals.split("/")), _listed(surfaces))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _enumerated(options: tuple[Option, ...]) -> Callable[[Draw], Value]:
    def make(draw: Draw) -> Value:
        index = draw.below(len(options))
        option = options[index]
        said = option.surfaces or option.literals
        return Value(draw.pick(said if draw.prose else (*said, *option.literals)), index)

    return make


_YES = ("yes", "Yes", "YES", "true", "True", "y", "Y", "✓", "[x]")
_NO = ("no", "No", "NO", "false", "False", "n", "N", "✗", "[ ]")


def _affirmed(options: tuple[Option, ...]) -> Callable[[Draw], Value]:
    def make(draw: Draw) -> Value:
        answer = draw.chance(0.5)
        said = options[0 if answer else 1].surfaces
        if draw.prose or draw.chance(0.25):
            return Value(draw.pick(said), answer)
        if draw.language == "zh":
            return Value(draw.pick(("是", "有", "√") if answer else ("否", "无", "×")), answer)
        return Value(draw.pick(_YES if answer else _NO), answer)

    return make


def _listing(make_one: Callable[[Draw], Value], low: int, high: int, *, articles: bool) -> Callable[[Draw], Value]:
    def make(draw: Draw) -> Value:
        parts = {part.gold: part.surface for part in (make_one(draw) for _ in range(draw.between(low, high)))}
        clear = [gold for gold in parts if not _ENUMERATES.search(gold)] or list(parts)[:1]
        said = [parts[gold] for gold in clear]
        if articles and draw.prose and draw.chance(_WITH_ARTICLES) and all(map(_SINGULAR.fullmatch, said)):
            said = [f"{'an' if part[0] in 'aeiou' else 'a'} {part}" for part in said]
        return Value(enumeration(draw, said), clear)

    return make


_COUNTABLE = frozenset(("thing", "product", "amenity"))
_WITH_ARTICLES = 0.35
_SINGULAR = re.compile(r"[a-z][a-z ]*[a-rt-z]")
"""Small words that do not end as plurals do."""


_ENUMERATES = re.compile(r",| and |;|/|和|、")


def enumeration(draw: Draw, parts: list[str]) -> str:
    """Several words in one line, as people or forms list them."""
    if draw.language == "zh":
        last = draw.pick(("和", "、", "以及")) if draw.prose else "、"
        return last.join(("、".join(parts[:-1]), parts[-1])) if len(parts) > 1 else parts[0]
    if len(parts) == 1:
        return parts[0]
    if draw.prose:
        last = draw.pick((" and ", " and ", ", and " if parts[2:] else " and ", " as well as "))
        return ", ".join(parts[:-1]) + last + parts[-1]
    return draw.pick((", ", ", ", "; ", " / ")).join(parts)


def _picked(pool: Pool) -> Callable[[Draw], Value]:
    def make(draw: Draw) -> Value:
        strange = draw.split == "words" and not pool.held
        return verbatim(pseudo_word(draw) if strange or not pool.train or draw.chance(0.06) else draw.of(pool))

    return make
