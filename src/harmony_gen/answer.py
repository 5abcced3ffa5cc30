"""One answer under way: the decode loop, and what becomes of its choices."""

from __future__ import annotations

import codecs
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from harmony_gen.confidence import Doubts, Fields, fields_of
from harmony_gen.decoding.drafting import Drafter
from harmony_gen.decoding.formats import turn_of
from harmony_gen.decoding.loop import decode
from harmony_gen.decoding.turn_matcher import TurnMatcher
from harmony_gen.errors import BudgetError, Interrupted, ModelError, PromptError
from harmony_gen.partial import constructed, grown
from harmony_gen.rescoring import Alternatives, Written
from harmony_gen.result import (
    Done,
    Event,
    Field,
    FieldDone,
    FinishReason,
    Partial,
    ReasoningDelta,
    Result,
    TextDelta,
    ToolCall,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from harmony_gen.calibration import Calibration
    from harmony_gen.decoding.formats import Format
    from harmony_gen.decoding.kv_cache import ModelRunner
    from harmony_gen.decoding.sampling import Choice
    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.request import Request
    from harmony_gen.schema import Schema
    from harmony_gen.schema.scanner import Closed, Scanner

_REASONS: dict[str | None, FinishReason] = {
    None: "complete",
    "budget": "closed_by_budget",
    "rules": "closed_by_rules",
}


_END_OF_PROMPT = 16
"""Tokens at the end of a prompt in which it may open thoughts."""


class Asking(NamedTuple):
    """How a model is asked about an answer that has been written.

    Attributes:
        runner: makes what runs it.
        encode: the tokens of a request.
        window: tokens it can see; None is no limit.
    """

    runner: Callable[[], ModelRunner]
    encode: Callable[[Request], list[int]]
    window: int | None


class Answer:
    """One answer under way. Run `choices` or `steps` to its end, once."""

    def __init__(  # noqa: PLR0913 - all of them are what an answer is made from
        self,
        request: Request,
        prompt: list[int],
        matcher: TurnMatcher,
        vocabulary: Vocabulary,
        runner: ModelRunner,
        *,
        asking: Asking,
        calibration: Calibration | None,
        started: float,
    ) -> None:
        """Takes what an answer is made from.

        Args:
            request: what is asked for.
            prompt: token ids.
            matcher: at the start of the turn.
            vocabulary: the model's.
            runner: runs the model, for this answer alone.
            asking: how the model is asked about the answer afterwards.
            calibration: what probabilities say of values.
            started: `time.perf_counter()` when the answer was asked for.
        """
        self._started = started
        self._request = request
        self._prompt = prompt
        self._matcher = matcher
        self._vocabulary = vocabulary
        self._asking = asking
        self._calibration = calibration
        self._runner = runner
        self._drafter = Drafter(vocabulary, prompt)
        self._choices: list[tuple[Choice, int]] = []  # with the bytes each wrote
        self._first: float | None = None

    def choices(self) -> Iterator[bytes]:
        """Runs the decode loop; yields, of each token that is final, the bytes it wrote of the answer."""
        try:
            for choice in decode(
                self._runner, self._prompt, self._matcher, self._request.sampling, drafter=self._drafter
            ):
                self._first = self._first or time.perf_counter()
                is_answer = len(self._choices) in self._matcher.answer
                data = self._vocabulary.bytes_of([choice.token]) if is_answer else b""
                self._choices.append((choice, len(data)))
                yield data
            self._runner.hand_on()
        except KeyboardInterrupt as error:
            raise Interrupted(self._matcher.text.decode(errors="ignore")) from error
        except (MemoryError, RuntimeError, IndexError) as error:
            raise _failure(error, self._runner.model, len(self._prompt)) from error
        finally:
            self._runner.release()

    def write(self) -> Result[Any]:
        """Runs the decode loop to its end."""
        for _ in self.choices():
            pass
        return self.result()

    def result(self) -> Result[Any]:
        """The result, after the loop has ended."""
        matcher = self._matcher
        body = matcher.body
        assert body is not None  # noqa: S101 - a turn ends behind its answer
        text = matcher.text
        now = time.perf_counter()
        usage = Usage(
            prompt_tokens=len(self._prompt),
            cached_tokens=min(self._runner.cached_tokens, len(self._prompt)),
            new_tokens=len(matcher.tokens),
            forward_passes=self._runner.forward_passes,
            forced_tokens=sum(choice.forced for choice, _ in self._choices),
            drafted_tokens=self._drafter.drafted,
            accepted_drafts=self._drafter.accepted,
            seconds=now - self._started,
            seconds_to_first_token=(self._first or now) - self._started,
        )
        value = body.schema.validate(text.decode())
        written = self._written(body.schema, text)
        choices = self._choices[matcher.answer.start : matcher.answer.stop + 1]
        is_doubted = body.tool is None and self._request.gapped is not None
        doubts = partial(_doubts, written, self._request, self._asking, len(self._prompt)) if is_doubted else None
        return Result(
            value=value if body.tool is None else ToolCall(body.tool, self._request.tools[body.tool].named(value)),
            text=text.decode(),
            tokens=tuple(matcher.tokens),
            fields=Fields(partial(_fields, written, choices, self._request, doubts, self._calibration)),
            usage=usage,
            finish=_REASONS[matcher.closed_by],
            rejections=tuple(matcher.rejections),
            reasoning=matcher.settled("reasoning"),
            preamble=matcher.settled("preamble"),
            omitted=self._request.omitted(text.decode()) if body.tool is None else (),
            asked=Alternatives(written.alternatives),
        )

    def _written(self, schema: Schema[Any], text: bytes) -> Written:
        """The answer, as something that the model can be asked about."""
        tokens, place = self._matcher.tokens, self._matcher.answer
        return Written(
            runner=self._asking.runner,
            vocabulary=self._vocabulary,
            schema=schema,
            before=(*self._prompt, *tokens[: place.start]),
            tokens=tuple(tokens[place.start : place.stop]),
            text=text,
        )

    def steps(self, *, partial: bool = False) -> Generator[list[Event[Any]], None, None]:
        """Runs the decode loop; yields for each token what is new, and the result at last.

        Args:
            partial: with the value so far where something has closed.
        """
        text, thought = b"", ""
        decoder = codecs.getincrementaldecoder("utf-8")()
        scan: Scanner | None = None
        body = None
        snapshot: Any = None
        for data in self.choices():
            events: list[Event[Any]] = []
            thoughts = self._matcher.settled("reasoning") or ""
            if len(thoughts) > len(thought):
                events.append(ReasoningDelta(thoughts[len(thought) :]))
                thought = thoughts
            text += data
            delta = decoder.decode(data)
            if delta:
                events.append(TextDelta(delta))
            body = self._matcher.body
            if body is not None:
                scan, closed = (scan or body.schema.scan).feed(data)
                events += (done := _done(body.schema, text, closed))
                if partial and done and body.schema.is_json:
                    for item, event in zip(closed, done, strict=True):
                        snapshot = grown(snapshot, item.path, event.value)
                    events.append(Partial(constructed(body.schema.kind, snapshot)))
            yield events
        last = _done(body.schema, text, scan.end()[1]) if body is not None and scan is not None else []
        yield [*last, Done(self.result())]


def _fields(
    written: Written,
    choices: Sequence[tuple[Choice, int]],
    request: Request,
    doubts: Callable[[], Doubts] | None,
    calibration: Calibration | None,
) -> Mapping[str, Field]:
    """The fields of an answer, or of the arguments of a call."""
    found = None if doubts is None else doubts()
    text = written.text
    return fields_of(written.schema.scalars(text), text, choices, request.source, calibration, found)


def _doubts(written: Written, request: Request, asking: Asking, prompt: int) -> Doubts:
    """What the model says when it is asked whether the values are there at all; the prompt had so many tokens."""
    assert request.gapped is not None  # noqa: S101 - its caller has looked
    before = [*asking.encode(request.doubting()), *written.before[prompt:]]
    fits = asking.window is None or len(before) + len(written.tokens) <= asking.window
    return Doubts(written.absences(request.gapped, before) if fits else {}, request.threshold)


def _done(schema: Schema[Any], text: bytes, closed: Iterable[Closed]) -> list[FieldDone]:
    return [FieldDone(*schema.field(text, item)) for item in closed]


def matcher_of(
    request: Request, prompt: list[int], form: Format, tokenizer: Any, vocabulary: Vocabulary, window: int | None
) -> TurnMatcher:
    """A matcher at the start of a turn, whose budget fits the model's window behind the prompt.

    Args:
        request: what is asked for.
        prompt: token ids.
        form: how the model's turns look.
        tokenizer: the model's.
        vocabulary: the model's.
        window: tokens that the model can see; None is no limit.

    Raises:
        UnsatisfiableError: no valid answer is known.
        BudgetError: `max_new_tokens` is too small for any.
        PromptError: the prompt leaves no room for any.
    """
    turn = turn_of(
        form,
        vocabulary,
        request.schema,
        tools={name: tool.arguments for name, tool in request.tools.items()},
        reasoning=request.reasoning,
        prompt=tokenizer.decode(prompt[-_END_OF_PROMPT:]),
    )
    most = request.max_new_tokens
    room = most if window is None else window - len(prompt)
    try:
        return TurnMatcher(turn, vocabulary, min(most, room))
    except BudgetError as error:
        if error.needed > most:
            raise BudgetError(error.needed, most) from None
        limit = (window or 0) - error.needed
        raise PromptError(
            f"The prompt takes {len(prompt)} tokens with its schema, the model's context window is "
            f"{window}, and the shortest valid answer takes {error.needed}: the prompt may take at "
            f"most {limit}. Shorten the text or the schema, or use a model with a larger window.",
            tokens=len(prompt),
            limit=limit,
        ) from error


def _failure(error: Exception, model: Any, prompt_tokens: int) -> ModelError:
    """What a failure of the model means for the user."""
    from harmony_gen.models.memory import advice, is_out_of_memory

    text = str(error)
    if not is_out_of_memory(error):
        return ModelError(f"The model failed: {text.splitlines()[0] if text else type(error).__name__}")
    device = str(model.get_input_embeddings().weight.device)
    try:
        plan = advice(model.config, device, precision="auto", context=prompt_tokens)
    except ModelError as unknown:
        plan = str(unknown)
    return ModelError(f"Out of memory while generating: {plan}")
