"""A grammar of documents in the Lark dialect of the mask engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harmony_gen.schema.markup.text import certain
from harmony_gen.schema.markup.tree import AnyOrder, Choice, Lexeme, Reference, Sequence, Times
from harmony_gen.schema.strings.terminals import plain_terminal

if TYPE_CHECKING:
    from harmony_gen.schema.markup.tree import Grammar, Part
    from harmony_gen.schema.strings.expression import Node

_MOST_COUNTED = 1_000_000
"""Repetitions beyond this are without limit to the engine."""


def written(grammar: Grammar) -> str:
    """The grammar as text; it has been cleaned."""
    writer = _Writer()
    for name, part in grammar.rules.items():
        writer.rule(name, part)
    return writer.text()


class _Writer:
    """Collects rules and terminals."""

    def __init__(self) -> None:
        self._rules: dict[str, str] = {}
        self._terminals: dict[str, str] = {}

    def text(self) -> str:
        """All of them."""
        rules = [f"{name}: {body}" for name, body in self._rules.items()]
        return "\n".join([*rules, *(f"{name}: {body}" for body, name in self._terminals.items())]) + "\n"

    def rule(self, name: str, part: Part) -> None:
        """Adds a rule."""
        options = part.options if isinstance(part, Choice) else (part,)
        self._rules[name] = "\n  | ".join(map(self._part, options))

    def _part(self, part: Part) -> str:
        match part:
            case Lexeme(node):
                return self._lexeme(node)
            case Reference(rule):
                return rule
            case Sequence(parts):
                return " ".join(map(self._grouped, parts)) if parts else '""'
            case Choice(options):
                return " | ".join(map(self._part, options))
            case Times(body, least, most):
                return self._grouped(body) + _count(least, most)
            case AnyOrder(parts):
                return self._any_order(parts)
        raise TypeError(part)

    def _grouped(self, part: Part) -> str:
        text = self._part(part)
        is_single = isinstance(part, Lexeme | Reference | AnyOrder)
        return text if is_single else f"({text})"

    def _lexeme(self, node: Node) -> str:
        text = certain(node)
        if text is not None:
            return json.dumps(text, ensure_ascii=False)
        body = plain_terminal(node)
        return self._terminals.setdefault(body, f"T{len(self._terminals)}")

    def _any_order(self, parts: tuple[tuple[Part, bool], ...]) -> str:
        """A rule with a bit for each part that has occurred."""
        name = f"p{len(self._rules)}"
        self._rules[f"{name}::_"] = ""  # its place; parts may add rules of their own
        condition = ""
        for bit, (_, is_needed) in enumerate(parts):
            if is_needed:
                condition = f"and({condition}, bit_set({bit}))" if condition else f"bit_set({bit})"
        options = [f'""{f" %if {condition}" if condition else " %if ge(_, 0)"}']
        options += [
            f"{self._grouped(part)} {name}::set_bit({bit}) %if bit_clear({bit})" for bit, (part, _) in enumerate(parts)
        ]
        self._rules[f"{name}::_"] = "\n  | ".join(options)
        return f"{name}::0x0"


def _count(least: int, most: int | None) -> str:
    if most is not None and most > _MOST_COUNTED:
        most = None
    known = {(0, 1): "?", (0, None): "*", (1, None): "+"}.get((least, most))
    return known or f"{{{least},{'' if most is None else most}}}"
