"""What there is to extract from: files, folders, rows of JSONL and CSV files, standard input; one at a time.

Whatever cannot be read becomes an input that says why, and the next one follows.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from harmony_gen.errors import PromptError
from harmony_gen.pipeline.records import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FORMATS = ("auto", "text", "jsonl", "csv")
STDIN = "-"

_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv"}


@dataclass(frozen=True, slots=True)
class Input:
    """A text to extract from, or why there is none.

    Attributes:
        id: what its record is known by.
        text: what it says; "" for a failure.
        line: of a row, where it begins in its file, from 1.
        failure: why it could not be read.
    """

    id: str
    text: str
    line: int | None = None
    failure: Failure | None = None

    @classmethod
    def failed(cls, id_: str, error: Exception, line: int | None = None) -> Input:
        """What stands for a text that could not be read."""
        return cls(id_, "", line, Failure("PromptError", str(error), line))


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How files are read.

    Attributes:
        texts: names of the JSONL field or CSV column that holds the text; of several, each is put behind its name.
        id: the field or column that holds the id; None for path:line.
        format: "text" (a file is a text), "jsonl", "csv" (tabs in .tsv files), or "auto", by the suffix; standard
            input is a text then.
    """

    texts: tuple[str, ...] = ("text",)
    id: str | None = None
    format: str = "auto"

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ValueError(f"Reading.format must be one of {', '.join(FORMATS)}; it is {self.format!r}.")
        if not self.texts or isinstance(self.texts, str):
            raise ValueError(f"Reading.texts must be a tuple of at least one name; it is {self.texts!r}.")

    def format_of(self, path: str) -> str:
        """How a file is read."""
        return self.format if self.format != "auto" else _SUFFIXES.get(Path(path).suffix.lower(), "text")

    def row(self, row: Mapping[str, Any], place: str, line: int) -> Input:
        """The input of one row; raises PromptError if its text is no text, or its id no id."""
        texts = [_text(row, name) for name in self.texts]
        named = (f"{name}: {text}" for name, text in zip(self.texts, texts, strict=True))
        text = texts[0] if len(texts) == 1 else "\n".join(named)
        return Input(f"{place}:{line}" if self.id is None else _id(row, self.id), text, line)


def read(inputs: Iterable[str | Path | Input], reading: Reading) -> Iterator[Input]:
    """Reads files, folders (with the folders in them, in order of their names) and "-", standard input.

    No two have the same id: one that occurs again is a failure, with its place as id. The same file is read once.
    """
    ids: set[str] = set()
    for place in _places(inputs):
        if isinstance(place, Input):
            yield _unique(place, place.id, ids)
        else:
            yield from (_unique(found, place, ids) for found in _of_file(place, reading))


def count(inputs: Iterable[str | Path | Input], reading: Reading) -> int | None:
    """How many inputs there are; None if that takes reading standard input."""
    total = 0
    for place in _places(inputs):
        if place == STDIN:
            return None
        is_one = isinstance(place, Input) or reading.format_of(place) == "text"
        total += 1 if is_one else sum(1 for _ in _of_file(str(place), reading))
    return total


def decoded(data: bytes, name: str) -> str:
    """Bytes as text; raises PromptError if they are not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PromptError(
            f"The input {name} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}. "
            "Convert it first, for example with: iconv -f LATIN1 -t UTF-8"
        ) from error


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """A file, or standard input.

    Raises:
        PromptError: it cannot be read.
    """
    try:
        if name == STDIN:
            yield sys.stdin.buffer
        else:
            with Path(name).open("rb") as file:
                yield file
    except OSError as error:
        raise _unreadable(name, error) from error


def _places(inputs: Iterable[str | Path | Input]) -> Iterator[str | Input]:
    """Files, those of folders among them, each once; what is hidden in a folder, or no file, is left out."""
    seen: set[str] = set()
    for given in inputs:
        if isinstance(given, Input):
            yield given
            continue
        is_folder = given != STDIN and Path(given).is_dir()
        for place in _files(Path(given)) if is_folder else [str(Path(given))]:
            if isinstance(place, Input):
                yield place
            elif place not in seen:
                seen.add(place)
                yield place


def _files(place: Path) -> Iterator[str | Input]:
    closed: list[OSError] = []
    for folder, inner, names in os.walk(place, onerror=closed.append):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for path in (Path(folder, name) for name in sorted(names) if not name.startswith(".")):
            if path.is_file() or not path.exists():  # no pipe, which could be waited for without end
                yield str(path)
    for error in closed:
        yield Input.failed(str(error.filename), _unreadable(str(error.filename), error))


def _of_file(place: str, reading: Reading) -> Iterator[Input]:
    """The inputs of a file; what is wrong with the file as a whole is the last one."""
    read_inputs = {"text": _whole, "jsonl": _json_lines, "csv": _table}[reading.format_of(place)]
    try:
        with opened(place) as file:
            yield from read_inputs(file, place, reading)
    except PromptError as error:
        yield Input.failed(place, error)


def _whole(file: IO[bytes], place: str, _: Reading) -> Iterator[Input]:
    yield Input(place, decoded(file.read(), place))


def _json_lines(file: IO[bytes], place: str, reading: Reading) -> Iterator[Input]:
    for line, data in enumerate(file, 1):
        if data.strip():
            try:
                found = reading.row(_object(decoded(data, f"{place}:{line}")), place, line)
            except PromptError as error:
                found = Input.failed(f"{place}:{line}", error, line)
            yield found


def _table(file: IO[bytes], place: str, reading: Reading) -> Iterator[Input]:
    """The rows of a CSV file, the first of which names the columns."""
    with _as_text(file) as text:
        rows = csv.reader(text, delimiter="\t" if Path(place).suffix.lower() == ".tsv" else ",")
        header = _header(rows, place, reading)
        while True:
            line = rows.line_num + 1
            try:
                cells = next(rows)
                found = reading.row(_cells(header, cells), place, line) if cells else None
            except StopIteration:
                return
            except (PromptError, csv.Error) as error:
                found = Input.failed(f"{place}:{line}", error, line)
            if found is not None:
                yield found


@contextmanager
def _as_text(file: IO[bytes]) -> Iterator[TextIOWrapper]:
    """Bytes as text, without an error where they are not UTF-8: only the row with such bytes is bad."""
    text = TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield text
    finally:
        text.detach()


def _header(rows: Iterator[list[str]], place: str, reading: Reading) -> list[str]:
    try:
        header = next(rows, [])
    except csv.Error as error:
        raise PromptError(f"The input {place} is no CSV file: {error}.") from error
    for name in (*reading.texts, *([] if reading.id is None else [reading.id])):
        if name not in header:
            columns = ", ".join(header) or "none"
            raise PromptError(f"The input {place} has no column {name!r}; its columns are: {columns}.")
    return header


def _cells(header: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(header):
        raise PromptError(f"The row has {len(cells)} cells, the header {len(header)}.")
    return dict(zip(header, cells, strict=True))


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PromptError(f"The line is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise PromptError(f"The line is no JSON object, but {value!r:.40}.")
    return value


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        held = f"holds {value!r:.40}, which is no text" if name in row else "is missing"
        raise PromptError(f"The field {name!r} {held}. There are: {', '.join(row) or 'none'}.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        wrong = f"character {error.start} of the field {name!r} is U+{ord(value[error.start]):04X}"
        raise PromptError(f"This is not Unicode text: {wrong}. Is the file in another encoding than UTF-8?") from error
    return value


def _id(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise PromptError(f"The field {name!r} holds {value!r:.40}, which is no id: a text or a whole number.")
    return str(value)


def _unique(found: Input, place: str, ids: set[str]) -> Input:
    if found.id in ids:
        again = f"{place}:{found.line or 1}"
        error = PromptError(f"The id {found.id!r} occurs a second time.")
        found = Input.failed(f"{again}#{len(ids)}" if again in ids else again, error, found.line)
    ids.add(found.id)
    return found


def _unreadable(name: str, error: OSError) -> PromptError:
    return PromptError(f"The input {name} cannot be read: {error.strerror}.")
