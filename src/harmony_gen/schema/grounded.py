"""Schemas whose values stand in a source: strings that it holds, numbers, dates and addresses that it states.

A model that copies badly, or reckons where it should copy, is kept to what the text offers. All of it is masked.
"""

from __future__ import annotations

import json
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from harmony_gen import addresses, calendar_dates, grounding
from harmony_gen.schema.strings.format_checks import CHECKER
from harmony_gen.schema.validators import KINDS
from harmony_gen.schema.verbatim import COMBINED, KEYWORD, WHOLE, asserted, is_plain_string, unseen_reference

if TYPE_CHECKING:
    from decimal import Decimal

    from harmony_gen.schema.subschema import JsonSchema

_NUMERIC = {"number", "integer"}
_CHOSEN = frozenset(("enum", "const", *COMBINED))
_LIMITS = frozenset(
    "type minimum maximum exclusiveMinimum exclusiveMaximum multipleOf format minLength maxLength".split()
)
_STATED = {"date", *addresses.FORMATS}
_MOST_DIGITS = 18
_VALIDATOR = KINDS["draft2020-12"]


def grounded(schema: JsonSchema, source: str) -> JsonSchema:
    """A JSON Schema that admits only what a source states, wherever it states anything of the kind.

    Strings limited by their length at most are quotations of whole words; numbers are among those that
    `grounding.numbers` reads, dates among those of `calendar_dates.mentioned`, strings with one of
    `addresses.FORMATS` among those that `addresses.mentioned` finds. Where none would be allowed, they are null if they
    may be, else free. Below not, oneOf, if, contains and propertyNames all stays as it is; so it does beside
    `x-verbatim`, enum, const, references and combinations, and if a reference stands below such a word.

    Args:
        schema: the schema; it is not changed.
        source: the text.
    """
    if not source or not isinstance(schema, dict) or unseen_reference(schema) is not None:
        return schema
    found: JsonSchema = json.loads(json.dumps(schema))
    stated = _Stated(source)
    for part in asserted(found):
        branches = part.get("anyOf")
        if isinstance(branches, list) and {"type": "null"} in branches:
            part["anyOf"] = [branch for branch in branches if not stated.lacks(branch)]
        if KEYWORD in part:
            continue
        part.update({KEYWORD: source, WHOLE: True} if is_plain_string(part) else stated.choice(part) or {})
    return found


class _Stated:
    """The numbers, dates and addresses of a source."""

    def __init__(self, source: str) -> None:
        self._addresses = cache(partial(addresses.mentioned, source))
        numbers = sorted(grounding.numbers(source))
        self._numbers = [number for number in map(_plain, numbers) if number is not None]
        self._dates = sorted(day.isoformat() for day in calendar_dates.mentioned(source))

    def choice(self, schema: dict[str, Any]) -> dict[str, Any] | None:
        """What is to hold beside a schema of such values; None for others, and where nothing would be allowed."""
        named = _kinds(schema)
        if not named - {"null"} or _CHOSEN & schema.keys():
            return None
        if named <= {*_NUMERIC, "null"}:
            return _chosen(self._numbers, schema)
        if not named <= {"string", "null"} or "pattern" in schema:
            return None
        kind = schema.get("format")
        if kind == "date":
            return _chosen(self._dates, schema)
        if kind in addresses.FORMATS:
            return _chosen(self._addresses(kind), schema)
        return {"pattern": f"^({'|'.join(self._dates)})"} if kind == "date-time" and self._dates else None

    def lacks(self, schema: Any) -> bool:
        """Whether a schema is one of numbers, dates or addresses of which the source states none."""
        if not isinstance(schema, dict) or KEYWORD in schema or _CHOSEN & schema.keys():
            return False
        named = _kinds(schema)
        is_text = named == {"string"} and schema.get("format") in _STATED and "pattern" not in schema
        return (is_text or (bool(named) and named <= _NUMERIC)) and self.choice(schema) is None


def _kinds(schema: dict[str, Any]) -> set[str]:
    kinds = schema.get("type")
    return {kinds} if isinstance(kinds, str) else set(kinds or ())


def _chosen(options: list[Any], schema: dict[str, Any]) -> dict[str, Any] | None:
    """An enumeration of the options that a schema allows, with null where that is a type; None for an empty one."""
    limits = _VALIDATOR({keyword: schema[keyword] for keyword in _LIMITS & schema.keys()}, format_checker=CHECKER)
    listed = [option for option in (*options, None) if limits.is_valid(option)]
    return {"enum": listed} if listed else None


def _plain(number: Decimal) -> int | float | None:
    """A number as JSON writes it; None for one that it would not write in full."""
    if len(number.as_tuple().digits) > _MOST_DIGITS or number.adjusted() > _MOST_DIGITS:
        return None
    return int(number) if number == int(number) else float(number)
