"""What a schema costs: until its first mask, at each token, and in memory.

    HARMONY_GEN_SHARED=DIR python benchmarks/schema.py [--sample N] [--seed S] [--memory N]

Real schemas, and the vocabulary of gpt-oss: DIR holds suites/jsonschemabench/cases.jsonl.gz and
tokenizers/o200k_base.tiktoken. A draw of N schemas is compiled, none of which has been seen before; then valid
instances of each are written token by token, as `Generator.accepts` does, and one answer each by an adversary that
draws allowed tokens at random. Beside each figure stands that of the engine alone, on the same grammars and tokens: it
makes a mask and consumes a token. Last, all schemas of the corpus (or some) are compiled one after another, and the
memory of the process is read ten times. Times are CPU times of the thread: on a busy machine they are too long
nevertheless, the engine's too; so look at the ratios.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import sys
import time
import warnings
from collections import Counter, defaultdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llguidance import LLMatcher

    Choose = Callable[["Matcher", np.ndarray], int | None]

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harmony_gen import BudgetError, HarmonyError, Schema  # noqa: E402
from harmony_gen.decoding.matcher import Matcher  # noqa: E402
from harmony_gen.decoding.vocabulary import Vocabulary  # noqa: E402
from harmony_gen.schema import engine, making  # noqa: E402
from support import corpora  # noqa: E402

WIDTH = 201_088
END = 200_002
INSTANCES = 2
LONGEST = 4_000
ROOM = 150
SAMPLES = 10
DECISION = "mask + rules + commit"
PARTS = ("forced()", "allowed()", "accept()")


class Case(NamedTuple):
    """A schema that compiles, and texts to write."""

    schema: Schema[Any]
    texts: list[bytes]


class Clock:
    """Nanoseconds by name."""

    def __init__(self) -> None:
        self.times: defaultdict[str, list[int]] = defaultdict(list)

    def time(self, name: str, call: Callable[[], Any]) -> Any:
        """What a call returns; how long it took is noted."""
        started = time.thread_time_ns()
        result = call()
        self.times[name].append(time.thread_time_ns() - started)
        return result

    def print(self, names: Iterable[str], unit: float, title: str) -> None:
        """Prints a line a name, of its percentiles."""
        print(f"\n{title:40} {'count':>7} {'p50':>9} {'p95':>9} {'p99':>9} {'max':>9}")
        for name in names:
            figures = np.percentile(self.times[name] or [0], [50, 95, 99, 100]) / unit
            columns = " ".join(f"{figure:9.1f}" for figure in figures)
            print(f"{name:40} {len(self.times[name]):7} {columns}", flush=True)


def forget(vocabulary: Vocabulary) -> None:
    """Empties every cache a schema may be found in."""
    making.from_json_text.cache_clear()
    engine.forget_byte_matchers()
    vocabulary._matchers.clear()


def start(schema: Schema[Any], vocabulary: Vocabulary, room: int) -> Matcher:
    """A matcher with a budget of so many tokens more than the shortest answer takes."""
    try:
        return Matcher(schema, vocabulary, 0)
    except BudgetError as error:
        return Matcher(schema, vocabulary, error.needed + room)


def compile_one(case: dict[str, Any], vocabulary: Vocabulary, clock: Clock) -> Case | None:
    """Times a schema until its first mask; None if it is refused."""
    forget(vocabulary)
    gc.collect()
    steps = ("Schema.of", "witness", "matcher", "first mask")
    try:
        schema = clock.time(steps[0], lambda: Schema.of(case["schema"]))
        clock.time(steps[1], schema.witness)
        matcher = clock.time(steps[2], lambda: start(schema, vocabulary, ROOM))
    except HarmonyError:
        return None
    clock.time(steps[3], lambda: matcher.forced() or matcher.allowed())
    clock.times["compile + first mask"].append(sum(clock.times[step][-1] for step in steps))
    clock.time("engine alone", lambda: engine.compile_grammar(vocabulary._engine, schema.grammar).compute_bitmask())
    return Case(schema, list(texts(case, schema)))


def texts(case: dict[str, Any], schema: Schema[Any]) -> Iterable[bytes]:
    """Some valid instances, in the spelling that is written."""
    spelled = (
        json.dumps(test["data"], ensure_ascii=False, separators=(",", ":")).encode()
        for test in case["tests"]
        if test["valid"]
    )
    written = (text for text in spelled if engine.completes(engine.byte_matcher(schema.grammar), text))
    return [text for text in written if len(text) < LONGEST and schema.judge.accepts(text)][:INSTANCES]


def towards(text: bytes, vocabulary: Vocabulary) -> Choose:
    """Writes a given text."""

    def choose(matcher: Matcher, allowed: np.ndarray) -> int | None:
        token = (vocabulary.encode_bytes(text[len(matcher.text) :]) or [END])[0]
        return token if token in allowed else None

    return choose


def adversary(seed: int) -> Choose:
    """Draws among the allowed tokens."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    return lambda _, allowed: int(draw.choice(allowed))


def write(matcher: Matcher, choose: Choose, clock: Clock) -> str:
    """Writes an answer, one token after another, and times each; how it went.

    What `forced` took counts for the first of the tokens it gave.
    """
    while not matcher.finished:
        tokens = clock.time("forced()", matcher.forced)
        took = clock.times["forced()"][-1]
        sampled = not tokens
        if sampled:
            allowed = clock.time("allowed()", matcher.allowed)
            took += clock.times["allowed()"][-1]
            if not len(allowed):
                matcher.retreat()
                continue
            chosen = choose(matcher, allowed)
            if chosen is None:
                return "out of reach"
            tokens = [chosen]
        for token in tokens:
            accepted = clock.time("accept()", partial(matcher.accept, token, sampled=sampled))
            clock.times[DECISION].append(took + clock.times["accept()"][-1])
            took = 0
            if not accepted:
                break
    return f"ended by {matcher.closed_by or 'itself'}"


def replay(matcher: Matcher, alone: LLMatcher, clock: Clock) -> None:
    """Times the engine alone on the tokens of an answer."""
    alone = alone.deep_copy()

    def step(token: int) -> None:
        alone.compute_bitmask()
        alone.consume_token(token)

    for token in matcher.tokens:
        clock.time("engine alone", partial(step, token))


def measure_tokens(runs: Iterable[tuple[Schema[Any], int, Choose]], vocabulary: Vocabulary, title: str) -> None:
    """Writes answers to schemas, with so much room each; both they and the engine begin with nothing known."""
    clock, outcomes, known = Clock(), Counter[str](), None
    for schema, room, choose in runs:
        if known is not schema:
            forget(vocabulary)
            known, alone = schema, engine.compile_grammar(vocabulary._engine, schema.grammar)
        matcher = start(schema, vocabulary, room)
        outcomes[write(matcher, choose, clock)] += 1
        replay(matcher, alone, clock)
    clock.print((DECISION, "engine alone", *PARTS), 1e3, f"{title}, microseconds")
    print(", ".join(f"{name}: {number}" for name, number in outcomes.most_common()))


def resident() -> float:
    """Memory of the process now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure_memory(cases: list[dict[str, Any]], vocabulary: Vocabulary) -> None:
    """Compiles schemas one after another; whatever is cached by default is cached."""
    print(f"\nmemory over {len(cases)} schemas, MiB: {resident():.0f} at first", end="", flush=True)
    for number, case in enumerate(cases, start=1):
        try:
            matcher = start(Schema.of(case["schema"]), vocabulary, ROOM)
            matcher.forced() or matcher.allowed()
        except HarmonyError:
            continue
        finally:
            if number * SAMPLES // len(cases) > (number - 1) * SAMPLES // len(cases):
                gc.collect()
                print(f", {resident():.0f}", end="", flush=True)
    print()


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=200, metavar="N", help="schemas to draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--memory", type=int, metavar="N", help="schemas to compile for the memory; all by default")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    try:
        cases = list(corpora.bench_cases())
    except pytest.skip.Exception as absent:
        sys.exit(str(absent))
    random.Random(options.seed).shuffle(cases)  # noqa: S311 - no secret
    vocabulary = Vocabulary(corpora.gpt_oss_tokenizer(), WIDTH, [END])
    gc.collect()
    gc.freeze()  # the corpus and the tokenizer are not what is measured
    machine = f"{platform.machine()}, Python {platform.python_version()}, llguidance {version('llguidance')}"
    print(f"{machine}; {options.sample} schemas, seed {options.seed}, {WIDTH:,} tokens")

    clock = Clock()
    drawn = [compile_one(case, vocabulary, clock) for case in cases[: options.sample]]
    compiled = [case for case in drawn if case is not None]
    clock.print(("compile + first mask", "engine alone", "Schema.of", "witness", "matcher"), 1e6, "milliseconds")
    print(f"refused: {len(drawn) - len(compiled)}")

    instances = ((case.schema, text) for case in compiled for text in case.texts)
    runs = ((schema, len(text) + ROOM, towards(text, vocabulary)) for schema, text in instances)
    measure_tokens(runs, vocabulary, "valid instances")
    measure_tokens(((case.schema, ROOM, adversary(i)) for i, case in enumerate(compiled)), vocabulary, "adversary")
    measure_memory(cases[: options.memory], vocabulary)


if __name__ == "__main__":
    main()
