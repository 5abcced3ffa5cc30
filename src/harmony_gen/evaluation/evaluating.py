"""From answers and gold values to a report."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harmony_gen.calibration import expected_error, reliability
from harmony_gen.equality import Equality
from harmony_gen.errors import HarmonyError
from harmony_gen.evaluation import resampling
from harmony_gen.evaluation.alignment import pairs
from harmony_gen.evaluation.records import Answer, Gold, Located, by_id, named
from harmony_gen.evaluation.scores import (
    Counts,
    DocumentScore,
    FieldScore,
    Mistake,
    Reliability,
    Report,
    SpanScore,
)
from harmony_gen.evaluation.tree import Reader
from harmony_gen.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from harmony_gen.evaluation.resampling import Floats
    from harmony_gen.evaluation.scores import Estimate, Fault
    from harmony_gen.evaluation.tree import Leaf
    from harmony_gen.result import Span

_NOTHING = Located()
_MISSING = "there is no record of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How answers are judged.

    Attributes:
        equality: what makes no difference between two values.
        resamples: how often documents are drawn anew for intervals and tests, at least 1.
        seed: of these draws.
    """

    equality: Equality = field(default_factory=Equality)
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 1:
            message = f"resamples must be at least 1; it is {self.resamples}."
            raise ValueError(message)


class _Judged(NamedTuple):
    """A gold value and an answer's, paired, with what is known of them."""

    id: str
    field: str
    outcome: str
    gold: Leaf | None
    given: Leaf | None
    gold_span: Span | None
    known: Located


def evaluate(
    predictions: Iterable[Answer | Mapping[str, Any]],
    gold: Iterable[Gold | Mapping[str, Any]],
    schema: Any,
    *,
    free: Iterable[Answer | Mapping[str, Any]] | None = None,
    options: Options | None = None,
) -> Report:
    """Compares answers with what is right, field by field.

    Args:
        predictions: the answers, or records as `harmony-gen extract` writes them. A gold value without one counts as
            missing in all its fields.
        gold: the right values, or records of them.
        schema: what both are values of; whatever `Schema.of` takes.
        free: the answers of the same model without a schema, to see what the schema costs and gains.
        options: how they are compared.

    Raises:
        HarmonyError: a record is none, two have the same id, there is no gold value, none has an answer, or one is
            not valid under the schema.
        SchemaError: the schema cannot be used.
    """
    options = options or Options()
    right = by_id(_read(gold, Gold, "gold values"), "gold values")
    given = by_id(_read(predictions, Answer, "answers"), "answers")
    if not right:
        raise HarmonyError("There are no gold values, so there is nothing to judge by.")
    if not right.keys() & given.keys():
        message = (
            f"No answer has the id of a gold value. Gold values: {named(right)}; answers: {named(given) or 'none'}. "
            "Use the same ids in both."
        )
        raise HarmonyError(message)
    reader = Reader(Schema.of(schema), options.equality)
    _check(right.values(), reader)
    report = _report(right, given, reader, options)
    if free is None:
        return report
    other = _report(right, by_id(_read(free, Answer, "free answers"), "free answers"), reader, options)
    return replace(report, free=other)


def _read(records: Iterable[Any], kind: type[Any], what: str) -> list[Any]:
    """Records as values of a type.

    Raises:
        HarmonyError: one is none.
    """
    found = []
    for number, record in enumerate(records, 1):
        try:
            found.append(kind.of(record) if isinstance(record, Mapping) else record)
        except ValueError as error:
            message = f"Number {number} of the {what} cannot be used: {error}."
            raise HarmonyError(message) from error
    return found


def _check(gold: Iterable[Gold], reader: Reader) -> None:
    """Raises HarmonyError unless the schema admits the gold values."""
    wrong = [one for one in gold if not reader.is_valid(one.value)]
    if wrong:
        message = (
            f"{len(wrong)} gold values are not valid under the schema, so no answer could be right: "
            f"{named(one.id for one in wrong)}. Correct them, or use the schema they were written for."
        )
        raise HarmonyError(message)


def _report(right: Mapping[str, Gold], given: Mapping[str, Answer], reader: Reader, options: Options) -> Report:
    documents, judged = [], []
    for gold in right.values():
        answer = given.get(gold.id) or Answer(gold.id, None, error=_MISSING)
        found = _judged(gold, answer, reader)
        documents.append(_document(answer, found, reader))
        judged += found
    mistakes = _mistakes(judged)
    faulty = {mistake.id for mistake in mistakes}
    overall, fields, valid = _scores(documents, judged, options)
    masses = [one.known.allowed_mass for one in judged if one.known.allowed_mass is not None]
    return Report(
        documents=tuple(documents),
        overall=overall,
        fields=fields,
        valid=valid,
        reliability=_reliability(judged),
        allowed_mass=sum(masses) / len(masses) if masses else None,
        mistakes=mistakes,
        sources={id_: text for id_ in faulty if (text := _source(right.get(id_), given.get(id_))) is not None},
        unanswered=tuple(id_ for id_ in right if id_ not in given),
        superfluous=tuple(id_ for id_ in given if id_ not in right),
    )


def _source(gold: Gold | None, answer: Answer | None) -> str | None:
    found = None if gold is None else gold.source
    return answer.source if found is None and answer is not None else found


def _judged(gold: Gold, answer: Answer, reader: Reader) -> list[_Judged]:
    """The values of one document, paired and judged.

    Raises:
        HarmonyError: a gold span is of no value, or ends behind the source.
    """
    given = None if answer.error is not None else reader.tree(answer.value)
    found = []
    for one, other in pairs(reader.tree(gold.value), given):
        name = next(leaf.field for leaf in (one, other) if leaf is not None)
        known = _NOTHING if other is None else answer.fields.get(other.pointer, _NOTHING)
        span = None if one is None else gold.spans.get(one.pointer)
        found.append(_Judged(gold.id, name, _outcome(one, other), one, other, span, known))
    _check_spans(gold, {one.gold.pointer for one in found if one.gold is not None})
    return found


def _check_spans(gold: Gold, pointers: Collection[str]) -> None:
    """Raises HarmonyError unless spans are of values and lie in the source."""
    end = math.inf if gold.source is None else len(gold.source)
    wrong = [pointer for pointer, span in gold.spans.items() if pointer not in pointers or span[1] > end]
    if wrong:
        message = (
            f"The gold value {gold.id!r} has spans that are of none of its values, or end behind the source: "
            f"{named(wrong)}. Give each value's span by its pointer, in characters of the source."
        )
        raise HarmonyError(message)


def _outcome(gold: Leaf | None, given: Leaf | None) -> str:
    wanted = None if gold is None else gold.key
    found = None if given is None else given.key
    if wanted is None:
        return "empty" if found is None else "invented"
    return "missing" if found is None else "right" if found == wanted else "wrong"


def _document(answer: Answer, judged: Iterable[_Judged], reader: Reader) -> DocumentScore:
    counted: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in judged:
        counted[one.field][one.outcome] += 1
    is_valid = answer.error is None and reader.is_valid(answer.value)
    return DocumentScore(answer.id, {name: Counts(**found) for name, found in counted.items()}, is_valid, answer.error)


def _scores(
    documents: Sequence[DocumentScore], judged: Iterable[_Judged], options: Options
) -> tuple[FieldScore, tuple[FieldScore, ...], Estimate]:
    """All fields together, each field, and the share of valid documents."""
    spans: dict[str, list[_Judged]] = defaultdict(list)
    for one in judged:
        if one.gold_span is not None:
            spans[one.field].append(one)
    every = [one for found in spans.values() for one in found]
    whole = [sum(document.fields.values(), Counts()) for document in documents]
    fields = [("", _Field(whole, [(document.is_exact, True) for document in documents], every))]
    for name in dict.fromkeys(name for document in documents for name in document.fields):
        there = [document.fields.get(name) for document in documents]
        exact = [(one is not None and one.is_right, one is not None) for one in there]
        fields.append((name, _Field([one or Counts() for one in there], exact, spans[name])))
    valid = np.array([(document.is_valid, True) for document in documents], dtype=np.float64)
    tables = [valid, *(table for _, one in fields for table in one.tables)]
    draws = iter(resampling.resampled(tables, options.resamples, options.seed))
    share = _estimate(resampling.share, valid, next(draws))
    overall, *others = [one.score(name, next(draws), next(draws)) for name, one in fields]
    return overall, tuple(others), share


class _Field:
    """The values of a field, document by document."""

    def __init__(self, counts: Sequence[Counts], exact: Sequence[tuple[bool, bool]], spans: Sequence[_Judged]) -> None:
        self._total = sum(counts, Counts())
        self._spans = spans
        self.tables = resampling.table(counts), np.array(exact, dtype=np.float64)

    def score(self, name: str, counts: Floats, exact: Floats) -> FieldScore:
        """Its scores, with the totals of drawn documents."""
        measures = (resampling.precision, resampling.recall, resampling.f1)
        precision, recall, f1 = (_estimate(measure, self.tables[0], counts) for measure in measures)
        whole = _estimate(resampling.share, self.tables[1], exact)
        return FieldScore(name, self._total, precision, recall, f1, whole, _span_score(self._spans))


def _estimate(measure: Callable[[Floats], Floats], table: Floats, draws: Floats) -> Estimate:
    return resampling.estimate(measure(table.sum(axis=0)), measure(draws))


def _span_score(judged: Sequence[_Judged]) -> SpanScore | None:
    if not judged:
        return None
    both = [(one.gold_span or (0, 0), one.known.source_span) for one in judged]
    exact = sum(gold == given for gold, given in both)
    return SpanScore(len(both), exact, sum(_overlap(gold, given) for gold, given in both) / len(both))


def _overlap(gold: Span, given: Span | None) -> float:
    """Characters in both by characters in either."""
    if given is None:
        return 0.0
    if gold == given:
        return 1.0
    common = max(min(gold[1], given[1]) - max(gold[0], given[0]), 0)
    either = gold[1] - gold[0] + given[1] - given[0] - common
    return common / either if either else 0.0


def _reliability(judged: Iterable[_Judged]) -> Reliability | None:
    """Of values that have a confidence; null is right where there rightly is no value."""
    found = [
        (one.known.confidence, one.outcome in ("right", "empty")) for one in judged if one.known.confidence is not None
    ]
    if not found:
        return None
    confidences, right = [one for one, _ in found], [is_right for _, is_right in found]
    return Reliability(reliability(confidences, right), expected_error(confidences, right), len(found))


def _mistakes(judged: Iterable[_Judged]) -> tuple[Mistake, ...]:
    """What is not right: confident answers first, then as documents come."""
    faults: dict[str, Fault] = {"wrong": "wrong", "missing": "missing", "invented": "invented"}
    found = [
        Mistake(
            id=one.id,
            field=one.field,
            fault=faults[one.outcome],
            gold_pointer=None if one.gold is None else one.gold.pointer,
            pointer=None if one.given is None else one.given.pointer,
            gold=None if one.gold is None else one.gold.value,
            given=None if one.given is None else one.given.value,
            confidence=one.known.confidence,
            gold_span=one.gold_span,
            span=one.known.source_span,
        )
        for one in judged
        if one.outcome in faults
    ]
    return tuple(sorted(found, key=lambda one: -(one.confidence or 0.0)))
