"""Which of two runs is better, and whether that may be chance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harmony_gen.errors import HarmonyError
from harmony_gen.evaluation import resampling
from harmony_gen.evaluation.evaluating import Options
from harmony_gen.evaluation.scores import Comparison, Counts, Difference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harmony_gen.evaluation.resampling import Floats
    from harmony_gen.evaluation.scores import DocumentScore, Report

_ROUNDING = 1e-12
_OVERALL = (("f1", resampling.f1), ("exact", resampling.share), ("valid", resampling.share))


def compare(first: Report, second: Report, *, options: Options | None = None) -> Comparison:
    """Compares two runs on the documents that both have gold values for, document by document.

    Args:
        first: the run to compare with, a baseline.
        second: the run in question; a gain is its score less that of the first.
        options: how often and with which seed documents are drawn.

    Raises:
        HarmonyError: they have no document in common.
    """
    options = options or Options()
    others = {document.id: document for document in second.documents}
    both = [(document, others[document.id]) for document in first.documents if document.id in others]
    if not both:
        raise HarmonyError("The two runs have no document in common, so they cannot be compared.")
    fields = list(dict.fromkeys(name for pair in both for document in pair for name in document.fields))
    sides = [_tables([pair[side] for pair in both], fields) for side in (0, 1)]
    drawn = [resampling.resampled(tables, options.resamples, options.seed) for tables in sides]
    by_chance = resampling.exchanged(sides[0], sides[1], options.resamples, options.seed)
    scores = [*_OVERALL, *((name, resampling.f1) for name in fields)]
    found = [
        _difference(name, measure, *([of[0][at], of[1][at]] for of in (sides, drawn, by_chance)))
        for at, (name, measure) in enumerate(scores)
    ]
    overall, of_fields = found[: len(_OVERALL)], found[len(_OVERALL) :]
    corrected = resampling.holm([difference.p for difference in of_fields])
    return Comparison(
        len(both),
        tuple(overall),
        tuple(replace(difference, p=p) for difference, p in zip(of_fields, corrected, strict=True)),
    )


def _tables(documents: Sequence[DocumentScore], fields: Sequence[str]) -> list[Floats]:
    """What the scores of one run are made of, a row for each document."""
    whole = resampling.table([sum(document.fields.values(), Counts()) for document in documents])
    shares = [
        np.array([(one, True) for one in flags], dtype=np.float64)
        for flags in zip(*((document.is_exact, document.is_valid) for document in documents), strict=True)
    ]
    nothing = Counts()
    return [
        whole,
        *shares,
        *(resampling.table([document.fields.get(name, nothing) for document in documents]) for name in fields),
    ]


def _difference(
    name: str,
    measure: Callable[[Floats], Floats],
    sides: Sequence[Floats],
    drawn: Sequence[Floats],
    by_chance: Sequence[Floats],
) -> Difference:
    first, second = (measure(side.sum(axis=0)) for side in sides)
    gain = resampling.estimate(second - first, measure(drawn[1]) - measure(drawn[0]))
    values = [None if np.isnan(value) else float(value) for value in (first, second)]
    if gain.value is None:
        return Difference(name, values[0], values[1], gain, 1.0)
    gains = np.nan_to_num(np.abs(measure(by_chance[1]) - measure(by_chance[0])))
    at_least = int(np.sum(gains >= abs(gain.value) - _ROUNDING))
    return Difference(name, values[0], values[1], gain, (1 + at_least) / (1 + len(gains)))
