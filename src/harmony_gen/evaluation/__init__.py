"""How good answers are: scores of fields, of confidences and of spans, with how sure they are.

`evaluate(answers, gold, schema)` gives a `Report`; `compare(before, report)` says which run is better, and whether that
may be chance.
"""

from harmony_gen.equality import Equality
from harmony_gen.evaluation.comparing import compare
from harmony_gen.evaluation.evaluating import Options, evaluate
from harmony_gen.evaluation.records import Answer, Gold, Located
from harmony_gen.evaluation.scores import (
    Comparison,
    Counts,
    Difference,
    DocumentScore,
    Estimate,
    FieldScore,
    Mistake,
    Reliability,
    Report,
    SpanScore,
)

__all__ = [
    "Answer",
    "Comparison",
    "Counts",
    "Difference",
    "DocumentScore",
    "Equality",
    "Estimate",
    "FieldScore",
    "Gold",
    "Located",
    "Mistake",
    "Options",
    "Reliability",
    "Report",
    "SpanScore",
    "compare",
    "evaluate",
]
