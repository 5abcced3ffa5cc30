"""Answers and gold values, as records of files and as values of a program."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import HarmonyError
from harmony_gen.pipeline.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harmony_gen.result import Result, Span


@dataclass(frozen=True, slots=True)
class Located:
    """What is known of a value of an answer.

    Attributes:
        confidence: how probable it is that the value is right, in [0, 1].
        allowed_mass: the probability that the model gave to what the schema allowed, in [0, 1].
        source_span: where the value stands in the source.
    """

    confidence: float | None = None
    allowed_mass: float | None = None
    source_span: Span | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a run.

    Attributes:
        id: the document it is about.
        value: as JSON; of XML the document as text.
        fields: what is known of its scalars, by JSON Pointer or XPath.
        error: why there is no answer; None if there is one.
        source: the text it was taken from, if that is known.
    """

    id: str
    value: Any
    fields: Mapping[str, Located] = field(default_factory=dict)
    error: str | None = None
    source: str | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Answer:
        """Reads a record as `harmony-gen extract` writes it.

        Raises:
            ValueError: it is none; the message says why.
        """
        error = record.get("error")
        if error is None and "value" not in record:
            raise ValueError("it has neither a value nor an error")
        fields = _object(record, "fields")
        return cls(
            _id(record),
            record.get("value"),
            {pointer: _located(pointer, known) for pointer, known in fields.items()},
            None if error is None else _message(error),
            _source(record),
        )

    @classmethod
    def of_result(cls, name: str, result: Result[Any], source: str | None = None) -> Answer:
        """Makes one of what a generator gave back.

        Args:
            name: the id of the document.
            result: the answer.
            source: the text it was taken from.
        """
        is_json = not hasattr(result.value, "tag") and result.value != result.text  # an element, or a plain text
        record = Record.of(name, result, is_json=is_json, source=source)
        return cls.of({**record.answer(), "id": name, "source": source})


@dataclass(frozen=True, slots=True)
class Gold:
    """What is right.

    Attributes:
        id: the document.
        value: as JSON; of XML the document as text.
        spans: where values stand in the source, by JSON Pointer or XPath.
        source: the text, if it is known.
    """

    id: str
    value: Any
    spans: Mapping[str, Span] = field(default_factory=dict)
    source: str | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Gold:
        """Reads a record: `{"id": …, "value": …, "spans": {pointer: [start, end]}, "source": …}`.

        Raises:
            ValueError: it is none; the message says why.
        """
        if "value" not in record:
            raise ValueError("it has no value")
        spans = {pointer: _span(pointer, span) for pointer, span in _object(record, "spans").items()}
        return cls(_id(record), record["value"], spans, _source(record))


def by_id(records: Iterable[Answer] | Iterable[Gold], what: str) -> dict[str, Any]:
    """Records by their ids.

    Args:
        records: what there is.
        what: what they are called in messages.

    Raises:
        HarmonyError: two have the same id.
    """
    found: dict[str, Any] = {}
    double = [record.id for record in records if found.setdefault(record.id, record) is not record]
    if double:
        message = f"Each id may stand once among the {what}, but {named(double)} stand there again. Remove one of each."
        raise HarmonyError(message)
    return found


def named(ids: Iterable[str], most: int = 3) -> str:
    """The first few of some ids, and how many there are."""
    found = list(ids)
    shown = ", ".join(repr(one) for one in found[:most])
    return shown if len(found) <= most else f"{shown} and {len(found) - most} more"


def _id(record: Mapping[str, Any]) -> str:
    found = record.get("id")
    if isinstance(found, bool) or not isinstance(found, str | int):
        message = f"its id must be a string or an integer, not {found!r:.40}" if "id" in record else "it has no id"
        raise ValueError(message)  # noqa: TRY004 - what is wrong is the content of a file
    return str(found)


def _source(record: Mapping[str, Any]) -> str | None:
    found = record.get("source")
    return found if isinstance(found, str) else None


def _message(error: Any) -> str:
    """An error as text: `extract` writes its type and message."""
    if isinstance(error, Mapping):
        return ": ".join(str(error[name]) for name in ("type", "message") if name in error) or str(dict(error))
    return str(error)


def _object(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = record.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        message = f"its {name} must be an object with a member for each pointer, not {found!r:.40}"
        raise ValueError(message)  # noqa: TRY004 - what is wrong is the content of a file
    return found


def _located(pointer: str, known: Any) -> Located:
    if not isinstance(known, Mapping):
        message = f"what it says of {pointer!r} must be an object, not {known!r:.40}"
        raise ValueError(message)  # noqa: TRY004 - what is wrong is the content of a file
    span = known.get("source_span")
    return Located(
        _share(pointer, known, "confidence"),
        _share(pointer, known, "allowed_mass"),
        None if span is None else _span(pointer, span),
    )


def _share(pointer: str, known: Mapping[str, Any], name: str) -> float | None:
    found = known.get(name)
    if found is None:
        return None
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    if not is_number or not math.isfinite(found) or not 0 <= found <= 1:
        message = f"the {name} of {pointer!r} must be a number from 0 to 1, not {found!r:.40}"
        raise ValueError(message)
    return float(found)


def _span(pointer: str, span: Any) -> Span:
    is_span = isinstance(span, list | tuple) and [type(end) for end in span] == [int, int] and 0 <= span[0] <= span[1]
    if not is_span:
        message = f"the span of {pointer!r} must be [start, end], offsets of characters, not {span!r:.40}"
        raise ValueError(message)
    return span[0], span[1]
