"""Confidences that mean what they say: of values with confidence 0.8, eight in ten are right.

What a model thinks of its tokens is a good order, but no probability of being right. A calibration maps one to the
other; it is fitted on labelled answers, by isotonic regression (pool adjacent violators; Miriam Ayer et al., "An
empirical distribution function for sampling with incomplete information", 1955) or by a logistic curve (John Platt,
"Probabilistic outputs for support vector machines", 1999).
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from dataclasses import asdict, dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony_gen.equality import same
from harmony_gen.errors import ModelError
from harmony_gen.request import written
from harmony_gen.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harmony_gen.result import Field

FILE = "calibration.json"
"""Where an adapter's folder keeps it."""

METHODS = ("isotonic", "platt")
_FEWEST = 20
_FOLDS = 5
_BINS = 10
_STEPS = 100
_CURVE = tuple(number / 100 for number in range(101))
"""Where the logistic curve is kept."""


@dataclass(frozen=True)
class Calibration:
    """A map from what a model thinks of a value to how probable it is that the value is right.

    Attributes:
        points: pairs of the one and the other, in [0, 1], both ascending; between them lie straight lines.
        method: "isotonic" or "platt".
        count: values it was fitted on.
        error_before: expected calibration error of what the model thinks, in [0, 1]; see `expected_error`.
        error_after: the same of what is made of it, each fifth of the values judged by the others.
    """

    points: tuple[tuple[float, float], ...]
    method: str
    count: int
    error_before: float
    error_after: float

    def apply(self, confidence: float) -> float:
        """The probability that a value of a confidence in [0, 1] is right."""
        at = bisect_right(self.points, (confidence, math.inf))
        if at == 0 or at == len(self.points):
            return self.points[min(at, len(self.points) - 1)][1]
        (low, one), (high, other) = self.points[at - 1 : at + 1]
        return one + (other - one) * (confidence - low) / (high - low)

    def save(self, folder: str | Path) -> None:
        """Writes it to a folder, of an adapter as a rule; `Generator.from_pretrained(adapter=…)` finds it there."""
        (Path(folder) / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")

    @staticmethod
    def load(folder: str | Path) -> Calibration:
        """Reads it from a folder.

        Raises:
            ModelError: there is none that can be read.
        """
        path = Path(folder) / FILE
        try:
            found = json.loads(path.read_text("utf-8"))
            points = tuple((float(low), float(right)) for low, right in found.pop("points"))
            calibration = Calibration(points, **found)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(f"{path} holds no calibration: {error}. Write it with Calibration.save.") from error
        if not points or any(one >= other for (one, _), (other, _) in pairwise(points)):
            raise ModelError(f"{path} holds no calibration: its points must ascend.")
        return calibration


def fitted(confidences: Sequence[float], right: Sequence[bool], method: str = "isotonic") -> Calibration:
    """Fits a calibration.

    Args:
        confidences: of values, in [0, 1].
        right: whether each was right.
        method: "isotonic", or "platt", which needs fewer values and bends less.

    Raises:
        ValueError: there are fewer than 20 values, or there is no such method.
    """
    if method not in METHODS:
        message = f"method must be one of {', '.join(METHODS)}; it is {method!r}."
        raise ValueError(message)
    if len(confidences) != len(right) or len(right) < _FEWEST:
        message = f"A calibration needs at least {_FEWEST} labelled values; there are {len(right)}."
        raise ValueError(message)
    pairs = list(zip(confidences, map(float, right), strict=True))
    after = [0.0] * len(pairs)
    for fold in range(_FOLDS):
        others = _map([pair for number, pair in enumerate(pairs) if number % _FOLDS != fold], method)
        for number in range(fold, len(pairs), _FOLDS):
            after[number] = others.apply(confidences[number])
    found = _map(pairs, method)
    return Calibration(
        found.points, method, len(pairs), expected_error(confidences, right), expected_error(after, right)
    )


def kept_with(adapter: str | None) -> Calibration | None:
    """The calibration that lies in the folder of an adapter; None without one."""
    return None if adapter is None or not (Path(adapter) / FILE).is_file() else Calibration.load(adapter)


@dataclass(frozen=True, slots=True)
class Bin:
    """Values of like confidence.

    Attributes:
        low: where this part of [0, 1] begins.
        high: where it ends.
        count: values whose confidence lies there.
        confidence: its mean over them.
        right: the share of them that is right.
    """

    low: float
    high: float
    count: int
    confidence: float
    right: float


def reliability(confidences: Sequence[float], right: Sequence[bool], bins: int = _BINS) -> tuple[Bin, ...]:
    """Values by their confidence.

    Args:
        confidences: of values, in [0, 1].
        right: whether each was right.
        bins: parts of equal width that [0, 1] is cut into.

    Returns:
        The parts that hold a value, in order.
    """
    groups: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for confidence, is_right in zip(confidences, right, strict=True):
        groups[min(int(confidence * bins), bins - 1)].append((confidence, is_right))
    return tuple(
        Bin(
            number / bins,
            (number + 1) / bins,
            len(group),
            sum(confidence for confidence, _ in group) / len(group),
            sum(is_right for _, is_right in group) / len(group),
        )
        for number, group in enumerate(groups)
        if group
    )


def expected_error(confidences: Sequence[float], right: Sequence[bool], bins: int = _BINS) -> float:
    """Expected calibration error: how far confidences lie from the share of right values, on average.

    Args:
        confidences: of values, in [0, 1].
        right: whether each was right.
        bins: parts of equal width that [0, 1] is cut into.

    Returns:
        In [0, 1]; 0 for no values.
    """
    parts = reliability(confidences, right, bins)
    return sum(part.count * abs(part.confidence - part.right) for part in parts) / max(len(confidences), 1)


def _map(pairs: Sequence[tuple[float, float]], method: str) -> Calibration:
    points = _isotonic(pairs) if method == "isotonic" else _platt(pairs)
    return Calibration(points, method, len(pairs), 0.0, 0.0)


def _isotonic(pairs: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The best map that never falls; one point in the middle of each part where it is level."""
    blocks: list[tuple[float, float, int]] = []  # sums of both, and how many
    for confidence, group in groupby(sorted(pairs), key=lambda pair: pair[0]):
        labels = [right for _, right in group]
        block = (confidence * len(labels), sum(labels), len(labels))
        while blocks and blocks[-1][1] * block[2] >= block[1] * blocks[-1][2]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    points = [(confidence / count, right / count) for confidence, right, count in blocks]
    return tuple(point for number, point in enumerate(points) if not number or point[0] > points[number - 1][0])


def _platt(pairs: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """A logistic curve of the log odds, by Newton's method, with Platt's targets against certainty."""
    positive = sum(right for _, right in pairs)
    high, low = (positive + 1) / (positive + 2), 1 / (len(pairs) - positive + 2)
    data = [(_odds(confidence), high if right else low) for confidence, right in pairs]
    slope, shift = 1.0, 0.0
    for _ in range(_STEPS):
        predicted = [(x, _logistic(slope * x + shift), wanted) for x, wanted in data]
        weights = [(x, guess * (1 - guess) + 1e-12) for x, guess, _ in predicted]
        by_slope = sum((guess - wanted) * x for x, guess, wanted in predicted)
        by_shift = sum(guess - wanted for _, guess, wanted in predicted)
        xx, x1, one = (sum(weight * x**power for x, weight in weights) for power in (2, 1, 0))
        determinant = xx * one - x1 * x1 + 1e-9
        step = (one * by_slope - x1 * by_shift) / determinant, (xx * by_shift - x1 * by_slope) / determinant
        slope, shift = max(slope - step[0], 0.0), shift - step[1]
        if max(map(abs, step)) < 1e-9:  # noqa: PLR2004 - far below what matters
            break
    return tuple((confidence, _logistic(slope * _odds(confidence) + shift)) for confidence in _CURVE)


def _odds(confidence: float) -> float:
    kept = min(max(confidence, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def learned(rows: Iterable[tuple[Mapping[str, Field], Any, Any]], method: str) -> Calibration:
    """Fits a calibration to answers.

    Args:
        rows: the fields of answers, the schemas they were asked for, and the right values.
        method: see `fitted`.

    Raises:
        ValueError: there are fewer than 20 fields, or there is no such method.
        ValidationError: a right value is not valid.
    """
    pairs: list[tuple[float, bool]] = []
    for fields, schema, value in rows:
        compiled = Schema.of(schema)
        gold = {item.pointer: item.value for item in compiled.scalars(written(compiled, value).encode())}
        pairs += outcomes(fields, gold)
    return fitted([one for one, _ in pairs], [right for _, right in pairs], method)


def outcomes(fields: Mapping[str, Field], gold: Mapping[str, Any]) -> list[tuple[float, bool]]:
    """For each field of an answer, what the model thought of it and whether it is right.

    Args:
        fields: by pointer, as in `Result.fields`.
        gold: the right values, by pointer.
    """
    return [
        (field.probability, pointer in gold and same(field.value, gold[pointer])) for pointer, field in fields.items()
    ]
