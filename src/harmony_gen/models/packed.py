"""Weights that take four bits each in their file and are floating point in memory, embeddings included.

An eighth of the bytes of float32, for models that come with a package, as the embedded one does; once read a model like
any other, which can be trained, merged and saved. (`quantizer` keeps int8 in memory as well, and leaves embeddings as
they are.)

Each `GROUP` of weights along a row shares a scale in fp16, of which each is a multiple from minus eight to seven.
Weights that have such a scale already are written as they are; of others that of greatest magnitude becomes minus eight
times the scale, as in llama.cpp's Q4_0.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import ModelError
from harmony_gen.models.precision import FLOATS

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel

    from harmony_gen.models.precision import Plan

FILE = "model.int4.safetensors"
GROUP = 64
"""Weights that share a scale; rows of matrices are as long as a multiple of this."""
_SCALES = ".scales"
_LEVELS = 16
_ZERO = 8
_TOLERANCE = 0.01
"""Of a step: how far weights may lie from a multiple of the scale they have; fp16 moves seven steps by 0.004."""


def is_packed(source: str | Path) -> bool:
    """Whether a directory holds a packed model."""
    return (Path(source) / FILE).is_file()


def grouped(weight: torch.Tensor) -> torch.Tensor:
    """A matrix as (rows, groups, `GROUP`)."""
    return weight.reshape(len(weight), -1, GROUP)


def widest(weight: torch.Tensor) -> torch.Tensor:
    """The scales at which a group's weight of greatest magnitude is the lowest level: (rows, groups, 1) in fp16."""
    return (_greatest(grouped(weight)) / -_ZERO).half()


def _greatest(groups: torch.Tensor) -> torch.Tensor:
    return groups.gather(2, groups.abs().argmax(2, keepdim=True))


def levels(weights: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """The nearest levels of weights, 0 to 15: a weight is its level less eight, times its scale.

    Args:
        weights: in float32.
        scales: in fp16, of a shape that broadcasts to that of the weights.
    """
    import torch

    return weights.div(torch.where(scales == 0, 1, scales.float())).round_().add_(_ZERO).clamp_(0, _LEVELS - 1)


def nearest(weights: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """What weights are at their nearest `levels`."""
    return levels(weights, scales).sub_(_ZERO).mul_(scales.float())


def rounded(weight: torch.Tensor) -> torch.Tensor:
    """A matrix as it will be after it has been written, with the widest scales, and read."""
    return nearest(grouped(weight), widest(weight)).flatten(1)


def scales_of(weight: torch.Tensor) -> torch.Tensor:
    """The scale of which all weights of a group are multiples already, the widest where there is none.

    So what was rounded before, by whatever method, is written as it is.

    Args:
        weight: (rows, columns), in float32.

    Returns:
        (rows, groups, 1) in fp16.
    """
    import torch

    groups = grouped(weight)
    best, greatest = widest(weight), _greatest(groups)
    least = torch.full_like(greatest, _TOLERANCE)
    for level in (level for level in range(-_ZERO, _LEVELS - _ZERO) if level):
        scales = (greatest / level).half()
        error = (nearest(groups, scales) - groups).abs().amax(2, keepdim=True) / scales.float().abs()
        best = torch.where(error < least, scales, best)
        least = torch.minimum(error.nan_to_num(nan=torch.inf), least)
    return best


def write(model: PreTrainedModel, directory: Path) -> int:
    """Write a model's configuration and its weights, matrices in four bits, the others in fp16.

    Args:
        model: the model, its weights in floating point; matrices that are not rounded yet go to the nearest levels.
        directory: where to write; files of the same names are replaced.

    Returns:
        Bytes of the weights.

    Raises:
        ValueError: a weight is not finite or too large for fp16, or a matrix has rows that are no multiple of `GROUP`.
    """
    import torch
    from safetensors.torch import save_file

    packed: dict[str, torch.Tensor] = {}
    for name, parameter in model.named_parameters():  # a weight that is tied to another is named once
        weight = parameter.detach().float()
        if not torch.isfinite(weight.half()).all():
            raise ValueError(f"{name} holds values that fp16 cannot: nothing was written.")
        if weight.dim() != 2:  # noqa: PLR2004 - a matrix has two dimensions
            packed[name] = weight.half().contiguous()
            continue
        if weight.shape[1] % GROUP:
            raise ValueError(f"{name} has rows of {weight.shape[1]} weights: they must be a multiple of {GROUP}.")
        scales = scales_of(weight)
        pairs = levels(grouped(weight), scales).byte().flatten(1)
        packed[name] = (pairs[:, 0::2] | (pairs[:, 1::2] << 4)).contiguous()
        packed[name + _SCALES] = scales[..., 0].contiguous()
    directory.mkdir(parents=True, exist_ok=True)
    model.config.save_pretrained(str(directory))
    save_file(packed, str(directory / FILE))
    return (directory / FILE).stat().st_size


def weights(directory: str | Path) -> dict[str, torch.Tensor]:
    """The weights of a packed model by name, in float32."""
    import torch
    from safetensors.torch import load_file

    found = load_file(str(Path(directory) / FILE))
    for name in [name for name in found if name.endswith(_SCALES)]:
        pairs, scales = found[name.removesuffix(_SCALES)], found.pop(name)
        both = torch.stack([pairs & (_LEVELS - 1), pairs >> 4], dim=2).float().sub_(_ZERO)
        found[name.removesuffix(_SCALES)] = both.view(len(pairs), -1, GROUP).mul_(scales.float()[..., None]).flatten(1)
    return {name: weight.float() for name, weight in found.items()}


def read(
    source: str, config: PreTrainedConfig, plan: Plan, place: str | dict[str, Any]
) -> tuple[PreTrainedModel, set[str]]:
    """Read a packed model.

    Args:
        source: its directory.
        config: its configuration.
        plan: the precision it will be held in.
        place: the device.

    Returns:
        The model, and the names of weights that are missing.

    Raises:
        ModelError: the precision is none of fp32, bf16 and fp16, or there are several devices.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.initialization import no_init_weights

    if plan.precision not in FLOATS or not isinstance(place, str) or place == "sequential":
        raise ModelError(
            f"The weights of {source!r} are packed: they can be held as fp32, bf16 or fp16 on one device, "
            f"not as {plan.precision} on {place!r}."
        )
    with no_init_weights():
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, FLOATS[plan.precision]))
    missing = set(model.load_state_dict(weights(source), strict=False).missing_keys)
    model.tie_weights()
    return model.to(place), missing - set(model.all_tied_weights_keys)
