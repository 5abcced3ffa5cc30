"""Documents longer than what a model sees at once."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from harmony_gen import Generator, PromptError, Sampling, Schema, SchemaError
from harmony_gen import result as results
from harmony_gen.long_documents import LongResult, _Found, _values, cuts, filled, merged

CODES = {
    "type": "object",
    "properties": {
        "codes": {"type": "array", "items": {"type": "string", "x-verbatim": True, "pattern": "^[A-Z]{2}-[0-9]{4}$"}},
        "first": {"type": "string", "x-verbatim": True, "minLength": 3, "maxLength": 12},
        "paid": {"type": "boolean"},
    },
    "required": ["codes", "first", "paid"],
    "additionalProperties": False,
}
DOCUMENT = "\n".join(f"Ticket AB-{1000 + number} was closed. 票号 CD-{2000 + number}。" for number in range(12))


def words(text: str) -> int:
    return len(text.split())


@settings(max_examples=40)
@given(st.text("ab .\n。!", max_size=120), st.integers(1, 12), st.data())
def test_parts_hold_all_of_the_text_and_are_short_enough(text: str, size: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, size // 2))
    spans = cuts(text, len, size, overlap)
    held = {place for start, end in spans for place in range(start, end)}
    assert all(place in held or text[place].isspace() for place in range(len(text)))
    assert all(0 < end - start <= size for start, end in spans)
    starts = [start for start, _ in spans]
    assert starts == sorted(set(starts))
    for (_, end), (start, _) in pairwise(spans):
        assert end - start <= overlap


def test_cuts_are_behind_lines_and_sentences() -> None:
    text = "One two three. Four five six! Seven eight\nnine ten. 十一。Twelve"
    assert [text[slice(*span)] for span in cuts(text, words, 4, 0)] == [
        "One two three. ",
        "Four five six! ",
        "Seven eight\nnine ten. ",
        "十一。Twelve",
    ]
    assert [text[slice(*span)] for span in cuts(text, words, 6, 3)][:2] == [
        "One two three. Four five six! ",
        "Four five six! Seven eight\n",
    ]
    assert cuts(" \n ", words, 4, 0) == []


def tree(value: Any, confidence: float) -> Any:
    if isinstance(value, dict):
        return {key: tree(member, confidence) for key, member in value.items()}
    if isinstance(value, list):
        return [tree(item, confidence) for item in value]
    return _Found(value, results.Field("", value, confidence, confidence, 1.0, (0, 0), None, missing=value is None))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([1, 2], 2),
        ([1, None], 1),
        ([None, None], None),
        ([{"a": 1, "b": None}, {"a": None, "b": 2}], {"a": 1, "b": 2}),
        ([{"a": 1}, {"b": 2}], {"a": 1, "b": 2}),
        ([["x", "x"], ["X ", "y", "y"]], ["X ", "x", "y", "y"]),
        ([[{"n": "a", "q": None}], [{"n": "a", "q": 2}, {"n": "a", "q": 3}]], [{"n": "a", "q": 2}, {"n": "a", "q": 3}]),
        ([None, [1]], [1]),
        ([[], [[1], [2]], [[1]]], [[1], [2]]),
    ],
)
def test_answers_are_put_together(answers: list[Any], expected: Any) -> None:
    trees = [tree(answer, 0.5 + number / 10) for number, answer in enumerate(answers)]
    assert _values(merged(trees)) == expected


def test_what_is_missing_is_filled_in_and_marked() -> None:
    found = filled(
        tree({"a": None, "b": 1, "c": {"d": None}}, 0.5), tree({"a": {"x": [2]}, "b": 3, "c": {"d": 4}}, 0.9)
    )
    assert _values(found) == {"a": {"x": [2]}, "b": 1, "c": {"d": 4}}
    assert found["a"]["x"][0].field.missing
    assert found["c"]["d"].field.missing
    assert not found["b"].field.missing


def check(found: LongResult[Any], schema: Any, document: str) -> None:
    assert found.source == document
    Schema.of(schema).judge.check(found.text)
    for place, field in found.fields.items():
        assert field.pointer == place
        assert json.loads(found.text[slice(*field.text_span)]) == field.value
        if field.source_span is not None and isinstance(field.value, str):
            assert document[slice(*field.source_span)].casefold() == field.value.casefold()


def test_a_long_document_is_answered_in_parts(tiny: Generator) -> None:
    schema = {**CODES, "properties": {**CODES["properties"], "codes": {**CODES["properties"]["codes"], "minItems": 1}}}
    count = 0
    for seed, pages in enumerate([DOCUMENT[:300], DOCUMENT.split("\n")[:5], DOCUMENT[:200]]):
        document = pages if isinstance(pages, str) else "\n".join(pages)
        options: Any = {"sampling": Sampling(temperature=2.0, seed=seed), "max_new_tokens": 90}
        found = tiny.extract_long(pages, schema, chunk_tokens=70, overlap_tokens=20, **options)
        check(found, schema, document)
        assert found.value == json.loads(found.text)
        assert len(found.parts) >= 3
        assert found.problem is None
        said = [part.result.value["codes"] for part in found.parts if part.result.value["codes"] is not None]
        codes = found.value["codes"]
        count += len(said)
        if not said:  # the schema demands what no part holds
            assert all(field.missing for place, field in found.fields.items() if place.startswith("/codes/"))
            continue
        assert set(codes) == {code for part in said for code in part}
        for code in set(codes):  # no more often than in one part
            assert codes.count(code) == max(part.count(code) for part in said)
    assert count > 0


def test_what_does_not_fit_together_gives_the_best_part(tiny: Generator) -> None:
    schema = {**CODES, "properties": {**CODES["properties"], "codes": {**CODES["properties"]["codes"], "maxItems": 1}}}
    schema["properties"]["codes"]["minItems"] = 1
    for seed in range(20):  # until two parts name different codes, and so one too many
        sampling = Sampling(temperature=1.0, seed=seed)
        found = tiny.extract_long(DOCUMENT, schema, chunk_tokens=40, sampling=sampling, max_new_tokens=60)
        check(found, schema, DOCUMENT)
        if found.problem is not None:
            break
    assert found.problem is not None
    assert found.problem.pointer == "/codes"
    assert len(found.value["codes"]) == 1


def test_types_make_values(tiny: Generator) -> None:
    class Ticket(BaseModel):
        closed: bool
        kind: str = Field(pattern="^[a-z]{1,3}$")

    found = tiny.extract_long(DOCUMENT[:200], Ticket, chunk_tokens=40, max_new_tokens=40)
    assert isinstance(found.value, Ticket)
    assert found.value == Ticket.model_validate_json(found.text)


def test_bad_input_is_named(tiny: Generator, embedded: Generator) -> None:
    with pytest.raises(PromptError, match="empty"):
        tiny.extract_long(["", " \n"], CODES)
    with pytest.raises(ValueError, match="at least 16"):
        tiny.extract_long(DOCUMENT, CODES, chunk_tokens=3)
    with pytest.raises(ValueError, match="half of the 40"):
        tiny.extract_long(DOCUMENT, CODES, chunk_tokens=40, overlap_tokens=30)
    with pytest.raises(SchemaError, match="JSON"):
        tiny.extract_long(DOCUMENT, Schema.from_regex("a"))
    with pytest.raises(PromptError, match="Lower max_new_tokens"):
        embedded.extract_long(DOCUMENT, CODES, max_new_tokens=1000)
