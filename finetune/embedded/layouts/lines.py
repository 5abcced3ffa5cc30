"""Layouts with one fact a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw
    from finetune.embedded.layouts.page import Entry, Page


def _body(entry: Entry, indent: str = "  ") -> str:
    """What stands behind a label: rows each on a line of their own."""
    if not entry.rows:
        return entry.surface
    lines = (", ".join(f"{label}: {surface}" for label, surface in row) for row in entry.rows)
    return "".join(f"\n{indent}{line}" for line in lines)


def _headed(draw: Draw, page: Page, text: str) -> str:
    return f"{page.title}\n{text}" if draw.chance(0.4) else text


def colon_lines(draw: Draw, page: Page) -> str:
    """`Label: value`."""
    sign = draw.pick((": ", ": ", ":", " : ", ":  ")) if page.language == "en" else draw.pick(("：", "：", ": "))
    return _headed(draw, page, "\n".join(f"{entry.label}{sign}{_body(entry)}" for entry in page.entries))


def equals_lines(draw: Draw, page: Page) -> str:
    """`label = value`."""
    sign = draw.pick((" = ", "=", " == ", " := "))
    return "\n".join(f"{entry.label}{sign}{entry.surface}" for entry in page.entries)


def dash_lines(draw: Draw, page: Page) -> str:
    """`Label - value`."""
    sign = draw.pick((" - ", " – ", " — ", " .. "))
    return _headed(draw, page, "\n".join(f"{entry.label}{sign}{entry.surface}" for entry in page.entries))


def chevron_lines(draw: Draw, page: Page) -> str:
    """`Label > value`."""
    sign = draw.pick((" > ", " >> ", " -> ", " => "))
    return _headed(draw, page, "\n".join(f"{entry.label}{sign}{entry.surface}" for entry in page.entries))


def tab_lines(draw: Draw, page: Page) -> str:
    """Label and value parted by a tab."""
    return _headed(draw, page, "\n".join(f"{entry.label}\t{entry.surface}" for entry in page.entries))


def aligned_lines(draw: Draw, page: Page) -> str:
    """Values under one another."""
    width = max(len(entry.label) for entry in page.entries) + draw.between(1, 3)
    sign = draw.pick(("", ":", ": "))
    return _headed(
        draw, page, "\n".join(f"{(entry.label + sign).ljust(width + 1)} {entry.surface}" for entry in page.entries)
    )


def dotted_lines(draw: Draw, page: Page) -> str:
    """Leaders between label and value."""
    width, sign = draw.between(18, 34), draw.pick(".._")
    return _headed(
        draw, page, "\n".join(f"{(entry.label + ' ').ljust(width, sign)} {entry.surface}" for entry in page.entries)
    )


def bullet_lines(draw: Draw, page: Page) -> str:
    """A bullet before each fact."""
    bullet = draw.pick(("- ", "* ", "• ", "+ ", "· ", "– "))
    sign = "：" if page.language == "zh" else ": "
    return _headed(
        draw, page, "\n".join(f"{bullet}{entry.label}{sign}{_body(entry, '    ')}" for entry in page.entries)
    )


def numbered_lines(draw: Draw, page: Page) -> str:
    """A number before each fact."""
    mark = (
        draw.pick(("{}. ", "{}) ", "({}) ", "{} - "))
        if page.language == "en"
        else draw.pick(("{}、", "{}. ", "（{}）"))
    )
    sign = "：" if page.language == "zh" else ": "
    lines = (
        f"{mark.format(index)}{entry.label}{sign}{entry.surface}" for index, entry in enumerate(page.entries, start=1)
    )
    return _headed(draw, page, "\n".join(lines))


def bold_lines(draw: Draw, page: Page) -> str:
    """Markdown with bold labels."""
    form = draw.pick(("**{}:** {}", "**{}**: {}", "- **{}**: {}", "* **{}** – {}", "__{}__ {}", "**{}** {}"))
    gap = draw.pick(("\n", "  \n", "\n\n"))
    head = f"{'#' * draw.between(1, 3)} {page.title}\n\n" if draw.chance(0.5) else ""
    return head + gap.join(form.format(entry.label, entry.surface) for entry in page.entries)


def headed_blocks(draw: Draw, page: Page) -> str:
    """Each label is a heading of its own."""
    mark = draw.pick(("## {}", "### {}", "{}:", "{}", "[{}]", "== {} =="))
    head = f"# {page.title}\n\n" if draw.chance(0.4) else ""
    return head + "\n\n".join(f"{mark.format(entry.label)}\n{_body(entry, '').lstrip()}" for entry in page.entries)


def quoted_lines(draw: Draw, page: Page) -> str:
    """Lines of a quoted mail."""
    return "\n".join(f"> {entry.label}: {entry.surface}" for entry in page.entries) + draw.pick(("", "\n\nSee above."))


def form_lines(draw: Draw, page: Page) -> str:
    """A form that has been filled in."""
    form = draw.pick(("{}: [{}]", "{}: [ {} ]", "{} ___{}___", "{}: __{}__", "[{}] {}", "{} <{}>", '{}: "{}"'))
    return _headed(draw, page, "\n".join(form.format(entry.label, entry.surface) for entry in page.entries))


def receipt(draw: Draw, page: Page) -> str:
    """A strip of paper: labels to the left, values to the right."""
    width = draw.pick((32, 36, 40, 44))
    rule = draw.pick("-=*") * width
    lines = [page.title.upper().center(width).rstrip(), rule]
    for entry in page.entries:
        gap = max(1, width - len(entry.label) - len(entry.surface))
        lines.append(f"{entry.label}{' ' * gap}{entry.surface}")
    thanks = "谢谢惠顾" if page.language == "zh" else draw.pick(("THANK YOU!", "Please come again", "* * *"))
    return "\n".join([*lines, rule, thanks])


def two_columns(draw: Draw, page: Page) -> str:
    """Two facts a line."""
    cells = [f"{entry.label}: {entry.surface}" for entry in page.entries]
    width = max(map(len, cells)) + draw.between(2, 5)
    pairs = (cells[index : index + 2] for index in range(0, len(cells), 2))
    return _headed(draw, page, "\n".join("".join(cell.ljust(width) for cell in pair).rstrip() for pair in pairs))


def label_below(draw: Draw, page: Page) -> str:
    """Labels and values on alternate lines."""
    return draw.pick(("\n", "\n\n")).join(f"{entry.label}\n{entry.surface}" for entry in page.entries)


def value_first(draw: Draw, page: Page) -> str:
    """The value, then what it is."""
    form = draw.pick(("{1} ({0})", "{1} – {0}", "{1} [{0}]", "{1}  <- {0}"))
    return draw.pick(("\n", "\n", "; ")).join(form.format(entry.label, entry.surface) for entry in page.entries)


def questions(draw: Draw, page: Page) -> str:
    """Questions with their answers."""
    form = draw.pick(
        ("Q: {}?\nA: {}", "{}? {}", "What is the {}? {}", "{}?\n{}", "Question: {}? Answer: {}", "- {}? - {}")
    )
    if page.language == "zh":
        form = draw.pick(("问：{}？\n答：{}", "{}？{}", "{}是什么？{}"))
    return "\n".join(form.format(entry.label, entry.surface) for entry in page.entries)


def chat(draw: Draw, page: Page) -> str:
    """Two people, one asking for each fact."""
    asker, other = draw.pick((("Agent", "Customer"), ("A", "B"), ("Anna", "Tom"), ("Support", "User"), ("Bot", "You")))
    if page.language == "zh":
        asker, other = draw.pick((("客服", "客户"), ("甲", "乙"), ("小王", "小李")))
        ask, answer = draw.pick((("请问{}？", "{}。"), ("{}是什么？", "是{}。"), ("{}呢？", "{}")))
    else:
        ask, answer = draw.pick(
            (
                ("{}?", "{}"),
                ("And the {}?", "It's {}."),
                ("What about {}?", "{}"),
                ("Can you tell me the {}?", "Sure: {}"),
            )
        )
    lines = (f"{asker}: {ask.format(entry.label)}\n{other}: {answer.format(entry.surface)}" for entry in page.entries)
    return "\n".join(lines)


def definition_list(draw: Draw, page: Page) -> str:
    """Terms with their definitions below."""
    sign = draw.pick((":   ", "    ", "\t", "~ "))
    return _headed(draw, page, "\n".join(f"{entry.label}\n{sign}{entry.surface}" for entry in page.entries))


def minutes(draw: Draw, page: Page) -> str:
    """Minutes with numbered points."""
    opening = draw.pick(("Minutes", "Notes", "Protocol", "Memo", "Summary"))
    start = draw.between(1, 4)
    points = (f"{start}.{index} {entry.label}: {entry.surface}" for index, entry in enumerate(page.entries, start=1))
    return f"{opening}: {page.title}\n" + "\n".join(points)


def zh_bracket_lines(draw: Draw, page: Page) -> str:
    """`【标签】值`."""
    return draw.pick(("\n", "")).join(f"【{entry.label}】{entry.surface}" for entry in page.entries)


def zh_notice(draw: Draw, page: Page) -> str:
    """A notice in the manner of an office."""
    numerals = "一二三四五六七八九十"
    opening = draw.pick(("各部门：", "各有关单位：", "全体员工：", "各位同事："))
    lines = [
        f"{numerals[index % 10]}、{entry.label}：{entry.surface}" + draw.pick(("", "。"))
        for index, entry in enumerate(page.entries)
    ]
    body = "\n".join(line if line.endswith("。") else f"{line}" for line in lines)
    lead = draw.pick(("现将有关事项通知如下：", "具体安排如下：", "有关信息如下："))
    return f"{page.title}\n{opening}\n{lead}\n{body}\n特此通知。"
