"""What the format term costs: peak memory and time of a step against plain cross-entropy.

    python benchmarks/format_loss.py                    # V = 3,072 and 201,088, each in a process of its own (Linux)
    python benchmarks/format_loss.py --save format_loss

Plain cross-entropy is `model(labels=…)` of transformers; ours computes logits of answers only, in pieces. Masks are
those of an object with free strings, as the engine makes them. The body is tiny, so the head is what is measured.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch
import transformers
from common import Report

from harmony_gen.training.loss import FormatLoss, Objective, Totals, Trace, collate
from harmony_gen.training.masses import TokenSet

WAYS = ("nothing", "plain CE", "CE", "CE + gold", "CE + first_error")


def model_of(width: int) -> transformers.PreTrainedModel:
    """A llama of two layers with a head of so many rows."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=width,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    model = transformers.LlamaForCausalLM(config).requires_grad_(requires_grad=False).eval()
    for layer in model.model.layers:  # as an adapter does: gradients go through the head, not into it
        layer.self_attn.q_proj.requires_grad_(requires_grad=True)
    return model


def traces_of(width: int, rows: int, prompt: int, answer: int) -> list[Trace]:
    """Random traces: half of the positions allow a few tokens, half forbid a tenth, as those inside of strings do."""
    drawn = torch.Generator().manual_seed(1)
    few = TokenSet(torch.arange(20).numpy(), forbids=False)
    string = TokenSet(torch.arange(width // 10, width // 5).numpy(), forbids=True)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(0, 20, (count,), generator=drawn).tolist())

    sets = tuple(few if place % 2 else string for place in range(answer))
    return [Trace(tokens(prompt), tokens(answer), sets, advantage=0.5) for _ in range(rows)]


def measure(way: str, width: int, shape: tuple[int, int, int]) -> tuple[float, float]:
    """The peak memory of this process in MiB, and the seconds of the quickest of three steps."""
    rows, _, answer = shape
    torch.set_num_threads(1)
    model, traces = model_of(width), traces_of(width, *shape)
    batch = collate(traces)
    objective = Objective(model, FormatLoss("first_error" if way.endswith("error") else "gold"))
    count = rows * answer
    labels = torch.full_like(batch.tokens, -100)
    labels[batch.rows, (batch.places + 1).clamp(max=labels.shape[1] - 1)] = batch.targets

    def loss() -> torch.Tensor:
        if way == "plain CE":
            return model(input_ids=batch.tokens, attention_mask=batch.attention, labels=labels).loss
        gold = batch._replace(sets=[]) if way != "CE + gold" else batch
        rolled = batch if way.endswith("error") else None
        alpha = 1.0 if way == "CE" else 0.5
        return objective(gold, rolled, alpha, (count, Totals(count, count)))["loss"]

    seconds = []
    for _ in range(0 if way == "nothing" else 3):
        started = time.perf_counter()
        loss().backward()
        seconds.append(time.perf_counter() - started)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, min(seconds, default=0.0)


def main() -> None:
    """Measures each way in a process of its own, for memory that was freed is not given back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--prompt", type=int, default=256, help="tokens")
    parser.add_argument("--answer", type=int, default=64, help="tokens")
    parser.add_argument("--save", metavar="NAME", help="write the report to benchmarks/results/NAME.txt")
    options = parser.parse_args()
    shape = options.rows, options.prompt, options.answer
    report = Report()
    sizes = f"{options.rows} rows of {options.prompt} + {options.answer} tokens"
    report.print(f"{sizes}; torch {torch.__version__}, 1 thread, {platform.machine()}")
    report.print(f"{'V':>8}  {'loss':17}  peak MiB above the model   s/step")
    for width in (3072, 201_088):
        base = 0.0
        for way in WAYS:
            with ProcessPoolExecutor(1, mp_context=get_context("fork")) as fresh:
                peak, seconds = fresh.submit(measure, way, width, shape).result()
            base = base or peak
            if way != "nothing":
                report.print(f"{width:8}  {way:17}  {peak - base:24.0f}   {seconds:6.3f}")
    report.save(options.save)


if __name__ == "__main__":
    main()
