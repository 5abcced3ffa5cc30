"""Strings that must be quotations of the source: `x-verbatim`, `Verbatim()`, `verbatim("/quote")`.

They are masked: a schema is bound to the source of each answer, and its grammar admits no other strings there. Of XML
documents see `markup.quoting`.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import SchemaError
from harmony_gen.schema.json_schema import NEGATING, subschemas
from harmony_gen.schema.scanner import pointer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

    from harmony_gen.schema.subschema import JsonSchema

KEYWORD = "x-verbatim"
WHOLE = "x-whole-words"
"""Beside it: quotations begin and end where a word, a number, a mark or a sign does."""
EVERYWHERE = "/**"
"""The place of all strings that a JSON Schema limits by their length at most."""

REFERENCES = frozenset(("$ref", "$dynamicRef", "$recursiveRef"))
COMBINED = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", *REFERENCES)
_LIMITED = frozenset(("enum", "const", "format", "pattern", *COMBINED))
"""What may make a string one that no text holds."""
_ASIDE = (*NEGATING, "propertyNames")
"""Below these stands what a value need not be, or what is no value."""

_POINTER = re.compile(r"(/([^~/]|~[01])*)*")


class Verbatim:
    """Marks a string of a Pydantic type that must be a quotation of the source: `Annotated[str, Verbatim()]`."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The type's JSON Schema, with the keyword."""
        return {**handler(schema), KEYWORD: True}


@dataclass(frozen=True)
class VerbatimPlace:
    """A place whose strings must be quotations of the source; see `verbatim`."""

    place: str


def verbatim(place: str) -> VerbatimPlace:
    """A rule that the strings at one place are quotations of the source, enforced by the mask.

    Args:
        place: a JSON Pointer; "*" stands for any index of an array. "/**" is every string that a JSON Schema limits by
            its length at most, unless below not, oneOf, if or contains. Of XML an XPath from the root, as
            "/order/note", "//line/@text" or "/order/*", with names as answers write them: the texts directly in these
            elements, or the attributes. Elements that hold a text and nothing else are not empty there.

    Raises:
        ValueError: the place is neither.
    """
    if not _POINTER.fullmatch(place):
        message = f'The place of a quotation must be a JSON Pointer like "/quote" or "/quotes/*"; it is {place!r}.'
        raise ValueError(message)
    return VerbatimPlace(place)


def with_places(schema: JsonSchema, places: Iterable[VerbatimPlace]) -> JsonSchema:
    """A JSON Schema whose strings at some places must be quotations."""
    listed = [place.place for place in places]
    if EVERYWHERE in listed:
        schema = _all_quoted(schema)
    inner = [_at(place.split("/")[1:]) for place in listed if place != EVERYWHERE]
    if not inner:
        return schema
    if not isinstance(schema, dict):
        return {"allOf": [schema, *inner]}
    outer = {keyword: value for keyword, value in schema.items() if keyword not in ("allOf", "$ref")}
    known = [*schema.get("allOf", ()), *([{"$ref": schema["$ref"]}] if "$ref" in schema else ())]
    return {**outer, "allOf": [*known, *inner]}


def _all_quoted(schema: JsonSchema) -> JsonSchema:
    """The same with the keyword on all plain strings, those that may be null as well.

    Raises:
        SchemaError: a reference says what a value need not be; quotations there could admit what the schema refuses.
    """
    found: JsonSchema = json.loads(json.dumps(schema))  # nothing in it stands at two places, as in a dict it may
    hidden = unseen_reference(found)
    if hidden is not None:
        raise SchemaError(
            f'"{EVERYWHERE}" cannot make all strings quotations: there is a reference at {hidden}, below '
            f"{', '.join(sorted(NEGATING))} or propertyNames. Name the places of the quotations instead."
        )
    for part in asserted(found):
        if is_plain_string(part):
            part.setdefault(KEYWORD, True)
    return found


def asserted(schema: JsonSchema) -> list[dict[str, Any]]:
    """The schema objects within a schema that say what values are, not what they need not be."""
    return [part for _, part in subschemas(schema, without=_ASIDE)]


def unseen_reference(schema: JsonSchema) -> str | None:
    """Where a reference says what a value need not be: what it refers to may not be made stricter."""
    known = {id(part) for part in asserted(schema)}
    others = (path for path, part in subschemas(schema) if id(part) not in known and REFERENCES & part.keys())
    return next(map(pointer, others), None)


def is_plain_string(schema: dict[str, Any]) -> bool:
    """Whether a schema is one of strings, or of strings and null, that limits them by their length at most."""
    kinds = schema.get("type")
    return "string" in ([kinds] if isinstance(kinds, str) else kinds or ()) and not _LIMITED & schema.keys()


def _at(steps: list[str]) -> dict[str, Any]:
    """What says of a place that its strings are quotations."""
    if not steps:
        return {KEYWORD: True}
    step = steps[0].replace("~1", "/").replace("~0", "~")
    return {"items": _at(steps[1:])} if step == "*" else {"properties": {step: _at(steps[1:])}}


def has_quotations(schema: JsonSchema) -> bool:
    """Whether strings of a JSON Schema must be quotations of a source that it is not bound to yet."""
    return any(part.get(KEYWORD) is True for _, part in subschemas(schema))


def bound(schema: JsonSchema, source: str) -> JsonSchema:
    """A JSON Schema whose quotations are those of a source.

    Raises:
        SchemaError: the source is empty, so nothing can be quoted.
    """
    if not source:
        raise SchemaError(f"The schema has strings that must be quotations ({KEYWORD}), and the source is empty.")
    found = copy.deepcopy(schema)
    for _, part in subschemas(found):
        if part.get(KEYWORD) is True:
            part[KEYWORD] = source
    return found
