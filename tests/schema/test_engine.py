from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.schema import engine


@given(st.text("ab", max_size=4), st.text("ab", max_size=4))
def test_completes_says_what_reading_to_the_end_says_and_reads_nothing(prefix: str, rest: str) -> None:
    matcher = engine.byte_matcher(engine.grammar_of_regex("a(ba)*"))
    if matcher.try_consume_tokens(list(prefix.encode())) != len(prefix):
        return
    before = matcher.compute_bitmask()
    assert engine.completes(matcher, rest.encode()) is ((prefix + rest) in {"a", "aba", "ababa", "abababa"})
    assert matcher.compute_bitmask() == before


def test_after_the_end_only_nothing_completes() -> None:
    matcher = engine.byte_matcher(engine.grammar_of_json_schema({"const": "x"}))
    matcher.consume_tokens([*b'"x"', engine.BYTES.eos_token])
    assert matcher.is_stopped()
    assert engine.completes(matcher, b"")
    assert not engine.completes(matcher, b"x")


def test_byte_matchers_are_copies_of_one() -> None:
    grammar = engine.grammar_of_json_schema(True)
    one = engine.byte_matcher(grammar)
    one.consume_tokens(list(b"[1,"))
    engine.forget_byte_matchers()
    for _ in range(2):
        assert engine.completes(engine.byte_matcher(grammar), b"[2]")
    assert engine.completes(one, b"2]")


@pytest.mark.parametrize(
    "grammar",
    [engine.grammar_of_regex("("), engine.grammar_of_lark("start: x"), engine.grammar_of_json_schema(False)],
)
def test_a_grammar_the_engine_refuses_is_an_error(grammar: str) -> None:
    with pytest.raises(engine.GrammarError):
        engine.byte_matcher(grammar)


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 9) | st.lists(st.booleans(), max_size=2)))
def test_json_grammars_are_compact_and_keep_the_order_of_properties(value: dict[str, object]) -> None:
    matcher = engine.byte_matcher(engine.grammar_of_json_schema({"properties": {"a": {}, "b": {}, "c": {}}}))
    ordered = dict(sorted(value.items()))
    assert engine.completes(matcher, json.dumps(ordered, separators=(",", ":")).encode())
    if value:
        assert not engine.completes(matcher, json.dumps(ordered, separators=(", ", ": ")).encode())
    if list(value) != list(ordered):
        assert not engine.completes(matcher, json.dumps(value, separators=(",", ":")).encode())
