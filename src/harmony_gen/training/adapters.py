"""LoRA adapters: put on a model, saved as peft saves them, merged into weights (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

import shutil
import warnings
from typing import TYPE_CHECKING, Any

import torch

from harmony_gen.errors import TrainingError
from harmony_gen.generator import Generator

if TYPE_CHECKING:
    from pathlib import Path

    from harmony_gen.training.settings import AdapterPart, ModelPart

_MOST_NAMED = 12


def load_base(part: ModelPart, device: str) -> Generator:
    """The model that is to be trained, with its tokenizer and prompts.

    Raises:
        TrainingError: its weights are in a format that gradients do not pass.
        ModelError: it cannot be loaded.
    """
    if part.base == "embedded":
        return Generator.embedded(part.directory)
    generator = Generator.from_pretrained(part.base, precision=part.precision, device=device)
    method = getattr(getattr(generator._model, "hf_quantizer", None), "quantization_config", None)
    if getattr(method, "quant_method", None) == "mxfp4":
        raise TrainingError(f'{part.base} is held in mxfp4, which cannot be trained. Set model.precision = "bf16".')
    return generator


def attach(generator: Generator, part: AdapterPart) -> Any:
    """Puts a fresh adapter on the model of a generator, which answers with it from now on.

    Returns:
        The peft model; only the adapter is trainable.

    Raises:
        TrainingError: the model has no such targets.
    """
    from peft import LoraConfig, get_peft_model

    model = generator._model
    targets = part.targets if isinstance(part.targets, str) else list(part.targets)
    config = LoraConfig(
        r=part.r,
        lora_alpha=part.alpha,
        lora_dropout=part.dropout,
        target_modules=targets,
        target_parameters=list(part.parameters) or None,
        task_type="CAUSAL_LM",
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by an older name
            adapted = get_peft_model(model, config)
    except ValueError as error:
        linear = (
            name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)
        )
        known = ", ".join(list(dict.fromkeys(linear))[:_MOST_NAMED])
        raise TrainingError(
            f"No adapter can be put on {', '.join(targets) if isinstance(targets, list) else targets} of this model: "
            f"{str(error).splitlines()[0]} Its linear modules are called {known or 'nothing: it has none'}; set "
            'adapter.targets to some of them, or to "all-linear".'
        ) from error
    generator._model = adapted
    return adapted


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Writes an adapter as peft does, with its tokenizer; one that lies there is replaced when the new one is whole.

    Raises:
        TrainingError: it cannot be written; what lay there is as it was.
    """
    fresh, old = (folder.with_name(f"{folder.name}.{word}") for word in ("part", "old"))
    for left in (fresh, old):
        shutil.rmtree(left, ignore_errors=True)
    try:
        model.save_pretrained(str(fresh), save_embedding_layers=False)
        tokenizer.save_pretrained(str(fresh))
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    except (OSError, RuntimeError) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        if old.exists() and not folder.exists():
            old.rename(folder)
        kept = " The previous one is kept." if folder.exists() else ""
        raise TrainingError(f"The adapter cannot be written to {folder}: {error}.{kept}") from error
    shutil.rmtree(old, ignore_errors=True)


def merge(base: str, adapter: str, folder: Path, *, directory: Path | None = None, precision: str = "auto") -> None:
    """Writes a model whose weights hold an adapter.

    Args:
        base: a directory, a hub id, or "embedded".
        adapter: directory or hub id.
        folder: where to write; `Generator.from_pretrained` loads it, or `Generator.embedded` if that was the base.
        directory: of a model of the embedded form.
        precision: fp32, bf16 or fp16; "auto" is that of the checkpoint.

    Raises:
        ModelError: base or adapter cannot be loaded.
        TrainingError: the base is quantised, or nothing can be written.
    """
    from harmony_gen.models import load, load_embedded
    from harmony_gen.models.loading import configuration
    from harmony_gen.models.memory import stored_precision
    from harmony_gen.models.precision import FLOATS

    if base == "embedded":
        loaded = load_embedded(directory, adapter)
    else:
        stored = stored_precision(configuration(base)) if precision == "auto" else precision
        loaded = load(base, precision=stored if stored in FLOATS else "bf16", device="cpu", adapter=adapter)
    if loaded.precision not in FLOATS:
        raise TrainingError(f"{base} is quantised ({loaded.precision}): merge the adapter into the original weights.")
    try:
        loaded.model.save_pretrained(str(folder))
        loaded.tokenizer.save_pretrained(str(folder))
    except (OSError, RuntimeError) as error:
        raise TrainingError(f"The merged model cannot be written to {folder}: {error}.") from error
