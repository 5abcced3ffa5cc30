"""What else a value could have been: exact, as teacher forcing finds it."""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import pytest
import torch

from harmony_gen import Alternative, Generator, ModelError, Sampling, Schema, rule
from harmony_gen.decoding.matcher import Matcher
from harmony_gen.schema.few import MOST
from support import models

PROMPT = "Acme sent a receipt for 3 bolts; it is paid"


def within(schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": schema}, "required": ["a"], "additionalProperties": False}


KINDS = ["invoice", "receipt", "offer", 'a "quote"', "in"]
FEW = {
    "enum": (within({"enum": KINDS}), "/a", KINDS),
    "boolean": (within({"type": "boolean"}), "/a", [True, False]),
    "null or enum": (within({"enum": [None, "yes", "no", 3]}), "/a", [None, "yes", "no", 3]),
    "number": (within({"type": "integer", "minimum": 8, "maximum": 11}), "/a", [8, 9, 10, 11]),
    "root": ({"enum": ["a", "b", 1, 12, False]}, "", ["a", "b", 1, 12, False]),
    "item": ({"type": "array", "items": {"enum": ["漢", "é"]}, "minItems": 1, "maxItems": 1}, "/0", ["漢", "é"]),
    "constant": (within({"const": 7}), "/a", [7]),
}


@pytest.fixture(scope="module")
def spaced() -> Generator:
    return models.random_llama(models.embedded_tokenizer(), separators="spaced")


def by_teacher_forcing(
    generator: Generator, schema: Schema[Any], before: tuple[int, ...], text: str, span: tuple[int, int]
) -> list[float]:
    """The probability of the tokens that wrote a span, among those allowed and among all. One forward.

    Tokens in `before` are those of another answer, followed up to the span.
    """
    vocabulary = generator._vocabulary
    matcher = Matcher(schema, vocabulary, 512)
    prompt = generator._encode(PROMPT, schema)
    masks: list[Any] = []
    ends = [0]
    while ends[-1] < len(text.encode()):
        known = before[len(ends) - 1 : len(ends)]
        if ends[-1] + len(vocabulary.bytes_of(known)) >= span[0]:
            known = ()
        token = (forced := matcher.forced()) or known or vocabulary.encode_bytes(text.encode()[ends[-1] :])
        masks.append(None if forced else matcher.allowed())
        assert matcher.accept(token[0])
        ends.append(len(matcher.text))
    with torch.inference_mode():
        logits = generator._model(input_ids=torch.tensor([[*prompt, *matcher.tokens]])).logits[0].double()
    rows = torch.softmax(logits[len(prompt) - 1 :], dim=-1).numpy()
    masked = raw = 1.0
    for number, token in enumerate(matcher.tokens):
        if ends[number] < span[1] and ends[number + 1] > span[0] - 1 and masks[number] is not None:
            masked *= rows[number][token] / rows[number][masks[number]].sum()
            raw *= rows[number][token]
    return [masked, raw]


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("model", ["tiny", "embedded", "spaced"])
def test_alternatives_are_what_teacher_forcing_finds(model: str, name: str, request: pytest.FixtureRequest) -> None:
    generator: Generator = request.getfixturevalue(model)
    contents, pointer, values = FEW[name]
    schema = Schema.of(contents)
    for seed in range(2):
        result = generator.generate(PROMPT, schema, sampling=Sampling(temperature=1.0, seed=seed))
        found = result.alternatives(pointer)
        chosen = result.fields[pointer]
        assert sorted(map(repr, (one.value for one in found))) == sorted(map(repr, values))
        assert [one.probability for one in found] == sorted((one.probability for one in found), reverse=True)
        start, end = chosen.text_span
        for one in found:
            if one.value == chosen.value:
                assert one == Alternative(chosen.value, chosen.probability, chosen.raw_probability)
                continue
            written = json.dumps(one.value, ensure_ascii=False)
            before = len(result.text[:start].encode())
            span = (before, before + len(written.encode()))
            text = result.text[:start] + written + result.text[end:]
            masked, raw = by_teacher_forcing(generator, schema, result.tokens, text, span)
            assert one.probability == pytest.approx(masked, rel=1e-3)
            assert one.raw_probability == pytest.approx(raw, rel=1e-3)
        if name not in ("number", "root"):
            assert sum(one.probability for one in found) <= 1 + 1e-6


@pytest.mark.parametrize("model", ["tiny", "embedded"])
def test_the_runner_up_is_what_another_answer_chose(model: str, request: pytest.FixtureRequest) -> None:
    """Against the decode loop itself: drafts, sparse head and all."""
    generator: Generator = request.getfixturevalue(model)
    schema = within({"type": "boolean"})
    by_value = {}
    for seed in range(60):
        result = generator.generate(PROMPT, schema, sampling=Sampling(temperature=4.0, seed=seed))
        if result.tokens[:-2] == tuple(generator._vocabulary.encode(result.text))[: len(result.tokens) - 2]:
            by_value.setdefault(result.value["a"], result)  # in its usual spelling
    assert len(by_value) == 2
    for value, result in by_value.items():
        other = by_value[not value].fields["/a"]
        found = result.runner_up("/a")
        assert found is not None
        assert found.value is not value
        assert found.probability == pytest.approx(other.probability, rel=1e-3)
        assert found.raw_probability == pytest.approx(other.raw_probability, rel=1e-3)


def test_what_rules_refuse_is_no_alternative(tiny: Generator) -> None:
    result = tiny.generate(PROMPT, within({"enum": KINDS}), rules=[rule("/a", lambda kind: kind != "receipt")])
    assert {one.value for one in result.alternatives("/a")} == set(KINDS) - {"receipt"}


@pytest.mark.parametrize(
    "schema",
    [{"type": "string", "maxLength": 3}, {"type": "integer"}, {"enum": list(range(MOST + 1))}, {"enum": [1, [2]]}],
)
def test_of_many_values_there_are_no_alternatives(tiny: Generator, schema: Any) -> None:
    sampling = Sampling(temperature=1.0, seed=1)
    result = tiny.generate(PROMPT, within(schema), sampling=sampling, rules=[rule("/a", is_scalar)])
    assert result.alternatives("/a") == ()
    assert result.runner_up("/a") is None


def is_scalar(value: Any) -> bool:
    return not isinstance(value, list)


def test_xml_and_texts_have_none(tiny: Generator) -> None:
    assert tiny.generate("x", Schema.from_regex("[ab]")).fields == {}
    with pytest.raises(KeyError):
        tiny.generate("x", within({"type": "boolean"})).alternatives("/b")


def test_results_that_travel_keep_what_was_asked(tiny: Generator) -> None:
    result = tiny.generate(PROMPT, {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 2})
    found = result.alternatives("/0")
    assert math.isclose(sum(one.probability for one in found), 1.0, rel_tol=1e-6) or len(found) == 2
    travelled = pickle.loads(pickle.dumps(result))  # noqa: S301
    assert travelled.alternatives("/0") == found
    with pytest.raises(ModelError, match="another process"):
        travelled.alternatives("/1")


def test_a_closed_generator_is_not_asked() -> None:
    generator = models.random_llama(models.embedded_tokenizer())
    result = generator.generate(PROMPT, within({"type": "boolean"}))
    generator.close()
    with pytest.raises(ModelError, match="closed"):
        result.alternatives("/a")
