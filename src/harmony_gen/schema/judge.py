"""The judges: independent validators that have the last word on every value. None is our own grammar code."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import jsonschema.exceptions
import pydantic
import referencing.exceptions
from jsonschema_specifications import REGISTRY

from harmony_gen.errors import ValidationError
from harmony_gen.schema import metaschema
from harmony_gen.schema.quick import quick_validator
from harmony_gen.schema.scanner import Path, pointer
from harmony_gen.schema.strings.format_checks import CHECKER
from harmony_gen.schema.validators import KINDS, judgement

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pydantic_core

    from harmony_gen.schema.subschema import JsonSchema, Registry, Subschema

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
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        message = f"an object holds the key {twice!r} twice"
        raise DuplicateKeyError(message)
    return value


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is not JSON, holds NaN, Infinity or a number too large for a float, holds a key twice, or is
            nested too deeply.
    """
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_int=_int, parse_float=_float, parse_constant=_no_constant
        )
    except RecursionError as error:
        message = "it is nested too deeply to be read"
        raise ValueError(message) from error


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        message = f"{digits:.40} is too large for a number"
        raise ValueError(message)
    return value


def _int(digits: str) -> int:
    if len(digits) > sys.float_info.max_10_exp:
        _float(digits)
    return int(digits)


def _no_constant(name: str) -> Any:
    message = f"{name} is not JSON"
    raise ValueError(message)


_UNDECIDED = (RecursionError, ValueError, ArithmeticError, referencing.exceptions.Unresolvable)
"""What the validator raises where it cannot tell whether a value is valid."""


class JsonSchemaJudge:
    """The package `jsonschema`, with nothing fetched from anywhere.

    Formats are checked as `format_checks` says, those of the newest draft in all dialects, `uuid` in draft 4 too:
    nobody writes a format to have it ignored.

    Attributes:
        root: the schema, with what its references mean.
    """

    def __init__(self, schema: JsonSchema, registry: Registry = REGISTRY) -> None:
        """Checks a schema.

        Args:
            schema: what values are judged by.
            registry: the documents it may refer to.

        Raises:
            SchemaError: the schema, or one it refers to, breaks its meta-schema, or a pattern cannot be read.
        """
        self.root = metaschema.checked(schema, registry)
        self._validator = self._validator_of(self.root)
        self._parts: dict[Any, tuple[Subschema, Any]] = {}

    @staticmethod
    def _validator_of(part: Subschema) -> Any:
        return KINDS[part.specification.name](
            part.contents,
            format_checker=CHECKER,
            _resolver=part.resolver,
        )

    def accepts(self, text: bytes) -> bool:
        """Whether a JSON text is valid."""
        try:
            value = read_json(text)
        except ValueError:
            return False
        return self._is_valid(self._validator, value)

    def accepts_derived(self, text: bytes) -> bool:
        """Whether a text is valid that the grammar derives, where the grammar is exact: many times faster.

        A second validator says yes (see `quick`); it is not asked about formats. Where it does not, or there is none,
        `jsonschema` decides.
        """
        try:
            value = read_json(text)
        except ValueError:
            return False
        quick = self._quick
        return (quick is not None and quick.is_valid(value)) or self._is_valid(self._validator, value)

    @cached_property
    def _quick(self) -> Any:
        return quick_validator(self.root)

    def accepts_part(self, part: Subschema, value: Any) -> bool:
        """Whether a value is valid under one part of the schema."""
        key = (id(part.contents), part.resolver._previous)  # the dynamic scope may decide what it means
        known = self._parts.get(key)
        if known is None:
            known = self._parts[key] = (part, self._validator_of(part))
        return self._is_valid(known[1], value)

    @staticmethod
    def _is_valid(validator: Any, value: Any) -> bool:
        try:
            with judgement():
                return bool(validator.is_valid(value))
        except _UNDECIDED:
            return False  # not proven valid

    def lacking(self, text: str) -> tuple[str, ...]:
        """JSON Pointers of the members that the schema requires and a value lacks, those of alternatives apart."""
        with judgement():
            found = [error for error in self._validator.iter_errors(read_json(text)) if error.validator == "required"]
        places = [
            (*error.absolute_path, name)
            for error in found
            for name in error.validator_value
            if name not in error.instance
        ]
        return tuple(dict.fromkeys(map(pointer, places)))  # each is said for each

    def check(self, text: str | bytes) -> None:
        """Raises ValidationError with the most telling reason if a JSON text is not valid."""
        try:
            value = read_json(text)
        except ValueError as error:
            raise ValidationError(f"This is not a JSON text: {error}.") from error
        try:
            with judgement():
                found = jsonschema.exceptions.best_match(self._validator.iter_errors(value))
        except _UNDECIDED as error:
            raise ValidationError(f"The value cannot be judged: {error}.") from error
        if found is not None:
            place = pointer(tuple(found.absolute_path))
            message = f"At {place or 'the root'}: {found.message:.500}"
            raise ValidationError(message, pointer=place, keyword=str(found.validator)) from found


class PydanticJudge(Generic[T]):
    """Pydantic, with the validators of the user's classes.

    Args:
        adapter: of the type.
        gaps: parts of the value may be null or absent though the type demands them.
    """

    def __init__(self, adapter: pydantic.TypeAdapter[T], *, gaps: bool = False) -> None:
        self.adapter = adapter
        self._gaps = gaps

    @cached_property
    def is_plain(self) -> bool:
        """Whether no function but Pydantic's own decides about values."""
        return not any(_is_foreign(function) for function in _functions(self.adapter.core_schema))

    def accepts(self, text: bytes) -> bool:
        """Whether a JSON text makes a value of the type."""
        try:
            self.adapter.validate_json(text)
        except pydantic.ValidationError as error:
            return self._gaps and not complaints(error)
        except Exception:  # noqa: BLE001 - a user's validator may raise anything: it is a no
            return False
        return True

    def check(self, text: str | bytes) -> None:
        """Raises ValidationError with the first reason if a JSON text makes no value of the type."""
        try:
            self.parse(text)
        except ValidationError:
            if not self._gaps or not self.accepts(text.encode() if isinstance(text, str) else text):
                raise

    def parse(self, text: str | bytes) -> T:
        """The value of a JSON text.

        Raises:
            ValidationError: the text makes no value of the type.
        """
        try:
            return self.adapter.validate_json(text)
        except pydantic.ValidationError as error:
            detail = first_detail(error)
            place = _place(detail["loc"], text)
            message = f"At {place or 'the root'}: {detail['msg']}"
            raise ValidationError(message, pointer=place, keyword=detail["type"]) from error
        except Exception as error:  # a user's validator may raise anything: it is a no
            raise ValidationError(f"A validator raised {type(error).__name__}: {error}") from error


def _functions(part: Any) -> Iterator[Any]:
    """The functions within a core schema that take part in validation."""
    if isinstance(part, dict):
        if str(part.get("type", "")).startswith("function-"):
            function = part["function"]
            yield function["function"] if isinstance(function, dict) else function
        for key, inner in part.items():
            if key not in ("metadata", "serialization", "config", "default"):
                yield from _functions(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _functions(inner)


def _is_foreign(function: Any) -> bool:
    return not str(getattr(function, "__module__", "")).startswith("pydantic")


def first_detail(error: pydantic_core.ValidationError) -> pydantic_core.ErrorDetails:
    """Pydantic's first complaint."""
    return error.errors(include_url=False, include_context=False, include_input=False)[0]


def complaints(error: pydantic_core.ValidationError) -> list[pydantic_core.ErrorDetails]:
    """What Pydantic says of what is there, but not of what is missing or null."""
    details = error.errors(include_url=False, include_context=False)
    return [one for one in details if one["type"] != "missing" and one["input"] is not None]


def _place(location: tuple[str | int, ...], text: str | bytes) -> str:
    """JSON Pointer of a location of Pydantic's, which names members of unions and missing keys too."""
    value: Any = json.loads(text) if location else None
    path: Path = ()
    for step in location:
        if step in (value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()):
            value = value[step]
            path = (*path, step)
    return pointer(path)


@dataclass(frozen=True)
class GrammarJudge:
    """For a regex or a Lark grammar the engine itself is the judge: there is no other to ask."""

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
