"""Layouts that put all facts into one line or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw
    from finetune.embedded.layouts.page import Page

_WORDS = "Alpha Bravo status update info entry record event created processed received imported".split()


def semicolons(draw: Draw, page: Page) -> str:
    """`label: value; label: value`."""
    sign = "：" if page.language == "zh" else draw.pick((": ", " ", " - ", ": "))
    gap = draw.pick(("；", "，")) if page.language == "zh" else draw.pick(("; ", "; ", " | ", " / ", " // ", ", "))
    return gap.join(f"{entry.label}{sign}{entry.surface}" for entry in page.entries) + draw.pick(("", "", "."))


def pipe_line(draw: Draw, page: Page) -> str:
    """`label=value|label=value`."""
    return draw.pick(("|", " || ", " ¦ ")).join(f"{entry.label}={entry.surface}" for entry in page.entries)


def parentheses(draw: Draw, page: Page) -> str:
    """`title (label: value, label: value)`."""
    inner = ", ".join(f"{entry.label}: {entry.surface}" for entry in page.entries)
    return draw.pick((f"{page.title} ({inner})", f"{page.title} [{inner}]", f"({inner})"))


def log_line(draw: Draw, page: Page) -> str:
    """A line of a log with keys and values."""
    sign = draw.pick(("=", "=", ":"))
    quote = draw.chance(0.6)
    parts = (
        f'{entry.label.replace(" ", "_")}{sign}"{entry.surface}"'
        if quote and " " in entry.surface
        else f"{entry.label.replace(' ', '_')}{sign}{entry.surface}"
        for entry in page.entries
    )
    head = draw.pick(("INFO", "DEBUG", "[info]", "NOTICE", "<6>", "WARN")) + " " if draw.chance(0.8) else ""
    return f"{head}{page.noun.replace(' ', '.')}: {draw.pick((' ', ', ', ' ')).join(parts)}"


def query_string(draw: Draw, page: Page) -> str:
    """The query of an address."""
    start = draw.pick(("?", "/submit?", "https://example.com/form?", "GET /api?"))
    return start + "&".join(f"{entry.label.replace(' ', '_')}={entry.surface}" for entry in page.entries)


def telegram(draw: Draw, page: Page) -> str:
    """Short, with STOP between the facts."""
    gap = draw.pick((" STOP ", " +++ ", " *** "))
    return gap.join(f"{entry.label} {entry.surface}" for entry in page.entries) + gap.rstrip()


def hashtags(draw: Draw, page: Page) -> str:
    """A short post in which labels are tags."""
    parts = [f"#{entry.label.replace(' ', '')} {entry.surface}" for entry in page.entries]
    return draw.pick((f"{page.title}! ", "", f"{page.title}: ", "NEW ")) + draw.pick((" ", "\n", " · ")).join(parts)


def text_message(draw: Draw, page: Page) -> str:
    """A short message."""
    opening = draw.pick(("hey, ", "Hi! ", "fyi ", "ok so ", "", "Re: ", "pls note: "))
    if page.language == "zh":
        opening = draw.pick(("您好，", "提醒：", "【通知】", ""))
    return opening + draw.pick((", ", ", ", ". ")).join(f"{entry.label} {entry.surface}" for entry in page.entries)


def postcard(draw: Draw, page: Page) -> str:
    """Facts on one line with stars between them."""
    return draw.pick((" * ", " ~ ", " ★ ", " ◆ ")).join(f"{entry.label} {entry.surface}" for entry in page.entries)


def statements(draw: Draw, page: Page) -> str:
    """A sentence for each fact."""
    if page.language == "zh":
        forms: tuple[str, ...] = ("{}为{}", "{}是{}", "其{}为{}", "{}：{}", "{}定为{}", "{}，{}")
        form = draw.pick(forms)
        return (
            draw.pick(("。", "，", "；")).join(form.format(entry.label, entry.surface) for entry in page.entries) + "。"
        )
    forms = (
        "The {0} is {1}",
        "The {0} was {1}",
        "{0} is {1}",
        "We set the {0} to {1}",
        "{1} is the {0}",
        "With {1} as {0}",
        "As {0} we have {1}",
        "It has {1} as its {0}",
        "{0}: {1}",
        "The {0} comes to {1}",
        "For {0} they chose {1}",
        "Its {0} equals {1}",
        "{1} was entered for {0}",
        "{0} ({1})",
        "{0} {1}",
        "I noted {1} under {0}",
        "the {0} will be {1}",
    )
    if draw.chance(0.5):
        forms = tuple(draw.sample(forms, 1))
    gap = draw.pick((". ", ". ", ".\n", ", ", "; ", " and "))
    return gap.join(draw.pick(forms).format(entry.label, entry.surface) for entry in page.entries) + "."


def bare_log(draw: Draw, page: Page) -> str:
    """A line of a log with labels in brackets."""
    form = draw.pick(("[{}:{}]", "[{} {}]", "{}({})", "<{}>{}", "{}->{}"))
    return f"{draw.pick(_WORDS)} " + " ".join(form.format(entry.label, entry.surface) for entry in page.entries)
