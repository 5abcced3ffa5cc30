"""Train the embedded model, on one or two cores or on one GPU, in one piece or in several.

    python -m finetune.embedded.train --out DIR --tokens 40e6 --threads 1
    python -m finetune.embedded.train --out DIR --resume
    python -m finetune.embedded.train --out DIR --start MODEL --tokens 100e6

The schedule is laid over the planned tokens, not over time: a run that is interrupted (SIGTERM saves) and resumed
makes the same steps as one that is not. `--minutes` plans as many tokens as this machine reads in that time.
`--start` begins with the weights of a finished model, as `export` writes it, instead of random ones.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from finetune.embedded import checkpoint, journal, tokenizer, utterances
from finetune.embedded.batches import Batch, Plan, Sources, pool
from finetune.embedded.checkpoint import Checkpoint
from finetune.embedded.encoding import Encoder
from finetune.embedded.journal import Entry, Journal
from finetune.embedded.learner import Learner, Way, slope
from finetune.embedded.network import OWN_TYPE, ROW_TOKENS, SIZES, build, configured, finished
from finetune.embedded.stream import Place, Stream
from harmony_gen.models.packed import is_packed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transformers import PreTrainedModel

_STEPS_PER_ENTRY = 50
_SECONDS_TO_MEASURE = 20.0
_BATCH_TOKENS = {"cpu": 4096, "cuda": 98304}
_PROBE_TOKENS = 10**9
_RATES = {False: 4e-3, True: 1.2e-4}
"""Highest learning rate, by whether the network is pretrained."""


@dataclass(frozen=True)
class Surroundings:
    """What a run needs besides its checkpoint.

    Attributes:
        directory: where it writes; the tokenizer lies there.
        utterances: utterances.jsonl.gz, or None.
        device: "cpu" or "cuda".
        workers: processes that make batches.
        save_seconds: time between checkpoints.
    """

    directory: Path
    utterances: Path | None
    device: str
    workers: int
    save_seconds: float


def begin(plan: Plan, way: Way, network: PreTrainedModel) -> Checkpoint:
    """A run before its first step.

    Args:
        plan: what it will read.
        way: how it learns.
        network: with the weights it begins with, as `network.build` or `network.finished` makes it.
    """
    torch.manual_seed(plan.seed)
    config = json.loads(network.config.to_json_string(use_diff=False))
    return Checkpoint(plan, config, way, 0, 0, 0.0, Place(), Learner(network, "cpu", way).state())


def proceed(start: Checkpoint, around: Surroundings, should_stop: Callable[[int], bool]) -> Checkpoint:
    """Train until the plan is fulfilled or stopping is asked for; checkpoints are written on the way and at the end.

    Args:
        start: where to go on.
        around: the run's surroundings.
        should_stop: asked before each step with the number of steps made.

    Returns:
        The last checkpoint.
    """
    run = _Run(start, around)
    with Stream(start.plan, around.directory, around.utterances, start.place, around.workers) as stream:
        batches = iter(stream)
        while run.now.tokens < start.plan.tokens and not should_stop(run.now.step):
            following, batch = next(batches)
            run.learn(batch, following)
            if run.is_due():
                run.save()
    run.save()
    return run.now


class _Run:
    """The state of a run between two checkpoints."""

    def __init__(self, start: Checkpoint, around: Surroundings) -> None:
        self._learner = Learner(configured(start.network), around.device, start.way)
        self._learner.restore(start.learner)
        self._around = around
        self._journal = Journal(around.directory, start.step)
        self._sums: Any = torch.zeros(2, device=around.device)
        self._noted = self._saved = time.perf_counter()
        self._tokens_noted, self._step_noted = start.tokens, start.step
        self._seconds = start.seconds
        self._started = self._noted
        self.now = start

    def learn(self, batch: Batch, following: Place) -> None:
        """One step, and an entry in the journal now and then."""
        now = self.now
        loss, right = self._learner.step(batch, now.step, now.tokens / now.plan.tokens)
        self._sums += torch.stack([loss, right])
        self.now = replace(now, step=now.step + 1, tokens=now.tokens + batch.count, place=following)
        if self.now.step % _STEPS_PER_ENTRY == 0:
            self._note()

    def is_due(self) -> bool:
        """Whether the time for a checkpoint has come."""
        return time.perf_counter() - self._saved > self._around.save_seconds

    def save(self) -> None:
        """Write a checkpoint."""
        self._saved = time.perf_counter()
        seconds = self._seconds + self._saved - self._started
        self.now = replace(self.now, seconds=seconds, learner=self._learner.state())
        checkpoint.save(self.now, self._around.directory)

    def _note(self) -> None:
        loss, right = (self._sums / (self.now.step - self._step_noted)).tolist()  # this waits for the device
        self._sums.zero_()
        self._step_noted = self.now.step
        moment = time.perf_counter()
        speed = (self.now.tokens - self._tokens_noted) / (moment - self._noted)
        self._noted, self._tokens_noted = moment, self.now.tokens
        rate = self.now.way.rate * slope(self.now.step, self.now.tokens / self.now.plan.tokens)
        spent = self._seconds + moment - self._started
        entry = Entry(self.now.step, self.now.tokens, spent, loss, right, speed, rate)
        self._journal.add(entry)
        print(entry.line(self.now.plan.tokens), flush=True)


def tokens_per_second(plan: Plan, way: Way, network: PreTrainedModel, around: Surroundings) -> float:
    """Measure how fast this machine reads rows of full length, with a copy of the network that is thrown away."""
    sources = Sources(Encoder.load(around.directory), utterances.load(around.utterances) if plan.real_share else None)
    batches = pool(10 * _PROBE_TOKENS // plan.pool_tokens, replace(plan, tokens=_PROBE_TOKENS), sources)
    learner = Learner(copy.deepcopy(network), around.device, way)
    read, started = 0, 0.0
    for number, batch in enumerate(batches * 1000):
        learner.step(batch, number, 0)[0].item()
        if number == 2:  # noqa: PLR2004 - the first steps also allocate
            started, read = time.perf_counter(), 0
        read += batch.count
        if number > 2 and time.perf_counter() - started > _SECONDS_TO_MEASURE:  # noqa: PLR2004
            break
    return read / (time.perf_counter() - started)


def main(arguments: Sequence[str] | None = None) -> None:
    """Begin or resume a run."""
    options = _parser().parse_args(arguments)
    if options.scales and not options.resume and not (options.start and is_packed(options.start)):
        raise SystemExit("--scales learns what four-bit levels are worth: pass a packed model as --start.")
    # Every batch has its own shape: kernels kept for each of them would fill gigabytes and seldom be used again.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)  # numbers too small to matter are slow on a CPU
    around = Surroundings(options.out, options.utterances, options.device, options.workers, 60 * options.save_minutes)
    start = _resumed(options) if options.resume else _begun(options, around)
    weights = configured(start.network).num_parameters()
    print(f"{weights / 1e6:.1f} M parameters, {start.plan.tokens / 1e6:.1f} M tokens planned", flush=True)
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stopping.append(received))
    end = proceed(start, around, lambda _: bool(stopping))
    print("Stopped; go on with --resume." if end.tokens < end.plan.tokens else "Done.", journal.draw(options.out))


def _resumed(options: argparse.Namespace) -> Checkpoint:
    last = checkpoint.load(options.out, options.device)
    return replace(last, plan=replace(last.plan, tokens=int(options.tokens))) if options.tokens else last


def _begun(options: argparse.Namespace, around: Surroundings) -> Checkpoint:
    if checkpoint.exists(options.out):
        raise SystemExit(f"{options.out} holds a run: pass --resume, or choose another directory.")
    options.out.mkdir(parents=True, exist_ok=True)
    if source := options.start or options.tokenizer:
        tokenizer.copy(source, options.out)
    real_share = options.real_share if utterances.load(options.utterances) is not None else 0.0
    batch_tokens = options.batch_tokens or _BATCH_TOKENS[options.device.partition(":")[0]]
    gentle = options.start is None
    tokens = int(options.tokens or 1)
    plan = Plan(tokens, batch_tokens, ROW_TOKENS, real_share, options.seed, gentle, options.layouts)
    vocabulary = len(Encoder.load(options.out))
    network = finished(options.start) if options.start else build(SIZES[options.parameters], vocabulary, options.seed)
    is_pretrained = network.config.model_type != OWN_TYPE
    rate = options.rate or _RATES[is_pretrained]
    way = Way(rate, is_pretrained, options.frozen, options.packed, options.entries, options.scales)
    if not options.tokens:
        speed = tokens_per_second(plan, way, network, around)
        print(f"{speed:.0f} tokens/s", flush=True)
        plan = replace(plan, tokens=int(options.minutes * 60 * speed))
    return begin(plan, way, network)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="directory of the run")
    parser.add_argument("--tokenizer", type=Path, help="directory of tokenizer.json; default: --out")
    parser.add_argument("--start", type=Path, help="directory of a finished model to go on from")
    parser.add_argument("--minutes", type=float, default=60, help="plan what is read in this time")
    parser.add_argument("--tokens", type=float, help="plan so many tokens in all, whatever time they take")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--parameters", choices=sorted(SIZES), default="small", help="size, where there is no --start")
    parser.add_argument("--batch-tokens", type=int, help=f"tokens of a batch; default: {_BATCH_TOKENS}")
    parser.add_argument("--real-share", type=float, default=0.25, help="share of real utterances among the tokens")
    parser.add_argument(
        "--layouts", type=int, default=0, help="use so many layouts of a kind, to see what they are worth"
    )
    parser.add_argument("--rate", type=float, help="highest learning rate; default: 4e-3, of pretrained ones 1.2e-4")
    parser.add_argument("--frozen", type=int, default=0, help="layers at the bottom that stay as they are")
    parser.add_argument("--packed", action="store_true", help="round to four bits while learning, and when exported")
    parser.add_argument(
        "--entries", type=float, default=1.0, help="share of the rate for entries of tokens, with --start"
    )
    parser.add_argument(
        "--scales", action="store_true", help="learn only what the levels of a packed --start are worth"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--utterances", type=Path, help=f"utterances.jsonl.gz; default: ${utterances.VARIABLE}")
    parser.add_argument("--workers", type=int, default=1, help="processes that make batches")
    parser.add_argument("--save-minutes", type=float, default=3)
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out; --tokens changes its plan")
    return parser


if __name__ == "__main__":
    main()
