"""Laws 1, 2 and 5: an answer passes the judge and ends within its budget, whatever the model wants, and running forced
tokens together with others never changes it.

The adversaries are random weights over the real vocabulary of gpt-oss, and the embedded model behind a prompt that
means nothing to it.
"""

import json

import pytest

from harmony_gen import Generator, Sampling
from support.bench import SHARDS, Case, needed, shard, write

ROOMS = (0, 1, 12, 40)
"""Tokens beyond the shortest known answer."""

TEMPERATURES = (0.0, 1.0, 3.0)


def complaint(case: Case, text: bytes, tokens: int, budget: int) -> str | None:
    """What is wrong with an answer, or None."""
    if tokens > budget:
        return f"{case.id}: {tokens} tokens, {budget} allowed"
    if not case.is_valid(json.loads(text)):
        return f"{case.id}: invalid: {text.decode()[:200]}"
    return None


@pytest.mark.parametrize("index", range(SHARDS))
@pytest.mark.parametrize("name", ["adversary", "embedded"])
def test_answers_are_valid_within_any_budget_and_the_same_without_chunks(
    name: str, index: int, request: pytest.FixtureRequest
) -> None:
    generator: Generator = request.getfixturevalue(name)
    cases = shard(index)
    wrong = []
    for number, case in enumerate(cases):
        budget = needed(generator, case.compiled) + ROOMS[number % len(ROOMS)]
        sampling = Sampling(temperature=TEMPERATURES[number % len(TEMPERATURES)], seed=number)
        answer = write(generator, case.compiled, budget, sampling)
        wrong.append(complaint(case, answer.text, len(answer.tokens), budget))
        alone = write(generator, case.compiled, budget, sampling, chunk_forced=False)
        assert alone.tokens == answer.tokens, case.id
    assert len(wrong) >= 80
    assert not [text for text in wrong if text]
