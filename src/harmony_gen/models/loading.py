"""Loading a causal language model and its tokenizer: precision, quantisation, device, adapter.

Every failure is a `ModelError` that says what was tried and what to do next; the dependency's own error stays
attached as its cause. Nothing process-wide is left changed: transformers' log level and progress bars are
restored afterwards.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import ModelError
from harmony_gen.models import footprint, memory, weights
from harmony_gen.models.precision import FLOATS, PRECISIONS, Plan, held_as, kind_of, plan_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_MOSTLY = 0.5
_loading = threading.Lock()  # the log level below belongs to the process, so two loads must not overlap


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to compute logits: in evaluation mode, without gradients.

    Attributes:
        model: the transformers model; a peft model where an adapter sits on a quantised base.
        tokenizer: its fast tokenizer.
        name: what was asked for, a path or a hub id.
        precision: how the weights are held: fp32, bf16, fp16, int8, int4, or the checkpoint's own format, as
            mxfp4.
        device: where the weights lie, as "cpu", "cuda:0" or "cuda:0, cuda:1".
        notes: what a user should know of the choices made, in plain sentences.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str
    precision: str
    device: str
    notes: tuple[str, ...]


def load(
    model_id_or_path: str,
    *,
    precision: str = "auto",
    device: str | dict[str, Any] = "auto",
    adapter: str | None = None,
) -> LoadedModel:
    """Load a causal language model and its tokenizer.

    Args:
        model_id_or_path: a directory, or the id of a model on the Hugging Face hub. Code of a checkpoint is
            never run.
        precision: auto, fp32, bf16, fp16, int8 or int4. "auto" leaves a quantised checkpoint as it is, takes
            16 bit on a GPU, and fp32 on a CPU if that fits. Weights are quantised one by one where they will
            lie, so int8 and int4 need no more memory than the finished model and its largest weight in 16 bit.
        device: auto, cpu, cuda, cuda:N, or a device map from module names to devices.
        adapter: directory or hub id of a peft adapter. It is merged into the weights unless they are
            quantised.

    Returns:
        The model, its tokenizer, and what was chosen.

    Raises:
        ModelError: a name is unknown, files are missing or unfit, or the model does not fit the device.
        MissingExtra: int4, or int8 on a GPU, was asked for and bitsandbytes is not installed.
    """
    if precision not in PRECISIONS:
        msg = f"Unknown precision {precision!r}. Choose one of: {', '.join(PRECISIONS)}."
        raise ModelError(msg)
    place = _place(device)
    source = _source(model_id_or_path)
    with _loading, _quiet():
        config = _config(source)
        tokenizer = _tokenizer(source)
        plan = plan_for(config, precision, place)
        _check_room(config, plan, place, source)
        model, plan = _model(source, config, plan, place)
        notes = plan.notes + _offload_notes(model)
        if adapter is not None:
            model, note = _with_adapter(model, tokenizer, adapter)
            notes += (note,)
    model.eval().requires_grad_(requires_grad=False)
    for note in _share_notes(model, plan.precision):
        warnings.warn(note, UserWarning, stacklevel=2)
        notes += (note,)
    return LoadedModel(model, tokenizer, model_id_or_path, plan.precision, _device_of(model), notes)


def configuration(name: str) -> PreTrainedConfig:
    """Read a model's configuration without its weights.

    Args:
        name: a directory, a config.json, or the id of a model on the Hugging Face hub.

    Raises:
        ModelError: there is none, or transformers does not know its architecture.
    """
    path = Path(name).expanduser()
    source = str(path) if path.is_file() else _source(name)
    with _loading, _quiet():
        return _config(source)


def load_error(error: BaseException, source: str, config: PreTrainedConfig, precision: str, device: str) -> ModelError:
    """Translate an error met while the weights were read into one that says what to do next.

    Args:
        error: what torch, transformers or Python raised.
        source: the directory or hub id.
        config: the model's configuration, for the estimate.
        precision: the precision that was tried, as for `memory.estimate`.
        device: "cpu", "cuda" or "cuda:N".
    """
    if not memory.is_out_of_memory(error):
        return ModelError(f"The weights of {source!r} could not be loaded: {footprint.first_line(error)}")
    try:
        known = memory.advice(config, device, precision=precision)
    except ModelError as unknown:
        known = str(unknown)
    return ModelError(f"Memory ran out while {source!r} was loaded: {known}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers and bitsandbytes within the block; restore what was set before."""
    from transformers.utils import logging as transformers_logging

    level = transformers_logging.get_verbosity()
    kernels = logging.getLogger("bitsandbytes")
    kernel_level = kernels.level
    hook = transformers_logging.set_tqdm_hook(lambda bar, args, kwargs: bar(*args, **{**kwargs, "disable": True}))
    transformers_logging.set_verbosity_error()
    kernels.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_tqdm_hook(hook)
        transformers_logging.set_verbosity(level)
        kernels.setLevel(kernel_level)


def _place(device: str | dict[str, Any]) -> str | dict[str, Any]:
    """Check a device or a device map; "auto" becomes "cuda", "cpu", or with several GPUs "sequential"."""
    import torch

    if isinstance(device, dict):
        for target in device.values():
            if target != "disk":
                _place(f"cuda:{target}" if isinstance(target, int) else str(target))
        return device
    if device == "auto":
        several = torch.cuda.device_count() > 1
        return "sequential" if several else "cuda" if torch.cuda.is_available() else "cpu"
    kind, colon, index = device.partition(":")
    if device == "cpu" or (kind == "cuda" and (index.isdecimal() if colon else not index)):
        if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
            msg = (
                f"{device} was asked for, but torch sees {torch.cuda.device_count()} CUDA devices here. "
                'Use device="cpu" or "auto", or install a CUDA build of torch.'
            )
            raise ModelError(msg)
        return device
    msg = f"Unknown device {device!r}. Choose one of: auto, cpu, cuda, cuda:N, or a device map (a dict)."
    raise ModelError(msg)


def _source(name: str) -> str:
    """The directory of a local model, or a hub id. Paths that hold no model are told from unknown ids."""
    path = Path(name).expanduser()
    if name and path.is_dir():
        if (path / "config.json").is_file():
            return str(path)
        hint = _adapter_hint(path) or "Save a model there with save_pretrained, or name the directory that has it."
        msg = f"The directory {name!r} has no config.json, so it is not a model. {hint}"
        raise ModelError(msg)
    if path.is_file():
        msg = f"{name!r} is a file. Name the directory that holds config.json, the weights and the tokenizer."
        raise ModelError(msg)
    if path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1 or not name:
        msg = f"There is no directory {name!r}, and it cannot be the id of a model on the hub (owner/name)."
        raise ModelError(msg)
    return name


def _adapter_hint(path: Path) -> str | None:
    if not (path / "adapter_config.json").is_file():
        return None
    return "It holds an adapter: load the base model and pass this directory as adapter=."


def _config(source: str) -> PreTrainedConfig:
    from transformers import AutoConfig

    weights.make_known(source)
    try:
        return AutoConfig.from_pretrained(source, trust_remote_code=False)
    except Exception as error:
        if not Path(source).exists() and isinstance(error, OSError):
            raise _unknown_id(source, error) from error
        msg = f"The configuration of {source!r} cannot be used: {footprint.first_line(error)}"
        raise ModelError(msg) from error


def _unknown_id(source: str, error: OSError) -> ModelError:
    """Say what was tried, and why the hub did not help."""
    tried = f"There is no directory {source!r} here, and as a model id of the Hugging Face hub"
    if os.environ.get("HF_HUB_OFFLINE", "0").upper() in ("1", "ON", "YES", "TRUE"):
        return ModelError(
            f"{tried} it is not in the local cache; HF_HUB_OFFLINE is set, so nothing was downloaded. "
            "Unset it, download the model beforehand, or give the path of a directory."
        )
    if "connect" in str(error):
        return ModelError(
            f"{tried} it is not in the local cache and the hub could not be reached. "
            "Check the network, or give the path of a directory."
        )
    return ModelError(
        f"{tried} it could not be used ({footprint.first_line(error)}). "
        "Check its spelling, and log in with `hf auth login` if it is private or gated."
    )


def _tokenizer(source: str) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except Exception as error:
        msg = (
            f"No tokenizer could be loaded from {source!r} ({footprint.first_line(error)}) "
            "A model needs its tokenizer.json beside it: tokenizer.save_pretrained writes it."
        )
        raise ModelError(msg) from error
    if not getattr(tokenizer, "is_fast", False):
        msg = (
            f"The tokenizer of {source!r} ({type(tokenizer).__name__}) is not a fast tokenizer, and "
            "constrained decoding needs one: convert it to a tokenizer.json, or choose a model that has it."
        )
        raise ModelError(msg)
    return tokenizer


def _check_room(config: PreTrainedConfig, plan: Plan, place: str | dict[str, Any], source: str) -> None:
    """Refuse before reading: on a CPU an allocation seldom fails, the system ends the process instead."""
    if not isinstance(place, str) or place == "sequential":
        return
    precision = held_as(plan, place)
    try:
        need, free = memory.estimate(config, precision=precision).weights, memory.available(place)
    except ModelError:  # not known; then the load itself will tell
        return
    if need > free:
        told = memory.advice(config, place, precision=precision, available_bytes=free)
        msg = f"{source!r} does not fit: {told}"
        raise ModelError(msg)


def _model(
    source: str, config: PreTrainedConfig, plan: Plan, place: str | dict[str, Any]
) -> tuple[PreTrainedModel, Plan]:
    """Read the weights. The plan comes back with the precision they are really held in."""
    try:
        model, missing = weights.read(source, config, plan, place)
    except ModelError:
        raise
    except Exception as error:
        at = place if isinstance(place, str) and place != "sequential" else kind_of(place)
        raise load_error(error, source, config, held_as(plan, at), at) from error
    _check_complete(source, missing)
    _check_map(place, model)
    return model, _widened(plan, model)


def _check_complete(source: str, missing: set[str]) -> None:
    if missing:
        msg = (
            f"{source!r} lacks {len(missing)} weights of its architecture, {min(missing)} among them, which "
            "would be random. It was saved from another kind of model, or its files are incomplete."
        )
        raise ModelError(msg)


def _check_map(place: str | dict[str, Any], model: PreTrainedModel) -> None:
    modules = {name for name, _ in model.named_modules()}
    unknown = sorted(set(place) - modules) if isinstance(place, dict) else []
    if unknown:
        msg = f"The device map names modules that the model does not have: {', '.join(unknown)}."
        raise ModelError(msg)


def _widened(plan: Plan, model: PreTrainedModel) -> Plan:
    """Formats without kernels are silently widened by transformers; the plan then says so."""
    if plan.precision in PRECISIONS or getattr(model, "hf_quantizer", None) is not None:
        return plan
    dtype = str(model.dtype).removeprefix("torch.")
    held = next((name for name, known in FLOATS.items() if known == dtype), dtype)
    note = f"The checkpoint's {plan.precision} weights were widened to {held}: kernels for it are missing here."
    return Plan(held, plan.arguments, (note,))


def _offload_notes(model: PreTrainedModel) -> tuple[str, ...]:
    places = set((getattr(model, "hf_device_map", None) or {}).values())
    if not {"cpu", "disk"} & places or places == {"cpu"}:
        return ()
    return ("Part of the weights lies outside the GPU (CPU or disk), which makes each token slow.",)


def _with_adapter(model: PreTrainedModel, tokenizer: Any, adapter: str) -> tuple[PreTrainedModel, str]:
    """Put a peft adapter on a model and merge it where the weights are plain numbers."""
    path = Path(adapter).expanduser()
    if path.is_dir() and not (path / "adapter_config.json").is_file():
        msg = f"The adapter directory {adapter!r} has no adapter_config.json: it was not saved by peft."
        raise ModelError(msg)
    _check_tokenizer(tokenizer, path / "tokenizer.json", adapter)
    from peft import PeftModel

    quantised = getattr(model, "hf_quantizer", None) is not None
    try:
        adapted = PeftModel.from_pretrained(model, str(path) if path.is_dir() else adapter, is_trainable=False)
        if quantised:
            return adapted, f"The adapter {adapter!r} is applied beside the quantised weights, unmerged."
        return adapted.merge_and_unload(), f"The adapter {adapter!r} is merged into the weights."
    except Exception as error:
        kind = "directory" if path.is_dir() else "hub id (no directory of this name is here)"
        msg = f"The adapter {adapter!r}, a {kind}, could not be put on this model: {footprint.first_line(error)}"
        raise ModelError(msg) from error


def _check_tokenizer(tokenizer: Any, file: Path, adapter: str) -> None:
    """Refuse an adapter that was trained with other tokens, where it comes with them."""
    if not file.is_file():
        return
    from tokenizers import Tokenizer

    trained, given = Tokenizer.from_file(str(file)).get_vocab(), tokenizer.get_vocab()
    if trained != given:
        differing = min(set(trained.items()) ^ set(given.items()), key=lambda item: item[1])[0]
        msg = (
            f"The adapter {adapter!r} was trained with another tokenizer than this model has: they differ in "
            f"{differing!r}, for one. Load the model that adapter_config.json names as its base."
        )
        raise ModelError(msg)


def _share_notes(model: PreTrainedModel, precision: str) -> tuple[str, ...]:
    """Tell when quantisation missed most of the weights."""
    if precision not in ("int8", "int4"):
        return ()
    plain = {name: weight.numel() for name, weight in model.named_parameters() if _is_plain(weight)}
    packed = sum(weight.numel() for weight in model.parameters() if not _is_plain(weight))
    converted = packed * (2 if precision == "int4" else 1)
    share = sum(plain.values()) / (sum(plain.values()) + converted)
    if share <= _MOSTLY:
        return ()
    largest = max(plain, key=lambda name: plain[name])
    fused = "some architectures' fused expert tensors" if precision == "int8" else "fused expert tensors"
    note = (
        f"{precision} left {share:.0%} of the weights unquantised in 16 bit, {largest} among them: "
        f"embeddings, the output head and {fused} are not converted. The saving is small."
    )
    return (note,)


def _is_plain(weight: torch.nn.Parameter) -> bool:
    return weight.is_floating_point()


def _device_of(model: PreTrainedModel) -> str:
    return ", ".join(sorted({str(weight.device) for weight in model.parameters()}))
