"""A part of a JSON Schema together with what its references mean there.

References are resolved by the `referencing` package; it is never allowed to fetch anything.
"""

from __future__ import annotations

import re
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import referencing
import referencing.exceptions
import referencing.jsonschema
from jsonschema_specifications import REGISTRY
from referencing.jsonschema import DRAFT202012

from harmony_gen.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.scanner import Path

JsonSchema = dict[str, Any] | bool
Specification = referencing.Specification[Any]

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
    def root(cls, schema: JsonSchema) -> Subschema:
        """The whole of a schema; its dialect is named by `$schema`, 2020-12 by default."""
        specification = dialect(schema)
        resource = specification.create_resource(schema)
        return cls(schema, REGISTRY.resolver_with_root(resource), specification)

    def child(self, contents: Any) -> Subschema:
        """A schema that stands inside this one."""
        if not isinstance(contents, dict):  # a boolean has no `id`, and neither have the lists under `dependencies`
            return Subschema(contents, self.resolver, self.specification)
        resource = self.specification.create_resource(contents)
        return Subschema(contents, self.resolver.in_subresource(resource), self.specification)

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
        except (referencing.exceptions.Unresolvable, ValueError, TypeError) as error:
            message = f"{keyword} {ref!r} names nothing in this schema, and nothing is fetched from elsewhere."
            raise SchemaError(message, keyword=keyword) from error
        if not isinstance(resolved.contents, dict | bool):
            message = f"{keyword} {ref!r} names {resolved.contents!r:.80}, which is not a schema."
            raise SchemaError(message, keyword=keyword)
        return Subschema(resolved.contents, resolved.resolver, self.specification)

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
            if re.search(pattern, key):
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
    uri = schema["$schema"]
    if not isinstance(uri, str) or uri.removesuffix("#") not in DIALECTS:
        message = f"$schema names a dialect that is not known, {uri!r}. Known are: {', '.join(DIALECTS)}."
        raise SchemaError(message, pointer="/$schema", keyword="$schema")
    return referencing.jsonschema.specification_with(uri)


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
