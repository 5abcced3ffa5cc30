"""The records of an extraction: one JSON object a line, in UTF-8, written and read here only.

    {"id":"letters/7.txt","value":{…},"finish":"complete","fields":{"/total":{…}},"usage":{…},"error":null,
     "source":null,"checksum":"0123456789abcdef"}

`checksum` ends the line, so a line that was cut off or changed is found out. A line without a line feed is one whose
writer was stopped.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harmony_gen.result import Field, Result, Usage

ANSWER = ("value", "finish", "fields", "usage")
"""What a record holds of an answer."""

_KEYS = ("id", "value", "finish", "fields", "usage", "error", "source", "checksum")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no value.

    Attributes:
        type: the name of the error's class.
        message: what it said.
        line: where in the input, from 1; None if no line is to blame.
    """

    type: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one input.

    Attributes:
        id: the path of a file, path:line of a row, or what its id field holds.
        value: the answer as JSON; an XML document as its text.
        finish: as in `Result`; None for a failure.
        fields: by pointer or XPath: value, confidence, allowed_mass, source_span.
        usage: what it cost, as in `Usage`.
        error: None for an answer.
        source: the text of the input, if it was to be kept.
    """

    id: str
    value: Any
    finish: str | None
    fields: Mapping[str, Mapping[str, Any]]
    usage: Mapping[str, Any]
    error: Failure | None = None
    source: str | None = None

    @classmethod
    def of(cls, id_: str, result: Result[Any], *, is_json: bool, source: str | None = None) -> Record:
        """The record of an answer; of one that is not JSON the value is its text."""
        fields = {pointer: field_as_json(field) for pointer, field in result.fields.items()}
        value = json.loads(result.text) if is_json else result.text
        return cls(id_, value, result.finish, fields, usage_as_json(result.usage), None, source)

    @classmethod
    def failed(cls, id_: str, failure: Failure, source: str | None = None) -> Record:
        """The record of an input without an answer."""
        return cls(id_, None, None, {}, {}, failure, source)

    def answer(self) -> dict[str, Any]:
        """What it holds of an answer, by `ANSWER`."""
        return {name: getattr(self, name) for name in ANSWER}

    def line(self) -> bytes:
        """The record as it is written, with its line feed."""
        contents = {name: getattr(self, name) for name in _KEYS[:-1]}
        contents["error"] = None if self.error is None else asdict(self.error)
        return _dumped({**contents, "checksum": _checksum(contents)}) + b"\n"


@dataclass(frozen=True, slots=True)
class Damage:
    """A line that holds no record.

    Attributes:
        text: the line, without its line feed.
        reason: what is wrong with it.
        torn: whether it is the last one and its end is missing: its writer was stopped.
    """

    text: bytes
    reason: str
    torn: bool = False


def read(path: Path) -> Iterator[tuple[int, Record | Damage]]:
    """The lines of a file of records, with their numbers from 1; only one line at a time is in memory.

    Raises:
        OutputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield number, parse(line)
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {error.strerror}.") from error


def parse(line: bytes) -> Record | Damage:
    """The record of one line, or why it holds none."""
    text = line.removesuffix(b"\n")
    if text == line:
        return Damage(text, "its end is missing", torn=True)
    try:
        contents = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Damage(text, f"it is not JSON: {error}")
    if not isinstance(contents, dict) or tuple(contents) != _KEYS:
        return Damage(text, f"it is no record: its members must be {', '.join(_KEYS)}, in this order")
    written = contents.pop("checksum")
    try:
        if written != _checksum(contents):
            return Damage(text, "its contents do not fit its checksum")
        failure = contents.pop("error")
        return Record(**contents, error=None if failure is None else Failure(**failure))
    except (TypeError, ValueError) as error:
        return Damage(text, f"it is no record: {error}")


def written(value: Any, *, is_json: bool) -> str:
    """The text of a record's value."""
    return json.dumps(value, ensure_ascii=False) if is_json else str(value)


def field_as_json(field: Field) -> dict[str, Any]:
    """What a record says of a field."""
    return {
        "value": _exact(field.value),
        "confidence": round(field.confidence, 6),
        "allowed_mass": round(field.allowed_mass, 6),
        "source_span": None if field.source_span is None else list(field.source_span),
    }


def usage_as_json(usage: Usage) -> dict[str, Any]:
    """What an answer cost; times in seconds."""
    numbers = {name: round(value, 4) for name, value in asdict(usage).items()}
    return {**numbers, "tokens_per_second": round(usage.tokens_per_second, 1)}


def _exact(value: Any) -> Any:
    """A value as JSON: numbers that would lose digits, or are none, as text."""
    if isinstance(value, list):
        return [_exact(item) for item in value]
    is_exact = not isinstance(value, Decimal) and (not isinstance(value, float) or math.isfinite(value))
    return value if is_exact else str(value)


def _checksum(contents: Mapping[str, Any]) -> str:
    return sha256(_dumped(contents)).hexdigest()[:16]


def _dumped(contents: Mapping[str, Any]) -> bytes:
    """Halves of surrogate pairs, which names of files may hold, are escaped as JSON has it."""
    text = json.dumps(contents, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode(errors="backslashreplace")
