"""Which precision a model is loaded in, and with which arguments of `from_pretrained`.

A checkpoint that is quantised already is left as it is. Others are held in a floating point type, or
quantised while they are read. int4 is bitsandbytes' nf4. int8 is bitsandbytes' for the Linear modules of a
model on a GPU; on a CPU, and for fused experts, it is that of `harmony_gen.models.int8`.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import MissingExtra, ModelError
from harmony_gen.models import footprint, memory

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

PRECISIONS = ("auto", "fp32", "bf16", "fp16", "int8", "int4")
"""Precisions that `load` takes."""

FLOATS = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
"""torch's names of the floating point precisions."""

OWN_INT8 = "harmony_gen_int8"
"""transformers' name of our own int8, as in `config.quantization_config.quant_method`."""


def from_flags(precision: str, *, load_in_8bit: bool, load_in_4bit: bool) -> str:
    """The precision that transformers' older keywords ask for.

    Args:
        precision: what was asked for by name; "auto" leaves it to the keywords.
        load_in_8bit: asks for int8.
        load_in_4bit: asks for int4.

    Raises:
        ModelError: they contradict each other.
    """
    asked = {precision} - {"auto"}
    asked |= {"int8"} if load_in_8bit else set()
    asked |= {"int4"} if load_in_4bit else set()
    if len(asked) > 1:
        raise ModelError(
            f"precision={precision!r}, load_in_8bit={load_in_8bit} and load_in_4bit={load_in_4bit} contradict each "
            'other. precision="int8" or precision="int4" alone says all.'
        )
    return asked.pop() if asked else "auto"


@dataclass(frozen=True)
class Plan:
    """How the weights will be read: the precision's name, arguments of `from_pretrained`, and notes."""

    precision: str
    arguments: dict[str, Any]
    notes: tuple[str, ...] = field(default=())


def plan_for(config: PreTrainedConfig, precision: str, place: str | dict[str, Any]) -> Plan:
    """Choose how to read a checkpoint.

    Args:
        config: its configuration.
        precision: one of `PRECISIONS`.
        place: "cpu", "cuda", "cuda:N", "sequential" (several GPUs), or a device map.

    Raises:
        ModelError: the checkpoint is already quantised otherwise.
        MissingExtra: bitsandbytes is needed and not installed.
    """
    own = memory.quantization_of(config)
    if own is not None:
        return _plan_quantised(own, precision, config, place)
    notes: tuple[str, ...] = ()
    if precision == "auto":
        precision, notes = _auto_precision(config, place)
    if precision in FLOATS:
        return Plan(precision, {"dtype": FLOATS[precision]}, notes)
    return Plan(precision, _quantised(config, precision, place), notes)


def _plan_quantised(own: dict[str, Any], precision: str, config: PreTrainedConfig, place: str | dict[str, Any]) -> Plan:
    """A quantised checkpoint is left as it is; only mxfp4 can be widened, and be made int8 from there."""
    method = str(own.get("quant_method", "unknown"))
    kept = memory.stored_precision(config) if method in ("bitsandbytes", OWN_INT8) else method
    if method == OWN_INT8:
        importlib.import_module("harmony_gen.models.quantizer")  # so that transformers knows it
    if precision in ("auto", kept):
        return Plan(kept, {"dtype": "auto"}, (f"The checkpoint's own quantisation ({method}) is kept.",))
    if method == "mxfp4" and precision in FLOATS:
        from transformers import Mxfp4Config

        return Plan(precision, {"dtype": FLOATS[precision], "quantization_config": Mxfp4Config(dequantize=True)})
    if method == "mxfp4" and precision == "int8":
        plain = footprint.without_quantization(config)
        note = "The checkpoint's mxfp4 experts were made int8."
        return Plan(precision, {**_quantised(config, precision, place), "config": plain}, (note,))
    msg = (
        f"The checkpoint is already quantised ({method}) and cannot be loaded as {precision} on "
        f'{kind_of(place)}. Use precision="auto", or a checkpoint that is not quantised.'
    )
    raise ModelError(msg)


def _auto_precision(config: PreTrainedConfig, place: str | dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    stored = memory.stored_precision(config)
    if kind_of(place) == "cuda":
        return _sixteen_bit(stored, "cuda"), ()
    if stored == "fp32":
        return "fp32", ()
    wide = memory.estimate(config, precision="fp32")
    if _has_room(wide):
        note = f"Loaded as fp32 although the checkpoint holds {stored}: 16-bit arithmetic is slow on a CPU."
        return "fp32", (note,)
    note = f"Loaded as bf16, slow on a CPU: fp32 would need {memory.gib(wide.total)}, more than is free."
    return "bf16", (note,)


def _has_room(wide: memory.MemoryEstimate) -> bool:
    try:
        return memory.fits(wide, memory.available("cpu"))
    except ModelError:  # the system does not tell
        return True


def _sixteen_bit(stored: str, kind: str) -> str:
    """The checkpoint's own 16-bit type; bf16 (the wider range) for others, where the device has it."""
    import torch

    has_bf16 = kind == "cpu" or torch.cuda.is_bf16_supported()
    return "fp16" if stored == "fp16" or not has_bf16 else "bf16"


def kind_of(place: str | dict[str, Any]) -> str:
    """The kind of device, "cpu" or "cuda", that does the computing."""
    if isinstance(place, dict):
        return "cuda" if any(isinstance(at, int) or "cuda" in str(at) for at in place.values()) else "cpu"
    return "cpu" if place == "cpu" else "cuda"


def _quantised(config: PreTrainedConfig, precision: str, place: str | dict[str, Any]) -> dict[str, Any]:
    """Arguments of `from_pretrained` that make int8 or int4 of a checkpoint in a floating point type, or in mxfp4."""
    import torch
    from transformers import BitsAndBytesConfig

    stored = memory.stored_precision(config)
    if precision == "int8" and kind_of(place) == "cpu":
        from harmony_gen.models.quantizer import Int8Config

        # The kernel for int8 is fast with bf16 only, whatever the checkpoint holds.
        return {"dtype": FLOATS["bf16"], "quantization_config": Int8Config(widens_mxfp4=stored == "mxfp4")}
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtra("bitsandbytes", "quantization")
    rest = FLOATS[_sixteen_bit(stored, kind_of(place))]
    if precision == "int8":
        logging.getLogger("bitsandbytes.autograd._functions").addFilter(_is_worth_saying)
        if not footprint.has_fused_experts(config):
            return {"dtype": rest, "quantization_config": BitsAndBytesConfig(load_in_8bit=True)}
        from harmony_gen.models.quantizer import BitsAndBytesExpertsConfig

        own = BitsAndBytesExpertsConfig(widens_mxfp4=stored == "mxfp4")
        return {"dtype": rest, "quantization_config": own}
    four = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, rest),
    )
    return {"dtype": rest, "quantization_config": four}


def held_as(plan: Plan, place: str) -> str:
    """The precision to estimate with: mxfp4 is widened to bf16 where its kernels are missing."""
    if plan.precision == "mxfp4" and (place == "cpu" or importlib.util.find_spec("kernels") is None):
        return "bf16"
    return plan.precision if plan.precision in memory.WIDTHS else "auto"


def _is_worth_saying(record: logging.LogRecord) -> bool:
    """Drop the one message that bitsandbytes repeats for every Linear of every int8 forward pass."""
    return "inputs will be cast" not in str(record.msg)
