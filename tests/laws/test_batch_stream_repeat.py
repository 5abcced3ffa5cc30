"""Batch ⇔ alone, stream ⧺ = text, and law 8: the same seed gives the same tokens."""

from __future__ import annotations

import json

from harmony_gen import Done, FieldDone, Generator, Result, Sampling, TextDelta
from support.bench import sample

PROMPTS = ("Invoice A-17, total 12.50 EUR, paid", "Q3 revenue rose 4 % to 2.87 billion", "营收 12 亿元", "x")


def small_cases(count: int) -> list:
    return [case for case in sample() if len(case.compiled.description) < 700][:count]


def test_a_row_of_a_batch_is_what_it_is_alone(embedded: Generator) -> None:
    cases = small_cases(24)
    prompts = [PROMPTS[number % len(PROMPTS)] for number in range(len(cases))]
    schemas = [case.schema for case in cases]
    sampling = Sampling(temperature=0.8, top_p=0.95, seed=11)
    together = embedded.generate_batch(prompts, schemas, max_new_tokens=160, sampling=sampling)
    for prompt, schema, row in zip(prompts, schemas, together, strict=True):
        alone = embedded.generate(prompt, schema, max_new_tokens=160, sampling=sampling)
        assert isinstance(row, Result)
        assert (row.tokens, row.fields, row.finish) == (alone.tokens, alone.fields, alone.finish)


def test_a_stream_is_the_text_in_pieces(embedded: Generator) -> None:
    for number, case in enumerate(small_cases(40)):
        sampling = Sampling(temperature=1.0, seed=number)
        prompt = PROMPTS[number % len(PROMPTS)]
        events = list(embedded.stream(prompt, case.schema, max_new_tokens=160, sampling=sampling))
        done = events[-1]
        assert isinstance(done, Done)
        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == done.result.text
        fields = [event for event in events if isinstance(event, FieldDone)]
        assert fields[-1] == FieldDone("", json.loads(done.result.text))
        scalars = {event.pointer: event.value for event in fields if not isinstance(event.value, dict | list)}
        assert scalars == {pointer: field.value for pointer, field in done.result.fields.items()}
        alone = embedded.generate(prompt, case.schema, max_new_tokens=160, sampling=sampling)
        assert alone.tokens == done.result.tokens


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
