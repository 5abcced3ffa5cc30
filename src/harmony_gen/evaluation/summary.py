"""A report in words and figures: what the terminal, Markdown and the page show alike."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harmony_gen.evaluation.records import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony_gen.evaluation.scores import Comparison, Difference, Estimate, FieldScore, Report, SpanScore

NONE = "–"
_LONGEST = 60
"""Characters of a value that are shown in a table."""
_LOW = 0.001


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts.

    Attributes:
        title: what it is about.
        columns: their names; the first holds names, the others hold figures.
        rows: a text for each column.
        note: how to read it; may be empty.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def percent(share: float | None) -> str:
    """A share in per cent."""
    return NONE if share is None else f"{100 * share:.1f}"


def points(gain: float | None) -> str:
    """A difference of two shares in points, with its sign."""
    return NONE if gain is None else f"{round(100 * gain, 1) + 0.0:+.1f}".replace("-", "−")


def interval(estimate: Estimate) -> str:
    """From where to where, in per cent."""
    return NONE if estimate.low is None else f"{percent(estimate.low)} … {percent(estimate.high)}"


def shown(value: Any, most: int = _LONGEST) -> str:
    """A value as JSON, cut if it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def readable(text: str) -> str:
    """A text without characters that a terminal would obey, or no file can hold."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def probability(p: float) -> str:
    """A probability of chance."""
    return f"< {_LOW}" if p < _LOW else f"{p:.3f}"


def facts(report: Report) -> list[tuple[str, str]]:
    """What there is to know beside the scores: names and texts."""
    found = [("Documents", str(len(report.documents)))]
    if report.failed:
        first = report.failed[0].error
        found.append(("Failed", f"{len(report.failed)}: {named(one.id for one in report.failed)}; the first: {first}"))
    if report.unanswered:
        found.append(("Gold values without an answer", f"{len(report.unanswered)}: {named(report.unanswered)}"))
    if report.superfluous:
        found.append(("Answers without a gold value", f"{len(report.superfluous)}: {named(report.superfluous)}"))
    if report.overall.spans is not None:
        found.append(("Spans", spans(report.overall.spans)))
    if report.reliability is not None:
        error, count = percent(report.reliability.error), report.reliability.count
        found.append(("Expected calibration error", f"{error} % of {count} confidences"))
    if report.allowed_mass is not None:
        found.append(("Probability of what the schema allows", f"{percent(report.allowed_mass)} %"))
    return found


def spans(score: SpanScore) -> str:
    """How well values were found in the source."""
    exact = percent(score.exact / score.gold)
    return f"{exact} % of {score.gold} are exact, overlap {percent(score.overlap)} %"


def tables(report: Report, baseline: Comparison | None = None, schema: Comparison | None = None) -> list[Table]:
    """All tables of a report, but for its mistakes.

    Args:
        report: the report.
        baseline: how it compares with an earlier run.
        schema: how it compares with free answers.
    """
    found = [scores(report), fields(report.fields)]
    if schema is not None:
        found.append(differences("What the schema does", "free", schema))
    if baseline is not None:
        found.append(differences("Against the baseline", "baseline", baseline))
    return found


def scores(report: Report) -> Table:
    """The scores of all fields together."""
    overall = report.overall
    listed = [
        ("F1 of all values", overall.f1),
        ("Precision", overall.precision),
        ("Recall", overall.recall),
        ("Documents right as a whole", overall.exact),
        ("Valid documents", report.valid),
    ]
    rows = [(name, percent(one.value), interval(one)) for name, one in listed]
    rows.append(("Mean F1 of fields", percent(report.macro_f1), NONE))
    return Table("Scores", ("", "%", "95 % interval"), tuple(rows))


def fields(listed: Sequence[FieldScore]) -> Table:
    """A row for each field."""
    columns = ("field", "right", "wrong", "missing", "invented", "precision", "recall", "F1", "95 % interval", "exact")
    rows = []
    for field in listed:
        counts = (field.counts.right, field.counts.wrong, field.counts.missing, field.counts.invented)
        shares = (field.precision, field.recall, field.f1)
        figures = [percent(one.value) for one in shares]
        rows.append(
            (field.field or "(all)", *map(str, counts), *figures, interval(field.f1), percent(field.exact.value))
        )
    note = (
        "Wrong: another value than the gold one. Missing: none where there is a gold one. Invented: one where there is "
        "none. Exact: documents without a fault in the field."
    )
    return Table("Fields", columns, tuple(rows), note)


def differences(title: str, first: str, comparison: Comparison) -> Table:
    """Two runs beside each other."""
    names = {"f1": "F1 of all values", "exact": "Documents right as a whole", "valid": "Valid documents"}
    rows = [_difference(names[one.name], one) for one in comparison.overall]
    rows += [_difference(one.name or "(all)", one) for one in comparison.fields]
    note = (
        f"On {comparison.documents} documents. Gains in points; p is the probability of such a gain by chance "
        "(permutation test; of fields by Holm's correction)."
    )
    return Table(title, ("", first, "this run", "gain", "95 % interval", "p"), tuple(rows), note)


def _difference(name: str, one: Difference) -> tuple[str, ...]:
    gain = one.gain
    ends = NONE if gain.low is None else f"{points(gain.low)} … {points(gain.high)}"
    return name, percent(one.first), percent(one.second), points(gain.value), ends, probability(one.p)


def mistakes(report: Report, most: int) -> Table:
    """The first mistakes of a report: those of which the model was most confident."""
    rows = tuple(
        (
            one.id,
            one.pointer or one.gold_pointer or one.field or "(all)",
            one.fault,
            NONE if one.fault == "invented" else shown(one.gold),
            NONE if one.fault == "missing" else shown(one.given),
            NONE if one.confidence is None else f"{one.confidence:.2f}",
        )
        for one in report.mistakes[:most]
    )
    title = f"Mistakes ({len(rows)} of {len(report.mistakes)}, confident ones first)"
    return Table(title, ("document", "place", "fault", "gold", "answer", "confidence"), rows)
