"""Laws 1 and 2: what is returned passes the judge and ends within the budget, whatever the model wants.

The adversaries are random weights over the real vocabulary of gpt-oss, and the embedded model on a text that has
nothing to do with the schema.
"""

from __future__ import annotations

import json

import pytest
from support.bench import SHARDS, Case, needed, shard, write

from harmony_gen import Generator, Sampling

ROOMS = (0, 1, 12, 60)
"""Tokens beyond the shortest known answer."""

TEMPERATURES = (0.0, 1.0, 3.0)


def complaint(case: Case, text: str, tokens: int, budget: int) -> str | None:
    """What is wrong with an answer, or None."""
    if tokens > budget:
        return f"{case.id}: {tokens} tokens, {budget} allowed"
    if not case.is_valid(json.loads(text)):
        return f"{case.id}: invalid: {text[:200]}"
    return None


@pytest.mark.parametrize("index", range(SHARDS))
def test_random_weights_write_valid_answers_within_any_budget(adversary: Generator, index: int) -> None:
    wrong = []
    for number, case in enumerate(shard(index)):
        budget = needed(adversary, case.compiled) + ROOMS[number % len(ROOMS)]
        sampling = Sampling(temperature=TEMPERATURES[number % len(TEMPERATURES)], seed=number)
        matcher = write(adversary, case.compiled, budget, sampling)
        wrong.append(complaint(case, matcher.text.decode(), len(matcher.tokens), budget))
    assert len(wrong) >= 80
    assert not [text for text in wrong if text]


@pytest.mark.parametrize("index", range(SHARDS))
def test_the_embedded_model_does_too(embedded: Generator, index: int) -> None:
    wrong = []
    for number, case in enumerate(shard(index)):
        if len(case.compiled.description) > 900:  # its window is 1,024 tokens
            continue
        budget = needed(embedded, case.compiled) + ROOMS[number % len(ROOMS)]
        sampling = Sampling(temperature=TEMPERATURES[number % len(TEMPERATURES)], seed=number)
        result = embedded.generate(
            "Name: x\nTotal: 12", case.schema, max_new_tokens=budget, sampling=sampling
        )
        wrong.append(complaint(case, result.text, len(result.tokens), budget))
    assert len(wrong) >= 40
    assert not [text for text in wrong if text]
