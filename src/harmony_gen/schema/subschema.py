"""A part of a JSON Schema together with what its references mean there.

References are resolved by the `referencing` package; it is never allowed to fetch anything. A document may hold
resources in other dialects, and refer to documents in others: each part knows its own.
"""

from __future__ import annotations

import re
import warnings
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import referencing
import referencing.exceptions
import referencing.jsonschema
from jsonschema_specifications import REGISTRY
from referencing.jsonschema import DRAFT202012

from harmony_gen.errors import SchemaError
from harmony_gen.schema.strings.ecma import to_python

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.scanner import Path

JsonSchema = dict[str, Any] | bool
Specification = referencing.Specification[Any]
Registry = referencing.Registry[Any]

DIALECTS = (
    "http://json-schema.org/draft-04/schema",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
)
"""What `$schema` may name; an empty fragment may follow."""

_FIRST_DRAFT_WITH_SIBLINGS = 2019

_SINCE = {
    6: "const contains propertyNames",
    7: "if then else",
    2019: "dependentRequired dependentSchemas minContains maxContains unevaluatedItems unevaluatedProperties "
    "$recursiveRef $recursiveAnchor",
    2020: "prefixItems $dynamicRef $dynamicAnchor",
}
"""Keywords by the draft that brought them."""

_UNTIL = {7: "dependencies", 2019: "additionalItems $recursiveRef $recursiveAnchor"}
"""Keywords by the last draft that has them."""

_NAMING = frozenset("$schema $id id".split())
_ANCHORS = frozenset("$id id $anchor $dynamicAnchor".split())
_UNRESOLVED = (referencing.exceptions.Unresolvable, ValueError, TypeError, AttributeError)

_SCHEMA = frozenset(
    "additionalProperties additionalItems unevaluatedProperties unevaluatedItems items contains not if then "
    "else propertyNames".split()
)
_SCHEMA_LISTS = frozenset("allOf anyOf oneOf prefixItems items".split())
_SCHEMA_MAPS = frozenset("properties patternProperties dependentSchemas dependencies".split())


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of ECMA 262 for Python.

    Raises:
        ValueError: Python cannot express it, or it is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "[[" means more to a later Python
            return re.compile(to_python(pattern))
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern of ECMA 262 matches some part of a text."""
    return compiled(pattern).search(text) is not None


class Subschema:
    """A schema at its place: its contents, and the resolver that knows the base URI there."""

    __slots__ = ("__dict__", "contents", "resolver", "specification")

    def __init__(
        self,
        contents: JsonSchema,
        resolver: Any,
        specification: Specification,
    ) -> None:
        self.contents = contents
        self.resolver = resolver
        self.specification = specification

    @classmethod
    def root(cls, schema: JsonSchema, registry: Registry = REGISTRY) -> Subschema:
        """The whole of a schema; its dialect is named by `$schema`, 2020-12 by default.

        Args:
            schema: it has passed its meta-schema.
            registry: the documents it may refer to.
        """
        specification = dialect(schema)
        resource = specification.create_resource(schema)
        resolver = registry.resolver_with_root(resource)
        if registry is not REGISTRY or _has_anchors(schema):
            resolver = _crawled(resolver)
        return cls(schema, resolver, specification)

    def child(self, contents: Any) -> Subschema:
        """A schema that stands inside this one.

        Raises:
            SchemaError: it has a URI that is none, or a dialect of its own that is not known.
        """
        if not isinstance(contents, dict) or _NAMING.isdisjoint(contents):  # lists stand under `dependencies`
            return Subschema(contents, self.resolver, self.specification)
        specification = inner_dialect(contents, is_resource="$id" in contents or "id" in contents)
        specification = specification or self.specification
        try:
            resolver = self.resolver.in_subresource(specification.create_resource(contents))
        except ValueError as error:
            message = f"{contents.get('$id', contents.get('id'))!r} is no URI."
            raise SchemaError(message, keyword="$id") from error
        return Subschema(contents, resolver, specification)

    def parts(self) -> Iterator[tuple[Path, Subschema]]:
        """The schemas directly inside this one, with their places; not those that only stand to be referred to."""
        for keyword, value in self.keywords.items():
            if keyword in _SCHEMA_LISTS and isinstance(value, list):
                found: Any = (((keyword, index), part) for index, part in enumerate(value))
            elif keyword in _SCHEMA_MAPS and isinstance(value, dict):
                found = (((keyword, name), part) for name, part in value.items())
            else:
                found = [((keyword,), value)] if keyword in _SCHEMA else ()
            yield from ((place, self.child(part)) for place, part in found if isinstance(part, dict | bool))

    @cached_property
    def reference(self) -> Subschema | None:
        """The schema that `$ref` names, or None without one.

        Raises:
            SchemaError: it cannot be resolved.
        """
        return self.named("$ref")

    def named(self, keyword: str) -> Subschema | None:
        """The schema that a keyword like `$ref` names, or None without one.

        Raises:
            SchemaError: it cannot be resolved.
        """
        ref = self.keywords.get(keyword)
        if not isinstance(ref, str):
            return None
        try:
            resolved = self.resolver.lookup(ref)
        except _UNRESOLVED as error:
            message = f"{keyword} {ref!r} names nothing in this schema or its registry, and nothing is fetched."
            raise SchemaError(message, keyword=keyword) from error
        if not isinstance(resolved.contents, dict | bool):
            message = f"{keyword} {ref!r} names {resolved.contents!r:.80}, which is not a schema."
            raise SchemaError(message, keyword=keyword)
        return Subschema(resolved.contents, resolved.resolver, dialect_of(resolved, self.specification))

    @cached_property
    def keywords(self) -> dict[str, Any]:
        """Its keywords that count in its dialect; {} for a boolean.

        Beside `$ref` drafts before 2019-09 ignore all others.
        """
        if not isinstance(self.contents, dict):
            return {}
        if "$ref" in self.contents and not siblings_count(self.specification):
            return {"$ref": self.contents["$ref"]}
        return without_foreign(self.contents, self.specification)

    def conjuncts(self) -> Iterator[Subschema]:
        """This schema and those a value must satisfy with it, through `$ref` and `allOf`."""
        todo, seen = [self], set()
        while todo:
            schema = todo.pop()
            if id(schema.contents) in seen:
                continue
            seen.add(id(schema.contents))
            yield schema
            if schema.reference is not None:
                todo.append(schema.reference)
            todo.extend(schema.child(part) for part in schema.keywords.get("allOf", ()))

    def member(self, key: str) -> Iterator[Subschema]:
        """The schemas of this schema alone that apply to the member `key` of an object."""
        found = False
        properties = self.keywords.get("properties", {})
        if key in properties:
            found = True
            yield self.child(properties[key])
        for pattern, schema in self.keywords.get("patternProperties", {}).items():
            if matches(pattern, key):
                found = True
                yield self.child(schema)
        if not found and "additionalProperties" in self.keywords:
            yield self.child(self.keywords["additionalProperties"])

    def item(self, index: int) -> Iterator[Subschema]:
        """The schemas of this schema alone that apply to one item of an array."""
        items = self.keywords.get("items")
        prefix = items if isinstance(items, list) else self.keywords.get("prefixItems", [])
        if index < len(prefix):
            yield self.child(prefix[index])
        elif isinstance(items, list):
            if "additionalItems" in self.keywords:
                yield self.child(self.keywords["additionalItems"])
        elif items is not None:
            yield self.child(items)


def certain(root: Subschema, path: Path) -> list[Subschema]:
    """The schemas that apply to the value at `path` whatever else the document holds.

    Schemas under `anyOf`, `oneOf`, `if` and the like are left out: they may or may not apply.
    """
    found = list(root.conjuncts())
    for step in path:
        below = [
            child for schema in found for child in (schema.member(step) if isinstance(step, str) else schema.item(step))
        ]
        found = [part for child in below for part in child.conjuncts()]
    return found


def dialect(schema: JsonSchema) -> Specification:
    """The specification that `$schema` names; 2020-12 when it is not there.

    Raises:
        SchemaError: it names none that is known.
    """
    if not isinstance(schema, dict) or "$schema" not in schema:
        return DRAFT202012
    found = _known_dialect(schema["$schema"])
    if found is None:
        raise _unknown(schema["$schema"])
    return found


def inner_dialect(contents: Any, *, is_resource: bool) -> Specification | None:
    """The specification that a schema inside another, or referred to by it, names; None without one.

    Raises:
        SchemaError: it is a resource, and the dialect is not known. Elsewhere that is an annotation.
    """
    if not isinstance(contents, dict) or "$schema" not in contents:
        return None
    found = _known_dialect(contents["$schema"])
    if found is None and is_resource:
        raise _unknown(contents["$schema"])
    return found


def dialect_of(resolved: Any, default: Specification) -> Specification:
    """The specification of what a reference names.

    Args:
        resolved: what the resolver made of the reference.
        default: the specification of the schema that holds the reference.

    Raises:
        SchemaError: it is in a dialect that is not known.
    """
    resource = resolved.resolver._registry.get(resolved.resolver._base_uri)
    if resource is None:
        return inner_dialect(resolved.contents, is_resource=False) or default
    inner_dialect(resource.contents, is_resource=True)
    return inner_dialect(resolved.contents, is_resource=False) or resource._specification


def _known_dialect(uri: Any) -> Specification | None:
    if not isinstance(uri, str) or uri.removesuffix("#") not in DIALECTS:
        return None
    return referencing.jsonschema.specification_with(uri)


def _unknown(uri: Any) -> SchemaError:
    message = f"$schema names a dialect that is not known, {uri!r}. Known are: {', '.join(DIALECTS)}."
    return SchemaError(message, pointer="/$schema", keyword="$schema")


def _has_anchors(schema: JsonSchema) -> bool:
    """Whether a schema seems to hold parts that have names of their own; data may look like them."""
    todo: list[Any] = [schema]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            if any(isinstance(value[keyword], str) for keyword in _ANCHORS & value.keys()):
                return True
            todo.extend(value.values())
        elif isinstance(value, list):
            todo.extend(value)
    return False


def _crawled(resolver: Any) -> Any:
    """The resolver with all names looked up at once; otherwise it would do so for each reference anew."""
    try:
        registry = resolver._registry.crawl()
    except (ValueError, TypeError, AttributeError):  # odd parts, which may be of no account
        return resolver
    return type(resolver)(base_uri=resolver._base_uri, registry=registry)


def siblings_count(specification: Specification) -> bool:
    """Whether keywords beside `$ref` apply, as they do from 2019-09 on."""
    return _draft(specification) >= _FIRST_DRAFT_WITH_SIBLINGS


def without_foreign(contents: dict[str, Any], specification: Specification) -> dict[str, Any]:
    """A schema object without the keywords of other drafts: by the standard they are annotations here."""
    foreign = _foreign(_draft(specification)) & contents.keys()
    return {name: value for name, value in contents.items() if name not in foreign} if foreign else contents


def _draft(specification: Specification) -> int:
    """The number of a draft, or the year in which it came out: 4, 6, 7, 2019, 2020."""
    return int(re.findall(r"\d+", specification.name)[0])


@cache
def _foreign(draft: int) -> frozenset[str]:
    """The keywords that other drafts have and this one does not."""
    later = [names for since, names in _SINCE.items() if draft < since]
    gone = [names for until, names in _UNTIL.items() if draft > until]
    return frozenset(" ".join(later + gone).split())
