"""Drafts: looked up in the prompt, more after success and less after failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony_gen import Schema
from harmony_gen.decoding.drafting import Drafter
from harmony_gen.decoding.matcher import Matcher

if TYPE_CHECKING:
    from harmony_gen import Generator

TEXT = "Contact: Wilhelmina Featherstonehaugh of Northwind Traders in Copenhagen. Ref 4711-0815-99."


def begun(generator: Generator, text: str, budget: int = 100) -> tuple[Drafter, Matcher]:
    """A drafter over the text, and a matcher that has written the beginning of a string."""
    vocabulary = generator._vocabulary
    matcher = Matcher(Schema.of({"type": "string"}), vocabulary, budget)
    for token in vocabulary.encode_bytes(b'"' + text.encode()):
        assert matcher.accept(token)
    return Drafter(vocabulary, vocabulary.encode(TEXT)), matcher


def test_what_stands_behind_the_text_is_proposed(tiny: Generator) -> None:
    drafter, matcher = begun(tiny, "Wilhelmina Feat")
    draft = drafter.after(matcher)
    assert draft
    assert TEXT.split("Wilhelmina Feat")[1].encode().startswith(tiny._vocabulary.bytes_of(draft))
    assert drafter.drafted == len(draft)


def test_nothing_is_proposed_for_what_is_not_there(tiny: Generator) -> None:
    for text in ("", "W", "zzzzzz"):
        drafter, matcher = begun(tiny, text)
        assert drafter.after(matcher) == []


def test_only_what_the_grammar_allows_is_proposed(tiny: Generator) -> None:
    vocabulary = tiny._vocabulary
    matcher = Matcher(Schema.of({"type": "integer"}), vocabulary, 30)
    for token in vocabulary.encode_bytes(b"47"):
        assert matcher.accept(token)
    draft = Drafter(vocabulary, vocabulary.encode(TEXT)).after(matcher)
    assert vocabulary.bytes_of(draft) == b"11"


def test_drafts_grow_and_shrink(tiny: Generator) -> None:
    drafter, matcher = begun(tiny, "Wilhelmina Feat")
    first = drafter.after(matcher)
    for token in first:
        assert matcher.accept(token)
        drafter.chosen(token)
    assert drafter.accepted == len(first)
    second = drafter.after(matcher)
    assert len(second) > len(first)
    lengths = []
    for _ in range(60):
        drafter.chosen(-1)  # never what was proposed
        lengths.append(len(drafter.after(matcher)))
    assert drafter.accepted == len(first)
    assert max(lengths[10:]) == 1
    assert lengths[-30:].count(0) > 25  # it waits longer and longer
