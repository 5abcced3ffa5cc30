"""`harmony-gen bench`: how fast a model answers on this machine."""

from __future__ import annotations

import argparse
import json
from itertools import islice
from pathlib import Path
from typing import Any

from harmony_gen.commands.inputs import (
    ROOT_HELP,
    SCHEMA_HELP,
    add_model,
    add_reading,
    generator_of,
    reading_of,
    schema_of,
)
from harmony_gen.errors import PromptError


def add(commands: Any) -> None:
    """Adds the command."""
    parser = commands.add_parser("bench", help="measure how fast a model answers on this machine")
    parser.set_defaults(run=_run)
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="texts to ask about; default: short letters")
    parser.add_argument("--schema", metavar="FILE", help=f"{SCHEMA_HELP}; default: a small one")
    parser.add_argument("--root", metavar="NAME", help=ROOT_HELP)
    add_reading(parser)
    add_model(parser)
    parser.add_argument("--concurrency", type=_numbers, default=(1, 4, 16), metavar="N,N,…", help="callers at a time")
    parser.add_argument("--answers", type=_number, default=64, metavar="N", help="for each number of callers")
    parser.add_argument("--max-new-tokens", type=int, default=256, metavar="N", help="the token budget of an answer")
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def _run(options: argparse.Namespace) -> int:
    from harmony_gen.pipeline import benchmark
    from harmony_gen.pipeline.inputs import read

    schema = benchmark.SCHEMA if options.schema is None else schema_of(Path(options.schema), options.root)
    texts = [benchmark.TEXT.format(number) for number in range(options.answers)]
    if options.inputs:
        found = list(islice(read(options.inputs, reading_of(options)), options.answers))
        failed = next((one.failure for one in found if one.failure), None)
        if failed or not found:
            raise PromptError(failed.message if failed else "There are no texts to ask about.")
        texts = [found[number % len(found)].text for number in range(options.answers)]
    generator = generator_of(options)
    if not options.json:
        print("callers  tokens/s  first token      p50      p95      p99   (seconds)")
    speeds = []
    for callers in options.concurrency:
        one = benchmark.measure(generator, schema, texts, concurrency=callers, max_new_tokens=options.max_new_tokens)
        speeds.append(one.as_json())
        if not options.json:
            times = f"{one.first_token_p50:12.3f} {one.p50:8.3f} {one.p95:8.3f} {one.p99:8.3f}"
            print(f"{callers:7}  {one.tokens_per_second:8.1f} {times}", flush=True)
    if options.json:
        print(json.dumps(speeds))
    return 0


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"it is a whole number from 1, not {text!r}")
    return int(text)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(_number, text.split(",")))
