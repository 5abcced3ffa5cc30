"""Texts in capitals, as tills and old forms print them."""

from __future__ import annotations

from typing import Any


def in_capitals(text: str, value: Any, schema: dict[str, Any]) -> tuple[str, Any]:
    """A text in capitals, and the answer with its quotations so; enumerations and dates stay as the schema has them.

    Args:
        text: the text.
        value: the answer.
        schema: JSON Schema of the answer.
    """
    return text.upper(), _raised(value, schema)


def _raised(value: Any, schema: dict[str, Any]) -> Any:
    schema = schema["anyOf"][0] if "anyOf" in schema else schema  # the other one is null
    if isinstance(value, dict):
        return {name: _raised(part, schema["properties"][name]) for name, part in value.items()}
    if isinstance(value, list):
        return [_raised(part, schema["items"]) for part in value]
    is_quoted = isinstance(value, str) and "enum" not in schema and schema.get("format") != "date"
    return value.upper() if is_quoted else value
