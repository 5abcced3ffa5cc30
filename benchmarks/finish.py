"""How often, and how fast, the search completes: witnesses and random prefixes of real schemas.

    python benchmarks/finish.py CASES [SCHEMAS] [SEED]

CASES is the file cases.jsonl.gz of jsonschemabench. The prefixes are random texts the byte mask allows; a
completion counts if jsonschema, formats checked, finds the whole valid. A prefix is called spoilt when the
grammar completes it and the judge refuses the result: no valid text may begin with it.
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
from harmony_gen.schema.finish import JsonFinisher, witness
from harmony_gen.schema.json_schema import lower
from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.scanner import Scan
from harmony_gen.schema.subschema import Subschema

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


def strict_grammar(schema: Any) -> str | None:
    """The grammar of a schema that the engine compiles without any relaxation, else None."""
    try:
        lowered = lower(schema)
    except SchemaError:
        return None
    return None if "checked" in lowered.coverage.values() else lowered.grammar


def measure(name: str, schema: Any, grammar: str, outcomes: Counter[str], times: dict[str, list[float]]) -> None:
    judge = JsonSchemaJudge(schema)
    start = time.perf_counter()
    finisher = JsonFinisher(Subschema.root(schema), judge.accepts)
    found = witness(grammar, finisher)
    times["witness, set-up included"].append(time.perf_counter() - start)
    outcomes["witness" if found is not None else "no witness"] += 1
    for _ in range(PREFIXES):
        matcher = engine.byte_matcher(grammar)
        prefix = random_prefix(matcher, random.randrange(300))
        scan = Scan().feed(prefix)[0]
        start = time.perf_counter()
        rest = finisher.finish(prefix, scan, matcher)
        times["finish"].append(time.perf_counter() - start)
        if rest is not None:
            outcomes["finish"] += 1
        else:
            indulgent = JsonFinisher(Subschema.root(schema), lambda _: True)
            spoilt = indulgent.finish(prefix, scan, matcher) is not None
            outcomes["spoilt prefix" if spoilt else "no finish"] += 1
            print(f"{name}: {'spoilt' if spoilt else 'no finish'}: {prefix!r}")


def main(cases: str, schemas: int = 500, seed: int = 0) -> None:
    random.seed(seed)
    warnings.simplefilter("ignore")
    with gzip.open(cases) as lines:
        drawn = [json.loads(line) for line in lines]
    random.shuffle(drawn)
    outcomes: Counter[str] = Counter()
    times: dict[str, list[float]] = {"witness, set-up included": [], "finish": []}
    for case in drawn:
        if len(times["witness, set-up included"]) == schemas:
            break
        grammar = strict_grammar(case["schema"])
        if grammar is not None:
            measure(case["id"], case["schema"], grammar, outcomes, times)
    print(f"{platform.machine()}, Python {platform.python_version()}, llguidance {version('llguidance')}")
    print(", ".join(f"{name}: {number}" for name, number in outcomes.most_common()))
    for name, seconds in times.items():
        figures = np.percentile(seconds, [50, 95, 99, 100]) * 1000
        print(f"{name}: ms p50/95/99/max {' / '.join(f'{figure:.2f}' for figure in figures)}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
