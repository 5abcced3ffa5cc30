"""A grammar of documents: parts that are written one after the other, one of several, or several times.

It knows nothing of the schema language it was made from. What is read in one piece, a tag, an attribute, the text
between two tags, is one `Lexeme`; lexemes that may follow each other at one place differ before the shorter one ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from harmony_gen.schema.markup.text import text_node
from harmony_gen.schema.strings.expression import EMPTY, NOTHING, Node
from harmony_gen.schema.strings.hashing import Hashed, hashed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@hashed
class Lexeme(Hashed):
    """A text of a plain tree, which is not empty."""

    node: Node


@hashed
class Reference(Hashed):
    """What a rule says."""

    rule: str


@hashed
class Sequence(Hashed):
    """One part after the other; without parts, nothing."""

    parts: tuple[Part, ...]


@hashed
class Choice(Hashed):
    """One of the options; without options, there is no document."""

    options: tuple[Part, ...]


@hashed
class Times(Hashed):
    """A part `least` to `most` times in a row; None is no limit."""

    body: Part
    least: int
    most: int | None


@hashed
class AnyOrder(Hashed):
    """Parts in any order, each once; those that are not needed may be left out."""

    parts: tuple[tuple[Part, bool], ...]


Part: TypeAlias = Lexeme | Reference | Sequence | Choice | Times | AnyOrder

_MANY = 10_000
"""Repetitions that no document comes near."""

NOTHING_MORE = Sequence(())
NEVER = Choice(())


class Grammar:
    """Rules by their names; `start` is a document.

    Attributes:
        rules: what each rule says.
    """

    def __init__(self, rules: dict[str, Part]) -> None:
        self.rules = rules

    def cleaned(self) -> Grammar:
        """The same documents without parts that no finite document has, and rules that are not referred to."""
        productive = self._productive()
        rules = {name: _pruned(part, productive) for name, part in self.rules.items() if name in productive}
        wanted, waiting = set[str](), ["start"]
        while waiting:
            name = waiting.pop()
            if name in rules and name not in wanted:
                wanted.add(name)
                waiting += references(rules[name])
        return Grammar({name: part for name, part in rules.items() if name in wanted})

    def _productive(self) -> set[str]:
        """The rules that some finite text satisfies: the usual fixpoint."""
        found: set[str] = set()
        left = dict(self.rules)
        grown = True
        while grown:
            new = [name for name, part in left.items() if _is_possible(part, found)]
            found.update(new)
            grown = bool(new)
            for name in new:
                del left[name]
        return found


def literal(text: str) -> Part:
    """A certain text."""
    return Lexeme(text_node(text)) if text else NOTHING_MORE


def lexeme(node: Node) -> Part:
    """A text of a plain tree."""
    if node == NOTHING:
        return NEVER
    if node == EMPTY:
        return NOTHING_MORE
    return Lexeme(node)


def sequence(parts: Iterable[Part]) -> Part:
    """One part after the other."""
    found: list[Part] = []
    for part in parts:
        if part == NEVER:
            return NEVER
        found += part.parts if isinstance(part, Sequence) else (part,)
    return found[0] if len(found) == 1 else Sequence(tuple(found))


def choice(options: Iterable[Part]) -> Part:
    """One of the options."""
    found: dict[Part, None] = {}
    for option in options:
        found.update(dict.fromkeys(option.options if isinstance(option, Choice) else (option,)))
    return next(iter(found)) if len(found) == 1 else Choice(tuple(found))


def optional(part: Part) -> Part:
    """A part, or nothing."""
    return times(part, 0, 1)


def times(body: Part, least: int, most: int | None) -> Part:
    """A part several times in a row.

    Repetitions within repetitions can be read in very many ways; where they say the same as one, it is one.
    """
    if most == 0 or body == NOTHING_MORE:
        return NOTHING_MORE
    if (least, most) == (1, 1):
        return body
    if body == NEVER:
        return NEVER if least else NOTHING_MORE
    if isinstance(body, Times) and body.most is None and (least or body.least < 2):  # noqa: PLR2004 - 0 or 1
        return times(body.body, least * body.least, None)
    if least < 2 and (most is None or most >= _MANY):  # noqa: PLR2004
        flat = choice(map(_once, body.options if isinstance(body, Choice) else (body,)))
        if flat != body:
            return times(flat, 0 if _is_nullable(body) else least, None)
    return Times(body, least, most)


def _once(part: Part) -> Part:
    """Of a part that may be repeated without end, the part."""
    return part.body if isinstance(part, Times) and part.least < 2 else part  # noqa: PLR2004


def without_nothing(part: Part, shared: Callable[[Part], Part]) -> Part:
    """The texts of a part but the empty one, which has a spelling of its own where tags are merged.

    Parts in any order, none of which is needed, stay as they are.

    Args:
        part: refers to rules that are never empty.
        shared: makes a rule of a part that would stand in several places.
    """
    if not _is_nullable(part):
        return part
    match part:
        case Sequence(parts):  # the first that is not empty, and any behind it
            firsts: list[Part] = []
            behind: Part = NOTHING_MORE
            for first, following in zip(reversed(parts), (NOTHING_MORE, *reversed(parts)), strict=False):
                behind = shared(sequence([following, behind]))
                firsts.append(sequence([without_nothing(first, shared), behind]))
            return choice(reversed(firsts))
        case Choice(options):
            return choice(without_nothing(option, shared) for option in options)
        case Times(body, _, most):
            return times(without_nothing(body, shared), 1, most)
    return part


def _is_nullable(part: Part) -> bool:
    """Whether a part may be the empty text."""
    match part:
        case Sequence(parts):
            return all(map(_is_nullable, parts))
        case Choice(options):
            return any(map(_is_nullable, options))
        case Times(body, least):
            return least == 0 or _is_nullable(body)
        case AnyOrder(parts):
            return not any(is_needed and not _is_nullable(inner) for inner, is_needed in parts)
    return False


def references(part: Part) -> list[str]:
    """The rules a part refers to."""
    match part:
        case Reference(rule):
            return [rule]
        case Sequence(parts) | Choice(parts):
            return [name for inner in parts for name in references(inner)]
        case Times(body):
            return references(body)
        case AnyOrder(parts):
            return [name for inner, _ in parts for name in references(inner)]
    return []


def _is_possible(part: Part, productive: set[str]) -> bool:
    """Whether some finite text satisfies a part, if some does each of certain rules."""
    match part:
        case Reference(rule):
            return rule in productive
        case Choice(options):
            return any(_is_possible(inner, productive) for inner in options)
        case _:
            return all(_is_possible(inner, productive) for inner in _needed(part))


def _needed(part: Part) -> Iterable[Part]:
    """The parts that must be there."""
    match part:
        case Sequence(parts):
            return parts
        case Times(body, least):
            return [body] if least else []
        case AnyOrder(parts):
            return [inner for inner, is_needed in parts if is_needed]
    return []


def _pruned(part: Part, productive: set[str]) -> Part:
    """A part without what no finite text satisfies."""
    match part:
        case Reference(rule):
            return part if rule in productive else NEVER
        case Sequence(parts):
            return sequence(_pruned(inner, productive) for inner in parts)
        case Choice(options):
            return choice(inner for option in options if (inner := _pruned(option, productive)) != NEVER)
        case Times(body, least, most):
            return times(_pruned(body, productive), least, most)
        case AnyOrder(parts):
            kept = [(_pruned(inner, productive), is_needed) for inner, is_needed in parts]
            is_possible = all(inner != NEVER for inner, is_needed in kept if is_needed)
            return AnyOrder(tuple(pair for pair in kept if pair[0] != NEVER)) if is_possible else NEVER
        case _:
            return part
