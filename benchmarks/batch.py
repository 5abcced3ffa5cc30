"""Documents per second when 1, 4, 16 or 64 answers are written together, and when so many threads call `generate`.

    python benchmarks/batch.py                # the embedded model
    python benchmarks/batch.py --o200k FILE   # a random 128 M llama over gpt-oss's vocabulary (o200k_base.tiktoken)

The documents have four schemas in turn. Every size writes the same documents, in alternating rounds; medians. What the
rows share of their prompts is not reused between rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
from common import Report, describe, random_llama

from harmony_gen import Generator

SIZES = (1, 4, 16, 64)


def _schema(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


NAME = {"type": "string", "maxLength": 24}
SCHEMAS = (
    _schema(name=NAME, city=NAME, age={"type": "integer", "minimum": 0}),
    _schema(customer=NAME, kind={"enum": ["private", "business"]}, since={"type": "integer"}),
    _schema(person=_schema(name=NAME, city=NAME), active={"type": "boolean"}),
    _schema(names={"type": "array", "items": NAME, "minItems": 1, "maxItems": 2}, kind={"enum": ["private", "other"]}),
)
NAMES = ("Anna Weber", "Tom Okafor", "Li Na", "Maria Rossi", "John Smith")
CITIES = ("Bonn", "Lagos", "Chengdu", "Turin", "Leeds")


def documents(count: int) -> list[str]:
    """Sentences with the same parts in other words."""
    return [
        f"{NAMES[i % 5]} of {CITIES[i % 5]}, {20 + i % 60} years old, a private customer since {1960 + i % 60}."
        for i in range(count)
    ]


def seconds(
    generator: Generator, texts: list[str], schemas: list[Any], size: int, budget: int, *, threads: bool
) -> tuple[float, int]:
    """How long all documents take, and how many tokens they have."""
    generator._prefixes.clear()
    started = time.perf_counter()
    results: list[Any]
    if threads:
        with ThreadPoolExecutor(size) as pool:
            results = list(pool.map(partial(generator.generate, max_new_tokens=budget), texts, schemas))
    else:
        results = generator.generate_batch(texts, schemas, batch_size=size, max_new_tokens=budget)
    taken = time.perf_counter() - started
    failed = [result for result in results if isinstance(result, Exception)]
    if failed:
        raise failed[0]
    return taken, sum(result.usage.new_tokens for result in results if not isinstance(result, Exception))


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--o200k", metavar="FILE", help="o200k_base.tiktoken, for a random llama")
    parser.add_argument("--documents", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=64, help="max_new_tokens")
    parser.add_argument("--save", metavar="NAME", help="writes the table to benchmarks/results/NAME.txt")
    options = parser.parse_args()
    torch.set_num_threads(2)
    if options.o200k:
        from support.corpora import o200k_tokenizer

        generator, name = random_llama(o200k_tokenizer(options.o200k)), "random llama, 201,088 tokens"
    else:
        generator, name = Generator.embedded(), "embedded model"
    texts = documents(options.documents)
    schemas = [SCHEMAS[i % len(SCHEMAS)] for i in range(len(texts))]
    ways = [(size, threads) for size in SIZES for threads in (False, True) if size > 1 or not threads]
    taken: dict[tuple[int, bool], list[float]] = {way: [] for way in ways}
    tokens = 0
    for turn in range(options.rounds + 1):
        for size, threads in ways:
            spent, tokens = seconds(generator, texts, schemas, size, options.budget, threads=threads)
            if turn:  # the first turn warms up
                taken[size, threads].append(spent)
    one = statistics.median(taken[1, False])
    report = Report()
    report.print(describe(generator, name))
    report.print(f"{len(texts)} documents, {tokens} tokens, {options.rounds} rounds")
    report.print("           documents/s  tokens/s  ratio to 1")
    for (size, threads), spent in taken.items():
        median = statistics.median(spent)
        way = f"{size:2} {'threads' if threads else 'batch'}"
        report.print(f"{way:10} {len(texts) / median:12.1f} {tokens / median:9.0f} {one / median:11.2f}")
    report.save(options.save)


if __name__ == "__main__":
    main()
