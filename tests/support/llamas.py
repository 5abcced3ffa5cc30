"""Small llamas, plain and narrow."""

from __future__ import annotations

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from harmony_gen.models.narrow import NarrowLlamaConfig, NarrowLlamaForCausalLM

FORM = {
    "hidden_size": 128,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "bos_token_id": None,
}


def plain(vocabulary: int, *, tied: bool = True) -> LlamaForCausalLM:
    """A llama with random weights, the same each time."""
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(vocab_size=vocabulary, tie_word_embeddings=tied, **FORM)).eval()


def narrow(vocabulary: int) -> NarrowLlamaForCausalLM:
    """A narrow llama with random weights, the same each time."""
    torch.manual_seed(0)
    sizes = {"layer_key_heads": [2, 1, 1], "layer_widths": [128, 64, 192]}
    return NarrowLlamaForCausalLM(
        NarrowLlamaConfig(vocab_size=vocabulary, tie_word_embeddings=True, **FORM, **sizes)
    ).eval()
