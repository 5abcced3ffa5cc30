"""Confidence: the probabilities of a field's tokens, multiplied, as teacher forcing finds them again."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen import Generator, Result, Sampling, Schema
from harmony_gen.confidence import fields_of
from harmony_gen.decoding.matcher import Matcher
from harmony_gen.decoding.sampling import Choice
from harmony_gen.schema import scanner

RECORD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "kind": {"enum": ["invoice", "receipt", "quote"]},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "n": {"type": "integer", "minimum": 0, "maximum": 99},
                    "ok": {"type": "boolean"},
                },
                "required": ["n", "ok"],
                "additionalProperties": False,
            },
            "minItems": 1,
            "maxItems": 2,
        },
        "price": {"type": "number", "minimum": 0, "maximum": 9},
        "note": {"anyOf": [{"type": "null"}, {"const": 'é漢 "x"'}]},
    },
    "required": ["name", "kind", "lines", "price", "note"],
    "additionalProperties": False,
}
PROMPT = "Acme sent an invoice: 3 bolts at 1.5"


def teacher_forced(generator: Generator, schema: Schema[Any], result: Result[Any]) -> list[tuple[float, float, int]]:
    """For each token of an answer: its probability, the mass of what was allowed, its bytes. One forward."""
    vocabulary = generator._vocabulary
    prompt = generator._encode(PROMPT, schema)
    with torch.inference_mode():
        logits = generator._model(input_ids=torch.tensor([[*prompt, *result.tokens]])).logits[0].double()
    probabilities = torch.softmax(logits[len(prompt) - 1 :], dim=-1).numpy()
    matcher = Matcher(schema, vocabulary, 512)
    found = []
    forced: list[int] = []
    for token, row in zip(result.tokens, probabilities, strict=False):
        forced = forced or matcher.forced()
        size = 0 if token in vocabulary.ends else len(vocabulary.bytes_of([token]))
        if forced:
            assert forced.pop(0) == token
            found.append((1.0, 1.0, size))
        else:
            mass = row[matcher.allowed()].sum()
            found.append((row[token] / mass, mass, size))
        assert matcher.accept(token)
    return found


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("model", ["tiny", "embedded"])
def test_confidence_is_what_teacher_forcing_finds(
    model: str, temperature: float, request: pytest.FixtureRequest
) -> None:
    generator: Generator = request.getfixturevalue(model)
    schema = Schema.of(RECORD)
    for seed in range(3):
        result = generator.generate(PROMPT, schema, sampling=Sampling(temperature=temperature, seed=seed))
        assert result.finish == "complete"
        assert not result.rejections
        tokens = teacher_forced(generator, schema, result)
        ends = np.cumsum([size for _, _, size in tokens])
        for field in result.fields.values():
            start, end = (len(result.text[:at].encode()) for at in field.text_span)
            start -= 1  # the token that wrote the byte before a value may have begun a string, or not
            own = [t for t, stop in zip(tokens, ends, strict=True) if stop > start and stop - t[2] < end and t[2]]
            assert field.confidence == pytest.approx(math.prod(p for p, _, _ in own), rel=1e-3)
            assert field.allowed_mass == pytest.approx(math.prod(mass for _, mass, _ in own), rel=1e-3)
            assert 0 <= field.confidence <= 1
            assert 0 <= field.allowed_mass <= 1


@pytest.mark.parametrize("model", ["tiny", "embedded"])
def test_spans_are_where_the_values_stand(model: str, request: pytest.FixtureRequest) -> None:
    result = request.getfixturevalue(model).generate(PROMPT, RECORD)
    assert list(result.fields) == sorted(result.fields, key=lambda place: result.fields[place].text_span)
    for place, field in result.fields.items():
        assert field.pointer == place
        assert json.loads(result.text[slice(*field.text_span)]) == field.value
        at: Any = result.value
        for step in place.split("/")[1:]:
            at = at[int(step) if isinstance(at, list) else step]
        assert at == field.value
        if field.source_span is not None:
            found = PROMPT[slice(*field.source_span)]
            assert found.lower() == str(field.value).lower() or float(found) == field.value


def scalars(value: Any, place: str = "") -> dict[str, Any]:
    """Every scalar of a value, by its pointer."""
    if isinstance(value, dict):
        steps = [(str(key).replace("~", "~0").replace("/", "~1"), member) for key, member in value.items()]
    elif isinstance(value, list):
        steps = [(str(index), item) for index, item in enumerate(value)]
    else:
        return {place: value}
    return {key: leaf for step, member in steps for key, leaf in scalars(member, f"{place}/{step}").items()}


values = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(value=values, data=st.data())
def test_fields_are_the_scalars_however_the_text_is_cut_into_tokens(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    cuts = sorted(data.draw(st.sets(st.integers(1, max(len(text) - 1, 1)), max_size=8)) - {len(text)})
    sizes = np.diff([0, *cuts, len(text)]).tolist()
    choices = [(Choice(7, math.log(0.5), math.log(0.25), forced=False), size) for size in sizes]
    fields = fields_of(scanner.scalars(text), text, [*choices, (Choice(1, -9.0, -9.0, forced=False), 0)], "")
    expected = scalars(value)
    assert {place: field.value for place, field in fields.items()} == expected
    for field in fields.values():
        assert type(field.value) is type(expected[field.pointer])
        start, end = field.text_span
        assert json.loads(text.decode()[start:end]) == field.value
        first, last = len(text.decode()[:start].encode()), len(text.decode()[:end].encode())
        count = 1 + sum(
            first - 1 < cut < last for cut in cuts
        )  # tokens that wrote a byte of the value, or the one before
        assert field.confidence == pytest.approx(0.5**count)
        assert field.allowed_mass == pytest.approx(0.25**count)
        assert field.source_span is None


def test_what_was_forced_is_certain(tiny: Generator) -> None:
    result = tiny.generate("x", {"const": {"a": [1, "two", None]}})
    assert {field.confidence for field in result.fields.values()} == {1.0}
    assert {field.allowed_mass for field in result.fields.values()} == {1.0}
    assert result.usage.forced_tokens == result.usage.new_tokens
    assert result.usage.forward_passes == 0


def test_containers_and_texts_that_are_not_json_have_no_fields(tiny: Generator) -> None:
    assert tiny.generate("x", {"const": {}}).fields == {}
    assert tiny.generate("x", {"const": [[], {}]}).fields == {}
    assert tiny.generate("x", Schema.from_regex("[ab]{3}")).fields == {}


def test_a_scalar_answer_is_the_field_of_the_root(tiny: Generator) -> None:
    result = tiny.generate("I count 7", {"enum": [7, 8]}, source="7 or 8")
    (field,) = result.fields.values()
    assert field.pointer == ""
    assert field.text_span == (0, 1)
    assert field.source_span in ((0, 1), (5, 6))
