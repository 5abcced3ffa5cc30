"""What an author of a schema may want to know: values without a limit, and words that mean nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from harmony_gen.schema.json_schema import CONSTRAINTS
from harmony_gen.schema.scanner import Path, pointer
from harmony_gen.schema.strings.formats import STANDARD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.subschema import Subschema

_ANNOTATIONS = frozenset(
    "$schema $id id $anchor $defs definitions $comment $vocabulary title description default examples deprecated "
    "readOnly writeOnly contentEncoding contentMediaType contentSchema".split()
)
_BESIDE = frozenset("allOf anyOf oneOf then else dependentSchemas dependencies".split())
"""Keywords whose schemas apply to the same value as the schema that holds them."""

_ASIDE = frozenset("not if contains propertyNames".split())
"""Keywords whose schemas say something of a value that is looked at elsewhere."""

_ENDLESS = re.compile(r"(?<!\\)([*+]|\{\d+,\})")
_SHORT_FORMATS = frozenset("date date-time time uuid ipv4 ipv6 hostname email".split())
_TYPING = frozenset("type enum const".split())
_COMBINING = frozenset("$ref $dynamicRef $recursiveRef allOf anyOf oneOf not if".split())


class Caveat(NamedTuple):
    """Something to know about a schema.

    Attributes:
        pointer: JSON Pointer of the place; "" is the root.
        text: what it is, in a sentence.
    """

    pointer: str
    text: str


def caveats(root: Subschema) -> list[Caveat]:
    """What an author may want to know, in the order of the schema; each place and each text once."""
    found: dict[Caveat, None] = {}
    todo: list[tuple[Path, Subschema, tuple[Subschema, ...], bool]] = [((), root, (), True)]
    seen: set[int] = set()
    while todo:
        path, schema, beside, is_value = todo.pop()
        if isinstance(schema.contents, bool) or id(schema.contents) in seen:
            continue
        seen.add(id(schema.contents))
        parts = (*beside, *schema.conjuncts())
        texts = [*_ignored(schema), *(_endless(schema, parts) if is_value else ())]
        found.update(dict.fromkeys(Caveat(pointer(path), text) for text in texts))
        inner = [
            ((*path, *place), part, parts if place[0] in _BESIDE else (), place[0] not in _ASIDE)
            for place, part in schema.parts()
        ]
        if schema.reference is not None:
            inner.append((_place_of(path, schema.keywords["$ref"]), schema.reference, parts, is_value))
        todo.extend(reversed(inner))
    return list(found)


def _place_of(path: Path, reference: str) -> Path:
    """Where the schema stands that a reference names; beyond the reference if it is in another resource."""
    if not reference.startswith("#/"):
        return (*path, "$ref")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in reference[2:].split("/"))


def _ignored(schema: Subschema) -> Iterator[str]:
    """Words of one schema object that mean nothing."""
    contents: Any = schema.contents
    beside_ref = "$ref" in contents and "$ref" in schema.keywords and len(schema.keywords) == 1
    for keyword in contents:
        if keyword in CONSTRAINTS and keyword not in schema.keywords:
            why = "stands beside $ref, and is ignored in this dialect" if beside_ref else "is ignored in this dialect"
            yield f"`{keyword}` {why}"
        elif keyword not in CONSTRAINTS | _ANNOTATIONS and not keyword.startswith("x-"):
            yield f"`{keyword}` is no keyword of JSON Schema, and is ignored"
    name = schema.keywords.get("format")
    if name is not None and name not in STANDARD:
        yield f"the format {name!r} is not one of the standard, and is ignored"


def _endless(schema: Subschema, parts: tuple[Subschema, ...]) -> Iterator[str]:
    """Ways in which a value under a schema may be as long as the budget lasts."""
    given = [part.keywords for part in parts]
    if any(keywords.keys() & {"enum", "const"} for keywords in given):
        return
    if not (schema.keywords.keys() & _COMBINING or any(keywords.keys() & _TYPING for keywords in given)):
        yield "no type is given: values of all types may be written, however long"
        return
    names = schema.keywords.get("type", ())
    types = {names} if isinstance(names, str) else set(names)
    if "string" in types and not _is_short(given):
        yield "a string without maxLength may be as long as the budget lasts"
    if types & {"integer", "number"} and not _is_between(given):
        yield "a number without minimum and maximum may have many digits"
    if "array" in types and not any(_has_last_item(keywords) for keywords in given):
        yield "an array without maxItems may be as long as the budget lasts"


def _is_short(given: list[dict[str, Any]]) -> bool:
    return any(
        "maxLength" in keywords
        or keywords.get("format") in _SHORT_FORMATS
        or ("pattern" in keywords and _has_end(keywords["pattern"]))
        for keywords in given
    )


def _has_end(pattern: str) -> bool:
    """Whether a pattern plainly matches short strings only."""
    return pattern.startswith("^") and pattern.endswith("$") and not _ENDLESS.search(pattern)


def _is_between(given: list[dict[str, Any]]) -> bool:
    names = {keyword for keywords in given for keyword in keywords}
    return bool(names & {"minimum", "exclusiveMinimum"}) and bool(names & {"maximum", "exclusiveMaximum"})


def _has_last_item(keywords: dict[str, Any]) -> bool:
    listed = "prefixItems" if "prefixItems" in keywords else "items"
    others = keywords.get("items" if listed == "prefixItems" else "additionalItems")
    return "maxItems" in keywords or (isinstance(keywords.get(listed), list) and others is False)
