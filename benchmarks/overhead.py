"""Tokens per second: `model.generate` writing freely, and harmony_gen writing in ten schemas, on the same model.

    python benchmarks/overhead.py                    # the embedded model
    python benchmarks/overhead.py --vocabulary DIR   # a random 128 M llama over the tokenizer in DIR
    python benchmarks/overhead.py --o200k FILE       # the same over gpt-oss's vocabulary (o200k_base.tiktoken)

For each schema both run behind the same prompt for the same number of tokens, in turns; medians. The ratio is what
counts: the machine may be busy.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
import transformers

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harmony_gen import Generator  # noqa: E402

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
    """Ten schemas: the six ready-made ones and four extremes."""
    ready = {
        path.parent.name: json.loads(path.read_text()) for path in sorted((ROOT / "schemas").glob("*/schema.json"))
    }
    return {**ready, "enum-heavy": ENUM_HEAVY, "article": ARTICLE, "numbers": NUMBERS, "union": UNION}


def random_llama(tokenizer: Any) -> Generator:
    """About 128 M parameters with 201,088 tokens; weights drawn at random."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=512,
        intermediate_size=1536,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=4,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    return Generator(transformers.LlamaForCausalLM(config).eval(), tokenizer)


def free(generator: Generator, prompt: list[int], count: int) -> float:
    """Seconds of `model.generate` for `count` tokens."""
    inputs = torch.tensor([prompt])
    started = time.perf_counter()
    with torch.inference_mode():
        output = generator._model.generate(
            inputs,
            attention_mask=torch.ones_like(inputs),
            max_new_tokens=count,
            min_new_tokens=count,
            do_sample=False,
            pad_token_id=0,
        )
    assert output.shape[1] == len(prompt) + count
    return time.perf_counter() - started


def measure(generator: Generator, schema: Any, rounds: int, budget: int) -> tuple[int, int, float, float]:
    """New tokens, forward passes, and tokens per second of ours and of free decoding."""
    from harmony_gen import Schema

    prompt = generator._encode(TEXT, Schema.of(schema))
    ours, theirs = [], []
    for turn in range(rounds + 1):
        result = generator.generate(TEXT, schema, max_new_tokens=budget)
        count = result.usage.new_tokens
        seconds = free(generator, prompt, count)
        if turn:  # the first turn warms up
            ours.append(count / result.usage.seconds)
            theirs.append(count / seconds)
    return count, result.usage.forward_passes, statistics.median(ours), statistics.median(theirs)


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vocabulary", metavar="DIR", help="directory of a tokenizer for a random llama")
    parser.add_argument("--o200k", metavar="FILE", help="o200k_base.tiktoken, for a random llama")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=128, help="max_new_tokens")
    options = parser.parse_args()
    torch.set_num_threads(2)
    if options.o200k:
        from support.corpora import o200k_tokenizer

        generator, name = random_llama(o200k_tokenizer(options.o200k)), "random llama, 201,088 tokens"
    elif options.vocabulary:
        tokenizer = transformers.AutoTokenizer.from_pretrained(options.vocabulary)
        generator, name = random_llama(tokenizer), f"random llama, {len(tokenizer):,} tokens"
    else:
        generator, name = Generator.embedded(), "embedded model"
    parameters = sum(parameter.numel() for parameter in generator._model.parameters()) / 1e6
    print(f"{name}, {parameters:.1f} M parameters, fp32, {platform.machine()}, 2 threads, torch {torch.__version__}")
    print(f"{'schema':16} {'tokens':>6} {'forwards':>8} {'ours tok/s':>10} {'free tok/s':>10} {'ratio':>6}")
    for title, schema in schemas().items():
        count, forwards, ours, theirs = measure(generator, schema, options.rounds, options.budget)
        print(f"{title:16} {count:6} {forwards:8} {ours:10.1f} {theirs:10.1f} {ours / theirs:6.2f}", flush=True)


if __name__ == "__main__":
    main()
