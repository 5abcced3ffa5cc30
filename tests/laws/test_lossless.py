"""Law 5: drafts, the sparse head, reuse of prefixes and batches change what an answer costs, and nothing else."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

import numpy as np
import pytest

from harmony_gen import Generator, Result, Sampling, Schema
from harmony_gen.decoding import head as head_module
from harmony_gen.decoding.drafting import Drafter
from harmony_gen.decoding.kv_cache import ModelRunner
from harmony_gen.decoding.loop import decode
from harmony_gen.decoding.matcher import Matcher
from support.bench import shard

BUDGET = 60
TEXT = "Invoice 4711 from Northwind Traders, 12.50 EUR, due 2026-12-24, open, Q3 revenue rose 4 % to 2.87 billion."
SAMPLINGS = (Sampling(), Sampling(temperature=1.0, seed=3))


def written(generator: Generator, schema: Any, sampling: Sampling, *, drafts: bool) -> tuple[tuple[int, ...], int, int]:
    """The tokens of an answer, its forward passes, and the drafts that were right."""
    vocabulary = generator._vocabulary
    matcher = Matcher(schema, vocabulary, BUDGET)
    prompt = vocabulary.encode(TEXT)
    drafter = Drafter(vocabulary, prompt) if drafts else None
    runner = ModelRunner(generator._model)
    for _ in decode(runner, prompt, matcher, sampling, drafter=drafter):
        pass
    return tuple(matcher.tokens), runner.forward_passes, drafter.accepted if drafter else 0


def fitting(generator: Generator, index: int, count: int) -> list[Any]:
    """Schemas of the sample whose shortest answer fits the budget."""
    schemas = (case.compiled for case in shard(index))
    short = (schema for schema in schemas if len(generator._vocabulary.encode(schema.witness())) < BUDGET // 2)
    return list(islice(short, count))


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=["greedy", "sampled"])
@pytest.mark.parametrize("name", ["tiny", "embedded"])
def test_drafts_change_nothing(name: str, sampling: Sampling, request: pytest.FixtureRequest) -> None:
    generator: Generator = request.getfixturevalue(name)
    right = saved = 0
    for schema in fitting(generator, 0, 30):
        plain, passes, _ = written(generator, schema, sampling, drafts=False)
        drafted, fewer, accepted = written(generator, schema, sampling, drafts=True)
        assert drafted == plain
        right += accepted
        saved += passes - fewer
    if name == "embedded" and not sampling.temperature:
        assert right > 10
        assert saved > 5


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=["greedy", "sampled"])
def test_the_sparse_head_changes_nothing(tiny: Generator, sampling: Sampling, monkeypatch: pytest.MonkeyPatch) -> None:
    schemas = fitting(tiny, 1, 40)
    sparse = [written(tiny, schema, sampling, drafts=False) for schema in schemas]
    monkeypatch.setattr(head_module, "_FEW", 10**9)  # no number of rows is few
    assert [written(tiny, schema, sampling, drafts=False) for schema in schemas] == sparse


def test_alternatives_and_absences_do_not_depend_on_the_head_or_the_cache(
    tiny: Generator, embedded: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    properties = {"kind": {"enum": ["invoice", "receipt", "order"]}, "paid": {"type": "boolean"}}
    schema = {"type": "object", "properties": properties, "required": ["kind", "paid"], "additionalProperties": False}

    def asked(generator: Generator, sampling: Sampling) -> list[float]:
        result = generator.generate(TEXT, schema, sampling=sampling, missing="abstain")
        found = [one for place in result.fields for one in result.alternatives(place)]
        numbers = [number for one in found for number in (one.probability, one.raw_probability)]
        return [*numbers, *(field.absence or 0.0 for field in result.fields.values())]

    for generator in (tiny, embedded):
        for sampling in SAMPLINGS:
            usual = asked(generator, sampling)
            assert len(usual) == 12
            assert asked(generator, sampling) == pytest.approx(usual, rel=1e-3)  # behind cached prefixes
            with monkeypatch.context() as patch:
                patch.setattr(head_module, "_FEW", 10**9)  # no number of rows is few
                patch.setattr(ModelRunner, "_can_draft", lambda _: False)
                generator._prefixes.clear()
                assert asked(generator, sampling) == pytest.approx(usual, rel=1e-3)


def test_reuse_of_prefixes_changes_nothing(tiny: Generator, embedded: Generator) -> None:
    for generator in (tiny, embedded):
        schemas = fitting(generator, 2, 12)
        prompts = [f"{TEXT} Number {number}." for number in range(4)]
        for sampling in SAMPLINGS:
            found: dict[bool, list[Any]] = {True: [], False: []}
            cached = 0
            for reuse, rows in found.items():
                for schema in schemas:
                    for prompt in prompts:
                        if not reuse:
                            generator._prefixes.clear()
                        result = generator.generate(prompt, schema, max_new_tokens=BUDGET, sampling=sampling)
                        rows.append(result.tokens)
                        cached += reuse * result.usage.cached_tokens
            assert found[True] == found[False]
            assert cached > 20 * len(schemas)


@pytest.mark.parametrize("name", ["tiny", "embedded"])
def test_a_row_of_a_batch_is_what_it_is_alone(name: str, request: pytest.FixtureRequest) -> None:
    generator: Generator = request.getfixturevalue(name)
    schemas = fitting(generator, 3, 24)
    prompts = [f"{TEXT[number:]} {number}" for number in range(len(schemas))]
    for sampling in SAMPLINGS:
        alone = generator.generate_batch(prompts, schemas, max_new_tokens=BUDGET, sampling=sampling, batch_size=1)
        together = generator.generate_batch(prompts, schemas, max_new_tokens=BUDGET, sampling=sampling, batch_size=7)
        for one, other in zip(alone, together, strict=True):
            if isinstance(one, Result) and isinstance(other, Result):
                assert one.tokens == other.tokens
            else:  # the schema is too long for the model's window
                assert (type(one), str(one)) == (type(other), str(other))
        assert sum(isinstance(result, Result) for result in alone) > 15


def test_drafted_tokens_are_drawn_as_without_drafts(tiny: Generator) -> None:
    """A chi-square test: of eight words behind a prompt that drafts one of them."""
    words = ["alpha", "beta", "gamma", "delta", "omega", "sigma", "kappa", "theta"]
    vocabulary = tiny._vocabulary
    schema = Schema.of({"enum": [f"so {word}" for word in words]})
    prompt = vocabulary.encode("They said so gamma, and so kappa, and so gamma again: so gamma")

    proposed = []

    def drawn(seed: int, *, drafts: bool) -> bytes:
        matcher = Matcher(schema, vocabulary, 30)
        drafter = Drafter(vocabulary, prompt) if drafts else None
        for _ in decode(
            ModelRunner(tiny._model), prompt, matcher, Sampling(temperature=6.0, seed=seed), drafter=drafter
        ):
            pass
        proposed.append(drafter.drafted if drafter else 0)
        return matcher.text

    count = 400
    plain = Counter(drawn(seed, drafts=False) for seed in range(count))
    drafted = Counter(drawn(seed, drafts=True) for seed in range(10_000, 10_000 + count))
    kinds = [kind for kind in plain | drafted if plain[kind] + drafted[kind] >= 10]
    assert len(kinds) >= 3
    assert sum(proposed) > count // 2
    statistic = sum((plain[kind] - drafted[kind]) ** 2 / (plain[kind] + drafted[kind]) for kind in kinds)
    assert statistic < len(kinds) + 4 * np.sqrt(2 * len(kinds))
