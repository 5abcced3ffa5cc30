"""What objects and arrays still need when they hold some members or items already, and what else they may hold."""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from harmony_gen.schema.normal.goals import NEVER, both, negated
from harmony_gen.schema.search.scalars import in_turns, plain_numbers, remembered_strings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from harmony_gen.schema.normal.arrays import Array
    from harmony_gen.schema.normal.goals import Goal
    from harmony_gen.schema.normal.objects import Object
    from harmony_gen.schema.strings.language import Language

DEPTH = 25
"""How deep the containers of a text may be nested."""

_LONGEST_ARRAY = 1_000
_MOST_ADDED = 10_000
"""Members that need not be there but for their number."""


class Values(Protocol):
    """Texts of the members and items themselves."""

    def within(self, goal: Goal, depth: int) -> str | None:
        """A short text of a goal, with containers nested no deeper than `depth`; None if none is found."""
        ...

    def different(self, goal: Goal) -> Iterator[str]:
        """Many different texts of a goal."""
        ...

    def spelled(self, goal: Goal, value: Any) -> str | None:
        """The text of a value, or None if it does not satisfy a goal."""
        ...


class Names:
    """The names of the members of objects."""

    def __init__(self, values: Values, *, any_order: bool) -> None:
        self._values = values
        self._any_order = any_order
        self._places: dict[Object, dict[str, int]] = {}

    def missing(self, shape: Object, seen: Sequence[str], depth: int = DEPTH, least: int = 0) -> list[str] | None:
        """Names of the members an object still needs, in order; None if it cannot be completed.

        Args:
            shape: the object.
            seen: the names of the members it has.
            depth: how deep the values of further members may be nested.
            least: members it must have at least.
        """
        least = max(least, shape.least)
        names = self._needed(shape, seen)
        lacking = least - len(seen) - len(names)
        if lacking > _MOST_ADDED:
            return None
        if lacking > 0:
            names += islice(self._fillers(shape, seen, names, depth), lacking)
            names += self._needed(shape, (*seen, *names))
        count = len(seen) + len(names)
        behind = self._last(shape, seen)
        if count < least or (shape.most is not None and count > shape.most):
            return None
        return None if any(self.place(shape, name) < behind for name in names) else self.in_order(shape, names)

    def _needed(self, shape: Object, seen: Iterable[str]) -> list[str]:
        """Names that are required, or that names that are there bring with them, and are not there."""
        present = set(seen)
        names = [name for name in shape.named if name in shape.required and name not in present]
        grown = bool(shape.needs)
        while grown:
            there = present.union(names)
            added = {other for name, other in shape.needs if name in there and other not in there}
            names += sorted(added)
            grown = bool(added)
        return names

    def _fillers(self, shape: Object, seen: Sequence[str], needed: list[str], depth: int) -> Iterator[str]:
        """Names of members that need not be there but may, the shortest members first."""
        present = {*seen, *needed}
        listed = [name for name in self.listed(shape, seen) if name not in present]
        texts = {name: self._values.within(shape.member(name), depth) for name in listed}
        lengths = {name: len(name) + len(text) for name, text in texts.items() if text is not None}
        needy = {name for name, other in shape.needs if other not in present}
        yield from sorted(lengths, key=lambda name: (name in needy, lengths[name]))
        yield from self.free(shape, present, depth=depth)

    def listed(self, shape: Object, seen: Sequence[str], partial: str = "") -> list[str]:
        """The names an object lists that begin with a text, but for those that are there or cannot come any more."""
        behind = self._last(shape, seen)
        open_names = (name for name, goal in shape.named.items() if goal is not NEVER and name.startswith(partial))
        return [name for name in open_names if name not in seen and self.place(shape, name) >= behind]

    def free(self, shape: Object, seen: Collection[str], partial: str = "", depth: int = DEPTH) -> Iterator[str]:
        """Names that an object does not list and does not have yet, and that begin with a text."""
        classes = [names for names, goal in shape.classes if self._values.within(goal, depth) is not None]
        found = in_turns(_unlisted(names, partial) for names in classes)
        return (name for name in found if name not in shape.named and name not in seen)

    def may_begin(self, shape: Object, names: Sequence[str]) -> bool:
        """Whether an object may begin with members of some names, in this order."""
        places = [self.place(shape, name) for name in names]
        if NEVER in map(shape.member, names) or places != sorted(places):
            return False
        return self.missing(shape, names) is not None

    def in_order(self, shape: Object, names: Iterable[str]) -> list[str]:
        """Names in an order in which the grammar writes them."""
        return sorted(names, key=lambda name: self.place(shape, name))

    def _last(self, shape: Object, seen: Sequence[str]) -> int:
        """The place of the member behind which others must come."""
        return max((self.place(shape, name) for name in seen), default=-1)

    def place(self, shape: Object, name: str) -> int:
        """Where a name stands among those an object lists, or behind them; 0 for all where the order is free."""
        if self._any_order:
            return 0
        places = self._places.get(shape)
        if places is None:
            places = self._places[shape] = {name: place for place, name in enumerate(shape.named)}
        return places.get(name, len(places))


def _unlisted(names: Language, partial: str) -> Iterator[str]:
    """Strings of a language that begin with a text; the empty one last, for it looks odd."""
    yield from filter(None, remembered_strings(names, partial))
    if not partial and "" in names:
        yield ""


class Items:
    """The items an array still needs: up to its length, different where they must be, and as `contains` asks."""

    def __init__(self, values: Values, shape: Array, taken: Sequence[str], hits: Collection[Goal | None] = ()) -> None:
        """Looks at the items an array has.

        Args:
            values: makes the others.
            shape: the array.
            taken: the texts of its items.
            hits: what `contains` asks for and one more item satisfies, of which nothing else is known; empty if
                there is no such item.
        """
        self._values = values
        self._shape = shape
        self._length = len(taken) + bool(hits)
        self._used = {value_of(text) for text in taken} if shape.unique else set()
        self._others: dict[Goal, Iterator[str]] = {}
        self._hits = [sum(self._hit(goal, text) for text in taken) + (goal in hits) for goal, _, _ in shape.contains]

    def _hit(self, goal: Goal, text: str) -> bool:
        return self._values.spelled(goal, json.loads(text)) is not None

    def missing(self, depth: int = DEPTH) -> list[str] | None:
        """Texts of the missing items, nested no deeper than `depth`; None if one of them has none."""
        shape, found = self._shape, list[str]()
        if max([shape.least, *(least for _, least, _ in shape.contains)]) > self._length + _LONGEST_ARRAY:
            return None
        last = max(shape.least, self._length + len(shape.prefix) + sum(least for _, least, _ in shape.contains))
        while self._length < shape.least or self._lacking():
            text = None if self._length in (shape.most, last, _LONGEST_ARRAY) else self._next(depth)
            if text is None:
                return None
            found.append(text)
            self._add(text)
        return found

    def _add(self, text: str) -> None:
        self._length += 1
        if self._shape.unique:
            self._used.add(value_of(text))
        for index, (goal, _, _) in enumerate(self._shape.contains):
            self._hits[index] += self._hit(goal, text)

    def _next(self, depth: int) -> str | None:
        """A short text of the next item that is not in use."""
        goal = self._goal(depth)
        text = None if depth < 0 else self._values.within(goal, depth)
        if text is None or not self._used or value_of(text) not in self._used:
            return text
        if goal not in self._others:
            self._others[goal] = self._values.different(goal)
        return next((text for text in self._others[goal] if value_of(text) not in self._used), None)

    def _lacking(self) -> list[Goal]:
        """What too few items satisfy."""
        return [goal for hits, (goal, least, _) in zip(self._hits, self._shape.contains, strict=True) if hits < least]

    def _goal(self, depth: int) -> Goal:
        """What the next item had best be: all that is lacking, and nothing there is enough of, as far as can be."""
        goal = self._shape.item(self._length)
        wanted = self._lacking()
        for hits, (full, _, most) in zip(self._hits, self._shape.contains, strict=True):
            wanted += negated(full) if most is not None and hits >= most and len(full) == 1 else []
        for other in wanted:
            joint = both(goal, other)
            if self._values.within(joint, depth) is not None:
                goal = joint
        return goal


@lru_cache(maxsize=4096)
def value_of(text: str) -> str:
    """A text that equal JSON values share: 1 is 1.0 but not true, and members have no order."""
    return json.dumps(plain_numbers(json.loads(text)), sort_keys=True)
