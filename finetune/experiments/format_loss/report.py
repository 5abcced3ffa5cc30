"""The table of the experiment: means over seeds, and paired bootstrap intervals of what an arm has over ce.

    python -m finetune.experiments.format_loss.report RUN
    python -m finetune.experiments.format_loss.report RUN --plot docs/format_loss.png

Test documents are drawn anew, the same for both arms, and so are seeds (Efron and Tibshirani 1993).
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from finetune.experiments.format_loss.run import ARMS

if TYPE_CHECKING:
    from collections.abc import Sequence

_DRAWS = 2000
_WAYS = ("free", "constrained")
_PLOTTED = ("unseen", "scarce")


def results(out: Path, arm: str, setting: str) -> dict[str, dict[str, np.ndarray]]:
    """By seed that is done, (documents, 4) counts by way: valid, right fields, given fields, gold fields."""
    files = sorted((out / "runs" / arm / setting).glob("*/result.json"))
    read = {path.parent.name: json.loads(path.read_text("utf-8")) for path in files}
    return {seed: {way: np.array(one[way], dtype=float) for way in _WAYS} for seed, one in read.items()}


def figures(seeds: Sequence[np.ndarray]) -> tuple[float, float]:
    """Valid share and field F1, over all seeds."""
    valid, right, given, gold = np.concatenate(seeds).sum(axis=0)
    return valid / sum(map(len, seeds)), 2 * right / max(given + gold, 1)


def interval(arm: Sequence[np.ndarray], base: Sequence[np.ndarray]) -> np.ndarray:
    """(2, 2): the 2.5th and 97.5th percentile of the differences of valid share and field F1, of the same seeds."""
    random = np.random.default_rng(0)
    count = len(arm[0])
    differences = []
    for _ in range(_DRAWS):
        rows = random.integers(count, size=count)
        pairs = random.integers(len(arm), size=len(arm))
        one, other = ([source[seed][rows] for seed in pairs] for source in (arm, base))
        differences.append(np.subtract(figures(one), figures(other)))
    found: np.ndarray = np.percentile(differences, [2.5, 97.5], axis=0)
    return found


def table(out: Path) -> str:
    """All that is done, as Markdown."""
    names = ("setting", "arm", "seeds", "valid, free", "over ce", "interval", "F1, free", "interval", "F1, constrained")
    lines = [_row(*names), "|---|---" + "|--:" * 7 + "|"]
    for setting in ("unseen", "scarce", "adapt"):
        base = results(out, "ce", "unseen" if setting == "adapt" else setting)
        for path in sorted((out / "runs").glob(f"*/{setting}")):
            found = results(out, path.parent.name, setting)
            seeds = [seed for seed in found if seed in base]
            if seeds and not path.parent.name.startswith("tune_"):
                one, other = ([source[seed]["free"] for seed in seeds] for source in (found, base))
                low, high = interval(one, other)
                (valid, f1), (before, _) = figures(one), figures(other)
                constrained = figures([found[seed]["constrained"] for seed in seeds])[1]
                over = (f"{valid - before:+.1%}", f"{low[0]:+.1%} … {high[0]:+.1%}")
                shown = (f"{f1:.3f}", f"{low[1]:+.3f} … {high[1]:+.3f}", f"{constrained:.3f}")
                lines.append(_row(setting, path.parent.name, str(len(seeds)), f"{valid:.1%}", *over, *shown))
    base_run = json.loads((out / "runs/base/result.json").read_text("utf-8"))
    valid, f1 = figures([np.array(base_run["free"], dtype=float)])
    return "\n".join([*lines, f"\nThe base, untouched: {valid:.1%} valid, F1 {f1:.3f}, free."])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def plot(out: Path, picture: Path) -> None:
    """Draws validity and field F1 of the validation set over steps, of each planned arm: mean over seeds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    panels = itertools.product(_PLOTTED, (("valid", "valid, free"), ("f1", "field F1, free")))
    for place, (setting, (column, title)) in enumerate(panels, 1):
        axes = figure.add_subplot(len(_PLOTTED), 2, place, xlabel="step", title=f"{setting}: {title}")
        for number, arm in enumerate(ARMS):
            files = sorted((out / "runs" / arm / setting).glob("*/held_out.csv"))
            curves = [_curve(path, column) for path in files if _is_done(path)]
            if curves:
                values = [np.mean(points) for points in zip(*(curve.values() for curve in curves), strict=False)]
                axes.plot(
                    list(curves[0])[: len(values)],
                    values,
                    marker="o",
                    color=f"C{number}",
                    label=f"{arm} ({len(curves)})",
                )
        axes.grid(visible=True, alpha=0.3)
        if axes.lines:
            axes.legend()
    figure.savefig(picture, dpi=110)


def _is_done(path: Path) -> bool:
    return (path.parent / "result.json").is_file()


def _curve(path: Path, column: str) -> dict[int, float]:
    with path.open(encoding="utf-8") as file:
        return {int(row["step"]): float(row[column]) for row in csv.DictReader(file)}


def main() -> None:
    """Prints the table, and draws the curves if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of the experiment")
    parser.add_argument("--plot", type=Path, help="file for the curves")
    options = parser.parse_args()
    print(table(options.run))
    if options.plot is not None:
        plot(options.run, options.plot)


if __name__ == "__main__":
    main()
