"""Pools of batches, made by other processes while the model learns."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from finetune.embedded import utterances
from finetune.embedded.batches import Sources, pool
from finetune.embedded.encoding import Encoder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import SpawnProcess
    from multiprocessing.queues import Queue
    from pathlib import Path

    from finetune.embedded.batches import Batch, Plan

_WAITING_POOLS = 2
_PATIENCE = 5.0


@dataclass(frozen=True)
class Place:
    """Where in the stream a batch lies.

    Attributes:
        pool: number of its pool.
        batch: its number within the pool.
    """

    pool: int = 0
    batch: int = 0


class Stream:
    """An endless stream of batches from worker processes, the same whatever their number."""

    def __init__(self, plan: Plan, tokenizer: Path, real: Path | None, start: Place, workers: int = 1) -> None:
        """Starts the workers.

        Args:
            plan: what is read.
            tokenizer: directory of tokenizer.json.
            real: utterances.jsonl.gz, or None.
            start: the first batch to give.
            workers: processes to start.
        """
        os.environ.setdefault("PYTHONHASHSEED", "0")  # workers inherit it: sets keep their order from run to run
        context = multiprocessing.get_context("spawn")
        self._start = start
        self._queues: list[Queue[list[Batch] | str]] = [context.Queue(_WAITING_POOLS) for _ in range(workers)]
        self._workers: list[SpawnProcess] = [
            context.Process(
                target=_work,
                args=(waiting, plan, tokenizer, real, range(start.pool + number, 2**40, workers)),
                daemon=True,
            )
            for number, waiting in enumerate(self._queues)
        ]
        for worker in self._workers:
            worker.start()

    def __iter__(self) -> Iterator[tuple[Place, Batch]]:
        """Batches, each with the place of the one that follows it.

        Raises:
            RuntimeError: a worker failed; the message holds its traceback.
        """
        place = self._start
        while True:
            batches = self._next(place.pool)
            for number in range(place.batch, len(batches)):
                last = number + 1 == len(batches)
                yield Place(place.pool + 1) if last else Place(place.pool, number + 1), batches[number]
            place = Place(place.pool + 1)

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.kill()
            worker.join()
        for waiting in self._queues:
            waiting.cancel_join_thread()
            waiting.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _next(self, number: int) -> list[Batch]:
        index = (number - self._start.pool) % len(self._queues)
        while True:
            try:
                made = self._queues[index].get(timeout=_PATIENCE)
            except queue.Empty:
                if not self._workers[index].is_alive():
                    raise RuntimeError("A worker that makes batches ended without a word.") from None
                continue
            if not isinstance(made, str):
                return made
            raise RuntimeError(f"A worker that makes batches failed:\n{made}")


def _work(waiting: Queue[list[Batch] | str], plan: Plan, tokenizer: Path, real: Path | None, numbers: range) -> None:
    """Make pool after pool. The parent alone answers signals, and ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        sources = Sources(Encoder.load(tokenizer), utterances.load(real) if plan.real_share > 0 else None)
        for number in numbers:
            waiting.put(pool(number, plan, sources))
    except BaseException:  # noqa: BLE001 - the parent raises it
        waiting.put(traceback.format_exc())
