"""Schema × model → result."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cached_property, partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar, overload

from harmony_gen import prompt as prompts
from harmony_gen.errors import BudgetError, HarmonyError, Interrupted, ModelError, PromptError
from harmony_gen.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harmony_gen.answer import Answer
    from harmony_gen.decoding.batch import Batch
    from harmony_gen.decoding.matcher import Matcher
    from harmony_gen.decoding.prefixes import Prefixes
    from harmony_gen.decoding.sampling import Sampling
    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.prompt import Prompt
    from harmony_gen.result import Event, Result
    from harmony_gen.schema.rules import Rule

T = TypeVar("T")

_PREFIX_BYTES = 256 * 2**20
"""Memory for KV caches of earlier prompts."""


class Generator:
    """A model that answers in schemas.

    Make one with `from_pretrained`, `embedded`, or from a transformers model and tokenizer you have. Neither
    is ever changed. A generator may be used from several threads: answers share nothing but the model.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """Wraps a transformers causal LM and its fast tokenizer."""
        self._model = model
        self._tokenizer = tokenizer
        self._is_embedded = False

    @classmethod
    def from_pretrained(
        cls,
        model: str,
        *,
        precision: str = "auto",
        device: str | dict[str, Any] = "auto",
        adapter: str | None = None,
        load_in_8bit: bool = False,
        load_in_4bit: bool = False,
    ) -> Generator:
        """Loads a model.

        Args:
            model: a directory, or an id on the Hugging Face hub.
            precision: auto, fp32, bf16, fp16, int8 or int4.
            device: auto, cpu, cuda, cuda:N, or a device map.
            adapter: directory or hub id of a peft adapter.
            load_in_8bit: transformers' older word for precision="int8".
            load_in_4bit: likewise for precision="int4".

        Raises:
            ModelError: it cannot be loaded; the message says what was tried.
            MissingExtra: the precision needs a package that is not installed.
        """
        from harmony_gen.models import load
        from harmony_gen.models.precision import from_flags

        precision = from_flags(precision, load_in_8bit=load_in_8bit, load_in_4bit=load_in_4bit)
        loaded = load(model, precision=precision, device=device, adapter=adapter)
        return cls(loaded.model, loaded.tokenizer)

    @classmethod
    def embedded(cls) -> Generator:
        """The small model that comes with the package."""
        from harmony_gen.models import load_embedded

        loaded = load_embedded()
        generator = cls(loaded.model, loaded.tokenizer)
        generator._is_embedded = True
        return generator

    @overload
    def generate(
        self,
        prompt: Prompt,
        schema: type[T] | Schema[T],
        *,
        max_new_tokens: int = ...,
        sampling: Sampling | None = ...,
        source: str | None = ...,
        rules: Sequence[Rule] = ...,
    ) -> Result[T]: ...

    @overload
    def generate(
        self,
        prompt: Prompt,
        schema: Any,
        *,
        max_new_tokens: int = ...,
        sampling: Sampling | None = ...,
        source: str | None = ...,
        rules: Sequence[Rule] = ...,
    ) -> Result[Any]: ...

    def generate(
        self,
        prompt: Prompt,
        schema: Any,
        *,
        max_new_tokens: int = 512,
        sampling: Sampling | None = None,
        source: str | None = None,
        rules: Sequence[Rule] = (),
    ) -> Result[Any]:
        """Answers a prompt in a schema.

        Args:
            prompt: a text, or chat messages.
            schema: anything `Schema.of` takes.
            max_new_tokens: the most tokens the answer may take, its end token included. It is always complete
                within them.
            sampling: how tokens are chosen; greedy by default.
            source: the text to look up values in; by default what the user said in the prompt.
            rules: further conditions on values, as made by `harmony_gen.rule`.

        Raises:
            SchemaError: the schema is malformed or cannot be guaranteed.
            UnsatisfiableError: nothing satisfies it.
            PromptError: the prompt is empty or too long.
            BudgetError: `max_new_tokens` is too small for any valid answer.
            RuleError: validators refused everything that was tried.
            ModelError: the model failed, or ran out of memory.
            Interrupted: Ctrl-C; carries the partial text.
            TypeError: `max_new_tokens` is no whole number, or `sampling` no `Sampling`.
        """
        return self._start(prompt, schema, max_new_tokens, sampling, source, rules).write()

    def generate_batch(
        self,
        prompts: Iterable[Prompt],
        schemas: Any,
        *,
        max_new_tokens: int = 512,
        sampling: Sampling | None = None,
        sources: Sequence[str | None] | None = None,
        rules: Sequence[Rule] = (),
        batch_size: int = 16,
    ) -> list[Result[Any] | HarmonyError]:
        """Answers many prompts; each answer is the one it would be alone.

        Args:
            prompts: the prompts.
            schemas: one schema for all, or a list with one for each.
            max_new_tokens: as for `generate`, for each answer.
            sampling: as for `generate`; every answer starts with the same seed.
            sources: as for `generate`, one for each prompt.
            rules: as for `generate`.
            batch_size: answers that are written together, ≥ 1.

        Returns:
            A result for each prompt, in order; the error in place of one that failed.

        Raises:
            ValueError: the lists differ in length.
            TypeError: `prompts` is a single text.
        """
        from tqdm import tqdm

        rows = list(_rows(prompts))
        each = schemas if isinstance(schemas, list | tuple) else [schemas] * len(rows)
        texts = [None] * len(rows) if sources is None else sources
        if not len(rows) == len(each) == len(texts):
            counts = f"{len(rows)} prompts, {len(each)} schemas and {len(texts)} sources"
            raise ValueError(f"There are {counts}: give one for each.")
        results = self.generate_each(
            rows,
            each,
            max_new_tokens=max_new_tokens,
            sampling=sampling,
            sources=texts,
            rules=rules,
            batch_size=batch_size,
        )
        return list(tqdm(results, total=len(rows), unit="answer", delay=2, disable=None))

    def generate_each(
        self,
        prompts: Iterable[Prompt],
        schemas: Any,
        *,
        max_new_tokens: int = 512,
        sampling: Sampling | None = None,
        sources: Iterable[str | None] | None = None,
        rules: Sequence[Rule] = (),
        batch_size: int = 16,
    ) -> Iterator[Result[Any] | HarmonyError]:
        """Answers prompts without end: they are taken as there is room, and results given as they are done.

        Args:
            prompts: the prompts; an iterator may give as many as it likes, memory stays bounded.
            schemas: one schema for all, or a list or an iterator with one for each.
            max_new_tokens: as for `generate`, for each answer.
            sampling: as for `generate`; every answer starts with the same seed.
            sources: as for `generate`, one for each prompt.
            rules: as for `generate`.
            batch_size: answers that are written together, ≥ 1.

        Yields:
            A result for each prompt, in order; the error in place of one that failed.

        Raises:
            TypeError: `prompts` is a single text.
            ValueError: `batch_size` is less than 1, or there are fewer schemas or sources than prompts.
            Interrupted: Ctrl-C.
        """
        from harmony_gen.decoding.batch import Batch, is_batchable

        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1; it is {batch_size}.")
        each = schemas if isinstance(schemas, list | tuple | Iterator) else repeat(schemas)
        texts = repeat(None) if sources is None else sources
        together = batch_size > 1 and not self._model.training and is_batchable(self._model)
        batch: Batch[Result[Any] | HarmonyError] | None = Batch(self._model, batch_size) if together else None

        def task(prompt: Prompt, schema: Any, source: str | None) -> Result[Any] | HarmonyError:
            try:
                return self._start(prompt, schema, max_new_tokens, sampling, source, rules, batch).write()
            except HarmonyError as error:
                return error

        tasks = (partial(task, *row) for row in _table(_rows(prompts), iter(each), iter(texts)))
        results = (run() for run in tasks) if batch is None else batch.run(tasks)
        try:
            yield from results
        except KeyboardInterrupt as error:
            raise error if isinstance(error, Interrupted) else Interrupted("") from error

    def stream(
        self,
        prompt: Prompt,
        schema: Any,
        *,
        max_new_tokens: int = 512,
        sampling: Sampling | None = None,
        source: str | None = None,
        rules: Sequence[Rule] = (),
    ) -> Iterator[Event[Any]]:
        """Answers a prompt in a schema, bit by bit. Arguments and errors are those of `generate`.

        Yields:
            TextDelta for new text, FieldDone for each value that closes, at last Done with the result.
            Nothing is ever taken back. Ending the iteration early frees the model's cache.
        """
        yield from self._start(prompt, schema, max_new_tokens, sampling, source, rules).events()

    def accepts(self, schema: Any, text: str) -> bool:
        """Whether a text can be written under a schema: no mask, no rule and no judge stands in the way.

        Args:
            schema: anything `Schema.of` takes.
            text: an answer. A JSON text may be spelled in another way than answers are, with spaces, escapes, or
                2.0 for 2; the order of members counts.

        Raises:
            SchemaError: the schema is malformed or cannot be guaranteed.
        """
        from harmony_gen.decoding.reachable import accepts

        return accepts(Schema.of(schema), self._vocabulary, text)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        from harmony_gen.decoding.vocabulary import Vocabulary, end_tokens

        if self._tokenizer is None:
            raise ModelError("The model comes without a tokenizer. Pass the tokenizer it was trained with.")
        width = self._model.get_output_embeddings().weight.shape[0]
        return Vocabulary(self._tokenizer, width, end_tokens(self._model, self._tokenizer))

    @cached_property
    def _prefixes(self) -> Prefixes:
        from harmony_gen.decoding.prefixes import Prefixes

        return Prefixes(_PREFIX_BYTES)

    @cached_property
    def _window(self) -> int | None:
        """Tokens the model can see, prompt and answer together."""
        config = self._model.config.get_text_config(decoder=True)
        window: int | None = getattr(config, "max_position_embeddings", None)
        return window

    def _start(
        self,
        prompt: Prompt,
        schema: Any,
        max_new_tokens: int,
        sampling: Sampling | None,
        source: str | None,
        rules: Sequence[Rule],
        batch: Batch[Any] | None = None,
    ) -> Answer:
        from harmony_gen.answer import Answer
        from harmony_gen.decoding.kv_cache import ModelRunner
        from harmony_gen.decoding.sampling import Sampling

        started = time.perf_counter()
        _check(max_new_tokens, sampling)
        if self._model.training:
            raise ModelError("The model is in training mode, so its dropout would change answers. Call model.eval().")
        compiled = Schema.of(schema).with_rules(rules)
        tokens = self._encode(prompt, compiled)
        return Answer(
            ModelRunner(self._model, self._prefixes, batch),
            self._vocabulary,
            compiled,
            self._matcher(compiled, len(tokens), max_new_tokens),
            tokens,
            sampling=sampling or Sampling(),
            source=prompts.source_of(prompt) if source is None else source,
            started=started,
        )

    def _encode(self, prompt: Prompt, schema: Schema[Any]) -> list[int]:
        messages = prompts.messages_of(prompt)
        if self._is_embedded:
            return prompts.encode_embedded(messages, schema, self._vocabulary)
        if getattr(self._tokenizer, "chat_template", None):
            return prompts.encode_chat(messages, schema, self._tokenizer, self._vocabulary)
        return prompts.encode_plain(messages, schema, self._tokenizer, self._vocabulary)

    def _matcher(self, schema: Schema[Any], prompt_tokens: int, max_new_tokens: int) -> Matcher:
        """A matcher whose budget fits the model's window behind the prompt."""
        from harmony_gen.decoding.matcher import Matcher

        room = max_new_tokens if self._window is None else self._window - prompt_tokens
        try:
            return Matcher(schema, self._vocabulary, min(max_new_tokens, room))
        except BudgetError as error:
            if error.needed > max_new_tokens:
                raise BudgetError(error.needed, max_new_tokens) from None
            limit = (self._window or 0) - error.needed
            raise PromptError(
                f"The prompt takes {prompt_tokens} tokens with its schema, the model's context window is "
                f"{self._window}, and the shortest valid answer takes {error.needed}: the prompt may take at "
                f"most {limit}. Shorten the text or the schema, or use a model with a larger window.",
                tokens=prompt_tokens,
                limit=limit,
            ) from error


def _rows(prompts: Iterable[Prompt]) -> Iterable[Prompt]:
    if isinstance(prompts, str):
        raise TypeError("prompts must be a list of prompts; it is one text. Use generate for a single prompt.")
    return prompts


def _table(
    prompts: Iterable[Prompt], schemas: Iterator[Any], sources: Iterator[str | None]
) -> Iterator[tuple[Prompt, Any, str | None]]:
    """Each prompt with its schema and source."""
    for number, prompt in enumerate(prompts):
        try:
            row = prompt, next(schemas), next(sources)
        except StopIteration:
            raise ValueError(f"There is no schema or no source for prompt {number}: give one for each.") from None
        yield row


def _check(max_new_tokens: object, sampling: object) -> None:
    """Raises TypeError for options of a wrong type."""
    from harmony_gen.decoding.sampling import Sampling

    if not isinstance(max_new_tokens, int) or isinstance(max_new_tokens, bool):
        message = f"max_new_tokens must be a whole number of tokens; it is {max_new_tokens!r}."
        raise TypeError(message)
    if not isinstance(sampling, Sampling | None):
        message = f"sampling must be a harmony_gen.Sampling, or None; it is {sampling!r}."
        raise TypeError(message)
