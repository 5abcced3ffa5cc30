"""The mask engine, llguidance, as this package uses it: grammars in, matchers out, every error an exception.

A grammar is compiled twice: for the vocabulary of the model, to make masks, and for single bytes, where a
step costs a microsecond, to search for completions.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from llguidance import LLMatcher, LLParserLimits, LLTokenizer

BYTES = LLTokenizer("byte")
"""A vocabulary of the 256 bytes and an end token."""

LIMITS = LLParserLimits(step_lexer_fuel=2_000_000, initial_lexer_fuel=20_000_000, verbose_errors=False)
"""Ten times the engine's defaults for the lexer: some real schemas die in mid-generation under those."""

_MOST_RULES = 65_000
"""The engine numbers symbols with 16 bits, one or more for each alternative; on grammars far beyond that it dies."""

_JSON_OPTIONS: dict[str, Any] = {"whitespace_flexible": False}


class GrammarError(Exception):
    """The engine refuses a grammar. Internal: callers turn it into a SchemaError that names a place."""


def grammar_of_json_schema(schema: dict[str, Any] | bool) -> str:
    """Grammar of the compact JSON texts under a schema, members in the order of `properties`."""
    value = schema if isinstance(schema, dict) else {} if schema else {"not": {}}
    return str(LLMatcher.grammar_from_json_schema(json.dumps(value), _JSON_OPTIONS))


def grammar_of_regex(pattern: str) -> str:
    """Grammar of the texts that a regular expression matches as a whole."""
    return str(LLMatcher.grammar_from_regex(pattern))


def grammar_of_lark(text: str) -> str:
    """Grammar in llguidance's dialect of Lark."""
    return str(LLMatcher.grammar_from_lark(text))


def compile_grammar(tokenizer: LLTokenizer, grammar: str) -> LLMatcher:
    """A matcher at the start of a grammar.

    Raises:
        GrammarError: the engine refuses the grammar.
    """
    too_many = f"it needs more than {_MOST_RULES:,} rules"
    if grammar.count("\n") > _MOST_RULES:  # one line for each alternative of a rule
        raise GrammarError(too_many)
    matcher = LLMatcher(tokenizer, grammar, log_level=0, limits=LIMITS)
    if matcher.is_error():
        error = matcher.get_error()
        raise GrammarError(too_many if "u16::MAX" in error else error)
    return matcher


@lru_cache(maxsize=256)
def _byte_matcher(grammar: str) -> LLMatcher:
    return compile_grammar(BYTES, grammar)


def byte_matcher(grammar: str) -> LLMatcher:
    """A byte-level matcher at the start of a grammar; compiled once, then copied.

    Raises:
        GrammarError: the engine refuses the grammar.
    """
    return _byte_matcher(grammar).deep_copy()


def forget_byte_matchers() -> None:
    """Drops all compiled byte-level matchers: after an engine error all copies of a matcher are spoiled."""
    _byte_matcher.cache_clear()


def completes(matcher: LLMatcher, text: bytes) -> bool:
    """Whether `text` may follow, byte by byte, and then the end. The matcher's state does not change."""
    if matcher.is_stopped():
        return not text
    tokens = [*text, BYTES.eos_token]
    return bool(matcher.validate_tokens(tokens) == len(tokens))


def next_bytes(matcher: LLMatcher) -> list[int]:
    """The bytes that may come next, by a byte-level matcher."""
    mask = int.from_bytes(matcher.compute_bitmask()[:32], "little")
    return [byte for byte in range(256) if mask >> byte & 1]
