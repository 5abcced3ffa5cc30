"""Learning the scales of rounded weights (after EfficientQAT: Chen et al. 2024): no weight leaves its level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from harmony_gen.models import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MATRIX = 2
_SMALLEST = 1e-12


class ScaleAdam(torch.optim.Optimizer):
    """Adam on the logarithms of scales, which all weights of a group share; a vector's weights have one each.

    No scale is kept: a step multiplies the weights, and a learning rate is the share by which they may change at once.
    """

    def __init__(self, weights: Iterable[torch.Tensor], lr: float, *, betas: tuple[float, float] = (0.9, 0.98)) -> None:
        """Takes the weights to train.

        Args:
            weights: vectors, and matrices whose rows are groups of `packed.GROUP` weights.
            lr: learning rate, a share of a scale.
            betas: shares of what went before in the mean of the slopes and in that of their squares.
        """
        super().__init__(weights, {"lr": lr, "betas": betas})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Apply the gradients."""
        if closure is not None:
            raise ValueError("ScaleAdam takes no closure.")
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._apply(weight, group["lr"], *group["betas"])

    def _apply(self, weight: torch.Tensor, rate: float, first: float, second: float) -> None:
        parts = (weight, weight.grad)
        groups, slopes = map(packed.grouped, parts) if weight.ndim == _MATRIX else (part[:, None] for part in parts)
        slope = (slopes * groups).sum(-1, keepdim=True)
        state = self.state[weight]
        if not state:
            state |= {"step": torch.zeros(()), "mean": torch.zeros_like(slope), "square": torch.zeros_like(slope)}
        state["step"] += 1
        mean = state["mean"].lerp_(slope, 1 - first) / (1 - first ** state["step"])
        square = state["square"].lerp_(slope.square(), 1 - second) / (1 - second ** state["step"])
        groups.mul_((mean / square.sqrt().add_(_SMALLEST)).mul_(-rate).exp_())
