"""Answers and gold values in files: JSON Lines, in UTF-8."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harmony_gen.errors import HarmonyError
from harmony_gen.evaluation.records import Answer, Gold
from harmony_gen.pipeline.records import Damage, parse
from harmony_gen.schema.judge import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST = 3
"""Lines that a message names."""

T = TypeVar("T", Answer, Gold)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that holds no record.

    Attributes:
        number: of the line, from 1.
        reason: what is wrong with it.
    """

    number: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}"


def read_gold(path: str | Path) -> list[Gold]:
    """The gold values of a file.

    Raises:
        HarmonyError: it cannot be read, holds nothing, or has a line that is no gold value.
    """
    found, bad = _read(Path(path), Gold)
    if bad:
        message = f"{path} holds {len(bad)} lines that are no gold values: {listed(bad)}. Correct them."
        raise HarmonyError(message)
    return found


def read_answers(path: str | Path) -> tuple[list[Answer], tuple[BadLine, ...]]:
    """The answers of a file, and the lines that hold none: they do not stop an evaluation.

    Where an id failed first and was tried again, the later record stands.

    Raises:
        HarmonyError: it cannot be read, or holds no record at all.
    """
    found, bad = _read(Path(path), Answer)
    if bad and not found:
        message = f"{path} holds no record of an answer: {listed(bad)}."
        raise HarmonyError(message)
    answered = {answer.id for answer in found if answer.error is None}
    failed = {answer.id: answer for answer in found if answer.id not in answered}
    return [*(answer for answer in found if answer.error is None), *failed.values()], tuple(bad)


def listed(bad: list[BadLine] | tuple[BadLine, ...]) -> str:
    """The first few of some lines, with what is wrong."""
    more = f" (and {len(bad) - _MOST} more)" if len(bad) > _MOST else ""
    return "; ".join(map(str, bad[:_MOST])) + more


def _read(path: Path, kind: type[T]) -> tuple[list[T], list[BadLine]]:
    found: list[T] = []
    bad: list[BadLine] = []
    for number, line in _lines(path):
        try:
            found.append(_record(line, kind))
        except (ValueError, RecursionError) as error:
            bad.append(BadLine(number, str(error)))
    if not found and not bad:
        message = f"{path} is empty: it must hold a JSON object in each line."
        raise HarmonyError(message)
    return found, bad


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers."""
    try:
        with path.open("rb") as file:
            yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise HarmonyError(message) from error


def _record(line: bytes, kind: type[T]) -> T:
    """The record of a line.

    Raises:
        ValueError: it is none.
    """
    try:
        record: Any = read_json(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        message = f"it is not UTF-8: byte {error.start} is 0x{line[error.start]:02x}"
        raise ValueError(message) from error
    except ValueError as error:
        message = f"it is not JSON: {error}"
        raise ValueError(message) from error
    if not isinstance(record, dict):
        message = f"it must be a JSON object, not {record!r:.40}"
        raise ValueError(message)  # noqa: TRY004 - what is wrong is the content of a file
    if "checksum" in record and isinstance(damage := parse(line), Damage):
        raise ValueError(damage.reason)
    return kind.of(record)
