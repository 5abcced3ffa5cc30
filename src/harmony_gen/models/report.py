"""A table of what a model needs in each precision, and where that fits. No weights are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony_gen.models import devices, footprint, memory

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

_MANY = 1e8


def table(
    title: str,
    config: PreTrainedConfig,
    *,
    precision: str | None = None,
    context: int = 4096,
    batch: int = 1,
    device_bytes: int | None = None,
) -> str:
    """Write what a model needs as a table for people.

    Args:
        title: what the model is called in the heading.
        config: its configuration.
        precision: auto, fp32, bf16, fp16, int8 or int4; None for all that the checkpoint can be loaded in.
        context: tokens per row.
        batch: rows.
        device_bytes: size of the devices that a model which needs several would be split over.

    Returns:
        Lines without a final line break.

    Raises:
        ModelError: as `memory.estimate` does.
    """
    names = _precisions(config) if precision is None else (precision,)
    needs = [(name, memory.estimate(config, precision=name, context=context, batch=batch)) for name in names]
    columns = [
        ("precision", [_label(config, name) for name in names]),
        ("weights", [memory.gib(need.weights) for _, need in needs]),
        ("KV cache", [memory.gib(need.kv_cache) for _, need in needs]),
        ("activations", [memory.gib(need.activations) for _, need in needs]),
        ("total", [memory.gib(need.total) for _, need in needs]),
    ]
    for device, free in devices.present().items():
        columns.append((f"{device}, {memory.gib(free)} free", [_verdict(need, free) for _, need in needs]))
    lines = [_heading(title, config, context, batch), "", *_aligned(columns)]
    if device_bytes is not None:
        options = {"context": context, "batch": batch}
        splits = {name: devices.split(config, device_bytes, precision=name, **options) for name in names}
        lines += ["", *(_sentence(_label(config, name), split, device_bytes) for name, split in splits.items())]
    if "mxfp4" in names:
        lines += ["", "mxfp4 needs the package kernels; without it the weights are widened to bf16 as they are loaded."]
    return "\n".join(lines)


def _precisions(config: PreTrainedConfig) -> tuple[str, ...]:
    """What a checkpoint can be loaded as."""
    own = memory.quantization_of(config)
    if own is None:
        return ("fp32", "bf16", "int8", "int4")
    return ("fp32", "bf16", "int8", "mxfp4") if own.get("quant_method") == "mxfp4" else ("auto",)


def _label(config: PreTrainedConfig, precision: str) -> str:
    return memory.stored_precision(config) if precision == "auto" else precision


def _heading(title: str, config: PreTrainedConfig, context: int, batch: int) -> str:
    count = footprint.weights(config, "bf16").parameters
    numbers = f"{count / 1e9:.1f} B" if count >= _MANY else f"{count / 1e6:.1f} M"
    rows = "1 row" if batch == 1 else f"{batch} rows"
    held = memory.stored_precision(config)
    return f"{title}: {config.model_type}, {numbers} parameters, stored as {held}; {rows} of {context} tokens"


def _aligned(columns: list[tuple[str, list[str]]]) -> list[str]:
    """The lines of a table: the first column to the left, the others to the right."""
    widths = [max(map(len, (head, *cells))) for head, cells in columns]
    rows = zip(*((head, *cells) for head, cells in columns), strict=True)
    return [
        "  ".join(cell.rjust(width) if index else cell.ljust(width) for index, (cell, width) in enumerate(pairs))
        for pairs in (zip(row, widths, strict=True) for row in rows)
    ]


def _verdict(need: memory.MemoryEstimate, free: int) -> str:
    return "fits" if memory.fits(need, free) else f"lacks {memory.gib(need.total - free)}"


def _sentence(label: str, split: tuple[range, ...] | None, device_bytes: int) -> str:
    """How many devices of a size a precision needs, and which layers each would hold."""
    if split is None:
        return f"{label}: devices of {memory.gib(device_bytes)} are too small, however many there are."
    if len(split) == 1:
        return f"{label}: 1 device of {memory.gib(device_bytes)}."
    held = ", ".join(f"{part.start}-{part.stop - 1}" if part else "none" for part in split)
    return f"{label}: {len(split)} devices of {memory.gib(device_bytes)}, with the layers {held}."
