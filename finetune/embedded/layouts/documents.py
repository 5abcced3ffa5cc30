"""Layouts of whole documents: a head, facts in groups, a table of rows, a foot."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from finetune.embedded.layouts.tables import ruled

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw
    from finetune.embedded.layouts.page import Entry, Page

_HEADS = ("ORIGINAL", "COPY", "Page 1 of 1", "* * *", "CONFIDENTIAL", "================", "--- begin ---", "")
_FEET = (
    "Page 1 of 1",
    "-- end of document --",
    "Thank you.",
    "E. & O. E.",
    "This document is valid without a signature.",
    "",
)
_LETTERHEADS = 0.35
_NAME = re.compile(r"[A-Z][\w.'-]*(?: (?:[A-Z][\w.'-]*|&|and|of|the)){1,5}")
"""What may stand alone at the head of a document: a company, a person, a place."""
_GAPS = ("    ", "      ", " · ", " | ", ", ", "; ", "\t", " / ", " -- ")
_ZH_GAPS = ("    ", "      ", "  ", "，", "；", " | ")
_MARKS = (" *", " (1)", " ✓", " (A)", " †")
_FILLERS = ("", "", "-" * 24, "(for office use only)", "Please write in capitals.", "=" * 30, "see overleaf")
_ZH_FILLERS = ("", "-" * 20, "（请用正楷填写）", "（背面另有说明）")
_ZH_HEADS = ("（原件）", "（副本）", "================", "")
_ZH_FEET = ("（以下空白）", "第1页 共1页", "本单据无需签字。", "")


def document(draw: Draw, page: Page) -> str:
    """A form with its title, facts, tables for rows, and the other facts below."""
    chinese = page.language == "zh"
    sign = "：" if chinese else draw.pick((": ", ":  ", ": ", "\t", " "))
    blocks: list[str] = []
    group: list[str] = []
    for entry in _headed(draw, page):
        if entry.rows:
            blocks += ["\n".join(group)] if group else []
            blocks.append(f"{entry.label}\n{_table(draw, entry)}" if draw.chance(0.5) else _table(draw, entry))
            group = []
            continue
        group.append(f"{entry.label}{sign}{entry.surface}" if entry.label else entry.surface)
        if draw.chance(0.2):
            blocks.append("\n".join(group))
            group = []
    blocks += ["\n".join(group)] if group else []
    head, foot = draw.pick(_ZH_HEADS if chinese else _HEADS), draw.pick(_ZH_FEET if chinese else _FEET)
    title = page.title.upper() if draw.chance(0.5) else page.title
    return draw.pick(("\n\n", "\n")).join(part for part in (head, title, *blocks, foot) if part)


def _headed(draw: Draw, page: Page) -> tuple[Entry, ...]:
    """At times a name comes first, without a label, as in a letterhead."""
    names = [entry for entry in page.entries if not entry.rows and _NAME.fullmatch(entry.surface)]
    if not names or not page.guessable or not draw.chance(_LETTERHEADS):
        return page.entries
    return (replace(names[0], label=""), *(entry for entry in page.entries if entry is not names[0]))


def _table(draw: Draw, entry: Entry) -> str:
    rows = [[label for label, _ in entry.rows[0]], *([surface for _, surface in row] for row in entry.rows)]
    return ruled(draw, rows)


def sections(draw: Draw, page: Page) -> str:
    """Facts under numbered or marked headings, rows as lists."""
    mark = draw.pick(("{0}. {1}", "## {1}", "{1}", "[{0}] {1}", "*{1}*", "{0}) {1}:"))
    parts = []
    for index, entry in enumerate(page.entries, start=1):
        lines = ["- " + ", ".join(f"{label} {surface}" for label, surface in row) for row in entry.rows] or [
            entry.surface
        ]
        parts.append("\n".join([mark.format(index, entry.label), *lines]))
    return draw.pick(("\n\n", "\n")).join([page.title, *parts] if draw.chance(0.5) else parts)


def sheet(draw: Draw, page: Page) -> str:
    """Facts that share lines, as forms and print-outs pack them, with remarks and lines that tell nothing."""
    chinese = page.language == "zh"
    sign = "：" if chinese else draw.pick((": ", ": ", " ", ".: ", "  "))
    gap = draw.pick(_ZH_GAPS if chinese else _GAPS)
    cells = [
        f"{entry.label}{sign}{entry.surface}{draw.pick(_MARKS) if draw.chance(0.1) else ''}" for entry in page.entries
    ]
    lines = [page.title.upper() if draw.chance(0.5) else page.title] if draw.chance(0.6) else []
    number = "{}  " if draw.chance(0.15) else ""
    while cells:
        count = draw.pick((1, 1, 2, 2, 3, 4))
        lines.append(number.format(len(lines) + 1) + gap.join(cells[:count]))
        cells = cells[count:]
        if draw.chance(0.12):
            lines.append(draw.pick(_ZH_FILLERS if chinese else _FILLERS))
    return "\n".join(lines)


def wall(draw: Draw, page: Page) -> str:
    """Everything in one paragraph, labels only marked by a colon."""
    sign = "：" if page.language == "zh" else ": "
    gap = draw.pick((" ", "  ", " – ", ". "))
    return gap.join(f"{entry.label}{sign}{entry.surface}" for entry in page.entries)


def till_slip(draw: Draw, page: Page) -> str:
    """A strip of paper with a line for every row and amounts at the right."""
    width = draw.pick((30, 34, 38, 42))
    rule = draw.pick("-=. ") * width
    lines = [page.title.upper().center(width).rstrip()]
    for entry in _headed(draw, page):
        if entry.rows:
            heads = () if page.guessable else (tuple((label, label) for label, _ in entry.rows[0]),)
            lines += [rule, *(_slip_line(draw, row, width) for row in (*heads, *entry.rows)), rule]
        elif entry.label:
            lines.append(f"{entry.label}{draw.pick((':', ''))} {entry.surface.rjust(width - len(entry.label) - 2)}")
        else:
            lines.append(entry.surface.center(width).rstrip())
    return "\n".join(lines)


def _slip_line(draw: Draw, row: tuple[tuple[str, str], ...], width: int) -> str:
    *firsts, last = (surface for _, surface in row)
    start = draw.pick((" ", "  ")).join(firsts)
    return f"{start} {last.rjust(width - len(start) - 1)}"
