"""What the keywords about one type of values admit: numbers, strings, arrays, objects; and lists of values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from harmony_gen.schema.normal.arrays import Array, array
from harmony_gen.schema.normal.goals import ANY, NEVER, Goal, both
from harmony_gen.schema.normal.node import EVERYTHING, Node
from harmony_gen.schema.normal.numbers import Numbers, interval
from harmony_gen.schema.normal.objects import OPEN, Object, objects
from harmony_gen.schema.strings.factors import factors
from harmony_gen.schema.strings.formats import STANDARD
from harmony_gen.schema.strings.language import Language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.subschema import Subschema

_NUMBER = frozenset("minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split())
_STRING = frozenset("minLength maxLength pattern format x-verbatim".split())
_ARRAY = frozenset("items prefixItems additionalItems minItems maxItems uniqueItems contains".split())
_OBJECT = frozenset(
    "properties patternProperties additionalProperties propertyNames required minProperties maxProperties "
    "dependentRequired dependencies".split()
)
KEYWORDS = _NUMBER | _STRING | _ARRAY | _OBJECT
"""Keywords about one type of values."""

_MOST_PATTERNS = 6
_MOST_COUNTED = 2**31 - 1
"""No answer is so long that a larger bound matters; the engine holds no larger one."""


class Lookup(Protocol):
    """What is needed of the normal form as a whole."""

    def child(self, schema: Subschema, contents: Any) -> Goal:
        """The goal that a value satisfies a schema that stands inside another."""
        ...

    def node_of(self, schema: Subschema, contents: Any) -> Node:
        """What satisfies a schema that stands inside another."""
        ...

    def note(self, schema: Subschema, keyword: str) -> None:
        """Notes that the normal form leaves a keyword out, or part of what it says."""
        ...


class Typed:
    """The keywords about single types, one schema at a time."""

    def __init__(self, normal: Lookup) -> None:
        self._normal = normal
        self._constants: dict[str, Goal] = {}

    def node(self, schema: Subschema, names: Any) -> Node:
        """What the keywords about one type of values admit."""
        loose: set[str] = set()
        numbers: tuple[Numbers, ...] = EVERYTHING.numbers
        strings, arrays, found = EVERYTHING.strings, EVERYTHING.arrays, EVERYTHING.objects
        if names & _NUMBER:
            one = _numbers(schema.keywords)
            numbers = () if one is None else (one,)
            if any(isinstance(step, float) and not step.is_integer() for step in (one.steps if one else ())):
                self._normal.note(schema, "multipleOf")
                loose.add("number")
        if names & _STRING:
            strings = self._strings(schema, loose)
            if not strings.exact:
                loose.add("string")
        if names & _ARRAY:
            arrays = self._arrays(schema)
        if names & _OBJECT:
            found = self._members(schema, loose)
        return Node(EVERYTHING.null, EVERYTHING.booleans, numbers, strings, arrays, found, frozenset(loose))

    def _strings(self, schema: Subschema, loose: set[str]) -> Language:
        keywords = schema.keywords
        found = Language.ALL
        if "minLength" in keywords or "maxLength" in keywords:
            most = keywords.get("maxLength")
            found = Language.lengths(_count(keywords.get("minLength", 0)), None if most is None else _count(most))
        if "pattern" in keywords:
            found &= Language.pattern(keywords["pattern"])
        if isinstance(keywords.get("x-verbatim"), str):  # bound to a source
            found &= factors(keywords["x-verbatim"], whole=keywords.get("x-whole-words") is True)
        known = STANDARD.get(keywords.get("format", ""))
        if known is not None:
            if not known.exact:
                self._normal.note(schema, "format")
                loose.add("string")
            found &= Language.whole(known.pattern) & Language.lengths(0, known.longest)
        if not found.exact:
            for keyword in _STRING & keywords.keys():
                self._normal.note(schema, keyword)
        return found

    def _arrays(self, schema: Subschema) -> tuple[Array, ...]:
        keywords = schema.keywords
        items = keywords.get("items")
        prefix = items if isinstance(items, list) else keywords.get("prefixItems", [])
        rest = keywords.get("additionalItems", True) if isinstance(items, list) else items
        most = keywords.get("maxItems")
        contains: tuple[tuple[Goal, int, int | None], ...] = ()
        if "contains" in keywords:
            limit = keywords.get("maxContains")
            count = (_count(keywords.get("minContains", 1)), None if limit is None else _count(limit))
            if count != (0, None):
                contains = ((self._normal.child(schema, keywords["contains"]), *count),)
        found = array(
            tuple(self._normal.child(schema, part) for part in prefix),
            ANY if rest is None else self._normal.child(schema, rest),
            _count(keywords.get("minItems", 0)),
            None if most is None else _count(most),
            contains,
            unique=keywords.get("uniqueItems") is True,
        )
        return () if found is None else (found,)

    def _members(self, schema: Subschema, loose: set[str]) -> tuple[Object, ...]:
        keywords = schema.keywords
        required = keywords.get("required", ())
        required = required if isinstance(required, list) else ()
        properties = keywords.get("properties", {})
        patterns = self._patterns(schema, loose)
        rest = self._normal.child(schema, keywords.get("additionalProperties", True))
        named: dict[str, Goal] = {}
        for name in dict.fromkeys((*properties, *required)):
            goals = [goal for names, goal in patterns if name in names]
            if name in properties:
                goals.append(self._normal.child(schema, properties[name]))
            named[name] = _all(goals) if goals else rest
        most = keywords.get("maxProperties")
        found = objects(
            named,
            cells(patterns, rest),
            frozenset(required),
            (_count(keywords.get("minProperties", 0)), None if most is None else _count(most)),
            frozenset(self._needs(keywords)),
        )
        if found is not None and "propertyNames" in keywords:
            found &= self._names(schema, found, loose)
        return () if found is None else (found,)

    def _patterns(self, schema: Subschema, loose: set[str]) -> list[tuple[Language, Goal]]:
        """`patternProperties`, each pattern as the names it matches."""
        found = []
        table = schema.keywords.get("patternProperties", {})
        for pattern, part in table.items():
            names = Language.pattern(pattern)
            if not names.exact:
                self._normal.note(schema, "patternProperties")
                self._normal.note(schema, "additionalProperties")
                loose.add("object")
            found.append((names, self._normal.child(schema, part)))
        if len(found) > _MOST_PATTERNS:
            self._normal.note(schema, "patternProperties")
            self._normal.note(schema, "additionalProperties")
            loose.add("object")
        return found

    def _names(self, schema: Subschema, shape: Object, loose: set[str]) -> Object:
        """Objects whose names all satisfy `propertyNames`."""
        node = self._normal.node_of(schema, schema.keywords["propertyNames"])
        if "string" in node.loose or not node.strings.exact:
            self._normal.note(schema, "propertyNames")
            loose.add("object")
        named = {name: ANY if name in node.strings else NEVER for name in shape.named}
        return Object(named, () if node.strings.is_empty() else ((node.strings, ANY),))

    @staticmethod
    def _needs(keywords: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """(name, other): where the name occurs the other must."""
        for keyword in ("dependentRequired", "dependencies"):
            for name, needed in keywords.get(keyword, {}).items():
                names = [needed] if isinstance(needed, str) else needed
                if isinstance(names, list):
                    yield from ((name, other) for other in names if other != name)

    def listed(self, schema: Subschema, values: list[Any]) -> Node:
        """The values of an enumeration."""
        texts = [value for value in values if isinstance(value, str)]
        numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
        points = dict.fromkeys(Numbers(value, value) for value in numbers)
        arrays = (self._exactly(schema, value) for value in values if isinstance(value, list))
        return Node(
            null=None in values,
            booleans=frozenset(value for value in values if isinstance(value, bool)),
            numbers=tuple(points),
            strings=Language.of(texts) if texts else Language.NONE,
            arrays=tuple(shape for shape in arrays if shape is not None),
            objects=tuple(
                Object({name: self._constant(schema, member) for name, member in value.items()}, (), frozenset(value))
                for value in values
                if isinstance(value, dict)
            ),
        )

    def _exactly(self, schema: Subschema, value: list[Any]) -> Array | None:
        items = tuple(self._constant(schema, item) for item in value)
        return array(items, NEVER, len(items), len(items))

    def _constant(self, schema: Subschema, value: Any) -> Goal:
        spelled = json.dumps(value)
        if spelled not in self._constants:
            self._constants[spelled] = self._normal.child(schema, {"enum": [value]})  # all dialects have it
        return self._constants[spelled]


def _all(goals: list[Goal]) -> Goal:
    found = ANY
    for goal in goals:
        found = both(found, goal)
    return found


def cells(patterns: list[tuple[Language, Goal]], rest: Goal) -> tuple[tuple[Language, Goal], ...]:
    """Disjoint classes of names, by the patterns they match; `rest` for names that match none."""
    if not patterns:
        return () if rest is NEVER else OPEN.classes if rest is ANY else ((Language.ALL, rest),)
    found = [(Language.ALL, ANY, False)]
    for names, goal in patterns[:_MOST_PATTERNS]:
        split = [(cell & names, both(wanted, goal), True) for cell, wanted, _ in found]
        split += [(cell & ~names, wanted, matched) for cell, wanted, matched in found]
        found = [cell for cell in split if not cell[0].is_empty()]
    if len(patterns) > _MOST_PATTERNS:
        rest = ANY
    classes = ((cell, wanted if matched else rest) for cell, wanted, matched in found)
    return tuple((cell, goal) for cell, goal in classes if goal is not NEVER)


def _numbers(keywords: dict[str, Any]) -> Numbers | None:
    low, high = keywords.get("minimum"), keywords.get("maximum")
    above, below = keywords.get("exclusiveMinimum"), keywords.get("exclusiveMaximum")
    found: Numbers | None = Numbers(low, high, (above is True and low is not None, below is True and high is not None))
    steps = keywords.get("multipleOf")
    others = [
        Numbers(low=above, open=(True, False)) if _is_number(above) else None,
        Numbers(high=below, open=(False, True)) if _is_number(below) else None,
        Numbers(steps=frozenset([steps])) if steps is not None else None,
    ]
    if found is not None:
        found = interval(found.low, found.high, found.open, None, frozenset())
    for other in others:
        if found is not None and other is not None:
            found &= other
    return found


def _count(value: float) -> int:
    return min(int(value), _MOST_COUNTED)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
