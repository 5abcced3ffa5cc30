"""Layouts that machines read: nested facts keep their structure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw
    from finetune.embedded.layouts.page import Entry, Page


def _key(label: str) -> str:
    return label.replace(" ", "_")


def _tree(entry: Entry) -> Any:
    rows = [{_key(label): surface for label, surface in row} for row in entry.rows]
    return rows or entry.surface


def json_text(draw: Draw, page: Page) -> str:
    """JSON with names of its own."""
    tree: dict[str, Any] = {_key(entry.label): _tree(entry) for entry in page.entries}
    if draw.chance(0.3):
        tree = {_key(page.noun): tree}
    return json.dumps(tree, ensure_ascii=False, indent=draw.pick((None, None, 2, 4)))


def yaml_text(draw: Draw, page: Page) -> str:
    """YAML."""
    lines = [f"{_key(page.noun)}:"] if draw.chance(0.4) else []
    indent = "  " if lines else ""
    for entry in page.entries:
        if not entry.rows:
            quote = draw.pick(("", "", '"'))
            lines.append(f"{indent}{_key(entry.label)}: {quote}{entry.surface}{quote}")
            continue
        lines.append(f"{indent}{_key(entry.label)}:")
        for row in entry.rows:
            lines += [
                f"{indent}  {'- ' if index == 0 else '  '}{_key(label)}: {surface}"
                for index, (label, surface) in enumerate(row)
            ]
    return "\n".join(lines)


def xml_text(draw: Draw, page: Page) -> str:
    """XML."""
    gap, indent = draw.pick((("\n", "  "), ("\n", ""), ("", "")))
    lines = [f"<{_key(page.noun)}>"]
    for entry in page.entries:
        key = _key(entry.label)
        if not entry.rows:
            lines.append(f"{indent}<{key}>{entry.surface}</{key}>")
            continue
        for row in entry.rows:
            inner = "".join(f"<{_key(label)}>{surface}</{_key(label)}>" for label, surface in row)
            lines.append(f"{indent}<{key}>{inner}</{key}>")
    return gap.join([*lines, f"</{_key(page.noun)}>"])


def attributes(draw: Draw, page: Page) -> str:
    """An XML element with attributes."""
    inner = " ".join(f'{_key(entry.label)}="{entry.surface}"' for entry in page.entries)
    return draw.pick(
        (
            f"<{_key(page.noun)} {inner}/>",
            f"<{_key(page.noun)} {inner}></{_key(page.noun)}>",
            f"{{{{{page.noun} {inner}}}}}",
        )
    )


def ini(draw: Draw, page: Page) -> str:
    """An INI file."""
    sign = draw.pick((" = ", "="))
    return f"[{_key(page.noun)}]\n" + "\n".join(f"{_key(entry.label)}{sign}{entry.surface}" for entry in page.entries)


def html_rows(draw: Draw, page: Page) -> str:
    """An HTML table with labels at the left, or a list."""
    form = draw.pick(
        (
            "<tr><td>{}</td><td>{}</td></tr>",
            "<tr><th>{}</th><td>{}</td></tr>",
            "<li><b>{}</b> {}</li>",
            "<p><strong>{}:</strong> {}</p>",
            "<dt>{}</dt><dd>{}</dd>",
            "<div><span>{}</span> <span>{}</span></div>",
        )
    )
    body = draw.pick(("", "\n")).join(form.format(entry.label, entry.surface) for entry in page.entries)
    return f"<h2>{page.title}</h2>\n{body}" if draw.chance(0.4) else body


def python_text(draw: Draw, page: Page) -> str:
    """A call with named arguments."""
    name = _key(page.noun)
    inner = ", ".join(f"{_key(entry.label)}={entry.surface!r}" for entry in page.entries)
    return draw.pick((f"{name}({inner})", f"{name.capitalize()}({inner})", f"new {name}({inner});"))
