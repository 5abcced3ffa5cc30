"""JSON Schema → normal form: what a schema admits, per JSON type, as a union of shapes.

Keywords that combine schemas are multiplied out: `allOf` and `$ref` intersect, `anyOf` unites, `oneOf` unites what
no other branch admits, `not` and `if` complement. What a shape cannot say is left out, so that the normal form
admits more than the schema, and noted: the keyword is then checked by a rule instead of the mask.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import SchemaError
from harmony_gen.schema.normal.arrays import array
from harmony_gen.schema.normal.disjoint import Disjoint
from harmony_gen.schema.normal.goals import ANY, NEVER, Fact, Goal
from harmony_gen.schema.normal.node import EVERYTHING, NOTHING, TYPES, WIDTH, Node, union
from harmony_gen.schema.normal.objects import OPEN, Object, objects
from harmony_gen.schema.normal.typed import KEYWORDS, Typed, cells
from harmony_gen.schema.normal.unevaluated import also_applied, evaluated_items, evaluated_properties
from harmony_gen.schema.strings.language import Language

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harmony_gen.schema.subschema import Subschema

_EVERYTHING_LOOSE = replace(EVERYTHING, loose=frozenset(TYPES))
_MOST_WORK = 300
_MOST_PIECES, _GROWTH = 16, 4
_MOST_GOALS = 30_000
"""Goals that are looked up; a schema that needs more, by products of its parts, is left loose from there on."""


class _Unknown(Exception):  # noqa: N818 - it is caught where the question was asked
    """What is asked for hangs on a schema that is being expanded."""


class Normal:
    """The normal forms of a schema and of all it holds, made when asked for and kept.

    Attributes:
        noted: (identity of a schema's contents, keyword): what the normal form leaves out.
        led: identity of the contents of a schema with a `$ref` → that of what it names.
    """

    def __init__(self, root: Subschema, *, plain: bool = False) -> None:
        """Begins with the root.

        Args:
            root: the schema.
            plain: without differences of sets, which may need many shapes.
        """
        self._plain = plain
        self.noted: set[tuple[int, str]] = set()
        self.led: dict[int, int] = {}
        self._root = root
        self._resource: set[int] | None = None  # identities of what is in the only resource there is
        self._schemas: list[Subschema] = [root.child({})]  # number 0 is `true`
        self._numbers: dict[int, int] = {}
        self._positive: dict[int, Node] = {}
        self._open: dict[int, int] = {}  # schemas that are being expanded, with the depth of asides there
        self._asides = 0
        self._nodes: dict[Goal, Node] = {ANY: EVERYTHING, NEVER: NOTHING}
        self._disjoint = Disjoint(self._aside)
        self._typed = Typed(self)
        self.root = self.goal(root)

    def goal(self, schema: Subschema) -> Goal:
        """The goal that a value satisfies one schema."""
        if isinstance(schema.contents, bool):
            return ANY if schema.contents else NEVER
        if not schema.contents:
            return ANY
        number = self._numbers.get(id(schema.contents))
        if number is None:
            number = self._numbers[id(schema.contents)] = len(self._schemas)
            self._schemas.append(schema)
        return frozenset([Fact(number, positive=True)])

    def node(self, goal: Goal) -> Node:
        """What satisfies a goal."""
        found = self._nodes.get(goal)
        if found is None:
            found = EVERYTHING if len(self._nodes) < _MOST_GOALS else _EVERYTHING_LOOSE
            if found is _EVERYTHING_LOOSE:
                for schema in self.at_level(goal):
                    self._note_all(schema)
                return found
            for fact in sorted(goal, key=lambda fact: (not fact.positive, fact.schema)):
                node = self._of(fact.schema)
                found = found & node if fact.positive else self._but(found, node, self._schemas[fact.schema], "not")
            self._nodes[goal] = found
        return found

    def _of(self, number: int) -> Node:
        """What satisfies one schema."""
        found = self._positive.get(number)
        if found is None:
            schema = self._schemas[number]
            if self._open.get(number, self._asides) < self._asides:
                raise _Unknown
            if number in self._open:  # a schema that applies to a value because it applies to it
                _refuse_endless(schema)
                self._note_all(schema)
                return _EVERYTHING_LOOSE
            self._open[number] = self._asides
            try:
                found = self._positive[number] = self._expand(schema)
            finally:
                del self._open[number]
        return found

    def _aside(self, goal: Goal) -> Node | None:
        """What satisfies a goal, or None if that hangs on a schema that is being expanded: for a comparison."""
        self._asides += 1
        try:
            return self.node(goal)
        except _Unknown:
            return None
        finally:
            self._asides -= 1

    def parts(self, goal: Goal) -> Iterator[tuple[Subschema, bool]]:
        """The schemas that a goal speaks of, and for each whether a value satisfies it or does not."""
        return ((self._schemas[fact.schema], fact.positive) for fact in goal)

    def at_level(self, goal: Goal) -> Iterator[Subschema]:
        """The schemas that a goal applies to a value, themselves or through keywords that combine schemas."""
        todo, seen = [self._schemas[fact.schema] for fact in goal], set()
        while todo:
            schema = todo.pop()
            if id(schema.contents) in seen:
                continue
            seen.add(id(schema.contents))
            yield schema
            keywords = schema.keywords
            listed = [part for keyword in ("allOf", "anyOf", "oneOf") for part in keywords.get(keyword, ())]
            listed += [keywords[keyword] for keyword in ("not", "if", "then", "else") if keyword in keywords]
            for keyword in ("dependentSchemas", "dependencies"):
                listed += [part for part in keywords.get(keyword, {}).values() if isinstance(part, dict)]
            todo += [schema.child(part) for part in listed]
            if schema.reference is not None:
                todo.append(schema.reference)

    def note(self, schema: Subschema, keyword: str) -> None:
        """Notes that the normal form leaves a keyword out, or part of what it says."""
        self.noted.add((id(schema.contents), keyword))

    def _note_all(self, schema: Subschema) -> None:
        self.noted.update((id(schema.contents), keyword) for keyword in schema.keywords)

    def child(self, schema: Subschema, contents: Any) -> Goal:
        """The goal that a value satisfies a schema that stands inside another."""
        return self.goal(schema.child(contents))

    def node_of(self, schema: Subschema, contents: Any) -> Node:
        """What satisfies a schema that stands inside another."""
        return self.node(self.child(schema, contents))

    def _also(self, node: Node, factor: Node, schema: Subschema, keyword: str) -> Node:
        """The intersection with what a keyword admits."""
        found = node & factor
        if found.loose - node.loose - factor.loose:
            self.note(schema, keyword)
        return found

    def _but(self, node: Node, other: Node, schema: Subschema, keyword: str) -> Node:
        """A node without the values of another, for a keyword; noted if it holds more than it should."""
        found = node if self._plain else node.minus(other)
        if found is node or len(found.objects) > max(_MOST_PIECES, _GROWTH * len(node.objects)):
            found = replace(node, loose=node.loose | (node.kinds & other.kinds))
        if found.loose - node.loose:
            self.note(schema, keyword)
        return found

    def _expand(self, schema: Subschema) -> Node:
        """The intersection of what all keywords of a schema admit."""
        keywords = schema.keywords
        names = keywords.keys()
        node = EVERYTHING
        if names & KEYWORDS:
            node = self._typed.node(schema, names)
        if "type" in names:
            kinds = keywords["type"]
            node = node.only([kinds] if isinstance(kinds, str) else kinds)
        if "const" in names:
            node &= self._typed.listed(schema, [keywords["const"]])
        if "enum" in names:
            node &= self._typed.listed(schema, keywords["enum"])
        return self._combined(schema, node)

    def _combined(self, schema: Subschema, node: Node) -> Node:
        """The intersection with what the keywords that combine schemas admit."""
        keywords = schema.keywords
        for keyword, factor in self._factors(schema):
            node = self._also(node, factor, schema, keyword)
        for keyword in keywords.keys() & {"$dynamicRef", "$recursiveRef"}:
            named = schema.named(keyword)
            if named is not None and self._one_resource(named):
                node = self._also(node, self.node(self.goal(named)), schema, keyword)
            else:
                self.note(schema, keyword)
                node &= _EVERYTHING_LOOSE
        if "not" in keywords:
            node = self._but(node, self.node_of(schema, keywords["not"]), schema, "not")
        if "if" in keywords and keywords.keys() & {"then", "else"}:
            node = self._condition(schema, node)
        if "unevaluatedProperties" in keywords:
            node = self._also(node, self._unevaluated_properties(schema), schema, "unevaluatedProperties")
        if "unevaluatedItems" in keywords:
            node = self._also(node, self._unevaluated_items(schema), schema, "unevaluatedItems")
        return node

    def _one_resource(self, named: Subschema) -> bool:
        """Whether a dynamic reference names the same from everywhere: there is but one document, of one resource."""
        if self._resource is None:
            parts = list(_within(self._root))
            whole = not any({"$id", "id"} & part.keys() for part in parts[1:])
            self._resource = {id(part) for part in parts} if whole else set()
        return id(named.contents) in self._resource

    def _factors(self, schema: Subschema) -> Iterator[tuple[str, Node]]:
        """What each keyword that combines schemas admits."""
        keywords = schema.keywords
        if schema.reference is not None:
            self.led[id(schema.contents)] = id(schema.reference.contents)
            yield "$ref", self.node(self.goal(schema.reference))
        for part in keywords.get("allOf", ()):
            yield "allOf", self.node_of(schema, part)
        if "anyOf" in keywords:
            yield "anyOf", union(self.node_of(schema, part) for part in keywords["anyOf"])
        if "oneOf" in keywords:
            yield "oneOf", self._exactly_one(schema)
        for keyword in ("dependentSchemas", "dependencies"):
            for name, part in keywords.get(keyword, {}).items():
                if not isinstance(part, list | str):
                    yield keyword, self._dependent(schema, name, part)

    def _exactly_one(self, schema: Subschema) -> Node:
        """What one branch of `oneOf` admits and no other."""
        nodes = [self.node_of(schema, part) for part in schema.keywords["oneOf"]]
        overlaps = self._disjoint.overlaps(nodes)
        work = sum(4 + len(nodes[one].objects) * len(nodes[other].objects) for one, other in overlaps)
        if work > _MOST_WORK:
            self.note(schema, "oneOf")
            return _at_least_one(nodes)
        found = list(nodes)
        for pair in overlaps:
            for one, other in (pair, pair[::-1]):
                found[one] = self._but(found[one], nodes[other], schema, "oneOf")
        if _shapes(found) > max(WIDTH, 2 * _shapes(nodes)):
            self.note(schema, "oneOf")
            return _at_least_one(nodes)
        return union(found)

    def _condition(self, schema: Subschema, node: Node) -> Node:
        """What of a node satisfies `if` and `then`, or not `if` and `else`."""
        keywords = schema.keywords
        test = self.node_of(schema, keywords["if"])
        if test.loose & node.kinds:
            self.note(schema, "if")
        then = self._also(self._also(node, test, schema, "if"), self._branch(schema, "then"), schema, "if")
        other = self._also(self._but(node, test, schema, "if"), self._branch(schema, "else"), schema, "if")
        return union((then, other))

    def _branch(self, schema: Subschema, keyword: str) -> Node:
        return self.node_of(schema, schema.keywords.get(keyword, True))

    def _dependent(self, schema: Subschema, name: str, part: Any) -> Node:
        """Objects without a member, or with it and under a schema; all other values."""
        needed = self.node_of(schema, part)
        if len(needed.objects) == 1:
            only = needed.objects[0]
            plain = objects(dict.fromkeys(only.named, ANY), OPEN.classes, only.required)
            if plain is not None and plain.key() == only.key() and set(only.named) <= only.required:
                return self._objects([_needing(name, only.required)])
        present = objects({name: ANY}, OPEN.classes, frozenset([name]))
        absent = objects({name: NEVER}, OPEN.classes, frozenset())
        node = Node(objects=(present,) if present else ()) & Node(objects=needed.objects)
        return self._objects([absent, *node.objects], loose="object" in needed.loose or bool(node.loose))

    @staticmethod
    def _objects(shapes: Iterable[Object | None], *, loose: bool = False) -> Node:
        """Objects of some shapes, and everything that is no object."""
        node = replace(EVERYTHING, objects=tuple(shape for shape in shapes if shape is not None))
        return node.loosened("object") if loose else node

    def _unevaluated_properties(self, schema: Subschema) -> Node:
        """What `unevaluatedProperties` admits, where it is clear which members other keywords look at."""
        seen = evaluated_properties(schema, frozenset())
        if seen is None:
            self.note(schema, "unevaluatedProperties")
            return EVERYTHING.loosened("object")
        listed, patterns = seen
        rest = self.child(schema, schema.keywords["unevaluatedProperties"])
        classes = cells([(Language.pattern(pattern), ANY) for pattern in patterns], rest)
        if any(not names.exact for names, _ in classes):
            self.note(schema, "unevaluatedProperties")
        return self._objects([objects(dict.fromkeys(listed, ANY), classes, frozenset())])

    def _unevaluated_items(self, schema: Subschema) -> Node:
        """What `unevaluatedItems` admits, where it is clear which items other keywords look at."""
        length = evaluated_items(schema, frozenset())
        if length is None:
            self.note(schema, "unevaluatedItems")
            return EVERYTHING.loosened("array")
        rest = self.child(schema, schema.keywords["unevaluatedItems"])
        shape = array((ANY,) * length, rest, 0, None)
        return replace(EVERYTHING, arrays=() if shape is None else (shape,))


def _shapes(nodes: list[Node]) -> int:
    return sum(len(node.objects) for node in nodes)


def _within(root: Subschema) -> Iterator[dict[str, Any]]:
    """Every object in a document, itself first."""
    todo: list[Any] = [root.contents]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            yield part
        todo.extend(part.values() if isinstance(part, dict) else part if isinstance(part, list) else ())


def _refuse_endless(schema: Subschema) -> None:
    """Raises SchemaError for a schema that applies itself to a value whatever the value is."""
    todo = [schema]
    seen: dict[int, Subschema] = {}
    while todo:
        part = todo.pop()
        if seen and part.contents is schema.contents:
            reference = next(part.keywords["$ref"] for part in reversed(seen.values()) if "$ref" in part.keywords)
            message = f"$ref {reference!r} leads back to itself without end. Leave out one of the references."
            raise SchemaError(message, keyword="$ref")
        if id(part.contents) not in seen:
            seen[id(part.contents)] = part
            todo.extend(also_applied(part))


def _at_least_one(nodes: Iterable[Node]) -> Node:
    """The union, where less was meant."""
    found = union(nodes)
    return replace(found, loose=found.loose | found.kinds)


def _needing(name: str, others: Iterable[str]) -> Object | None:
    needs = frozenset((name, other) for other in others if other != name)
    return objects({}, OPEN.classes, frozenset(), needs=needs)
