"""Objects by the shape of their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony_gen.schema.normal.goals import ANY, NEVER, Goal, both, fewest, negated
from harmony_gen.schema.strings.language import Language

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


_ALL = ((Language.ALL, ANY),)
"""The classes of objects that hold whatever names they like."""


class Object:
    """Objects by their members. Names that are neither named nor in a class do not occur.

    Attributes:
        named: what the members of these names are, in their order; NEVER where a name must not occur.
        classes: what the members of all other names are, by disjoint classes of names.
        required: names that must occur.
        least: members there are at least.
        most: members there are at most, or None.
        needs: (name, other): where the name occurs the other must.
    """

    __slots__ = ("_key", "classes", "least", "most", "named", "needs", "required")

    def __init__(
        self,
        named: dict[str, Goal],
        classes: tuple[tuple[Language, Goal], ...],
        required: frozenset[str] = frozenset(),
        count: tuple[int, int | None] = (0, None),
        needs: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        self.named = named
        self.classes = classes
        self.required = required
        self.least, self.most = count
        self.needs = needs
        self._key: Any = None

    def key(self) -> Any:
        """Equal for objects that are alike."""
        if self._key is None:
            self._key = (tuple(self.named.items()), self.classes, self.required, self.least, self.most, self.needs)
        return self._key

    def member(self, name: str) -> Goal:
        """What the member of a name is."""
        found = self.named.get(name)
        if found is None:
            found = ANY if self.classes is _ALL else _member(self.classes, name)
        return found

    def __and__(self, other: Object) -> Object | None:
        """The intersection, or None if it is empty."""
        if other is OPEN:
            return self
        if self is OPEN:
            return other
        if other.classes is _ALL:  # few names matter
            named = self.named | {name: both(self.member(name), goal) for name, goal in other.named.items()}
        else:
            named = {name: both(goal, other.member(name)) for name, goal in self.named.items()}
            more = {name: goal for name, goal in other.named.items() if name not in named}
            named |= {name: both(goal, self.member(name)) for name, goal in more.items()}
        return objects(
            named,
            _refined(self.classes, other.classes),
            self.required | other.required,
            (max(self.least, other.least), fewest(self.most, other.most)),
            self.needs | other.needs,
        )


def _member(classes: tuple[tuple[Language, Goal], ...], name: str) -> Goal:
    """What the member of a name is that no object lists."""
    return next((goal for names, goal in classes if name in names), NEVER)


def _refined(
    one: tuple[tuple[Language, Goal], ...], other: tuple[tuple[Language, Goal], ...]
) -> tuple[tuple[Language, Goal], ...]:
    """The classes in which two partitions of names agree."""
    if other == _ALL:
        return one
    if one == _ALL:
        return other
    pairs = ((names & others, both(goal, wanted)) for names, goal in one for others, wanted in other)
    return tuple((names, goal) for names, goal in pairs if goal is not NEVER and not names.is_empty())


def objects(
    named: dict[str, Goal],
    classes: tuple[tuple[Language, Goal], ...],
    required: frozenset[str],
    count: tuple[int, int | None] = (0, None),
    needs: frozenset[tuple[str, str]] = frozenset(),
) -> Object | None:
    """Objects in normal form, or None if there are none: names that matter are among the named ones."""
    required |= _reached(required, needs)
    missing = [
        name for name in (*sorted(required), *(name for pair in sorted(needs) for name in pair)) if name not in named
    ]
    if missing:
        shape = Object(named, classes)
        named = named | {name: shape.member(name) for name in missing}
    if needs:
        never = _reached((name for name, goal in named.items() if goal is NEVER), [pair[::-1] for pair in needs])
        named = named | dict.fromkeys(never, NEVER)
        needs = frozenset(pair for pair in needs if pair[1] not in required)
    if classes is not _ALL:
        classes = tuple(pair for pair in classes if pair[0].values is None or not pair[0].values <= named.keys())
    if any(named[name] is NEVER for name in required):
        return None
    least, most = max(count[0], len(required)), count[1]
    if most is not None and least > most:
        return None
    if not classes:
        possible = sum(goal is not NEVER for goal in named.values())
        if possible < least:
            return None
        most = None if most is not None and most >= possible else most
    return Object(named, classes, required, (least if least > len(required) else 0, most), needs)


def _reached(names: Iterable[str], pairs: Collection[tuple[str, str]]) -> frozenset[str]:
    """Some names, and all others that pairs lead to."""
    found = frozenset(names)
    while more := {other for name, other in pairs if name in found} - found:
        found |= more
    return found


OPEN = Object({}, _ALL)
"""All objects."""


def difference(one: Object, other: Object) -> list[Object] | None:
    """The objects of one shape that are not of another, or None where shapes cannot say it.

    They break the other shape somewhere: lack a name it requires, hold a value it forbids, and so on. A name that
    stands in no list cannot be pointed at, so the classes of the other shape must not matter to such names.
    """
    if (one & other) is None:
        return [one]
    names = dict.fromkeys(other.named)
    if other.classes != _ALL:
        if not all((known, goal) in other.classes or (known, ANY) in other.classes for known, goal in one.classes):
            return None
        names |= dict.fromkeys(one.named)
    found = [objects({name: NEVER}, _ALL, frozenset()) for name in sorted(other.required)]
    for name in names:
        wrong = negated(other.member(name))
        found += [objects({name: goal}, _ALL, frozenset([name])) for goal in wrong]
    found += [objects({wanted: NEVER}, _ALL, frozenset([name])) for name, wanted in sorted(other.needs)]
    if other.least:
        found.append(objects({}, _ALL, frozenset(), (0, other.least - 1)))
    if other.most is not None:
        found.append(objects({}, _ALL, frozenset(), (other.most + 1, None)))
    kept = (one & shape for shape in found if shape is not None)
    return [shape for shape in kept if shape is not None]
