"""What a caller asks for, checked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeGuard, Unpack, get_args

from harmony_gen import tools as tools_
from harmony_gen.errors import PromptError, SchemaError, ValidationError
from harmony_gen.messages import INSTRUCTING, Message, messages_of, source_of
from harmony_gen.schema import Schema
from harmony_gen.schema.gaps import UnlessNull, with_gaps
from harmony_gen.schema.judge import JsonSchemaJudge, PydanticJudge
from harmony_gen.schema.separators import Joint
from harmony_gen.schema.sources import written_element
from harmony_gen.schema.verbatim import VerbatimPlace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harmony_gen.decoding.sampling import Sampling
    from harmony_gen.messages import Prompt
    from harmony_gen.schema.rules import Rule
    from harmony_gen.tools import Described, Tool

Effort = Literal["low", "medium", "high"]

_SHARES = {"low": 0.25, "medium": 0.5, "high": 0.75}
"""Of all tokens, how many may be thoughts."""

_EFFORTS: tuple[tuple[int, Effort], ...] = ((256, "low"), (1024, "medium"))
"""What so many tokens of thoughts are called; "high" is more."""


Missing = Literal["null", "omit", "abstain"]

THRESHOLD = 0.5
"""The probability of absence from which on a field is missing."""


class Shared(TypedDict, total=False):
    """Options of all answers of a batch.

    Attributes:
        max_new_tokens: the most tokens of the turn, thoughts and its end included; 512 by default. The answer is
            always complete within them.
        sampling: how tokens are chosen; greedy by default.
        rules: further conditions on values, as made by `harmony_gen.rule` or `harmony_gen.verbatim`.
        reasoning: how much a model that can think may think before it answers: a number of tokens, or "low",
            "medium" or "high" for a quarter, half or three quarters of `max_new_tokens`; by default not at all.
        tools: functions or descriptions (see `harmony_gen.tools.Tool`), of which the model may call one instead
            of answering; the value is a `ToolCall` then. With the schema None it must.
        examples: pairs of a text and the right answer to it, shown to the model before the conversation.
        missing: what becomes of values that the schema demands and the text does not hold. "null": each property may
            be null; "omit": each may be left out; the value is then made of dicts and lists, whatever the type, and
            validators are not asked about what is missing. "abstain": answers are those of the schema, and
            `Field.missing` marks what the model would rather have left open. Constants are never missing.
        missing_threshold: with "abstain", the `Field.absence` in [0, 1] from which on a field is missing.
        grounded: whether answers in JSON hold only what the source states: strings that the schema limits by their
            length at most quote it, numbers, dates and addresses are among those that it states, in whatever spelling,
            wherever it states any that the schema allows. `"x-verbatim": false` in a schema exempts a value. By default
            a model that asks for it, as the embedded one does, is kept to this where there are no other rules or
            validators and the answer can be finished.
    """

    max_new_tokens: int
    sampling: Sampling | None
    rules: Sequence[Rule | VerbatimPlace]
    reasoning: int | Effort | None
    tools: Sequence[Tool]
    examples: Sequence[tuple[str, Any]]
    missing: Missing | None
    missing_threshold: float | None
    grounded: bool | None


class Options(Shared, total=False):
    """Options of one answer, those of `Shared` among them.

    Attributes:
        source: the text to look up values in; by default what the user said in the prompt.
    """

    source: str | None


@dataclass(frozen=True)
class Request:
    """What a caller asks for.

    Attributes:
        messages: the conversation.
        schema: what a right answer is; None if a tool must be called.
        tools: the tools that may be called, by their names.
        max_new_tokens: the most tokens of the turn.
        sampling: how they are chosen.
        source: where values may come from.
        examples: texts and right answers, in compact spelling.
        reasoning: the most tokens of thoughts; 0 for none.
        effort: what the model is told of that.
        missing: what becomes of values that the text does not hold.
        threshold: of the probability of absence.
        demanded: the schema as it was given, for tools None.
        gapped: with missing="abstain", what the model is asked about; else None.
        lenient: a schema to fall back on where nothing under the other can be finished; None if there is none.
    """

    messages: list[Message]
    schema: Schema[Any] | None
    tools: Mapping[str, Described]
    max_new_tokens: int
    sampling: Sampling
    source: str
    examples: tuple[tuple[str, str], ...]
    reasoning: int
    effort: Effort
    missing: Missing | None = None
    threshold: float = THRESHOLD
    demanded: Schema[Any] | None = None
    gapped: Schema[Any] | None = None
    lenient: Schema[Any] | None = None

    def doubting(self) -> Request:
        """The same, put so that the model may say that something is missing."""
        return replace(self, schema=self.gapped)

    def omitted(self, text: str) -> tuple[str, ...]:
        """The pointers of what an answer leaves out and the schema demands."""
        judge = self.demanded.judge if self.missing == "omit" and self.demanded is not None else None
        return judge.lacking(text) if isinstance(judge, JsonSchemaJudge) else ()

    def spaced(self) -> Request:
        """The same with a space behind each comma and colon of the examples' answers."""
        if self.schema is None or not self.schema.is_json:
            return self
        examples = ((text, Joint().spaced(answer.encode()).decode()) for text, answer in self.examples)
        return replace(self, examples=tuple(examples))

    @property
    def conversation(self) -> list[Message]:
        """The messages, with the examples as turns before the first that is not the system's."""
        place = next((i for i, message in enumerate(self.messages) if message.role not in INSTRUCTING), 0)
        turns = [
            Message(role, content)
            for example in self.examples
            for role, content in zip(("user", "assistant"), example, strict=True)
        ]
        return [*self.messages[:place], *turns, *self.messages[place:]]


def request_of(prompt: Prompt, schema: Any, *, grounds: bool = False, **options: Unpack[Options]) -> Request:
    """Checks what was asked for; see `Generator.generate`.

    Args:
        prompt: a text, or chat messages.
        schema: anything `Schema.of` takes.
        grounds: whether answers are grounded where nobody says whether they are to be.
        options: see `Options`.
    """
    unknown = sorted(options.keys() - Options.__annotations__.keys())
    if unknown:
        known = ", ".join(sorted(Options.__annotations__))
        raise TypeError(f"There is no option {unknown[0]!r}. The options are {known}.")
    request = _checked(prompt, schema, **options)
    if options.get("grounded") is None and grounds and _is_free(request.schema):
        with suppress(SchemaError):
            strict = request.schema.bound(request.source, is_grounded=True)
            return replace(request, schema=strict, lenient=request.schema)
    return request


def _is_free(schema: Schema[Any] | None) -> TypeGuard[Schema[Any]]:
    """Whether no rules or validators of the user decide about answers."""
    validators = None if schema is None else schema.validators
    return schema is not None and (
        validators is None or (isinstance(validators, PydanticJudge) and validators.is_plain)
    )


def _checked(  # noqa: PLR0913 - the options, as `Options` lists them
    prompt: Prompt,
    schema: Any,
    *,
    max_new_tokens: int = 512,
    sampling: Sampling | None = None,
    source: str | None = None,
    rules: Sequence[Rule | VerbatimPlace] = (),
    reasoning: int | Effort | None = None,
    tools: Sequence[Tool] = (),
    examples: Sequence[tuple[str, Any]] = (),
    missing: Missing | None = None,
    missing_threshold: float | None = None,
    grounded: bool | None = None,
) -> Request:
    from harmony_gen.decoding.sampling import Sampling

    if not isinstance(max_new_tokens, int) or isinstance(max_new_tokens, bool):
        message = f"max_new_tokens must be a whole number of tokens; it is {max_new_tokens!r}."
        raise TypeError(message)
    if not isinstance(grounded, bool | None):
        message = f"grounded must be True, False or None; it is {grounded!r}."
        raise TypeError(message)
    if not isinstance(sampling, Sampling | None):
        message = f"sampling must be a harmony_gen.Sampling, or None; it is {sampling!r}."
        raise TypeError(message)
    if schema is None and not tools:
        raise SchemaError("There is no schema: give one, or tools that may be called.")
    thoughts, effort = _thoughts(reasoning, max_new_tokens)
    quoted = [one for one in rules if isinstance(one, VerbatimPlace)]
    demanded = None if schema is None else Schema.of(schema).quoting(quoted)
    compiled, gapped = _with_gaps(demanded, missing)
    threshold = _threshold(missing, missing_threshold)
    messages, described = messages_of(prompt), tools_.describe(tools)
    _check_tools(messages, described)
    source = source_of(messages) if source is None else source
    found = None if compiled is None else compiled.bound(source, is_grounded=bool(grounded))
    others = [one for one in rules if not isinstance(one, VerbatimPlace)]
    if missing == "null":
        others = [UnlessNull(one) for one in others]
    return Request(
        messages=messages,
        schema=None if found is None else found.with_rules(others),
        tools=described,
        max_new_tokens=max_new_tokens,
        sampling=sampling or Sampling(),
        source=source,
        examples=tuple(_example(compiled, number, example) for number, example in enumerate(examples)),
        reasoning=thoughts,
        effort=effort,
        missing=missing,
        threshold=threshold,
        demanded=demanded,
        gapped=gapped,
    )


def _with_gaps(schema: Schema[Any] | None, missing: Missing | None) -> tuple[Schema[Any] | None, Schema[Any] | None]:
    """What answers are written under, and what a model that may abstain is asked about.

    Raises:
        SchemaError: there is no schema, or answers are not JSON.
        ValueError: `missing` is none of its values.
    """
    if missing not in (None, *get_args(Missing)):
        raise ValueError(f'missing must be "null", "omit", "abstain" or None; it is {missing!r:.40}.')
    if missing is None:
        return schema, None
    if schema is None:
        raise SchemaError(f'missing="{missing}" is about values that a schema demands: give one.')
    if missing == "abstain":
        return schema, with_gaps(schema, "null")
    return with_gaps(schema, missing), None


def _threshold(missing: Missing | None, given: float | None) -> float:
    if given is None:
        return THRESHOLD
    if missing != "abstain":
        raise ValueError('missing_threshold belongs to missing="abstain".')
    if not 0 <= given <= 1:
        raise ValueError(f"missing_threshold must be a number in [0, 1]; it is {given!r}.")
    return given


def _check_tools(messages: Sequence[Message], tools: Mapping[str, Described]) -> None:
    """Raises PromptError for a call of a tool that is not among those offered; none need be offered any more."""
    for call in (call for message in messages for call in message.calls):
        if tools and call.name not in tools:
            known = ", ".join(sorted(tools))
            raise PromptError(f"The conversation calls the unknown tool {call.name!r}; `tools` holds {known}.")


def _example(schema: Schema[Any] | None, number: int, example: Any) -> tuple[str, str]:
    """An example in compact spelling.

    Raises:
        ValidationError: its answer is not valid.
        SchemaError: there is no schema that it could be an example of.
        TypeError: it is no pair of a text and an answer.
    """
    if schema is None:
        raise SchemaError("Examples show answers: give the schema they are valid under.")
    try:
        text, value = example
    except (TypeError, ValueError):
        text = value = None
    if not isinstance(text, str):
        raise TypeError(f"An example is a pair of a text and its answer; number {number} is {example!r:.80}.")
    try:
        return text, written(schema.bound(text), value)
    except ValidationError as error:
        raise ValidationError(f"The answer of example {number} is not valid: {error}") from error


def written(schema: Schema[Any], value: Any) -> str:
    """The text of a value, as answers are spelled."""
    from pydantic_core import PydanticSerializationError, to_json

    from harmony_gen.decoding.reachable import respelled

    try:
        if schema.is_json:
            text = respelled(to_json(value).decode())
        else:
            text = written_element(value)
            text = text if schema.canonical is None else schema.canonical(text)
    except PydanticSerializationError as error:
        raise ValidationError(f"it cannot be written as JSON: {error}") from error
    schema.validate(text)
    return text


def _thoughts(reasoning: object, most: int) -> tuple[int, Effort]:
    """Tokens of thoughts, and what that is called."""
    if reasoning is None:
        return 0, "low"
    if reasoning in ("low", "medium", "high"):
        return int(_SHARES[reasoning] * most), reasoning
    if not isinstance(reasoning, int) or isinstance(reasoning, bool) or reasoning < 0:
        message = f'reasoning must be a number of tokens, "low", "medium", "high" or None; it is {reasoning!r}.'
        raise TypeError(message)
    return reasoning, next((name for size, name in _EFFORTS if reasoning <= size), "high")


def several(prompts: Iterable[Prompt]) -> Iterable[Prompt]:
    """The prompts of a batch, as they are.

    Raises:
        TypeError: it is a single text.
    """
    if isinstance(prompts, str):
        raise TypeError("prompts must be a list of prompts; it is one text. Use generate for a single prompt.")
    return prompts


def rows_of(
    prompts: Iterable[Prompt], schemas: Iterator[Any], sources: Iterator[str | None]
) -> Iterator[tuple[Prompt, Any, str | None]]:
    """Each prompt with its schema and source; raises ValueError where one has none."""
    for number, prompt in enumerate(prompts):
        try:
            row = prompt, next(schemas), next(sources)
        except StopIteration:
            raise ValueError(f"There is no schema or no source for prompt {number}: give one for each.") from None
        yield row
