"""Real regular expressions, and what the mask engine makes of a terminal."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from harmony_gen.schema import engine
from support import corpora

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@cache
def real_patterns() -> list[str]:
    """The regular expressions in the schemas of JSONSchemaBench; skips the test where they are absent."""
    return sorted({pattern for case in corpora.bench_cases() for pattern in _patterns(case["schema"])})


def _patterns(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        if isinstance(value.get("patternProperties"), dict):
            yield from value["patternProperties"]
        for part in value.values():
            yield from _patterns(part)
    elif isinstance(value, list):
        for part in value:
            yield from _patterns(part)


def admitted(terminal: str, texts: Iterable[str]) -> list[bool]:
    """Which texts the engine lets through a terminal."""
    matcher = engine.compile_grammar(engine.BYTES, engine.grammar_of_lark(f"start: T\nT: {terminal}"))
    return [engine.completes(matcher, text.encode()) for text in texts]
