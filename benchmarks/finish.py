"""How often, and how fast, the search completes: witnesses and random prefixes of real schemas.

    python benchmarks/finish.py CASES [SCHEMAS] [SEED]

CASES is the file cases.jsonl.gz of jsonschemabench. Members come in the order of the schema, then in any. The prefixes
are random texts the byte mask allows; a completion counts if jsonschema, formats checked, finds the whole valid. A
prefix is called spoilt when the grammar completes it and the judge refuses the result: no valid text may begin with it.
A schema is called satisfiable when one of its test instances is valid. Times are those of the processor.
"""

# ruff: noqa: S311 - reproducible draws, no secrets

from __future__ import annotations

import gzip
import json
import platform
import random
import sys
import time
import warnings
from collections import Counter
from importlib.metadata import version
from typing import Any

import numpy as np

from harmony_gen.errors import SchemaError
from harmony_gen.schema import engine
from harmony_gen.schema.json_schema import lower
from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.scanner import Scan
from harmony_gen.schema.search import JsonFinisher, witness

PREFIXES = 2
EARLY_END = 0.05
LIKING = 0.8
LIKED = (bytes(range(32, 127)), b'"{}[],:0123456789tfn-abcde', bytes((*range(128, 256), *b"\\ud8cn")))


def random_prefix(matcher: Any, length: int) -> bytes:
    """A text the mask allows, of bytes of one liking mostly."""
    liked, text = random.choice(LIKED), bytearray()
    while len(text) < length and not matcher.is_stopped():
        mask = int.from_bytes(matcher.compute_bitmask()[:32], "little")
        allowed = [byte for byte in range(256) if mask >> byte & 1]
        if not allowed or (matcher.is_accepting() and random.random() < EARLY_END):
            break
        some = [byte for byte in allowed if byte in liked] if random.random() < LIKING else []
        text.append(random.choice(some or allowed))
        matcher.consume_token(text[-1])
    return bytes(text)


def measure(case: Any, order: str, outcomes: Counter[str], times: dict[str, list[float]]) -> None:
    judge = JsonSchemaJudge(case["schema"])
    lowered = lower(judge.root, order=order)
    engine.byte_matcher(lowered.grammar)
    start = time.process_time()
    finisher = JsonFinisher.of(lowered.normal, judge.accepts, judge.accepts_part, any_order=order == "any")
    found = witness(lowered.grammar, finisher)
    times["witness, set-up included"].append(time.process_time() - start)
    outcomes["witness" if found is not None else "no witness"] += 1
    if found is None:
        print(f"{case['id']}: no witness{', satisfiable' * any(test['valid'] for test in case['tests'])}")
    for _ in range(PREFIXES if found is not None else 0):
        matcher = engine.byte_matcher(lowered.grammar)
        prefix = random_prefix(matcher, random.randrange(300))
        scan = Scan().feed(prefix)[0]
        start = time.process_time()
        rest = finisher.finish(prefix, scan, matcher)
        times["finish" if rest is not None else "no finish"].append(time.process_time() - start)
        if rest is not None:
            outcomes["finish"] += 1
        else:
            spoilt = finisher.judged_by(lambda _: True).finish(prefix, scan, matcher) is not None
            outcomes["spoilt prefix" if spoilt else "no finish"] += 1
            print(f"{case['id']}: {'spoilt' if spoilt else 'no finish'}: {prefix!r:.200}")


def run(drawn: list[Any], order: str) -> None:
    outcomes: Counter[str] = Counter()
    times: dict[str, list[float]] = {"witness, set-up included": [], "finish": [], "no finish": []}
    for case in drawn:
        try:
            measure(case, order, outcomes, times)
        except SchemaError as error:
            outcomes[type(error).__name__] += 1
    print(f"members in {order} order: {', '.join(f'{name}: {number}' for name, number in outcomes.most_common())}")
    for name, seconds in times.items():
        figures = np.percentile(seconds or [0.0], [50, 95, 99, 100]) * 1000
        print(f"{name}: ms p50/95/99/max {' / '.join(f'{figure:.2f}' for figure in figures)}")


def main(cases: str, schemas: int = 500, seed: int = 0) -> None:
    random.seed(seed)
    warnings.simplefilter("ignore")
    with gzip.open(cases) as lines:
        drawn = [json.loads(line) for line in lines]
    random.shuffle(drawn)
    print(f"{platform.machine()}, Python {platform.python_version()}, llguidance {version('llguidance')}")
    for order in ("schema", "any"):
        run(drawn[:schemas], order)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
