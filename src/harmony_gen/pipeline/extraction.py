"""Extraction from many inputs into a file of records, which goes on where it was stopped."""

from __future__ import annotations

import sys
import time
from collections import deque
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from harmony_gen.errors import HarmonyError, UnsatisfiableError
from harmony_gen.pipeline import identity
from harmony_gen.pipeline.cache import open_cache
from harmony_gen.pipeline.inputs import Input, Reading, count, read
from harmony_gen.pipeline.output import Output
from harmony_gen.pipeline.records import ANSWER, Failure, Record, written
from harmony_gen.request import request_of
from harmony_gen.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from harmony_gen.generator import Generator
    from harmony_gen.pipeline.cache import Cache
    from harmony_gen.request import Shared
    from harmony_gen.result import Result


@dataclass(frozen=True, slots=True)
class Summary:
    """What an extraction did.

    Attributes:
        answered: inputs that were answered now, from the cache or by the model.
        cached: of these, how many from the cache.
        failed: inputs whose record is now an error.
        kept: inputs that had their record already.
        quarantined: numbers of the lines that were damaged; they are in the file .quarantine.
        cache_trouble: why the cache went out of use; None if it works.
        seconds: how long it took.
    """

    answered: int = 0
    cached: int = 0
    failed: int = 0
    kept: int = 0
    quarantined: tuple[int, ...] = ()
    cache_trouble: str | None = None
    seconds: float = 0.0


def extract(  # noqa: PLR0913 - choices of the user, all but three with a default
    inputs: Iterable[str | Path | Input],
    schema: Any,
    *,
    output: str | Path,
    generator: Generator | None = None,
    reading: Reading | None = None,
    keep_source: bool = False,
    cache: str | Path | None = None,
    batch_size: int = 16,
    force: bool = False,
    retry_errors: bool = False,
    progress: bool | None = None,
    **options: Unpack[Shared],
) -> Summary:
    """Writes a record for each input to a file; those that have one there already are left out.

    Records come in the order of their inputs, but those that need no model may overtake the others. An input is known
    by its id: if its text has changed since, its record stays as it is.

    Args:
        inputs: files, folders, "-" for standard input, and texts as `Input`; taken as they are needed.
        schema: anything `Schema.of` takes.
        output: the file; a part of it may be there from a run that was stopped.
        generator: the model; None is the embedded one.
        reading: how files are read.
        keep_source: puts texts into their records.
        cache: where answers are kept and looked up: a folder, the URL of a Redis server, "off", or None for the
            user's own folder. Not used where answers are drawn without a seed, or rules decide.
        batch_size: answers that are written together, ≥ 1.
        force: goes on with a file that another schema, model, version or option made.
        retry_errors: tries those again whose record is an error.
        progress: shows a bar on standard error; None if that is a terminal.
        options: as for `Generator.generate`, for each answer.

    Raises:
        OutputError: the file cannot be written, or something else made it.
        HarmonyError: the schema or the cache is of no use; what is wrong with an input is in its record.
        Interrupted: Ctrl-C; what was written stays.
    """
    from harmony_gen.shortcut import loaded

    started = time.monotonic()
    reading, compiled = reading or Reading(), Schema.of(schema)
    if batch_size < 1:
        raise HarmonyError(f"batch_size must be at least 1; it is {batch_size}.")
    with suppress(UnsatisfiableError):  # of a source like this one
        request_of("-", compiled, source="-", **options)  # what is wrong with all inputs is told at once
    generator = generator or loaded()
    made_by, is_repeatable = identity.of_run(generator, compiled, options)
    key = identity.digest(made_by) if is_repeatable else None
    made_by["fields read"] = identity.digest([reading.texts, reading.id, reading.format])
    with (
        closing(open_cache(cache)) as kept,
        Output(output, made_by, force=force, retry=retry_errors) as file,
        _bar(inputs, reading, len(file.done), shown=progress) as bar,
    ):
        run = _Run(_Answers(kept, key, compiled, options), file, bar, keep_source=keep_source)
        prompts = run.without_records(read(inputs, reading))
        results: Any = generator.generate_each(prompts, compiled, batch_size=batch_size, **options)
        with closing(results):
            for result in results:
                run.answered(result)
    seconds = time.monotonic() - started
    return Summary(**run.counts, quarantined=tuple(file.quarantined), cache_trouble=kept.trouble, seconds=seconds)


def _bar(inputs: Iterable[str | Path | Input], reading: Reading, done: int, *, shown: bool | None) -> Any:
    """A bar for those inputs that are not done yet."""
    from tqdm import tqdm

    shown = sys.stderr.isatty() if shown is None else shown
    total = count(inputs, reading) if shown and isinstance(inputs, list | tuple) else None
    return tqdm(total=None if total is None else max(total - done, 0), unit="input", disable=not shown)


class _Answers:
    """Answers that were kept, by the text of the input."""

    def __init__(self, cache: Cache, key: str | None, schema: Schema[Any], options: Shared) -> None:
        """With the key None nothing is kept."""
        self._cache, self._key, self._schema, self._options = cache, key, schema, options

    @property
    def is_json(self) -> bool:
        return self._schema.is_json

    def get(self, text: str) -> dict[str, Any] | None:
        """The answer to a text; None if none is kept, or one that is not valid."""
        answer = None if self._key is None else self._cache.get(identity.digest([self._key, text]))
        if answer is None or answer.keys() != set(ANSWER):
            return None
        try:
            schema = request_of(text, self._schema, **self._options).schema or self._schema
        except HarmonyError:  # which its record will tell
            return None
        return answer if schema.accepts(written(answer["value"], is_json=self.is_json).encode()) else None

    def keep(self, text: str, record: Record) -> None:
        """Keeps the answer of a record."""
        if self._key is not None:
            self._cache.set(identity.digest([self._key, text]), record.answer())


class _Run:
    """Which inputs are underway, and what became of the others."""

    def __init__(self, answers: _Answers, file: Output, bar: Any, *, keep_source: bool) -> None:
        self.counts = dict.fromkeys(("answered", "cached", "failed", "kept"), 0)
        self._answers, self._file, self._bar, self._keeps_source = answers, file, bar, keep_source
        self._begun: deque[Input] = deque()

    def without_records(self, inputs: Iterable[Input]) -> Iterator[str]:
        """The texts that a model must be asked about; of the other inputs the records are written on the way."""
        for one in inputs:
            answer = None if one.failure or one.id in self._file.done else self._answers.get(one.text)
            if one.id in self._file.done:
                self.counts["kept"] += 1
            elif one.failure is not None:
                self._write(Record.failed(one.id, one.failure))
            elif answer is not None:
                self.counts["cached"] += 1
                self._write(Record(one.id, **answer, source=self._source(one)))
            else:
                self._begun.append(one)
                yield one.text

    def answered(self, result: Result[Any] | HarmonyError) -> None:
        """Writes the record of the input that was begun first."""
        one = self._begun.popleft()
        if isinstance(result, HarmonyError):
            failure = Failure(type(result).__name__, str(result), one.line)
            self._write(Record.failed(one.id, failure, self._source(one)))
        else:
            record = Record.of(one.id, result, is_json=self._answers.is_json, source=self._source(one))
            self._write(record)
            self._answers.keep(one.text, record)

    def _source(self, one: Input) -> str | None:
        return one.text if self._keeps_source else None

    def _write(self, record: Record) -> None:
        self._file.append(record)
        self.counts["answered" if record.error is None else "failed"] += 1
        self._bar.update()
