"""Round a model's weights so that what its layers put out changes least (GPTQ: Frantar et al. 2023).

The columns of a matrix are rounded one after another, those with the strongest inputs first, and what one loses is made
up for by those that come later, as far as their inputs go together with its own. Layers are rounded from the lowest on,
and each sees what the rounded ones below it put out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from harmony_gen.models import packed
from harmony_gen.models.packed import GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from finetune.embedded.encoding import Example

_TOGETHER = (
    ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    ("self_attn.o_proj",),
    ("mlp.gate_proj", "mlp.up_proj"),
    ("mlp.down_proj",),
)
"""Matrices of a layer in the order of their inputs, those with the same ones together."""
_DAMPING = 0.01
_SHRINKING = 25


def fitting_scales(weight: torch.Tensor, importance: torch.Tensor) -> torch.Tensor:
    """The scales that leave the least squared error.

    Args:
        weight: (rows, columns).
        importance: (columns,), how much the error of each column counts.

    Returns:
        (rows, groups, 1) in fp16.
    """
    groups, counts = packed.grouped(weight), packed.grouped(importance[None])
    widest = packed.widest(weight).float()
    best, least = widest.half(), torch.full(widest.shape, torch.inf)
    for share in torch.linspace(0.55, 1.15, _SHRINKING).tolist():
        for scales in ((widest * share).half(), (widest * -share).half()):
            error = (packed.nearest(groups, scales) - groups).square().mul_(counts).sum(2, keepdim=True)
            best = torch.where(error < least, scales, best)
            least = torch.minimum(error, least)
    return best


def compensated(weight: torch.Tensor, moments: torch.Tensor) -> torch.Tensor:
    """A matrix rounded for its inputs.

    Args:
        weight: (rows, columns).
        moments: (columns, columns), the sum of the products of its inputs.
    """
    strength = moments.diagonal()
    scales = fitting_scales(weight, strength + 1e-6 * strength.mean())
    order = strength.argsort(descending=True)
    left = weight[:, order]
    steps = scales.expand(-1, -1, GROUP).reshape(weight.shape)[:, order]
    damped = moments[order][:, order].double()
    damped.diagonal().add_(_DAMPING * float(strength.mean()))
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(damped))
    passing = torch.linalg.cholesky(inverse, upper=True).float()
    rounded = torch.empty_like(left)
    for first in range(0, left.shape[1], GROUP):
        block = slice(first, first + GROUP)
        lost = torch.empty(len(left), GROUP)
        for column in range(first, first + GROUP):
            rounded[:, column] = packed.nearest(left[:, column], steps[:, column])
            lost[:, column - first] = (left[:, column] - rounded[:, column]) / passing[column, column]
            left[:, column : block.stop] -= lost[:, column - first, None] * passing[column, column : block.stop]
        left[:, block.stop :] -= lost @ passing[block, block.stop :]
    return rounded[:, order.argsort()]


@torch.no_grad()
def round_for(model: Any, rows: Sequence[Example]) -> None:
    """Round all matrices of a llama for rows such as it will read; entries of tokens have no inputs and fit themselves.

    Args:
        model: it is changed.
        rows: prompts with their answers, some tens of thousands of tokens.
    """
    entries = model.model.embed_tokens.weight
    scales = fitting_scales(entries.data, torch.ones(entries.shape[1]))
    entries.data = packed.nearest(packed.grouped(entries.data), scales).flatten(1)
    hidden = [model.model.embed_tokens(torch.tensor([row.prompt + row.answer])) for row in rows]
    places = [model.model.rotary_emb(state, torch.arange(state.shape[1])[None]) for state in hidden]
    for layer in model.model.layers:
        for names in _TOGETHER:
            modules = [layer.get_submodule(name) for name in names]
            moments = _moments(modules[0], layer, hidden, places)
            for module in modules:
                module.weight.data = compensated(module.weight.data, moments)
        hidden = [layer(state, position_embeddings=place) for state, place in zip(hidden, places, strict=True)]


def _moments(
    module: nn.Module, layer: nn.Module, hidden: Sequence[torch.Tensor], places: Sequence[Any]
) -> torch.Tensor:
    """The sum of the products of a module's inputs when its layer reads all rows."""
    size = int(module.in_features)  # type: ignore[arg-type] # it is a Linear module
    total = torch.zeros(size, size)

    def add(_: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        rows = inputs[0].flatten(0, 1)
        total.addmm_(rows.T, rows)

    handle = module.register_forward_pre_hook(add)
    for state, place in zip(hidden, places, strict=True):
        layer(state, position_embeddings=place)
    handle.remove()
    return total
