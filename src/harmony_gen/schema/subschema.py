"""A part of a JSON Schema together with what its references mean there.

References are resolved by the `referencing` package; it is never allowed to fetch anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import referencing
import referencing.exceptions
import referencing.jsonschema
from jsonschema_specifications import REGISTRY
from referencing.jsonschema import DRAFT202012

from harmony_gen.errors import SchemaError
from harmony_gen.schema.scanner import Path

JsonSchema = dict[str, Any] | bool

_FIRST_DRAFT_WITH_SIBLINGS = 2019


class Subschema:
    """A schema at its place: its contents, and the resolver that knows the base URI there."""

    __slots__ = ("__dict__", "contents", "resolver", "specification")

    def __init__(
        self,
        contents: JsonSchema,
        resolver: referencing.jsonschema.SchemaResolver,
        specification: referencing.jsonschema.Specification[Any],
    ) -> None:
        self.contents = contents
        self.resolver = resolver
        self.specification = specification

    @classmethod
    def root(cls, schema: JsonSchema) -> Subschema:
        """The whole of a schema; its dialect is named by `$schema`, 2020-12 by default."""
        specification = dialect(schema)
        resource = referencing.Resource(contents=schema, specification=specification)
        return cls(schema, REGISTRY.resolver_with_root(resource), specification)

    def child(self, contents: Any) -> Subschema:
        """A schema that stands inside this one."""
        if not isinstance(contents, dict):  # a boolean has no `id`, and neither have the lists under `dependencies`
            return Subschema(contents, self.resolver, self.specification)
        resource = referencing.Resource(contents=contents, specification=self.specification)
        return Subschema(contents, self.resolver.in_subresource(resource), self.specification)

    @cached_property
    def reference(self) -> Subschema | None:
        """The schema that `$ref` names, or None without one.

        Raises:
            SchemaError: it cannot be resolved.
        """
        ref = self.keywords.get("$ref")
        if not isinstance(ref, str):
            return None
        try:
            resolved = self.resolver.lookup(ref)
        except (referencing.exceptions.Unresolvable, ValueError) as error:
            message = f"$ref {ref!r} names nothing in this schema, and nothing is fetched from elsewhere."
            raise SchemaError(message, keyword="$ref") from error
        return Subschema(resolved.contents, resolved.resolver, self.specification)

    @cached_property
    def keywords(self) -> dict[str, Any]:
        """Its keywords; {} for a boolean. Beside `$ref` drafts before 2019-09 ignore all others."""
        if not isinstance(self.contents, dict):
            return {}
        if "$ref" in self.contents and not siblings_count(self.specification):
            return {"$ref": self.contents["$ref"]}
        return self.contents

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
            child
            for schema in found
            for child in (schema.member(step) if isinstance(step, str) else schema.item(step))
        ]
        found = [part for child in below for part in child.conjuncts()]
    return found


def dialect(schema: JsonSchema) -> referencing.jsonschema.Specification[Any]:
    """The specification that `$schema` names; 2020-12 when it names none or one that is not known."""
    uri = schema.get("$schema") if isinstance(schema, dict) else None
    try:
        return referencing.jsonschema.specification_with(uri) if isinstance(uri, str) else DRAFT202012
    except referencing.jsonschema.UnknownDialect:
        return DRAFT202012


def siblings_count(specification: referencing.jsonschema.Specification[Any]) -> bool:
    """Whether keywords beside `$ref` apply, as they do from 2019-09 on."""
    digits = re.findall(r"\d+", specification.name)
    return bool(digits) and int(digits[0]) >= _FIRST_DRAFT_WITH_SIBLINGS
