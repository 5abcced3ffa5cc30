"""Grammars as JSON texts, to be kept in files and read back.

A grammar is a table: each row is a certain text, or a kind with numbers of earlier rows and what else it holds. Trees
that occur several times stand in the table once. What is read back can be nothing but a grammar, whoever wrote it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harmony_gen.schema.markup.text import certain, text_node
from harmony_gen.schema.markup.tree import AnyOrder, Choice, Grammar, Lexeme, Reference, Sequence, Times
from harmony_gen.schema.strings.expression import Alternation, Both, Character, Concat, Not, Repeat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harmony_gen.schema.markup.tree import Part
    from harmony_gen.schema.strings.expression import Node

_Row = str | list[Any]


def to_json(grammar: Grammar) -> str:
    """A grammar as text."""
    table = _Table()
    rules = {name: table.part(part) for name, part in grammar.rules.items()}
    return json.dumps({"rows": table.rows, "rules": rules}, ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> Grammar:
    """A grammar from its text.

    Raises:
        ValueError: it is not the text of a grammar.
    """
    try:
        found = json.loads(text)
        made: list[Any] = []
        for row in found["rows"]:
            made.append(_made(row, made))
        return Grammar({str(name): made[index] for name, index in found["rules"].items()})
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        message = f"this is no grammar: {error}"
        raise ValueError(message) from error


class _Table:
    """Rows, each once."""

    def __init__(self) -> None:
        self.rows: list[_Row] = []
        self._known: dict[Node | Part, int] = {}

    def part(self, part: Part) -> int:
        """The number of a part of a grammar."""
        return self._numbered(part, self._part)

    def _node(self, node: Node) -> int:
        """The number of a tree."""
        return self._numbered(node, self._tree)

    def _numbered(self, tree: Any, write: Callable[[Any], _Row]) -> int:
        number = self._known.get(tree)
        if number is None:
            row = write(tree)
            number = self._known[tree] = len(self.rows)
            self.rows.append(row)
        return number

    def _part(self, part: Part) -> _Row:
        match part:
            case Lexeme(node):
                return ["lexeme", self._node(node)]
            case Reference(rule):
                return ["reference", rule]
            case Sequence(parts):
                return ["sequence", *map(self.part, parts)]
            case Choice(options):
                return ["choice", *map(self.part, options)]
            case Times(body, least, most):
                return ["times", self.part(body), least, most]
            case AnyOrder(parts):
                return ["any order", *([self.part(inner), is_needed] for inner, is_needed in parts)]
        raise TypeError(part)

    def _tree(self, node: Node) -> _Row:
        text = certain(node)
        if text is not None:
            return text
        match node:
            case Character(chars):
                return ["character", *map(list, chars)]
            case Concat(parts):
                return ["concat", *self._row_of(parts)]
            case Alternation(parts) | Both(parts):
                return ["both" if isinstance(node, Both) else "alternation", *map(self._node, parts)]
            case Not(body):
                return ["not", self._node(body)]
            case Repeat(body, least, most):
                return ["repeat", self._node(body), least, most]
        raise TypeError(node)

    def _row_of(self, parts: tuple[Node, ...]) -> Iterable[int | str]:
        """Parts of a row: those that are certain characters as one text."""
        text = ""
        for part in parts:
            char = certain(part) if isinstance(part, Character) else None
            if char is not None:
                text += char
                continue
            if text:
                yield text
            text = ""
            yield self._node(part)
        if text:
            yield text


def _made(row: _Row, made: list[Any]) -> Any:
    """What a row says."""
    if isinstance(row, str):
        return text_node(row)
    kind, *parts = row
    return _MAKERS[kind](made, *parts)


def _spread(parts: Iterable[int | str], made: list[Any]) -> Iterable[Node]:
    for part in parts:
        if isinstance(part, int):
            yield made[part]
        else:
            text = text_node(part)
            yield from text.parts if isinstance(text, Concat) else (text,)


def _all(made: list[Any], numbers: Iterable[int]) -> tuple[Any, ...]:
    return tuple(made[number] for number in numbers)


_MAKERS: dict[str, Callable[..., Any]] = {
    "character": lambda _, *chars: Character(tuple((int(low), int(high)) for low, high in chars)),
    "concat": lambda made, *parts: Concat(tuple(_spread(parts, made))),
    "alternation": lambda made, *options: Alternation(_all(made, options)),
    "both": lambda made, *parts: Both(_all(made, parts)),
    "not": lambda made, body: Not(made[body]),
    "repeat": lambda made, body, least, most: Repeat(made[body], least, most),
    "lexeme": lambda made, node: Lexeme(made[node]),
    "reference": lambda _, rule: Reference(str(rule)),
    "sequence": lambda made, *parts: Sequence(_all(made, parts)),
    "choice": lambda made, *options: Choice(_all(made, options)),
    "times": lambda made, body, least, most: Times(made[body], least, most),
    "any order": lambda made, *parts: AnyOrder(tuple((made[inner], bool(is_needed)) for inner, is_needed in parts)),
}
"""What makes a tree from a row of its kind, by the rows before it."""
