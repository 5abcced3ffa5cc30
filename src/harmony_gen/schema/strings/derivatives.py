"""What may follow the beginning of a text under a plain tree: derivatives of regular expressions.

The derivative of an expression by a character matches what the expression matches behind that character (Janusz
Brzozowski, "Derivatives of regular expressions", 1964). Characters are tried by classes that an expression does not
tell apart (Scott Owens, John Reppy, Aaron Turon, "Regular-expression derivatives re-examined", 2009).
"""

from __future__ import annotations

import heapq
from itertools import count

from harmony_gen.schema.strings.characters import EVERY, Chars, common, complement, has, pick, union
from harmony_gen.schema.strings.expression import (
    EMPTY,
    NOTHING,
    Alternation,
    Both,
    Character,
    Concat,
    Node,
    Not,
    Repeat,
    alternation,
    both,
    concat,
    is_nullable,
    negation,
    repeat,
    width,
)
from harmony_gen.schema.strings.quotation import Quotation

_MOST_WORK = 1_000_000
"""Parts of trees a search may derive: about two seconds."""

_MOST_CLASSES = 64
_MOST_REMEMBERED = 10_000


def derive(node: Node, code: int) -> Node:
    """The derivative of a plain tree by a character."""
    match node:
        case Character(chars):
            rest: Node = EMPTY if has(chars, code) else NOTHING
        case Concat((Character(chars), *_)):  # most often: the rest of a certain text
            rest = _behind(node) if has(chars, code) else NOTHING
        case Concat((first, *_)):
            rest = concat((derive(first, code), _behind(node)))
            if is_nullable(first):
                rest = alternation((rest, derive(_behind(node), code)))
        case Alternation(options):
            rest = alternation(derive(option, code) for option in options)
        case Repeat(body, least, most):
            again = repeat(body, max(least - 1, 0), None if most is None else most - 1)
            rest = concat((derive(body, code), again))
        case Both(parts):
            rest = both(derive(part, code) for part in parts)
        case Not(body):
            rest = negation(derive(body, code))
        case Quotation():
            rest = node.behind(code) or NOTHING
        case _:
            rest = NOTHING
    return rest


def _behind(row: Concat) -> Node:
    """What stands behind the first part."""
    return Concat(row.parts[1:]) if len(row.parts) > 2 else concat(row.parts[1:])  # noqa: PLR2004 - as `concat` does


def first_classes(node: Node) -> frozenset[Chars]:
    """Sets of characters by which a plain tree has the same derivative; too many are merged into one."""
    match node:
        case Character(chars):
            return frozenset((chars, complement(chars))) - {()}
        case Concat((first, *others)):
            found = first_classes(first)
            return _split(found, first_classes(concat(others))) if is_nullable(first) else found
        case Alternation(parts) | Both(parts):
            found = frozenset((EVERY,))
            for part in parts:
                found = _split(found, first_classes(part))
            return found
        case Repeat(body) | Not(body):
            return first_classes(body)
        case Quotation(source, places):
            codes = source.following(places)
            return frozenset([*(((code, code),) for code in codes), complement(union((code, code) for code in codes))])
        case _:
            return frozenset((EVERY,))


def _split(ones: frozenset[Chars], others: frozenset[Chars]) -> frozenset[Chars]:
    """The sets that are left when both divisions are made."""
    if len(ones) == 1 or len(others) > _MOST_CLASSES:
        return others
    if len(others) == 1 or len(ones) > _MOST_CLASSES:
        return ones
    return frozenset(chars for one in ones for other in others if (chars := common(one, other)))


class Reader:
    """Reads texts by a tree, and remembers the last one: it is often read again with more behind it."""

    def __init__(self, tree: Node) -> None:
        self._tree = tree
        self._last = "", tree

    def after(self, text: str) -> Node:
        """The tree of what may follow a text."""
        before, node = self._last
        if not text.startswith(before):
            before, node = "", self._tree
        for char in text[len(before) :]:
            node = derive(node, ord(char))
        self._last = text, node
        return node


_shortest: dict[tuple[Node, int], str | None] = {}
"""What has been found: the way to a shortest text is a shortest way from every tree that lies on it."""


def shortest(node: Node, variant: int) -> str | None:
    """A shortest text that a plain tree matches, or None if none is found in time.

    Args:
        node: the tree.
        variant: 0, 1 or 2: which characters to prefer.
    """
    if (node, variant) in _shortest:
        return _shortest[node, variant]
    found = _search(node, variant)
    if found is None:
        _shortest[node, variant] = None
    return found


def _search(node: Node, variant: int) -> str | None:
    """A* over derivatives; the estimate is the least number of characters that are missing."""
    order = count()
    heap = [(width(node)[0], 0, next(order), node, "")]
    origins: dict[Node, tuple[Node, str] | None] = {node: None}
    work = 0
    while heap and work < _MOST_WORK:
        _, _, _, node, text = heapq.heappop(heap)
        known = "" if is_nullable(node) else _shortest.get((node, variant))
        if known is not None:
            _remember(node, known, origins, variant)
            return text + known
        classes = sorted(first_classes(node))
        work += _size(node) * len(classes)
        for chars in classes:
            char = pick(chars, variant)
            following = derive(node, ord(char))
            if following != NOTHING and following not in origins:
                origins[following] = node, char
                length = len(text) + 1
                heapq.heappush(heap, (length + width(following)[0], -length, next(order), following, text + char))
    return None


def _size(node: Node) -> int:
    """The parts of a tree."""
    match node:
        case Concat(parts) | Alternation(parts) | Both(parts):
            return 1 + sum(map(_size, parts))
        case Repeat(body) | Not(body):
            return 1 + _size(body)
        case _:
            return 1


def _remember(node: Node, text: str, origins: dict[Node, tuple[Node, str] | None], variant: int) -> None:
    """Notes a shortest text for every tree on the way to one."""
    if len(_shortest) > _MOST_REMEMBERED:
        _shortest.clear()
    _shortest[node, variant] = text
    while origin := origins[node]:
        node, char = origin
        text = char + text
        _shortest[node, variant] = text
