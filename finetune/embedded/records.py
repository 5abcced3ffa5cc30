"""Facts: what a text tells about the fields of a domain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from finetune.embedded.layouts.tables import listed, ruled
from finetune.embedded.naming import label_style, label_words, named
from finetune.embedded.template import joined, render, settled, wants_figures
from finetune.embedded.values.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from finetune.embedded.domain import Domain, Field
    from finetune.embedded.draw import Draw
    from finetune.embedded.template import Sequence_

_ATTEMPTS = 4
_SAME_FORM = 0.85
_WITH_UNIT = 0.35
_NOTHING = ("n/a", "N/A", "-", "none", "not provided", "unknown", "", "TBD", "not specified", "—", "?", "null")
_ZH_NOTHING = ("无", "暂无", "-", "未填写", "待定", "不详", "未知", "/")


@dataclass(frozen=True)
class Fact:
    """A field with what the text says of it.

    Attributes:
        field: the field.
        surface: as it stands in the text.
        gold: as it stands in the answer, parts under their keys; None where there is none.
        cells: of rows or an object: every part's value under its key.
        lines: of rows: each as it stands in the text.
    """

    field: Field
    surface: str
    gold: Any
    cells: tuple[dict[str, Value], ...] = ()
    lines: tuple[str, ...] = ()


class Record:
    """The facts of one text. Each is drawn when it is first told.

    Attributes:
        domain: what the text is about.
        facts: those that have been told.
        case: what is done to the letters of every fact: nothing, or all made small or capital.
        whole: whether rows must be told with all their parts.
        phrases: keys of the fields that a text says in words of its own.
    """

    def __init__(self, draw: Draw, domain: Domain) -> None:
        self.domain = domain
        self.facts: dict[str, Fact] = {}
        self.case: Callable[[str], str] | None = None
        self.whole = False
        self._draw = draw
        self._fields = {field.key: field for field in domain.fields}
        self.phrases = frozenset(field.key for field in domain.fields if field.kind in ("bool", "enum"))

    def surface(self, key: str) -> str:
        """The text of a fact by its key.

        After `?` may stand what to write if it is true and if it is not, after `@` how to write its rows.
        """
        name, conditional, wordings = key.partition("?")
        if not conditional:
            name, _, form = key.partition("@")
            return self._rows(name, form) if form else self.tell(name).surface
        yes, _, no = wordings.partition(":")
        wording = yes if self.tell(name).gold else no
        return wording if self.case is None else self.case(wording)

    def _rows(self, key: str, form: str) -> str:
        """The rows of a fact as "lines" or as a "table", which tells all their parts."""
        if form == "lines":
            return listed(self._draw, self.tell(key).lines)
        before, mood = self.whole, self._draw.prose
        self.whole, self._draw.prose = True, False
        fact = self.tell(key)
        self.whole, self._draw.prose = before, mood
        labels = [label_words(self._draw, part) for part in fact.field.parts]
        style = label_style(self._draw)
        head = [named(style, label) for label in labels]
        rows = [[value.surface for value in row.values()] for row in fact.cells]
        return ruled(self._draw, [head, *rows], _sums(fact))

    def tell(self, key: str) -> Fact:
        """A fact, the same at every call."""
        if key not in self.facts:
            self.facts[key] = self._distinct(self._fields[key])
        return self.facts[key]

    def deny(self, key: str) -> Fact:
        """Says that there is no such thing."""
        surface = self._draw.pick(_ZH_NOTHING if self.domain.language == "zh" else _NOTHING)
        self.facts[key] = Fact(self._fields[key], surface, None)
        return self.facts[key]

    def untold(self) -> list[Field]:
        """Fields that the text does not mention."""
        return [field for field in self.domain.fields if field.key not in self.facts]

    def _distinct(self, field: Field) -> Fact:
        """A fact whose text differs from that of every other one, so that it is clear which is meant."""
        taken = {fact.surface for fact in self.facts.values()}
        for _ in range(_ATTEMPTS):
            fact = make_fact(self._draw, field, whole=self.whole)
            if fact.surface not in taken:
                break
        return fact if self.case is None else _cased(fact, self.case)


def make_fact(draw: Draw, field: Field, *, whole: bool) -> Fact:
    """Draw a fact.

    Args:
        draw: chance.
        field: what it is about.
        whole: whether rows must be told with all their parts.
    """
    if field.make is not None:
        value = field.make(draw)
        measured = field.unit and not draw.prose and draw.chance(_WITH_UNIT)
        return Fact(field, value.surface + field.unit if measured else value.surface, value.gold)
    template = draw.pick(field.templates)
    if draw.chance(_SAME_FORM):
        template = settled(draw, template)
    draw.figures = wants_figures(template)
    count = draw.between(*field.size) if field.kind == "rows" else 1
    cells = tuple({part.key: _make(draw, part) for part in field.parts} for _ in range(count))
    draw.figures = False
    lines, golds = _written(draw, template, cells, whole=whole)
    return Fact(field, _strung(draw, lines), golds if field.kind == "rows" else golds[0], cells, tuple(lines))


def _make(draw: Draw, part: Field) -> Value:
    if part.make is None:
        message = f"{part.key!r} lies too deep: parts hold no parts"
        raise ValueError(message)
    return part.make(draw)


def _written(
    draw: Draw, template: Sequence_, cells: tuple[dict[str, Value], ...], *, whole: bool
) -> tuple[list[str], list[dict[str, Any]]]:
    """Each row in one line and its answer; what a line does not tell is None, unless rows are whole."""
    lines: list[str] = []
    golds: list[dict[str, Any]] = []
    for row in cells:
        pieces = render(draw, template, lambda key, row=row: row[key].surface)  # type: ignore[misc]
        told = {piece.key for piece in pieces}
        lines.append(joined(pieces))
        golds.append({key: value.gold if whole or key in told else None for key, value in row.items()})
    return lines, golds


def _strung(draw: Draw, lines: list[str]) -> str:
    if len(lines) == 1:
        return lines[0]
    if not draw.prose:
        return draw.pick(("; ", "; ", " / ", " | ")).join(lines)
    if draw.language == "zh":
        return draw.pick(("；", "，", "、")).join(lines)
    between, last = draw.pick(((", ", " and "), ("; ", "; "), (", ", ", and "), ("; ", "; and "), (", ", ", plus ")))
    return between.join(lines[:-1]) + last + lines[-1]


def _sums(fact: Fact) -> list[float]:
    """Counts times prices, where rows have one of each."""
    counts = [part.key for part in fact.field.parts if part.kind == "int"]
    prices = [part.key for part in fact.field.parts if part.kind == "num"]
    if len(counts) != 1 or len(prices) != 1:
        return []
    return [row[counts[0]].gold * row[prices[0]].gold for row in fact.cells]


def _cased(fact: Fact, case: Callable[[str], str]) -> Fact:
    """A fact with all its letters small or capital, in the text and where they are copied."""
    gold = fact.gold
    if fact.field.kind == "str":
        gold = case(gold)
    elif fact.field.kind == "list":
        gold = [case(part) for part in gold]
    elif fact.cells:
        return _cased_cells(fact, case)
    return replace(fact, surface=case(fact.surface), gold=gold)


def _cased_cells(fact: Fact, case: Callable[[str], str]) -> Fact:
    strings = {part.key for part in fact.field.parts if part.kind == "str"}

    def golds(row: dict[str, Any]) -> dict[str, Any]:
        return {key: case(gold) if key in strings and gold is not None else gold for key, gold in row.items()}

    cells = tuple(
        {
            key: Value(case(value.surface), case(value.gold) if key in strings else value.gold)
            for key, value in row.items()
        }
        for row in fact.cells
    )
    gold = [golds(row) for row in fact.gold] if fact.field.kind == "rows" else golds(fact.gold)
    return replace(fact, surface=case(fact.surface), gold=gold, cells=cells)
