"""A run on disk: what is needed to go on exactly where it stopped."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from harmony_gen.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = "checkpoint.pt"


@dataclass
class State:
    """Where a run stands.

    Attributes:
        step: steps made.
        flat_at: the step at which the cross-entropy was found to be flat.
        best_at: the place of the best judgement in `judged`.
        entropies: cross-entropy of each step.
        rows: figures of each step.
        judged: figures of each evaluation.
        saved: the step of the last checkpoint.
    """

    step: int = 0
    flat_at: int | None = None
    best_at: int | None = None
    entropies: list[float] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    judged: list[dict[str, Any]] = field(default_factory=list)
    saved: int | None = None


def save(state: State, weights: Mapping[str, torch.Tensor], optimiser: Any, fingerprint: str, folder: Path) -> None:
    """Writes a checkpoint in one move: whoever reads finds the old one or the new one, whole.

    Args:
        state: of the run.
        weights: what is trained, by name.
        optimiser: as accelerate prepared it.
        fingerprint: of the settings.
        folder: of the run.

    Raises:
        TrainingError: it cannot be written; the previous one is kept.
    """
    scaler = optimiser.scaler
    kept = {
        "state": asdict(state),
        "weights": {name: weight.detach().cpu() for name, weight in weights.items()},
        "optimiser": optimiser.state_dict(),
        "scaler": None if scaler is None else scaler.state_dict(),
        "fingerprint": fingerprint,
    }
    fresh = folder / f"{_NAME}.part"
    try:
        with fresh.open("wb") as file:
            torch.save(kept, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / _NAME)
    except (OSError, RuntimeError) as error:
        fresh.unlink(missing_ok=True)
        raise TrainingError(
            f"The checkpoint of step {state.step} cannot be written to {folder}: {error}. "
            f"That of step {state.saved} is kept.",
            step=state.step,
        ) from error


def load(weights: Mapping[str, torch.Tensor], optimiser: Any, fingerprint: str, folder: Path) -> State:
    """Reads a checkpoint into what is trained and its optimiser.

    Raises:
        TrainingError: there is none, or it belongs to other settings.
    """
    if not exists(folder):
        raise TrainingError(f"There is no checkpoint in {folder} to go on with.")
    kept = torch.load(folder / _NAME, map_location="cpu", weights_only=True)
    if kept["fingerprint"] != fingerprint:
        raise TrainingError(f"The checkpoint in {folder} was made with other settings. Go on with those.")
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(kept["weights"][name])
    optimiser.load_state_dict(kept["optimiser"])
    if optimiser.scaler is not None:
        optimiser.scaler.load_state_dict(kept["scaler"])
    return State(**kept["state"])


def exists(folder: Path) -> bool:
    """Whether a folder holds a run."""
    return (folder / _NAME).is_file()
