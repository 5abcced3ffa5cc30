"""Schema × model → result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing, closing
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from harmony_gen.calibration import kept_with, learned
from harmony_gen.errors import HarmonyError, Interrupted
from harmony_gen.loaded_model import LoadedModel
from harmony_gen.request import rows_of, several
from harmony_gen.result import Done
from harmony_gen.schema import Schema

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence
    from pathlib import Path

    from harmony_gen.answer import Answer
    from harmony_gen.calibration import Calibration
    from harmony_gen.decoding.batch import Batch
    from harmony_gen.long_documents import LongResult
    from harmony_gen.messages import Prompt
    from harmony_gen.request import Options, Shared
    from harmony_gen.result import Event, Result

T = TypeVar("T")


class Generator(LoadedModel):
    """A model that answers in schemas.

    Make one with `from_pretrained`, `embedded`, or from a transformers model and tokenizer you have. Neither is ever
    changed. Several threads may use it: their forward passes run together where they meet. Caches of earlier prompts
    are freed after five minutes without use; `close`, or the end of a `with` block, frees all.
    """

    def __init__(self, model: Any, tokenizer: Any, *, turn: str = "auto", separators: str = "auto") -> None:
        """Wraps a transformers causal LM and its fast tokenizer.

        Args:
            model: the model.
            tokenizer: its tokenizer.
            turn: how its turns look: plain, think (thoughts between tags, as its chat template writes them),
                harmony (as gpt-oss), or auto.
            separators: how its JSON is spelled: compact, spaced (a space behind each comma and colon), or auto:
                the one that the model finds likelier, which is measured once, before its first answer.

        Raises:
            ValueError: there are no such separators.
        """
        super().__init__(model, tokenizer, turn, separators)

    @classmethod
    def from_pretrained(  # noqa: PLR0913 - how a model is loaded has as many sides
        cls,
        model: str,
        *,
        precision: str = "auto",
        device: str | dict[str, Any] = "auto",
        adapter: str | None = None,
        turn: str = "auto",
        separators: str = "auto",
        load_in_8bit: bool = False,
        load_in_4bit: bool = False,
    ) -> Generator:
        """Loads a model.

        Args:
            model: a directory, or an id on the Hugging Face hub.
            precision: auto, fp32, bf16, fp16, int8 or int4.
            device: auto, cpu, cuda, cuda:N, or a device map.
            adapter: directory or hub id of a peft adapter.
            turn: see `Generator`.
            separators: see `Generator`.
            load_in_8bit: transformers' older word for precision="int8".
            load_in_4bit: likewise for precision="int4".

        Raises:
            ModelError: it cannot be loaded; the message says what was tried.
            MissingExtra: the precision needs a package that is not installed.
            ValueError: there are no such separators.
        """
        from harmony_gen.models import load
        from harmony_gen.models.precision import from_flags

        precision = from_flags(precision, load_in_8bit=load_in_8bit, load_in_4bit=load_in_4bit)
        loaded = load(model, precision=precision, device=device, adapter=adapter)
        generator = cls(loaded.model, loaded.tokenizer, turn=turn, separators=separators)
        generator.calibration = kept_with(adapter)
        return generator

    @classmethod
    def embedded(cls, directory: str | Path | None = None, *, adapter: str | None = None) -> Generator:
        """The small model that comes with the package, or one of the same form from a directory, with an adapter."""
        from harmony_gen.models import load_embedded

        loaded = load_embedded(directory, adapter)
        generator = cls(loaded.model, loaded.tokenizer)
        generator._is_embedded = True
        generator.calibration = kept_with(adapter)
        return generator

    @overload
    def generate(self, prompt: Prompt, schema: type[T] | Schema[T], **options: Unpack[Options]) -> Result[T]: ...

    @overload
    def generate(self, prompt: Prompt, schema: Any, **options: Unpack[Options]) -> Result[Any]: ...

    def generate(self, prompt: Prompt, schema: Any, **options: Unpack[Options]) -> Result[Any]:
        """Answers a prompt in a schema.

        Args:
            prompt: a text, or chat messages.
            schema: anything `Schema.of` takes.
            options: see `harmony_gen.request.Options`: max_new_tokens, sampling, source, rules, reasoning, tools.

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
        return self._start(self._request(prompt, schema, **options)).write()

    def generate_batch(
        self,
        prompts: Iterable[Prompt],
        schemas: Any,
        *,
        sources: Sequence[str | None] | None = None,
        batch_size: int = 16,
        **options: Unpack[Shared],
    ) -> list[Result[Any] | HarmonyError]:
        """Answers many prompts; each answer is the one it would be alone.

        Args:
            prompts: the prompts.
            schemas: one schema for all, or a list with one for each.
            sources: the source of each prompt.
            batch_size: answers that are written together, ≥ 1.
            options: as for `generate`, for each answer; all start with the same seed.

        Returns:
            A result for each prompt, in order; the error in place of one that failed.

        Raises:
            ValueError: the lists differ in length.
            TypeError: `prompts` is a single text.
        """
        from tqdm import tqdm

        rows = list(several(prompts))
        each = schemas if isinstance(schemas, list | tuple) else [schemas] * len(rows)
        texts = [None] * len(rows) if sources is None else sources
        if not len(rows) == len(each) == len(texts):
            counts = f"{len(rows)} prompts, {len(each)} schemas and {len(texts)} sources"
            raise ValueError(f"There are {counts}: give one for each.")
        results = self.generate_each(rows, each, sources=texts, batch_size=batch_size, **options)
        return list(tqdm(results, total=len(rows), unit="answer", delay=2, disable=None))

    def generate_each(
        self,
        prompts: Iterable[Prompt],
        schemas: Any,
        *,
        sources: Iterable[str | None] | None = None,
        batch_size: int = 16,
        **options: Unpack[Shared],
    ) -> Iterator[Result[Any] | HarmonyError]:
        """Answers prompts without end: they are taken as there is room, and results given as they are done.

        Args:
            prompts: the prompts; an iterator may give as many as it likes, memory stays bounded.
            schemas: one schema for all, or a list or an iterator with one for each.
            sources: the source of each prompt.
            batch_size: answers that are written together, ≥ 1.
            options: as for `generate`, for each answer; all start with the same seed.

        Yields:
            A result for each prompt, in order; the error in place of one that failed.

        Raises:
            TypeError: `prompts` is a single text.
            ValueError: `batch_size` is less than 1, or there are fewer schemas or sources than prompts.
            Interrupted: Ctrl-C.
        """
        from harmony_gen.decoding.batch import Batch
        from harmony_gen.decoding.passes import is_batchable

        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1; it is {batch_size}.")
        each = schemas if isinstance(schemas, list | tuple | Iterator) else repeat(schemas)
        texts = repeat(None) if sources is None else sources
        together = batch_size > 1 and not self._model.training and is_batchable(self._model)
        batch: Batch[Result[Any] | HarmonyError] | None = Batch(self._model, batch_size) if together else None

        def task(prompt: Prompt, schema: Any, source: str | None) -> Result[Any] | HarmonyError:
            try:
                return self._start(self._request(prompt, schema, source=source, **options), batch).write()
            except HarmonyError as error:
                return error

        tasks = (partial(task, *row) for row in rows_of(several(prompts), iter(each), iter(texts)))
        results = (run() for run in tasks) if batch is None else batch.run(tasks)
        try:
            yield from results
        except KeyboardInterrupt as error:
            raise error if isinstance(error, Interrupted) else Interrupted("") from error

    def stream(
        self, prompt: Prompt, schema: Any, *, partial: bool = False, **options: Unpack[Options]
    ) -> Iterator[Event[Any]]:
        """Answers a prompt in a schema, bit by bit. Errors are those of `generate`.

        Args:
            prompt: a text, or chat messages.
            schema: anything `Schema.of` takes.
            partial: give the value so far wherever something has closed, of answers in JSON.
            options: see `generate`.

        Yields:
            ReasoningDelta for new thoughts, TextDelta for new text, FieldDone for each value that closes, Partial if
            wanted, at last Done with the result. Nothing is ever taken back. Ending the iteration early frees the
            model's cache.
        """
        with closing(self._start(self._request(prompt, schema, **options)).steps(partial=partial)) as steps:
            for step in steps:
                yield from step

    async def astream(
        self, prompt: Prompt, schema: Any, *, partial: bool = False, **options: Unpack[Options]
    ) -> AsyncGenerator[Event[Any], None]:
        """`stream` for asyncio: the model runs in a thread of its own. Several may run at the same time.

        Cancelling the task, or closing the iterator, ends the answer after the token that is under way, and frees the
        model's cache.
        """
        from harmony_gen.asynchronous import in_thread

        def start() -> Answer:
            return self._start(self._request(prompt, schema, **options))

        async with aclosing(in_thread(lambda: start().steps(partial=partial))) as events:
            async for event in events:
                yield event

    async def agenerate(self, prompt: Prompt, schema: Any, **options: Unpack[Options]) -> Result[Any]:
        """`generate` for asyncio; see `astream`."""
        async with aclosing(self.astream(prompt, schema, **options)) as events:
            async for event in events:
                if isinstance(event, Done):
                    return event.result
        raise AssertionError  # a stream ends with its result

    def extract_long(
        self,
        pages: str | Sequence[str],
        schema: Any,
        *,
        chunk_tokens: int | None = None,
        overlap_tokens: int | None = None,
        batch_size: int = 16,
        **options: Unpack[Shared],
    ) -> LongResult[Any]:
        """Answers a document that may be longer than the model sees at once, with a progress bar if it takes long.

        Parts of it are answered alone, and put together: objects member by member, arrays without what two parts have
        both said, scalars from the part that is most confident.

        Args:
            pages: the document, or its pages.
            schema: anything `Schema.of` takes whose answers are JSON.
            chunk_tokens: the most tokens of a part, ≥ 16; by default what fits the model beside schema and answer.
            overlap_tokens: the most tokens that a part shares with the next; by default an eighth.
            batch_size: parts that are answered together, ≥ 1.
            options: as for `generate`, for each part. Without `missing` a part may leave open what it does not hold,
                and the whole may not.

        Raises:
            PromptError: the document is empty, or there is no room for a part.
            SchemaError: answers are not JSON.
            HarmonyError: no part could be answered.
        """
        from harmony_gen.long_documents import extract_long

        return extract_long(
            self,
            pages,
            schema,
            chunk_tokens=chunk_tokens,
            overlap_tokens=overlap_tokens,
            batch_size=batch_size,
            options=options,
        )

    def accepts(self, schema: Any, text: str) -> bool:
        """Whether a text can be written under a schema: no mask, no rule and no judge stands in the way.

        Args:
            schema: anything `Schema.of` takes.
            text: an answer. JSON may be spelled in other ways, with spaces, escapes, 2.0 for 2; not in another order.

        Raises:
            SchemaError: the schema is malformed or cannot be guaranteed.
        """
        from harmony_gen.decoding.reachable import accepts

        return accepts(Schema.of(schema), self._vocabulary, text)

    def calibrate(
        self, cases: Iterable[tuple[Prompt, Any, Any]], *, method: str = "isotonic", **options: Unpack[Options]
    ) -> Calibration:
        """Learns from labelled answers what probabilities of fields say; `Field.confidence` follows it from now on.

        Args:
            cases: prompts with their schemas and the right values, which `calibration.learned` compares.
            method: "isotonic", or "platt", which needs fewer values.
            options: see `generate`.
        """
        rows = ((self.generate(prompt, schema, **options).fields, schema, value) for prompt, schema, value in cases)
        self.calibration = found = learned(rows, method)
        return found
