"""How a text comes about: labelled facts in a layout, sentences, both, or several records at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetune.embedded.layouts import NESTED, WHOLE, layouts
from finetune.embedded.layouts.page import Entry, Page
from finetune.embedded.layouts.tables import GRIDS
from finetune.embedded.naming import label_style, label_words, named
from finetune.embedded.open_vocabulary import OPEN
from finetune.embedded.prose import narrate, write
from finetune.embedded.records import Record
from finetune.embedded.splits import kept_layouts

if TYPE_CHECKING:
    from collections.abc import Callable

    from finetune.embedded.domain import Domain, Field
    from finetune.embedded.draw import Draw
    from finetune.embedded.records import Fact

_TITLES = (
    "{}",
    "{} details",
    "New {}",
    "{} information",
    "{} no. {n}",
    "Your {}",
    "{} summary",
    "{} overview",
    "{} data",
)
_ZH_TITLES = ("{}", "{}信息", "{}详情", "关于{}", "{}单")

_REPEATABLE = frozenset(
    {"colon_lines", "equals_lines", "bullet_lines", "semicolons", "bold_lines", "aligned_lines", "xml", "json", "yaml"}
    | {"parentheses", "log_line", "bare_log", "attributes", "html_rows", "telegram", "statements", "python_call"}
)


_CAPITALS = 0.03


@dataclass(frozen=True)
class Written:
    """A text with the name of its layout."""

    text: str
    layout: str


def labelled(draw: Draw, record: Record, *, held: bool = False, fields: list[Field] | None = None) -> Written:
    """Put facts behind labels.

    Args:
        draw: chance.
        record: its facts are drawn as they are told.
        held: use layouts that training never uses.
        fields: what to tell; some of the domain's fields by default.
    """
    draw.prose = False
    choices = layouts(draw.language, held=held, most=draw.layouts)
    name = draw.pick([name for name in choices for _ in range(WHOLE.get(name, 1))])
    record.whole = name in NESTED
    if not record.facts and draw.chance(_CAPITALS):
        record.case = str.upper
    shown = _shown(draw, record.domain) if fields is None else fields
    return Written(choices[name](draw, _page(draw, record, shown)), name)


def _shown(draw: Draw, domain: Domain) -> list[Field]:
    every = domain.fields
    count = draw.between(max(1, len(every) // 2), len(every))
    chosen = draw.sample(every, count)
    return chosen if draw.chance(0.5) else [field for field in every if field in chosen]


def _page(draw: Draw, record: Record, fields: list[Field]) -> Page:
    style = label_style(draw)
    entries: dict[str, Entry] = {}
    for field in fields:
        label = named(style, label_words(draw, field))
        if label in entries:
            continue
        fact = record.deny(field.key) if draw.chance(0.025) else record.tell(field.key)
        entries[label] = Entry(label, fact.surface, _rows(draw, fact, style))
    noun = draw.pick(record.domain.nouns)
    return Page(noun, _title(draw, noun), tuple(entries.values()), draw.language, record.domain.name != OPEN)


def _rows(draw: Draw, fact: Fact, style: Callable[[list[str]], str]) -> tuple[tuple[tuple[str, str], ...], ...]:
    if fact.gold is None or not fact.cells:
        return ()
    labels = {part.key: named(style, label_words(draw, part)) for part in fact.field.parts}
    return tuple(tuple((labels[key], value.surface) for key, value in row.items()) for row in fact.cells)


def _title(draw: Draw, noun: str) -> str:
    title = draw.pick(_ZH_TITLES if draw.language == "zh" else _TITLES).format(noun, n=draw.between(1, 9))
    return title[:1].upper() + title[1:] if draw.chance(0.7) else title


def mixed(draw: Draw, record: Record) -> Written:
    """Some sentences, then labelled facts that they did not tell, or the other way round."""
    text = write(draw, record, longest=1)
    rest = [field for field in record.untold() if field.kind not in ("rows", "object")]
    if record.case is not None or not rest:
        return Written(text, "prose")
    kept = draw.sample(rest, draw.between(1, len(rest)))
    below = labelled(draw, record, fields=kept)
    gap = draw.pick(("\n\n", "\n", "\n\n---\n"))
    both = (below.text, text) if draw.chance(0.25) else (text, below.text)
    return Written(gap.join(both), f"prose+{below.layout}")


def simple_fields(domain: Domain) -> list[Field]:
    """Fields that hold no others."""
    return [field for field in domain.fields if field.kind not in ("rows", "object")]


def table(draw: Draw, domain: Domain, *, held: bool = False) -> tuple[Written, list[Record]]:
    """Several records of a domain in a table with a header."""
    draw.prose = False
    name = draw.pick(kept_layouts(GRIDS, held=held, most=draw.layouts))
    style = label_style(draw)
    fields = draw.sample(simple_fields(domain), draw.between(2, 6))
    labels: dict[str, str] = {}
    for field in fields:
        label = named(style, label_words(draw, field))
        if label not in labels.values():
            labels[field.key] = label
    records = [Record(draw, domain) for _ in range(draw.between(1, 12 if draw.chance(0.1) else 5))]
    rows = [[_cell(draw, record, key) for key in labels] for record in records]
    text = GRIDS[name]([list(labels.values()), *rows])
    if draw.chance(0.35):
        text = f"{_title(draw, draw.pick(domain.nouns))}\n{text}"
    return Written(text, name), records


def _cell(draw: Draw, record: Record, key: str) -> str:
    if draw.chance(0.02):
        return record.deny(key).surface
    return record.tell(key).surface


def several(draw: Draw, domain: Domain, *, held: bool = False) -> tuple[Written, list[Record]]:
    """Several records of a domain, each in sentences of its own or in the same lines of labels."""
    records = [Record(draw, domain) for _ in range(draw.pick((1, 2, 2, 2, 3, 3, 4)))]
    texts_there = domain.held_prose.texts if held else domain.prose.texts
    if texts_there and not draw.chance(0.35):
        draw.prose = True
        texts = [narrate(draw, record, held=held) for record in records]
        mark = draw.pick(("", "", "", "- ", "* ", "{}. ", "({}) "))
        gap = "" if draw.language == "zh" and not mark else draw.pick((" ", "\n", "\n", "\n\n")) if not mark else "\n"
        return Written(
            gap.join(mark.format(index) + text for index, text in enumerate(texts, start=1)), "prose"
        ), records
    draw.prose = False
    choices = layouts(draw.language, held=held)
    repeatable = (name for name in choices if name in _REPEATABLE or held)
    name = draw.pick(kept_layouts(repeatable, held=held, most=draw.layouts))
    fields = draw.sample(simple_fields(domain), draw.between(2, 5))
    style = label_style(draw)
    labels = {field.key: named(style, label_words(draw, field)) for field in fields}
    texts = []
    for record in records:
        entries = tuple(Entry(label, _cell(draw, record, key)) for key, label in labels.items())
        noun = draw.pick(domain.nouns)
        texts.append(choices[name](draw, Page(noun, noun.capitalize(), entries, draw.language)))
    return Written(draw.pick(("\n\n", "\n---\n", "\n\n", "\n")).join(texts), name), records
