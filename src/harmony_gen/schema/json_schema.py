"""JSON Schema → grammar, with a record of which keyword is guaranteed how.

The engine compiles a schema exactly or refuses it. What it refuses is *relaxed*: the keyword is taken out of
the grammar, which then admits more, and is checked while decoding instead. Nothing is relaxed in silence:
`Lowered.coverage` names every keyword. Keywords that mean nothing in the schema's dialect are annotations.
"""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import SchemaError, UnsatisfiableError
from harmony_gen.schema import engine
from harmony_gen.schema.scanner import Path, pointer
from harmony_gen.schema.subschema import (
    JsonSchema,
    Specification,
    Subschema,
    dialect,
    siblings_count,
    without_foreign,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

CONSTRAINTS = frozenset(
    "$ref $dynamicRef $recursiveRef $dynamicAnchor $recursiveAnchor type enum const allOf anyOf oneOf not "
    "if then else properties patternProperties additionalProperties unevaluatedProperties propertyNames "
    "required minProperties maxProperties dependentRequired dependentSchemas dependencies items prefixItems "
    "additionalItems unevaluatedItems contains minContains maxContains minItems maxItems uniqueItems "
    "minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split()
)
"""Keywords that constrain; all others are annotations by the standard."""

STANDARD_FORMATS = frozenset(
    "date date-time time duration email idn-email hostname idn-hostname ipv4 ipv6 uri uri-reference iri "
    "iri-reference uuid uri-template json-pointer relative-json-pointer regex".split()
)
"""Formats of the standard; a name outside it is an annotation."""

EXACT_FORMATS = frozenset({"uuid", "ipv4"})
"""Formats whose grammar admits exactly the valid strings; the values of all others are checked as well."""

_SCHEMA = frozenset(
    "additionalProperties additionalItems unevaluatedProperties unevaluatedItems items contains not if then "
    "else propertyNames".split()
)
_SCHEMA_LISTS = frozenset("allOf anyOf oneOf prefixItems items".split())
_SCHEMA_MAPS = frozenset("properties patternProperties $defs definitions dependentSchemas dependencies".split())
_COUNTS = frozenset("minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains".split())
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")

_MOST_OCCURRENCES = 40
_MOST_ROUNDS = 12


@dataclass(frozen=True)
class Lowered:
    """A JSON Schema, ready to decode.

    Attributes:
        grammar: what the engine compiles; it admits every valid text in the chosen spelling, and no fewer.
        coverage: for the pointer of each constraining keyword, "masked" (the grammar guarantees it) or
            "checked" (a rule does, while decoding).
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
    specification = dialect(schema)
    constraining = _rewrite(schema, lambda _, part: _constraining(part, specification)) if schema is not True else {}
    grammar, relaxed = _compile(constraining)
    return Lowered(grammar, _coverage(constraining, relaxed))


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
    copy = {keyword: value.copy() if isinstance(value, dict | list) else value for keyword, value in schema.items()}
    for (keyword, *inner), part in _parts(schema):
        new = _rewrite(part, change, (*path, keyword, *inner))
        if inner:
            parts: Any = copy[keyword]
            parts[inner[0]] = new
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


def _constraining(part: dict[str, Any], specification: Specification) -> dict[str, Any]:
    """A schema object without the keywords that mean nothing in its dialect."""
    if "$ref" in part and not siblings_count(specification):
        kept = {"$ref", "$schema", "$id", "id", "$defs", "definitions"}
        return {keyword: value for keyword, value in part.items() if keyword in kept}
    part = without_foreign(part, specification)
    if part.get("format") not in STANDARD_FORMATS:
        part.pop("format", None)
    if "if" not in part or not part.keys() & {"then", "else"}:
        for keyword in ("if", "then", "else"):
            part.pop(keyword, None)
    return part


def _respell(part: dict[str, Any]) -> dict[str, Any]:
    """Says the same in the one form the engine reads."""
    for keyword in _COUNTS & part.keys():
        if isinstance(part[keyword], float) and part[keyword].is_integer():
            part[keyword] = int(part[keyword])
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(part.get(exclusive), bool) and part.pop(exclusive) and bound in part:  # draft 4
            part[exclusive] = part.pop(bound)
    return part


Occurrence = tuple[Path, str]
"""A keyword at the place of its schema object."""


def _compile(schema: dict[str, Any]) -> tuple[str, frozenset[Occurrence]]:
    """The strictest grammar the engine compiles, and the keywords that had to be relaxed for it."""
    relaxed: frozenset[Occurrence] = frozenset()
    problem = _problem(schema, relaxed)
    for _ in range(_MOST_ROUNDS):
        if problem is None:
            break
        suspects = frozenset(_suspects(schema, problem)) - relaxed
        if not suspects:
            break
        relaxed |= _guilty(schema, relaxed, suspects)
        problem = _problem(schema, relaxed)
    if problem is not None:
        raise _refusal(schema, relaxed, problem)
    return _grammar(schema, relaxed), relaxed


def _grammar(schema: dict[str, Any], relaxed: frozenset[Occurrence]) -> str:
    return engine.grammar_of_json_schema(_rewrite(_relax(schema, relaxed), lambda _, part: _respell(part)))


def _problem(schema: dict[str, Any], relaxed: frozenset[Occurrence]) -> str | None:
    """The engine's complaint about a schema without the relaxed keywords, or None."""
    try:
        engine.byte_matcher(_grammar(schema, relaxed))
    except engine.GrammarError as error:
        return str(error).strip()
    return None


def _guilty(
    schema: dict[str, Any], relaxed: frozenset[Occurrence], suspects: frozenset[Occurrence]
) -> frozenset[Occurrence]:
    """Those of the suspects without whose relaxation the engine refuses: the others are acquitted in turn."""
    if len(suspects) == 1 or len(suspects) > _MOST_OCCURRENCES:
        return suspects
    everything = relaxed | suspects
    complaint = _problem(schema, everything)
    for suspect in sorted(suspects, key=repr):
        trial = everything - {suspect}
        if _problem(schema, trial) == complaint:
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
            values = [part.pop(name, None) for name in _together(keyword)]
            if keyword == "oneOf":
                part["allOf"] = [*part.get("allOf", ()), {"anyOf": values[0]}]
        return part

    relaxed_schema: dict[str, Any] = _rewrite(schema, change)
    return relaxed_schema


def _together(keyword: str) -> tuple[str, ...]:
    """The keywords that are relaxed with one."""
    return ("if", "then", "else") if keyword == "if" else (keyword,)


_COMPLAINTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("nsatisfiable", ()),
    ("patternProperty", ()),  # `additionalProperties` depends on it
    ("oneOf constraints", ("oneOf",)),
    ("Unknown format", ("format",)),
    ("min/maxProperties", ("minProperties", "maxProperties")),
    ("Failed to generate regex for", _BOUNDS),
    *((f"'{keyword}'", (keyword,)) for keyword in ("multipleOf", *sorted(_COUNTS))),
    ("regex", ("pattern",)),
)
"""What a complaint says, and the keywords whose relaxation may settle it."""

_BLAMED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("patternProperty", ("patternProperties",)),
    ("anyOf is empty", ("enum", "anyOf")),
    ("circular references", ("$ref",)),
    ("registry", ("$ref",)),
    ("minimum", _BOUNDS),
    ("maximum", _BOUNDS),
    *((keyword, (keyword,)) for keyword in sorted(_COUNTS)),
    ("regex", ("patternProperties", "pattern")),
)
"""What a complaint says, and the keywords it is about, where no relaxation settles it."""


def _suspects(schema: dict[str, Any], problem: str) -> Iterator[Occurrence]:
    """Occurrences of the keywords that the engine's complaint is about."""
    names = _named_keywords(problem, _COMPLAINTS)
    fmt = re.search(r"Unknown format: (\S+)", problem)
    for path, part in subschemas(schema):
        for keyword in names & part.keys():
            if keyword != "format" or fmt is None or part["format"] == fmt.group(1):
                yield path, keyword


def _named_keywords(problem: str, table: Iterable[tuple[str, tuple[str, ...]]]) -> frozenset[str]:
    listed = re.search(r"Unimplemented keys: (\[.*?\])", problem)
    if listed:
        names = frozenset(json.loads(listed.group(1)))
        return names - {"then", "else"} | {"if"} if names & {"then", "else"} else names
    return next((frozenset(keywords) for says, keywords in table if says in problem), frozenset())


def _refusal(schema: dict[str, Any], relaxed: frozenset[Occurrence], problem: str) -> SchemaError:
    path, keyword = _culprit(schema, relaxed, problem)
    place = "" if keyword is None else pointer((*path, keyword))
    where = f" at {place}" if place else ""
    line = problem.splitlines()[0].strip(" :")
    if "unsatisfiable" in line.lower():
        return UnsatisfiableError(f"No value satisfies the schema{where}: {line}.", pointer=place, keyword=keyword)
    message = f"The schema cannot be guaranteed{where}: {line}. Say this in another way, or leave it out."
    return SchemaError(message, pointer=place, keyword=keyword)


def _culprit(schema: dict[str, Any], relaxed: frozenset[Occurrence], problem: str) -> tuple[Path, str | None]:
    """The keyword without which the engine would not complain so; a guess if there is none."""
    names = _named_keywords(problem, _BLAMED)
    suspects = [(path, keyword) for path, part in subschemas(schema) for keyword in sorted(names & part.keys())]
    suspects = [suspect for suspect in suspects if suspect not in relaxed]
    for suspect in suspects[:_MOST_OCCURRENCES]:
        if _problem(schema, relaxed | {suspect}) != problem:
            return suspect
    return suspects[0] if suspects else ((), None)


def _coverage(schema: dict[str, Any], relaxed: frozenset[Occurrence]) -> dict[str, str]:
    # The branches of a relaxed `oneOf` stay in the grammar, as `anyOf`; others leave with all they hold.
    gone = {(*path, name) for path, keyword in relaxed if keyword != "oneOf" for name in _together(keyword)}
    table = {}
    for path, part in subschemas(schema):
        inside = any(path[:length] in gone for length in range(1, len(path) + 1))
        for keyword in (name for name in part if name in CONSTRAINTS):
            loose = keyword == "format" and part[keyword] not in EXACT_FORMATS
            out = inside or loose or (*path, keyword) in gone or (path, keyword) in relaxed
            table[pointer((*path, keyword))] = "checked" if out else "masked"
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
    """Raises SchemaError for a reference that names nothing."""
    todo: list[tuple[Path, Subschema]] = [((), root)]
    seen: set[int] = set()
    while todo:
        path, schema = todo.pop()
        if id(schema.contents) in seen:
            continue
        seen.add(id(schema.contents))
        todo.extend(((*path, keyword), named) for keyword, named in _references(path, schema))
        todo.extend(((*path, *place), schema.child(part)) for place, part in _parts(schema.keywords))


def _references(path: Path, schema: Subschema) -> Iterator[tuple[str, Subschema]]:
    """The schemas that a schema refers to, each with the keyword that does."""
    for keyword in ("$ref", "$dynamicRef"):
        try:
            named = schema.named(keyword)
        except SchemaError as error:
            place = pointer((*path, keyword))
            raise SchemaError(f"At {place}: {error}", pointer=place, keyword=keyword) from error
        if named is not None:
            yield keyword, named
