"""Which devices a model fits on, and how its layers would be dealt out to several of the same size."""

from __future__ import annotations

import re
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

from harmony_gen.errors import ModelError
from harmony_gen.models import footprint, memory

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])(i?)B?", re.IGNORECASE)
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}


def size(text: str) -> int:
    """Read a memory size.

    Args:
        text: a number with a unit, as "24GiB" (2**30 bytes each), "80GB" (10**9) or "16000M".

    Raises:
        ModelError: it is not one.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None or not float(match[1]):
        msg = f"{text!r} is not a size of memory. Give a number with a unit, for example 24GiB or 80GB."
        raise ModelError(msg)
    unit: int = (1024 if match[3] else 1000) ** _POWERS[match[2].upper()]
    return round(float(match[1]) * unit)


def present() -> dict[str, int]:
    """The devices of this machine with their free memory in bytes; those that do not tell are left out."""
    import torch

    found = {}
    for name in ("cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))):
        try:
            found[name] = memory.available(name)
        except ModelError:
            continue
    return found


def split(
    config: PreTrainedConfig, device_bytes: int, *, precision: str, context: int = 4096, batch: int = 1
) -> tuple[range, ...] | None:
    """Deal the layers of a model out to as few devices of equal size as possible.

    Each device holds layers in a row, their part of the KV cache, and the activations of one forward pass; the
    first one the embeddings too, the last one the output head.

    Args:
        config: configuration of a causal language model.
        device_bytes: free memory of each device.
        precision: one of `memory.WIDTHS`, or "auto", as for `memory.estimate`.
        context: tokens per row.
        batch: rows.

    Returns:
        For each device the indices of its layers (the last device may have none, but the head), or None if the
        devices are too small for a single layer, or for the embeddings.

    Raises:
        ModelError: as `memory.estimate` does.
    """
    whole = memory.estimate(config, precision=precision, context=context, batch=batch)
    precision = memory.stored_precision(config) if precision == "auto" else precision
    weights = footprint.weights(config, precision)
    if memory.fits(whole, device_bytes):
        return (range(len(weights.layers)),)
    values = footprint.cached_values(config, context)
    per_value = whole.kv_cache / (sum(values) or 1)
    layers = [held + per_value * count for held, count in zip_longest(weights.layers, values, fillvalue=0)]
    steps = [weights.before, *layers[: len(weights.layers)], weights.after + weights.tied]
    room = device_bytes - whole.activations
    if not weights.layers or max(steps) > room:
        return None
    return _dealt(steps, room)


def _dealt(steps: list[float], room: int) -> tuple[range, ...]:
    """Fill one device after another. Step 0 is the embeddings, the last one the head; those between are layers."""
    ends, held = [], 0.0
    for index, step in enumerate(steps):
        if held + step > room:
            ends.append(index - 1)
            held = 0.0
        held += step
    return tuple(range(start, end) for start, end in pairwise([0, *ends, len(steps) - 2]))
