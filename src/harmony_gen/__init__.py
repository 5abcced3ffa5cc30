"""Structured output from language models you run yourself.

    from harmony_gen import generate

    result = generate("In Q3 revenue rose to $2.87 billion …", QuarterlyReport)
    result.value.revenue

Importing this package is quick: torch and transformers load when a model is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import (
    BudgetError,
    HarmonyError,
    Interrupted,
    MissingExtra,
    ModelError,
    OutputError,
    PromptError,
    RuleError,
    SchemaError,
    UnsatisfiableError,
    ValidationError,
)

if TYPE_CHECKING:
    from harmony_gen.decoding.sampling import Sampling
    from harmony_gen.generator import Generator
    from harmony_gen.result import Done, Event, Field, FieldDone, ReasoningDelta, Result, TextDelta, ToolCall, Usage
    from harmony_gen.schema import Schema
    from harmony_gen.schema.rules import Rejection, rule
    from harmony_gen.schema.verbatim import Verbatim, verbatim
    from harmony_gen.shortcut import generate

__version__ = "0.1.0"

_HOMES = {
    "Done": "result",
    "Event": "result",
    "Field": "result",
    "FieldDone": "result",
    "Generator": "generator",
    "ReasoningDelta": "result",
    "Rejection": "schema.rules",
    "Result": "result",
    "Sampling": "decoding.sampling",
    "Schema": "schema",
    "TextDelta": "result",
    "ToolCall": "result",
    "Usage": "result",
    "Verbatim": "schema.verbatim",
    "generate": "shortcut",
    "rule": "schema.rules",
    "verbatim": "schema.verbatim",
}
"""Where the names live that are imported when they are first used."""

__all__ = [
    "BudgetError",
    "Done",
    "Event",
    "Field",
    "FieldDone",
    "Generator",
    "HarmonyError",
    "Interrupted",
    "MissingExtra",
    "ModelError",
    "OutputError",
    "PromptError",
    "ReasoningDelta",
    "Rejection",
    "Result",
    "RuleError",
    "Sampling",
    "Schema",
    "SchemaError",
    "TextDelta",
    "ToolCall",
    "UnsatisfiableError",
    "Usage",
    "ValidationError",
    "Verbatim",
    "generate",
    "rule",
    "verbatim",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
