"""Several answers at once: their forward passes run together.

Each row runs the decode loop as if it were alone, in a greenlet of its own; where it wants a forward pass it pauses.
When all rows have paused, one pass is run for all of them. A row that is done takes the next task, so the batch stays
full. What a row writes is what it would write alone.

All of this happens in the thread that asks for the results: threads of their own would wait for the interpreter more
often than they work, and slow down torch, which keeps workers for each thread (`docs/log.md`).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from greenlet import GreenletExit, getcurrent, greenlet

from harmony_gen.decoding.passes import Passes, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harmony_gen.decoding.head import Chunk

R = TypeVar("R")

_AHEAD = 4
"""Tasks that may be begun, in batches, before the first that is not done."""


class _Row(Generic[R]):
    """A task that pauses where it wants a forward pass.

    Attributes:
        index: its number.
        ticket: the pass that it waits for; None when it is done.
        outcome: what it returned, or raised.
    """

    def __init__(self, index: int, task: Callable[[], R]) -> None:
        """Runs it up to the first pause."""
        self.index = index
        self.ticket: Ticket | None = None
        self.outcome: tuple[R | None, Exception | None] = (None, None)
        self._task = task
        self._greenlet = greenlet(self._live)
        self.resume()

    def resume(self) -> None:
        """Goes on up to the next pause, or to the end."""
        self.ticket = self._greenlet.switch()

    def _live(self) -> None:
        try:
            self.outcome = self._task(), None
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
            self.outcome = None, error

    def end(self, error: type[BaseException] = GreenletExit) -> None:
        """Raises an error where it has paused, and thereby frees what it holds."""
        if not self._greenlet.dead:
            self._greenlet.throw(error)


class Batch(Generic[R]):
    """Runs tasks together."""

    def __init__(self, model: Any, size: int) -> None:
        """Readies a model that `is_batchable`.

        Args:
            model: a transformers causal LM.
            size: the most rows.
        """
        self._passes = Passes(model)
        self._size = size
        self._rows: list[_Row[R]] = []
        self._done: dict[int, tuple[R | None, BaseException | None]] = {}
        self._begun = 0  # tasks
        self._given = 0  # results that have been handed out

    def forward(self, tokens: Sequence[int], cache: Any, count: int, *, everything: bool) -> Chunk:
        """Runs tokens through the model, together with those of other rows. For the tasks.

        Args:
            tokens: what is new of the row.
            cache: a DynamicCache of one row.
            count: what is known is wanted after so many of the last tokens.
            everything: all logits will be wanted, not those of a few tokens.
        """
        ticket = Ticket(tokens, cache, count, everything=everything)
        parent = getcurrent().parent
        assert parent is not None  # noqa: S101 - a task calls
        parent.switch(ticket)
        return ticket.result()

    def run(self, tasks: Iterable[Callable[[], R]]) -> Iterator[R]:
        """Runs tasks; yields what they return, in their order, or raises what they raise.

        Raises:
            RuntimeError: the results are asked for in several threads.
        """
        waiting, thread = iter(tasks), threading.get_ident()
        try:
            while True:
                while self._given in self._done:
                    yield self._result()
                    self._given += 1
                if threading.get_ident() != thread:
                    message = "The results of a batch were asked for in several threads. Take them all in one."
                    raise RuntimeError(message)
                self._fill(waiting)
                if self._rows:
                    self._step()
                elif not self._done:
                    return
        except KeyboardInterrupt as error:
            if type(error) is KeyboardInterrupt and self._rows:  # during a pass; a row knows what had been written
                self._rows[0].end(KeyboardInterrupt)
            raise
        finally:
            if threading.get_ident() == thread:  # another one cannot; the rows end when they are no longer referred to
                for row in self._rows:
                    row.end()

    def _result(self) -> R:
        """What the next task returned."""
        result, error = self._done.pop(self._given)
        if error is not None:
            raise error
        return cast("R", result)

    def _fill(self, waiting: Iterator[Callable[[], R]]) -> None:
        """Begins tasks while there is room, and results are not too far behind."""
        while len(self._rows) < self._size and self._begun < self._given + _AHEAD * self._size:
            try:
                task = next(waiting, None)
            except Exception as error:  # noqa: BLE001 - it takes the place of the task
                self._done[self._begun] = None, error
                self._begun += 1
                return
            if task is None:
                return
            self._begun += 1
            row = _Row(self._begun - 1, task)
            if row.ticket is None:
                self._done[row.index] = row.outcome
            else:
                self._rows.append(row)

    def _step(self) -> None:
        """Runs one forward pass for all rows, and then each of them up to its next one."""
        self._passes.run([row.ticket for row in self._rows if row.ticket is not None])
        for row in list(self._rows):
            row.resume()
            if row.ticket is None:
                self._rows.remove(row)
                self._done[row.index] = row.outcome
