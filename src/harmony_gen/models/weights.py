"""The weights of a model, as transformers stores them or packed, and the architecture that only this package has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony_gen.models import packed

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from harmony_gen.models.precision import Plan

_OWN_TYPE = "narrow_llama"


def make_known(source: str) -> None:
    """Tell transformers the package's own architecture, if a directory holds a model of it."""
    file = Path(source) / "config.json"
    if file.is_file() and _OWN_TYPE in file.read_text(encoding="utf-8", errors="ignore"):
        from harmony_gen.models import narrow

        narrow.register()


def read(
    source: str, config: PreTrainedConfig, plan: Plan, place: str | dict[str, Any]
) -> tuple[PreTrainedModel, set[str]]:
    """Read a model.

    Args:
        source: its directory or hub id.
        config: its configuration.
        plan: the precision it will be held in.
        place: the device, or a map of devices.

    Returns:
        The model, and the names of weights that are missing.

    Raises:
        ModelError: its weights are packed and cannot be held in that way.
        Exception: whatever transformers raises.
    """
    return packed.read(source, config, plan, place) if packed.is_packed(source) else _stored(source, plan, place)


def _stored(source: str, plan: Plan, place: str | dict[str, Any]) -> tuple[PreTrainedModel, set[str]]:
    from transformers import AutoModelForCausalLM

    where = place if isinstance(place, dict) or place == "sequential" else {"": place}
    plain_cpu = place == "cpu" and "quantization_config" not in plan.arguments
    arguments = plan.arguments if plain_cpu else {**plan.arguments, "device_map": where}
    model, report = AutoModelForCausalLM.from_pretrained(
        source, output_loading_info=True, trust_remote_code=False, **arguments
    )
    return model, report["missing_keys"]
