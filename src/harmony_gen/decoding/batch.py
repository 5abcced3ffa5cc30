"""Several answers at once: their forward passes run together.

Each row runs the decode loop in a thread of its own, as if it were alone; where it wants a forward pass it waits. When
all rows wait, one pass is run for all of them. A row that is done takes the next task, so the batch stays full. What a
row writes is what it would write alone.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from harmony_gen.decoding.head import Chunk, split
from harmony_gen.decoding.rows_cache import RowsCache
from harmony_gen.models.memory import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harmony_gen.decoding.head import Split

R = TypeVar("R")

_SHORT = 4
"""Tokens that are run together whatever their number: so few cost little more than one."""

_AHEAD = 4
"""Tasks that may be begun, in batches, before the first that is not done."""


_UNLIMITED = 2**62


class Ticket:
    """A forward pass that a row waits for."""

    def __init__(self, tokens: Sequence[int], cache: Any, count: int, *, everything: bool) -> None:
        self.tokens = tokens
        self.cache = cache
        self.count = count
        self.everything = everything
        self.chunk: Chunk | None = None
        self.error: BaseException | None = None

    @property
    def length(self) -> int:
        """Tokens in the cache."""
        return int(self.cache.get_seq_length())


class Batch(Generic[R]):
    """Runs tasks in threads and their forward passes in the thread that asks for the results."""

    def __init__(self, model: Any, size: int) -> None:
        """Readies a model that `is_batchable`.

        Args:
            model: a transformers causal LM.
            size: the most rows.
        """
        found = split(model)
        assert found is not None  # noqa: S101 - it is batchable
        self._split: Split = found
        self._model = model
        self._size = size
        self._condition = threading.Condition()
        self._waiting: list[Ticket] = []
        self._alive = 0  # threads
        self._idle = 0  # of these, how many wait for results to be taken
        self._done: dict[int, tuple[Any, BaseException | None]] = {}
        self._begun = 0  # tasks
        self._given = 0  # results that have been handed out
        self._stopped: BaseException | None = None
        self._room = _UNLIMITED  # tokens that fit one pass, as far as is known

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
            self._condition.wait_for(lambda: ticket.chunk or ticket.error or self._stopped)
        error = ticket.error or (self._stopped if ticket.chunk is None else None)
        if error is not None:
            raise error
        assert ticket.chunk is not None  # noqa: S101 - it was waited for
        return ticket.chunk

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
        for group in _alike(tickets, self._room):
            self._run(group)
        with self._condition:
            self._condition.notify_all()

    def _run(self, group: list[Ticket]) -> None:
        """Runs a forward pass; after a failure that has touched no cache each row alone.

        Where memory runs out, no later pass takes more than half of the tokens.
        """
        before = [ticket.length for ticket in group]
        try:
            run_together(self._model, self._split, group)
        except Exception as error:  # noqa: BLE001 - each row says what it means to it
            if is_out_of_memory(error):
                self._room = max(1, len(group) * len(group[-1].tokens) // 2)
            if len(group) > 1 and before == [ticket.length for ticket in group]:
                for ticket in group:
                    self._run([ticket])
                return
            for ticket in group:
                ticket.error = error


def _alike(tickets: Iterable[Ticket], room: int = _UNLIMITED) -> list[list[Ticket]]:
    """Groups of tickets of about the same length: the shorter ones are padded to the longest.

    Args:
        tickets: what rows wait for.
        room: the most tokens of a group of several, padding included.
    """
    groups: list[list[Ticket]] = []
    for ticket in sorted(tickets, key=lambda ticket: len(ticket.tokens)):
        length = len(ticket.tokens)
        is_alike = bool(groups) and length <= max(_SHORT, 2 * len(groups[-1][0].tokens))
        if is_alike and (len(groups[-1]) + 1) * length <= room:
            groups[-1].append(ticket)
        else:
            groups.append([ticket])
    return groups


def run_together(model: Any, parts: Split, tickets: Sequence[Ticket]) -> None:
    """One forward pass for several rows; their caches grow, and their tickets get what is known."""
    import torch

    lengths = [len(ticket.tokens) for ticket in tickets]
    width = max(lengths)
    table = [[*ticket.tokens, *[0] * (width - len(ticket.tokens))] for ticket in tickets]
    embeddings = model.get_input_embeddings().weight
    rows = RowsCache([ticket.cache for ticket in tickets], lengths)
    with torch.inference_mode():
        inputs = torch.tensor(table, device=embeddings.device)  # (B, T)
        kinds = list(getattr(model.config.get_text_config(decoder=True), "layer_types", None) or ())
        options = rows.inputs(kinds, embeddings.dtype, embeddings.device)
        states = parts.body(input_ids=inputs, past_key_values=rows, use_cache=True, **options).last_hidden_state
    chunks = [
        Chunk(parts.head, states[i, length - ticket.count : length])
        for i, (ticket, length) in enumerate(zip(tickets, lengths, strict=True))
    ]
    Chunk.fill([chunk for chunk, ticket in zip(chunks, tickets, strict=True) if ticket.everything])
    for ticket, chunk in zip(tickets, chunks, strict=True):
        ticket.chunk = chunk


_batchable: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()


def is_batchable(model: Any) -> bool:
    """Whether rows that run together get what they get alone. Found out once for each model, by trying."""
    if split(model) is None:
        return False
    if model not in _batchable:
        _batchable[model] = _agrees(model)
    return _batchable[model]


_PROBES = ((3, 11, 5, 2, 7), (4, 9))
_BEHIND = ((6,), (8, 1, 13))


def _agrees(model: Any) -> bool:
    from transformers import DynamicCache

    parts = split(model)
    assert parts is not None  # noqa: S101 - its caller has looked
    config = model.config.get_text_config(decoder=True)
    width = parts.head.width

    def ticket(tokens: Iterable[int], cache: Any) -> Ticket:
        return Ticket([token % width for token in tokens], cache, 1, everything=True)

    try:
        together = [DynamicCache(config=config) for _ in _PROBES]
        alone = [DynamicCache(config=config) for _ in _PROBES]
        for probes in (_PROBES, _BEHIND, _BEHIND):
            joint = [ticket(*pair) for pair in zip(probes, together, strict=True)]
            run_together(model, parts, joint)
            single = [ticket(*pair) for pair in zip(probes, alone, strict=True)]
            for each in single:
                _run_alone(model, parts, each)
            for cache in (*together, *alone):
                cache.activate_past_recording()
            pairs = zip(map(_logits, joint), map(_logits, single), strict=True)
            if not all(parts.head.agree(one, other) for one, other in pairs):
                return False
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError, StopIteration, KeyError):
        return False
    return True


def _run_alone(model: Any, parts: Split, ticket: Ticket) -> None:
    import torch

    with torch.inference_mode():
        inputs = torch.tensor([list(ticket.tokens)], device=model.get_input_embeddings().weight.device)
        states = parts.body(input_ids=inputs, past_key_values=ticket.cache, use_cache=True).last_hidden_state
    ticket.chunk = Chunk(parts.head, states[0, -1:])


def _logits(ticket: Ticket) -> Any:
    assert ticket.chunk is not None  # noqa: S101 - it was run
    return ticket.chunk.at(0).of(np.arange(ticket.chunk.width))
