"""Cache ⇔ recompute: with any rollbacks the logits are those of a fresh run."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, GptOssConfig, Lfm2Config, LlamaConfig, MistralConfig

from harmony_gen.decoding.kv_cache import ModelRunner

SMALL = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
CONFIGS = {
    "llama": LlamaConfig(**SMALL),
    "mistral with a sliding window": MistralConfig(**SMALL, sliding_window=9),
    "gpt-oss": GptOssConfig(**SMALL, head_dim=8, num_local_experts=4, num_experts_per_tok=2, sliding_window=9),
    "lfm2 with convolutions": Lfm2Config(
        **SMALL,
        block_auto_adjust_ff_dim=False,
        conv_L_cache=3,
        layer_types=["conv", "full_attention", "conv", "full_attention"],
    ),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:transformers")
@pytest.mark.parametrize("name", CONFIGS)
def test_logits_after_rollbacks_are_those_of_a_fresh_run(name: str) -> None:
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(CONFIGS[name]).eval().float()
    choose = random.Random(5)
    runner = ModelRunner(model)
    sequence = [choose.randrange(97) for _ in range(23)]
    final = len(sequence)
    runner.logits_after(sequence, final=final)
    worst = 0.0
    rollbacks = 0
    for _ in range(60):
        if len(sequence) > final and choose.random() < 0.4:
            del sequence[choose.randrange(final, len(sequence)) :]
            rollbacks += 1
        if choose.random() < 0.3:
            final = len(sequence)
        sequence += [choose.randrange(97) for _ in range(choose.choice((0, 1, 1, 4)))]
        logits = runner.logits_after(sequence, final=final)
        fresh = ModelRunner(model).logits_after(sequence, final=len(sequence))
        everything = np.arange(97)
        worst = max(worst, float(np.abs(logits.of(everything) - fresh.of(everything)).max()))
    assert rollbacks > 8
    assert worst < 1e-4
