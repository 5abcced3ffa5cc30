"""How sure scores are: bootstrap intervals and permutation tests. Documents are what is drawn, not values.

Bradley Efron, "Bootstrap methods: another look at the jackknife", 1979; Alexander Yeh, "More accurate tests for the
statistical significance of result differences", 2000; Sture Holm, "A simple sequentially rejective multiple test
procedure", 1979.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harmony_gen.evaluation.scores import Counts, Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ENDS = (2.5, 97.5)

RIGHT, GIVEN, GOLD = range(3)
"""What is counted of a document: see `table`."""


def table(counts: Sequence[Counts]) -> Floats:
    """Right, given and gold values, (documents, 3)."""
    return np.array([(one.right, one.given, one.gold) for one in counts], dtype=np.float64).reshape(-1, 3)


def precision(totals: Floats) -> Floats:
    """Right by given of totals (…, 3); nan where nothing is given."""
    return ratio(totals[..., RIGHT], totals[..., GIVEN])


def recall(totals: Floats) -> Floats:
    """Right by gold of totals (…, 3); nan where there is no gold value."""
    return ratio(totals[..., RIGHT], totals[..., GOLD])


def f1(totals: Floats) -> Floats:
    """Harmonic mean of both of totals (…, 3); nan where there is no value at all."""
    return ratio(2 * totals[..., RIGHT], totals[..., GIVEN] + totals[..., GOLD])


def share(totals: Floats) -> Floats:
    """The first of two numbers by the second, of totals (…, 2)."""
    return ratio(totals[..., 0], totals[..., 1])


def ratio(part: Floats, whole: Floats) -> Floats:
    """One by the other, elementwise; nan for nothing."""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def resampled(tables: Sequence[Floats], resamples: int, seed: int) -> list[Floats]:
    """Totals of documents drawn with replacement; all tables count the same draws.

    Args:
        tables: of the same documents, (documents, n) each.
        resamples: how often as many documents are drawn.
        seed: of the draws.

    Returns:
        (resamples, n) for each.
    """
    rng = np.random.default_rng(seed)
    counts = np.concatenate(tables, axis=1)
    size = len(counts)
    found = [np.bincount(rng.integers(size, size=size), minlength=size) @ counts for _ in range(resamples)]
    return np.split(np.array(found), np.cumsum([table.shape[1] for table in tables])[:-1], axis=1)


def estimate(score: Floats, draws: Floats) -> Estimate:
    """A score with the middle 95 % of what it is for drawn documents.

    Args:
        score: a single number; nan for none.
        draws: the same for drawn documents, (resamples,); nan counts for nothing.
    """
    value = float(score)
    if math.isnan(value):
        return Estimate(None, None, None)
    kept = draws[~np.isnan(draws)]
    low, high = np.percentile(kept, _ENDS) if len(kept) else (value, value)
    return Estimate(value, float(low), float(high))


def exchanged(
    first: Sequence[Floats], second: Sequence[Floats], resamples: int, seed: int
) -> tuple[list[Floats], list[Floats]]:
    """Totals of two runs after each document's answers have changed places, or not, by chance.

    Args:
        first: tables of the first run, (documents, n) each.
        second: those of the second one, of the same documents.
        resamples: how often.
        seed: of the choices.

    Returns:
        (resamples, n) for each table of either.
    """
    rng = np.random.default_rng(seed)
    sides = [np.concatenate(tables, axis=1) for tables in (first, second)]
    moved = np.array([rng.integers(2, size=len(sides[0])) @ (sides[1] - sides[0]) for _ in range(resamples)])
    ends = np.cumsum([table.shape[1] for table in first])[:-1]
    one, other = (np.split(totals, ends, axis=1) for totals in (sides[0].sum(0) + moved, sides[1].sum(0) - moved))
    return one, other


def holm(values: Sequence[float]) -> list[float]:
    """Probabilities of several tests, corrected so that all hold together."""
    corrected, least = [0.0] * len(values), 0.0
    for rank, at in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        least = max(least, min(1.0, values[at] * (len(values) - rank)))
        corrected[at] = least
    return corrected
