"""What decoding would do with whole documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony_gen.schema import engine

if TYPE_CHECKING:
    from harmony_gen import Schema


def would_be_written(schema: Schema[Any], text: str) -> bool:
    """Whether decoding would let a document be written: where the grammar is exact, it alone decides."""
    if not engine.completes(engine.byte_matcher(schema.grammar), text.encode()):
        return False
    is_exact = "checked" not in schema.coverage.values()
    return is_exact or (schema.quick_judge or schema.judge).accepts(text.encode())
