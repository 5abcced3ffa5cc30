"""Mixtures of experts in int8: their fused weights, which bitsandbytes leaves in 16 bit.

transformers holds all experts of a layer in one parameter with three dimensions, and gives the modules that
do so a common interface for exchanging their forward pass. Both are used here: such a module is known by its
attributes, not by its name, and its forward pass is replaced by one that multiplies with the int8 matrices of
one expert after another. Modules without that interface are left alone.

Importing this module registers that forward pass with transformers, under the name `IMPLEMENTATION`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

from harmony_gen.models import int8

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

IMPLEMENTATION = "harmony_gen_int8"
"""transformers' name of the forward pass, as in `config._experts_implementation`."""

_INTERFACE = ("num_experts", "is_transposed", "has_bias", "has_gate")
_FUSED = 3


def weights_of(model: nn.Module) -> Iterator[tuple[str, Any, str]]:
    """The fused expert weights of a model that can be held in int8.

    Yields:
        The weight's full name, the module that owns it, and its name there. The weight has the shape
        `(experts, out, in)`, or `(experts, in, out)` where the module's `is_transposed` is set.
    """
    for path, module in model.named_modules():
        if not all(hasattr(module, name) for name in _INTERFACE):
            continue
        for name in ("gate_up_proj" if module.has_gate else "up_proj", "down_proj"):
            weight = getattr(module, name, None)
            if isinstance(weight, torch.nn.Parameter) and weight.dim() == _FUSED:
                yield f"{path}.{name}", module, name


def prepare(model: nn.Module) -> set[str]:
    """Make a model that is still without weights (on the meta device) ready to receive int8 experts.

    Returns:
        The full names of the weights that must be given to it as `quantise` returns them.
    """
    found = list(weights_of(model))
    for _, module, name in found:
        weight = module.get_parameter(name)
        experts, out = weight.shape[0], weight.shape[2 if module.is_transposed else 1]
        scales = torch.empty(experts, out, dtype=weight.dtype, device=weight.device)
        module.register_parameter(name + int8.SCALES, torch.nn.Parameter(scales, requires_grad=False))
        module.config._experts_implementation = IMPLEMENTATION
    return {full_name for full_name, _, _ in found}


def quantise(weight: torch.Tensor, *, transposed: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Round the fused weight of all experts to int8, one expert at a time, on the device where it lies.

    Args:
        weight: `(experts, out, in)`, floating point, or `(experts, in, out)`.
        transposed: whether it is the latter.

    Returns:
        Values `(experts, out, in)`, int8, and scales `(experts, out)` in the type of the weight.
    """
    by_channel = weight.mT if transposed else weight
    values = torch.empty(by_channel.shape, dtype=torch.int8, device=weight.device)
    scales = torch.empty(by_channel.shape[:2], dtype=weight.dtype, device=weight.device)
    for index, matrix in enumerate(by_channel):
        values[index], scales[index] = int8.quantise(matrix)
    return values, scales


def forward(
    self: Any, hidden_states: torch.Tensor, top_k_index: torch.Tensor, top_k_weights: torch.Tensor
) -> torch.Tensor:
    """The forward pass of a module whose experts are held in int8.

    Args:
        self: the module.
        hidden_states: `(tokens, hidden)`.
        top_k_index: `(tokens, k)`, the experts of each token; an index beyond the last expert stands for none.
        top_k_weights: `(tokens, k)`, what each expert's answer counts.

    Returns:
        `(tokens, hidden)`.
    """
    answers = hidden_states.new_zeros(*top_k_index.shape, hidden_states.shape[-1])  # (tokens, k, hidden)
    for expert in sorted(set(top_k_index.flatten().tolist())):
        if expert < self.num_experts:
            token, rank = torch.where(top_k_index == expert)
            answer = _expert(self, expert, hidden_states[token])
            answers[token, rank] = (answer * top_k_weights[token, rank, None]).to(answers.dtype)
    return answers.sum(dim=1)


def _expert(module: Any, expert: int, rows: torch.Tensor) -> torch.Tensor:
    """What one expert makes of rows `(rows, hidden)`."""
    inner = _project(module, "gate_up_proj" if module.has_gate else "up_proj", expert, rows)
    inner = module._apply_gate(inner) if module.has_gate else module.act_fn(inner)
    answer = _project(module, "down_proj", expert, inner)
    return module.post_expert_norm(answer) if getattr(module, "has_post_expert_norm", False) else answer


def _project(module: Any, name: str, expert: int, rows: torch.Tensor) -> torch.Tensor:
    values, scales = getattr(module, name)[expert], getattr(module, name + int8.SCALES)[expert]
    product = int8.multiply(rows, values, scales)
    return product + getattr(module, f"{name}_bias")[expert] if module.has_bias else product


ALL_EXPERTS_FUNCTIONS.register(IMPLEMENTATION, forward)
