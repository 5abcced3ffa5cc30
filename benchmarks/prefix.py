"""Time to the first token, with and without what earlier prompts left in memory.

    python benchmarks/prefix.py [--shared N] [--rounds N] [--threads N] [--save NAME]

Prompts begin with the same examples, N tokens of them, and end with a document each. Two generators over one random
model answer every prompt in turns: one has forgotten all earlier prompts, the other keeps them. Both must write the
same. Two models: a llama of about 124 M parameters, and a small one built like gpt-oss, of whose layers every other
sees a window only. The first two prompts warm up: models with windows learn from the second what prompts have in
common. Medians; the ratio is that of each round.
"""

from __future__ import annotations

import argparse
import statistics
from typing import TYPE_CHECKING, Any

import torch
import transformers
from common import Report, describe, random_llama
from extraction import documents

from harmony_gen import Generator
from support.models import embedded_tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen import Result

SCHEMA = {"type": "boolean"}  # its first token is a choice: no answer begins before its prompt was run
WARM_UP = 2


def random_gpt_oss(tokenizer: Any) -> Generator:
    """Weights drawn at random; layers see 128 tokens and all in turns."""
    torch.manual_seed(0)
    config = transformers.GptOssConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=256,
        num_hidden_layers=4,
        num_attention_heads=8,
        num_key_value_heads=2,
        head_dim=32,
        num_local_experts=4,
        num_experts_per_tok=2,
        sliding_window=128,
        layer_types=["sliding_attention", "full_attention"] * 2,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        max_position_embeddings=8192,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        pad_token_id=None,
    )
    return Generator(transformers.GptOssForCausalLM(config).eval(), tokenizer, separators="compact")


def prompts(tokenizer: Any, shared: int) -> Iterator[str]:
    """Prompts with so many first tokens in common, roughly; each ends with a document of its own."""
    texts = (document.text for document in documents(10_000, seed=0))
    beginning = "Which of these documents are e-mails?"
    while len(tokenizer.encode(beginning, add_special_tokens=False)) < shared:
        beginning += "\n\n" + next(texts)
    for text in texts:
        yield f"{beginning}\n\nIs this one too?\n\n{text}"


def answer(generator: Generator, prompt: str) -> Result[Any]:
    return generator.generate(prompt, SCHEMA, max_new_tokens=8)


def measure(generator: Generator, name: str, options: argparse.Namespace, report: Report) -> None:
    """Prints a line of a model."""
    keeping, forgetting = Generator(generator._model, generator._tokenizer, separators="compact"), generator
    without, reused, cached, length = [], [], [], []
    for turn, prompt in zip(range(WARM_UP + options.rounds), prompts(generator._tokenizer, options.shared)):  # noqa: B905 - endless prompts
        forgetting._prefixes.clear()
        alone, kept = answer(forgetting, prompt), answer(keeping, prompt)
        assert alone.tokens == kept.tokens
        if turn >= WARM_UP:
            without.append(alone.usage.seconds_to_first_token)
            reused.append(kept.usage.seconds_to_first_token)
            cached.append(kept.usage.cached_tokens)
            length.append(kept.usage.prompt_tokens)
            assert not alone.usage.cached_tokens
    ratio = statistics.median(one / other for one, other in zip(without, reused, strict=True))
    milliseconds = " ".join(f"{statistics.median(seconds) * 1e3:12.1f}" for seconds in (without, reused))
    tokens = f"{statistics.median(length):13.0f} {statistics.median(cached):13.0f}"
    report.print(f"{name:14} {tokens} {milliseconds} {ratio:6.1f}")


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=int, default=1_500, metavar="N", help="tokens all prompts begin with")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save", metavar="NAME", help="writes the table to benchmarks/results/NAME.txt")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    report = Report()
    tokenizer = embedded_tokenizer()
    models = {
        "random llama": random_llama(tokenizer, hidden=1024, layers=10),
        "random gpt-oss": random_gpt_oss(tokenizer),
    }
    for name, generator in models.items():
        report.print(describe(generator, name))
    report.print(f"{'':14} {'prompt tokens':>13} {'cached tokens':>13} {'ms without':>12} {'ms with':>12} {'ratio':>6}")
    for name, generator in models.items():
        measure(generator, name, options, report)
    report.save(options.save)


if __name__ == "__main__":
    main()
