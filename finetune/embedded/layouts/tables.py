"""Tables: of one record with a label a row, and of several records with a header."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetune.embedded.draw import Draw
    from finetune.embedded.layouts.page import Page

Rows = "Sequence[Sequence[str]]"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its header."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{'---|' * len(rows[0])}", *lines[1:]])


def padded(rows: Sequence[Sequence[str]]) -> str:
    """Columns padded with blanks."""
    widths = [max(len(row[index]) for row in rows) + 2 for index in range(len(rows[0]))]
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def boxed(rows: Sequence[Sequence[str]]) -> str:
    """A table with a frame."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    lines = [
        "|" + "|".join(f" {cell.ljust(width)} " for cell, width in zip(row, widths, strict=True)) + "|" for row in rows
    ]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def tabbed(rows: Sequence[Sequence[str]]) -> str:
    """Cells parted by tabs."""
    return "\n".join("\t".join(row) for row in rows)


def comma_separated(rows: Sequence[Sequence[str]]) -> str:
    """CSV."""
    return "\n".join(",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows)


def semicolon_separated(rows: Sequence[Sequence[str]]) -> str:
    """CSV with semicolons."""
    return "\n".join(";".join(row) for row in rows)


def hypertext(rows: Sequence[Sequence[str]]) -> str:
    """An HTML table."""
    head = "<tr>" + "".join(f"<th>{cell}</th>" for cell in rows[0]) + "</tr>"
    body = ("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows[1:])
    return "\n".join(["<table>", head, *body, "</table>"])


def piped(rows: Sequence[Sequence[str]]) -> str:
    """Cells parted by bars."""
    return "\n".join(" | ".join(row) for row in rows)


GRIDS = {
    "markdown_table": markdown,
    "padded_table": padded,
    "box_table": boxed,
    "tab_table": tabbed,
    "csv": comma_separated,
    "semicolon_csv": semicolon_separated,
    "html_table": hypertext,
    "pipe_table": piped,
}
"""Tables of several records by name; each takes rows of which the first is the header."""


_LINE_NUMBERS = ("Pos", "No.", "#", "Line")
_LINE_SUMS = ("Line total", "Sum", "Total", "Extended", "Line sum")
_MARKS = ("", "", "- ", "- ", "* ", "{}. ", "{}) ", "  ", "({}) ")


def ruled(draw: Draw, rows: Sequence[Sequence[str]], sums: Sequence[float] = ()) -> str:
    """Rows below their header as documents print them, at times with numbers of lines, or sums that nobody asks for.

    Args:
        draw: chance.
        rows: the first is the header.
        sums: of the rows below it, where they are known.
    """
    if draw.chance(0.6 if sums else 0.25):
        known = sums or [draw.real(1, 900) for _ in rows[1:]]
        cells = [draw.pick(_LINE_SUMS), *(f"{number:,.2f}" for number in known)]
        rows = [[*row, cell] for row, cell in zip(rows, cells, strict=True)]
    if draw.chance(0.25):
        label = draw.pick(_LINE_NUMBERS)
        rows = [[str(index) if index else label, *row] for index, row in enumerate(rows)]
    elif draw.chance(0.2):
        numbered = (f"{index}. {'  '.join(row)}" for index, row in enumerate(rows[1:], start=1))
        return "\n".join(["  ".join(rows[0]), *numbered])
    return draw.pick((markdown, padded, padded, piped, tabbed, comma_separated))(rows)


def listed(draw: Draw, lines: Sequence[str]) -> str:
    """One row in a line, with a mark or a number before each or without."""
    mark = draw.pick(_MARKS)
    return "\n".join(mark.format(index) + line for index, line in enumerate(lines, start=1))


def across(draw: Draw, page: Page) -> str:
    """A record as a table of one row below its header."""
    rows = [[entry.label for entry in page.entries], [entry.surface for entry in page.entries]]
    return draw.pick((markdown, padded, tabbed, comma_separated, hypertext, piped, semicolon_separated))(rows)


def down(draw: Draw, page: Page) -> str:
    """A record as a table of two columns."""
    head = draw.pick((("Field", "Value"), ("Item", "Details"), ("", ""), ("Property", "Entry")))
    if page.language == "zh":
        head = draw.pick((("项目", "内容"), ("名称", "信息")))
    rows = [head, *((entry.label, entry.surface) for entry in page.entries)]
    return draw.pick((markdown, markdown, padded, tabbed, hypertext, piped))(rows)
