"""What a layout gets to see."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A label with what stands behind it.

    Attributes:
        label: in the case the page wants.
        surface: in one line.
        rows: for nested facts: for every row its labels and surfaces.
    """

    label: str
    surface: str
    rows: tuple[tuple[tuple[str, str], ...], ...] = ()


@dataclass(frozen=True)
class Page:
    """Entries under a title.

    Attributes:
        noun: what the page is, in small letters: "invoice".
        title: a heading.
        entries: in the order of the text.
        language: "en" or "zh".
        guessable: whether a reader can tell from a value alone which label it has.
    """

    noun: str
    title: str
    entries: tuple[Entry, ...]
    language: str
    guessable: bool = True
