"""JSON Schema → grammar, with a record of which keyword is guaranteed how.

A schema is brought into normal form (`normal`), and that is written as a grammar (`lark`). What neither can say
exactly is left out, so that the grammar admits more, and is checked while decoding instead. Nothing is left out in
silence: `Lowered.coverage` names every keyword. Keywords that mean nothing in the schema's dialect are annotations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import SchemaError, UnsatisfiableError
from harmony_gen.schema import engine
from harmony_gen.schema.lark import SPACED, Grammar, Unproductive
from harmony_gen.schema.normal import Normal
from harmony_gen.schema.scanner import Path, pointer
from harmony_gen.schema.strings import ecma
from harmony_gen.schema.strings.formats import STANDARD

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from harmony_gen.schema.subschema import JsonSchema, Subschema

CONSTRAINTS = frozenset(
    "$ref $dynamicRef $recursiveRef $dynamicAnchor $recursiveAnchor type enum const allOf anyOf oneOf not "
    "if then else properties patternProperties additionalProperties unevaluatedProperties propertyNames "
    "required minProperties maxProperties dependentRequired dependentSchemas dependencies items prefixItems "
    "additionalItems unevaluatedItems contains minContains maxContains minItems maxItems uniqueItems "
    "minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf "
    "x-verbatim".split()
)
"""Keywords that constrain; all others are annotations by the standard."""

_SCHEMA = frozenset(
    "additionalProperties additionalItems unevaluatedProperties unevaluatedItems items contains not if then "
    "else propertyNames".split()
)
_SCHEMA_LISTS = frozenset("allOf anyOf oneOf prefixItems items".split())
_SCHEMA_MAPS = frozenset("properties patternProperties $defs definitions dependentSchemas dependencies".split())


@dataclass(frozen=True)
class Lowered:
    """A JSON Schema, ready to decode.

    Attributes:
        grammar: what the engine compiles; it admits every valid text in the chosen spelling, and no fewer.
        coverage: for the pointer of each constraining keyword, "masked" (the grammar guarantees it) or
            "checked" (a rule does, while decoding).
        normal: the schema in normal form.
        exact: the grammar admits valid texts only, but for keys that occur twice.
        any_order: members come in any order, not in that of the schema.
    """

    grammar: str
    coverage: Mapping[str, str]
    normal: Normal
    exact: bool
    any_order: bool

    @cached_property
    def spaced_grammar(self) -> str:
        """The same grammar with a space behind each comma and colon."""
        grammar = Grammar(self.normal, any_order=self.any_order, separators=SPACED)
        return engine.grammar_of_lark(_written(grammar))


_MOST_SCHEMAS = 50_000


def lower(root: Subschema, *, order: str = "schema") -> Lowered:
    """Compiles a schema that has passed its meta-schema.

    Args:
        root: the schema.
        order: "schema" where members come in the order of the schema, "any" where they come in any.

    Raises:
        UnsatisfiableError: no value satisfies it: this is proven.
        SchemaError: a part can be neither masked nor checked; names pointer and keyword.
    """
    if root.contents is False:
        raise UnsatisfiableError("The schema is `false`: no value satisfies it.")
    parts = dict(subschemas(root.contents))
    if len(parts) > _MOST_SCHEMAS:
        message = f"The schema holds {len(parts):,} schemas; {_MOST_SCHEMAS:,} can be compiled. Share parts by $ref."
        raise SchemaError(message, pointer="")
    _check_patterns(parts)
    try:
        return _lowered(root, parts, order, plain=False)
    except engine.GrammarError:
        pass
    try:
        return _lowered(root, parts, order, plain=True)
    except engine.GrammarError as error:
        message = f"The schema is too large to be compiled: {str(error).splitlines()[0]}"
        raise SchemaError(message, pointer="") from error


def _lowered(root: Subschema, parts: Mapping[Path, dict[str, Any]], order: str, *, plain: bool) -> Lowered:
    """The same; raises GrammarError where the engine refuses the grammar."""
    normal = Normal(root, plain=plain)
    any_order = order == "any"
    grammar = Grammar(normal, any_order=any_order)
    try:
        text = _written(grammar)
    except Unproductive:
        raise UnsatisfiableError("No value satisfies the schema: its keywords contradict each other.") from None
    except SchemaError as error:
        raise _placed(error, parts) from error
    text = engine.grammar_of_lark(text)
    engine.byte_matcher(text)
    exact = not (normal.noted or grammar.noted)
    return Lowered(text, _coverage(root, parts, normal, grammar), normal, exact, any_order)


def _written(grammar: Grammar) -> str:
    """The text of a grammar, relaxed if it does not compile otherwise."""
    text = grammar.text()
    return text if _compiles(text) else grammar.relaxed(_compiles)


def _compiles(text: str) -> bool:
    try:
        engine.byte_matcher(engine.grammar_of_lark(text))
    except engine.GrammarError:
        return False
    return True


def _check_patterns(parts: Mapping[Path, dict[str, Any]]) -> None:
    """Raises SchemaError for a regular expression that cannot be read."""
    for path, part in parts.items():
        table = part.get("patternProperties")
        patterns = [("patternProperties", name) for name in (table if isinstance(table, dict) else ())]
        for keyword, pattern in [("pattern", part.get("pattern")), *patterns]:
            if not isinstance(pattern, str):  # the keyword means nothing in this dialect, or here
                continue
            try:
                ecma.to_python(pattern)
            except ValueError as error:
                place = pointer((*path, keyword))
                message = f"The regular expression {pattern!r} at {place} cannot be read: {error}."
                raise SchemaError(message, pointer=place, keyword=keyword) from error


def _placed(error: SchemaError, parts: Mapping[Path, dict[str, Any]]) -> SchemaError:
    """An error about a reference, with the place of a reference that is spelled so."""
    for path, part in parts.items():
        keyword = error.keyword
        if not error.pointer and keyword in part and repr(part[keyword]) in str(error):
            place = pointer((*path, keyword))
            return SchemaError(f"At {place}: {error}", pointer=place, keyword=keyword)
    return error


_MEANT = {
    "uniqueItems": frozenset(["uniqueItems"]),
    "contains": frozenset("contains minContains maxContains".split()),
    "multipleOf": frozenset(["multipleOf"]),
    "string": frozenset("pattern format minLength maxLength propertyNames patternProperties not".split()),
    "open": frozenset("exclusiveMinimum exclusiveMaximum minimum maximum not oneOf if".split()),
    "number": frozenset("not oneOf if".split()),
    "object": frozenset("required dependentRequired dependencies dependentSchemas minProperties maxProperties".split()),
}
"""What a grammar leaves out, and the keywords it may come from."""


def _coverage(
    root: Subschema, parts: Mapping[Path, dict[str, Any]], normal: Normal, grammar: Grammar
) -> dict[str, str]:
    noted = _noted(normal, grammar)
    known = {id(part) for part in parts.values()}
    if not {schema for schema, _ in noted} <= known:  # something left out stands where only references lead
        noted |= {(schema, "$ref") for schema, named in normal.led.items() if named not in known}
    by_identity = {id(part): part for part in parts.values()}
    if any(keyword not in by_identity.get(identity, ()) for identity, keyword in noted):  # a negation came to it
        noted.update((identity, keyword) for identity in by_identity for keyword in NEGATING)
    gone: set[Path] = set()  # keywords that are left out with all they hold; branches of others stay
    table = {}
    for path, part in parts.items():
        inside = bool(gone) and any(path[:length] in gone for length in range(1, len(path) + 1))
        keywords = root.child(part).keywords
        for keyword in (name for name in keywords if name in CONSTRAINTS):
            if keyword == "format" and keywords[keyword] not in STANDARD:
                continue
            loose = inside or (id(part), _DECIDED_BY.get(keyword, keyword)) in noted
            table[pointer((*path, keyword))] = "checked" if loose else "masked"
            if loose and keyword not in _BRANCHES:
                gone.add((*path, keyword))
    return table


def _noted(normal: Normal, grammar: Grammar) -> set[tuple[int, str]]:
    """(identity of a schema's contents, keyword): what is not in the grammar, or not all of it."""
    noted = set(normal.noted)
    for goal, what in grammar.noted:
        level = [(id(schema.contents), keyword) for schema in normal.at_level(goal) for keyword in schema.keywords]
        meant = [(schema, keyword) for schema, keyword in level if keyword in _MEANT[what]]
        noted.update(meant or level)
    return noted


_DECIDED_BY = {"then": "if", "else": "if"}
NEGATING = frozenset(("not", "oneOf", "if", "contains"))
"""Below these a stricter schema can make the whole more lenient."""
_BRANCHES = frozenset(("allOf", "anyOf", "oneOf", "patternProperties", "additionalProperties"))


def subschemas(schema: Any, path: Path = (), without: Collection[str] = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every schema object within a schema, itself first, with its place; none below the keywords of `without`."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for place, part in _parts(schema):
        if place[0] not in without:
            yield from subschemas(part, path + place, without)


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


def close_objects(schema: JsonSchema) -> JsonSchema:
    """A copy in which objects that name their properties, and say nothing of others, admit no others."""

    def change(_: Path, part: dict[str, Any]) -> dict[str, Any]:
        if "properties" in part:
            part.setdefault("additionalProperties", False)
        return part

    closed: JsonSchema = _rewrite(schema, change)
    return closed
