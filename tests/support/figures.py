"""Figures that suites count, kept in files so that several test workers can add to one table."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "build" / "figures"


def clear() -> None:
    """Forgets the figures of an earlier run."""
    shutil.rmtree(FOLDER, ignore_errors=True)


def count(suite: str, row: str, **figures: float) -> None:
    """Adds to the figures in a row of a suite's table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{suite}.{os.getpid()}.jsonl").open("a") as file:
        file.write(json.dumps([row, figures]) + "\n")


def tables() -> list[str]:
    """Lines of all tables."""
    suites = sorted({path.name.split(".")[0] for path in FOLDER.glob("*.jsonl")})
    return [line for suite in suites for line in (suite, *_rows(suite), "")]


def _rows(suite: str) -> list[str]:
    sums: dict[str, dict[str, float]] = {}
    for path in sorted(FOLDER.glob(f"{suite}.*.jsonl")):
        for row, figures in map(json.loads, path.read_text().splitlines()):
            known = sums.setdefault(row, {})
            for name, figure in figures.items():
                known[name] = known.get(name, 0) + figure
    return [
        f"  {row:<32}" + "  ".join(f"{name} {round(figure, 3):,}" for name, figure in sums[row].items())
        for row in sorted(sums)
    ]
