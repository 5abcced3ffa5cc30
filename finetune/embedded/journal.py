"""What a run tells: a line now and then, loss.csv, and a curve where matplotlib is installed."""

from __future__ import annotations

import csv
import importlib.util
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_CSV = "loss.csv"
_CURVE = "loss.png"


@dataclass(frozen=True)
class Entry:
    """The run at one moment; means since the entry before.

    Attributes:
        step: steps made.
        tokens: tokens read.
        seconds: time spent on steps.
        loss: mean loss of a target token, in nats.
        accuracy: share of target tokens that were guessed first.
        speed: tokens a second.
        rate: learning rate.
    """

    step: int
    tokens: int
    seconds: float
    loss: float
    accuracy: float
    speed: float
    rate: float

    def line(self, planned: int) -> str:
        """The entry for a reader."""
        left = (planned - self.tokens) / max(self.speed, 1) / 60
        return (
            f"{self.tokens / planned:6.1%}  step {self.step}  {self.tokens / 1e6:.2f} M tokens  loss {self.loss:.4f}  "
            f"right {self.accuracy:.4f}  {self.speed:.0f} tokens/s  {left:.0f} min left"
        )


class Journal:
    """Writes loss.csv; a run that goes on drops what was written behind its checkpoint."""

    def __init__(self, directory: Path, step: int) -> None:
        """Opens the journal of a run.

        Args:
            directory: the run's directory.
            step: steps made so far.
        """
        self._path = directory / _CSV
        self._kept = [entry for entry in read(directory) if entry.step <= step]
        with self._path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([field.name for field in fields(Entry)])
            writer.writerows(asdict(entry).values() for entry in self._kept)

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(asdict(entry).values())


def read(directory: Path) -> list[Entry]:
    """The entries of a run's loss.csv; none if there is no such file."""
    path = directory / _CSV
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Entry(int(row["step"]), int(row["tokens"]), *(float(row[field.name]) for field in fields(Entry)[2:]))
            for row in csv.DictReader(file)
        ]


def draw(directory: Path) -> str:
    """Draw loss.png from loss.csv.

    Returns:
        What was done, in a sentence.
    """
    if importlib.util.find_spec("matplotlib") is None:
        return f"matplotlib is not installed: no curve was drawn; the figures are in {directory / _CSV}."
    from matplotlib.figure import Figure

    entries = read(directory)
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(xlabel="million tokens", ylabel="loss of answer tokens (nats)", yscale="log")
    axes.plot([entry.tokens / 1e6 for entry in entries], [entry.loss for entry in entries], linewidth=1)
    axes.grid(visible=True, alpha=0.3)
    figure.savefig(directory / _CURVE, dpi=150)
    return f"The curve is in {directory / _CURVE}."
