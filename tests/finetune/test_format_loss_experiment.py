"""The experiment's tasks and its statistics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from finetune.experiments.format_loss import report
from finetune.experiments.format_loss.tasks import lines
from harmony_gen import Schema

if TYPE_CHECKING:
    from pathlib import Path


def test_tasks_are_valid_nested_and_the_same_each_time() -> None:
    drawn = list(lines("test", 8, 3))
    assert drawn == list(lines("test", 8, 3))
    assert {json.dumps(one) for one in drawn}.isdisjoint(map(json.dumps, lines("train", 8, 3)))
    for one in drawn:
        assert Schema.of(one["schema"]).validate(json.dumps(one["output"])) == one["output"]
        constants = [name for name, field in one["schema"]["properties"].items() if "const" in field]
        assert len(constants) == 1
        assert any(isinstance(value, dict | list) for value in one["output"].values())


def result(folder: Path, valid: list[bool], right: int) -> None:
    folder.mkdir(parents=True)
    rows = [[is_valid, right, 4, 4] for is_valid in valid]
    (folder / "result.json").write_text(json.dumps({"free": rows, "constrained": rows}))


def test_intervals_are_of_pairs(tmp_path: Path) -> None:
    """An arm that is right wherever the other is, and in one document of four more, is better with certainty."""
    base = [True, False] * 50
    better = [True, False, True, True] * 25
    for seed in ("0", "1"):
        result(tmp_path / "runs/ce/unseen" / seed, base, 2)
        result(tmp_path / "runs/first_error/unseen" / seed, better, 3)
    result(tmp_path / "runs/base", base, 1)
    arm, other = ([one["free"] for one in report.results(tmp_path, name, "unseen")] for name in ("first_error", "ce"))
    assert report.figures(arm) == pytest.approx((0.75, 0.75))
    (low, f1_low), (high, f1_high) = report.interval(arm, other)
    assert 0.15 < low < 0.25 < high < 0.35
    assert f1_low == f1_high == pytest.approx(0.25)
    assert "| unseen | first_error | 2 | 75.0% |" in report.table(tmp_path)
