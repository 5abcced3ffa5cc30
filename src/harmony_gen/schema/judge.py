"""The judges: independent validators that have the last word on every value. None of this is our own grammar code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import jsonschema
import jsonschema.exceptions
import jsonschema.validators
import pydantic
import pydantic_core
import referencing.exceptions
from jsonschema_specifications import REGISTRY

from harmony_gen.errors import SchemaError, ValidationError
from harmony_gen.schema.scanner import Path, pointer
from harmony_gen.schema.subschema import JsonSchema, Subschema

T = TypeVar("T")


class Judge(Protocol):
    """Says whether a text is valid."""

    def accepts(self, text: bytes) -> bool:
        """Whether a text is valid."""
        ...

    def check(self, text: str | bytes) -> None:
        """Raises ValidationError with the first reason if a text is not valid."""
        ...


class DuplicateKeyError(ValueError):
    """An object holds a key twice: JSON leaves its meaning open, so it is invalid here."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        message = "an object holds a key twice"
        raise DuplicateKeyError(message)
    return value


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is not JSON, holds NaN or Infinity, or holds a key twice.
    """
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    message = f"{name} is not JSON"
    raise ValueError(message)


class JsonSchemaJudge:
    """The package `jsonschema`, formats checked, with nothing fetched from anywhere."""

    def __init__(self, schema: JsonSchema) -> None:
        kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        _check_schema(kind, schema)
        self._validator = kind(
            schema,
            format_checker=kind.FORMAT_CHECKER,
            registry=REGISTRY,
        )
        self._parts: dict[int, tuple[Subschema, Any]] = {}

    def accepts(self, text: bytes) -> bool:
        """Whether a JSON text is valid."""
        try:
            value = read_json(text)
        except ValueError:
            return False
        return self._is_valid(self._validator, value)

    def accepts_part(self, part: Subschema, value: Any) -> bool:
        """Whether a value is valid under one part of the schema."""
        known = self._parts.get(id(part.contents))
        if known is None:
            validator = self._validator.evolve(schema=part.contents, _resolver=part.resolver)
            known = self._parts[id(part.contents)] = (part, validator)
        return self._is_valid(known[1], value)

    @staticmethod
    def _is_valid(validator: Any, value: Any) -> bool:
        try:
            return bool(validator.is_valid(value))
        except (RecursionError, ValueError, ArithmeticError, referencing.exceptions.Unresolvable):
            return False  # the judge cannot tell: not proven valid

    def check(self, text: str | bytes) -> None:
        """Raises ValidationError with the most telling reason if a JSON text is not valid."""
        try:
            value = read_json(text)
        except ValueError as error:
            raise ValidationError(f"This is not a JSON text: {error}.") from error
        error = jsonschema.exceptions.best_match(self._validator.iter_errors(value))
        if error is not None:
            place = pointer(tuple(error.absolute_path))
            raise ValidationError(f"At {place or 'the root'}: {error.message}", pointer=place) from error


def _check_schema(kind: Any, schema: JsonSchema) -> None:
    """Raises SchemaError if a schema breaks its meta-schema."""
    try:
        kind.check_schema(schema)
    except jsonschema.exceptions.SchemaError as error:
        path: Path = tuple(error.absolute_path)
        keyword = next((step for step in reversed(path) if isinstance(step, str)), None)
        message = f"This is not a valid JSON Schema: at {pointer(path) or 'the root'}: {error.message}"
        raise SchemaError(message, pointer=pointer(path), keyword=keyword) from error
    except (RecursionError, referencing.exceptions.Unresolvable) as error:
        raise SchemaError(f"This schema cannot be read: {error}") from error


class PydanticJudge(Generic[T]):
    """Pydantic, with the validators of the user's classes."""

    def __init__(self, adapter: pydantic.TypeAdapter[T]) -> None:
        self.adapter = adapter

    def accepts(self, text: bytes) -> bool:
        """Whether a JSON text makes a value of the type."""
        try:
            self.adapter.validate_json(text)
        except Exception:  # noqa: BLE001 - a user's validator may raise anything; whatever it is, it is a no
            return False
        return True

    def check(self, text: str | bytes) -> None:
        """Raises ValidationError with the first reason if a JSON text makes no value of the type."""
        self.parse(text)

    def parse(self, text: str | bytes) -> T:
        """The value of a JSON text.

        Raises:
            ValidationError: the text makes no value of the type.
        """
        try:
            return self.adapter.validate_json(text)
        except pydantic.ValidationError as error:
            place, reason = first_reason(error)
            raise ValidationError(f"At {place or 'the root'}: {reason}", pointer=place) from error


def first_reason(error: pydantic.ValidationError | pydantic_core.ValidationError) -> tuple[str, str]:
    """JSON Pointer and message of Pydantic's first complaint."""
    details = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return pointer(details["loc"]), details["msg"]


@dataclass(frozen=True)
class GrammarJudge:
    """For a regex or a Lark grammar the engine itself is the judge: there is no second implementation to ask."""

    grammar: str
    pattern: str | None = None

    @cached_property
    def _start(self) -> Any:
        from harmony_gen.schema import engine

        return engine.byte_matcher(self.grammar)

    def accepts(self, text: bytes) -> bool:
        """Whether the grammar derives a text."""
        from harmony_gen.schema import engine

        return engine.completes(self._start.deep_copy(), text)

    def check(self, text: str | bytes) -> None:
        """Raises ValidationError if the grammar does not derive a text."""
        if not self.accepts(text.encode() if isinstance(text, str) else text):
            raise ValidationError(f"The text does not match {self.pattern or 'the grammar'}.")
