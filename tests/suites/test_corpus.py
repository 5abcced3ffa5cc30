"""Real schemas with judged instances: they compile, their valid instances can be written, their invalid ones cannot.

What is known not to work stands in known_gaps.toml with the reason; an invalid instance that is accepted, or that a
grammar admits which is said to mask everything, is no gap but a fault, and cannot be listed.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from harmony_gen import Generator, Schema, SchemaError, UnsatisfiableError
from support import corpora, figures, gaps, reach

GAPS = gaps.known("corpus", "id", "what")
COMPILE = "compile"
SHARDS = 16
SAMPLE = 50
"""Without the whole run, one schema of so many is tried."""

ORDERS = ("any", "schema")


def cases(index: int) -> list[dict[str, Any]]:
    """The schemas of a shard."""
    found = corpora.bench_cases()[index::SHARDS]
    return found if reach.FULL else found[::SAMPLE]


@pytest.mark.parametrize("index", range(SHARDS))
def test_what_is_valid_can_be_written_and_nothing_else(tiny: Generator, index: int) -> None:
    wrong: dict[gaps.Key, str] = {}
    ran: set[gaps.Key] = set()
    faults: list[str] = []
    for case in cases(index):
        ran |= {(case["id"], COMPILE), *((case["id"], name_of(number)) for number in range(len(case["tests"])))}
        wrong |= {(case["id"], what): why for what, why in check(tiny, case, faults).items()}
    assert ran
    assert not faults, "\n".join(faults)
    gaps.settle(wrong, ran, GAPS)


def name_of(number: int) -> str:
    return f"instance {number}"


def check(generator: Generator, case: dict[str, Any], faults: list[str]) -> dict[str, str]:
    """What is wrong with a case, members in any order; adds what must never be to the faults."""
    wrong: dict[str, str] = {}
    valid = sum(test["valid"] for test in case["tests"])
    for order in ORDERS:
        missed = {}
        proven = False
        try:
            schema = Schema.from_json_schema(case["schema"], property_order=order)
        except SchemaError as error:
            proven = isinstance(error, UnsatisfiableError) and not valid
            missed = {} if proven else {COMPILE: f"refused: {error}"}
        else:
            verdicts = list(judge(generator, schema, case))
            missed = {name_of(number): "a valid instance is refused" for number, said in verdicts if said == "refused"}
            faults += [f"{case['id']} {order} {number}: {said}" for number, said in verdicts if said in FAULTS]
        figures.count(
            "corpus",
            f"property_order={order}",
            schemas=1,
            unsatisfiable=proven,
            refused=COMPILE in missed,
            valid=valid,
            accepted=0 if COMPILE in missed else valid - len(missed),
            invalid=len(case["tests"]) - valid,
        )
        wrong = missed if order == "any" else wrong
    return wrong


FAULTS = ("an invalid instance is accepted", "the mask is said to keep this out, and does not")


def judge(generator: Generator, schema: Schema[Any], case: dict[str, Any]) -> Any:
    """What is said of each instance: "fine", "refused", or one of the faults."""
    for number, test in enumerate(case["tests"]):
        accepted = generator.accepts(schema, json.dumps(test["data"]))
        if test["valid"]:
            yield number, "fine" if accepted else "refused"
        elif accepted:
            yield number, FAULTS[0]
        elif reach.is_masked(schema) and reach.grammar_derives(schema, test["data"]):
            yield number, FAULTS[1]


def test_the_gaps_are_few() -> None:
    """Nothing else than the known gaps may be wrong, so their number says it all."""
    table = {case["id"]: case for case in corpora.bench_cases()}
    refused = [id_ for id_, what in GAPS if what == COMPILE]
    valid = sum(test["valid"] for case in table.values() for test in case["tests"])
    missed = sum(test["valid"] for id_ in refused for test in table[id_]["tests"])
    missed += sum(what != COMPILE for _, what in GAPS)
    assert len(table) > 3000
    assert 1 - len(refused) / len(table) >= 0.995
    assert 1 - missed / valid >= 0.995
