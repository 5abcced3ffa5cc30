"""What a caller gets back. All of it is frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        probability: in [0, 1]; the probability of its tokens among those that were allowed, multiplied. In XML what
            ends the value counts as well.
        allowed_mass: in [0, 1]; the probability the model gave to what was allowed, multiplied over the
            tokens it chose. Small where the model wanted to write something the schema forbids.
        text_span: where it stands in `Result.text`.
        source_span: where it stands in the source; None if it was not found there.
    """

    pointer: str
    value: Any
    confidence: float
    probability: float
    allowed_mass: float
    text_span: Span
    source_span: Span | None


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
class Done(Generic[T]):
    """The answer is complete."""

    result: Result[T]


Event = ReasoningDelta | TextDelta | FieldDone | Done[T]
