"""What a caller gets back. All of it is frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony_gen.rescoring import Alternatives
    from harmony_gen.schema.rules import Rejection

T = TypeVar("T")

Span = tuple[int, int]
"""Half-open range of character offsets."""

FinishReason = Literal["complete", "closed_by_budget", "closed_by_rules"]


@dataclass(frozen=True, slots=True)
class Field:
    """One scalar of an answer: in JSON a string, number, boolean or null; in XML a text or an attribute.

    Attributes:
        pointer: its JSON Pointer, "" if the answer is itself a scalar; or its XPath.
        value: as JSON; in XML as xmlschema decodes its type: str, bool, int, float, Decimal, a list of these, or None
            for nil.
        confidence: in [0, 1]; how probable it is that the value is right: by the generator's calibration (see
            `Generator.calibrate`), else `probability`.
        probability: in [0, 1]; the probability of its tokens among those that were allowed, multiplied. In JSON the
            token that wrote the byte before it counts as well, in XML what ends it.
        allowed_mass: in [0, 1]; the probability the model gave to what was allowed, multiplied over the
            tokens it chose. Small where the model wanted to write something the schema forbids.
        text_span: where it stands in `Result.text`.
        source_span: where it stands in the source; None if it was not found there.
        missing: the text does not hold it, as far as the model says: it is null, or, with missing="abstain", its
            absence is more probable than the threshold.
        absence: with missing="abstain", the probability in [0, 1] that the model, asked whether the value is in the
            text at all, would have written null instead; None otherwise.
    """

    pointer: str
    value: Any
    confidence: float
    probability: float
    allowed_mass: float
    text_span: Span
    source_span: Span | None
    missing: bool = False
    absence: float | None = None

    @property
    def raw_probability(self) -> float:
        """What the model itself thought of the value's tokens, schema aside, in [0, 1]."""
        return self.probability * self.allowed_mass


@dataclass(frozen=True, slots=True)
class Alternative:
    """A value that could stand at a place of an answer.

    Attributes:
        value: as JSON.
        probability: in [0, 1]; of its tokens among those that were allowed, multiplied.
        raw_probability: in [0, 1]; the same among all tokens, as if there were no schema.
    """

    value: Any
    probability: float
    raw_probability: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost.

    Attributes:
        prompt_tokens: tokens of the prompt, as the model saw it.
        cached_tokens: of these, how many were not run because an earlier prompt began with them.
        new_tokens: tokens of the answer, its end token included.
        forward_passes: calls of the model.
        forced_tokens: tokens of the answer that were no choice.
        drafted_tokens: tokens proposed by drafts.
        accepted_drafts: of these, how many were kept.
        seconds: wall-clock time.
        seconds_to_first_token: wall-clock time until the first token was final.
    """

    prompt_tokens: int
    cached_tokens: int
    new_tokens: int
    forward_passes: int
    forced_tokens: int
    drafted_tokens: int
    accepted_drafts: int
    seconds: float
    seconds_to_first_token: float

    @property
    def tokens_per_second(self) -> float:
        """New tokens by wall-clock time."""
        return self.new_tokens / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What a model answers that calls a tool.

    Attributes:
        name: the tool.
        arguments: by their names; of a Python function as its annotations say, else as JSON.
    """

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """A valid answer.

    Attributes:
        value: the answer as a value: dict, list, …, an instance of the Pydantic type, an XML element, or a str for a
            regex; a `ToolCall` if a tool is called.
        text: the answer, or the arguments of the call, as the model wrote it.
        tokens: ids of the whole turn, its end token included.
        fields: the scalars by JSON Pointer or XPath, in order; {} where the answer is a plain text.
        usage: what it cost.
        finish: "complete"; "closed_by_budget" if the model wanted to write something that would not have
            left room for a valid end; "closed_by_rules" if a shortest valid completion stood in where the
            user's validators refused what the model wanted.
        rejections: what rules refused while it was written, in order.
        reasoning: what the model thought before it answered; None if it was not to think.
        preamble: what it said to the user before it called a tool; None if nothing.
        omitted: with missing="omit", the pointers of what the schema demands and the answer leaves out.
        asked: finds alternatives.
    """

    value: T
    text: str
    tokens: tuple[int, ...]
    fields: Mapping[str, Field]
    usage: Usage
    finish: FinishReason
    rejections: tuple[Rejection, ...]
    reasoning: str | None = None
    preamble: str | None = None
    omitted: tuple[str, ...] = ()
    asked: Alternatives | None = field(default=None, compare=False, repr=False)

    @property
    def events(self) -> tuple[Rejection, ...]:
        """What happened while the answer was written: each rejection by a rule, in order."""
        return self.rejections

    def alternatives(self, pointer: str) -> tuple[Alternative, ...]:
        """The values that could stand at a place, the one that does among them, most probable first.

        Each is scored by the model behind what was written before it, when somebody asks: a forward pass or two for
        each. What rules refuse is left out. A value is scored in its usual spelling as tokens, the one that stands
        there as it was written; so probabilities sum to at most 1, but for numbers, of which one may begin another.

        Args:
            pointer: of a scalar, as in `fields`.

        Returns:
            () where the values are more than 64, as those of texts and numbers are, and in XML.

        Raises:
            KeyError: no scalar stands there.
            ModelError: the generator is closed, or was left behind in another process.
        """
        found = self.fields[pointer]
        if self.asked is None:
            return ()
        return self.asked(pointer, found.probability, found.allowed_mass)

    def runner_up(self, pointer: str) -> Alternative | None:
        """The most probable value that could stand at a place instead; see `alternatives`."""
        found = self.fields[pointer]
        others = (one for one in self.alternatives(pointer) if not _is_same(one.value, found.value))
        return next(others, None)


def _is_same(value: Any, other: Any) -> bool:
    """Whether two scalars are equal as JSON has it: 1 is 1.0, but not true."""
    return isinstance(value, bool) is isinstance(other, bool) and bool(value == other)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text. All deltas together are the text of the result."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of the model's thoughts. All deltas together are the reasoning of the result."""

    text: str


@dataclass(frozen=True, slots=True)
class FieldDone:
    """A value is complete and final: scalars, and containers after their members."""

    pointer: str
    value: Any


@dataclass(frozen=True, slots=True)
class Partial(Generic[T]):
    """What there is of the value so far: all that has closed. Given where it was asked for, after each FieldDone.

    Attributes:
        value: dicts and lists; of a Pydantic model an instance made by `model_construct`, without what is missing, and
            unvalidated until it is complete. Later snapshots do not change earlier ones.
    """

    value: T


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The answer is complete."""

    result: Result[T]


Event = ReasoningDelta | TextDelta | FieldDone | Partial[T] | Done[T]
