"""A schema as flat alternatives: `$ref`, `allOf`, `anyOf`, `oneOf` and `if` multiplied out.

This is the disjunctive normal form of a schema, bounded in size. It serves to suggest texts, so it may leave
things out: `not` is ignored, and of more alternatives than `_WIDTH` only the first are kept.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from operator import le
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harmony_gen.schema.subschema import Subschema

_WIDTH = 100
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


class Alternative:
    """Plain schemas that a value satisfies together; keywords that combine schemas do not count in them.

    Attributes:
        parts: the schemas.
    """

    __slots__ = ("__dict__", "parts")

    def __init__(self, parts: tuple[Subschema, ...] = ()) -> None:
        self.parts = parts

    def all(self, keyword: str) -> list[Any]:
        """The values of a keyword in all parts that have it."""
        return [part.keywords[keyword] for part in self.parts if keyword in part.keywords]

    def at_least(self, keyword: str) -> int:
        """The strictest of the lower bounds under this keyword, rounded; 0 without one."""
        return max((int(bound) for bound in self.all(keyword)), default=0)

    def at_most(self, keyword: str) -> int | None:
        """The strictest of the upper bounds under this keyword, rounded; None without one."""
        return min((int(bound) for bound in self.all(keyword)), default=None)

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The types a value may have; "integer" also where "number" stands."""
        left = set(_TYPES)
        for names in self.all("type"):
            given = {names} if isinstance(names, str) else set(names)
            left &= given | {"integer"} if "number" in given else given
        return tuple(name for name in _TYPES if name in left and not (name == "integer" and "number" in left))

    @cached_property
    def values(self) -> list[Any] | None:
        """The values that `const` and `enum` allow and the types agree with; None if neither is there."""
        lists = [[value] for value in self.all("const")] + self.all("enum")
        if not lists:
            return None
        return [
            value
            for value in lists[0]
            if all(any(same(value, other) for other in others) for others in lists[1:]) and self.admits_type(value)
        ]

    @cached_property
    def hints(self) -> list[Any]:
        """The values the author gives as `examples` or `default`."""
        given = [value for values in self.all("examples") if isinstance(values, list) for value in values]
        return [value for value in given + self.all("default") if self.admits_type(value)]

    @cached_property
    def properties(self) -> list[str]:
        """Names under `properties` in order, then the required names that are not among them."""
        named = dict.fromkeys(name for properties in self.all("properties") for name in properties)
        return list(named | dict.fromkeys(self.required))

    @cached_property
    def required(self) -> list[str]:
        """Names of the members an object must have in any case."""
        lists = [names for names in self.all("required") if isinstance(names, list)]
        return list(dict.fromkeys(name for names in lists for name in names))

    @cached_property
    def dependencies(self) -> dict[str, list[str]]:
        """Names of members that a member brings with it."""
        merged: dict[str, list[str]] = {}
        for keyword in ("dependentRequired", "dependencies"):
            for table in self.all(keyword):
                for name, needed in table.items():
                    names = [needed] if isinstance(needed, str) else needed
                    if isinstance(names, list):
                        merged.setdefault(name, []).extend(names)
        return merged

    @cached_property
    def possible(self) -> bool:
        """Whether types and listed values leave anything at all."""
        return bool(self.types) and self.values != []

    def admits_type(self, value: Any) -> bool:
        """Whether the type of a value is among the types."""
        name = type_of(value)
        return name in self.types or (name == "integer" and "number" in self.types)

    def required_after(self, seen: tuple[str, ...]) -> list[str]:
        """Names of the members still required when some are there, in the order the grammar wants."""
        missing = [name for name in self.required if name not in seen]
        if self.dependencies:
            todo = [*seen, *missing]
            while todo:
                for name in self.dependencies.get(todo.pop(), ()):
                    if name not in missing and name not in seen:
                        missing.append(name)
                        todo.append(name)
        return self._in_order(missing) if len(missing) > 1 else missing

    def optional_after(self, seen: tuple[str, ...]) -> list[str]:
        """Names of the listed members that may still come: those behind the last one that is there."""
        last = max((self._places.get(name, -1) for name in seen), default=-1)
        return self.properties[last + 1 :]

    def keeps_order(self, seen: tuple[str, ...]) -> bool:
        """Whether the members so far stand in the order the grammar wants, no required one skipped."""
        places = [self._places.get(name, len(self.properties)) for name in seen]
        missing = [self._places[name] for name in self.required if name not in seen]
        return all(map(le, places, places[1:])) and (not missing or not places or places[-1] < min(missing))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.properties)}

    def _in_order(self, names: list[str]) -> list[str]:
        listed = [name for name in self.properties if name in names]
        return listed + [name for name in names if name not in self.properties]


ANYTHING = Alternative()
Alternatives = tuple[Alternative, ...]


class Outline:
    """The alternatives of a schema and of all it holds, made when asked for and kept."""

    def __init__(self, root: Subschema) -> None:
        self._combined: dict[tuple[int, ...], Alternatives] = {}
        # By the identity of a schema's contents. The schema is kept, so that the identity stays taken.
        self._single: dict[int, tuple[Subschema, Alternatives]] = {}
        self._pairs: dict[tuple[Alternative, Alternative], Alternative] = {}
        self._children: dict[tuple[Alternative, str | int], Alternatives] = {}
        self.root = self.alternatives([root])

    def alternatives(self, schemas: Iterable[Subschema]) -> Alternatives:
        """What a value may be that satisfies all of some schemas."""
        schemas = tuple(schemas)
        key = tuple(id(schema.contents) for schema in schemas)
        if key not in self._combined:
            found: Alternatives = (ANYTHING,)
            for schema in schemas:
                found = self._product(found, self._of(schema))
            self._combined[key] = found
        return self._combined[key]

    def _of(self, schema: Subschema) -> Alternatives:
        if isinstance(schema.contents, bool):
            return (ANYTHING,) if schema.contents else ()
        key = id(schema.contents)
        if key not in self._single:
            self._single[key] = schema, (ANYTHING,)  # what a cycle of references sees
            self._single[key] = schema, self._expand(schema)
        return self._single[key][1]

    def _expand(self, schema: Subschema) -> Alternatives:
        plain = Alternative((schema,))
        found: Alternatives = (plain,) if plain.possible else ()
        for options in self._factors(schema):
            found = self._product(found, options)
        return found

    def _factors(self, schema: Subschema) -> Iterator[Alternatives]:
        """What each keyword that combines schemas offers."""
        keywords = schema.keywords
        try:
            if schema.reference is not None:
                yield self._of(schema.reference)
        except SchemaError:
            yield (ANYTHING,)
        for part in keywords.get("allOf", ()):
            yield self._of(schema.child(part))
        for keyword in ("anyOf", "oneOf"):
            if keyword in keywords:
                parts = [self._of(schema.child(part)) for part in keywords[keyword]]
                yield _interleave(parts)
        if "if" in keywords:
            yield self._condition(schema)
        yield from self._dependent(schema)

    def _condition(self, schema: Subschema) -> Alternatives:
        """`else` without regard to `if`, and `then` together with `if`."""
        test, then, otherwise = (
            self._of(schema.child(schema.keywords.get(keyword, True))) for keyword in ("if", "then", "else")
        )
        return (*otherwise, *self._product(test, then))

    def _dependent(self, schema: Subschema) -> Iterator[Alternatives]:
        """Schemas that a member brings with it: the member stays away, or the schema applies."""
        for keyword in ("dependentSchemas", "dependencies"):
            for name, needed in schema.keywords.get(keyword, {}).items():
                if isinstance(needed, dict):
                    present = self._of(schema.child({"required": [name]}))
                    yield (ANYTHING, *self._product(present, self._of(schema.child(needed))))

    def _product(self, left: Alternatives, right: Alternatives) -> Alternatives:
        if left == (ANYTHING,):
            return right[:_WIDTH]
        if right == (ANYTHING,):
            return left[:_WIDTH]
        found: dict[Alternative, None] = {}
        for one in left:
            for other in right:
                merged = self._merge(one, other)
                if merged.possible:
                    found[merged] = None
                if len(found) >= _WIDTH:
                    return tuple(found)
        return tuple(found)

    def _merge(self, one: Alternative, other: Alternative) -> Alternative:
        if not other.parts or one is other:
            return one
        if not one.parts:
            return other
        if (one, other) not in self._pairs:
            known = {id(part.contents) for part in one.parts}
            added = tuple(part for part in other.parts if id(part.contents) not in known)
            self._pairs[one, other] = Alternative(one.parts + added) if added else one
        return self._pairs[one, other]

    def child(self, alternative: Alternative, step: str | int) -> Alternatives:
        """What the member of this name, or the item at this index, may be."""
        if isinstance(step, int):
            step = min(step, _tuple_length(alternative))
        key = (alternative, step)
        if key not in self._children:
            look = _member if isinstance(step, str) else _item
            schemas = [schema for part in alternative.parts for schema in look(part, step)]
            self._children[key] = self.alternatives(schemas)
        return self._children[key]

    def with_keyword(self, alternatives: Alternatives, alternative: Alternative, keyword: str) -> Alternatives:
        """Alternatives that satisfy the schemas under a keyword too, such as `contains`."""
        schemas = [part.child(part.keywords[keyword]) for part in alternative.parts if keyword in part.keywords]
        return self._product(alternatives, self.alternatives(schemas))


def _member(schema: Subschema, key: Any) -> list[Subschema]:
    try:
        return list(schema.member(key))
    except re.error:  # a pattern that Python does not read
        return []


def _item(schema: Subschema, index: Any) -> list[Subschema]:
    return list(schema.item(index))


def _tuple_length(alternative: Alternative) -> int:
    """Items with a schema of their own; the others are alike."""
    lists = [*alternative.all("prefixItems"), *alternative.all("items")]
    return max((len(items) for items in lists if isinstance(items, list)), default=0)


def _interleave(options: list[Alternatives]) -> Alternatives:
    """All alternatives, the first of each option before the second of any."""
    longest = max(map(len, options), default=0)
    found = dict.fromkeys(option[i] for i in range(longest) for option in options if i < len(option))
    return tuple(found)[:_WIDTH]


def type_of(value: Any) -> str:
    """The JSON Schema type of a value."""
    if isinstance(value, float) and value.is_integer():
        return "integer"
    return _TYPE_NAMES[type(value)]


_TYPE_NAMES = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; true is not 1."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def spell(value: Any) -> str:
    """A JSON value in the compact spelling of the grammar."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text if text.isascii() or _encodes(text) else json.dumps(value, separators=(",", ":"))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
