"""Grammars come back from their texts as they were."""

from __future__ import annotations

import json

import pytest

from harmony_gen.schema.markup import AnyOrder, Choice, Grammar, Lexeme, Reference, Sequence, Times, literal, stored
from harmony_gen.schema.markup.text import text_node
from harmony_gen.schema.strings.expression import EMPTY, NOTHING, Both, Character, Concat, Not, Repeat, alternation

LETTER = Character(((97, 122), (228, 228)))
NODES = [
    LETTER,
    EMPTY,
    NOTHING,
    text_node("é\ud7ff\U00010000"),
    Concat((*text_node(' a="').parts, Repeat(LETTER, 1, None), text_node('"'))),
    Both((Repeat(LETTER, 0, 3), Not(text_node("ab")))),
    alternation([text_node("x"), Repeat(text_node("yz"), 2, 2)]),
    Character(((97, 97),)),
]
PARTS = [
    *map(Lexeme, NODES),
    Reference("start"),
    Sequence((literal("<a"), literal(">"), Reference("r1"))),
    Choice(()),
    Times(literal("<b/>"), 2, None),
    AnyOrder(((literal("<a/>"), True), (Reference("r2"), False))),
]


@pytest.mark.parametrize("part", PARTS)
def test_what_is_written_is_read(part) -> None:
    rules = {"start": Sequence((part, part)), "r": part}
    assert stored.from_json(stored.to_json(Grammar(rules))).rules == rules


def test_equal_parts_are_written_once() -> None:
    many = Grammar({f"r{number}": Lexeme(Both((Repeat(LETTER, 1, 9), LETTER))) for number in range(500)})
    assert len(json.loads(stored.to_json(many))["rows"]) == 4


BAD_ROWS = ['["lexeme",0]', '["nothing"]', "[]", '["repeat",0]', "7", '["concat",{}]', '["character",1]']
BAD = ["", "[]", "{}", '{"rows":["a"],"rules":{"start":7}}', *(f'{{"rows":[{row}],"rules":{{}}}}' for row in BAD_ROWS)]


@pytest.mark.parametrize("text", BAD)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no grammar"):
        stored.from_json(text)
