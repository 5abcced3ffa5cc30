"""Iterators for asyncio: what blocks runs in a thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Sequence

E = TypeVar("E")


async def in_thread(make: Callable[[], Generator[Sequence[E], None, None]]) -> AsyncGenerator[E, None]:
    """Runs an iterator step by step in a thread of its own.

    Whoever is cancelled meanwhile, or stops early, waits for the step that is under way; then the iterator is closed,
    and what it holds is freed.

    Args:
        make: makes the iterator, in that thread.

    Yields:
        What the steps hold.
    """
    loop = asyncio.get_running_loop()
    steps: list[Generator[Sequence[E], None, None]] = []

    def step() -> Sequence[E] | None:
        if not steps:
            steps.append(make())
        return next(steps[0], None)

    def close() -> None:
        for one in steps:
            one.close()

    thread = ThreadPoolExecutor(1, "harmony_gen")
    try:
        while (found := await loop.run_in_executor(thread, step)) is not None:
            for one in found:
                yield one
    finally:
        closing = loop.run_in_executor(thread, close)
        thread.shutdown(wait=False)
        await asyncio.shield(closing)
