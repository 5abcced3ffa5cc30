"""Reports as JSON, as Markdown, and in a terminal."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harmony_gen.evaluation import summary

if TYPE_CHECKING:
    from typing import TextIO

    from harmony_gen.evaluation.scores import Comparison, Report

_MISTAKES = 10
"""How many a terminal and Markdown show."""
_NARROWEST = 120
"""Columns of an output that is no terminal."""


def as_json(report: Report, baseline: Comparison | None = None, schema: Comparison | None = None) -> str:
    """All figures of a report, indented; without the texts of the documents."""
    found = _figures(report)
    found["baseline"] = None if baseline is None else asdict(baseline)
    found["gain_by_schema"] = None if schema is None else asdict(schema)
    is_json = json.loads(
        json.dumps(found, default=str), parse_constant=str
    )  # XML has decimals, and numbers that are none
    return json.dumps(is_json, ensure_ascii=False, indent=1) + "\n"


def _figures(report: Report) -> dict[str, Any]:
    found = asdict(report)
    del found["sources"]
    found["macro_f1"] = report.macro_f1
    found["free"] = None if report.free is None else _figures(report.free)
    return found


def as_markdown(report: Report, baseline: Comparison | None = None, schema: Comparison | None = None) -> str:
    """A report in Markdown, as it is put into a pull request."""
    lines = ["# Evaluation", ""]
    lines += [f"- {name}: {_escaped(text)}" for name, text in summary.facts(report)]
    listed = summary.tables(report, baseline, schema)
    if report.mistakes:
        listed.append(summary.mistakes(report, _MISTAKES))
    for table in listed:
        lines += ["", f"## {table.title}", ""]
        lines.append(_row(table.columns))
        lines.append("|" + "|".join([":--", *["--:"] * (len(table.columns) - 1)]) + "|")
        lines += [_row(row) for row in table.rows]
        lines += ["", table.note] if table.note else []
    return "\n".join(lines) + "\n"


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(map(_escaped, cells)) + " |"


def _escaped(text: str) -> str:
    """A text that means nothing to Markdown and stays in its cell."""
    text = summary.readable(text)
    for character in "\\`*_[]|":
        text = text.replace(character, "\\" + character)
    return text.replace("&", "&amp;").replace("<", "&lt;")


def show(report: Report, file: TextIO, baseline: Comparison | None = None, schema: Comparison | None = None) -> None:
    """Prints a report in tables; in colours if it is to a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=file, width=None if file.isatty() else _NARROWEST, highlight=False)
    for name, text in summary.facts(report):
        console.print(Text(summary.readable(f"{name}: {text}")))
    listed = summary.tables(report, baseline, schema)
    if report.mistakes:
        listed.append(summary.mistakes(report, _MISTAKES))
    for table in listed:
        shown = Table(title=table.title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
        for number, column in enumerate(table.columns):
            is_text = number == 0 or column in ("place", "fault", "gold", "answer")
            shown.add_column(column, justify="left" if is_text else "right", overflow="fold")
        for row in table.rows:
            shown.add_row(*(Text(summary.readable(cell)) for cell in row))
        console.print(shown)
