"""Caches of earlier prompts: what begins alike is not run again, and what is computed is the same."""

from __future__ import annotations

import gc
import time
import weakref
from typing import Any

import numpy as np
import pytest

from decoding.test_kv_cache import WIDTH, afresh, build, gpt_oss, lfm2, llama, values, walk
from harmony_gen.decoding.kv_cache import ModelRunner
from harmony_gen.decoding.prefixes import Prefixes

PROMPT = [number * 7 % WIDTH for number in range(40)]


def ask(model: Any, prefixes: Prefixes, sequence: list[int]) -> int:
    """Runs a prompt and two tokens behind it; checks the logits, and says how much was not run."""
    runner = ModelRunner(model, prefixes)
    for length in range(len(sequence), len(sequence) + 3):
        whole = [*sequence, 1, 2][:length]
        got = values(runner.logits_after(whole, final=length))
        assert np.allclose(got, afresh(model, whole), atol=2e-3)
    runner.hand_on()
    return runner.cached_tokens


@pytest.mark.parametrize("kind", [llama, gpt_oss, lfm2], ids=lambda kind: kind.__name__)
def test_what_prompts_have_in_common_is_run_once(kind: Any) -> None:
    model, prefixes = build(kind), Prefixes(2**20)
    cached = [ask(model, prefixes, [*PROMPT, last, 9, 9]) for last in (11, 12, 13, 14)]
    assert cached[0] == 0
    assert cached[2:] == [len(PROMPT)] * 2
    assert cached[1] == (len(PROMPT) if kind is llama else 0)  # the others can only be copied on the way
    assert ask(model, prefixes, PROMPT[::-1]) == 0


def test_a_prompt_that_was_there_runs_one_token() -> None:
    model, prefixes = build(llama), Prefixes(2**20)
    assert ask(model, prefixes, PROMPT) == 0
    assert ask(model, prefixes, PROMPT) == len(PROMPT) - 1


def test_the_least_recently_used_go_first() -> None:
    model = build(llama)
    one = Prefixes(2**30)
    ask(model, one, PROMPT)
    size = sum(size for _, size in one._caches.values())
    prefixes = Prefixes(2 * size + size // 2)
    cached = [ask(model, prefixes, [start, *PROMPT]) for start in (0, 1, 0, 2, 0)]
    assert cached == [0, 0, len(PROMPT), 0, len(PROMPT)]
    assert sum(size for _, size in prefixes._caches.values()) <= 2 * size + size // 2
    assert ask(model, prefixes, [1, *PROMPT]) == 0
    assert ask(model, Prefixes(0), PROMPT) == ask(model, Prefixes(0), PROMPT) == 0
    prefixes.clear()
    assert ask(model, prefixes, [0, *PROMPT]) == 0


@pytest.mark.parametrize("kind", [llama, gpt_oss, lfm2], ids=lambda kind: kind.__name__)
def test_rollbacks_behind_a_cached_prompt_are_exact(kind: Any) -> None:
    model, prefixes = build(kind), Prefixes(2**22)
    for seed in (0, 0, 1, 0, 1):
        error, runner, _ = walk(model, seed, 8, prefixes)
        runner.hand_on()
        assert error < 2e-3


def test_caches_are_freed_after_a_time_without_use() -> None:
    model, prefixes = build(llama), Prefixes(2**20, idle=0.3)
    ask(model, prefixes, PROMPT)
    time.sleep(0.2)
    assert ask(model, prefixes, PROMPT) > 0  # in use: the time begins anew
    time.sleep(0.2)
    assert prefixes._caches
    deadline = time.monotonic() + 10
    while prefixes._caches and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not prefixes._caches
    assert ask(model, prefixes, PROMPT) == 0
    prefixes.clear()


def test_nobody_waits_for_caches_that_are_gone() -> None:
    prefixes = Prefixes(2**20, idle=0.1)
    ask(build(llama), prefixes, PROMPT)
    gone, watch = weakref.ref(prefixes), prefixes._watch
    assert watch is not None
    del prefixes
    gc.collect()
    assert gone() is None
    watch.join(10)
    assert not watch.is_alive()
