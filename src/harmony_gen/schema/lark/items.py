"""The grammar of the items of an array: by length, by what they contain, or all different."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harmony_gen.schema.lark.members import BITS, literal, repeated, when
from harmony_gen.schema.lark.numerals import spell_number
from harmony_gen.schema.normal.goals import NEVER, Goal, both
from harmony_gen.schema.strings.language import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.lark.grammar import Grammar
    from harmony_gen.schema.normal.arrays import Array

_ITEMS, _HITS = "[0:24]", "[24:48]"


class Items:
    """The grammar of the arrays of one shape."""

    def __init__(self, grammar: Grammar, shape: Array, goal: Goal) -> None:
        self._grammar = grammar
        self._shape = shape
        self._goal = goal
        self._comma = grammar.separators.comma

    def choices(self) -> Iterator[str]:
        """What the arrays may be."""
        shape = self._shape
        if shape.unique and (shape.most is None or shape.most > 1):
            unique = self._unique()
            if unique is not None:
                yield from unique
                return
            self._grammar.noted.add((self._goal, "uniqueItems"))
        if shape.contains:
            found = self._containing()
            if found is not None:
                yield from found
                return
            self._grammar.noted.add((self._goal, "contains"))
        yield from self._plain()

    def _plain(self) -> Iterator[str]:
        """Arrays by prefix, rest and length."""
        shape, productive = self._shape, self._grammar.productive
        length = next((i for i, goal in enumerate(shape.prefix) if not productive(goal)), len(shape.prefix))
        most = shape.most
        if length < len(shape.prefix) or not productive(shape.rest):
            most = length if most is None else min(most, length)
        if shape.least == 0:
            yield literal("[]")
        if most == 0:
            return
        first, others = self._sequence(shape.prefix[:length], most)
        yield f'"[" {first} {others} "]"'

    def _sequence(self, prefix: tuple[Goal, ...], most: int | None) -> tuple[str, str]:
        """The first item, and those behind it, each with its comma."""
        shape, value = self._shape, self._grammar.value
        start = max(1, len(prefix))
        tail = ""
        if most is None or most > start:
            least = max(0, shape.least - start)
            limit = "" if most is None else str(most - start)
            tail = repeated(f"({self._comma} {value(shape.rest)})", least, limit)
        for index in range(start - 1, 0, -1):
            inner = f"{self._comma} {value(prefix[index])} {tail}"
            tail = inner if index < shape.least else f"({inner})?"
        return value(prefix[0] if prefix else shape.rest), tail

    def _containing(self) -> list[str] | None:
        """Arrays with a number of items that satisfy a goal, or None if this cannot be written."""
        shape = self._shape
        goal, least, most = shape.contains[0]
        if len(shape.contains) > 1 or shape.prefix:
            return None
        hit = both(shape.rest, goal)
        if not self._grammar.productive(hit):
            return None if least else list(self._plain())
        if most is None and shape.most is None and shape.least <= least:
            return [self._at_least(hit, least)]
        return self._counted(hit, least, most)

    def _at_least(self, hit: Goal, least: int) -> str:
        """Arrays of any length with so many hits: each stands between other items."""
        comma, item, wanted = self._comma, self._grammar.value(self._shape.rest), self._grammar.value(hit)
        more = repeated(f"(({comma} {item})* {comma} {wanted})", least - 1, str(least - 1))
        return f'"[" ({item} {comma})* {wanted} {more} ({comma} {item})* "]"'

    def _counted(self, hit: Goal, least: int, most: int | None) -> list[str] | None:
        """Arrays with bounds on the number of items and of hits; a parameter counts both."""
        shape, grammar = self._shape, self._grammar
        other = shape.rest
        if most is not None:
            missed = grammar.missed(shape.rest, shape.contains[0][0])
            if missed is None:
                return None
            other = missed
        rule = f"{grammar.value(shape.rest)}_h{len(grammar.added)}"
        choices = [f"{grammar.value(hit)} {rule}::incr({_HITS})"]
        if other is not NEVER and grammar.productive(other):
            choices.append(f"{grammar.value(other)} {rule}::_")
        grammar.add(f"{rule}i", choices, parametric=True)
        room = "" if shape.most is None else f"lt({_ITEMS}, {shape.most})"
        enough = f"ge({_ITEMS}, {shape.least})" if shape.least > 1 else ""
        hits = [f"ge({_HITS}, {least})" if least else "", "" if most is None else f"lt({_HITS}, {most + 1})"]
        more, end = f"{self._comma} {rule}i::incr({_ITEMS}){when(room)}", '"]"' + when(enough, *hits)
        grammar.add(rule, [more, end], parametric=True)
        empty = [literal("[]")] if shape.least == 0 and least == 0 else []
        return [*empty, f'"[" {rule}i::0x1'] if shape.most != 0 else empty

    def _unique(self) -> list[str] | None:
        """Arrays of different values out of a few, or None if this cannot be written."""
        shape, grammar = self._shape, self._grammar
        if shape.prefix or shape.contains:
            return None
        values = grammar.node(shape.rest).values()
        if values is None or not 0 < len(values) <= BITS or not grammar.productive(shape.rest):
            return None
        most = len(values) if shape.most is None else min(shape.most, len(values))
        texts = [spell(value) if isinstance(value, str) else _spelled(value) for value in values]
        rule = f"{grammar.value(shape.rest)}_u{shape.least}_{most}"
        room = f"bit_count_lt(_, {most})" if most < len(values) else ""
        lines = ['"]"' + when(f"bit_count_ge(_, {shape.least})" if shape.least > 1 else "")]
        lines += [
            f"{self._comma} {literal(text)} {rule}::set_bit({bit}){when(f'bit_clear({bit})', room)}"
            for bit, text in enumerate(texts)
        ]
        grammar.add(rule, lines, parametric=True)
        first = [f'"[" {literal(text)} {rule}::set_bit({bit})' for bit, text in enumerate(texts)]
        grammar.add(f"{rule}f", first, parametric=True)
        return [*([literal("[]")] if shape.least == 0 else []), f"{rule}f::0x0"]


def _spelled(value: float | None) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return spell_number(value)
