"""Laws 1 and 2 on real schemas: whatever the model wants, an answer ends, valid, within any budget that is accepted.

The writer wants nothing sensible, over the 201,088-token vocabulary of gpt-oss, at temperature 1. In the sample it is
a real model with random weights. In the whole run its logits are random numbers and no model is run, for that would
take days; schema, matcher, loop and sampler are those of every answer.
"""

from __future__ import annotations

from typing import Any

import pytest

from harmony_gen import BudgetError, Generator, HarmonyError, Sampling, Schema
from harmony_gen.decoding.matcher import Matcher
from support import adversary as writers
from support import bench, corpora, figures, gaps, reach

GAPS = gaps.known("adversary", "id")
ROOMS = (0, 10, 100, 500)
"""Tokens beyond the shortest known answer."""

SHARDS = 16
SAMPLE = 96
"""Without the whole run, one schema of so many times `SHARDS` is tried."""

EVERY = {100: 2, 500: 8}
"""Of so many schemas one gets the larger rooms; the others all."""


def cases(index: int) -> list[tuple[int, dict[str, Any]]]:
    """The schemas of a shard that have a valid instance, numbered."""
    found = [(number, case) for number, case in enumerate(corpora.bench_cases()) if number % SHARDS == index]
    kept = found if reach.FULL else found[index % SAMPLE :: SAMPLE]
    return [(number, case) for number, case in kept if any(test["valid"] for test in case["tests"])]


def rooms(number: int) -> list[int]:
    return [room for room in ROOMS if number // SHARDS % EVERY.get(room, 1) == 0]


def write(generator: Generator, schema: Schema[Any], budget: int, seed: int) -> Matcher:
    if reach.FULL:
        return writers.write(generator, schema, budget, seed)
    return bench.write(generator, schema, budget, Sampling(temperature=1.0, seed=seed))


def least(generator: Generator, schema: Schema[Any]) -> int:
    """The smallest budget that is accepted."""
    try:
        Matcher(schema, generator._vocabulary, 0)
    except BudgetError as error:
        return error.needed
    raise AssertionError


@pytest.mark.parametrize("index", range(SHARDS))
def test_answers_end_valid_within_any_budget(adversary: Generator, index: int) -> None:
    wrong: dict[gaps.Key, str] = {}
    faults: list[str] = []
    table = cases(index)
    for number, case in table:
        try:
            schema = Schema.from_json_schema(case["schema"])
            needed = least(adversary, schema)
        except HarmonyError as error:
            wrong[case["id"],] = f"{type(error).__name__}: {error}"
            continue
        for room in rooms(number):
            what = attempt(adversary, case, schema, needed + room, seed=number + room)
            faults += [f"{case['id']} with {room} tokens to spare: {what}"] if what else []
    figures.count("adversary", "schemas with a valid instance", tried=len(table), not_generated=len(wrong))
    assert not faults, "\n".join(faults)
    gaps.settle(wrong, {(case["id"],) for _, case in table}, GAPS)


def attempt(generator: Generator, case: dict[str, Any], schema: Schema[Any], budget: int, seed: int) -> str | None:
    """What is wrong with an answer, or None."""
    counts = {"runs": 1, "tokens": 0, "invalid": 0, "unfinished": 0, "crashed": 0}
    what = None
    try:
        answer = write(generator, schema, budget, seed)
    except Exception as error:  # noqa: BLE001 - any error is a fault here
        counts["crashed"] = 1
        what = f"crashed: {error!r:.300}"
    else:
        counts["tokens"] = len(answer.tokens)
        if not answer.finished or len(answer.tokens) > budget:
            counts["unfinished"] = 1
            what = f"{len(answer.tokens)} tokens of {budget}, finished: {answer.finished}"
        elif not writers.is_valid(case["schema"], answer.text):
            counts["invalid"] = 1
            what = f"invalid: {answer.text.decode()[:200]}"
    figures.count("adversary", "answers", **counts)
    return what


def test_the_gaps_are_few() -> None:
    """Nothing else than the known gaps may be refused, so their number says it all."""
    satisfiable = [case for case in corpora.bench_cases() if any(test["valid"] for test in case["tests"])]
    assert {(case["id"],) for case in satisfiable} >= set(GAPS)
    assert 1 - len(GAPS) / len(satisfiable) >= 0.995
