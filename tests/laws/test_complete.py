"""Law 3: every valid text in the decoded spelling and property order can be written.

The grammar says which texts have that spelling and order; each of those that is valid must be reachable token by
token, through masks, forced tokens, rules and the budget.
"""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from harmony_gen import Generator, SchemaError
from harmony_gen.schema import engine
from harmony_gen.schema.gaps import widened
from harmony_gen.schema.judge import JsonSchemaJudge
from support.bench import SHARDS, Case, shard


def texts(case: Case) -> list[str]:
    """The valid instances of a case that the grammar derives, in compact spelling."""
    found = []
    for test in case.tests:
        text = json.dumps(test["data"], ensure_ascii=False, separators=(",", ":"))
        matcher = engine.byte_matcher(case.compiled.grammar)
        if (
            test["valid"]
            and len(text) < 1500
            and engine.completes(matcher, text.encode())
            and case.is_valid(test["data"])
        ):
            found.append(text)
    return found


@pytest.mark.parametrize("index", range(SHARDS))
def test_every_valid_instance_the_grammar_derives_is_reachable(adversary: Generator, index: int) -> None:
    tried = 0
    missed = []
    for case in shard(index):
        for text in texts(case)[:3]:
            tried += 1
            if not adversary.accepts(case.compiled, text):
                missed.append(f"{case.id}: {text[:150]}")
    assert tried >= 60
    assert not missed


def test_what_a_schema_admits_one_with_gaps_does() -> None:
    """On the valid values of real schemas."""
    seen = 0
    for case in shard(0):
        texts = [json.dumps(test["data"]).encode() for test in case.tests]
        valid = list(filter(case.compiled.judge.accepts, texts))
        for kind in ("null", "omit"):
            with suppress(SchemaError):  # a condition holds a reference, or a reference leads into what was changed
                judge = JsonSchemaJudge(widened(case.schema, kind))
                assert all(map(judge.accepts, valid))
                seen += 1
    assert seen >= 150
