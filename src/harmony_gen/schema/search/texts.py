"""Short JSON texts for the goals of a normal form: candidates for whoever can check them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from harmony_gen.schema.normal.arrays import Array
from harmony_gen.schema.normal.goals import ANY
from harmony_gen.schema.search.containers import DEPTH, Items, Names, value_of
from harmony_gen.schema.search.scalars import (
    distinct,
    holds,
    in_turns,
    more_numbers,
    more_strings,
    number_text,
    number_texts,
    spell,
    strings,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from harmony_gen.schema.normal import Normal
    from harmony_gen.schema.normal.goals import Goal
    from harmony_gen.schema.normal.node import Node
    from harmony_gen.schema.normal.objects import Object
    from harmony_gen.schema.subschema import Subschema

AcceptsPart = Callable[["Subschema", Any], bool]
"""Whether a value is valid under a part of the schema."""

_LISTED = 40
_SEVERAL = 12
_VARIED = 3
_VARIETY = 1_000
"""Different values that are looked for: no longer arrays are written on one's own account."""

_LONGEST = 1_000_000
"""Characters of a container: what holds itself twice has no end."""

_GUESSES = 60
_MOST_ASKED = 1_000
"""Questions to the judge of parts about one goal and all that is inside it: some tenths of a second."""

_KINDS = dict.fromkeys("-0123456789", "number") | {
    '"': "string",
    "{": "object",
    "[": "array",
    "t": "boolean",
    "f": "boolean",
    "n": "null",
}


class Texts:
    """Short texts for the goals of a normal form, remembered.

    Attributes:
        normal: the normal form.
        exemplary: where the author of the schema gives examples, the first of them is the text.
        names: the names of the members of objects.
    """

    def __init__(
        self, normal: Normal, accepts: AcceptsPart | None = None, *, any_order: bool = False, exemplary: bool = False
    ) -> None:
        """Begins without any text.

        Args:
            normal: the normal form.
            accepts: decides where the normal form is loose; without it, what is loose is taken for exact.
            any_order: members may come in any order, not that of the schema only.
            exemplary: see above.
        """
        self.normal = normal
        self.exemplary = exemplary
        self.names = Names(self, any_order=any_order)
        self._accepts = accepts
        self._found: dict[Goal, str] = {}
        self._tried: dict[Goal, int] = {}
        self._offered: dict[Goal, tuple[str, ...]] = {}
        self._hints: dict[Goal, tuple[str, ...]] = {}
        self._asked: int | None = None  # questions about the goal that is being guessed

    def short(self, goal: Goal) -> str | None:
        """A short text of a goal, nested as little as can be, or None if none is found."""
        found = (self._nested(goal, depth) for depth in range(DEPTH))
        text = next((text for text in found if text is not None), None)
        return self._guessed(goal) if text is None and self.normal.node(goal).loose else text

    def _guessed(self, goal: Goal) -> str | None:
        """A text of a goal of which the normal form does not say enough, found by trial."""
        if self._tried[goal] < DEPTH:
            self._tried[goal] = DEPTH
            with self._guessing():
                self._keep(goal, islice(self._unlike(goal), _GUESSES))
        return self._found.get(goal)

    @contextmanager
    def _guessing(self) -> Iterator[None]:
        """Counts the questions that are asked meanwhile, if they are not counted already."""
        outermost = self._asked is None
        self._asked = self._asked or 0
        try:
            yield
        finally:
            if outermost:
                self._asked = None

    def within(self, goal: Goal, depth: int) -> str | None:
        """A short text of a goal; at a depth below `DEPTH`, with containers nested no deeper unless one is known."""
        return self.short(goal) if depth >= DEPTH else self._nested(goal, depth)

    def _nested(self, goal: Goal, depth: int) -> str | None:
        if goal not in self._found and self._tried.get(goal, -1) < depth:
            self._tried[goal] = depth  # what a cycle sees
            self._keep(goal, self._ranked(goal, depth))
        return self._found.get(goal)

    def _keep(self, goal: Goal, texts: Iterable[str]) -> None:
        """Remembers the first of some texts that satisfies a goal."""
        text = next(self._valid(goal, texts), None)
        if text is not None:
            self._found[goal] = text

    def _valid(self, goal: Goal, texts: Iterable[str]) -> Iterator[str]:
        """The texts that satisfy a goal: where its node is loose, the judge of parts is asked."""
        accepts, loose = self._accepts, self.normal.node(goal).loose
        for text in texts:
            if accepts is None or _KINDS[text[0]] not in loose:
                yield text
                continue
            if self._asked is not None:
                self._asked += 1
                if self._asked > _MOST_ASKED:
                    return
            if self._satisfies(json.loads(text), goal, accepts):
                yield text

    def _satisfies(self, value: Any, goal: Goal, accepts: AcceptsPart) -> bool:
        return all(accepts(part, value) == positive for part, positive in self.normal.parts(goal))

    def _ranked(self, goal: Goal, depth: int) -> Iterator[str]:
        """Texts of a goal to choose from: the author's examples if they are wanted, then short ones first."""
        if self.exemplary:
            yield from self.hints(goal)
        node = self.normal.node(goal)
        texts = map(spell, strings(node.strings, ""))
        scalars = [*_words(node), *number_texts(node.numbers[:_LISTED]), *islice(texts, 1)]
        yield from sorted([*scalars, *self._containers(node, depth)], key=len)
        yield from texts  # found only if all that is shorter does not satisfy the goal

    def _containers(self, node: Node, depth: int) -> Iterator[str]:
        """Short arrays and objects of some shapes, nested no deeper than `depth`."""
        for shapes in (node.arrays, node.objects):
            yield from islice(filter(None, (self._container(shape, depth) for shape in shapes)), _LISTED)

    def _container(self, shape: Array | Object, depth: int) -> str | None:
        if isinstance(shape, Array):
            opening, parts, closing = "[", self.items(shape, (), depth=depth - 1), "]"
        else:
            opening, parts, closing = "{", self.members(shape, (), depth=depth - 1), "}"
        if parts is None or sum(map(len, parts)) > _LONGEST:
            return None
        return f"{opening}{','.join(parts)}{closing}"

    def items(
        self, shape: Array, taken: Sequence[str], hits: Collection[Goal | None] = (), *, depth: int = DEPTH
    ) -> list[str] | None:
        """Texts of the items an array still needs, see `Items`; None if one of them has none."""
        return Items(self, shape, taken, hits).missing(depth)

    def members(self, shape: Object, seen: Sequence[str], *, depth: int = DEPTH, least: int = 0) -> list[str] | None:
        """Texts `"name":value` of the members an object still needs, see `Names`; None if one of them has none."""
        names = self.names.missing(shape, seen, depth, least)
        if names is None or (names and depth < 0):
            return None
        texts = {name: self.within(shape.member(name), depth) for name in names}
        found = [f"{spell(name)}:{text}" for name, text in texts.items() if text is not None]
        return found if len(found) == len(names) else None

    def candidates(self, goal: Goal) -> tuple[str, ...]:
        """Texts of a goal to try: of each shape, nested as little as can be; the author's examples; then others."""
        if goal not in self._offered:
            with self._guessing():
                self._offered[goal] = tuple(dict.fromkeys(self._valid(goal, self._candidates(goal))))
        return self._offered[goal]

    def _candidates(self, goal: Goal) -> Iterator[str]:
        node = self.normal.node(goal)
        yield from _scalars(node)
        shapes: tuple[Array | Object, ...] = (*node.objects[:_LISTED], *node.arrays[:_LISTED])
        for shape in shapes:
            found = (self._container(shape, depth) for depth in range(DEPTH))
            yield from islice(filter(None, found), 1)
        yield from self.hints(goal)
        if node.loose:
            yield from islice(self._unlike(goal), _SEVERAL)

    def hints(self, goal: Goal) -> tuple[str, ...]:
        """The values that the author gives as `examples` or `default`, as far as they satisfy a goal."""
        if goal not in self._hints:
            given: list[Any] = []
            for schema in self.normal.at_level(goal):
                listed = schema.keywords.get("examples")
                given += listed if isinstance(listed, list) else []
                given += [schema.keywords["default"]] if "default" in schema.keywords else []
            texts = (self.spelled(goal, value) for value in given)
            self._hints[goal] = tuple(dict.fromkeys(text for text in texts if text is not None))
        return self._hints[goal]

    def spelled(self, goal: Goal, value: Any) -> str | None:
        """The text of a value, members in the order of the grammar, or None if it does not satisfy a goal."""
        if goal is ANY:
            return spell(value)
        node = self.normal.node(goal)
        if isinstance(value, list):
            return next(filter(None, (self._spelled_array(shape, value) for shape in node.arrays)), None)
        if isinstance(value, dict):
            return next(filter(None, (self._spelled_object(shape, value) for shape in node.objects)), None)
        return spell(value) if _has(node, value) else None

    def _spelled_array(self, shape: Array, values: list[Any]) -> str | None:
        if len(values) < shape.least or (shape.most is not None and len(values) > shape.most):
            return None
        if shape.unique and len({value_of(spell(value)) for value in values}) < len(values):
            return None
        for goal, least, most in shape.contains:
            hits = sum(self.spelled(goal, value) is not None for value in values)
            if hits < least or (most is not None and hits > most and not self.normal.node(goal).loose):
                return None
        texts = [self.spelled(shape.item(index), value) for index, value in enumerate(values)]
        found = [text for text in texts if text is not None]
        return f"[{','.join(found)}]" if len(found) == len(values) else None

    def _spelled_object(self, shape: Object, values: dict[str, Any]) -> str | None:
        names = self.names.in_order(shape, values)
        if self.names.missing(shape, names, 0) != []:
            return None
        texts = {name: self.spelled(shape.member(name), values[name]) for name in names}
        found = {name: text for name, text in texts.items() if text is not None}
        return _braced(found) if len(found) == len(values) else None

    def different(self, goal: Goal, depth: int = _VARIED) -> Iterator[str]:
        """Many different texts of a goal, one of each kind first; they differ no deeper than `depth`."""
        return self._valid(goal, self._unlike(goal, depth))

    def _unlike(self, goal: Goal, depth: int = _VARIED) -> Iterator[str]:
        node = self.normal.node(goal)
        scalars = [_words(node), map(spell, more_strings(node.strings, "")), _more_numbers(node)]
        containers = [self._arrays(shape, depth) for shape in node.arrays]
        containers += [self._objects(shape, depth) for shape in node.objects]
        return distinct(in_turns([*scalars, *(filter(partial(self._fits, goal), texts) for texts in containers)]))

    def _fits(self, goal: Goal, text: str) -> bool:
        return self.spelled(goal, json.loads(text)) is not None

    def _arrays(self, shape: Array, depth: int) -> Iterator[str]:
        """Different arrays: another item, or one more or several."""
        items = self.items(shape, ())
        if items is None:
            return
        yield f"[{','.join(items)}]"
        others = [(items[:index], index, items[index + 1 :]) for index in range(len(items))]
        room = _SEVERAL if shape.most is None else min(_SEVERAL, shape.most - len(items))
        for index in range(len(items), len(items) + room):
            others.append((list(items), index, []))
            short = self.short(shape.item(index))
            if short is None:
                break
            items.append(short)
        if depth > 0:
            yield from in_turns(self._with_item(shape, place, depth - 1) for place in others)

    def _with_item(self, shape: Array, place: tuple[list[str], int, list[str]], depth: int) -> Iterator[str]:
        """Arrays that differ in one item."""
        before, index, behind = place
        return (f"[{','.join([*before, text, *behind])}]" for text in self.different(shape.item(index), depth))

    def _objects(self, shape: Object, depth: int) -> Iterator[str]:
        """Different objects: one member more or another value in one."""
        names = self.names.missing(shape, ())
        texts = {name: text for name in names or () if (text := self.short(shape.member(name))) is not None}
        if names is None or len(texts) < len(names):
            return
        yield _braced(texts)
        more = shape.most is None or len(names) < shape.most
        others = chain(self.names.listed(shape, ()), self.names.free(shape, names)) if more else ()
        added = islice((name for name in others if name not in texts), _LISTED)
        varied = [
            in_turns(self._with_member(shape, texts, name, depth - 1) for name in group) for group in (names, added)
        ]
        yield from in_turns(varied if depth > 0 else ())

    def _with_member(self, shape: Object, texts: dict[str, str], name: str, depth: int) -> Iterator[str]:
        """Objects that differ in one member."""
        order = self.names.in_order(shape, dict.fromkeys((*texts, name)))
        for text in self.different(shape.member(name), depth):
            yield _braced({key: text if key == name else texts[key] for key in order})


def _words(node: Node) -> Iterator[str]:
    if node.null:
        yield "null"
    yield from (json.dumps(value) for value in sorted(node.booleans, reverse=True))


def _scalars(node: Node) -> Iterator[str]:
    """Short texts of the scalars of a node; of listed ones not too many."""
    yield from _words(node)
    yield from number_texts(node.numbers[:_LISTED])
    yield from map(spell, strings(node.strings, ""))


def _more_numbers(node: Node) -> Iterator[str]:
    """Different numbers of a node."""
    return in_turns([map(number_text(shape), more_numbers(shape)) for shape in node.numbers[:_VARIETY]])


def _has(node: Node, value: Any) -> bool:
    """Whether a scalar is in a node."""
    if value is None:
        return node.null
    if isinstance(value, bool):
        return value in node.booleans
    if isinstance(value, str):
        return value in node.strings
    return any(holds(shape, value) for shape in node.numbers)


def _braced(members: dict[str, str]) -> str:
    return f"{{{','.join(f'{spell(name)}:{text}' for name, text in members.items())}}}"
