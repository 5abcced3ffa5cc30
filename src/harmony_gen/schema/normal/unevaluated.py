"""Which members and items other keywords of a schema look at, for `unevaluatedProperties` and `unevaluatedItems`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony_gen.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.subschema import Subschema

_BRANCHING = frozenset("anyOf oneOf if dependentSchemas dependencies $dynamicRef $recursiveRef".split())


def evaluated_properties(schema: Subschema, seen: frozenset[int]) -> tuple[set[str], list[str]] | None:
    """Names and patterns of the members that keywords of a schema look at; None if that depends on the value."""
    keywords = schema.keywords
    if keywords.keys() & _BRANCHING or id(schema.contents) in seen:
        return None
    names, patterns = set(keywords.get("properties", ())), list(keywords.get("patternProperties", ()))
    if "additionalProperties" in keywords or ("unevaluatedProperties" in keywords and seen):
        patterns.append("")
    for part in also_applied(schema):
        found = evaluated_properties(part, seen | {id(schema.contents)})
        if found is None:
            return None
        names |= found[0]
        patterns += found[1]
    return names, patterns


def evaluated_items(schema: Subschema, seen: frozenset[int]) -> int | None:
    """How many first items keywords of a schema look at; None if that depends on the value or there is no end."""
    keywords = schema.keywords
    if keywords.keys() & (_BRANCHING | {"contains"}) or id(schema.contents) in seen:
        return None
    items = keywords.get("items")
    if (items is not None and not isinstance(items, list)) or "additionalItems" in keywords:
        return None
    length = len(items if isinstance(items, list) else keywords.get("prefixItems", ()))
    if "unevaluatedItems" in keywords and seen:
        return None
    for part in also_applied(schema):
        found = evaluated_items(part, seen | {id(schema.contents)})
        if found is None:
            return None
        length = max(length, found)
    return length


def also_applied(schema: Subschema) -> Iterator[Subschema]:
    """The schemas that apply to a value with this one, whatever it is."""
    for part in schema.keywords.get("allOf", ()):
        yield schema.child(part)
    try:
        named = schema.reference
    except SchemaError:
        named = None
    if named is not None:
        yield named
