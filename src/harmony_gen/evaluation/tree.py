"""Values as trees: what is compared leaf by leaf, of JSON and of XML alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harmony_gen.evaluation.places import Place
from harmony_gen.pipeline.records import written
from harmony_gen.schema.scanner import pointer as json_pointer

if TYPE_CHECKING:
    from collections.abc import Hashable

    from harmony_gen.equality import Equality
    from harmony_gen.schema import Schema


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar of a value.

    Attributes:
        pointer: where it stands: a JSON Pointer or XPath.
        field: the name of its field: the same for all items of a list.
        value: what it is.
        key: what equal scalars have in common; None for null, which is the same as no value.
    """

    pointer: str
    field: str
    value: Any
    key: Hashable | None


Node = Leaf | dict[str, Any] | list[Any]
"""A leaf, named parts, or parts that may stand in any order. Parts are nodes."""


class Reader:
    """Reads values of a schema as trees."""

    def __init__(self, schema: Schema[Any], equality: Equality) -> None:
        self.schema = schema
        self._equality = equality
        self._root = None if schema.json_schema is None else Place.root(schema, schema.json_schema)

    def is_valid(self, value: Any) -> bool:
        """Whether the schema allows a value as records hold it: JSON, or an XML document or plain text as it is."""
        return self.schema.accepts(written(value, is_json=self.schema.is_json).encode("utf-8", "replace"))

    def tree(self, value: Any) -> Node:
        """The tree of a value as records hold it."""
        if self._root is not None:
            return self._json(value, "", self._root)
        if self.schema.canonical is None or not self.is_valid(value):
            return Leaf("", "", value, self._key(value, as_number=False))
        return self._xml(self.schema.canonical(value).encode())

    def _key(self, value: Any, *, as_number: bool) -> Hashable | None:
        return None if value is None else self._equality.key(value, as_number=as_number)

    def _json(self, value: Any, pointer: str, place: Place) -> Node:
        if isinstance(value, dict):
            return {
                name: self._json(part, f"{pointer}{json_pointer((name,))}", place.member(name))
                for name, part in value.items()
            }
        if isinstance(value, list):
            parts = [self._json(part, f"{pointer}/{at}", place.item(at)) for at, part in enumerate(value)]
            return dict(zip(map(str, range(len(parts))), parts, strict=True)) if place.is_tuple else parts
        return Leaf(pointer, place.name, value, self._key(value, as_number=place.spells_numbers))

    def _xml(self, text: bytes) -> Node:
        """Elements and attributes by name, each a list, for a name may stand there once or often."""
        root: dict[str, Any] = {}
        for scalar in self.schema.scalars(text):
            *above, last = scalar.pointer.split("/")[1:]
            node = root
            for step in above:
                node = _at(node, step, {})
            field = "".join(f"/{_name_and_number(step)[0]}" for step in [*above, last])
            _at(node, last, Leaf(scalar.pointer, field, scalar.value, self._key(scalar.value, as_number=False)))
        return root


def leaves(node: Node) -> list[Leaf]:
    """The scalars of a tree, in order."""
    if isinstance(node, Leaf):
        return [node]
    return [leaf for part in (node.values() if isinstance(node, dict) else node) for leaf in leaves(part)]


def identity(node: Node) -> Hashable:
    """What trees have in common that hold the same: null and empty parts count for nothing, nor does order in lists."""
    if isinstance(node, Leaf):
        return node.key
    if isinstance(node, list):
        return frozenset(Counter(identity(part) for part in node).items())
    found = ((name, identity(part)) for name, part in node.items())
    return frozenset(pair for pair in found if pair[1])


def _at(node: dict[str, Any], step: str, new: Any) -> Any:
    """What a step of an XPath leads to; made where it was not there."""
    name, number = _name_and_number(step)
    there = node.setdefault(name, [])
    if len(there) < number:
        there.append(new)
    return there[number - 1]


def _name_and_number(step: str) -> tuple[str, int]:
    name, _, number = step.removesuffix("]").partition("[")
    return name, int(number or 1)
