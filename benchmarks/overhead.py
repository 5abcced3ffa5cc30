"""Tokens per second: `model.generate` writing freely, and harmony_gen writing in eleven schemas, on the same model.

    python benchmarks/overhead.py                      # the embedded model
    python benchmarks/overhead.py --vocabulary DIR     # a random 128 M llama over the tokenizer in DIR
    python benchmarks/overhead.py --o200k FILE         # the same over gpt-oss's vocabulary (o200k_base.tiktoken)
    python benchmarks/overhead.py --peers xgrammar     # who else is asked; "" for nobody
    python benchmarks/overhead.py --save NAME          # writes the table to benchmarks/results/NAME.txt

For each schema all run behind the same prompt, in turns; free decoding writes as many tokens as ours. Other libraries
constrain `model.generate` by a logits processor, compiled beforehand; where one writes another number of tokens, free
decoding is timed for that number too. Each column has tokens per second and the ratio to free decoding, both medians
over the turns. The ratio is what counts: the machine may be busy. On a busy machine use --threads 1, for threads that
wait for each other multiply the times. No answer may use what an earlier one left in memory of its prompt.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import defaultdict
from typing import Any

import torch
import transformers
from common import PEERS, ROOT, Peer, Report, describe, free, peers, random_llama, reason

from harmony_gen import Generator, Schema

ENUM_HEAVY = {
    "type": "object",
    "properties": {
        name: {"enum": [f"{name}_{level}_priority_group" for level in ("lowest", "medium", "highest", "unknown")]}
        for name in (
            "urgency",
            "severity",
            "customer_impact",
            "engineering_effort",
            "business_value",
            "department",
        )
    },
    "required": [
        "urgency",
        "severity",
        "customer_impact",
        "engineering_effort",
        "business_value",
        "department",
    ],
    "additionalProperties": False,
}
ARTICLE = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "body": {"type": "string"}},
    "required": ["title", "body"],
    "additionalProperties": False,
}
NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 8, "maxItems": 8}
UNION = {
    "anyOf": [
        {
            "type": "object",
            "properties": {"kind": {"const": kind}, "value": {"type": type_}},
            "required": ["kind", "value"],
            "additionalProperties": False,
        }
        for kind, type_ in (("text", "string"), ("count", "integer"), ("flag", "boolean"))
    ]
}
TEXT = "Invoice A-1729 from Northwind Traders to Anna Weber, total 1,284.50 EUR, due 2026-12-14, status open."


def schemas() -> dict[str, Any]:
    """The six ready-made schemas, four extremes, and one of XML, which nobody else knows."""
    ready = {
        path.parent.name: json.loads(path.read_text()) for path in sorted((ROOT / "schemas").glob("*/schema.json"))
    }
    extremes = {"enum-heavy": ENUM_HEAVY, "article": ARTICLE, "numbers": NUMBERS, "union": UNION}
    return {**ready, **extremes, "order.xsd": ROOT / "schemas" / "xml" / "order.xsd"}


class Measured:
    """What it took to write in one schema: tokens and forward passes of ours, and a figure a turn of everyone."""

    def __init__(self) -> None:
        self.count = self.forwards = 0
        self.speeds: defaultdict[str, list[float]] = defaultdict(list)
        self.ratios: defaultdict[str, list[float]] = defaultdict(list)
        self.failed: dict[str, str] = {}

    def cell(self, name: str) -> str:
        """Tokens per second and the ratio to free decoding; "-" for who failed."""
        if name in self.failed or name not in self.speeds:
            return "-"
        return f"{statistics.median(self.speeds[name]):.1f} {statistics.median(self.ratios[name]):6.2f}"


def measure(generator: Generator, others: list[Peer], schema: Any, rounds: int, budget: int) -> Measured:
    """Runs everyone on a schema."""
    prompt = generator._encode(TEXT, Schema.of(schema))
    measured = Measured()
    for turn in range(rounds + 1):
        generator._prefixes.clear()
        usage = generator.generate(TEXT, schema, max_new_tokens=budget).usage
        measured.count, measured.forwards = usage.new_tokens, usage.forward_passes
        alone = {usage.new_tokens: free(generator, prompt, usage.new_tokens)}
        times = {"ours": (usage.new_tokens, usage.seconds), "free": (usage.new_tokens, alone[usage.new_tokens])}
        for peer in others:
            if peer.name in measured.failed:
                continue
            try:
                tokens, seconds = peer.write(prompt, schema, budget)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                measured.failed[peer.name] = reason(error)
                continue
            times[peer.name] = len(tokens), seconds
            if len(tokens) not in alone:
                alone[len(tokens)] = free(generator, prompt, len(tokens))
        if turn:  # the first turn warms up
            for name, (count, seconds) in times.items():
                measured.speeds[name].append(count / seconds)
                measured.ratios[name].append(alone[count] / seconds)
    return measured


def table(generator: Generator, options: argparse.Namespace, report: Report) -> None:
    """Prints a line a schema, and the geometric means."""
    asked = options.peers.split(",") if options.peers else []
    others = peers(asked, generator, report)
    names = ["ours", *asked]
    columns = " ".join(f"{name:>14} {'ratio':>6}" for name in names)
    report.print(f"{'schema':16} {'tokens':>6} {'forwards':>8} {'free tok/s':>10} {columns}")
    ratios: defaultdict[str, list[float]] = defaultdict(list)
    failures: list[str] = []
    for title, schema in schemas().items():
        measured = measure(generator, others, schema, options.rounds, options.budget)
        columns = " ".join(f"{measured.cell(name):>21}" for name in names)
        speed = statistics.median(measured.speeds["free"])
        report.print(f"{title:16} {measured.count:6} {measured.forwards:8} {speed:10.1f} {columns}")
        failures += [f"{name}, {title}: {why}" for name, why in measured.failed.items()]
        for name in set(names) - set(measured.failed):
            ratios[name] += [statistics.median(measured.ratios[name])] if name in measured.ratios else []
    for line in failures:
        report.print(line)
    means = (f"{statistics.geometric_mean(ratios[name]):.2f}" if ratios[name] else "-" for name in names)
    report.print(f"{'geometric mean of the ratios':43} {' '.join(f'{mean:>21}' for mean in means)}")


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vocabulary", metavar="DIR", help="directory of a tokenizer for a random llama")
    parser.add_argument("--o200k", metavar="FILE", help="o200k_base.tiktoken, for a random llama")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=128, help="max_new_tokens")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", default="outlines-llg,xgrammar", help=f"some of {','.join(PEERS)}")
    parser.add_argument("--save", metavar="NAME", help="writes the table to benchmarks/results/NAME.txt")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.o200k:
        from support.corpora import o200k_tokenizer

        generator, name = random_llama(o200k_tokenizer(options.o200k)), "random llama, 201,088 tokens"
    elif options.vocabulary:
        tokenizer = transformers.AutoTokenizer.from_pretrained(options.vocabulary)
        generator, name = random_llama(tokenizer), f"random llama, {len(tokenizer):,} tokens"
    else:
        generator, name = Generator.embedded(), "embedded model"
    report = Report()
    report.print(describe(generator, name))
    table(generator, options, report)
    report.save(options.save)


if __name__ == "__main__":
    main()
