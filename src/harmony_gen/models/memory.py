"""How much memory a model takes, told from its configuration before a single weight is read.

Weights and the KV cache are counted layer by layer (see `harmony_gen.models.footprint`). Activations are an
upper guess for a prompt that is read in chunks; they are the smallest of the three by far.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import ModelError
from harmony_gen.models import footprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from transformers import PreTrainedConfig

WIDTHS = ("fp32", "bf16", "fp16", "int8", "int4", "mxfp4")
"""Precisions of an estimate, widest first. mxfp4 is only found in checkpoints, never made here."""

_CHOICES = ("fp32", "bf16", "int8", "int4")
_CHUNK = 512
_LIVE_HIDDEN = 6
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class MemoryEstimate:
    """Memory of a loaded model that holds one batch, in bytes.

    Attributes:
        weights: all parameters and buffers, tied ones once, scales of quantised ones included.
        kv_cache: keys, values and recurrent states of `batch` rows of `context` tokens.
        activations: the largest temporary tensors of one forward pass (a rough guess).
    """

    weights: int
    kv_cache: int
    activations: int

    @property
    def total(self) -> int:
        """The sum of the three, in bytes."""
        return self.weights + self.kv_cache + self.activations


def estimate(
    config: PreTrainedConfig, *, precision: str = "bf16", context: int = 4096, batch: int = 1
) -> MemoryEstimate:
    """Estimate the memory of a model from its transformers configuration alone.

    int8 and int4 follow what bitsandbytes converts: the weights of Linear modules. Embeddings, norms and the
    output head stay in 16 bit. Fused expert parameters are held in int8 as well, but for int4 in 16 bit. mxfp4
    holds exactly the fused expert parameters in 4 bit.

    Args:
        config: configuration of a causal language model; it is not changed.
        precision: fp32, bf16, fp16, int8, int4, mxfp4, or "auto" for what the checkpoint itself holds.
        context: tokens per row, at least 1.
        batch: rows, at least 1.

    Returns:
        The estimate, in bytes.

    Raises:
        ModelError: the precision is unknown, a count is not positive, or the configuration is not that of a
            causal language model.
    """
    precision = stored_precision(config) if precision == "auto" else precision
    if precision not in WIDTHS:
        msg = f"Unknown precision {precision!r}. Choose one of: auto, {', '.join(WIDTHS)}."
        raise ModelError(msg)
    if context < 1 or batch < 1:
        msg = f"context and batch must be at least 1, not {context} and {batch}."
        raise ModelError(msg)
    width = 4 if precision == "fp32" else 2
    return MemoryEstimate(
        weights=footprint.weights(config, precision).total,
        kv_cache=batch * width * sum(footprint.cached_values(config, context)),
        activations=batch * _activation_bytes(config.get_text_config(decoder=True), context, width),
    )


def stored_precision(config: PreTrainedConfig) -> str:
    """What the checkpoint of a configuration holds: its quantisation, or else its floating point type.

    Returns:
        One of `WIDTHS`. Foreign 8-bit formats (fp8, gptq) count as int8, foreign 4-bit formats as int4.
    """
    own = quantization_of(config)
    if own is None:
        return {"torch.float32": "fp32", "torch.float16": "fp16"}.get(str(dtype_of(config)), "bf16")
    if own.get("quant_method") == "mxfp4":
        return "mxfp4"
    four = own.get("load_in_4bit") or own.get("bits") == 4  # noqa: PLR2004 - bits are bits
    return "int4" if four else "int8"


def quantization_of(config: PreTrainedConfig) -> dict[str, Any] | None:
    """The quantisation entry of a checkpoint's configuration as a dict, or None."""
    own = getattr(config, "quantization_config", None)
    if own is None or isinstance(own, dict):
        return own
    as_dict: dict[str, Any] = own.to_dict()
    return as_dict


def dtype_of(config: PreTrainedConfig) -> torch.dtype | None:
    """The floating point type a checkpoint declares, or None."""
    found: torch.dtype | None = config.dtype or config.get_text_config(decoder=True).dtype
    return found


def fits(estimated: MemoryEstimate, available_bytes: int) -> bool:
    """Whether an estimate is no larger than the bytes at hand."""
    return estimated.total <= available_bytes


def available(device: str) -> int:
    """Free memory of a device, in bytes.

    Args:
        device: "cpu", "cuda" or "cuda:N". Host memory counts what the system can reclaim, and the limit of a
            container.

    Raises:
        ModelError: the device is not there, or the system does not tell.
    """
    import torch

    if device.startswith("cuda"):
        if not torch.cuda.is_available():
            msg = f"{device} was asked for, but torch sees no CUDA device here."
            raise ModelError(msg)
        return int(torch.cuda.mem_get_info(device)[0])
    return _host_memory()


def advice(
    config: PreTrainedConfig,
    device: str,
    *,
    precision: str = "bf16",
    context: int = 4096,
    batch: int = 1,
    available_bytes: int | None = None,
) -> str:
    """One sentence: what a model needs, what the device has, and the widest precision that would fit.

    Args:
        config: configuration of a causal language model.
        device: "cpu", "cuda" or "cuda:N".
        precision: the precision that was wanted, as for `estimate`.
        context: tokens per row.
        batch: rows.
        available_bytes: free memory, measured now if not given.
    """
    free = available(device) if available_bytes is None else available_bytes
    precision = stored_precision(config) if precision == "auto" else precision
    wanted = estimate(config, precision=precision, context=context, batch=batch)
    need = (
        f"at {precision} the model needs about {gib(wanted.total)} (weights {gib(wanted.weights)}, KV cache "
        f"{gib(wanted.kv_cache)} for {batch} x {context} tokens, activations {gib(wanted.activations)}) and "
        f"{device} has {gib(free)} free"
    )
    for choice in _CHOICES:
        smaller = estimate(config, precision=choice, context=context, batch=batch)
        if fits(smaller, free):
            return f"{need}; the widest precision that would fit is {choice} ({gib(smaller.total)})."
    return f"{need}; no precision fits: take a smaller model, a shorter context, or several devices."


def gib(count: int) -> str:
    """Write a number of bytes for people, in GiB or, below a tenth of one, in MiB."""
    in_gib = count / 2**30
    return f"{in_gib:.1f} GiB" if in_gib >= 0.1 else f"{count / 2**20:.1f} MiB"  # noqa: PLR2004 - a tenth


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch or Python means that memory ran out."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        sign in text for sign in ("not enough memory", "out of memory", "can't allocate memory")
    )


def _activation_bytes(config: PreTrainedConfig, context: int, width: int) -> int:
    """One float32 row of logits, and a chunk of the prompt on its way through one layer."""
    hidden = int(config.hidden_size)
    inner = int(footprint.first_of(config, "intermediate_size") or 4 * hidden)
    return 4 * int(config.vocab_size) + min(context, _CHUNK) * width * (_LIVE_HIDDEN * hidden + 2 * inner)


def _host_memory() -> int:
    found = [count for count in (_reclaimable(), _container_room()) if count is not None]
    if found:
        return min(found)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError) as error:
        msg = "This system does not tell how much memory is free; give available_bytes yourself."
        raise ModelError(msg) from error


def _reclaimable() -> int | None:
    """Linux's own estimate of what programs can still get, page cache included."""
    return next((1024 * value for name, value in _numbers(_MEMINFO) if name == "MemAvailable:"), None)


def _container_room() -> int | None:
    """What the limit of this container leaves, or None without a limit."""
    limits = dict(_numbers(_CGROUP / "memory.max", name="max"))
    used = dict(_numbers(_CGROUP / "memory.current", name="used"))
    if not limits or not used:
        return None
    cached = dict(_numbers(_CGROUP / "memory.stat")).get("inactive_file", 0)
    return max(0, limits["max"] - used["used"] + cached)


def _numbers(path: Path, name: str | None = None) -> Iterator[tuple[str, int]]:
    """The (name, number) pairs of a file of the kernel; none if it is absent. `name` names a lone number."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return
    for line in lines:
        words = [name, *line.split()] if name else line.split()
        if len(words) > 1 and words[1] is not None and words[1].isdigit():
            yield str(words[0]), int(words[1])
