"""What a run tells: CSV files, curves where matplotlib is installed, and whatever trackers are."""

from __future__ import annotations

import csv
import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TRACKERS = ("tensorboard", "mlflow")

_CURVES = {"loss.csv": ("ce", "gold", "first_error", "constrained", "reward"), "held_out.csv": ("ce", "valid", "f1")}


def trackers() -> list[str]:
    """Accelerate's names of those that are installed."""
    return [name for name in TRACKERS if importlib.util.find_spec(name) is not None]


def write(folder: Path, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Writes rows to a CSV file, with a column for each key that some row has."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def draw(folder: Path, files: dict[str, Sequence[dict[str, Any]]]) -> str:
    """Draws the curves of a run to loss.png.

    Args:
        folder: of the run.
        files: rows by the name of their file.

    Returns:
        What was done, in a sentence.
    """
    if importlib.util.find_spec("matplotlib") is None:
        return f'No curve was drawn; pip install "harmony-gen[training]" brings it. The figures are in {folder}.'
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 7), layout="constrained")
    for place, (name, rows) in enumerate(files.items(), 1):
        axes = figure.add_subplot(len(files), 1, place, xlabel="step", title=name.removesuffix(".csv"))
        for term in _CURVES[name]:
            points = [(row["step"], row[term]) for row in rows if term in row]
            if points:
                axes.plot(*zip(*points, strict=True), label=term, linewidth=1)
        axes.grid(visible=True, alpha=0.3)
        if rows:
            axes.legend()
    figure.savefig(folder / "loss.png", dpi=120)
    return f"The curves are in {folder / 'loss.png'}."
