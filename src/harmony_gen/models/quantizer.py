"""A quantizer for transformers that makes int8 of Linear modules and of fused experts while weights are read.

Linear modules go to bitsandbytes, fused experts to `harmony_gen.models.experts`. Weights are quantised one by
one on the device where they will lie, so at no time does more than one of them exist in 16 bit: the peak is
the finished int8 model and its largest single weight. Experts stored in mxfp4, as those of the published
gpt-oss, are widened and quantised in the same way.

Importing this module registers the quantizer with transformers, under the name `METHOD`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers import BitsAndBytesConfig
from transformers.core_model_loading import ConversionOps, WeightConverter
from transformers.integrations.mxfp4 import convert_moe_packed_tensors
from transformers.quantizers.auto import register_quantizer
from transformers.quantizers.quantizer_bnb_8bit import Bnb8BitHfQuantizer

from harmony_gen.models import experts

if TYPE_CHECKING:
    from torch import nn

METHOD = "harmony_gen_int8"
"""transformers' name of the quantisation, as in `config.quantization_config.quant_method`."""


class Int8Config(BitsAndBytesConfig):  # type: ignore[misc] # transformers is not typed
    """What `from_pretrained` is given as quantization_config.

    Attributes:
        widens_mxfp4: whether the checkpoint holds its experts in mxfp4.
    """

    def __init__(self, *, widens_mxfp4: bool = False) -> None:
        super().__init__(load_in_8bit=True)
        self.quant_method = METHOD
        self.widens_mxfp4 = widens_mxfp4


@register_quantizer(METHOD)
class Int8Quantizer(Bnb8BitHfQuantizer):  # type: ignore[misc]
    """bitsandbytes' quantizer, extended to fused experts. What it made cannot be saved by `save_pretrained`."""

    def _process_model_before_weight_loading(self, model: nn.Module, **options: Any) -> None:
        super()._process_model_before_weight_loading(model, **options)
        self.expert_weights = experts.prepare(model)

    def param_needs_quantization(self, model: nn.Module, param_name: str, **options: Any) -> bool:
        """Whether a parameter is read as it is in the checkpoint, and quantised then."""
        return param_name in self.expert_weights or super().param_needs_quantization(model, param_name, **options)

    def get_quantize_ops(self) -> ConversionOps:
        """What quantises one parameter that was read."""
        return _Quantise(self.expert_weights, super().get_quantize_ops())

    def get_weight_conversions(self) -> list[WeightConverter]:
        """What is done to parameters as they are read, before they are quantised."""
        if not self.quantization_config.widens_mxfp4:
            return []
        return [
            WeightConverter([f"{name}_blocks", f"{name}_scales"], name, [_WidenMxfp4()])
            for name in ("gate_up_proj", "down_proj")
        ]

    def is_serializable(self) -> bool:
        """Whether `save_pretrained` can save what was quantised."""
        return False


class _Quantise(ConversionOps):  # type: ignore[misc]
    """Quantises an expert weight itself, and leaves others to bitsandbytes."""

    def __init__(self, expert_weights: set[str], linear: ConversionOps) -> None:
        self._expert_weights = expert_weights
        self._linear = linear

    def convert(self, input_dict: dict[str, Any], *, model: nn.Module, **options: Any) -> dict[str, torch.Tensor]:
        converted: dict[str, torch.Tensor] = {}
        for name, found in input_dict.items():
            if name in self._expert_weights:
                module: Any = model.get_submodule(name.rpartition(".")[0])
                weight = found[0] if isinstance(found, list) else found
                values, scales = experts.quantise(weight, transposed=module.is_transposed)
                converted |= {name: values, name + experts.SCALES: scales}
            else:
                converted |= self._linear.convert({name: found}, model=model, **options)
        return converted


class _WidenMxfp4(ConversionOps):  # type: ignore[misc]
    """Makes floating point numbers of 4-bit blocks and their scales, one expert at a time.

    Bytes arrive in the model's floating point type, in which whole numbers up to 255 are exact.
    """

    def convert(self, input_dict: dict[str, Any], *, target_patterns: list[str], **_: Any) -> dict[str, torch.Tensor]:
        (target,) = target_patterns
        blocks, scales = (input_dict[f"{target}_{part}"][0] for part in ("blocks", "scales"))
        pairs = zip(blocks.split(1), scales.split(1), strict=True)
        return {target: torch.cat([convert_moe_packed_tensors(*pair, dtype=blocks.dtype) for pair in pairs])}
