"""Mask ⇔ accept: the mask allows exactly the tokens whose bytes the grammar, read byte by byte, allows."""

from __future__ import annotations

import random

import numpy as np
import pytest

from harmony_gen import Generator
from harmony_gen.schema import engine
from support.bench import SHARDS, shard


@pytest.mark.parametrize("index", range(SHARDS))
def test_a_token_is_allowed_where_its_bytes_are(adversary: Generator, index: int) -> None:
    vocabulary = adversary._vocabulary
    choose = random.Random(index)
    checked = 0
    for case in shard(index)[:40]:
        matcher = vocabulary.matcher(case.compiled.grammar)
        twin = engine.byte_matcher(case.compiled.grammar)
        for _ in range(12):
            mask = vocabulary.mask(matcher)
            assert mask.shape == (201_088,)
            ids = np.flatnonzero(mask)
            outside = choose.sample(range(199_998), 30)
            for token in [*choose.sample(list(ids), min(30, len(ids))), *outside]:
                data = list(vocabulary.bytes_of([token]))
                by_bytes = token not in vocabulary.ends and twin.validate_tokens(data) == len(data)
                expected = twin.is_accepting() if token in vocabulary.ends else by_bytes
                assert bool(mask[token]) == expected, (case.id, token)
                checked += 1
            inner = [token for token in ids.tolist() if token not in vocabulary.ends]
            if not inner:
                break
            token = choose.choice(inner)
            assert matcher.consume_token(token)
            assert twin.consume_tokens(list(vocabulary.bytes_of([token])))
    assert checked > 1000
