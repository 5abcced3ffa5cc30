"""Sets of JSON values in normal form: per JSON type a union of simple shapes.

A `Node` is closed under intersection, union and complement as far as shapes can say it. Where they cannot, the
result admits *more* than it should, and the type is named in `Node.loose`. Nothing here knows JSON Schema.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harmony_gen.schema.normal import arrays as array_shapes
from harmony_gen.schema.normal import numbers as number_shapes
from harmony_gen.schema.normal import objects as object_shapes
from harmony_gen.schema.normal.arrays import Array
from harmony_gen.schema.normal.numbers import Numbers
from harmony_gen.schema.normal.objects import OPEN, Object
from harmony_gen.schema.strings.language import Language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TYPES = ("null", "boolean", "number", "string", "array", "object")
WIDTH = 128
"""The most shapes that a product may have; beyond it the smaller factor is kept alone."""
_HEAVIEST = 1_000
"""The most languages that a set of strings may be made of."""


@dataclass(frozen=True, slots=True)
class Node:
    """A set of JSON values: the union of what it holds of each type.

    Attributes:
        null: whether null is in it.
        booleans: the booleans in it.
        numbers: the numbers in it, by intervals.
        strings: the strings in it.
        arrays: the arrays in it, by shapes.
        objects: the objects in it, by shapes.
        loose: the types of which it holds more than was meant.
    """

    null: bool = False
    booleans: frozenset[bool] = frozenset()
    numbers: tuple[Numbers, ...] = ()
    strings: Language = Language.NONE
    arrays: tuple[Array, ...] = ()
    objects: tuple[Object, ...] = ()
    loose: frozenset[str] = frozenset()

    @property
    def kinds(self) -> frozenset[str]:
        """The types of which it holds values, as far as that shows without looking up goals."""
        held = {
            "null": self.null,
            "boolean": self.booleans,
            "number": self.numbers,
            "string": not self.strings.is_empty(),
            "array": self.arrays,
            "object": self.objects,
        }
        return frozenset(kind for kind, values in held.items() if values)

    def __and__(self, other: Node) -> Node:
        """The intersection; looser than that where it would have too many shapes."""
        if other is EVERYTHING:
            return self
        if self is EVERYTHING:
            return other
        loose = set(self.loose | other.loose)
        return Node(
            self.null and other.null,
            self.booleans & other.booleans,
            _product(self.numbers, other.numbers, "number", loose),
            _common(self.strings, other.strings, loose),
            _product(self.arrays, other.arrays, "array", loose),
            _product(self.objects, other.objects, "object", loose),
            frozenset(loose),
        )

    def only(self, types: Iterable[str]) -> Node:
        """Its values of some types; "integer" counts as one."""
        kinds = set(types)
        numbers = self.numbers if "number" in kinds else ()
        if "integer" in kinds and "number" not in kinds:
            numbers = tuple(found for one in self.numbers if (found := one & _INTEGERS) is not None)
            kinds.add("number")
        return Node(
            self.null and "null" in kinds,
            self.booleans if "boolean" in kinds else frozenset(),
            numbers,
            self.strings if "string" in kinds else Language.NONE,
            self.arrays if "array" in kinds else (),
            self.objects if "object" in kinds else (),
            self.loose & kinds,
        )

    def minus(self, other: Node) -> Node:
        """Its values that are not in another; of a type of which that is loose, all of them."""
        kept = self.kinds & other.kinds & other.loose
        loose = {*self.loose, *kept}
        without = other.only(set(TYPES) - kept)
        return Node(
            self.null and not without.null,
            self.booleans - without.booleans,
            _difference(self.numbers, without.numbers, number_shapes.difference, "number", loose),
            _common(self.strings, ~without.strings, loose),
            _difference(self.arrays, without.arrays, array_shapes.difference, "array", loose),
            _difference(self.objects, without.objects, object_shapes.difference, "object", loose),
            frozenset(loose),
        )

    def complement(self) -> Node:
        """All other values; of a type of which it is loose, all there are."""
        return EVERYTHING.minus(self)

    def loosened(self, kind: str) -> Node:
        """The same, with a type marked as loose."""
        return replace(self, loose=self.loose | {kind})

    def values(self) -> list[Any] | None:
        """All its values where they are scalars and few enough to be listed, else None."""
        points = [numbers.point for numbers in self.numbers if not numbers.steps]
        texts = self.strings.values
        if len(points) < len(self.numbers) or None in points or texts is None or self.arrays or self.objects:
            return None
        return [*([None] if self.null else []), *sorted(self.booleans), *points, *sorted(texts)]


_INTEGERS = Numbers(whole=True)
EVERYTHING = Node(
    null=True,
    booleans=frozenset((True, False)),
    numbers=(Numbers(),),
    strings=Language.ALL,
    arrays=(Array(),),
    objects=(OPEN,),
)
NOTHING = Node()


def union(nodes: Iterable[Node]) -> Node:
    """The union of sets of values."""
    nodes = tuple(nodes)
    if len(nodes) == 1:
        return nodes[0]
    if any(node is EVERYTHING for node in nodes):
        return EVERYTHING
    loose = set[str]().union(*(node.loose for node in nodes))
    return Node(
        any(node.null for node in nodes),
        frozenset().union(*(node.booleans for node in nodes)),
        _distinct(number for node in nodes for number in node.numbers),
        _united([node.strings for node in nodes], loose),
        _distinct(shape for node in nodes for shape in node.arrays),
        _distinct_objects(shape for node in nodes for shape in node.objects),
        frozenset(loose),
    )


def _common(one: Language, other: Language, loose: set[str]) -> Language:
    """The strings that are in both of two languages; those of one where the two are too heavy together."""
    if one.weight + other.weight > _HEAVIEST:
        loose.add("string")
        return one
    found = one & other
    if not found.exact:
        loose.add("string")
    return found


def _united(languages: list[Language], loose: set[str]) -> Language:
    """The strings that are in some language; all where they are too heavy together."""
    if sum(language.weight for language in languages) > _HEAVIEST:
        loose.add("string")
        return Language.ALL
    found = Language.NONE
    for language in languages:
        found |= language
    return found


def _distinct(shapes: Iterable[Any]) -> tuple[Any, ...]:
    found = tuple(dict.fromkeys(shapes))
    everything = next((shape for shape in found if shape in (Numbers(), Array())), None)
    return found if everything is None else (everything,)


def _distinct_objects(shapes: Iterable[Object]) -> tuple[Object, ...]:
    found = {shape.key(): shape for shape in shapes}
    return (OPEN,) if OPEN.key() in found else tuple(found.values())


def _product(one: tuple[Any, ...], other: tuple[Any, ...], kind: str, loose: set[str]) -> tuple[Any, ...]:
    """The pairwise intersections of two unions; the smaller union alone where there would be too many."""
    if len(one) * len(other) > WIDTH and min(len(one), len(other)) > 1:
        loose.add(kind)
        return min(one, other, key=len)
    found = (left & right for left in one for right in other)
    shapes = (shape for shape in found if shape is not None)
    return _distinct_objects(shapes) if kind == "object" else _distinct(shapes)


def _difference(
    shapes: tuple[Any, ...],
    others: tuple[Any, ...],
    difference: Callable[[Any, Any], list[Any] | None],
    kind: str,
    loose: set[str],
) -> tuple[Any, ...]:
    """The shapes without others; where that cannot be said, or has too many shapes, with them."""
    found = shapes
    for other in others:
        pieces: list[Any] = []
        for one in found:
            rest = difference(one, other)
            if rest is None:
                loose.add(kind)
            pieces += [one] if rest is None else rest
        if len(pieces) > max(WIDTH, len(found)):
            loose.add(kind)
        else:
            found = _distinct_objects(pieces) if kind == "object" else _distinct(pieces)
    return found
