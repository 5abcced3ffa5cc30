"""Forward passes of several rows, run together.

Rows of about the same length share a pass; each gets what it gets alone, which is found out by trying before rows of
a model are ever put together.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from harmony_gen.decoding.head import Chunk, split
from harmony_gen.decoding.rows_cache import RowsCache
from harmony_gen.models.memory import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harmony_gen.decoding.head import Split

_SHORT = 4
"""Tokens that are run together whatever their number: so few cost little more than one."""

_UNLIMITED = 2**62


class Ticket:
    """A forward pass that a row waits for.

    Attributes:
        is_served: the pass has been run, or has failed.
    """

    def __init__(self, tokens: Sequence[int], cache: Any, count: int, *, everything: bool) -> None:
        self.tokens = tokens
        self.cache = cache
        self.count = count
        self.everything = everything
        self.is_served = False
        self._chunk: Chunk | None = None
        self._error: BaseException | None = None

    @property
    def length(self) -> int:
        """Tokens in the cache."""
        return int(self.cache.get_seq_length())

    def serve(self, chunk: Chunk) -> None:
        """Says what is known after the pass."""
        self._chunk = chunk
        self.is_served = True

    def fail(self, error: BaseException) -> None:
        """Says what went wrong, unless it has been served."""
        if not self.is_served:
            self._error = error
            self.is_served = True

    def result(self) -> Chunk:
        """What is known after the pass, or what went wrong."""
        if self._error is not None:
            raise self._error
        assert self._chunk is not None  # noqa: S101 - it is served
        return self._chunk


class Passes:
    """Runs forward passes of one model, those of several rows together where they fit."""

    def __init__(self, model: Any) -> None:
        """Readies a model that can be split into body and head."""
        found = split(model)
        assert found is not None  # noqa: S101 - its callers have looked
        self._split: Split = found
        self._model = model
        self._room = _UNLIMITED  # tokens that fit one pass, as far as is known

    def run(self, tickets: Sequence[Ticket]) -> None:
        """Serves tickets, as many together as are alike."""
        for group in _alike(tickets, self._room):
            self._run(group)

    def _run(self, group: list[Ticket]) -> None:
        """Runs a forward pass; after a failure that has touched no cache each row alone.

        Where memory runs out, no later pass takes more than half of the tokens.
        """
        before = [ticket.length for ticket in group] if len(group) > 1 else []
        try:
            run_together(self._model, self._split, group)
        except Exception as error:  # noqa: BLE001 - each row says what it means to it
            if is_out_of_memory(error):
                self._room = max(1, len(group) * len(group[-1].tokens) // 2)
            if before and before == [ticket.length for ticket in group]:
                for ticket in group:
                    self._run([ticket])
                return
            for ticket in group:
                ticket.fail(error)


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

    if len(tickets) == 1:
        _run_alone(model, parts, *tickets)
        return
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
        ticket.serve(chunk)


_batchable: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()


def is_batchable(model: Any) -> bool:
    """Whether rows that run together get what they get alone. Found out once for each model, by trying.

    A trial for which there is no memory says nothing about the model; it is made again the next time.
    """
    if split(model) is None:
        return False
    if model not in _batchable:
        try:
            _batchable[model] = _agrees(model)
        except _REFUSALS as error:
            if is_out_of_memory(error):
                return False
            _batchable[model] = False
    return _batchable[model]


_PROBES = ((3, 11, 5, 2, 7), (4, 9))
_BEHIND = ((6,), (8, 1, 13))
_REFUSALS = (RuntimeError, ValueError, TypeError, AttributeError, IndexError, StopIteration, KeyError, MemoryError)
"""What a model raises that cannot run rows together."""


def _agrees(model: Any) -> bool:
    from transformers import DynamicCache

    parts = split(model)
    assert parts is not None  # noqa: S101 - its caller has looked
    config = model.config.get_text_config(decoder=True)
    width = parts.head.width

    def ticket(tokens: Iterable[int], cache: Any) -> Ticket:
        return Ticket([token % width for token in tokens], cache, 1, everything=True)

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
    return True


def _run_alone(model: Any, parts: Split, ticket: Ticket) -> None:
    import torch

    with torch.inference_mode():
        inputs = torch.tensor([list(ticket.tokens)], device=model.get_input_embeddings().weight.device)
        states = parts.body(input_ids=inputs, past_key_values=ticket.cache, use_cache=True).last_hidden_state
    ticket.serve(Chunk(parts.head, states[0, -ticket.count :]))


def _logits(ticket: Ticket) -> Any:
    chunk = ticket.result()
    return chunk.at(0).of(np.arange(chunk.width))
