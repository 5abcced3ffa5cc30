"""How long the shortest documents are, found from the inside out.

Donald Knuth, "A generalization of Dijkstra's algorithm", 1977.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from harmony_gen.schema.markup.tree import AnyOrder, Choice, Lexeme, Reference, Sequence, Times
from harmony_gen.schema.strings import derivatives
from harmony_gen.schema.strings.characters import pick
from harmony_gen.schema.strings.expression import Alternation, Character, Concat, Repeat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony_gen.schema.markup.tree import Part
    from harmony_gen.schema.strings.expression import Node

LONGEST = 1_000_000
"""Characters of the longest completion that is written."""

_FAR = LONGEST * 1000


def lengths(rules: Mapping[str, Part]) -> dict[str, int]:
    """How many characters the shortest text of each rule has."""
    found: dict[str, int] = {}
    changed = True
    while changed:
        changed = False
        for name, part in rules.items():
            size = length(part, found)
            if size < found.get(name, _FAR):
                found[name] = size
                changed = True
    return found


def length(part: Part, known: Mapping[str, int]) -> int:
    """Characters of the shortest text of a part, as far as those of rules are known."""
    match part:
        case Lexeme(node):
            return least(node)
        case Reference(rule):
            return known.get(rule, _FAR)
        case Sequence(parts):
            return min(_FAR, sum(length(inner, known) for inner in parts))
        case Choice(options):
            return min((length(option, known) for option in options), default=_FAR)
        case Times(body, times):
            return min(_FAR, times * length(body, known)) if times else 0
        case AnyOrder(parts):
            return min(_FAR, sum(length(inner, known) for inner, is_needed in parts if is_needed))
    raise TypeError(part)


@lru_cache(maxsize=100_000)
def shortest(node: Node, variant: int) -> str | None:
    """A shortest text of a plain tree; only intersections are searched for one. See `derivatives.shortest`."""
    match node:
        case Character(chars):
            return pick(chars, variant)
        case Concat(parts):
            texts = [shortest(part, variant) for part in parts]
            return None if None in texts else "".join(filter(None, texts))
        case Alternation((_, *_) as options):
            size = min(map(least, options))
            fewest = [option for option in options if least(option) == size]
            return shortest(fewest[variant % len(fewest)], variant) if size < _FAR else None
        case Repeat(body, times):
            text = shortest(body, variant) if times else ""
            return None if text is None else text * times
        case _:
            return derivatives.shortest(node, variant)


@lru_cache(maxsize=100_000)
def least(node: Node) -> int:
    """Characters of the shortest text of a plain tree; only intersections are searched for one."""
    match node:
        case Character():
            return 1
        case Concat(parts):
            return min(_FAR, sum(map(least, parts)))
        case Alternation(options):
            return min(map(least, options), default=_FAR)
        case Repeat(body, times):
            return min(_FAR, times * least(body)) if times else 0
        case _:
            text = shortest(node, 0)
            return _FAR if text is None else len(text)
