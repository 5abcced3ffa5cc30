"""Batch ⇔ alone, stream ⧺ = text, and law 8: the same seed gives the same tokens."""

import json

import pytest

from harmony_gen import Done, FieldDone, Generator, HarmonyError, Result, Sampling, TextDelta
from support.bench import SHARDS, Case, sample, shard

PROMPTS = ("Invoice A-17, total 12.50 EUR, paid", "Q3 revenue rose 4 % to 2.87 billion", "营收 12 亿元", "x")
BUDGET = 32
LONGEST = 3000
"""Characters of a schema's description; longer ones would cost only prefill."""


def prompt_of(number: int) -> str:
    return PROMPTS[number % len(PROMPTS)]


def check_rows(generator: Generator, cases: tuple[Case, ...], sampling: Sampling) -> int:
    """Compares each row of a batch with the same row alone and streamed; returns how many gave a result."""
    prompts = [prompt_of(number) for number in range(len(cases))]
    schemas = [case.compiled for case in cases]
    together = generator.generate_batch(prompts, schemas, max_new_tokens=BUDGET, sampling=sampling)
    for prompt, schema, row in zip(prompts, schemas, together, strict=True):
        if isinstance(row, Result):
            check_stream(list(generator.stream(prompt, schema, max_new_tokens=BUDGET, sampling=sampling)), row)
        else:
            with pytest.raises(type(row)) as alone:
                generator.generate(prompt, schema, max_new_tokens=BUDGET, sampling=sampling)
            assert str(alone.value) == str(row)
            assert isinstance(row, HarmonyError)
    return sum(isinstance(row, Result) for row in together)


def check_stream(events: list, row: Result) -> None:
    """The events of a row alone: their text is the row's, and so is everything else but the time it took."""
    done = events[-1]
    assert isinstance(done, Done)
    assert (done.result.tokens, done.result.text) == (row.tokens, row.text)
    assert done.result.finish == row.finish
    assert done.result.fields.keys() == row.fields.keys()
    for place, field in done.result.fields.items():
        other = row.fields[place]
        assert (field.value, field.text_span, field.source_span) == (other.value, other.text_span, other.source_span)
        assert field.confidence == pytest.approx(other.confidence, rel=1e-3, abs=1e-6)
        assert field.allowed_mass == pytest.approx(other.allowed_mass, rel=1e-3, abs=1e-6)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == row.text
    fields = [event for event in events if isinstance(event, FieldDone)]
    assert fields[-1] == FieldDone("", json.loads(row.text))
    scalars = {event.pointer: event.value for event in fields if not isinstance(event.value, dict | list)}
    assert scalars == {pointer: field.value for pointer, field in row.fields.items()}


@pytest.mark.parametrize("index", range(SHARDS))
def test_a_row_of_a_batch_is_what_it_is_alone_and_streamed(tiny: Generator, index: int) -> None:
    cases = tuple(case for case in shard(index) if len(case.compiled.description) < LONGEST)
    assert len(cases) >= 75
    assert check_rows(tiny, cases, Sampling(temperature=1.0, seed=index)) >= 45


def test_so_it_is_with_the_embedded_model(embedded: Generator) -> None:
    cases = tuple(case for case in sample() if len(case.compiled.description) < 700)[:24]
    assert check_rows(embedded, cases, Sampling(temperature=0.8, top_p=0.95, seed=11)) >= 10


def test_the_same_seed_gives_the_same_tokens_and_another_seed_others(embedded: Generator) -> None:
    schema = {"type": "array", "items": {"type": "string"}, "minItems": 3, "maxItems": 3}
    by_seed = {
        seed: [
            embedded.generate("abc", schema, max_new_tokens=80, sampling=Sampling(temperature=2.0, seed=seed)).tokens
            for _ in range(3)
        ]
        for seed in (1, 2, 3)
    }
    assert all(len(set(runs)) == 1 for runs in by_seed.values())
    assert len({runs[0] for runs in by_seed.values()}) == 3
