"""What can be written under a schema, asked in two ways."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from harmony_gen.decoding.reachable import respelled
from harmony_gen.schema import engine

if TYPE_CHECKING:
    from harmony_gen import Schema

FULL = os.environ.get("HARMONY_GEN_SUITES") == "full"
"""Whether suites run as a whole, not a sample of them."""


def is_masked(schema: Schema[Any]) -> bool:
    """Whether the grammar alone is said to guarantee a schema."""
    return set(schema.coverage.values()) <= {"masked"}


def grammar_derives(schema: Schema[Any], value: Any) -> bool:
    """Whether the grammar alone, without rules and judges, admits a value in the spelling of answers."""
    text = respelled(json.dumps(value)).encode(errors="replace")
    return engine.completes(engine.byte_matcher(schema.grammar), text)
