"""Confidences that mean what they say."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen import Generator, ModelError, Sampling
from harmony_gen.calibration import FILE, Calibration, expected_error, fitted, kept_with, outcomes

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 8}, "paid": {"type": "boolean"}, "sum": {"type": "integer"}},
    "required": ["name", "paid", "sum"],
    "additionalProperties": False,
}


def overconfident(count: int) -> tuple[list[float], list[bool]]:
    """Confidences whose squares are the truth."""
    draw = random.Random(0)
    confidences = [draw.random() for _ in range(count)]
    return confidences, [draw.random() < confidence**2 for confidence in confidences]


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_calibrated_confidences_are_nearer_the_truth(method: str) -> None:
    found = fitted(*overconfident(3000), method)
    assert found.error_before > 0.12
    assert found.error_after < 0.05
    assert abs(found.apply(0.5) - 0.25) < 0.06
    fresh, right = overconfident(500)
    assert expected_error([found.apply(one) for one in fresh], right) < 0.06


labelled = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=20, max_size=60)


@given(labelled, st.sampled_from(["isotonic", "platt"]), st.floats(0, 1), st.floats(0, 1))
def test_maps_stay_in_bounds_and_never_fall(
    pairs: list[tuple[float, bool]], method: str, one: float, other: float
) -> None:
    found = fitted([pair[0] for pair in pairs], [pair[1] for pair in pairs], method)
    low, high = sorted((one, other))
    assert 0 <= found.apply(low) <= found.apply(high) + 1e-12 <= 1 + 1e-9
    assert 0 <= found.error_after <= 1


def test_isotonic_regression_pools_those_that_violate_the_order() -> None:
    confidences = [0.1] * 10 + [0.2] * 10 + [0.9] * 10
    right = [True] * 5 + [False] * 5 + [True] * 2 + [False] * 8 + [True] * 10
    assert fitted(confidences, right).points == (
        (pytest.approx(0.15), pytest.approx(0.35)),
        (pytest.approx(0.9), pytest.approx(1.0)),
    )


def test_expected_error_is_the_mean_gap() -> None:
    assert expected_error([], []) == 0
    assert expected_error([1.0, 1.0], [True, True]) == 0
    assert expected_error([0.75] * 4, [True, False, False, False]) == pytest.approx(0.5)
    assert expected_error([0.05, 0.95], [True, False]) == pytest.approx(0.95)


@pytest.mark.parametrize(("count", "method"), [(19, "isotonic"), (30, "magic")])
def test_other_data_are_refused(count: int, method: str) -> None:
    with pytest.raises(ValueError, match=r"at least 20|isotonic, platt"):
        fitted([0.5] * count, [True] * count, method)


def test_a_generator_learns_what_its_confidences_mean(tiny: Generator, tmp_path: Path) -> None:
    cases = [(f"text {number}", SCHEMA, {"name": "a", "paid": bool(number % 2), "sum": 1}) for number in range(9)]
    sampling = Sampling(temperature=1.0, seed=1)
    try:
        found = tiny.calibrate(cases, sampling=sampling, max_new_tokens=60)
        assert found.count == 27
        found.save(tmp_path)
        assert Calibration.load(tmp_path) == found == kept_with(str(tmp_path))
        field = tiny.generate("text 1", SCHEMA, sampling=sampling, max_new_tokens=60).fields["/paid"]
        assert field.confidence == found.apply(field.probability)
    finally:
        tiny.calibration = None
    field = tiny.generate("text 1", SCHEMA, sampling=sampling, max_new_tokens=60).fields["/paid"]
    assert field.confidence == field.probability
    assert kept_with(None) is None
    assert kept_with(str(tmp_path / "none")) is None


def test_numbers_are_no_booleans(tiny: Generator) -> None:
    fields = tiny.generate("x", {"enum": [True]}).fields
    assert [right for _, right in outcomes(fields, {"": True})] == [True]
    assert [right for _, right in outcomes(fields, {"": 1})] == [False]
    assert [right for _, right in outcomes(fields, {})] == [False]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", json.dumps({"points": [[1, 2], [0, 1]], "method": "x", "count": 1}), '{"points": []}']
)
def test_broken_files_are_named(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(ModelError, match="holds no calibration"):
        kept_with(str(tmp_path))
