"""Several answers at once: their forward passes run together.

Each row runs the decode loop in a thread of its own, as if it were alone; where it wants a forward pass it waits. When
all rows wait, one pass is run for all of them. A row that is done takes the next task, so the batch stays full. What a
row writes is what it would write alone.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from harmony_gen.decoding.passes import Passes, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harmony_gen.decoding.head import Chunk

R = TypeVar("R")

_AHEAD = 4
"""Tasks that may be begun, in batches, before the first that is not done."""


class Batch(Generic[R]):
    """Runs tasks in threads and their forward passes in the thread that asks for the results."""

    def __init__(self, model: Any, size: int) -> None:
        """Readies a model that `is_batchable`.

        Args:
            model: a transformers causal LM.
            size: the most rows.
        """
        self._passes = Passes(model)
        self._size = size
        self._condition = threading.Condition()
        self._waiting: list[Ticket] = []
        self._alive = 0  # threads
        self._idle = 0  # of these, how many wait for results to be taken
        self._done: dict[int, tuple[Any, BaseException | None]] = {}
        self._begun = 0  # tasks
        self._given = 0  # results that have been handed out
        self._stopped: BaseException | None = None

    def forward(self, tokens: Sequence[int], cache: Any, count: int, *, everything: bool) -> Chunk:
        """Runs tokens through the model, together with those of other rows. For the threads of tasks.

        Args:
            tokens: what is new of the row.
            cache: a DynamicCache of one row.
            count: what is known is wanted after so many of the last tokens.
            everything: all logits will be wanted, not those of a few tokens.
        """
        ticket = Ticket(tokens, cache, count, everything=everything)
        with self._condition:
            self._waiting.append(ticket)
            self._condition.notify_all()
            self._condition.wait_for(lambda: ticket.is_served or self._stopped)
        if self._stopped is not None and not ticket.is_served:
            raise self._stopped
        return ticket.result()

    def run(self, tasks: Iterable[Callable[[], R]]) -> Iterator[R]:
        """Runs tasks; yields what they return, in their order, or raises what they raise."""
        numbered = iter(enumerate(tasks))
        threads = [threading.Thread(target=self._work, args=(numbered,), daemon=True) for _ in range(self._size)]
        self._alive = len(threads)
        for thread in threads:
            thread.start()
        try:
            while self._alive or self._done:
                while self._given in self._done:
                    yield self._result()
                    with self._condition:
                        self._given += 1
                        self._condition.notify_all()
                self._step()
        except BaseException as error:
            with self._condition:
                self._stopped = error
                self._condition.notify_all()
            for thread in threads:
                thread.join()
            _, first = self._done.get(self._given, (None, None))
            if isinstance(error, KeyboardInterrupt) and isinstance(first, KeyboardInterrupt):
                raise first from error  # it knows what had been written
            raise
        for thread in threads:
            thread.join()

    def _result(self) -> R:
        """What the next task returned."""
        result, error = self._done.pop(self._given)
        if error is not None:
            raise error
        found: R = result
        return found

    def _work(self, numbered: Iterator[tuple[int, Callable[[], R]]]) -> None:
        """Takes tasks until there are no more, or too many are ahead of the results."""
        while (task := self._next(numbered)) is not None:
            index, run = task
            error = None
            try:
                result: Any = run()
            except BaseException as raised:  # noqa: BLE001 - whoever asks for the result gets it
                result, error = None, raised
            with self._condition:
                self._done[index] = result, error
                self._condition.notify_all()
        with self._condition:
            self._alive -= 1
            self._condition.notify_all()

    def _next(self, numbered: Iterator[tuple[int, Callable[[], R]]]) -> tuple[int, Callable[[], R]] | None:
        with self._condition:
            self._idle += 1
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._stopped or self._begun < self._given + _AHEAD * self._size)
            self._idle -= 1
            try:
                task = None if self._stopped else next(numbered, None)
            except BaseException as raised:  # noqa: BLE001 - it takes the place of the task
                self._done[self._begun] = None, raised
                self._begun += 1
                return None
            self._begun += task is not None
            return task

    def _is_time(self) -> bool:
        """Whether all rows wait, or there is a result to hand out, or nothing to wait for any more."""
        if self._given in self._done or not self._alive:
            return True
        return bool(self._waiting) and len(self._waiting) + self._idle >= self._alive

    def _step(self) -> None:
        """Runs one forward pass for all rows that wait, once all of them do."""
        with self._condition:
            self._condition.wait_for(self._is_time)
            if self._given in self._done or not self._waiting:
                return
            tickets, self._waiting = self._waiting, []
        self._passes.run(tickets)
        with self._condition:
            self._condition.notify_all()
