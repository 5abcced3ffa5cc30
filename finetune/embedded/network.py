"""The network: gated short convolutions and attention in turn, or a few layers of a pretrained llama."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harmony_gen.models.embedded import CONTEXT_TOKENS

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Size:
    """The dimensions of a network.

    Attributes:
        width: of the hidden states.
        layers: convolution and attention in turn.
        heads: of attention.
        inner: width within the feed-forward part.
        rate: highest learning rate it is trained with.
        key_heads: heads of keys and values, which makes it a llama of attention only; None is the other kind.
        frozen: layers at the bottom that stay as they are.
    """

    width: int
    layers: int
    heads: int
    inner: int
    rate: float = 4e-3
    key_heads: int | None = None
    frozen: int = 0


SIZES = {
    "tiny": Size(32, 2, 2, 64),
    "small": Size(192, 4, 6, 512),
    "medium": Size(256, 6, 4, 704),
    "large": Size(384, 8, 6, 960),
    "tiny_llama": Size(32, 3, 4, 64, 1e-3, 2, 1),
    "pruned": Size(576, 8, 9, 1536, 1e-3, 3, 3),
    "pretrained": Size(576, 30, 9, 1536, 3e-4, 3, 18),
}
"""About 2.6, 5.9 and 15 million parameters with a vocabulary of 4,096; the tiny ones are for tests. The last two begin
as what `pretrained` writes: 31.6 million parameters with a vocabulary of 5,761, and 134.5 million as a whole."""


def build(size: Size, vocabulary: int) -> PreTrainedModel:
    """A network with random weights, drawn with torch's generator.

    Args:
        size: its dimensions.
        vocabulary: entries of the tokenizer.
    """
    from transformers import Lfm2Config, Lfm2ForCausalLM, LlamaConfig, LlamaForCausalLM

    shared: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.key_heads or size.heads,
        "intermediate_size": size.inner,
        "max_position_embeddings": CONTEXT_TOKENS,
        "tie_word_embeddings": True,
        "attn_implementation": "sdpa",
        "pad_token_id": 0,
        "eos_token_id": 1,
        "bos_token_id": None,
        "initializer_range": 0.02,
    }
    if size.key_heads is not None:
        rope = {"rope_type": "default", "rope_theta": 100000.0}
        return LlamaForCausalLM(LlamaConfig(**shared, rms_norm_eps=1e-5, rope_parameters=rope))
    rope = {"rope_type": "default", "rope_theta": 10000.0}
    kinds = (["conv", "full_attention"] * size.layers)[: size.layers]
    return Lfm2ForCausalLM(
        Lfm2Config(**shared, block_auto_adjust_ff_dim=False, layer_types=kinds, rope_parameters=rope)
    )


def weights_of(directory: Path) -> dict[str, torch.Tensor]:
    """The weights of a finished model by name, in float32; of tied ones, one stands for both."""
    from safetensors.torch import load_file

    return {name: weight.float() for name, weight in load_file(str(directory / "model.safetensors")).items()}
