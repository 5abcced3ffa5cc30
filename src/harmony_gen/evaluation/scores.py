"""What an evaluation says. All of it is frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony_gen.calibration import Bin
    from harmony_gen.result import Span

Fault = Literal["wrong", "missing", "invented"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Values of answers beside gold values.

    Attributes:
        right: values that are equal to the gold value.
        wrong: values beside a gold value that is another one.
        missing: gold values without one.
        invented: values without a gold value.
        empty: places where rightly no value stands: null, or nothing, in both.
    """

    right: int = 0
    wrong: int = 0
    missing: int = 0
    invented: int = 0
    empty: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.right + other.right,
            self.wrong + other.wrong,
            self.missing + other.missing,
            self.invented + other.invented,
            self.empty + other.empty,
        )

    @property
    def gold(self) -> int:
        """Gold values."""
        return self.right + self.wrong + self.missing

    @property
    def given(self) -> int:
        """Values of answers."""
        return self.right + self.wrong + self.invented

    @property
    def is_right(self) -> bool:
        """Whether there is no fault."""
        return not (self.wrong or self.missing or self.invented)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share in [0, 1], or the difference of two in [-1, 1], with its 95 % bootstrap interval.

    Attributes:
        value: None where there is nothing to judge.
        low: where the interval begins.
        high: where it ends.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class SpanScore:
    """How well values were found in the source.

    Attributes:
        gold: gold values with a span.
        exact: of these, how many the answer locates at exactly that span.
        overlap: mean over these of characters in both spans by characters in either; 0 where there is none.
    """

    gold: int
    exact: int
    overlap: float


@dataclass(frozen=True, slots=True)
class FieldScore:
    """How good the values of one field are, or of all of them.

    Attributes:
        field: its name: a JSON Pointer with * for items, or an XPath; "" for all fields together.
        counts: its values.
        precision: right values by values given.
        recall: right values by gold values.
        f1: harmonic mean of both.
        exact: documents without a fault in the field by documents that have it.
        spans: None where no gold value has a span.
    """

    field: str
    counts: Counts
    precision: Estimate
    recall: Estimate
    f1: Estimate
    exact: Estimate
    spans: SpanScore | None


@dataclass(frozen=True, slots=True)
class Reliability:
    """Whether confidences mean what they say.

    Attributes:
        bins: parts of [0, 1] with the values whose confidence lies there; empty ones are left out.
        error: expected calibration error, in [0, 1].
        count: values with a confidence.
    """

    bins: tuple[Bin, ...]
    error: float
    count: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """A value that is not right.

    Attributes:
        id: the document.
        field: the name of the field.
        fault: "wrong", "missing" (the answer has none) or "invented" (there is no gold value).
        gold_pointer: where the gold value stands; None if there is none.
        pointer: where the answer's value stands; None if there is none.
        gold: the gold value.
        given: the answer's value.
        confidence: of the answer's value, in [0, 1]; None if it is not known.
        gold_span: where the gold value stands in the source; None if it is not known.
        span: where the answer's value stands in the source; None if it was not found there.
    """

    id: str
    field: str
    fault: Fault
    gold_pointer: str | None
    pointer: str | None
    gold: Any
    given: Any
    confidence: float | None
    gold_span: Span | None
    span: Span | None


@dataclass(frozen=True, slots=True)
class DocumentScore:
    """One document.

    Attributes:
        id: its name.
        fields: the values of each field that the gold value or the answer has.
        is_valid: whether there is an answer and the schema allows it.
        error: why there is no answer; None if there is one.
    """

    id: str
    fields: Mapping[str, Counts]
    is_valid: bool
    error: str | None

    @property
    def is_exact(self) -> bool:
        """Whether there is an answer, and all of it is right."""
        return self.error is None and all(counts.is_right for counts in self.fields.values())


@dataclass(frozen=True)
class Report:
    """How good the answers of one run are.

    Attributes:
        documents: one for each gold value, in their order.
        overall: all fields together; its `exact` says how many documents are right as a whole.
        fields: in the order in which the gold values have them.
        valid: documents with an answer that the schema allows.
        reliability: None where no value has a confidence.
        allowed_mass: mean over values of the probability that the model gave to what the schema allowed, in [0, 1];
            None where it is not known. Low means that the schema went against the model.
        mistakes: the values that are not right, those first of which the model was most confident.
        sources: texts of documents with mistakes, by id, as far as they are known.
        unanswered: ids of gold values without a record. All of their values count as missing.
        superfluous: ids of answers without a gold value. They count for nothing.
        free: the answers of the same model without a schema, on the same gold values; None if there are none.
    """

    documents: tuple[DocumentScore, ...]
    overall: FieldScore
    fields: tuple[FieldScore, ...]
    valid: Estimate
    reliability: Reliability | None
    allowed_mass: float | None
    mistakes: tuple[Mistake, ...]
    sources: Mapping[str, str]
    unanswered: tuple[str, ...]
    superfluous: tuple[str, ...]
    free: Report | None = None

    @property
    def failed(self) -> tuple[DocumentScore, ...]:
        """Documents whose record is that of an error. All of their values count as missing."""
        absent = set(self.unanswered)
        return tuple(one for one in self.documents if one.error is not None and one.id not in absent)

    @property
    def macro_f1(self) -> float | None:
        """Mean of the fields' F1; None where there is nothing to judge."""
        found = [field.f1.value for field in self.fields if field.f1.value is not None]
        return sum(found) / len(found) if found else None

    def score(self, name: str) -> float | None:
        """A score by its name; None where there is nothing to judge.

        Args:
            name: f1, precision, recall, exact, valid, macro-f1, or a field, whose F1 it is.

        Raises:
            KeyError: there is no such score.
        """
        overall = self.overall
        found = {field.field: field.f1 for field in self.fields} | {
            "f1": overall.f1,
            "precision": overall.precision,
            "recall": overall.recall,
            "exact": overall.exact,
            "valid": self.valid,
        }
        return self.macro_f1 if name == "macro-f1" else found[name].value


@dataclass(frozen=True, slots=True)
class Difference:
    """A score of two runs.

    Attributes:
        name: the score: "f1", "exact", "valid", or a field, whose F1 it is.
        first: that of the first run.
        second: that of the second one.
        gain: the second less the first.
        p: how probable a gain at least as large, up or down, would be if it made no difference which run an answer is
            from (a permutation test); of fields after Holm's correction for their number.
    """

    name: str
    first: float | None
    second: float | None
    gain: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs on the same documents.

    Attributes:
        documents: how many both have a gold value for.
        overall: f1, exact and valid.
        fields: the F1 of each field.
    """

    documents: int
    overall: tuple[Difference, ...]
    fields: tuple[Difference, ...]
