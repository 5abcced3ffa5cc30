"""Tokens per second on models of real shapes with random weights, against `model.generate` and the memory's speed.

    python benchmarks/shapes.py --shape llama-1b --device cuda          # 16-bit, created on the device
    python benchmarks/shapes.py --shape gpt-oss-20b --device cuda --batch 1,32
    python benchmarks/shapes.py --shape small --dtype float32           # a minute on a processor

Ours writes in schemas; freely means that `model.generate` writes as many tokens, in a batch of the same prompts.
The floor is the time in which the device reads once the weights that one token needs; it reads as fast as it was
measured to copy. A token cannot be sampled in less, but forced tokens share a pass, so ours may be above it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import torch
import transformers
from common import Report, describe, write
from overhead import ARTICLE, ENUM_HEAVY, TEXT

from harmony_gen import Generator, Schema

VOCABULARY = 201_088


def llama(hidden: int, layers: int, inner: int, heads: int, groups: int) -> transformers.LlamaConfig:
    """The configuration of a llama with tied embeddings."""
    return transformers.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=hidden,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=groups,
        head_dim=64,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
    )


SHAPES: dict[str, Any] = {
    "small": lambda: llama(256, 4, 768, 4, 2),
    "llama-1b": lambda: llama(2048, 16, 8192, 32, 8),
    "gpt-oss-20b": transformers.GptOssConfig,
}


def model_of(shape: str, device: str, dtype: torch.dtype) -> Generator:
    """A model with random weights, created on its device, behind the tokenizer of the embedded model."""
    tokenizer = Generator.embedded()._tokenizer
    config = SHAPES[shape]()
    config.vocab_size, config.eos_token_id, config.pad_token_id = VOCABULARY, tokenizer.eos_token_id, 0
    torch.manual_seed(0)
    standard = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            model = transformers.AutoModelForCausalLM.from_config(config)
    finally:
        torch.set_default_dtype(standard)
    return Generator(model.eval(), tokenizer, separators="compact")


def copied_per_second(device: str) -> float:
    """Bytes that the device reads in a second while it copies."""
    source = torch.zeros(2**28 if device == "cuda" else 2**26, dtype=torch.uint8, device=device)
    target, rates = torch.empty_like(source), []
    for _ in range(8):
        started = clock(device)
        target.copy_(source)
        rates.append(source.numel() / (clock(device) - started))
    return 2 * statistics.median(rates)  # it also wrote as much


def clock(device: str) -> float:
    """The time once the device has done all that was asked of it."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter()


def read_for_a_token(model: Any, rows: int) -> int:
    """Bytes of the weights that a forward pass over one token of each row reads; of experts no more than are asked."""
    config = model.config
    experts = getattr(config, "num_local_experts", 1)
    asked = min(experts, rows * getattr(config, "num_experts_per_tok", 1)) / experts
    sizes = {
        parameter.data_ptr(): parameter.numel() * parameter.element_size() * (asked if ".experts." in name else 1)
        for name, parameter in model.named_parameters()
        if not name.endswith("embed_tokens.weight") or config.tie_word_embeddings
    }
    return round(sum(sizes.values()))


def race(generator: Generator, schema: Any, rows: int, rounds: int, device: str) -> tuple[int, int, list[float], float]:
    """Tokens and passes of ours, its seconds by round, and the median of those of free decoding."""
    prompt = generator._encode(TEXT, Schema.of(schema))
    ours, freely = [], []
    for turn in range(rounds + 1):
        generator._prefixes.clear()
        started = clock(device)
        found = generator.generate_batch([TEXT] * rows, schema, max_new_tokens=128, batch_size=rows)
        seconds = clock(device) - started
        results = [result for result in found if not isinstance(result, Exception)]
        assert len(results) == rows, found
        tokens = results[0].usage.new_tokens
        _, spent = write(generator, prompt, tokens, rows=rows, min_new_tokens=tokens)
        if turn:  # the first warms up
            ours.append(seconds)
            freely.append(spent)
    return tokens, results[0].usage.forward_passes, ours, statistics.median(freely)


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="bfloat16", help="a type of torch")
    parser.add_argument("--batch", default="1,32", help="rows")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", metavar="NAME", help="writes the table to benchmarks/results/NAME.txt")
    options = parser.parse_args()
    report = Report()
    generator = model_of(options.shape, options.device, getattr(torch, options.dtype))
    rate = copied_per_second(options.device)
    report.print(describe(generator, f"{options.shape} on {options.device}, {options.dtype}"))
    report.print(f"memory: {rate / 1e9:.1f} GB/s")
    report.print(
        f"{'schema':12} {'rows':>4} {'tokens':>6} {'passes':>6} {'ours tok/s':>10} {'ratio':>6} {'of floor':>8}"
    )
    for title, schema in (("enum-heavy", ENUM_HEAVY), ("article", ARTICLE)):
        for rows in map(int, options.batch.split(",")):
            tokens, passes, ours, freely = race(generator, schema, rows, options.rounds, options.device)
            seconds = statistics.median(ours)
            floor = tokens * read_for_a_token(generator._model, rows) / rate
            columns = f"{rows * tokens / seconds:10.1f} {freely / seconds:6.2f} {floor / seconds:8.2f}"
            report.print(f"{title:12} {rows:4} {tokens:6} {passes:6} {columns}")
    report.save(options.save)


if __name__ == "__main__":
    main()
