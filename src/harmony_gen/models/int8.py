"""Matrices in symmetric int8 with one scale per output channel: how they are made, and how they multiply.

A float matrix `(out, in)` is held as int8 values of the same shape and as scales `(out,)`, so that
`values * scales[:, None]` differs from it by at most half a scale per entry. Activations are not rounded.
"""

from __future__ import annotations

from functools import lru_cache

import torch

LARGEST = 127
SCALES = "_channel_scales"
"""What the name of an int8 weight is followed by in the name of its scales."""

_KERNEL_ROWS = 8
_BLOCK = 128


def quantise(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Round a matrix to int8.

    The scales are rounded to the type of the matrix before the values are, so they add no error of their own.

    Args:
        matrix: `(out, in)`, floating point.

    Returns:
        Values `(out, in)`, int8, within ±127; and scales `(out,)` in the type of the matrix.
    """
    limits = torch.finfo(matrix.dtype)
    smallest = limits.smallest_normal * limits.eps
    wide = matrix.float()
    largest = wide.abs().amax(dim=-1)
    scales = (largest / LARGEST).to(matrix.dtype).clamp_min(smallest)  # a channel of zeros must not divide by zero
    short = (LARGEST + 0.5) * scales.float() < largest  # only among fp16's subnormal numbers
    scales = torch.where(short, scales + smallest, scales)
    values = (wide / scales.float()[:, None]).round_().clamp_(-LARGEST, LARGEST)
    return values.to(torch.int8).contiguous(), scales


def multiply(rows: torch.Tensor, values: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Multiply rows by the transpose of an int8 matrix.

    A CPU has a kernel that reads the int8 values as they are; it is the fastest way for few rows in bf16, and
    slow for others (`benchmarks/precision.py`). Otherwise the matrix is widened for the time of the product: as
    a whole where the device multiplies well in the type of the rows, else block by block to float32, so that
    the block stays in the processor's cache.

    Args:
        rows: `(rows, in)`, floating point.
        values: `(out, in)`, int8.
        scales: `(out,)`.

    Returns:
        `(rows, out)` in the type of `rows`.
    """
    if rows.device.type != "cpu":
        return rows @ (values.to(rows.dtype) * scales.to(rows.dtype)[:, None]).T
    if rows.dtype == torch.bfloat16 and not (rows.requires_grad and torch.is_grad_enabled()):
        if len(rows) <= _KERNEL_ROWS:
            return torch._weight_int8pack_mm(rows.contiguous(), values, scales.to(rows.dtype))
        if _multiplies_bf16():
            return (rows @ values.to(rows.dtype).T).mul_(scales.to(rows.dtype))
    wide = rows.float()
    product = torch.cat([wide @ block.float().T for block in torch.split(values, _BLOCK)], dim=-1)
    return (product * scales.float()).to(rows.dtype)


@lru_cache(maxsize=1)
def _multiplies_bf16() -> bool:
    """Whether this CPU has instructions for bf16; without them torch takes five times as long as for float32."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class Int8Linear(torch.nn.Linear):
    """A Linear module whose weight is held in int8.

    Attributes:
        weight: `(out, in)`, int8.
        weight_channel_scales: `(out,)`, in the model's floating point type.
        bias: `(out,)`, or None.
        is_transposed: whether the module it stands for holds its weight as `(in, out)`.
    """

    weight_channel_scales: torch.nn.Parameter

    def __init__(self, in_features: int, out_features: int, *, bias: bool, is_transposed: bool = False) -> None:
        super().__init__(in_features, out_features, bias)
        values = torch.empty(self.weight.shape, dtype=torch.int8, device=self.weight.device)
        scales = torch.empty(out_features, dtype=self.weight.dtype, device=self.weight.device)
        self.weight = torch.nn.Parameter(values, requires_grad=False)
        self.register_parameter("weight" + SCALES, torch.nn.Parameter(scales, requires_grad=False))
        self.is_transposed = is_transposed

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - torch's name
        """Multiply `(..., in)` to `(..., out)`."""
        rows = input.reshape(-1, self.in_features)
        product = multiply(rows, self.weight, self.weight_channel_scales)
        product = product if self.bias is None else product + self.bias
        return product.view(*input.shape[:-1], self.out_features)
