"""Ways to write labelled facts down, usable with any domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.layouts import documents, inline, letters, lines, markup, tables
from finetune.embedded.splits import kept_layouts

if TYPE_CHECKING:
    from collections.abc import Callable

    from finetune.embedded.draw import Draw
    from finetune.embedded.layouts.page import Page

NESTED: dict[str, Callable[[Draw, Page], str]] = {
    "json": markup.json_text,
    "yaml": markup.yaml_text,
    "xml": markup.xml_text,
    "colon_lines": lines.colon_lines,
    "bullet_lines": lines.bullet_lines,
    "headed_blocks": lines.headed_blocks,
    "document": documents.document,
    "sections": documents.sections,
    "till_slip": documents.till_slip,
}
"""Layouts that write every part of nested facts."""

FLAT: dict[str, Callable[[Draw, Page], str]] = {
    "equals_lines": lines.equals_lines,
    "dash_lines": lines.dash_lines,
    "chevron_lines": lines.chevron_lines,
    "tab_lines": lines.tab_lines,
    "aligned_lines": lines.aligned_lines,
    "dotted_lines": lines.dotted_lines,
    "numbered_lines": lines.numbered_lines,
    "bold_lines": lines.bold_lines,
    "quoted_lines": lines.quoted_lines,
    "form_lines": lines.form_lines,
    "receipt": lines.receipt,
    "two_columns": lines.two_columns,
    "label_below": lines.label_below,
    "value_first": lines.value_first,
    "questions": lines.questions,
    "chat": lines.chat,
    "definition_list": lines.definition_list,
    "minutes": lines.minutes,
    "semicolons": inline.semicolons,
    "pipe_line": inline.pipe_line,
    "parentheses": inline.parentheses,
    "log_line": inline.log_line,
    "bare_log": inline.bare_log,
    "query_string": inline.query_string,
    "telegram": inline.telegram,
    "hashtags": inline.hashtags,
    "text_message": inline.text_message,
    "postcard": inline.postcard,
    "statements": inline.statements,
    "attributes": markup.attributes,
    "ini": markup.ini,
    "html_rows": markup.html_rows,
    "python_call": markup.python_text,
    "table_across": tables.across,
    "table_down": tables.down,
    "email": letters.email,
    "letter": letters.letter,
    "report": letters.report,
    "signed_note": letters.note,
    "sheet": documents.sheet,
    "wall": documents.wall,
}
"""Layouts that write each fact in one line."""

WHOLE = {"document": 8, "sheet": 6, "sections": 3, "till_slip": 4, "email": 3, "letter": 3, "report": 3}
"""How many times as often as others layouts are drawn that are what people send and print."""

CHINESE: dict[str, Callable[[Draw, Page], str]] = {
    "zh_bracket_lines": lines.zh_bracket_lines,
    "zh_notice": lines.zh_notice,
}
"""Layouts for Chinese texts only."""

_ENGLISH_ONLY = frozenset(
    {
        "telegram",
        "hashtags",
        "email",
        "letter",
        "report",
        "signed_note",
        "minutes",
        "chevron_lines",
        "quoted_lines",
        "python_call",
    }
)


def layouts(language: str, *, held: bool, most: int = 0) -> dict[str, Callable[[Draw, Page], str]]:
    """The layouts for a language.

    Args:
        language: "en" or "zh".
        held: those that training never uses, and none else.
        most: no more than so many; 0: all.
    """
    every = {**NESTED, **FLAT, **(CHINESE if language == "zh" else {})}
    fitting = (name for name in every if not (language == "zh" and name in _ENGLISH_ONLY))
    return {name: every[name] for name in kept_layouts(fitting, held=held, most=most)}
