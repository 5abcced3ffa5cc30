"""Regular expressions without conditions: anchors, word boundaries and look-arounds become sets of texts.

A pattern is taken apart into paths, whose conditions turn into the parts beside them. What cannot be expressed so
is dropped, and the result matches more: back-references, atomic groups, and conditions that bind the rounds of a
repetition to each other.
"""

from __future__ import annotations

from itertools import product

from harmony_gen.schema.strings.characters import WORD, Chars, complement, union
from harmony_gen.schema.strings.expression import (
    ANYTHING,
    EMPTY,
    NOTHING,
    Alternation,
    Anchor,
    Atomic,
    Backreference,
    Capture,
    Character,
    Concat,
    Look,
    Node,
    Repeat,
    WordBoundary,
    alternation,
    around,
    concat,
    is_plain,
    negation,
    repeat,
    width,
)
from harmony_gen.schema.strings.places import (
    MOST_PATHS,
    Closed,
    Condition,
    Edge,
    Path,
    Rest,
    close,
    conditions_of,
    parts_of,
)

_MOST_ROUNDS = 3
_START = Anchor(end=False)
_END = Anchor(end=True)
_NOT_WORD = complement(WORD)


def without_conditions(node: Node, *, whole: bool = False) -> tuple[Node, bool]:
    """A plain tree of the texts in which a pattern is found, or that it matches as a whole.

    Returns:
        The tree, and whether it is exact; otherwise it matches more.
    """
    options = node.options if isinstance(node, Alternation) else (node,)
    simple = [_between_anchors(option, whole=whole) for option in options]
    plain = [tree for tree in simple if tree is not None]
    if len(plain) == len(simple):
        return alternation(plain), True
    remover = _Remover()
    outside = () if whole else (ANYTHING,)
    found = [closed for path in remover.paths(node) for closed in close((*outside, *path, *outside))]
    return alternation(closed.tree for closed in found), remover.exact and all(closed.exact for closed in found)


def _between_anchors(node: Node, *, whole: bool) -> Node | None:
    """The plain tree of a part that has no conditions but anchors at its ends; None if it has others."""
    parts = node.parts if isinstance(node, Concat) else (node,)
    left = right = whole
    if parts and parts[0] == _START:
        left, parts = True, parts[1:]
    if parts and parts[-1] == _END:
        right, parts = True, parts[:-1]
    if not all(map(is_plain, parts)):
        return None
    return around([*(() if left else (ANYTHING,)), *parts, *(() if right else (ANYTHING,))])


class _Remover:
    """Takes patterns apart; `exact` until something is left out."""

    def __init__(self) -> None:
        self.exact = True
        self.captured: dict[int, Node] = {}

    def paths(self, node: Node) -> list[Path]:
        """The ways through a tree."""
        match node:
            case _ if is_plain(node):
                paths: list[Path] = [(node,)]
            case Concat(parts):
                paths = self._row([self.paths(part) for part in _temper(parts)], node)
            case Alternation(options):
                plain = [option for option in options if is_plain(option)]
                paths = [(alternation(plain),)] if plain else []
                paths += [path for option in options if not is_plain(option) for path in self.paths(option)]
            case Repeat():
                paths = self._repeat(node)
            case Capture(number, body):
                self.captured[number] = self.bare(body)
                paths = self.paths(body)
            case Anchor(end):
                paths = [(Edge(behind=not end, chars=(), none=True),)]
            case WordBoundary(negative):
                paths = _word_boundary(negative=negative)
            case Look():
                paths = self._look(node)
            case _:
                paths = self._inexact(node)
        return paths

    def _inexact(self, node: Node) -> list[Path]:
        self.exact = False
        return [(self.bare(node),)]

    def bare(self, node: Node) -> Node:
        """A plain tree that matches all that a tree does, and more: conditions are left out."""
        match node:
            case Concat(parts):
                bare = concat(map(self.bare, parts))
            case Alternation(options):
                bare = alternation(map(self.bare, options))
            case Repeat(body, least, most):
                bare = repeat(self.bare(body), least, most)
            case Capture(body=body) | Atomic(body=body):
                bare = self.bare(body)
            case Backreference(numbers, False):
                bare = alternation([EMPTY, *(self.captured.get(number, ANYTHING) for number in numbers)])
            case Backreference():
                bare = ANYTHING
            case Anchor() | WordBoundary() | Look():
                bare = EMPTY
            case _:
                bare = node
        return bare

    def _row(self, parts: list[list[Path]], node: Node) -> list[Path]:
        """The ways through one part after the other."""
        count = 1
        for paths in parts:
            count *= len(paths)
        if count > MOST_PATHS:
            return self._inexact(node)
        return [tuple(element for path in row for element in path) for row in product(*parts)]

    def _repeat(self, node: Repeat) -> list[Path]:
        """Rounds of a repetition: counted out if they are few, or if only anchors are in the way."""
        least, most = node.least, node.most
        rounds = _rounds(self.paths(node.body))
        plain = alternation(concat(parts_of(path)) for path in rounds if not conditions_of(path))
        others = [path for path in rounds if conditions_of(path)]
        if not others:
            return [(repeat(plain, least, most),)]
        if width(node.body)[1] == 0:  # once is as good as often
            return rounds if least else [()]
        if most is not None and most <= _MOST_ROUNDS:
            counted = [self._row([rounds] * count, node) for count in range(least, most + 1)]
            return [path for paths in counted for path in paths]
        if most is None and least <= _MOST_ROUNDS and all(map(_is_anchored, others)):
            # Anchored rounds stand first or last; in between they are empty, and can be left out.
            more = [*rounds, *self._row([rounds, [(repeat(plain, 0, None),)], rounds], node)]
            row = self._row([rounds] * (least - 1) + [more], node)
            return row if least else [(), *row]
        return self._inexact(node)

    def _look(self, look: Look) -> list[Path]:
        """A look-around as conditions on its place."""
        chars = _as_set(look.body)
        if chars is not None:
            edge = Edge(look.behind, chars, none=False)
            return [(edge.negated() if look.negative else edge,)]
        before, self.exact = self.exact, True
        seen = [conditions for path in self.paths(look.body) for conditions in self._seen(path, behind=look.behind)]
        exact, self.exact = self.exact, before and self.exact
        if not look.negative:
            return list(seen)
        if not exact:
            return [()]
        alone = [conditions[0] for conditions in seen if len(conditions) == 1]
        rests = [condition for condition in alone if isinstance(condition, Rest)]
        if len(rests) == len(seen):
            return [(_none_of(rests, behind=look.behind),)]
        return self._row([[(condition.negated(),) for condition in conditions] for conditions in seen], look)

    def _seen(self, path: Path, *, behind: bool) -> list[tuple[Condition, ...]]:
        """What a look-around sees on one of its ways, as conditions on its place."""
        conditions, parts = conditions_of(path), parts_of(path)
        if not parts:
            return [tuple(conditions)]
        depth = width(concat(parts))[1]
        if conditions and depth is not None:
            depth = depth + 1 if all(isinstance(condition, Edge) for condition in conditions) else None
        full: Path = (ANYTHING, *path) if behind else (*path, ANYTHING)
        closed = close(full, left=behind, right=not behind)
        self.exact = self.exact and all(one.exact for one in closed)
        return [(*one.outside, Rest(behind, one.tree, depth)) for one in closed]


def _rounds(paths: list[Path]) -> list[Path]:
    """The paths of one round of a repetition, with conditions at their ends only, if that can be."""
    closed = [one for path in paths for one in close(path, left=False, right=False)]
    return [_path(one) for one in closed if one.tree != NOTHING] if all(one.exact for one in closed) else paths


def _path(closed: Closed) -> Path:
    before = [condition for condition in closed.outside if condition.behind]
    after = [condition for condition in closed.outside if not condition.behind]
    return (*before, closed.tree, *after)


def _is_anchored(path: Path) -> bool:
    return all(isinstance(condition, Edge) and not condition.chars for condition in conditions_of(path))


def _word_boundary(*, negative: bool) -> list[Path]:
    """The ways to stand at a word boundary, or not at one."""
    word, other = (WORD, False), (_NOT_WORD, True)
    pairs = [(word, word), (other, other)] if negative else [(word, other), (other, word)]
    return [(Edge(True, *before), Edge(False, *after)) for before, after in pairs]


def _as_set(node: Node) -> Chars | None:
    """The set of a part that takes exactly one character of a set."""
    match node:
        case Character(chars):
            return chars
        case Alternation(options) if options:
            sets = [_as_set(option) for option in options]
            return None if None in sets else union(piece for chars in sets for piece in chars or ())
        case _:
            return None


def _none_of(rests: list[Rest], *, behind: bool) -> Rest:
    """That none of the conditions holds."""
    depths = [rest.depth for rest in rests if rest.depth is not None]
    depth = max(depths, default=0) if len(depths) == len(rests) else None
    return Rest(behind, negation(alternation(rest.language for rest in rests)), depth)


def _temper(parts: tuple[Node, ...]) -> tuple[Node, ...]:
    """`((?!x)c)*$` as `(?!.*x)c*$`: what may not begin at any place up to the end may not follow."""
    row: list[Node] = []
    for part, following in zip(parts, (*parts[1:], EMPTY), strict=True):
        match part, following:
            case (
                Repeat(Concat((Look(unwanted, False, True), taken)), least, most),
                Anchor(True),
            ) if is_plain(taken) and width(taken) == (1, 1) and width(unwanted)[0] > 0:
                row += [Look(concat([ANYTHING, unwanted]), behind=False, negative=True), repeat(taken, least, most)]
            case _:
                row.append(part)
    return tuple(row)
