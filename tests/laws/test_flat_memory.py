"""A process that answers for ever does not grow."""

from __future__ import annotations

import gc
import os
from itertools import count
from pathlib import Path

import pytest

from harmony_gen import Generator

WARM, ANSWERS = 400, 2_000
MOST = 12 * 2**20
"""Bytes by which memory may differ: what the allocators of Python and torch keep in hand."""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells how much memory a process has")
def test_memory_stays_flat_over_two_thousand_answers(tiny: Generator) -> None:
    schema = {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}},
        "required": ["ok"],
        "additionalProperties": False,
    }
    numbers = count()

    def answer(times: int) -> None:
        for _ in range(times):
            number = next(numbers)
            tiny.generate(f"number {number % 50} of some prompts that begin alike and then differ", schema)

    answer(WARM)
    before = resident()
    answer(ANSWERS)
    assert resident() - before < MOST


def resident() -> int:
    """Bytes of the process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
