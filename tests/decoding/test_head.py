"""The output head: rows of it give the logits that the model gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
)

from decoding.test_kv_cache import COMMON, WIDTH, afresh, build, gpt2, gpt_oss, lfm2, llama, mamba
from harmony_gen.decoding.head import Known, all_logits, split
from harmony_gen.decoding.kv_cache import ModelRunner
from harmony_gen.decoding.sampling import Choice, Sampler, Sampling, measured


def gemma2() -> Any:
    """Its logits are capped."""
    return Gemma2ForCausalLM(Gemma2Config(**COMMON, head_dim=8, final_logit_softcapping=2.0, query_pre_attn_scalar=8))


def cohere() -> Any:
    """Its logits are multiplied."""
    return CohereForCausalLM(CohereConfig(**COMMON, logit_scale=0.25))


def granite() -> Any:
    """Its logits are divided."""
    return GraniteForCausalLM(GraniteConfig(**COMMON, logits_scaling=8.0))


@pytest.mark.parametrize("kind", [llama, gpt_oss, lfm2, gpt2, mamba, gemma2, cohere, granite], ids=lambda k: k.__name__)
def test_a_few_logits_are_those_of_the_model(kind: Any) -> None:
    model = build(kind)
    assert split(model) is not None
    wanted = afresh(model, [3, 9, 4])
    logits = ModelRunner(model).logits_after([3, 9, 4], final=3)
    few = np.array([1, 7, 60])
    assert len(few) * 8 <= WIDTH
    assert np.allclose(logits.of(few), wanted[few], atol=1e-4)
    assert logits.known() is None
    assert logits.later() is not None
    assert np.allclose(logits.of(np.arange(WIDTH)), wanted, atol=1e-4)
    assert logits.known() is not None
    assert logits.later() is None


def test_a_bias_counts() -> None:
    model = build(llama)
    model.lm_head.bias = torch.nn.Parameter(torch.arange(WIDTH, dtype=torch.float32))
    logits = ModelRunner(model).logits_after([3, 9, 4], final=3)
    assert np.allclose(logits.of(np.array([50])), afresh(model, [3, 9, 4])[50], atol=1e-3)


def changed(model: Any) -> Any:
    """A model that does to its logits what no configuration says."""
    plain = model.forward
    model.forward = lambda *args, **options: _shifted(plain(*args, **options))
    return model


def _shifted(output: Any) -> Any:
    output.logits = output.logits.roll(1, dims=-1)
    return output


def test_a_model_that_is_not_body_and_matrix_is_run_whole() -> None:
    model = changed(build(llama))
    assert split(model) is None
    logits = ModelRunner(model).logits_after([3, 9, 4], final=3)
    assert isinstance(logits, Known)
    assert np.allclose(logits.of(np.arange(WIDTH)), afresh(model, [3, 9, 4]), atol=1e-4)
    other = build(llama)
    other.lm_head = torch.nn.Sequential(other.lm_head)
    assert split(other) is None


def test_hooks_of_the_whole_model_are_called() -> None:
    model = build(llama)
    calls: list[int] = []
    hook = model.register_forward_hook(lambda *_: calls.append(1))
    ModelRunner(model).logits_after([3, 9, 4], final=3)
    assert calls == [1]
    hook.remove()
    ModelRunner(model).logits_after([3, 9, 4], final=3)
    assert calls == [1]


def test_what_all_tokens_weigh_is_found_later() -> None:
    model = build(llama)
    few = np.array([5, 6])
    rows = [ModelRunner(model).logits_after([3, last], final=2) for last in range(20)]
    later = [Sampler(Sampling()).choose(row, few) for row in rows]
    assert all(choice.allowed is None for choice in later)
    at_once = [Sampler(Sampling()).choose(afresh(model, [3, last]), few) for last in range(20)]
    assert measured([Choice(1), *later]) == pytest.approx([0.0, *(choice.allowed for choice in at_once)], abs=1e-4)
    states = [choice.state for choice in later if choice.state is not None]
    assert np.allclose(all_logits(states)[19], afresh(model, [3, 19]), atol=1e-4)
