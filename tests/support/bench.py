"""The sample of real schemas on which the laws are tested."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema
import pytest
from jsonschema_specifications import REGISTRY

from harmony_gen import BudgetError, Generator, HarmonyError, Sampling, Schema
from harmony_gen.decoding.kv_cache import ModelRunner
from harmony_gen.decoding.loop import decode
from harmony_gen.decoding.matcher import Matcher
from harmony_gen.schema import engine
from support import corpora

STRICT = 320
"""Schemas that the engine compiles strictly."""

RELAXED = 60
"""Schemas of which some keywords are checked by rules."""

SHARDS = 4
"""Parts of the sample, so that test workers share it."""


@dataclass(frozen=True)
class Case:
    """A real schema with a shorter name for its validator."""

    id: str
    schema: Any
    compiled: Schema[Any]
    tests: tuple[dict[str, Any], ...]

    def is_valid(self, value: Any) -> bool:
        """The judgement of jsonschema with format checks, made here and not by the package."""
        kind = jsonschema.validators.validator_for(self.schema, default=jsonschema.Draft202012Validator)
        checker = kind(self.schema, format_checker=kind.FORMAT_CHECKER, registry=REGISTRY)
        return bool(checker.is_valid(value))


def _is_strict(schema: Any) -> bool:
    try:
        engine.byte_matcher(engine.grammar_of_json_schema(schema))
    except engine.GrammarError:
        return False
    return True


@cache
def sample() -> tuple[Case, ...]:
    """Strictly compiled and relaxed schemas in a fixed random order; those without any valid value are left out."""
    cases = list(corpora.bench_cases())
    random.Random(20261120).shuffle(cases)
    wanted = {True: STRICT, False: RELAXED}
    found = []
    for case in cases:
        strict = _is_strict(case["schema"])
        if not wanted[strict]:
            continue
        try:
            compiled = Schema.of(case["schema"])
            compiled.witness()
        except HarmonyError:
            if strict and any(test["valid"] for test in case["tests"]):
                raise
            continue
        wanted[strict] -= 1
        found.append(Case(case["id"], case["schema"], compiled, tuple(case["tests"])))
    return tuple(found)


def shard(index: int) -> tuple[Case, ...]:
    """One part of the sample."""
    return sample()[index::SHARDS]


def write(
    generator: Generator,
    schema: Schema[Any],
    budget: int,
    sampling: Sampling | None = None,
    *,
    prompt: tuple[int, ...] = (40, 41, 42),
    chunk_forced: bool = True,
) -> Matcher:
    """Runs the decode loop behind a short prompt; long schemas in prompts would cost only time."""
    vocabulary = generator._vocabulary
    matcher = Matcher(schema, vocabulary, budget)
    runner = ModelRunner(generator._model)
    choices = list(decode(runner, prompt, matcher, sampling or Sampling(), chunk_forced=chunk_forced))
    assert [choice.token for choice in choices] == matcher.tokens
    assert matcher.finished
    return matcher


def needed(generator: Generator, schema: Schema[Any]) -> int:
    """The smallest budget that is accepted."""
    with pytest.raises(BudgetError) as caught:
        Matcher(schema, generator._vocabulary, 0)
    return caught.value.needed
