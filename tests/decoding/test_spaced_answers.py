"""Answers with a space behind each comma and colon."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen import Generator, Sampling, Schema, TextDelta, rule
from harmony_gen.schema.scanner import Scan
from harmony_gen.schema.separators import Joint, compacted, joint_behind
from support import models

ORDER = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "maxLength": 12},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "minItems": 1, "maxItems": 3},
        "notes": {"type": "object", "additionalProperties": {"type": "boolean"}, "maxProperties": 2},
        "tags": {"enum": [["a", "b"], ["c, d: e"]]},
    },
    "required": ["id", "lines", "notes", "tags"],
    "additionalProperties": False,
    "$defs": {
        "line": {
            "type": "object",
            "properties": {"sku": {"type": "string", "maxLength": 5}, "count": {"type": "integer", "maximum": 99}},
            "required": ["sku", "count"],
            "additionalProperties": False,
        }
    },
}

KEYS, STRINGS = st.text(alphabet='a \\",:', max_size=4), st.text(alphabet='ab \\",:{}[]\né', max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def spaced() -> Generator:
    """The quick adversary, with spaces."""
    return models.random_llama(models.embedded_tokenizer(), separators="spaced")


def texts(value: Any) -> tuple[bytes, bytes]:
    """The compact and the spaced text of a value."""
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return compact.encode(), json.dumps(value, ensure_ascii=False).encode()


@given(value=JSON, indent=st.integers(0, 3))
def test_texts_are_spaced_and_compacted_as_json_spells_them(value: Any, indent: int) -> None:
    compact, spaced = texts(value)
    assert Joint().spaced(compact) == spaced
    assert compacted(spaced) == compacted(compact) == compact
    assert compacted(json.dumps(value, ensure_ascii=False, indent=indent).encode()) == compact


@given(value=JSON, data=st.data())
def test_a_spaced_text_may_be_read_and_continued_at_any_byte(value: Any, data: st.DataObject) -> None:
    compact, spaced = texts(value)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(spaced)), max_size=6)))
    scan, joint, read, at = Scan(), Joint(), b"", 0
    for cut in [*cuts, len(spaced)]:
        piece = spaced[at:cut]
        read += (part := compacted(piece, joint_behind(b"", scan.tail)))
        scan, _ = scan.feed(part)
        joint, at = joint_behind(piece, scan.tail) if piece else joint, cut
        assert compact.startswith(read)
        assert joint.spaced(compact[len(read) :]) == spaced[cut:]
    assert read == compact


@pytest.mark.parametrize("order", ["schema", "any"])
@pytest.mark.parametrize("seed", range(6))
def test_answers_are_spaced_and_valid_within_the_budget(spaced: Generator, seed: int, order: str) -> None:
    schema = Schema.from_json_schema(ORDER, property_order=order)
    result = spaced.generate(
        "Order.", schema, max_new_tokens=60 + 20 * seed, sampling=Sampling(temperature=1.0, seed=seed)
    )
    assert len(result.tokens) <= 60 + 20 * seed
    assert result.text.encode() == Joint().spaced(compacted(result.text.encode()))
    assert schema.validate(result.text) == result.value
    for pointer, field in result.fields.items():
        value = result.value
        for step in pointer.split("/")[1:]:
            value = value[int(step) if isinstance(value, list) else step]
        assert field.value == value


def test_what_is_streamed_is_the_spaced_text(spaced: Generator) -> None:
    events = list(spaced.stream("Order.", ORDER, max_new_tokens=90))
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert text == events[-1].result.text
    assert ", " in text


def test_rules_see_values_whatever_the_spelling(spaced: Generator) -> None:
    even = rule("/lines/*/count", lambda count: count % 2 == 0)
    sampling = Sampling(temperature=1.0, seed=3)
    result = spaced.generate("Order.", ORDER, max_new_tokens=120, rules=[even], sampling=sampling)
    assert all(line["count"] % 2 == 0 for line in result.value["lines"])


def test_a_text_may_be_asked_for_in_any_spelling(spaced: Generator) -> None:
    value = {"id": "a, b: c", "lines": [{"sku": "x", "count": 2}], "notes": {"k, ": True}, "tags": ["c, d: e"]}
    for indent in (None, 0, 2):
        assert spaced.accepts(ORDER, json.dumps(value, indent=indent))
    assert spaced.accepts(ORDER, json.dumps(value, separators=(",", ":")))
    assert not spaced.accepts(ORDER, json.dumps(value | {"tags": ["c,d:e"]}))


def test_texts_that_are_not_json_keep_their_spaces(spaced: Generator) -> None:
    assert spaced.generate("x", Schema.from_regex("a,b:c")).text == "a,b:c"
