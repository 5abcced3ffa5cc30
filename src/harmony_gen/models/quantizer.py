"""Quantizers for transformers that make int8 of Linear modules and of fused experts while weights are read.

Weights are quantised one by one on the device where they will lie, so at no time does more than one of them
exist in 16 bit: the peak is the finished int8 model and its largest single weight, with a temporary copy of
one of its matrices. Experts stored in mxfp4, as those of the published gpt-oss, are widened and quantised in
the same way.

Importing this module registers the quantizers with transformers, under the names `OWN_INT8` and `BITSANDBYTES`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers import BitsAndBytesConfig
from transformers.core_model_loading import ConversionOps, WeightConverter
from transformers.integrations.mxfp4 import convert_moe_packed_tensors
from transformers.pytorch_utils import Conv1D
from transformers.quantizers.auto import register_quantization_config, register_quantizer
from transformers.quantizers.base import HfQuantizer
from transformers.quantizers.quantizer_bnb_8bit import Bnb8BitHfQuantizer
from transformers.quantizers.quantizers_utils import should_convert_module
from transformers.utils.quantization_config import QuantizationConfigMixin

from harmony_gen.models import experts, int8
from harmony_gen.models.precision import OWN_INT8

if TYPE_CHECKING:
    from torch import nn

BITSANDBYTES = f"{OWN_INT8}_bitsandbytes"


@register_quantization_config(OWN_INT8)
class Int8Config(QuantizationConfigMixin):  # type: ignore[misc] # transformers is not typed
    """quantization_config of `from_pretrained` for int8 without bitsandbytes.

    Attributes:
        widens_mxfp4: whether the checkpoint holds its experts in mxfp4.
    """

    def __init__(self, *, widens_mxfp4: bool = False, **_: Any) -> None:
        super().__init__(quant_method=OWN_INT8)
        self.widens_mxfp4 = widens_mxfp4


class BitsAndBytesExpertsConfig(BitsAndBytesConfig):  # type: ignore[misc]
    """quantization_config of `from_pretrained` for Linear modules as bitsandbytes makes them, and int8 experts.

    Attributes:
        widens_mxfp4: whether the checkpoint holds its experts in mxfp4.
    """

    def __init__(self, *, widens_mxfp4: bool = False) -> None:
        super().__init__(load_in_8bit=True)
        self.quant_method = BITSANDBYTES
        self.widens_mxfp4 = widens_mxfp4


@register_quantizer(OWN_INT8)
class Int8Quantizer(HfQuantizer):  # type: ignore[misc]
    """Makes `Int8Linear` of Linear modules. Models without experts can be saved and loaded again."""

    @property
    def quantized_element_size(self) -> float:
        """Bytes of one number of a quantised weight."""
        return 1

    def _process_model_before_weight_loading(self, model: nn.Module, **_: Any) -> None:
        kept = self.get_modules_to_not_convert(model, None, model._keep_in_fp32_modules)
        self.experts = experts.prepare(model)
        self.linear = _replace_linear(model, kept)

    def param_needs_quantization(self, model: nn.Module, param_name: str, **_: Any) -> bool:  # noqa: ARG002
        """Whether a parameter is read as it is in the checkpoint, and quantised then."""
        return param_name in self.experts or param_name in self.linear

    def get_quantize_ops(self) -> ConversionOps:
        """What quantises one parameter that was read."""
        return _Quantise(self.experts | self.linear)

    def get_weight_conversions(self) -> list[WeightConverter]:
        """What is done to parameters as they are read, before they are quantised."""
        return _widening() if self.quantization_config.widens_mxfp4 else []

    def is_serializable(self) -> bool:
        """Whether `save_pretrained` can save what was quantised."""
        return not self.experts

    @property
    def is_trainable(self) -> bool:
        """Whether an adapter beside the quantised weights can be trained."""
        return True


@register_quantizer(BITSANDBYTES)
class BitsAndBytesExpertsQuantizer(Bnb8BitHfQuantizer):  # type: ignore[misc]
    """bitsandbytes' quantizer, extended to fused experts. What it made cannot be saved by `save_pretrained`."""

    def _process_model_before_weight_loading(self, model: nn.Module, **options: Any) -> None:
        super()._process_model_before_weight_loading(model, **options)
        self.experts = experts.prepare(model)

    def param_needs_quantization(self, model: nn.Module, param_name: str, **options: Any) -> bool:
        """Whether a parameter is read as it is in the checkpoint, and quantised then."""
        return param_name in self.experts or super().param_needs_quantization(model, param_name, **options)

    def get_quantize_ops(self) -> ConversionOps:
        """What quantises one parameter that was read."""
        return _Quantise(self.experts, super().get_quantize_ops())

    def get_weight_conversions(self) -> list[WeightConverter]:
        """What is done to parameters as they are read, before they are quantised."""
        return _widening() if self.quantization_config.widens_mxfp4 else []

    def is_serializable(self) -> bool:
        """Whether `save_pretrained` can save what was quantised."""
        return False


def _replace_linear(model: nn.Module, kept: list[str]) -> set[str]:
    """Put `Int8Linear` in the place of Linear modules, as bitsandbytes does. Returns the names of their weights."""
    replaced = set()
    for name, module in list(model.named_modules()):
        if not (type(module) is torch.nn.Linear or isinstance(module, Conv1D)) or not should_convert_module(name, kept):
            continue
        is_transposed = isinstance(module, Conv1D)
        out, inner = module.weight.shape[::-1] if is_transposed else module.weight.shape
        with torch.device("meta"):
            linear = int8.Int8Linear(inner, out, bias=module.bias is not None, is_transposed=is_transposed)
        model.set_submodule(name, linear.to(dtype=module.weight.dtype))
        replaced.add(f"{name}.weight")
    return replaced


def _widening() -> list[WeightConverter]:
    return [
        WeightConverter([f"{name}_blocks", f"{name}_scales"], name, [_WidenMxfp4()])
        for name in ("gate_up_proj", "down_proj")
    ]


class _Quantise(ConversionOps):  # type: ignore[misc]
    """Quantises weights itself, but for those that `other` is to quantise."""

    def __init__(self, own: set[str], other: ConversionOps = None) -> None:
        self._own = own
        self._other = other

    def convert(self, input_dict: dict[str, Any], *, model: nn.Module, **options: Any) -> dict[str, torch.Tensor]:
        converted: dict[str, torch.Tensor] = {}
        for name, found in input_dict.items():
            if name not in self._own:
                converted |= self._other.convert({name: found}, model=model, **options)
                continue
            module: Any = model.get_submodule(name.rpartition(".")[0])
            weight = found[0] if isinstance(found, list) else found
            values, scales = _rounded(weight, transposed=module.is_transposed)
            converted |= {name: values, name + int8.SCALES: scales}
        return converted


def _rounded(weight: torch.Tensor, *, transposed: bool) -> tuple[torch.Tensor, torch.Tensor]:
    if weight.dim() > 2:  # noqa: PLR2004 - a matrix has two dimensions
        return experts.quantise(weight, transposed=transposed)
    return int8.quantise(weight.T if transposed else weight)


class _WidenMxfp4(ConversionOps):  # type: ignore[misc]
    """Makes floating point numbers of 4-bit blocks and their scales, one expert at a time.

    Bytes arrive in the model's floating point type, in which whole numbers up to 255 are exact.
    """

    def convert(self, input_dict: dict[str, Any], *, target_patterns: list[str], **_: Any) -> dict[str, torch.Tensor]:
        (target,) = target_patterns
        blocks, scales = (input_dict[f"{target}_{part}"][0] for part in ("blocks", "scales"))
        pairs = zip(blocks.split(1), scales.split(1), strict=True)
        return {target: torch.cat([convert_moe_packed_tensors(*pair, dtype=blocks.dtype) for pair in pairs])}
