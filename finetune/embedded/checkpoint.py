"""A run on disk: what is needed to go on exactly where it stopped."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from finetune.embedded.batches import Plan
from finetune.embedded.learner import Way
from finetune.embedded.stream import Place

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "checkpoint.pt"


@dataclass(frozen=True)
class Checkpoint:
    """A moment of a run.

    Attributes:
        plan: the run's plan.
        network: the configuration of the network.
        way: how it learns.
        step: steps made.
        tokens: tokens read.
        seconds: time spent on steps, in all pieces of the run together.
        place: where the next batch lies.
        learner: weights, optimisers and random state.
    """

    plan: Plan
    network: dict[str, Any]
    way: Way
    step: int
    tokens: int
    seconds: float
    place: Place
    learner: dict[str, Any]


def save(checkpoint: Checkpoint, directory: Path) -> None:
    """Write a checkpoint in one move: whoever reads finds the old one or the new one, whole."""
    import torch

    parts = {name: asdict(getattr(checkpoint, name)) for name in ("plan", "way", "place")}
    unfinished = directory / f"{_NAME}.part"
    with unfinished.open("wb") as file:
        torch.save({**vars(checkpoint), **parts}, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(directory / _NAME)


def load(directory: Path, device: str = "cpu") -> Checkpoint:
    """Read the checkpoint of a run.

    Args:
        directory: the run's directory.
        device: where its tensors are put.

    Raises:
        FileNotFoundError: there is none.
    """
    import torch

    kept = torch.load(directory / _NAME, map_location=device, weights_only=True)
    parts = {name: kind(**kept[name]) for name, kind in (("plan", Plan), ("way", Way), ("place", Place))}
    return Checkpoint(**{**kept, **parts})


def exists(directory: Path) -> bool:
    """Whether a directory holds a run."""
    return (directory / _NAME).is_file()
