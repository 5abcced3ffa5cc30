"""Threads that share a model: each row gets what it gets alone, and passes run together where they meet."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from transformers import DynamicCache

from decoding.test_batch import mistral, row
from decoding.test_kv_cache import build, gpt_oss, lfm2, llama, mamba, qwen3_next
from harmony_gen.decoding.callers import Callers


def sizes_of(model: Any) -> list[int]:
    """Collects the rows of each pass from now on."""
    sizes: list[int] = []
    model.base_model.register_forward_pre_hook(
        lambda _module, args, options: sizes.append(len(args[0] if args else options["input_ids"])), with_kwargs=True
    )
    return sizes


@pytest.mark.parametrize(
    ("kind", "most"), [(llama, 4), (gpt_oss, 4), (lfm2, 4), (mistral, 4), (mamba, 1), (qwen3_next, 1)]
)
def test_rows_of_several_threads_get_what_they_get_alone(kind: Any, most: int) -> None:
    model = build(kind)
    callers = Callers(model)
    gate = threading.Barrier(4)

    def work(number: int) -> float:
        gate.wait()
        return max(row(model, callers, seed)[0] for seed in range(number, 12, 4))

    sizes = sizes_of(model)
    with ThreadPoolExecutor(4) as pool:
        assert max(pool.map(work, range(4))) < 2e-3
    assert 1 in sizes
    assert 1 <= max(sizes) <= 4
    assert most > 1 or max(sizes) == 1 or len([size for size in sizes if size > 1]) <= 3  # the trial of its rows


def test_those_who_wait_are_run_together() -> None:
    model = build(llama)
    callers = Callers(model)
    caches = [DynamicCache(config=model.config) for _ in range(4)]
    with callers._running, ThreadPoolExecutor(4) as pool:
        waiting = [
            pool.submit(callers.forward, [index, 1, 2], cache, 1, everything=False)
            for index, cache in enumerate(caches)
        ]
        while len(callers._waiting) < 4:
            threading.Event().wait(0.01)
        sizes = sizes_of(model)
        callers._running.release()
        assert all(len(future.result()) == 1 for future in waiting)
        callers._running.acquire()
    assert sizes[-1] == 4
    assert [cache.get_seq_length() for cache in caches] == [3] * 4


def test_nobody_waits_for_a_pass_that_was_interrupted() -> None:
    model = build(llama)
    callers = Callers(model)

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    hook = model.base_model.register_forward_pre_hook(interrupt)
    with callers._running, ThreadPoolExecutor(3) as pool:
        waiting = [
            pool.submit(callers.forward, [1, 2], DynamicCache(config=model.config), 1, everything=False)
            for _ in range(3)
        ]
        while len(callers._waiting) < 3:
            threading.Event().wait(0.01)
        callers._running.release()
        errors = [type(future.exception()) for future in waiting]
        callers._running.acquire()
    assert sorted(error.__name__ for error in errors) == ["KeyboardInterrupt", "RuntimeError", "RuntimeError"]
    hook.remove()
    assert len(callers.forward([1, 2], DynamicCache(config=model.config), 1, everything=False)) == 1
