"""Small real models with random weights: the standard adversary."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from harmony_gen import Generator

SMALL = Path(__file__).parents[1] / "fixtures" / "small_model"
"""A trained model of the embedded form with 2.6 M parameters: it answers in the time the shipped one takes to load."""


def embedded_tokenizer() -> PreTrainedTokenizerFast:
    """The tokenizer of the small model."""
    return PreTrainedTokenizerFast.from_pretrained(SMALL)


def random_llama(
    tokenizer: PreTrainedTokenizerFast, width: int | None = None, seed: int = 0, separators: str = "compact"
) -> Generator:
    """A two-layer llama whose logits are peaked and arbitrary.

    The rows of its head are scaled up, so that greedy decoding follows strong, senseless preferences.
    """
    generator = torch.Generator().manual_seed(seed)
    config = LlamaConfig(
        vocab_size=width or len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=8192,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).double().eval()  # in float32 near ties would hide behind rounding
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0.0, 0.6, generator=generator)
    return Generator(model, tokenizer, separators=separators)
