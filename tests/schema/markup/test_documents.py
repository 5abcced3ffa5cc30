"""Grammars of documents: what the engine reads, the automaton reads, and any beginning can be completed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from harmony_gen.schema import engine
from harmony_gen.schema.markup import (
    NEVER,
    NOTHING_MORE,
    AnyOrder,
    Automaton,
    Completer,
    Grammar,
    Reference,
    choice,
    lexeme,
    literal,
    optional,
    sequence,
    times,
    written,
)
from harmony_gen.schema.markup.text import escaped, spelled, text_node
from harmony_gen.schema.strings.characters import EVERY
from harmony_gen.schema.strings.expression import Character, both, concat, repeat

LETTER = Character(((97, 122),))
TEXT = lexeme(spelled(both([repeat(Character(EVERY), 1, 4)]), attribute=False))
ATTRIBUTE = lexeme(concat([text_node(' x="'), spelled(repeat(Character(EVERY), 0, 3), attribute=True), text_node('"')]))

GRAMMAR = Grammar(
    {
        "start": sequence(
            [literal("<a"), optional(ATTRIBUTE), choice([literal("/>"), sequence([literal(">"), Reference("in")])])]
        ),
        "in": sequence([times(Reference("b"), 1, 3), Reference("all"), optional(Reference("deep")), literal("</a>")]),
        "b": sequence([literal("<b>"), TEXT, literal("</b>")]),
        "all": AnyOrder(((literal("<c/>"), True), (literal("<d/>"), False), (literal("<e/>"), True))),
        "deep": sequence([literal("<n>"), choice([Reference("deep"), literal("<m/>")]), literal("</n>")]),
        "endless": sequence([literal("<z>"), Reference("endless")]),
        "unused": choice([Reference("endless"), literal("<u/>")]),
    }
).cleaned()

DOCUMENTS = [
    "<a/>",
    '<a x=""/>',
    '<a x="&lt;&quot;é"><b>x</b><e/><c/></a>',
    "<a><b>&amp;&gt;&#13;</b><b>日本</b><b>z</b><c/><d/><e/><n><n><m/></n></n></a>",
    "<a><b>zz</b><d/><e/><c/><n><m/></n></a>",
]
WRONG = [
    "",
    "<a",
    "<a><b>x</b><c/></a>",
    "<a><b></b><c/><e/></a>",
    "<a><b>x</b><c/><c/><e/></a>",
    "<a><b>></b><c/><e/></a>",
    "<z>",
    "<u/>",
]


@pytest.fixture(scope="module")
def completer() -> Completer:
    return Completer([Automaton(GRAMMAR)], lambda _: True)


def test_rules_without_documents_and_unused_ones_are_left_out() -> None:
    assert set(GRAMMAR.rules) == {"start", "in", "b", "all", "deep"}
    assert "start" not in Grammar({"start": Reference("start")}).cleaned().rules


def completions(automaton: Automaton, text: str) -> set[str]:
    """The texts that end a document from here."""
    return {
        "".join(text for _, text in lexemes)
        for lexemes in automaton.completions(automaton.after(automaton.start, text))
    }


@pytest.mark.parametrize("text", DOCUMENTS)
def test_engine_and_automaton_read_documents(text: str) -> None:
    automaton = Automaton(GRAMMAR)
    assert engine.completes(engine.byte_matcher(engine.grammar_of_lark(written(GRAMMAR))), text.encode())
    assert "" in completions(automaton, text)


@pytest.mark.parametrize("text", WRONG)
def test_engine_and_automaton_refuse_the_same(text: str) -> None:
    automaton = Automaton(GRAMMAR)
    assert not engine.completes(engine.byte_matcher(engine.grammar_of_lark(written(GRAMMAR))), text.encode())
    assert "" not in completions(automaton, text)


@pytest.mark.parametrize("text", DOCUMENTS)
def test_every_beginning_is_completed_even_inside_a_character(completer: Completer, text: str) -> None:
    start = engine.byte_matcher(engine.grammar_of_lark(written(GRAMMAR)))
    data = text.encode()
    for size in range(len(data) + 1):
        matcher = start.deep_copy()
        assert matcher.try_consume_tokens(list(data[:size])) == size
        rest = completer.finish(data[:size], None, matcher)
        assert rest is not None, data[:size]
        assert engine.completes(matcher, rest)


def test_answers_in_several_threads_share_a_completer(completer: Completer) -> None:
    start = engine.byte_matcher(engine.grammar_of_lark(written(GRAMMAR)))

    def complete(number: int) -> bool:
        data = DOCUMENTS[number % len(DOCUMENTS)].encode()
        found = []
        for size in range(len(data)):
            matcher = start.deep_copy()
            matcher.try_consume_tokens(list(data[:size]))
            found.append(completer.finish(data[:size], None, matcher))
        return all(found)

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(complete, range(30)))


def test_completions_are_tried_until_the_judge_accepts_one() -> None:
    tried: list[bytes] = []

    def accepts(text: bytes) -> bool:
        tried.append(text)
        return len(tried) == 3

    completer = Completer([Automaton(GRAMMAR)], accepts)
    prefix = b"<a><b>"
    matcher = engine.byte_matcher(engine.grammar_of_lark(written(GRAMMAR)))
    matcher.try_consume_tokens(list(prefix))
    assert completer.finish(prefix, None, matcher) == tried[-1][len(prefix) :]
    assert len(tried) == 3
    assert Completer([Automaton(GRAMMAR)], lambda _: False).finish(prefix, None, matcher, nodes=4) is None


def test_repetitions_within_repetitions_are_one() -> None:
    one, other = literal("a"), literal("b")
    assert times(times(one, 1, None), 2, 5) == times(one, 2, None)
    assert times(times(one, 0, None), 1, None) == times(one, 0, None)
    assert times(times(one, 2, None), 0, None) != times(one, 0, None)
    assert times(choice([times(one, 1, None), other]), 1, 100_000) == times(choice([one, other]), 1, None)
    assert times(choice([times(one, 0, None), other]), 1, None) == times(choice([one, other]), 0, None)
    assert times(NEVER, 0, 3) == NOTHING_MORE
    assert times(NEVER, 1, 3) == NEVER
    assert times(one, 3, 0) == NOTHING_MORE


def test_texts_are_escaped_as_they_are_spelled() -> None:
    text = "<&>\"'\r\n\té"
    for attribute in (False, True):
        node = spelled(text_node(text), attribute=attribute)
        assert node == text_node(escaped(text, attribute=attribute))
