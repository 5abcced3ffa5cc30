"""Law 5: how the model is run never changes what is written."""

from __future__ import annotations

import pytest
from support.bench import SHARDS, needed, shard, write

from harmony_gen import Generator, Sampling

SAMPLINGS = (Sampling(), Sampling(temperature=1.0, seed=7))


@pytest.mark.parametrize("index", range(SHARDS))
@pytest.mark.parametrize("name", ["adversary", "embedded"])
def test_forced_tokens_in_chunks_change_nothing(
    name: str, index: int, request: pytest.FixtureRequest
) -> None:
    generator: Generator = request.getfixturevalue(name)
    cases = shard(index)
    for number, case in enumerate(cases):
        budget = needed(generator, case.compiled) + 24
        sampling = SAMPLINGS[number % 2]
        together = write(generator, case.compiled, budget, sampling)
        alone = write(generator, case.compiled, budget, sampling, chunk_forced=False)
        assert together.tokens == alone.tokens, case.id
    assert len(cases) >= 80
