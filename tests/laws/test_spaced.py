"""The laws of answers with a space behind each comma and colon: valid, within the budget, complete, and spelled so."""

from __future__ import annotations

import json

import pytest

from harmony_gen import Generator, Sampling
from harmony_gen.schema.separators import Joint, compacted
from support.bench import needed, shard, write

ROOMS = (0, 1, 12, 40)


@pytest.fixture(scope="module")
def spaced(adversary: Generator) -> Generator:
    """The adversary over the real vocabulary, with spaces."""
    return Generator(adversary._model, adversary._tokenizer, separators="spaced")


def test_answers_are_valid_finished_and_spaced_within_any_budget(spaced: Generator) -> None:
    cases = shard(0)
    for number, case in enumerate(cases):
        budget = needed(spaced, case.compiled) + ROOMS[number % len(ROOMS)]
        sampling = Sampling(temperature=(0.0, 1.0, 3.0)[number % 3], seed=number)
        answer = write(spaced, case.compiled, budget, sampling)
        assert len(answer.tokens) <= budget, case.id
        assert case.is_valid(json.loads(answer.text)), case.id
        assert answer.text == Joint().spaced(compacted(answer.text)), case.id
    assert len(cases) >= 80


def test_every_valid_instance_is_reachable_with_spaces_exactly_if_it_is_without(
    adversary: Generator, spaced: Generator
) -> None:
    tried = 0
    for case in shard(0)[:60]:
        for test in case.tests[:2]:
            text = json.dumps(test["data"], ensure_ascii=False)
            if len(text) < 1500:
                tried += 1
                assert spaced.accepts(case.compiled, text) == adversary.accepts(case.compiled, text), case.id
    assert tried >= 60
