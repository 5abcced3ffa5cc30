"""Schemas whose values stand in a source: strings that it holds, numbers and dates that it states.

A model that copies badly, or reckons where it should copy, is kept to what the text offers. All of it is masked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harmony_gen import calendar_dates, grounding
from harmony_gen.schema.validators import KINDS
from harmony_gen.schema.verbatim import COMBINED, KEYWORD, WHOLE, asserted, is_plain_string, unseen_reference

if TYPE_CHECKING:
    from decimal import Decimal

    from harmony_gen.schema.subschema import JsonSchema

_NUMERIC = {"number", "integer"}
_CHOSEN = frozenset(("enum", "const", *COMBINED))
_LIMITS = frozenset("type minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split())
_MOST_DIGITS = 18
_VALIDATOR = KINDS["draft2020-12"]


def grounded(schema: JsonSchema, source: str) -> JsonSchema:
    """A JSON Schema that admits only what a source states, wherever it states anything of the kind.

    Strings limited by their length at most are quotations of whole words; numbers are among those that
    `grounding.numbers` reads, dates among those of `calendar_dates.mentioned`. Where none would be allowed, they are
    null if they may be, else free. Below not, oneOf, if, contains and propertyNames all stays as it is; so it does
    beside `"x-verbatim": false`, enum, const, references and combinations, and if a reference stands below such a word.

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
        if part.get(KEYWORD) is False:
            continue
        if is_plain_string(part) and KEYWORD not in part:
            part.update({KEYWORD: source, WHOLE: True})
        elif not is_plain_string(part):
            part.update(stated.choice(part) or {})
    return found


class _Stated:
    """The numbers and dates of a source."""

    def __init__(self, source: str) -> None:
        numbers = sorted(grounding.numbers(source))
        self._numbers = [number for number in map(_plain, numbers) if number is not None]
        self._dates = sorted(day.isoformat() for day in calendar_dates.mentioned(source))

    def choice(self, schema: dict[str, Any]) -> dict[str, Any] | None:
        """What is to hold beside a schema of numbers or dates; None for others, and where nothing would be allowed."""
        named = _kinds(schema)
        if not named - {"null"} or _CHOSEN & schema.keys():
            return None
        if named <= {*_NUMERIC, "null"}:
            limits = _VALIDATOR({keyword: schema[keyword] for keyword in _LIMITS & schema.keys()})
            return _chosen([number for number in self._numbers if limits.is_valid(number)], named)
        if not named <= {"string", "null"} or "pattern" in schema:
            return None
        if schema.get("format") == "date":
            return _chosen(self._dates, named)
        if schema.get("format") == "date-time" and self._dates:
            return {"pattern": f"^({'|'.join(self._dates)})"}
        return None

    def lacks(self, schema: Any) -> bool:
        """Whether a schema is one of numbers or dates of which the source states none."""
        if not isinstance(schema, dict) or schema.get(KEYWORD) is False or _CHOSEN & schema.keys():
            return False
        named = _kinds(schema)
        is_date = named == {"string"} and schema.get("format") == "date" and "pattern" not in schema
        return (is_date or (bool(named) and named <= _NUMERIC)) and self.choice(schema) is None


def _kinds(schema: dict[str, Any]) -> set[str]:
    kinds = schema.get("type")
    return {kinds} if isinstance(kinds, str) else set(kinds or ())


def _chosen(options: list[Any], kinds: set[str]) -> dict[str, Any] | None:
    """An enumeration, with null where that is a type; None for an empty one."""
    listed = [*options, None] if "null" in kinds else options
    return {"enum": listed} if listed else None


def _plain(number: Decimal) -> int | float | None:
    """A number as JSON writes it; None for one that it would not write in full."""
    if len(number.as_tuple().digits) > _MOST_DIGITS or number.adjusted() > _MOST_DIGITS:
        return None
    return int(number) if number == int(number) else float(number)
