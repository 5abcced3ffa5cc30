"""Schemas that want to hurt: each gives an answer or a SchemaError within ten seconds of a processor, in a process of
its own.

A process that dies, raises another error, or takes longer, fails. A sample, run where other work may share the
processor, allows a minute by the clock.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support import figures, gaps, reach

if TYPE_CHECKING:
    from pathlib import Path

GAPS = gaps.known("untrusted", "name")
SECONDS = 10.0
MEMORY = 4 * 2**30
"""Bytes a process may take."""

PROGRAM = f"""
import json, resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
from harmony_gen import Schema, SchemaError
text = open(sys.argv[1], encoding="utf-8").read()
started = time.process_time()
try:
    if sys.argv[2] == "file":
        schema = Schema.from_json_schema(sys.argv[1], property_order=sys.argv[3])
    else:
        namespace = {{}}
        exec(text, namespace)
        schema = Schema.from_json_schema(namespace["schema"], property_order=sys.argv[3])
    told = ["written", schema.witness()[:60], None]
except SchemaError as error:
    told = ["refused", str(error), error.pointer]
print(json.dumps([time.process_time() - started, *told]))
"""


def product(keyword: str, count: int) -> dict[str, Any]:
    """Choices that multiply: each of many branches has two of its own."""
    return {
        "allOf": [{keyword: [{"required": [f"a{number}"]}, {"required": [f"b{number}"]}]} for number in range(count)]
    }


def chain(count: int) -> dict[str, Any]:
    """Definitions of which each holds the next one twice."""
    defs: dict[str, Any] = {
        f"d{number}": {"allOf": [{"$ref": f"#/$defs/d{number + 1}"}, {"$ref": f"#/$defs/d{number + 1}"}]}
        for number in range(count)
    }
    return {"$ref": "#/$defs/d0", "$defs": defs | {f"d{count}": {"type": "integer"}}}


def tree(count: int) -> dict[str, Any]:
    """Definitions of which each has two members of the next one: 2 ** count in all, required."""
    defs: dict[str, Any] = {
        f"d{number}": {
            "type": "object",
            "properties": {name: {"$ref": f"#/$defs/d{number + 1}"} for name in "ab"},
            "required": ["a", "b"],
        }
        for number in range(count)
    }
    return {"$ref": "#/$defs/d0", "$defs": defs | {f"d{count}": {"type": "integer"}}}


def twice(count: int) -> dict[str, Any]:
    """Definitions of which each is exactly one of the next one and a part of it."""
    defs: dict[str, Any] = {}
    for number in range(count):
        following = {"$ref": f"#/$defs/d{number + 1}"}
        defs[f"d{number}"] = {"oneOf": [following, {"allOf": [following, {"minLength": number}]}]}
    return {"$ref": "#/$defs/d0", "$defs": defs | {f"d{count}": {"type": "string"}}}


SCHEMAS: dict[str, Any] = {
    "an enum of 5 MB": {"enum": [f"value number {number:012}" for number in range(190_000)]},
    "one value of 5 MB": {"const": "x" * 5_000_000},
    "5,000 properties": {
        "type": "object",
        "properties": {f"p{number}": {"type": "integer"} for number in range(5_000)},
        "minProperties": 2_500,
    },
    "49,000 properties": {"type": "object", "properties": {f"p{number}": {} for number in range(49_000)}},
    "5,000 required": {"type": "object", "required": [f"p{number}" for number in range(5_000)]},
    "allOf of anyOf": product("anyOf", 40),
    "allOf of oneOf": product("oneOf", 40),
    "not of allOf of anyOf": {"not": product("anyOf", 40)},
    "anyOf of many objects": {
        "type": "object",
        "anyOf": [
            {"properties": {f"p{number}": {"const": number}}, "required": [f"p{number}"]} for number in range(400)
        ],
    },
    "oneOf of many objects": {
        "type": "object",
        "oneOf": [{"properties": {"a": {"minimum": number}, f"p{number}": {}}} for number in range(200)],
    },
    "a chain of doubled references": chain(60),
    "a tree of required members": tree(60),
    "a chain of choices": twice(60),
    "a reference to itself": {"$ref": "#"},
    "references in a circle": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    "allOf of itself": {"allOf": [{"$ref": "#"}, {"type": "integer"}]},
    "not of itself": {"type": "integer", "not": {"$ref": "#"}},
    "a member that is required without end": {"properties": {"a": {"$ref": "#"}}, "required": ["a"], "type": "object"},
    "an anchor without end": {"$dynamicAnchor": "a", "anyOf": [{"$dynamicRef": "#a"}, {"not": {"$dynamicRef": "#a"}}]},
    "repetitions of repetitions": {"type": "string", "pattern": "^(a{1,1000}){1,1000}$"},
    "a repetition of a billion": {"type": "string", "pattern": "^a{1000000000}$"},
    "nested stars": {"type": "string", "pattern": "^(((a*)*)*)*b$"},
    "alternatives of alternatives": {"type": "string", "pattern": "^" + "(a|b|ab)" * 300 + "$"},
    "a pattern of 1 MB": {"type": "string", "pattern": "a" * 1_000_000},
    "nested groups": {"type": "string", "pattern": "(" * 5_000 + "a" + ")" * 5_000},
    "look-aheads": {"type": "string", "pattern": "^" + "(?=.*a{1,50}b)" * 30 + ".*$"},
    "far in the past of an automaton": {"type": "string", "pattern": "(a|b)*a(a|b){40}$"},
    "many patterns": {
        "type": "object",
        "required": ["11x", "5"],
        "patternProperties": {f"{number}.*x": {"minimum": number} for number in range(60)},
    },
    "many overlapping patterns": {
        "type": "object",
        "patternProperties": {f"a.*{number % 10}.*{number}": {"minLength": number} for number in range(40)},
        "additionalProperties": False,
    },
    "a string of a billion characters": {"type": "string", "minLength": 1_000_000_000},
    "an array of a billion items": {"type": "array", "minItems": 1_000_000_000},
    "an object of a billion members": {"type": "object", "minProperties": 1_000_000_000},
    "unique items of few values": {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 4},
    "a huge number": {"type": "integer", "minimum": 10**300, "multipleOf": 10**290 + 1},
    "a tiny number": {"type": "number", "multipleOf": 1e-300, "exclusiveMinimum": 0},
    "many different numbers": {
        "type": "array",
        "items": {"enum": list(range(2_000))},
        "uniqueItems": True,
        "minItems": 900,
    },
    "contains, many times": {"type": "array", "contains": {"type": "integer"}, "minContains": 100_000},
    "a dependency of everything on everything": {
        "type": "object",
        "dependentRequired": {f"p{n}": [f"p{m}" for m in range(60)] for n in range(60)},
    },
    "if after if": {
        "type": "object",
        "allOf": [
            {"if": {"required": [f"a{n}"]}, "then": {"required": [f"b{n}"]}, "else": {"required": [f"c{n}"]}}
            for n in range(40)
        ],
    },
    "unevaluated of many branches": {**product("anyOf", 30), "unevaluatedProperties": False},
    "names in many ways": {
        "type": "object",
        "propertyNames": {"allOf": [{"type": "string", "pattern": f"a.*{n}"} for n in range(40)]},
        "minProperties": 5,
    },
}

DEEP = {
    "nested 300 deep": ('{"not":', 300),
    "nested 10,000 deep": ('{"not":', 10_000),
    "items nested 10,000 deep": ('{"items":', 10_000),
    "properties nested 10,000 deep": ('{"properties":{"a":', 10_000),
}


def run(path: Path, kind: str, order: str) -> list[Any]:
    """What the process told: seconds, outcome, text, pointer."""
    command = [sys.executable, "-c", PROGRAM, str(path), kind, order]
    try:
        done = subprocess.run(command, capture_output=True, timeout=6 * SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return [6 * SECONDS, "stopped", "", ""]
    if done.returncode:
        return [0.0, "died", done.stderr.decode()[-1500:], ""]
    told: list[Any] = json.loads(done.stdout)
    return told


def problem(told: list[Any]) -> str | None:
    """What is wrong with the end of a process, or None."""
    seconds, outcome, text, pointer = told
    figures.count("untrusted", outcome, schemas=1, seconds=seconds)
    if outcome in ("died", "stopped") or (reach.FULL and seconds > SECONDS):
        return f"{outcome} after {seconds:.1f} seconds: {text}"
    if outcome == "refused" and (pointer is None or len(text) > 1_000):
        return f"refused at {pointer} with {len(text)} characters"
    return None


TRIED = [(name, order) for name in SCHEMAS for order in ("schema", "any")][:: 1 if reach.FULL else 9]


@pytest.mark.parametrize(("name", "order"), TRIED)
def test_a_schema_that_wants_to_hurt(tmp_path: Path, name: str, order: str) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMAS[name]), "utf-8")
    what = problem(run(path, "file", order))
    key = (f"{name} ({order})",) if (f"{name} ({order})",) in GAPS else (name,)  # a gap of one order, or of both
    gaps.settle({key: what} if what else {}, {key} if what or reach.FULL else set(), GAPS)  # a sample counts no seconds


@pytest.mark.parametrize("name", DEEP)
def test_a_schema_that_is_nested_deeply(tmp_path: Path, name: str) -> None:
    opening, depth = DEEP[name]
    path = tmp_path / "schema.json"
    path.write_text(opening * depth + "{}" + "}" * (depth * opening.count("{")), "utf-8")
    told = run(path, "file", "schema")
    assert problem(told) is None
    assert told[1] == "refused"
    assert "nested too deeply" in told[2]


def test_a_value_that_is_nested_deeply(tmp_path: Path) -> None:
    path = tmp_path / "schema.py"
    path.write_text("schema = {}\nfor _ in range(10_000):\n    schema = {'not': schema}\n", "utf-8")
    told = run(path, "python", "schema")
    assert "nested too deeply" in told[2]
