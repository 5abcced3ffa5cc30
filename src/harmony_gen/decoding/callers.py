"""Answers that are asked for from several threads: their forward passes run together where they meet.

Nobody waits for company. While one thread runs a pass, others line up; whoever comes next runs the passes of all of
them at once. So a caller alone is served as if there were no others, and under load passes fill by themselves.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from harmony_gen.decoding.passes import Passes, Ticket, is_batchable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony_gen.decoding.head import Chunk


class Callers:
    """Runs forward passes of rows that know nothing of one another."""

    def __init__(self, model: Any) -> None:
        """Readies a model that can be split into body and head."""
        self._model = model
        self._passes = Passes(model)
        self._running = threading.Lock()
        self._door = threading.Lock()
        self._waiting: list[Ticket] = []

    def forward(self, tokens: Sequence[int], cache: Any, count: int, *, everything: bool) -> Chunk:
        """Runs tokens through the model, together with those of callers that wait. See `Batch.forward`."""
        ticket = Ticket(tokens, cache, count, everything=everything)
        with self._door:
            self._waiting.append(ticket)
        with self._running:
            if not ticket.is_served:
                self._serve()
        return ticket.result()

    def _serve(self) -> None:
        """Runs what waits."""
        with self._door:
            tickets, self._waiting = self._waiting, []
        try:
            if len(tickets) == 1 or is_batchable(self._model):
                self._passes.run(tickets)
            else:
                for ticket in tickets:
                    self._passes.run([ticket])
        finally:  # after Ctrl-C, which the main thread gets, nobody may wait for what does not come
            for ticket in tickets:
                ticket.fail(RuntimeError("the forward pass was interrupted"))
