"""One exercise: a schema, a text and the right answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Task:
    """A schema, a text to extract from, and the answer a careful reader would give.

    Attributes:
        schema: JSON Schema of the answer; no further properties are allowed.
        text: the source text.
        value: the answer, valid under the schema, properties in the schema's order.
        domain: what the text is about, as a domain's name, or "open".
        layout: how the text is written.
        language: "en" or "zh".
    """

    schema: dict[str, Any]
    text: str
    value: Any
    domain: str
    layout: str
    language: str
