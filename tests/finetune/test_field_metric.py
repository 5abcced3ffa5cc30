from __future__ import annotations

from typing import Any

from finetune.embedded import metric
from finetune.embedded.metric import MISSING, score

SCHEMA: dict[str, Any] = {
    "properties": {
        "name": {"type": "string"},
        "status": {"enum": ["open", "paid"]},
        "due": {"type": "string", "format": "date"},
        "total": {"type": "number"},
        "items": {"items": {"properties": {"a/b": {"type": "integer"}}}},
        "done": {"type": "boolean"},
        "note": {"type": ["string", "null"]},
    }
}
GOLD = {
    "name": "Ann",
    "status": "paid",
    "due": "2025-01-02",
    "total": 3.0,
    "items": [{"a/b": 1}, {"a/b": 2}],
    "done": True,
    "note": None,
}


def test_right_answer() -> None:
    made = score(GOLD, {**GOLD, "total": 3}, SCHEMA)
    assert made.accuracy() == made.recall() == made.exactness() == 1
    assert made.union == {
        "string": 1, "enum": 1, "date": 1, "number": 3, "boolean": 1, "null": 1,
    }  # fmt: skip


def test_leaves_of_the_answer_alone_count_against_it() -> None:
    made = score({"items": [{"a/b": 1}]}, {"items": [{"a/b": 1}, {"a/b": 7}]}, SCHEMA)
    assert made.accuracy() == 0.5
    assert made.recall() == 1
    assert made.exactness() == 0


def test_leaves_that_are_missing_or_wrong() -> None:
    made = score({"name": "Ann", "total": 3}, {"name": "Anna"}, SCHEMA)
    assert made.accuracy() == 0
    assert made.gold == {"string": 1, "number": 1}


def test_no_answer() -> None:
    made = score(GOLD, MISSING, SCHEMA)
    assert made.accuracy() == made.exactness() == 0
    assert made.union == made.gold


def test_leaves_by_pointer() -> None:
    value = {"a/b": {"~": 1}, "list": [[], {"x": None}]}
    assert metric.leaves(value) == {"/a~1b/~0": 1, "/list/0": [], "/list/1/x": None}


def test_scores_add_up() -> None:
    both = score(GOLD, GOLD, SCHEMA) + score(GOLD, MISSING, SCHEMA)
    assert both.accuracy() == both.exactness() == 0.5
    assert both.by_type()["number"] == 0.5
