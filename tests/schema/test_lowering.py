"""Grammar ⇔ jsonschema: a grammar refuses nothing valid; where it is said to mask everything, nothing else passes."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache, partial
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from harmony_gen import UnsatisfiableError
from harmony_gen.decoding.reachable import respelled
from harmony_gen.schema import engine, json_schema
from harmony_gen.schema.json_schema import Lowered, lower
from harmony_gen.schema.judge import DuplicateKeyError, JsonSchemaJudge, read_json
from harmony_gen.schema.lark import items, members
from harmony_gen.schema.normal import Normal, disjoint, form, node, typed
from support.corpora import bench_cases
from support.schemas import (
    DRAFTS,
    VALUES,
    admits,
    in_draft,
    is_endless,
    is_masked,
    referring,
    reordered,
    schemas,
    spelled,
    written,
)

ORDERS = ("any", "schema")
WALKS = 3
EXAMPLES = settings().max_examples
older = pytest.mark.parametrize("draft", [draft for draft in DRAFTS if draft != 2020])


def many(factor: float) -> settings:
    """So many times the examples of the profile."""
    return settings(max_examples=int(factor * EXAMPLES), suppress_health_check=[HealthCheck.too_slow])


def check(judge: JsonSchemaJudge) -> None:
    verdicts = [(value, judge.accepts(spelled(value))) for value in VALUES]
    for order in ORDERS:
        try:
            lowered = lower(judge.root, order=order)
        except UnsatisfiableError:
            assert not [value for value, valid in verdicts if valid], order
            continue
        assert lowered.exact == is_masked(lowered), lowered.coverage
        for value, valid in verdicts:
            check_value(lowered, order, value, valid=valid)
        if is_masked(lowered):
            check_walks(lowered, judge)


def check_value(lowered: Lowered, order: str, value: Any, *, valid: bool) -> None:
    """In the order of the schema some order of the members will do, in any order each of them."""
    admitted = [admits(lowered, other) for other in reordered(value)]
    if valid:
        assert any(admitted) if order == "schema" else all(admitted), (order, value)
    elif is_masked(lowered):
        assert not any(admitted), (order, value)


def check_walks(lowered: Lowered, judge: JsonSchemaJudge) -> None:
    """What is written at random is valid; only a rule keeps a key from coming twice."""
    for text in filter(None, (written(lowered, seed) for seed in range(WALKS))):
        try:
            read_json(text)
        except DuplicateKeyError:
            continue
        assert judge.accepts(text), text


@given(schemas())
@many(6)
def test_small_schemas(schema: Any) -> None:
    check(JsonSchemaJudge(schema))


@older
@given(data=st.data())
@many(2)
def test_small_schemas_of_older_drafts(draft: int, data: st.DataObject) -> None:
    check(JsonSchemaJudge(in_draft(data.draw(schemas(draft)), draft)))


@pytest.mark.parametrize("draft", DRAFTS)
@given(data=st.data())
@many(1.5)
def test_schemas_that_refer_to_each_other(draft: int, data: st.DataObject) -> None:
    judge = JsonSchemaJudge(in_draft(data.draw(referring(draft)), draft))
    assume(not is_endless(judge.root))
    check(judge)


LIMITS = [
    (form, "_MOST_GOALS", 6),
    (form, "_MOST_WORK", 0),
    (form, "_MOST_PIECES", 1),
    (form, "_GROWTH", 1),
    (node, "WIDTH", 2),
    (typed, "_MOST_PATTERNS", 1),
    (disjoint, "_MOST_COMPARED", 0),
    (members, "BITS", 1),
    (members, "_MOST_CHAINED", 1),
    (members, "_MOST_COUNTED", 1),
    (items, "BITS", 1),
]
"""Where something is left out because there is too much of it, and less than anybody would set it to."""


NOT_ONE_OF = {"not": {"oneOf": [{"type": "number"}, {"type": "integer"}]}}


@example(schema=NOT_ONE_OF, limits={(form, "_MOST_WORK", 0)}, plain=False)
@given(
    schema=schemas() | schemas().map(lambda schema: {"not": schema}),
    limits=st.sets(st.sampled_from(LIMITS), min_size=1, max_size=4),
    plain=st.booleans(),
)
@many(3)
def test_beyond_a_limit_less_is_masked_and_nothing_is_wrong(schema: Any, limits: set[Any], *, plain: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module, name, limit in limits:
            patch.setattr(module, name, limit)
        if plain:
            patch.setattr(json_schema, "Normal", partial(Normal, plain=True))
        check(JsonSchemaJudge(schema))


STEP = 48
"""One real schema of so many is tried."""


@cache
def cases() -> list[tuple[str, JsonSchemaJudge, list[bytes]]]:
    """Real schemas and their instances in the spelling of answers."""
    found = []
    for case in bench_cases()[::STEP]:
        texts = [respelled(json.dumps(test["data"])).encode() for test in case["tests"]]
        found.append((case["id"], JsonSchemaJudge(case["schema"]), texts))
    return found


@pytest.mark.parametrize("order", ORDERS)
def test_real_schemas(order: str) -> None:
    seen: Counter[str] = Counter()
    for name, judge, texts in cases():
        try:
            lowered = lower(judge.root, order=order)
        except UnsatisfiableError:
            assert not any(map(judge.accepts, texts)), name
            continue
        seen["masked"] += is_masked(lowered)
        for text in texts:
            admitted = engine.completes(engine.byte_matcher(lowered.grammar), text)
            if judge.accepts(text):
                seen["valid"] += 1
                seen["admitted"] += admitted
                assert admitted or order == "schema", (name, text)
            elif is_masked(lowered):
                seen["invalid"] += 1
                assert not admitted, (name, text)
    assert seen["masked"] > 0.8 * len(cases())
    assert seen["invalid"] > 50
    assert seen["admitted"] > 0.8 * seen["valid"] > 40
