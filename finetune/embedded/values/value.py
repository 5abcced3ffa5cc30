"""A value twice: as the text writes it and as the answer has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Value:
    """What the text says and what the answer says.

    Attributes:
        surface: as it stands in the text.
        gold: as it stands in the answer; None where the text says that there is none.
    """

    surface: str
    gold: Any


def verbatim(text: str) -> Value:
    """A value that is copied as it stands."""
    return Value(text, text)
