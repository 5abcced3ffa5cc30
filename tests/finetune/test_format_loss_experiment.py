"""The experiment's tasks and its statistics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from finetune.experiments.format_loss import report
from finetune.experiments.format_loss.run import SMALL, Experiment
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


def test_few_have_labels_where_they_are_scarce(tmp_path: Path) -> None:
    Experiment(tmp_path, None, SMALL)
    texts = {name: (tmp_path / f"{name}.jsonl").read_text("utf-8") for name in ("train", "scarce", "test")}
    train, scarce, test = ([json.loads(line) for line in text.splitlines()] for text in texts.values())
    (forms, documents), (_, each) = SMALL.scarce, SMALL.train
    chosen = [row for place, row in enumerate(train) if place // each < forms and place % each < documents]
    assert len(chosen) == forms * documents
    assert [row for row in scarce if "output" in row] == chosen
    assert [row["text"] for row in scarce] == [row["text"] for row in train]
    assert {row["text"] for row in test}.isdisjoint(row["text"] for row in train)


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
    both = (report.results(tmp_path, name, "unseen").values() for name in ("first_error", "ce"))
    arm, other = ([one["free"] for one in seeds] for seeds in both)
    assert report.figures(arm) == pytest.approx((0.75, 0.75))
    (low, f1_low), (high, f1_high) = report.interval(arm, other)
    assert 0.15 < low < 0.25 < high < 0.35
    assert f1_low == f1_high == pytest.approx(0.25)
    assert "| unseen | first_error | 2 | 75.0% |" in report.table(tmp_path)


def test_seeds_are_compared_with_themselves(tmp_path: Path) -> None:
    """Seeds differ much, arms do not: an arm that lacks a seed is still no better."""
    for seed, share in (("0", 10), ("1", 90), ("2", 50)):
        valid = [place < share for place in range(100)]
        result(tmp_path / "runs/ce/unseen" / seed, valid, 2)
        if seed != "1":
            result(tmp_path / "runs/gold/unseen" / seed, valid, 2)
    result(tmp_path / "runs/base", [True] * 100, 1)
    assert "| unseen | gold | 2 | 30.0% | +0.0% | +0.0% … +0.0% |" in report.table(tmp_path)


def test_curves_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: no curves were drawn")
    folder = tmp_path / "runs/ce/unseen/0"
    result(folder, [True], 1)
    (folder / "held_out.csv").write_text("step,ce,valid,f1\n0,1.0,0.1,0.2\n30,0.9,0.5,0.3\n")
    report.plot(tmp_path, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
