"""How sure the embedded model is: what is measured, not what comes out."""

from __future__ import annotations

from finetune.embedded.certainty import THRESHOLDS, Abstention, _at, abstentions, calibrated, demanding
from finetune.embedded.evaluate import tasks
from harmony_gen import Generator


def test_calibration_and_abstention_are_measured(embedded: Generator) -> None:
    listed = tasks("fresh", 7, 1)
    found = calibrated(embedded, listed)
    assert [one.method for one in found] == ["isotonic", "platt"]
    assert all(one.count >= 20 and 0 <= one.error_after <= 1 for one in found)
    measured = abstentions(embedded, listed[:3])
    assert [one.threshold for one in measured] == list(THRESHOLDS)
    recalls = [one.recall for one in measured]
    assert recalls == sorted(recalls, reverse=True)


def test_precision_and_recall_at_a_threshold() -> None:
    pairs = [(0.9, True), (0.8, False), (0.4, True), (0.1, False)]
    assert _at(0.5, pairs) == Abstention(0.5, 0.5, 0.5)
    assert _at(0.4, pairs) == Abstention(0.4, 2 / 3, 1.0)
    assert _at(0.95, pairs).f1 == 0.0
    assert _at(0.5, pairs).f1 == 0.5


def test_schemas_are_made_demanding() -> None:
    wanted = {"properties": {"a": {"type": "string"}, "b": {"enum": ["x"]}, "c": {"anyOf": [{"type": "number"}]}}}
    lax = {
        "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"enum": ["x", None]},
            "c": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        }
    }
    assert demanding(lax) == wanted == demanding(wanted)
