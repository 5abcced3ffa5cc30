"""What is learnt from: JSON lines, checked before anything is trained on them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import HarmonyError, TrainingError, ValidationError
from harmony_gen.request import request_of, written
from harmony_gen.schema import Schema
from harmony_gen.training.following import follow_label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harmony_gen.generator import Generator
    from harmony_gen.request import Request
    from harmony_gen.training.loss import Trace

_KEYS = frozenset(("text", "messages", "schema", "regex", "output"))


@dataclass(frozen=True)
class Example:
    """A prompt with its schema, and the right answer where it is known.

    Attributes:
        number: of its line, from 1 on.
        request: prompt and schema.
        prompt: ids of the tokens the model reads.
        text: the right answer; None if it is not known.
        trace: the right answer in tokens; None if it is not known.
    """

    number: int
    request: Request
    prompt: tuple[int, ...]
    text: str | None = None
    trace: Trace | None = None

    @property
    def schema(self) -> Schema[Any]:
        """What a right answer is."""
        assert self.request.schema is not None  # noqa: S101 - lines without one are refused
        return self.request.schema


@dataclass(frozen=True)
class Problem:
    """A line that nothing is learnt from.

    Attributes:
        number: of the line, from 1 on.
        reason: why.
    """

    number: int
    reason: str


@dataclass(frozen=True)
class Examples:
    """The examples of a file.

    Attributes:
        path: the file.
        labelled: those whose right answer is known.
        unlabelled: the others.
        problems: lines that were left out.
    """

    path: Path
    labelled: tuple[Example, ...]
    unlabelled: tuple[Example, ...]
    problems: tuple[Problem, ...]

    def report(self) -> str:
        """What was found, with the problems line by line."""
        counts = f"{self.path}: {len(self.labelled)} labelled, {len(self.unlabelled)} unlabelled"
        return "\n".join(
            [f"{counts}, {len(self.problems)} left out"]
            + [f"  line {one.number}: {one.reason}" for one in self.problems]
        )


def read_examples(path: Path, generator: Generator, *, most: int) -> Examples:
    """Reads a file of examples and checks each.

    A line is an object with `text` or `messages`; `schema`, a JSON Schema or the path of a .json or .xsd file, from the
    folder of the file; or `regex`, a pattern in Rust's syntax; and `output`, if it is known: a JSON value, or the text
    of a document. Lines that are invalid, cannot be written under the constraint or are too long are left out.

    Args:
        path: the file, UTF-8.
        generator: the model that will learn.
        most: tokens of prompt and answer.

    Raises:
        TrainingError: the file cannot be read.
    """
    labelled: list[Example] = []
    unlabelled: list[Example] = []
    problems: list[Problem] = []
    for number, line in _lines(path):
        try:
            found = _example(number, line, path.parent, generator, most)
            (unlabelled if found.trace is None else labelled).append(found)
        except (HarmonyError, ValueError, TypeError) as error:
            problems.append(Problem(number, str(error) or type(error).__name__))
    return Examples(path, tuple(labelled), tuple(unlabelled), tuple(problems))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise TrainingError(f"The examples {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise TrainingError(f"The examples {path} are not UTF-8: byte {error.start}.") from error
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def _example(number: int, line: str, folder: Path, generator: Generator, most: int) -> Example:
    """One line, or an error with the reason why it is none."""
    try:
        given = json.loads(line)
    except ValueError as error:
        raise TrainingError(f"it is not JSON: {error}") from error
    if not isinstance(given, dict) or not given.keys() <= _KEYS:
        raise TrainingError(f"it must be an object with some of the keys {', '.join(sorted(_KEYS))}; it is {line:.60}")
    if ("text" in given) == ("messages" in given):
        raise TrainingError("it must have either text or messages")
    if ("schema" in given) == ("regex" in given):
        raise TrainingError("it must have either schema or regex")
    prompt = given["text"] if "text" in given else given["messages"]
    request = request_of(prompt, _schema(given, folder), max_new_tokens=most)
    tokens = tuple(generator._encode_request(request))
    if len(tokens) >= most:
        raise TrainingError(f"too long: the prompt takes {len(tokens)} tokens, of at most {most} with its answer")
    bare = Example(number, request, tokens)
    if "output" not in given:
        return bare
    text = answer_text(bare.schema, given["output"])
    trace = replace(follow_label(generator, request, text), number=number)
    size = len(trace.prompt) + len(trace.answer)
    if size > most:
        raise TrainingError(f"too long: prompt and answer take {size} tokens, of at most {most}")
    return replace(bare, text=text, trace=trace)


def _schema(given: dict[str, Any], folder: Path) -> Schema[Any]:
    if "regex" in given:
        return _compiled(given["regex"], "regex")
    schema = given["schema"]
    if isinstance(schema, str):
        return _compiled(str(folder / schema), "path")
    return _compiled(json.dumps(schema), "json")


@lru_cache(maxsize=1024)
def _compiled(text: str, kind: str) -> Schema[Any]:
    if kind == "regex":
        return Schema.from_regex(text)
    return Schema.of(text if kind == "path" else json.loads(text))


def answer_text(schema: Schema[Any], output: Any) -> str:
    """A right answer as the decoder spells it; a JSON answer may be given as a value or as its text.

    Raises:
        ValidationError: it is not valid.
    """
    try:
        return written(schema, output)
    except ValidationError as error:
        if schema.is_json and isinstance(output, str):
            try:
                return written(schema, json.loads(output))
            except (ValueError, ValidationError):
                pass
        raise ValidationError(f"the output is not valid: {error}", pointer=error.pointer) from error
