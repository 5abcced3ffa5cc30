"""One answer under way: the decode loop, and what becomes of its choices."""

from __future__ import annotations

import codecs
import time
from typing import TYPE_CHECKING, Any

from harmony_gen.confidence import Fields, fields_of
from harmony_gen.decoding.drafting import Drafter
from harmony_gen.decoding.loop import decode
from harmony_gen.errors import Interrupted, ModelError
from harmony_gen.result import (
    Done,
    Event,
    FieldDone,
    FinishReason,
    ReasoningDelta,
    Result,
    TextDelta,
    ToolCall,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harmony_gen.calibration import Calibration
    from harmony_gen.decoding.kv_cache import ModelRunner
    from harmony_gen.decoding.sampling import Choice, Sampling
    from harmony_gen.decoding.turn_matcher import TurnMatcher
    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.schema import Schema
    from harmony_gen.schema.scanner import Closed, Scanner
    from harmony_gen.tools import Described

_REASONS: dict[str | None, FinishReason] = {
    None: "complete",
    "budget": "closed_by_budget",
    "rules": "closed_by_rules",
}


class Answer:
    """One answer under way. Run `choices` or `events` to its end, once."""

    def __init__(  # noqa: PLR0913 - all of them are what an answer is made from
        self,
        runner: ModelRunner,
        vocabulary: Vocabulary,
        matcher: TurnMatcher,
        prompt: list[int],
        *,
        tools: Mapping[str, Described],
        sampling: Sampling,
        source: str,
        started: float,
        calibration: Calibration | None,
    ) -> None:
        """Takes what an answer is made from.

        Args:
            runner: runs the model, for this answer alone.
            vocabulary: the model's.
            matcher: at the start of the turn.
            prompt: token ids.
            tools: the tools that may be called, by their names.
            sampling: how to choose.
            source: where values may come from.
            started: `time.perf_counter()` when the answer was asked for.
            calibration: what probabilities say of values.
        """
        self._vocabulary = vocabulary
        self._matcher = matcher
        self._tools = tools
        self._prompt = prompt
        self._sampling = sampling
        self._source = source
        self._started = started
        self._calibration = calibration
        self._runner = runner
        self._drafter = Drafter(vocabulary, prompt)
        self._choices: list[tuple[Choice, int]] = []  # with the bytes each wrote
        self._first: float | None = None

    def choices(self) -> Iterator[bytes]:
        """Runs the decode loop; yields, of each token that is final, the bytes it wrote of the answer."""
        try:
            for choice in decode(self._runner, self._prompt, self._matcher, self._sampling, drafter=self._drafter):
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
        choices = self._choices[matcher.answer.start : matcher.answer.stop + 1]
        return Result(
            value=value if body.tool is None else ToolCall(body.tool, self._tools[body.tool].named(value)),
            text=text.decode(),
            tokens=tuple(matcher.tokens),
            fields=Fields(lambda: fields_of(body.schema.scalars(text), text, choices, self._source, self._calibration)),
            usage=usage,
            finish=_REASONS[matcher.closed_by],
            rejections=tuple(matcher.rejections),
            reasoning=matcher.settled("reasoning"),
            preamble=matcher.settled("preamble"),
        )

    def events(self) -> Iterator[Event[Any]]:
        """Runs the decode loop; yields what is new, and the result at last."""
        text, thought = b"", ""
        decoder = codecs.getincrementaldecoder("utf-8")()
        scan: Scanner | None = None
        body = None
        for data in self.choices():
            thoughts = self._matcher.settled("reasoning") or ""
            if len(thoughts) > len(thought):
                yield ReasoningDelta(thoughts[len(thought) :])
                thought = thoughts
            text += data
            delta = decoder.decode(data)
            if delta:
                yield TextDelta(delta)
            body = self._matcher.body
            if body is not None:
                scan, closed = (scan or body.schema.scan).feed(data)
                yield from _done(body.schema, text, closed)
        if body is not None and scan is not None:
            yield from _done(body.schema, text, scan.end()[1])
        yield Done(self.result())


def _done(schema: Schema[Any], text: bytes, closed: Iterable[Closed]) -> Iterator[FieldDone]:
    return (FieldDone(*schema.field(text, item)) for item in closed)


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
