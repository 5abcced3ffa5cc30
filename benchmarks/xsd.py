"""What an XML Schema costs: until it can be decoded, when it is loaded again, and at each token.

    HARMONY_GEN_SHARED=DIR python benchmarks/xsd.py [--sample N] [--seed S] [--documents N] [--save NAME]

Schemas and documents are those of the W3C's suite for XML Schema 1.0 (a draw of N cases) and real ones: DIR holds
suites/xsd/w3c, suites/xsd/real and tokenizers/o200k_base.tiktoken, the vocabulary of gpt-oss. Three tables:

- compiling: from what xmlschema has loaded to the grammar and all that decoding needs, the engine's check included;
- UBL Invoice in fresh processes, first and again: what was compiled is found on disk by its content;
- tokens: valid documents are written token by token with a budget that leaves room, as `Generator.accepts` does. Beside
  each figure stands that of the engine alone, on the same grammars and tokens: a mask, and the token consumed; and the
  same for the tokens that were chosen among several, for which alone a mask is computed when answers are written.

Times are CPU times, where nothing else is said: on a busy machine they are too long nevertheless, the engine's too.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from common import Report  # which finds `suites` and `support`

from harmony_gen import BudgetError, HarmonyError, Schema
from harmony_gen.decoding.matcher import Matcher
from harmony_gen.decoding.vocabulary import Vocabulary
from harmony_gen.schema import disk, engine
from harmony_gen.schema.xsd.compiling import plan_of
from harmony_gen.schema.xsd.loading import load
from harmony_gen.schema.xsd.options import Options
from suites import test_w3c as w3c
from support import corpora

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WIDTH = 201_088
END = 200_002
ROOM = 150
LONGEST = 10_000
RUNS = 5
REAL = {
    "gpx/gpx.xsd": "gpx",
    "iso20022/pain.001.001.09.xsd": "Document",
    "iso20022/pain.008.001.08.xsd": "Document",
    "junit/junit-10.xsd": "testsuites",
    "maven/maven-4.0.0.xsd": "project",
    "ubl/schemas/maindoc/UBL-CreditNote-2.1.xsd": "CreditNote",
    "ubl/schemas/maindoc/UBL-Invoice-2.1.xsd": "Invoice",
    "ubl/schemas/maindoc/UBL-Order-2.1.xsd": "Order",
}
UBL = "ubl/schemas/maindoc/UBL-Invoice-2.1.xsd"
_AGAIN = """
import sys, time
from harmony_gen import Schema
import harmony_gen.schema.xsd.compiled
started = time.perf_counter(), time.process_time()
schema = Schema.from_xsd(sys.argv[1], "Invoice")
loaded = time.perf_counter(), time.process_time()
schema.witness()
print(loaded[0] - started[0], loaded[1] - started[1], time.process_time() - loaded[1])
"""
"""The modules of this package are imported before the clock starts, xmlschema is not."""


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

    def print(self, report: Report, unit: float, title: str) -> None:
        """Prints a line a name, of its percentiles."""
        report.print(f"\n{title:32} {'count':>7} {'p50':>9} {'p95':>9} {'p99':>9} {'max':>9}")
        for name, times in self.times.items():
            figures = np.percentile(times, [50, 95, 99, 100]) / unit
            report.print(f"{name:32} {len(times):7} " + " ".join(f"{figure:9.2f}" for figure in figures))


def compile_w3c(sample: int, seed: int, clock: Clock) -> Iterator[tuple[Schema[Any], bytes]]:
    """Compiles schemas of the suite, each for every root it has documents of; with each that can be written."""
    folder = corpora.need("suites/xsd/w3c")
    cases = w3c.cases()
    random.Random(seed).shuffle(cases)  # noqa: S311 - no secret
    for case in cases[:sample]:
        source = w3c.load(folder, case)
        if source is None:
            continue
        texts = [w3c.text_of(folder / one["path"]) for one in case["instances"] if one["valid"]]
        by_root = defaultdict(list)
        for text in texts:
            if text is not None:
                by_root[w3c.root_of(text)].append(text)
        for root, documents in by_root.items():
            try:
                clock.time("W3C cases", lambda: plan_of(source, Options(root=root)))  # noqa: B023 - it is called now
                schema = Schema.from_xsd(source, root)
            except HarmonyError:
                continue
            yield from ((schema, text) for text in spelled(schema, documents))


def compile_real(report: Report) -> None:
    """Compiles real schemas, and prints a line for each."""
    report.print(f"\n{'real schemas, milliseconds':52} {'xmlschema loads':>16} {'compiled':>9}")
    for name, root in REAL.items():
        started = time.thread_time_ns()
        source = load(corpora.need("suites/xsd/real") / name)
        loaded = time.thread_time_ns()
        plan_of(source, Options(root=root))
        done = time.thread_time_ns()
        report.print(f"{name:52} {(loaded - started) / 1e6:16.0f} {(done - loaded) / 1e6:9.0f}")


def spelled(schema: Schema[Any], texts: list[str]) -> Iterator[bytes]:
    """The valid documents that answers can be, as they spell them."""
    assert schema.canonical is not None
    for text in texts:
        try:
            schema.judge.check(text)
            data = schema.canonical(text).encode()
        except HarmonyError:
            continue
        if len(data) < LONGEST and engine.completes(engine.byte_matcher(schema.grammar), data):
            yield data


def real_documents() -> Iterator[tuple[Schema[Any], bytes]]:
    """Schemas of ISO 20022 and UBL with each of their documents."""
    real = corpora.need("suites/xsd/real")
    by_schema: defaultdict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in sorted((real / "iso20022").glob("*.xml")):
        by_schema[path.with_suffix(".xsd"), "Document"].append(path)
    for path in sorted((real / "ubl" / "samples").glob("*.xml")):
        kind = path.name.split("-")[1]
        by_schema[real / f"ubl/schemas/maindoc/UBL-{kind}-2.1.xsd", kind].append(path)
    for (source, root), paths in by_schema.items():
        schema = Schema.from_xsd(source, root)
        texts = [text for path in paths if (text := w3c.text_of(path)) is not None]
        yield from ((schema, text) for text in spelled(schema, texts))


def second_load(report: Report) -> None:
    """Loads UBL Invoice in fresh processes."""
    path = corpora.need("suites/xsd/real") / UBL
    times = []
    with tempfile.TemporaryDirectory() as kept:
        environment = os.environ | {disk.VARIABLE: kept}
        for _ in range(RUNS + 1):
            run = subprocess.run(  # noqa: S603 - this interpreter
                [sys.executable, "-c", _AGAIN, str(path)], env=environment, capture_output=True, text=True, check=True
            )
            times.append([float(word) for word in run.stdout.split()])
    clock, processor, witness = np.median(times[1:], axis=0)
    report.print(f"\nUBL Invoice: loaded and compiled in {times[0][1]:.2f} s of the processor")
    report.print(f"again, median of {RUNS} fresh processes: {processor:.2f} s of the processor, {clock:.2f} s in all")
    report.print(f"then the shortest document, for which xmlschema is loaded: {witness:.2f} s of the processor")


def write(schema: Schema[Any], text: bytes, vocabulary: Vocabulary, clock: Clock) -> str:
    """Writes a document, one token after another, and times each; how it went."""
    matcher = start(schema, len(text) + ROOM, vocabulary)
    choices = set()
    while not matcher.finished:
        tokens = clock.time("forced()", matcher.forced)
        took = clock.times["forced()"][-1]
        is_choice = not tokens
        if is_choice:
            allowed = clock.time("allowed()", matcher.allowed)
            took += clock.times["allowed()"][-1]
            tokens = (vocabulary.encode_bytes(text[len(matcher.text) :]) or [END])[:1]
            if tokens[0] not in allowed:
                return "out of reach"
            choices.add(len(matcher.tokens))
        for token in tokens:
            clock.time("accept()", partial(matcher.accept, token, sampled=is_choice))
            clock.times["mask + rules + commit"].append(took + clock.times["accept()"][-1])
            took = 0
    alone = engine.compile_grammar(vocabulary._engine, schema.grammar)
    for place, token in enumerate(matcher.tokens):
        clock.time("engine alone: mask + commit", lambda: (alone.compute_bitmask(), alone.consume_token(token)))  # noqa: B023
        if place in choices:
            clock.times["engine alone, at choices"].append(clock.times["engine alone: mask + commit"][-1])
    return "written"


def start(schema: Schema[Any], room: int, vocabulary: Vocabulary) -> Matcher:
    """A matcher with a budget of so many tokens more than the shortest document takes."""
    try:
        return Matcher(schema, vocabulary, 0)
    except BudgetError as error:
        return Matcher(schema, vocabulary, error.needed + room)


def measure_tokens(drawn: list[tuple[Schema[Any], bytes]], vocabulary: Vocabulary, report: Report, title: str) -> None:
    """Writes documents, and prints what their tokens took."""
    alone = ("engine alone: mask + commit", "engine alone, at choices")
    names = ("mask + rules + commit", *alone, "forced()", "allowed()", "accept()")
    clock, outcomes = Clock(), Counter[str]()
    for name in names:
        clock.times[name] = []
    for schema, text in drawn:
        outcomes[write(schema, text, vocabulary, clock)] += 1
    if not drawn:
        return
    clock.print(report, 1e3, f"{title}, microseconds")
    report.print(", ".join(f"{number} {name}" for name, number in outcomes.most_common()))


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=150, metavar="N", help="cases of the W3C to draw")
    parser.add_argument("--documents", type=int, default=150, metavar="N", help="of their documents, to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", metavar="NAME", help="write the tables to benchmarks/results/NAME.txt")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    os.environ[disk.VARIABLE] = "off"
    report = Report()
    packages = ", ".join(f"{package} {version(package)}" for package in ("llguidance", "xmlschema"))
    machine = f"{platform.machine()}, Python {platform.python_version()}, {packages}"
    report.print(f"{machine}; {options.sample} cases, seed {options.seed}, {WIDTH:,} tokens")
    run(options, report)
    report.save(options.save)


def run(options: argparse.Namespace, report: Report) -> None:
    """Measures everything; what is not here is left out by name."""
    drawn: list[tuple[Schema[Any], bytes]] = []
    real: list[tuple[Schema[Any], bytes]] = []
    with left_out(report):
        clock = Clock()
        drawn = list(compile_w3c(options.sample, options.seed, clock))
        clock.print(report, 1e6, "compiling, milliseconds")
        random.Random(options.seed).shuffle(drawn)  # noqa: S311 - no secret
    with left_out(report):
        compile_real(report)
        second_load(report)
        real = list(real_documents())
    with left_out(report):
        vocabulary = Vocabulary(corpora.gpt_oss_tokenizer(), WIDTH, [END])
        gc.collect()
        gc.freeze()  # the suite and the tokenizer are not what is measured
        measure_tokens(drawn[: options.documents], vocabulary, report, "documents of the W3C")
        measure_tokens(real, vocabulary, report, "documents of ISO 20022 and UBL")


@contextlib.contextmanager
def left_out(report: Report) -> Iterator[None]:
    """Says so where a corpus is not here."""
    try:
        yield
    except pytest.skip.Exception as absent:
        report.print(f"left out: {absent}")


if __name__ == "__main__":
    main()
