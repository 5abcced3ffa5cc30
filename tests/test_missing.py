"""What the text does not hold: null, left out, or marked."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from harmony_gen import Generator, Sampling, Schema, SchemaError, rule, verbatim
from harmony_gen.request import THRESHOLD, request_of
from harmony_gen.schema.gaps import widened
from support import models

TEXT = "Invoice from Acme, 12 EUR"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "vendor": {"type": "string", "minLength": 1, "maxLength": 8},
        "paid": {"type": "boolean"},
        "kind": {"const": "bill"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"sum": {"type": "integer", "minimum": 1, "maximum": 99}},
                "required": ["sum"],
                "additionalProperties": False,
            },
            "minItems": 1,
            "maxItems": 2,
        },
    },
    "required": ["vendor", "paid", "kind", "lines"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def spaced() -> Generator:
    return models.random_llama(models.embedded_tokenizer(), separators="spaced")


def test_answers_with_nulls_are_valid_under_the_wider_schema(tiny: Generator) -> None:
    validator, strict = Draft202012Validator(widened(SCHEMA, "null")), Draft202012Validator(SCHEMA)
    gaps = 0
    for seed in range(12):
        sampling = Sampling(temperature=1.5, seed=seed)
        result = tiny.generate(TEXT, SCHEMA, missing="null", sampling=sampling, max_new_tokens=90)
        assert validator.is_valid(result.value)
        assert result.value["kind"] == "bill"
        missing = [place for place, field in result.fields.items() if field.missing]
        assert missing == [place for place, field in result.fields.items() if field.value is None]
        assert strict.is_valid(result.value) is (not missing and isinstance(result.value["lines"], list))
        gaps += len(missing)
    assert gaps > 3


def test_what_is_left_out_is_named(tiny: Generator) -> None:
    validator, strict = Draft202012Validator(widened(SCHEMA, "omit")), Draft202012Validator(SCHEMA)
    gaps: set[str] = set()
    for seed in range(8):
        sampling = Sampling(temperature=1.5, seed=seed)
        result = tiny.generate(TEXT, SCHEMA, missing="omit", sampling=sampling, max_new_tokens=90)
        assert validator.is_valid(result.value)
        assert strict.is_valid(result.value) is not bool(result.omitted)
        for place in result.omitted:
            assert place.rpartition("/")[2] not in at(result.value, place.rpartition("/")[0])
        gaps.update(result.omitted)
    assert len(gaps) >= 3
    assert "/kind" not in gaps


def at(value: Any, place: str) -> Any:
    for step in place.split("/")[1:]:
        value = value[int(step) if isinstance(value, list) else step]
    return value


@pytest.mark.parametrize("model", ["tiny", "embedded", "spaced"])
def test_to_abstain_changes_no_answer_and_says_what_teacher_forcing_finds(
    model: str, request: pytest.FixtureRequest
) -> None:
    generator: Generator = request.getfixturevalue(model)
    for seed in range(3):
        sampling = Sampling(temperature=1.0, seed=seed)
        plain = generator.generate(TEXT, SCHEMA, sampling=sampling, max_new_tokens=90)
        result = generator.generate(TEXT, SCHEMA, sampling=sampling, max_new_tokens=90, missing="abstain")
        assert (result.tokens, result.value) == (plain.tokens, plain.value)
        assert not any(field.missing or field.absence is not None for field in plain.fields.values())
        assert result.fields["/kind"].absence is None
        for place, field in result.fields.items():
            if place != "/kind":
                assert field.absence == pytest.approx(forced_absence(generator, result, field), rel=1e-3, abs=1e-9)
                assert field.missing is (field.absence >= THRESHOLD)


def forced_absence(generator: Generator, result: Any, field: Any) -> float:
    """The probability of null where it parts from an answer, by one forward over a beginning of it."""
    vocabulary = generator._vocabulary
    wide = Schema.of(widened(SCHEMA, "null"))
    start = len(result.text[: field.text_span[0]].encode())
    tokens = list(result.tokens)
    sizes = [len(vocabulary.bytes_of(tokens[:count])) for count in range(len(tokens))]
    count = max(count for count, size in enumerate(sizes) if size < start)  # before the byte in front of the value
    null = vocabulary.encode_bytes(result.text.encode()[sizes[count] : start] + b"null")
    while null[0] == tokens[count]:
        del null[0]
        count += 1
    grammar = vocabulary.matcher(wide.grammar_of(spaced=vocabulary.spaced))
    grammar.consume_tokens(tokens[:count])
    prompt = generator._encode(TEXT, wide)
    with torch.inference_mode():
        logits = generator._model(input_ids=torch.tensor([[*prompt, *tokens[:count]]])).logits[0, -1].double()
    allowed = torch.tensor(vocabulary.allowed(grammar).copy())
    return math.exp(logits[null[0]] - torch.logsumexp(logits[allowed], 0))


def test_the_threshold_decides(embedded: Generator) -> None:
    places = set()
    for threshold in (0.0, 0.5, 1.0):
        fields = embedded.generate(TEXT, SCHEMA, missing="abstain", missing_threshold=threshold).fields
        missing = {place for place, field in fields.items() if field.missing}
        assert missing == {place for place, field in fields.items() if (field.absence or -1) >= threshold}
        assert not places or missing <= places
        places = missing or places
    assert len(embedded.generate(TEXT, SCHEMA, missing="abstain", missing_threshold=0.0).fields) - 1 >= len(places)


class Bill(BaseModel):
    vendor: str
    paid: bool


def test_types_give_plain_values_where_parts_may_be_missing(tiny: Generator) -> None:
    options: Any = {"sampling": Sampling(temperature=1.0, seed=2), "max_new_tokens": 24}
    assert isinstance(tiny.generate(TEXT, Bill, missing="abstain", **options).value, Bill)
    for missing in ("null", "omit"):
        value = tiny.generate(TEXT, Bill, missing=missing, **options).value
        assert isinstance(value, dict)
        assert isinstance(Bill.model_construct(**value), Bill)


def test_rules_are_not_asked_about_nulls(tiny: Generator) -> None:
    rules = [rule("/paid", lambda paid: {True: True}[paid]), verbatim("/vendor")]
    values = set()
    for seed in range(8):
        sampling = Sampling(temperature=3.0, seed=seed)
        value = tiny.generate(TEXT, SCHEMA, missing="null", rules=rules, sampling=sampling, max_new_tokens=60).value
        assert value["vendor"] is None or value["vendor"] in TEXT
        values.add(value["paid"])
    assert values == {True, None}


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"missing": "none"}, ValueError, "missing must be"),
        ({"missing": "abstain", "missing_threshold": 1.5}, ValueError, r"in \[0, 1\]"),
        ({"missing": "null", "missing_threshold": 0.5}, ValueError, "belongs to"),
        ({"missing_threshold": 0.5}, ValueError, "belongs to"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        request_of(TEXT, SCHEMA, **options)


def test_where_nothing_is_demanded_nothing_is_missing() -> None:
    def weather(city: str) -> None: ...

    with pytest.raises(SchemaError, match="give one"):
        request_of(TEXT, None, tools=[weather], missing="null")
    with pytest.raises(SchemaError, match="answers in JSON"):
        request_of(TEXT, Schema.from_regex("a"), missing="abstain")
