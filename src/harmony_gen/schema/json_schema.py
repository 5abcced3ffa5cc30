"""JSON Schema → grammar, with a record of which keyword is guaranteed how.

The engine compiles a schema exactly or refuses it. What it refuses is *relaxed*: the keyword is taken out of the
grammar, which then admits more, and is checked while decoding instead. Nothing is relaxed in silence: `Lowered.coverage`
names every keyword.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harmony_gen.errors import SchemaError, UnsatisfiableError
from harmony_gen.schema import engine
from harmony_gen.schema.scanner import Path, pointer
from harmony_gen.schema.subschema import JsonSchema, Subschema, dialect, siblings_count

ANNOTATIONS = frozenset(
    "$schema $id id $anchor $comment $vocabulary $defs definitions title description default examples readOnly "
    "writeOnly deprecated contentEncoding contentMediaType contentSchema".split()
)
"""Keywords that constrain nothing by themselves."""

CONSTRAINTS = frozenset(
    "$ref $dynamicRef $recursiveRef $dynamicAnchor $recursiveAnchor type enum const allOf anyOf oneOf not if then else "
    "properties patternProperties additionalProperties unevaluatedProperties propertyNames required minProperties "
    "maxProperties dependentRequired dependentSchemas dependencies items prefixItems additionalItems unevaluatedItems "
    "contains minContains maxContains minItems maxItems uniqueItems minLength maxLength pattern format minimum maximum "
    "exclusiveMinimum exclusiveMaximum multipleOf".split()
)
"""Keywords that constrain; all others are annotations by the standard."""

STANDARD_FORMATS = frozenset(
    "date date-time time duration email idn-email hostname idn-hostname ipv4 ipv6 uri uri-reference iri iri-reference "
    "uuid uri-template json-pointer relative-json-pointer regex".split()
)
"""Formats of the standard; a name outside it is an annotation."""

EXACT_FORMATS = frozenset({"uuid", "ipv4"})
"""Formats whose grammar admits exactly the valid strings; the values of all others are checked as well."""

_SCHEMA = frozenset(
    "additionalProperties additionalItems unevaluatedProperties unevaluatedItems items contains not if then else "
    "propertyNames".split()
)
_SCHEMA_LISTS = frozenset("allOf anyOf oneOf prefixItems items".split())
_SCHEMA_MAPS = frozenset("properties patternProperties $defs definitions dependentSchemas dependencies".split())
_COUNTS = frozenset("minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains".split())

_MOST_OCCURRENCES = 40
_MOST_ROUNDS = 12


@dataclass(frozen=True)
class Lowered:
    """A JSON Schema, ready to decode.

    Attributes:
        grammar: what the engine compiles; it admits every valid text in the chosen spelling, and no fewer.
        coverage: for the pointer of each constraining keyword, "masked" (the grammar guarantees it) or "checked"
            (a rule does, while decoding).
    """

    grammar: str
    coverage: Mapping[str, str]


def lower(schema: JsonSchema) -> Lowered:
    """Compiles a schema that has passed its meta-schema.

    Raises:
        UnsatisfiableError: the engine proves that no value satisfies it.
        SchemaError: a part can be neither masked nor checked; names pointer and keyword.
    """
    if schema is False:
        raise UnsatisfiableError("The schema is `false`: no value satisfies it.")
    _check_patterns(schema)
    check_references(Subschema.root(schema))
    siblings = siblings_count(dialect(schema))
    normal = _rewrite(schema, lambda _, part: _normalise(part, siblings=siblings)) if schema is not True else {}
    grammar, relaxed = _compile(normal)
    return Lowered(grammar, _coverage(normal, relaxed))


def subschemas(schema: Any, path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every schema object within a schema, itself first, with its place."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for place, part in _parts(schema):
        yield from subschemas(part, path + place)


def _parts(schema: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    for keyword, value in schema.items():
        if keyword in _SCHEMA_LISTS and isinstance(value, list):
            yield from (((keyword, index), part) for index, part in enumerate(value))
        elif keyword in _SCHEMA_MAPS and isinstance(value, dict):
            yield from (((keyword, name), part) for name, part in value.items())
        elif keyword in _SCHEMA:
            yield (keyword,), value


def _rewrite(schema: Any, change: Callable[[Path, dict[str, Any]], Any], path: Path = ()) -> Any:
    """A copy of a schema in which every schema object has been passed through `change`, inner ones first."""
    if not isinstance(schema, dict):
        return schema
    copy = {
        keyword: value.copy() if keyword in _SCHEMA_LISTS | _SCHEMA_MAPS and value not in (True, False) else value
        for keyword, value in schema.items()
    }
    for (keyword, *inner), part in _parts(schema):
        new = _rewrite(part, change, (*path, keyword, *inner))
        if inner:
            copy[keyword][inner[0]] = new
        else:
            copy[keyword] = new
    return change(path, copy)


def _check_patterns(schema: JsonSchema) -> None:
    for path, part in subschemas(schema):
        patterns = [("pattern", part.get("pattern"))]
        patterns += [("patternProperties", name) for name in part.get("patternProperties", ())]
        for keyword, pattern in patterns:
            if isinstance(pattern, str):
                _check_pattern((*path, keyword), keyword, pattern)


def _check_pattern(path: Path, keyword: str, pattern: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "[[" means more to a later Python
            re.compile(pattern)
    except re.error as error:
        message = f"The regular expression {pattern!r} at {pointer(path)} cannot be read: {error}."
        raise SchemaError(message, pointer=pointer(path), keyword=keyword) from error


def _normalise(part: dict[str, Any], *, siblings: bool) -> dict[str, Any]:
    """Says the same in the one form the engine reads."""
    if "$ref" in part and not siblings:
        kept = {"$ref", "$schema", "$id", "id", "$defs", "definitions"}
        return {keyword: value for keyword, value in part.items() if keyword in kept}
    if part.get("format") not in STANDARD_FORMATS:
        part.pop("format", None)
    for keyword in _COUNTS & part.keys():
        if isinstance(part[keyword], float) and part[keyword].is_integer():
            part[keyword] = int(part[keyword])
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(part.get(exclusive), bool):  # draft 4
            if part.pop(exclusive) and bound in part:
                part[exclusive] = part.pop(bound)
    return part


Occurrence = tuple[Path, str]
"""A keyword at the place of its schema object."""


def _compile(schema: dict[str, Any]) -> tuple[str, frozenset[Occurrence]]:
    """The strictest grammar the engine compiles, and the keywords that had to be relaxed for it."""
    relaxed: frozenset[Occurrence] = frozenset()
    for _ in range(_MOST_ROUNDS):
        grammar = engine.grammar_of_json_schema(_relax(schema, relaxed))
        problem = _problem(grammar)
        if problem is None:
            return grammar, relaxed
        suspects = frozenset(_suspects(schema, problem)) - relaxed
        if not suspects:
            raise _refusal(problem)
        relaxed |= _guilty(schema, relaxed, suspects)
    raise _refusal(problem or "")


def _problem(grammar: str) -> str | None:
    try:
        engine.byte_matcher(grammar)
    except engine.GrammarError as error:
        return str(error).strip()
    return None


def _guilty(
    schema: dict[str, Any], relaxed: frozenset[Occurrence], suspects: frozenset[Occurrence]
) -> frozenset[Occurrence]:
    """Those of the suspects without whose relaxation the engine refuses, found by acquitting one at a time."""
    if len(suspects) == 1 or len(suspects) > _MOST_OCCURRENCES:
        return suspects
    everything = relaxed | suspects
    complaint = _problem(engine.grammar_of_json_schema(_relax(schema, everything)))
    for suspect in sorted(suspects, key=repr):
        trial = everything - {suspect}
        if _problem(engine.grammar_of_json_schema(_relax(schema, trial))) == complaint:
            everything = trial
    return everything - relaxed or suspects


def _relax(schema: dict[str, Any], relaxed: frozenset[Occurrence]) -> dict[str, Any]:
    """The schema without the relaxed keywords: it admits more."""
    if not relaxed:
        return schema
    places: dict[Path, set[str]] = {}
    for path, keyword in relaxed:
        places.setdefault(path, set()).add(keyword)

    def change(path: Path, part: dict[str, Any]) -> dict[str, Any]:
        for keyword in places.get(path, ()):
            value = part.pop(keyword, None)
            if keyword == "oneOf" and isinstance(value, list):
                part["allOf"] = [*part.get("allOf", ()), {"anyOf": value}]
        return part

    relaxed_schema: dict[str, Any] = _rewrite(schema, change)
    return relaxed_schema


_COMPLAINTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("oneOf constraints", ("oneOf",)),
    ("Unknown format", ("format",)),
    ("min/maxProperties", ("minProperties", "maxProperties")),
    ("regex", ("pattern",)),
)


def _suspects(schema: dict[str, Any], problem: str) -> Iterator[Occurrence]:
    """Occurrences of the keywords that the engine's complaint is about."""
    names = _named_keywords(problem)
    fmt = re.search(r"Unknown format: (\S+)", problem)
    for path, part in subschemas(schema):
        for keyword in names & part.keys():
            if keyword != "format" or fmt is None or part["format"] == fmt.group(1):
                yield path, keyword


def _named_keywords(problem: str) -> frozenset[str]:
    listed = re.search(r"Unimplemented keys: (\[.*?\])", problem)
    if listed:
        return frozenset(json.loads(listed.group(1)))
    for start, keywords in _COMPLAINTS:
        if start in problem:
            return frozenset(keywords)
    return frozenset()


def _refusal(problem: str) -> SchemaError:
    line = problem.splitlines()[0] if problem else "no reason given"
    if "unsatisfiable" in line.lower():
        return UnsatisfiableError(f"No value satisfies the schema: {line}")
    keyword = next((name for name in ("$ref", "patternProperties") if name in line), None)
    if "circular references" in line or "not present in a registry" in line:
        keyword = "$ref"
    return SchemaError(f"The schema cannot be guaranteed: {line}", keyword=keyword)


def _coverage(schema: dict[str, Any], relaxed: Iterable[Occurrence]) -> dict[str, str]:
    checked = set(relaxed)
    table = {}
    for path, part in subschemas(schema):
        for keyword in part:
            if keyword in CONSTRAINTS:
                loose = keyword == "format" and part[keyword] not in EXACT_FORMATS
                state = "checked" if loose or (path, keyword) in checked else "masked"
                table[pointer((*path, keyword))] = state
    return table


def close_objects(schema: JsonSchema) -> JsonSchema:
    """A copy in which objects that name their properties, and say nothing of others, admit no others."""

    def change(_: Path, part: dict[str, Any]) -> dict[str, Any]:
        if "properties" in part:
            part.setdefault("additionalProperties", False)
        return part

    closed: JsonSchema = _rewrite(schema, change)
    return closed


def check_references(root: Subschema) -> None:
    """Raises SchemaError for the first `$ref` that names nothing."""
    todo: list[tuple[Path, Subschema]] = [((), root)]
    while todo:
        path, schema = todo.pop()
        try:
            _ = schema.reference
        except SchemaError as error:
            place = pointer((*path, "$ref"))
            raise SchemaError(f"At {place}: {error}", pointer=place, keyword="$ref") from error
        todo.extend(((*path, *place), schema.child(part)) for place, part in _parts(schema.keywords))
