"""The network: gated short convolutions and attention in turn, or whatever a finished model is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from harmony_gen.models.embedded import load_embedded

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Size:
    """The dimensions of a network that begins from nothing.

    Attributes:
        width: of the hidden states.
        layers: convolution and attention in turn.
        heads: of attention.
        inner: width within the feed-forward part.
    """

    width: int
    layers: int
    heads: int
    inner: int


SIZES = {
    "tiny": Size(32, 2, 2, 64),
    "small": Size(192, 4, 6, 512),
    "medium": Size(256, 6, 4, 704),
    "large": Size(384, 8, 6, 960),
}
"""About 2.6, 5.9 and 15 million parameters with a vocabulary of 4,096; the tiny one is for tests."""

ROW_TOKENS = 1024
"""Tokens of the longest rows of training, so all that a network from nothing can see."""

OWN_TYPE = "lfm2"
"""The model type of networks that begin from nothing."""


def build(size: Size, vocabulary: int, seed: int = 0) -> PreTrainedModel:
    """A network with random weights, which depend on the seed alone.

    Args:
        size: its dimensions.
        vocabulary: entries of the tokenizer.
        seed: of torch's generator, which goes on from there.
    """
    from transformers import Lfm2Config, Lfm2ForCausalLM

    torch.manual_seed(seed)
    config = Lfm2Config(
        vocab_size=vocabulary,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        intermediate_size=size.inner,
        block_auto_adjust_ff_dim=False,
        layer_types=(["conv", "full_attention"] * size.layers)[: size.layers],
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        attn_implementation="sdpa",
        initializer_range=0.02,
        **common(ROW_TOKENS),
    )
    return Lfm2ForCausalLM(config)


def common(window: int) -> dict[str, Any]:
    """What every embedded model is configured with: its window in tokens and its control tokens."""
    return {
        "max_position_embeddings": window,
        "tie_word_embeddings": True,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "bos_token_id": None,
    }


def finished(directory: Path) -> PreTrainedModel:
    """A finished model in float32, ready to be trained.

    Args:
        directory: where `export`, `narrowing` or `pretrained` wrote it.

    Raises:
        ModelError: there is no model, or weights are missing.
    """
    model: PreTrainedModel = load_embedded(directory).model
    return model.requires_grad_(requires_grad=True)


def configured(config: dict[str, Any]) -> PreTrainedModel:
    """A network with random weights, as the dictionary of its configuration says."""
    from transformers import AutoConfig, AutoModelForCausalLM

    from harmony_gen.models import narrow

    narrow.register()
    network: PreTrainedModel = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config), dtype=torch.float32)
    return network
