"""Bring a trained model nearer to the one it was made of (WiSE-FT: Wortsman et al. 2022).

Training on tasks from templates takes away some of what was known of the language before, most of it from the entries
of tokens that the templates seldom use. A mean of the weights before and after gives that back, and costs little of the
task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transformers import PreTrainedModel

State = dict[str, torch.Tensor]
_NEAR = 0.8
"""Cosine of the weights of a part and of the part that it was, at least."""


def weights_before(narrow: PreTrainedModel, whole: PreTrainedModel) -> State:
    """The weights that a model had before it was narrowed and trained, by name.

    Training moves a weight little: a group of heads, or a neuron, was the part of the whole model that has the nearest
    direction. Entries of tokens that the whole model lacks are as they are in the narrow one.

    Args:
        narrow: as `narrowing.narrowed` makes it, trained since; further tokens may follow those it had.
        whole: what it was made of, as `pretrained` writes it.

    Raises:
        ValueError: a part of the narrow model is none of the whole one.
    """
    small, large = narrow.state_dict(), whole.state_dict()
    size, shared = whole.config.head_dim, whole.config.num_attention_heads // whole.config.num_key_value_heads
    before = {name: large[name] for name, weight in small.items() if weight.shape == large[name].shape}
    for number in range(whole.config.num_hidden_layers):
        attention, inner = f"model.layers.{number}.self_attn.", f"model.layers.{number}.mlp."
        groups = _places(small, large, (f"{attention}k_proj.weight", f"{attention}v_proj.weight"), size)
        neurons = _places(small, large, (f"{inner}gate_proj.weight", f"{inner}up_proj.weight"), 1)
        keys, queries = _rows(groups, size), _rows(groups, size * shared)
        for start, name, rows in (
            (attention, "k", keys),
            (attention, "v", keys),
            (attention, "q", queries),
            (inner, "gate", neurons),
            (inner, "up", neurons),
        ):
            before[f"{start}{name}_proj.weight"] = large[f"{start}{name}_proj.weight"][rows]
        for start, name, columns in ((attention, "o", queries), (inner, "down", neurons)):
            before[f"{start}{name}_proj.weight"] = large[f"{start}{name}_proj.weight"][:, columns]
    for name in small.keys() - before.keys():
        before[name] = torch.cat([large[name], small[name][len(large[name]) :]])
    return before


def brought_nearer(after: State, before: State, share: float, share_of_entries: float) -> State:
    """The weighted mean of two states.

    Args:
        after: after training.
        before: before it.
        share: weight of `before` in the layers, 0 to 1.
        share_of_entries: its weight in the entries of tokens, which are those of the output, too.
    """
    return {
        name: weight.lerp(before[name], share_of_entries if "embed" in name or "lm_head" in name else share)
        for name, weight in after.items()
    }


def _places(small: State, large: State, names: Iterable[str], size: int) -> torch.Tensor:
    """Where each part of the small matrices, so many rows each, stands in the large ones."""

    def parts(state: State, name: str) -> torch.Tensor:
        return functional.normalize(state[name].reshape(-1, size * state[name].shape[1]))

    likeness = torch.stack([parts(small, name) @ parts(large, name).T for name in names]).mean(0)
    near, places = likeness.max(1)
    if near.min() < _NEAR or len(set(places.tolist())) < len(places):
        message = f"The whole model lacks a part that stands in {', '.join(names)}: the nearest has {near.min():.2f}."
        raise ValueError(message)
    return places


def _rows(groups: torch.Tensor, size: int) -> torch.Tensor:
    """The rows of groups of this size."""
    return (groups[:, None] * size + torch.arange(size)).flatten()
