"""Writes docs/guarantees.md from what the code does with a probe schema for each keyword.

python docs/generate_guarantees.py          # writes the file
python docs/generate_guarantees.py --check  # exits 1 if it is out of date
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from harmony_gen import HarmonyError, Schema
from harmony_gen.schema.strings.formats import STANDARD

FILE = Path(__file__).parent / "guarantees.md"

PROBES: dict[str, dict[str, Any]] = {
    "type": {"type": "integer"},
    "enum": {"enum": [1, "a", None]},
    "const": {"const": {"a": 1}},
    "properties": {"properties": {"a": {"type": "string"}}},
    "required": {"type": "object", "properties": {"a": {}}, "required": ["a"]},
    "additionalProperties": {"type": "object", "additionalProperties": {"type": "integer"}},
    "patternProperties": {"type": "object", "patternProperties": {"^x-": {"type": "string"}}},
    "propertyNames": {"type": "object", "propertyNames": {"maxLength": 3}},
    "minProperties": {"type": "object", "properties": {"a": {}, "b": {}}, "minProperties": 1},
    "maxProperties": {"type": "object", "properties": {"a": {}, "b": {}}, "maxProperties": 1},
    "dependentRequired": {"type": "object", "dependentRequired": {"a": ["b"]}},
    "dependentSchemas": {"type": "object", "dependentSchemas": {"a": {"required": ["b"]}}},
    "dependencies": {"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {"a": ["b"]}},
    "unevaluatedProperties": {"type": "object", "properties": {"a": {}}, "unevaluatedProperties": False},
    "items": {"type": "array", "items": {"type": "integer"}},
    "prefixItems": {"type": "array", "prefixItems": [{"type": "integer"}]},
    "additionalItems": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "items": [{"type": "integer"}],
        "additionalItems": {"type": "string"},
    },
    "unevaluatedItems": {"type": "array", "prefixItems": [{}], "unevaluatedItems": False},
    "minItems": {"type": "array", "minItems": 2},
    "maxItems": {"type": "array", "maxItems": 2},
    "uniqueItems": {"type": "array", "uniqueItems": True},
    "contains": {"type": "array", "contains": {"const": 1}},
    "minContains": {"type": "array", "contains": {"const": 1}, "minContains": 2},
    "maxContains": {"type": "array", "contains": {"const": 1}, "maxContains": 2},
    "minLength": {"type": "string", "minLength": 2},
    "x-verbatim": {"type": "string", "x-verbatim": True},
    "maxLength": {"type": "string", "maxLength": 2},
    "pattern": {"type": "string", "pattern": "^[a-z]+$"},
    "minimum": {"type": "number", "minimum": 2},
    "maximum": {"type": "number", "maximum": 2},
    "exclusiveMinimum": {"type": "number", "exclusiveMinimum": 2},
    "exclusiveMaximum": {"type": "number", "exclusiveMaximum": 2},
    "multipleOf": {"type": "number", "multipleOf": 0.5},
    "allOf": {"allOf": [{"type": "string"}, {"minLength": 2}]},
    "anyOf": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    "oneOf": {"oneOf": [{"type": "string"}, {"type": "null"}]},
    "oneOf, branches that overlap": {"oneOf": [{"type": "number"}, {"type": "integer"}]},
    "not": {"not": {"type": "string"}},
    "if": {"if": {"type": "string"}, "then": {"minLength": 2}},
    "$ref": {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
    "$dynamicRef": {"$dynamicRef": "#a", "$defs": {"a": {"$dynamicAnchor": "a", "type": "string"}}},
}

XML = """## XML Schema

Everything in an XML Schema 1.0 is masked, but for what depends on values elsewhere in the document: `unique`, `key`,
`keyref`, ID and IDREF are checked, and so is the second of two bounds in different time zones. Quotations are masked.
Of XML Schema 1.1 assertions are checked, everything else is refused by name. Documents are written in one spelling (see
the guide). In that spelling every valid document is reachable, but for these classes; `Schema.caveats` names those that
a schema has:

| out of reach | why, and what to do |
|---|---|
| names under wildcards that nothing declares | name them: `foreign=[…]` |
| qualified names as values, in namespaces that the schema does not know | give them prefixes: `prefixes={…}` |
| `xsi:type` with a type derived from a built-in type of the element | a choice among all of them at each element |
| `xsi:type` with a union that is a member of another | xmlschema refuses it |
| dates and times in another time zone than their bound, or in none if it has one | bounds are compared as texts |
| numbers of more than 40 digits before the point or 20 after it; durations a bound leaves undecided | they are cut |
| letters that Unicode has added since version 3.2, or the fifth edition of XML in names | validators disagree on them |
| `xs:NOTATION`, `xs:ENTITY` | they need a document type, and answers have none |
| lists of several IDs | xmlschema takes them for several IDs of one element, which 1.0 forbids |
| other orders of an `xs:all` of more than 60 elements | the engine counts so many |
"""

HEAD = """# What is guaranteed, and how

Generated by `docs/generate_guarantees.py` from what the code does with a probe schema for each keyword.

Every value that is returned has passed the judge: jsonschema with format checks for JSON Schema, Pydantic as well
for types, the grammar engine for regular expressions and Lark. The table says what happens before that:

- **masked**: no token that breaks the keyword is ever offered to the model;
- **checked**: a token that breaks it, or after which no valid end is known, is refused before it is committed;
- **refused**: the schema is refused with a `SchemaError` that says where, before the first token.

`Schema.coverage` gives the same for each keyword of your schema, by its JSON Pointer. What is masked in a simple schema
may be checked in a complicated one.

| keyword | |
|---|---|
"""


def state(keyword: str, probe: dict[str, Any]) -> str:
    """How a keyword is guaranteed."""
    try:
        coverage = Schema.of(probe).coverage
    except HarmonyError as error:
        return f"refused: {error}"
    return coverage["/" + keyword.split(",", maxsplit=1)[0]]


def page() -> str:
    """The whole page."""
    rows = [f"| `{keyword}` | {state(keyword, probe)} |" for keyword, probe in PROBES.items()]
    formats = [
        f"| `format: {name}` | {state('format', {'type': 'string', 'format': name})} |" for name in sorted(STANDARD)
    ]
    tail = (
        "\nNo constraints, by the standard: title, description, default, examples and the like, formats that are not "
        "in this table, and keywords the schema's dialect does not know.\n\n"
        "## Spelling and order\n\n"
        "JSON is written compactly, without spaces between tokens, or with one space behind each comma and colon, "
        'whichever the model finds likelier (`Generator(…, separators="compact")` or `"spaced"` decides instead). '
        "There is never other white space, so none can go on without end. Members are written in the order of "
        "`properties`, "
        "then the `required` names absent from it, then others. A valid document in that spelling and order is "
        "reachable; another spelling of the same value is not.\n\n"
        "## Pydantic\n\n"
        "Field validators run when their field closes, model validators when their model closes; a rejection refuses "
        'the token and the model writes another value. Objects are closed unless the model says `extra="allow"`.\n\n'
        + XML
    )
    return HEAD + "\n".join(rows + formats) + "\n" + tail


def main() -> int:
    """Writes or checks the file."""
    if "--check" in sys.argv:
        return int(FILE.read_text("utf-8") != page())
    FILE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
