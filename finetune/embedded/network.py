"""The network: gated short convolutions and attention in turn, embeddings tied, in three sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harmony_gen.models.embedded import CONTEXT_TOKENS

if TYPE_CHECKING:
    from transformers import Lfm2ForCausalLM


@dataclass(frozen=True)
class Size:
    """The dimensions of a network.

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
"""About 2.6, 5.9 and 15 million parameters with a vocabulary of 4,096; "tiny" is for tests."""


def build(size: Size, vocabulary: int) -> Lfm2ForCausalLM:
    """A network with random weights, drawn with torch's generator.

    Args:
        size: its dimensions.
        vocabulary: entries of the tokenizer.
    """
    from transformers import Lfm2Config, Lfm2ForCausalLM

    config = Lfm2Config(
        vocab_size=vocabulary,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        intermediate_size=size.inner,
        block_auto_adjust_ff_dim=False,
        max_position_embeddings=CONTEXT_TOKENS,
        tie_word_embeddings=True,
        attn_implementation="sdpa",
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
        layer_types=(["conv", "full_attention"] * size.layers)[: size.layers],
        initializer_range=0.02,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
    )
    return Lfm2ForCausalLM(config)
