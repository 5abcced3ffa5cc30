"""The KV cache: whatever is rolled back, the logits are those of the whole sequence run afresh."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    DynamicCache,
    GPT2Config,
    GPT2LMHeadModel,
    GptOssConfig,
    GptOssForCausalLM,
    Lfm2Config,
    Lfm2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    Qwen3NextConfig,
    Qwen3NextForCausalLM,
)

from harmony_gen.decoding.head import split
from harmony_gen.decoding.kv_cache import ModelRunner
from harmony_gen.decoding.prefixes import Prefixes

WIDTH = 64
WINDOW = 6
COMMON: dict[str, Any] = {
    "vocab_size": WIDTH,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": 1,
}


def llama() -> Any:
    return LlamaForCausalLM(LlamaConfig(**COMMON))


def gpt_oss() -> Any:
    """Two layers see a window shorter than the texts."""
    kinds = ["sliding_attention", "full_attention", "sliding_attention"]
    rope = {"rope_type": "default", "rope_theta": 10_000.0}
    options = {"sliding_window": WINDOW, "layer_types": kinds, "rope_parameters": rope}
    return GptOssForCausalLM(GptOssConfig(**COMMON, **options, head_dim=8, num_local_experts=4, num_experts_per_tok=2))


def lfm2() -> Any:
    """Two layers are short convolutions."""
    kinds = ["conv", "full_attention", "conv"]
    return Lfm2ForCausalLM(Lfm2Config(**COMMON, layer_types=kinds, conv_L_cache=3))


def qwen3_next() -> Any:
    """Two layers are recurrent: their state cannot be taken back."""
    kinds = ["linear_attention", "full_attention", "linear_attention"]
    linear = {f"linear_{name}": 4 for name in ("num_value_heads", "num_key_heads")}
    linear |= {f"linear_{name}": 8 for name in ("key_head_dim", "value_head_dim")}
    experts = {"num_experts": 4, "num_experts_per_tok": 2}
    sizes = {"moe_intermediate_size": 16, "shared_expert_intermediate_size": 16}
    return Qwen3NextForCausalLM(Qwen3NextConfig(**COMMON, **linear, **experts, **sizes, head_dim=8, layer_types=kinds))


def mamba() -> Any:
    """No attention at all, and a cache of another kind."""
    return MambaForCausalLM(MambaConfig(vocab_size=WIDTH, hidden_size=32, num_hidden_layers=2, state_size=4))


def gpt2() -> Any:
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256}
    return GPT2LMHeadModel(GPT2Config(vocab_size=WIDTH, bos_token_id=1, eos_token_id=1, **sizes))


def build(kind: Any) -> Any:
    """A model whose logits depend strongly on all it has seen."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)  # some architectures draw vectors of their own
    model = kind().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0.0, 0.4, generator=generator)
    return model


def afresh(model: Any, sequence: list[int]) -> np.ndarray:
    with torch.inference_mode():
        return model(input_ids=torch.tensor([sequence]), use_cache=False).logits[0, -1].float().numpy()


def values(logits: Any) -> np.ndarray:
    return np.asarray(logits.of(np.arange(WIDTH)))


def counted(model: Any) -> list[int]:
    """The lengths of what will be run by the body, once the model has been taken apart."""
    split(model)
    lengths: list[int] = []
    model.base_model.register_forward_pre_hook(
        lambda _module, _args, options: lengths.append(options["input_ids"].shape[1]), with_kwargs=True
    )
    return lengths


def walk(model: Any, seed: int, steps: int, prefixes: Prefixes | None = None) -> tuple[float, ModelRunner, int]:
    """A sequence that grows, is cut, and becomes final: the largest error, the runner, and the cuts.

    Drafts are wrong, right, or both.
    """
    choose = random.Random(seed)
    runner = ModelRunner(model, prefixes)
    sequence = [choose.randrange(WIDTH) for _ in range(choose.randrange(1, 3 * WINDOW))]
    final = choose.choice([0, len(sequence) // 2, len(sequence)])
    worst, cuts = 0.0, 0
    for _ in range(steps):
        draft = [choose.randrange(WIDTH) for _ in range(choose.choice([0, 0, 3]))]
        got = values(runner.logits_after(sequence, final=final, draft=lambda draft=draft: draft))
        worst = max(worst, float(np.abs(got - afresh(model, sequence)).max()))
        sequence = sequence + draft[: choose.randrange(len(draft) + 1)]
        if choose.random() < 0.4:
            length = choose.randrange(max(final, 1), len(sequence) + 1)
            cuts += length < len(sequence)
            sequence = sequence[:length]
        sequence = sequence + [choose.randrange(WIDTH) for _ in range(choose.randrange(4))]
        if choose.random() < 0.4:
            final = choose.randrange(final, len(sequence) + 1)
    return worst, runner, cuts


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("kind", [llama, gpt_oss, lfm2, qwen3_next, mamba, gpt2], ids=lambda kind: kind.__name__)
def test_logits_are_those_of_the_whole_sequence(kind: Any) -> None:
    model = build(kind)
    worst, cuts = 0.0, 0
    for seed in range(2 if kind is qwen3_next else 8):  # that one is slow without its kernels
        error, _, cut = walk(model, seed, 8 if kind is qwen3_next else 20)
        worst, cuts = max(worst, error), cuts + cut
    assert cuts > 1
    assert worst < 2e-3
    logits = [afresh(model, [seed, 5, 9]) for seed in range(8)]
    assert min(np.abs(one - other).max() for one, other in pairwise(logits)) > 0.1


def test_only_what_is_new_is_run() -> None:
    model = build(llama)
    lengths = counted(model)
    runner = ModelRunner(model)
    runner.logits_after([1, 2, 3, 4], final=4)
    runner.logits_after([1, 2, 3, 4], final=4)
    runner.logits_after([1, 2, 3, 4, 5, 6], final=4)
    runner.logits_after([1, 2, 3, 4, 5, 7, 8], final=4)  # one token back
    runner.logits_after([1, 2, 3, 4, 5], final=4)  # two back; the logits there are not known
    runner.logits_after([1, 2, 3, 4], final=4)  # known
    runner.logits_after([1, 2, 3, 4, 9], final=5)
    assert lengths == [4, 2, 2, 1, 1]
    assert runner.forward_passes == len(lengths)


@pytest.mark.parametrize("kind", [gpt_oss, lfm2], ids=lambda kind: kind.__name__)
def test_layers_that_forget_are_taken_back_to_what_is_final(kind: Any) -> None:
    model = build(kind)
    lengths = counted(model)
    runner = ModelRunner(model)
    prompt = list(range(10, 30))
    for answer in ([1, 2, 3], [1, 2, 4], [1, 5], [1, 2, 3, 4], []):
        runner.logits_after([*prompt, *answer], final=len(prompt))
    assert lengths == [20, 3, 3, 2, 4]  # the prompt once; what is not final again


def test_a_cache_that_cannot_be_cropped_is_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def crop(_cache: DynamicCache, _count: int) -> None:
        raise NotImplementedError

    monkeypatch.setattr(DynamicCache, "crop", crop)
    worst, _, cuts = walk(build(llama), seed=3, steps=40)
    assert cuts > 3
    assert worst < 1e-3


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing_enable.*:FutureWarning")
def test_a_model_that_refuses_to_cache_runs_whole_sequences() -> None:
    """A model that is being trained with gradient checkpointing drops the cache it is given."""
    model = build(llama)
    model.gradient_checkpointing_enable()
    worst, runner, cuts = walk(model.train(), seed=1, steps=20)
    assert cuts > 1
    assert worst < 1e-4
    assert runner._cache is None


def test_release_frees_the_cache_and_the_runner_goes_on() -> None:
    model = build(llama)
    runner = ModelRunner(model)
    before = values(runner.logits_after([1, 2, 3], final=3))
    assert runner._cache is not None
    runner.release()
    assert runner._cache is None
    assert runner._chunk is None
    assert np.allclose(values(runner.logits_after([1, 2, 3], final=3)), before)
    assert runner.forward_passes == 2


def test_logits_are_float32_whatever_the_weights_are() -> None:
    model = build(llama).to(torch.bfloat16)
    logits = values(ModelRunner(model).logits_after([1, 2, 3], final=3))
    assert logits.dtype == np.float32
    assert logits.shape == (WIDTH,)


def test_a_wrapped_model_computes_the_last_logits_only() -> None:
    """Found through a wrapper, as peft makes one, whose own forward names no options."""

    class Wrapper(torch.nn.Module):
        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model, self.config = model, model.config

        def get_base_model(self) -> Any:
            return self.model

        def get_input_embeddings(self) -> Any:
            return self.model.get_input_embeddings()

        def forward(self, **options: Any) -> Any:
            kept.append(options.get("logits_to_keep"))
            return self.model(**options)

    model, kept = build(llama), list[int]()
    model.lm_head = torch.nn.Sequential(model.lm_head)  # no plain matrix
    got = values(ModelRunner(Wrapper(model)).logits_after([1, 2, 3], final=3))
    assert kept == [1]
    assert np.allclose(got, afresh(model, [1, 2, 3]), atol=1e-4)


def test_the_model_is_left_as_it_was() -> None:
    model = build(gpt_oss)
    config = model.config.to_dict()
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    walk(model, seed=0, steps=5)
    assert model.config.to_dict() == config
    assert all(torch.equal(weights[name], tensor) for name, tensor in model.state_dict().items())
    assert torch.is_grad_enabled()
