"""Muon: momentum whose matrix is made orthogonal before it is applied (Jordan et al., 2024).

torch has one too, but it always iterates in bfloat16: on processors without instructions for it that takes as long
as reading the batch. Here the iteration runs in whatever the device is quick at, on all matrices of one shape at once.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration, steepest at zero, from the authors' reference."""
_EPSILON = 1e-7


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal by a few Newton-Schulz steps; for matrices only.

    An update has the root mean square of one of AdamW, so that both take the same learning rate.
    """

    def __init__(
        self,
        weights: Iterable[torch.Tensor],
        lr: float,
        *,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
        steps: int = 3,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Takes the matrices to train.

        Args:
            weights: matrices.
            lr: learning rate.
            momentum: share of the old direction in the new one.
            weight_decay: share by which weights shrink each step, times the learning rate.
            steps: of the iteration.
            dtype: of the iteration.
        """
        super().__init__(weights, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self._steps = steps
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Apply the gradients."""
        if closure is not None:
            raise ValueError("Muon takes no closure.")
        for group in self.param_groups:
            alike: dict[torch.Size, list[torch.Tensor]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    alike[weight.shape].append(weight)
            for weights in alike.values():
                self._apply(weights, group)

    def _apply(self, weights: list[torch.Tensor], group: dict[str, Any]) -> None:
        """One step for matrices of one shape."""
        directions = []
        for weight in weights:
            kept = self.state[weight].setdefault("momentum_buffer", torch.zeros_like(weight))
            kept.lerp_(weight.grad, 1 - group["momentum"])
            directions.append(weight.grad.lerp(kept, group["momentum"]))
        rows, columns = weights[0].shape
        rate = group["lr"] * 0.2 * max(rows, columns) ** 0.5
        updates = orthogonal(torch.stack(directions), self._steps, self._dtype)
        for weight, update in zip(weights, updates, strict=True):
            weight.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-rate)


def orthogonal(matrices: torch.Tensor, steps: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Matrices with the same singular vectors, and singular values near one.

    Args:
        matrices: (count, rows, columns).
        steps: of the iteration; five bring singular values into 0.7 to 1.2.
        dtype: to compute in.

    Returns:
        (count, rows, columns), of the dtype given.
    """
    factor, cubic, quintic = _COEFFICIENTS
    found = matrices / matrices.norm(dim=(1, 2), keepdim=True).clamp(min=_EPSILON)
    found = found.to(dtype)
    is_tall = found.shape[1] > found.shape[2]
    if is_tall:
        found = found.transpose(1, 2)
    for _ in range(steps):
        gram = found @ found.transpose(1, 2)
        found = torch.baddbmm(found, torch.baddbmm(gram, gram, gram, beta=cubic, alpha=quintic), found, beta=factor)
    return found.transpose(1, 2) if is_tall else found
