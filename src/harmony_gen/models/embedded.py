"""The small model that comes with the package, and the form in which it reads a schema.

It was trained on prompts `<|schema|>SCHEMA<|text|>TEXT<|json|>`, where SCHEMA has the form

    {vendor:str,total:num(tax included),due_date:date,status:"paid"|"open",items:[{name:str,qty:int}],memo?:str}

so `describe` writes any JSON Schema in that notation. What it writes only informs the model; what the model may
answer is decided by the constraint. Where the notation has no word for a schema, the nearest word the model
knows stands in.
"""

from __future__ import annotations

import json
import logging
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harmony_gen.models.loading import LoadedModel

SCHEMA_MARKER = "<|schema|>"
TEXT_MARKER = "<|text|>"
JSON_MARKER = "<|json|>"
END_MARKER = "<|end|>"
CONTEXT_TOKENS = 2048
"""Tokens the embedded model can see: prompt and answer together."""

_ASSETS = Path(__file__).parent / "assets"
_MAX_DEPTH = 24
_MAX_NODES = 2000
_MAX_OPTIONS = 24
_MAX_LITERALS = 1000
_MAX_NOTE = 100
_MAX_NOTES = 1200
_UNKNOWN = "str"
# An unknown target is Unresolvable; a malformed schema makes the search for it fail in any of the other ways.
_UNRESOLVED = (Unresolvable, LookupError, TypeError, ValueError, AttributeError, RecursionError)
_WORDS = {"string": "str", "integer": "int", "number": "num", "boolean": "bool"}
_DATE_FORMATS = ("date", "date-time")
_DIGIT = r"(?:\[0-9\]|\\d)"
_TWO_DIGITS = rf"(?:{_DIGIT}\{{2\}}|{_DIGIT}{{2}}|\((?:\?:)?0\[1-9\][^()]*\))"
_DATE_PATTERN = re.compile(rf"\^?\(?{_DIGIT}(?:\{{4\}}|{_DIGIT}{{3}})\)?-{_TWO_DIGITS}-{_TWO_DIGITS}(?:\(?T.*)?\$?")
_PUNCTUATION = re.compile(r'[{}\[\]:,|?"<>\s]')
_NESTING = ("anyOf", "oneOf")
_CONDITIONAL = ("then", "else")
_TELLTALES = (
    ("object", ("properties", "required", "additionalProperties", "patternProperties", "minProperties")),
    ("array", ("items", "prefixItems", "contains", "minItems", "maxItems")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)


def load_embedded(directory: str | Path | None = None, adapter: str | None = None) -> LoadedModel:
    """Load the embedded model in fp32 on the CPU, without network or download.

    This takes under a second, once transformers has been imported (about two seconds).

    Args:
        directory: a model of the same form to load instead of the one in the package, as `finetune.embedded`
            trains it.
        adapter: directory or hub id of a peft adapter, which is merged into the weights.

    Returns:
        The model under the name "embedded", or under the name of its directory.

    Raises:
        ModelError: the directory holds no model, or the adapter does not fit it.
    """
    from harmony_gen.models.loading import load

    # Models that `finetune.embedded` builds from nothing are meant to run the reference convolution on a CPU.
    logging.getLogger("transformers.integrations.hub_kernels").addFilter(_is_worth_saying)
    loaded = load(str(directory or _ASSETS), precision="fp32", device="cpu", adapter=adapter)
    return replace(loaded, name=str(directory or "embedded"), notes=())


def _is_worth_saying(record: logging.LogRecord) -> bool:
    return "falling back to its reference" not in record.getMessage()


def prompt_parts(text: str, schema: dict[str, Any] | bool, *, notes: bool = True) -> tuple[tuple[str, bool], ...]:
    """The prompt of the embedded model in pieces.

    Args:
        text: the text to extract from. Whatever it contains, it is not control text.
        schema: JSON Schema of the wanted answer.
        notes: with the descriptions of properties.

    Returns:
        (piece, is_control) in order. A control piece is one special token; any other piece must be encoded as
        plain text, even if it spells a special token.
    """
    return (
        (SCHEMA_MARKER, True),
        (describe(schema, notes=notes), False),
        (TEXT_MARKER, True),
        (text, False),
        (JSON_MARKER, True),
    )


def describe(schema: dict[str, Any] | bool, *, notes: bool = True) -> str:
    """Write a JSON Schema in the compact notation the embedded model was trained on.

    Never fails: recursion, unresolvable references and anything unknown become `str`. The work is bounded,
    whatever the schema; references are followed within it only, never to the network or the file system.

    Args:
        schema: any JSON Schema.
        notes: with the descriptions of properties.

    Returns:
        One line, as `{vendor:str,total:num(tax included),tags:[str],memo?:str,note??:str}`. A `?` marks what may
        be null, `??` what may be absent but not null. A property's own description follows its type.
    """
    return _Writer(schema, _MAX_NOTES if notes else 0).write(schema)


@dataclass(frozen=True)
class _Trail:
    """The way from the root to a subschema: references followed and levels entered."""

    references: frozenset[str] = frozenset({"#"})
    depth: int = 0

    def deeper(self, *references: str) -> _Trail:
        return _Trail(self.references.union(references), self.depth + 1)

    def joined(self, other: _Trail) -> _Trail:
        return _Trail(self.references | other.references, max(self.depth, other.depth))


class _Writer:
    """Writes one schema. It counts the nodes it visits, so that references cannot multiply the work."""

    def __init__(self, root: dict[str, Any] | bool, notes: int) -> None:
        resource = DRAFT202012.create_resource(root)
        self._resolver = Registry[Any]().resolver_with_root(resource)
        self._nodes_left = _MAX_NODES
        self._notes_left = notes

    def write(self, schema: Any, trail: _Trail | None = None) -> str:
        """The notation of a subschema, without the mark of null."""
        merged, trail = self._merged(schema, trail or _Trail())
        if "const" in merged or "enum" in merged:
            return _literals(merged)
        kinds = _kinds(merged)
        if "object" in kinds and _has_members(merged):
            return self._object(merged, trail)
        if alternatives := _alternatives(merged):
            return self._union(alternatives, trail)
        return _joined(self._kind(kind, merged, trail) for kind in kinds if kind != "null") or _UNKNOWN

    def _kind(self, kind: str, merged: dict[str, Any], trail: _Trail) -> str:
        if kind == "object":
            return self._object(merged, trail)
        if kind == "array":
            return self._array(merged, trail)
        return "date" if kind == "string" and _is_date(merged) else _WORDS.get(kind, _UNKNOWN)

    def _object(self, merged: dict[str, Any], trail: _Trail) -> str:
        required = [name for name in _list(merged.get("required")) if isinstance(name, str)]
        members = {**dict.fromkeys(required, True), **self._members(merged, trail)}
        order = [*_dict(merged.get("properties")), *members]
        parts = [
            self._member(name, members[name], trail, optional=name not in required)
            for name in dict.fromkeys(order)
            if members[name] is not False
        ]
        return "{" + ",".join(parts) + "}" if members else self._map(merged, trail)

    def _member(self, name: str, schema: Any, trail: _Trail, *, optional: bool) -> str:
        mark = "?" if self._nullable(schema, trail) else "??" if optional else ""
        return f"{_name(name)}{mark}:{self.write(schema, trail)}{self._note(schema)}"

    def _note(self, schema: Any) -> str:
        """A property's own description in parentheses, cut to what fits; that of a referenced type says too much."""
        text = _dict(schema).get("description")
        room = min(_MAX_NOTE, self._notes_left)
        if not isinstance(text, str) or not text.strip() or room <= 0:
            return ""
        short = " ".join(text.split())
        short = short if len(short) <= room else short[:room].rsplit(" ", 1)[0]
        self._notes_left -= len(short)
        return f"({short})"

    def _members(self, merged: dict[str, Any], trail: _Trail) -> dict[str, Any]:
        """Properties of an object, and those that only its alternatives and conditions name."""
        members = dict(_dict(merged.get("properties")))
        extras = [*_alternatives(merged), *(merged[word] for word in _CONDITIONAL if word in merged)]
        extras += _dict(merged.get("dependentSchemas")).values()
        for extra in extras:
            for name, schema in self._members(*self._merged(extra, trail)).items():
                members.setdefault(name, schema)
        return members

    def _map(self, merged: dict[str, Any], trail: _Trail) -> str:
        """An object without named members: `{str:num}` for a map to numbers."""
        values = [*_dict(merged.get("patternProperties")).values(), merged.get("additionalProperties", True)]
        value = next((part for part in values if part is not False), False)
        return "{}" if value is False else "{str:" + self.write(value, trail) + "}"

    def _array(self, merged: dict[str, Any], trail: _Trail) -> str:
        items = merged.get("items", True)
        listed = items if isinstance(items, list) else _list(merged.get("prefixItems"))
        if listed:
            return "[" + ",".join(self.write(part, trail) for part in listed) + "]"
        return "[" + self.write(items, trail) + "]"

    def _union(self, alternatives: list[Any], trail: _Trail) -> str:
        """Alternatives joined by `|`. A number that may also be spelled as text (Decimal) is a number."""
        merged = [self._merged(part, trail)[0] for part in alternatives]
        numeric = any("number" in _kinds(part) for part in merged)
        kept = [
            part
            for part, whole in zip(alternatives, merged, strict=True)
            if _kinds(whole) != ["null"] and not (numeric and _is_plain_text(whole))
        ]
        return _joined(self.write(part, trail) for part in kept) or _UNKNOWN

    def _nullable(self, schema: Any, trail: _Trail) -> bool:
        merged, trail = self._merged(schema, trail)
        if "const" in merged or "enum" in merged:
            return None in _options(merged)
        return "null" in _kinds(merged) or any(self._nullable(part, trail) for part in _alternatives(merged))

    def _merged(self, schema: Any, trail: _Trail) -> tuple[dict[str, Any], _Trail]:
        """A schema with its reference and its allOf taken in, and the trail that leads below it.

        Recursion, and more work than is sensible, end in the empty schema.
        """
        self._nodes_left -= 1
        if not isinstance(schema, dict) or trail.depth > _MAX_DEPTH or self._nodes_left < 0:
            return {}, trail.deeper()
        merged, below = schema, trail.deeper()
        for part, part_trail in self._parts(schema, trail):
            inner, inner_trail = self._merged(part, part_trail)
            merged, below = _both(merged, inner), below.joined(inner_trail)
        return merged, below

    def _parts(self, schema: dict[str, Any], trail: _Trail) -> Iterator[tuple[Any, _Trail]]:
        """What holds beside the schema's own keywords: the target of its reference and its allOf."""
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference not in trail.references:
            with suppress(*_UNRESOLVED):
                yield self._resolver.lookup(reference).contents, trail.deeper(reference)
        for part in _list(schema.get("allOf")):
            yield part, trail.deeper()


def _both(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Two schemas that hold at once, as one; the left one wins where a description cannot say both."""
    merged = {**right, **left}
    if "properties" in left and "properties" in right:
        first, second = _dict(left["properties"]), _dict(right["properties"])
        shared = {name: {"allOf": [first[name], second[name]]} for name in first if name in second}
        merged["properties"] = {**first, **second, **shared}
    if "required" in left and "required" in right:
        merged["required"] = [*_list(left["required"]), *_list(right["required"])]
    if "enum" in left and "enum" in right:
        merged["enum"] = [option for option in _list(left["enum"]) if option in _list(right["enum"])]
    return merged


def _alternatives(merged: dict[str, Any]) -> list[Any]:
    return [part for word in _NESTING for part in _list(merged.get(word))]


def _literals(merged: dict[str, Any]) -> str:
    """The values of const or enum as JSON, without null; too many of them are written as their type."""
    options = [option for option in _options(merged) if option is not None]
    literals = [_literal(option) for option in options]
    if len(literals) > _MAX_OPTIONS or sum(map(len, literals)) > _MAX_LITERALS:
        return _joined(_word_of(option) for option in options)
    return _joined(literals) or _UNKNOWN


def _options(merged: dict[str, Any]) -> list[Any]:
    return [merged["const"]] if "const" in merged else _list(merged.get("enum"))


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _word_of(value: Any) -> str:
    words = {bool: "bool", int: "int", float: "num"}
    return words.get(type(value), _UNKNOWN)


def _kinds(merged: dict[str, Any]) -> list[str]:
    """The JSON types a schema allows, as far as it names or betrays them."""
    declared = merged.get("type")
    if isinstance(declared, str):
        return [declared]
    if isinstance(declared, list):
        return [kind for kind in declared if isinstance(kind, str)]
    if "format" in merged or "pattern" in merged:
        return ["string"]
    return [kind for kind, telltales in _TELLTALES if any(word in merged for word in telltales)][:1]


def _has_members(merged: dict[str, Any]) -> bool:
    return bool(_dict(merged.get("properties"))) or not any(word in merged for word in _NESTING)


def _is_plain_text(merged: dict[str, Any]) -> bool:
    return _kinds(merged) == ["string"] and not {"enum", "const", "format"} & set(merged)


def _is_date(merged: dict[str, Any]) -> bool:
    pattern = merged.get("pattern")
    return merged.get("format") in _DATE_FORMATS or (
        isinstance(pattern, str) and _DATE_PATTERN.fullmatch(pattern) is not None
    )


def _name(name: str) -> str:
    """A property's name as it is, spaces included, or as a JSON string where it would be misread."""
    plain = name.replace(" ", "")
    return json.dumps(name, ensure_ascii=False) if not plain or _PUNCTUATION.search(plain) else name


def _joined(parts: Iterable[str]) -> str:
    """Distinct parts joined by `|`; int beside num says nothing more."""
    distinct = dict.fromkeys(parts)
    if "num" in distinct:
        distinct.pop("int", None)
    return "|".join(distinct)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
