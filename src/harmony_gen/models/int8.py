"""Matrices in symmetric int8 with one scale per output channel: how they are made, and how they multiply.

A float matrix `(out, in)` is held as int8 values of the same shape and as scales `(out,)`, so that
`values * scales[:, None]` differs from it by at most half a scale per entry.
"""

from __future__ import annotations

import torch

LARGEST = 127


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
    return values.to(torch.int8), scales


def multiply(rows: torch.Tensor, values: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Multiply rows by the transpose of an int8 matrix.

    On a CPU torch's own kernel reads the int8 values as they are. Elsewhere, and where a gradient is wanted,
    the one matrix is widened for the time of the product.

    Args:
        rows: `(rows, in)`, floating point.
        values: `(out, in)`, int8.
        scales: `(out,)`.

    Returns:
        `(rows, out)` in the type of `rows`.
    """
    scales = scales.to(rows.dtype)
    if rows.device.type == "cpu" and not (rows.requires_grad and torch.is_grad_enabled()):
        return torch._weight_int8pack_mm(rows.contiguous(), values, scales)
    return rows @ (values.to(rows.dtype) * scales[:, None]).T
