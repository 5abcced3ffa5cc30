"""Documents are cut off at a depth, and nowhere else."""

from __future__ import annotations

from collections import Counter

import pytest

from harmony_gen.schema import engine
from harmony_gen.schema.markup import (
    NEVER,
    AnyOrder,
    Grammar,
    Part,
    Reference,
    choice,
    limited,
    literal,
    optional,
    sequence,
    times,
    written,
)


def element(name: str, content: Part) -> Part:
    return sequence(
        [literal(f"<{name}"), choice([literal("/>"), sequence([literal(">"), content, literal(f"</{name}>")])])]
    )


RULES: dict[str, Part] = {
    "start": Reference("a"),
    "a": element("a", times(choice([Reference("a"), Reference("b"), literal("x")]), 1, 9)),
    "b": element("b", sequence([literal("<any/>"), optional(Reference("c"))])),
    "c": element("c", literal("y")),
}


def accepts(grammar: Grammar, text: str) -> bool:
    return engine.completes(engine.byte_matcher(engine.grammar_of_lark(written(grammar))), text.encode())


DOCUMENTS = {
    "<a/>": 1,
    "<a>x</a>": 1,
    "<a><a/>x<a/></a>": 2,
    "<a><b/></a>": 2,
    "<a><b><any/></b></a>": 3,
    "<a><a><a><b/></a></a></a>": 4,
    "<a><b><any/><c>y</c></b><a><b/></a></a>": 3,
    "<a><a><a><a><a><a/></a></a></a></a></a>": 6,
}


@pytest.mark.parametrize("most", range(1, 8))
def test_documents_up_to_a_depth(most: int) -> None:
    cut = limited(Grammar(RULES).cleaned(), most)
    for text, depth in DOCUMENTS.items():
        assert accepts(cut, text) == (depth <= most), text


def test_what_cannot_grow_too_deep_is_not_copied() -> None:
    rules = {**RULES, "start": Reference("b")}
    assert limited(Grammar(rules).cleaned(), 2).rules == Grammar(rules).cleaned().rules
    copied = Counter(name.partition("_")[0] for name in limited(Grammar(RULES).cleaned(), 4).rules)
    assert copied == {"start": 1, "a": 4, "b": 2, "c": 1}


def test_elements_that_are_needed_below_leave_nothing() -> None:
    rules: dict[str, Part] = {
        "start": sequence(
            [literal("<s>"), AnyOrder(((Reference("b"), True), (Reference("c"), False))), literal("</s>")]
        ),
        "b": sequence([literal("<b>"), Reference("c"), literal("</b>")]),
        "c": sequence([literal("<c>"), literal("</c>")]),
    }
    assert "start" not in limited(Grammar(rules), 2).rules
    assert accepts(limited(Grammar(rules), 3), "<s><b><c></c></b></s>")
    assert limited(Grammar({"start": choice([literal("<e/>"), NEVER])}), 1).rules == {"start": literal("<e/>")}
