"""What a model consists of, counted from its configuration: bytes of weights layer by layer, and of caches.

The architecture is built on torch's `meta` device, which allocates nothing. The cache is counted as
transformers itself will lay it out.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch
    from torch import nn
    from transformers import PreTrainedConfig

_ABSMAX_BLOCK = 64
_ABSMAX_GROUP = 256


@dataclass(frozen=True)
class Weights:
    """Bytes of a model's parameters and buffers, in the order in which a forward pass meets them.

    Attributes:
        before: the input embeddings.
        layers: each decoder layer; empty where the layers could not be found.
        after: all the rest, as the last norm and the output head.
        tied: what of `before` is used `after` the layers again; both ends of a model that is split need it.
        parameters: how many numbers there are, tied ones once.
    """

    before: int
    layers: tuple[int, ...]
    after: int
    tied: int
    parameters: int

    @property
    def total(self) -> int:
        """Bytes of the whole model on one device."""
        return self.before + sum(self.layers) + self.after


def weights(config: PreTrainedConfig, precision: str) -> Weights:
    """Count the weights of a model.

    Args:
        config: configuration of a causal language model.
        precision: one of `memory.WIDTHS`.

    Raises:
        ModelError: the configuration is not that of a causal language model.
    """
    model: Any = meta_model(config)
    bytes_of = _counter(model, precision)
    embeddings, head = model.get_input_embeddings(), model.get_output_embeddings()
    before = {id(tensor): tensor for tensor in embeddings.parameters()}
    layers = [_tensors(layer) for layer in _layers(model, config)]
    everything = _tensors(model)
    inner = before.keys() | {key for layer in layers for key in layer}
    after = [tensor for key, tensor in everything.items() if key not in inner]
    tied = [tensor for key, tensor in before.items() if head is not None and key in _tensors(head)]
    return Weights(
        before=bytes_of(before.values()),
        layers=tuple(bytes_of(layer.values()) for layer in layers),
        after=bytes_of(after),
        tied=bytes_of(tied),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
    )


def cached_values(config: PreTrainedConfig, context: int) -> list[int]:
    """How many numbers the cache of each layer holds for one row of `context` tokens."""
    from transformers.cache_utils import DynamicCache, DynamicLayer, LinearAttentionCacheLayerMixin

    text = config.get_text_config(decoder=True)
    per_token, state = _values_per_token(text), _state_values(text)
    counts = []
    for layer in DynamicCache(config=text).layers:
        window = getattr(layer, "sliding_window", None)
        tokens = context if window is None else min(context, window)
        keys_and_values = per_token * tokens if isinstance(layer, DynamicLayer) else 0
        counts.append(keys_and_values + (state if isinstance(layer, LinearAttentionCacheLayerMixin) else 0))
    return counts


def has_fused_experts(config: PreTrainedConfig) -> bool:
    """Whether a model has experts in fused parameters that can be held in int8."""
    from harmony_gen.models import experts

    return any(True for _ in experts.weights_of(meta_model(config)))


def without_quantization(config: PreTrainedConfig) -> PreTrainedConfig:
    """A copy of a configuration that does not say how its checkpoint is quantised."""
    plain = copy.deepcopy(config)
    for part in (plain, plain.get_text_config(decoder=True)):
        vars(part).pop("quantization_config", None)
    return plain


def meta_model(config: PreTrainedConfig) -> nn.Module:
    """Build the architecture without memory.

    Raises:
        ModelError: transformers builds no causal language model from this configuration.
    """
    import torch
    from transformers import AutoModelForCausalLM

    plain = without_quantization(config)
    try:
        with torch.device("meta"):
            model: nn.Module = AutoModelForCausalLM.from_config(plain, trust_remote_code=False)
    except Exception as error:
        msg = (
            f"No causal language model can be built from this {type(config).__name__} by transformers: "
            f"{first_line(error)}"
        )
        raise ModelError(msg) from error
    return model


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its type where it has none."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def first_of(config: PreTrainedConfig, *names: str) -> int | None:
    """The first of some entries that a configuration has, or None."""
    return next((int(found) for name in names if (found := getattr(config, name, None)) is not None), None)


def _tensors(module: nn.Module) -> dict[int, torch.Tensor]:
    """The parameters and buffers of a module by identity, so that shared ones count once."""
    return {id(tensor): tensor for tensors in (module.parameters(), module.buffers()) for tensor in tensors}


def _layers(model: Any, config: PreTrainedConfig) -> list[nn.Module]:
    """The decoder's layers: its first list of as many modules as the configuration says there are layers."""
    from torch import nn

    count = config.get_text_config(decoder=True).num_hidden_layers
    lists = (part for part in model.get_decoder().modules() if isinstance(part, nn.ModuleList))
    return list(next((found for found in lists if len(found) == count), []))


def _counter(model: Any, precision: str) -> Callable[[Iterable[torch.Tensor]], int]:
    """A function that counts the bytes of some of a model's tensors in a precision."""
    from torch import nn

    from harmony_gen.models import experts

    linear = _linear_weights(model)
    fused = {id(getattr(module, name)): module.is_transposed for _, module, name in experts.weights_of(model)}

    def bytes_of(tensor: torch.Tensor) -> float:
        if not isinstance(tensor, nn.Parameter):
            return tensor.nbytes
        if precision == "fp32":
            return 4 * tensor.numel()
        if precision in ("int8", "int4") and id(tensor) in linear:
            return _quantised_bytes(tensor, precision)
        if precision == "mxfp4" and id(tensor) in fused:
            return tensor.numel() * (1 / 2 + 1 / 32)  # one byte of scale per 32 values
        if precision == "int8" and id(tensor) in fused:
            return tensor.numel() + 2 * tensor.shape[0] * tensor.shape[2 if fused[id(tensor)] else 1]
        return 2 * tensor.numel()

    return lambda tensors: round(sum(map(bytes_of, tensors)))


def _quantised_bytes(parameter: torch.Tensor, precision: str) -> float:
    """Bytes of one Linear weight (rows, columns) in bitsandbytes' layout, its scales included."""
    if precision == "int8":
        return parameter.numel() + 4 * parameter.shape[0]
    blocks = parameter.numel() / _ABSMAX_BLOCK  # a byte each, and a float for every group of them (double quantisation)
    return parameter.numel() / 2 + blocks + 4 * blocks / _ABSMAX_GROUP


def _linear_weights(model: Any) -> set[int]:
    """Ids of the weights that bitsandbytes converts: those of Linear modules other than the output head."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()
    embedding = model.get_input_embeddings().weight
    return {
        id(module.weight)
        for module in model.modules()
        if (type(module) is nn.Linear or isinstance(module, Conv1D))
        and module is not head
        and module.weight is not embedding
    }


def _values_per_token(config: PreTrainedConfig) -> int:
    """Numbers one attention layer caches for one token: keys and values of all heads, or their latent."""
    latent = getattr(config, "kv_lora_rank", None)
    if latent:
        return int(latent + config.qk_rope_head_dim)
    heads = first_of(config, "num_attention_heads")
    if heads is None:  # no attention at all
        return 0
    head = first_of(config, "head_dim") or int(config.hidden_size) // heads
    return 2 * head * (first_of(config, "num_key_value_heads") or heads)


def _state_values(config: PreTrainedConfig) -> int:
    """Numbers in the fixed state of one convolution or recurrent layer: thousands, whatever the context."""
    kernel = first_of(config, "conv_L_cache", "linear_conv_kernel_dim", "conv_kernel", "mamba_d_conv") or 4
    inner = first_of(config, "linear_num_value_heads")
    if inner:
        keys, values = config.linear_key_head_dim, config.linear_value_head_dim
        width = 2 * config.linear_num_key_heads * keys + inner * values
        return int(kernel * width + inner * keys * values)
    recurrent = first_of(config, "ssm_state_size", "mamba_d_state", "state_size") or 0
    expand = first_of(config, "mamba_expand", "expand") or 1
    return int(expand * config.hidden_size * (kernel + recurrent))
