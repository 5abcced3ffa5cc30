"""Layouts of things people write to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.values.people import first_name, host, person

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw
    from finetune.embedded.layouts.page import Page

_OPENINGS = ("Hi {},", "Hello {},", "Dear {},", "Hi team,", "Dear all,", "Good morning,", "Hey {},", "Hello,")
_LEADS = (
    "please find the details below.",
    "here is what I have so far:",
    "as discussed, these are the data:",
    "I am writing to let you know the following.",
    "see below.",
    "could you please process this?",
    "as requested:",
    "this is what we agreed on:",
)
_CLOSINGS = (
    "Best regards,",
    "Kind regards,",
    "Thanks,",
    "Thanks in advance,",
    "Cheers,",
    "Sincerely,",
    "Best,",
    "Regards,",
)


def _facts(draw: Draw, page: Page) -> str:
    if draw.chance(0.6):
        return "\n".join(f"{entry.label}: {entry.surface}" for entry in page.entries)
    form = draw.pick(("The {} is {}.", "{}: {}.", "For {}, put {}.", "My {} is {}."))
    return draw.pick((" ", "\n")).join(form.format(entry.label, entry.surface) for entry in page.entries)


def email(draw: Draw, page: Page) -> str:
    """A mail with headers; they tell nothing that is asked for."""
    box = draw.pick(("noreply", "desk", "team", "inbox", "all"))
    head = f"From: {box}@{host(draw)}\nSubject: {draw.pick(('', 'Re: ', 'Fwd: '))}{page.title}\n\n"
    if draw.chance(0.3):
        head = f"Subject: {page.title}\n\n"
    return head + letter(draw, page)


def letter(draw: Draw, page: Page) -> str:
    """A letter with opening and closing."""
    opening = draw.pick(_OPENINGS).format(first_name(draw).surface)
    closing = draw.pick(_CLOSINGS) + "\n" + draw.pick((first_name(draw).surface, person(draw).surface, "The team"))
    return f"{opening}\n\n{draw.pick(_LEADS)}\n\n{_facts(draw, page)}\n\n{closing}"


def report(draw: Draw, page: Page) -> str:
    """A report with a heading and a few sections."""
    middle = max(1, len(page.entries) // 2)
    names = draw.pick(
        (("Summary", "Details"), ("Overview", "Figures"), ("1. Background", "2. Results"), ("Part A", "Part B"))
    )
    blocks = []
    for name, entries in zip(names, (page.entries[:middle], page.entries[middle:]), strict=True):
        if entries:
            blocks.append(f"{name}\n" + "\n".join(f"{entry.label}: {entry.surface}" for entry in entries))
    return f"{page.title.upper()}\n\n" + "\n\n".join(blocks)


def note(draw: Draw, page: Page) -> str:
    """A note to oneself."""
    start = draw.pick(("note to self: ", "todo - ", "notes: ", "remember: ", "scribbled down: ", "from the call: "))
    return start + draw.pick((", ", "; ", " / ")).join(
        f"{entry.label.lower()} {entry.surface}" for entry in page.entries
    )
