"""Rows that run together: each gets what it gets alone, whatever their lengths, and they come back in order."""

from __future__ import annotations

import random
import threading
from typing import Any

import numpy as np
import pytest
import torch
from transformers import DynamicCache, MistralConfig, MistralForCausalLM

from decoding.test_kv_cache import COMMON, WIDTH, WINDOW, afresh, build, gpt2, gpt_oss, lfm2, llama, mamba, qwen3_next
from harmony_gen.decoding.batch import Batch
from harmony_gen.decoding.kv_cache import ModelRunner
from harmony_gen.decoding.passes import is_batchable


def mistral() -> Any:
    """All layers see a window shorter than the texts."""
    return MistralForCausalLM(MistralConfig(**COMMON, sliding_window=WINDOW))


def row(model: Any, batch: Batch[Any], seed: int) -> tuple[float, int]:
    """A row that grows and is cut, as in the tests of the cache: the largest error, and its passes."""
    choose = random.Random(seed)
    runner = ModelRunner(model, batch=batch)
    sequence = [choose.randrange(WIDTH) for _ in range(choose.randrange(1, 3 * WINDOW))]
    final, worst = len(sequence), 0.0
    for _ in range(choose.randrange(4, 12)):
        draft = [choose.randrange(WIDTH) for _ in range(choose.choice([0, 0, 3]))]
        logits = runner.logits_after(sequence, final=final, draft=lambda draft=draft: draft, wanted=WIDTH)
        worst = max(worst, float(np.abs(logits.of(np.arange(WIDTH)) - afresh(model, sequence)).max()))
        sequence = sequence + draft[: choose.randrange(len(draft) + 1)]
        if choose.random() < 0.4:
            sequence = sequence[: choose.randrange(final, len(sequence) + 1)]
        sequence = sequence + [choose.randrange(WIDTH) for _ in range(choose.randrange(4))]
        final = choose.randrange(final, len(sequence) + 1)
    return worst, runner.forward_passes


@pytest.mark.parametrize("kind", [llama, gpt_oss, lfm2, gpt2, mistral], ids=lambda kind: kind.__name__)
def test_rows_get_what_they_get_alone(kind: Any) -> None:
    model = build(kind)
    assert is_batchable(model)
    calls: list[int] = []
    model.base_model.register_forward_pre_hook(
        lambda _module, args, options: calls.append(len(args[0] if args else options["input_ids"])), with_kwargs=True
    )
    batch: Batch[tuple[float, int]] = Batch(model, 4)
    found = list(batch.run([lambda seed=seed: row(model, batch, seed) for seed in range(12)]))
    assert max(error for error, _ in found) < 2e-3
    together = [count for count in calls if count > 1]
    assert len(together) > 5
    assert max(together) == 4


def test_a_trial_without_memory_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    model = build(llama)
    with monkeypatch.context() as patch:
        patch.setattr("harmony_gen.decoding.passes.run_together", exhausted)
        assert not is_batchable(model)
    assert is_batchable(model)


@pytest.mark.parametrize("kind", [mamba, qwen3_next], ids=lambda kind: kind.__name__)
def test_models_whose_state_is_one_sum_are_not_run_together(kind: Any) -> None:
    assert not is_batchable(build(kind))


def test_results_come_in_order_and_tasks_are_taken_as_there_is_room() -> None:
    model = build(llama)
    batch: Batch[int] = Batch(model, 3)
    taken: list[int] = []

    def tasks() -> Any:
        for number in range(200):
            taken.append(number)
            yield lambda number=number: number

    results = batch.run(tasks())
    assert [next(results) for _ in range(10)] == list(range(10))
    assert len(taken) <= 10 + 4 * 3 + 3
    assert list(results) == list(range(10, 200))


def test_a_row_that_fails_does_not_disturb_the_others() -> None:
    model = build(llama)
    batch: Batch[Any] = Batch(model, 2)

    def fails() -> str:
        try:
            ModelRunner(model, batch=batch).logits_after([10**6], final=1)
        except IndexError as error:
            return type(error).__name__
        return "nothing"

    tasks = [fails if number % 2 else lambda number=number: row(model, batch, number)[0] < 2e-3 for number in range(6)]
    found = list(batch.run(tasks))
    assert found == [True, "IndexError"] * 3


def test_what_the_source_of_tasks_raises_is_raised_in_its_place() -> None:
    model = build(llama)
    batch: Batch[int] = Batch(model, 3)

    def tasks() -> Any:
        for number in range(5):
            yield lambda number=number: number
        message = "the disk is gone"
        raise OSError(message)

    results = batch.run(tasks())
    assert [next(results) for _ in range(5)] == list(range(5))
    with pytest.raises(OSError, match="gone"):
        next(results)


def test_whoever_stops_listening_ends_all_threads() -> None:
    model = build(llama)
    before = threading.active_count()
    batch: Batch[float] = Batch(model, 4)
    results = batch.run([lambda seed=seed: _quietly(model, batch, seed) for seed in range(40)])
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def _quietly(model: Any, batch: Batch[float], seed: int) -> float:
    try:
        return row(model, batch, seed)[0]
    except GeneratorExit:
        return -1.0


def test_results_are_taken_in_one_thread() -> None:
    batch: Batch[int] = Batch(build(llama), 2)
    results = batch.run([lambda: 1, lambda: 2, lambda: 3])
    assert next(results) == 1
    errors: list[BaseException] = []

    def take() -> None:
        try:
            list(results)
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    assert "Take them all in one" in str(errors[0])


def test_rows_that_are_not_wanted_any_more_let_go_of_what_they_hold() -> None:
    model = build(llama)
    batch: Batch[int] = Batch(model, 3)
    ended: list[int] = []

    def task(number: int) -> int:
        try:
            for _ in range(number):
                batch.forward([1, 2], DynamicCache(config=model.config), 1, everything=False)
        finally:
            ended.append(number)
        return number

    results = batch.run([lambda number=number: task(number) for number in (0, 5, 7, 9)])
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert set(ended) == {0, 5, 7, 9}
