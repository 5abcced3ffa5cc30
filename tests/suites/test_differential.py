"""Where outlines and this package both claim a schema exactly, both admit the same texts.

outlines_core writes a schema as a regular expression. It passes over many keywords and reads others in its own way,
so only schemas are compared whose every word it claims, objects closed; and this package must claim to mask all of
them. Texts are the instances of the corpus in compact spelling, and what random changes make of them.
"""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

import pytest
from outlines_core.json_schema import build_regex_from_schema

from harmony_gen import Schema, SchemaError
from harmony_gen.decoding.reachable import respelled
from harmony_gen.schema import engine
from harmony_gen.schema.json_schema import close_objects, subschemas
from support import corpora, figures, reach

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARDS = 8
SAMPLE = 10
CHANGES = 6
LONGEST = 2_000
"""Characters of a text; Python's `re` is no linear matcher."""

CLAIMED = frozenset(
    "type properties required additionalProperties items minItems maxItems enum const minLength maxLength anyOf $ref "
    "$defs definitions title description default examples $comment".split()
)
NAMING = frozenset("type enum const anyOf $ref".split())
OF_OBJECTS = frozenset("properties required additionalProperties".split())


def is_claimed(part: dict[str, Any]) -> bool:
    """Whether outlines claims a schema object: knows all its words, and takes them for what they mean."""
    kind = part.get("type")
    if not part.keys() <= CLAIMED | {"$schema"} or len(part.keys() & NAMING) != 1 or isinstance(kind, list):
        return False
    if kind != "object":
        return part.keys().isdisjoint(OF_OBJECTS) and (kind != "array" or isinstance(part.get("items"), dict))
    names = part.get("properties", {})
    return bool(names) and set(part.get("required", ())) <= set(names) and not part.get("additionalProperties")


def is_finite(schema: dict[str, Any]) -> bool:
    """Whether no definition leads back to itself: outlines follows references a few times only."""
    table = {
        f"#/{place}/{name}": part for place in ("$defs", "definitions") for name, part in schema.get(place, {}).items()
    }
    table["#"] = {keyword: value for keyword, value in schema.items() if keyword not in ("$defs", "definitions")}
    left = {name: set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(part))) for name, part in table.items()}
    while leaves := {name for name, named in left.items() if not named & left.keys()}:
        left = {name: named for name, named in left.items() if name not in leaves}
    return not left


def pairs(index: int) -> Iterator[tuple[dict[str, Any], Schema[Any], re.Pattern[str]]]:
    """Cases with the schema and the regular expression that both claim to be exact."""
    cases = corpora.bench_cases()[index::SHARDS]
    for case in cases if reach.FULL else cases[::SAMPLE]:
        parts = dict(subschemas(case["schema"])).values()
        if not all(map(is_claimed, parts)) or not is_finite(case["schema"]):
            continue
        closed = close_objects(case["schema"])
        try:
            schema = Schema.from_json_schema(closed)
            pattern = re.compile(build_regex_from_schema(json.dumps(closed), ""))
        except (SchemaError, ValueError, re.error):
            continue
        if reach.is_masked(schema):
            yield case, schema, pattern


def texts(case: dict[str, Any], choose: random.Random) -> Iterator[str]:
    """Compact texts of the instances, and changed ones."""
    for test in case["tests"]:
        text = respelled(json.dumps(test["data"]))
        if len(text) < LONGEST:
            yield text
            for _ in range(CHANGES):
                yield respelled(json.dumps(changed(json.loads(text), choose)))
                yield with_other_character(text, choose)


def changed(value: Any, choose: random.Random) -> Any:
    """A value with something else somewhere."""
    if isinstance(value, dict) and value and choose.random() < 0.8:
        key = choose.choice(list(value))
        if choose.random() < 0.2:
            return {name: member for name, member in value.items() if name != key}
        return value | {key: changed(value[key], choose)}
    if isinstance(value, list) and value and choose.random() < 0.8:
        at = choose.randrange(len(value))
        kept = choose.choice([[changed(value[at], choose)], [], [value[at], value[at]]])
        return [*value[:at], *kept, *value[at + 1 :]]
    return choose.choice([None, True, 0, -7, 2.5, "", "a", "ab cd", [], {}, [1, "x"], {"a": 1}])


def with_other_character(text: str, choose: random.Random) -> str:
    """A text with a character inserted, changed or left out."""
    at = choose.randrange(len(text))
    return text[:at] + choose.choice(["", " ", "a", "0", '"', ",", "}", "-", "."]) + text[at + choose.randrange(2) :]


@pytest.mark.parametrize("index", range(SHARDS))
def test_both_admit_the_same_texts(index: int) -> None:
    choose = random.Random(index)
    differ = []
    compared = 0
    for case, schema, pattern in pairs(index):
        counts = {True: 0, False: 0}
        for text in texts(case, choose):
            ours = engine.completes(engine.byte_matcher(schema.grammar), text.encode(errors="replace"))
            theirs = pattern.fullmatch(text) is not None
            counts[theirs] += 1
            if ours is not theirs:
                differ.append(f"{case['id']}: we say {ours}, outlines {theirs}: {text[:200]}")
        compared += sum(counts.values())
        figures.count("differential", "outlines_core", schemas=1, both_admit=counts[True], texts=sum(counts.values()))
    assert compared > 100
    assert not differ, f"{len(differ)} differ:\n" + "\n".join(differ[:40])
