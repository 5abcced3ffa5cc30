"""How schemas are made: JSON Schemas, types that Pydantic reads, expressions, grammars, XML Schemas."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jsonschema_specifications import REGISTRY

from harmony_gen.errors import SchemaError
from harmony_gen.schema import engine, sources
from harmony_gen.schema.json_schema import lower, subschemas
from harmony_gen.schema.judge import GrammarJudge, JsonSchemaJudge, PydanticJudge, read_json
from harmony_gen.schema.pydantic_rule import PydanticRule
from harmony_gen.schema.rules import Readable, Rule, SchemaParts, UniqueItems, UniqueKeys
from harmony_gen.schema.schema import Schema
from harmony_gen.schema.search import GrammarFinisher, JsonFinisher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pydantic

    from harmony_gen.schema.subschema import JsonSchema, Registry, Subschema
    from harmony_gen.schema.verbatim import VerbatimPlace
    from harmony_gen.schema.xsd.compiled import Compiled
    from harmony_gen.schema.xsd.options import Options

T = TypeVar("T")


def from_file(path: Path) -> Schema[Any]:
    """The schema of a .json or .xsd file; see `Schema.of`."""
    if path.suffix == ".xsd":
        return Schema.from_xsd(path)
    if path.suffix != ".json":
        message = f"{str(path)[:80]!r} is not the path of a .json or .xsd file. Pass a path, a dict, or a type."
        raise SchemaError(message)
    return Schema.from_json_schema(path)


def from_outlines(term: Any) -> Schema[Any]:
    """The schema of an outlines term; see `Schema.of`."""
    kind, contents = sources.from_outlines(term)
    if kind == "json":
        return Schema.from_json_schema(contents)
    return Schema.from_lark(contents) if kind == "lark" else Schema.from_regex(contents)


def from_regex(pattern: str) -> Schema[str]:
    """See `Schema.from_regex`."""
    grammar = _compiled(engine.grammar_of_regex(pattern), f"The regular expression {pattern!r}")
    judge = GrammarJudge(grammar, f"the regular expression {pattern!r}")
    return _text_schema(grammar, judge, f"text that matches the regular expression {pattern}", pattern)


def from_lark(grammar: str) -> Schema[str]:
    """See `Schema.from_lark`."""
    compiled = _compiled(engine.grammar_of_lark(grammar), "The Lark grammar")
    return _text_schema(compiled, GrammarJudge(compiled), f"text of this grammar:\n{grammar}", None)


def from_xsd(source: Any, main: str | None, options: Options) -> Schema[Any]:
    """See `Schema.from_xsd`."""
    from harmony_gen.schema.xsd.compiled import compile_xsd

    return _of_documents(compile_xsd(source, main, options), options.attribute_order)


@lru_cache(maxsize=16)
def _of_documents(compiled: Compiled, order: str) -> Schema[Any]:
    """The schema of documents; one that was compiled once is one schema, which knows its shortest document."""

    def quoting(places: Sequence[VerbatimPlace], source: str) -> Schema[Any]:
        from harmony_gen.schema.xsd import compiled as documents

        return _of_documents(documents.quoting(compiled, tuple(one.place for one in places), source), order)

    return Schema(
        grammar=compiled.plan.grammar,
        coverage=compiled.plan.coverage,
        json_schema=None,
        rules=compiled.rules,
        judge=compiled.judge,
        finisher=compiled.finisher,
        parse=sources.read_element,
        description=compiled.plan.description,
        property_order=order,
        validators=None,
        structural_finisher=compiled.finisher,
        reader=compiled.reader,
        left_out=compiled.plan.left_out,
        quick_judge=compiled.quick_judge,
        quoted=quoting,
    )


def _compiled(grammar: str, what: str) -> str:
    try:
        engine.byte_matcher(grammar)
    except engine.GrammarError as error:
        raise SchemaError(f"{what} cannot be compiled: {error}") from error
    return grammar


def _text_schema(grammar: str, judge: GrammarJudge, description: str, pattern: str | None) -> Schema[str]:
    finisher = GrammarFinisher(judge.accepts, pattern)
    return Schema(
        grammar=grammar,
        coverage={"": "masked"},
        json_schema=None,
        rules=(),
        judge=judge,
        finisher=finisher,
        parse=str,
        description=description,
        property_order="schema",
        validators=None,
        structural_finisher=finisher,
    )


@lru_cache(maxsize=128)
def from_json_text(text: str, order: str) -> Schema[Any]:
    """The schema of the text of a JSON Schema that refers to nothing outside."""
    return of_json_schema(json.loads(text), REGISTRY, order)


def of_json_schema(schema: JsonSchema, registry: Registry, order: str) -> Schema[Any]:
    """The schema of a JSON Schema that may refer to the documents of a registry."""
    judge = JsonSchemaJudge(schema, registry)
    made = _json_schema(schema, judge, read_json, order)

    def remade(changed: JsonSchema) -> Schema[Any]:
        return of_json_schema(changed, registry, order)

    return replace(made, remade=remade, gapped=remade)


def _json_schema(schema: JsonSchema, judge: JsonSchemaJudge, parse: Callable[[str], T], order: str) -> Schema[T]:
    lowered = lower(judge.root, order=order)
    accepts = judge.accepts_derived if lowered.exact else judge.accepts
    finisher = JsonFinisher.of(lowered.normal, accepts, judge.accepts_part, any_order=order == "any")
    return Schema(
        grammar=lowered.grammar,
        coverage=lowered.coverage,
        json_schema=schema,
        rules=(Readable(), UniqueKeys(), *_unique_items(schema, judge.root), SchemaParts(judge.root, judge)),
        judge=judge,
        finisher=finisher,
        parse=parse,
        description=json.dumps(schema, ensure_ascii=False, separators=(",", ":")),
        property_order=order,
        validators=None,
        structural_finisher=finisher,
        lowered=lowered,
    )


def _unique_items(schema: JsonSchema, root: Subschema) -> tuple[Rule, ...]:
    used = any(part.get("uniqueItems") is True for _, part in subschemas(schema))
    return (UniqueItems(root),) if used else ()


@lru_cache(maxsize=128)
def from_type(kind: Any, order: str) -> Schema[Any]:
    """The schema of a type that Pydantic reads."""
    return _of_type(kind, *sources.described(kind), order)


def _of_type(
    kind: Any, adapter: pydantic.TypeAdapter[Any], schema: JsonSchema, order: str, *, gaps: bool = False
) -> Schema[Any]:
    """The schema of a type; with gaps, that of plain values of which parts may be missing."""
    validators = PydanticJudge(adapter, gaps=gaps)
    judge = JsonSchemaJudge(schema)
    base = _json_schema(schema, judge, read_json if gaps else validators.parse, order)

    def accepts(text: bytes) -> bool:
        return judge.accepts(text) and validators.accepts(text)

    return replace(
        base,
        rules=(*base.rules, PydanticRule(adapter, gaps=gaps)),
        finisher=cast("JsonFinisher", base.finisher).judged_by(accepts),
        validators=validators,
        remade=lambda changed: _of_type(kind, adapter, changed, order, gaps=gaps),
        gapped=lambda changed: _of_type(kind, adapter, changed, order, gaps=True),
        kind=None if gaps else kind,
    )
