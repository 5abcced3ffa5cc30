"""A llama whose layers differ: each has as many groups of heads and as many inner neurons as were left of it.

Pruning takes most from the layers that need least (Molchanov et al. 2019); a plain llama has one size for all.
"""

from __future__ import annotations

from typing import Any, ClassVar

from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM


class NarrowLlamaConfig(LlamaConfig):  # type: ignore[misc]  # transformers says nothing of its type
    """The configuration of a llama, with two lists more.

    Attributes:
        layer_key_heads: for each layer, its heads of keys and values; each serves as many heads of queries as in a
            llama with `num_attention_heads` and `num_key_value_heads`. At least one.
        layer_widths: for each layer, the width within its feed-forward part.
    """

    model_type: ClassVar[str] = "narrow_llama"
    layer_key_heads: list[int] | None = None
    layer_widths: list[int] | None = None


class NarrowLlamaForCausalLM(LlamaForCausalLM):  # type: ignore[misc]  # the same
    """A llama with layers of different sizes; all that `LlamaForCausalLM` does, it does."""

    config_class = NarrowLlamaConfig

    def __init__(self, config: NarrowLlamaConfig) -> None:
        """Builds the network with random weights."""
        super().__init__(config)
        heads = config.layer_key_heads or [config.num_key_value_heads] * config.num_hidden_layers
        widths = config.layer_widths or [config.intermediate_size] * config.num_hidden_layers
        for layer, keys, width in zip(self.model.layers, heads, widths, strict=True):
            _narrow(layer, config, keys, width)
        self.post_init()


def _narrow(layer: Any, config: NarrowLlamaConfig, keys: int, width: int) -> None:
    attention, inner = layer.self_attn, layer.mlp
    size, across = attention.head_dim, config.hidden_size
    queries = keys * attention.num_key_value_groups
    attention.q_proj = nn.Linear(across, queries * size, bias=config.attention_bias)
    attention.k_proj = nn.Linear(across, keys * size, bias=config.attention_bias)
    attention.v_proj = nn.Linear(across, keys * size, bias=config.attention_bias)
    attention.o_proj = nn.Linear(queries * size, across, bias=config.attention_bias)
    inner.gate_proj = nn.Linear(across, width, bias=config.mlp_bias)
    inner.up_proj = nn.Linear(across, width, bias=config.mlp_bias)
    inner.down_proj = nn.Linear(width, across, bias=config.mlp_bias)


def register() -> None:
    """Make it known to transformers, as the model type `narrow_llama`."""
    AutoConfig.register(NarrowLlamaConfig.model_type, NarrowLlamaConfig, exist_ok=True)
    AutoModelForCausalLM.register(NarrowLlamaConfig, NarrowLlamaForCausalLM, exist_ok=True)
