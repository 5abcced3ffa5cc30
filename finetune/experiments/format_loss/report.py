"""The table of the experiment: means over seeds, and paired bootstrap intervals of what an arm has over ce.

    python -m finetune.experiments.format_loss.report RUN

Test documents are drawn anew, the same for both arms, and so are seeds (Efron and Tibshirani 1993).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

_DRAWS = 2000
_WAYS = ("free", "constrained")


def results(out: Path, arm: str, setting: str) -> list[dict[str, np.ndarray]]:
    """For each seed that is done, (documents, 4) counts by way: valid, right fields, given fields, gold fields."""
    files = sorted((out / "runs" / arm / setting).glob("*/result.json"))
    read = [json.loads(path.read_text("utf-8")) for path in files]
    return [{way: np.array(one[way], dtype=float) for way in _WAYS} for one in read]


def figures(seeds: list[np.ndarray]) -> tuple[float, float]:
    """Valid share and field F1, over all seeds."""
    valid, right, given, gold = np.concatenate(seeds).sum(axis=0)
    return valid / sum(map(len, seeds)), 2 * right / max(given + gold, 1)


def interval(arm: list[np.ndarray], base: list[np.ndarray]) -> np.ndarray:
    """(2, 2): the 2.5th and 97.5th percentile of the differences of valid share and field F1."""
    random = np.random.default_rng(0)
    count = len(arm[0])
    differences = []
    for _ in range(_DRAWS):
        rows = random.integers(count, size=count)
        pairs = random.integers(min(len(arm), len(base)), size=len(arm))
        one, other = ([source[seed][rows] for seed in pairs] for source in (arm, base))
        differences.append(np.subtract(figures(one), figures(other)))
    found: np.ndarray = np.percentile(differences, [2.5, 97.5], axis=0)
    return found


def table(out: Path) -> str:
    """All that is done, as Markdown."""
    names = ("setting", "arm", "seeds", "valid, free", "over ce", "F1, free", "over ce", "F1, constrained")
    lines = [_row(*names), "|---|---" + "|--:" * 6 + "|"]
    for setting in ("unseen", "adapt"):
        base = results(out, "ce", setting)
        for path in sorted((out / "runs").glob(f"*/{setting}")):
            seeds = results(out, path.parent.name, setting)
            if not seeds or path.parent.name.startswith("tune_"):
                continue
            valid, f1 = figures([one["free"] for one in seeds])
            low, high = interval([one["free"] for one in seeds], [one["free"] for one in base])
            constrained = figures([one["constrained"] for one in seeds])[1]
            over = (f"{low[0]:+.1%} … {high[0]:+.1%}", f"{low[1]:+.3f} … {high[1]:+.3f}")
            shown = (f"{valid:.1%}", over[0], f"{f1:.3f}", over[1], f"{constrained:.3f}")
            lines.append(_row(setting, path.parent.name, str(len(seeds)), *shown))
    base_run = json.loads((out / "runs/base/result.json").read_text("utf-8"))
    valid, f1 = figures([np.array(base_run["free"], dtype=float)])
    return "\n".join([*lines, f"\nThe base, untouched: {valid:.1%} valid, F1 {f1:.3f}, free."])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(table(Path(sys.argv[1])))
