"""Schemas with gaps: what a text does not hold may be null, or left out, though the user's schema demands it.

A schema is only ever widened: what it admits, the one with gaps admits too. Constants stay as they are, for no text
holds them: they say what kind of thing an object is.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, cast

from harmony_gen.errors import SchemaError
from harmony_gen.schema.scanner import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harmony_gen.schema.rules import Rejection, Rule
    from harmony_gen.schema.scanner import Closed, Path
    from harmony_gen.schema.schema import Schema
    from harmony_gen.schema.subschema import JsonSchema

Kind = Literal["null", "omit"]

_SCHEMA = frozenset(
    "items additionalItems additionalProperties unevaluatedProperties unevaluatedItems then else".split()
)
_LISTS = frozenset("allOf anyOf oneOf prefixItems items".split())
_MAPS = frozenset("properties patternProperties $defs definitions dependentSchemas dependencies".split())
_TURNING = frozenset("not if contains propertyNames".split())
"""Where a wider schema would make the whole narrower, or something else."""

_REFERENCES = frozenset("$ref $dynamicRef $recursiveRef".split())
_OF_ALL_TYPES = frozenset("not allOf anyOf oneOf if".split()) | _REFERENCES
_ANNOTATIONS = frozenset("title description default examples deprecated readOnly writeOnly $comment".split())
_NULL = {"type": "null"}


@lru_cache(maxsize=64)
def with_gaps(schema: Schema[Any], kind: Kind) -> Schema[Any]:
    """The schema of answers that may have gaps. Its values are plain JSON values.

    Args:
        schema: what is demanded.
        kind: "null" where each property may be null, "omit" where each may be left out.

    Raises:
        SchemaError: answers are not JSON, or a reference under `not`, `if` or `contains` could mean something else.
    """
    if schema.gapped is None or schema.json_schema is None:
        raise SchemaError(f'missing="{kind}" needs answers in JSON: other answers have no properties.')
    return schema.gapped(widened(schema.json_schema, kind))


def widened(schema: JsonSchema, kind: Kind) -> JsonSchema:
    """A JSON Schema whose properties may be null, or be left out; see `with_gaps`."""
    place = next(_turned_references(schema, ()), None)
    if place is not None:
        raise SchemaError(
            f'At {pointer(place)}: a reference in a condition does not go with missing="{kind}", for what it refers to '
            'would change. Spell the condition out, or use missing="abstain".',
            pointer=pointer(place),
            keyword=str(place[-1]),
        )
    return cast("JsonSchema", _widened(schema, kind))


def _turned_references(part: Any, path: Path, *, turned: bool = False) -> Iterator[Path]:
    """The places of references under `not`, `if` and the like."""
    if isinstance(part, list):
        for index, item in enumerate(part):
            yield from _turned_references(item, (*path, index), turned=turned)
    for keyword, value in part.items() if isinstance(part, dict) else ():
        if turned and keyword in _REFERENCES:
            yield (*path, keyword)
        elif keyword not in ("const", "enum", *_ANNOTATIONS):
            yield from _turned_references(value, (*path, keyword), turned=turned or keyword in _TURNING)


def _widened(part: Any, kind: Kind) -> Any:
    if not isinstance(part, dict):
        return part
    found: dict[str, Any] = {}
    for keyword, value in part.items():
        if keyword in _LISTS and isinstance(value, list):
            # more than one branch may hold once values may be null
            found["anyOf" if keyword == "oneOf" and "anyOf" not in part else keyword] = [
                _widened(one, kind) for one in value
            ]
        elif keyword in _MAPS and isinstance(value, dict):
            found[keyword] = {name: _member(keyword, one, kind) for name, one in value.items()}
        else:
            found[keyword] = _widened(value, kind) if keyword in _SCHEMA else value
    if "oneOf" in found:  # beside an `anyOf`
        found["allOf"] = [*found.get("allOf", ()), {"anyOf": found.pop("oneOf")}]
    if kind == "omit" and isinstance(part.get("required"), list):
        properties = part.get("properties", {})
        found["required"] = [name for name in part["required"] if _is_constant(properties.get(name))]
        if not found["required"]:  # draft 4 knows no empty list
            del found["required"]
    return found


def _member(keyword: str, schema: Any, kind: Kind) -> Any:
    """What stands in a map of schemas: a property that may be null, or a schema of its own."""
    inner = _widened(schema, kind)
    return _nullable(inner) if keyword == "properties" and kind == "null" else inner


def _nullable(schema: Any) -> Any:
    """A schema that admits null, too; spelled in place where that is possible, for references lead into it."""
    if not isinstance(schema, dict) or _is_constant(schema):
        return schema
    own = schema.keys() - _ANNOTATIONS
    if own == {"anyOf"}:
        return schema if _NULL in schema["anyOf"] else {**schema, "anyOf": [*schema["anyOf"], _NULL]}
    if own & _OF_ALL_TYPES:
        notes = {keyword: value for keyword, value in schema.items() if keyword in _ANNOTATIONS}
        others = {keyword: value for keyword, value in schema.items() if keyword not in _ANNOTATIONS}
        return {"anyOf": [others, _NULL], **notes}
    found = dict(schema)
    types = schema.get("type")
    if types is not None:
        named = [types] if isinstance(types, str) else types
        found["type"] = named if "null" in named else [*named, "null"]
    if "enum" in schema and None not in schema["enum"]:
        found["enum"] = [*schema["enum"], None]
    return found


def _is_constant(schema: Any) -> bool:
    return isinstance(schema, dict) and ("const" in schema or len(schema.get("enum", "ab")) == 1)


class UnlessNull:
    """A user's rule that is not asked about values that are missing."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def rejects(self, text: bytes, scan: Any, closed: Sequence[Closed]) -> Rejection | None:
        """See Rule."""
        return self._rule.rejects(text, scan, [item for item in closed if text[slice(*item.span)] != b"null"])
