"""Schemas whose values stand in a source: strings that it holds, numbers and dates that it states.

A model that copies badly, or reckons where it should copy, is kept to what the text offers. All of it is masked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harmony_gen import calendar_dates, grounding
from harmony_gen.schema.validators import KINDS
from harmony_gen.schema.verbatim import COMBINED, KEYWORD, asserted, is_plain_string, unseen_reference

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from harmony_gen.schema.subschema import JsonSchema

_NUMERIC = {"number", "integer", "null"}
_CHOSEN = frozenset(("enum", "const", *COMBINED))
_LIMITS = frozenset("type minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split())
_MOST_DIGITS = 18
_VALIDATOR = KINDS["draft2020-12"]


def grounded(schema: JsonSchema, source: str) -> JsonSchema:
    """A JSON Schema that admits only what a source states, wherever it states anything of the kind.

    Strings limited by their length at most are quotations; numbers are among those that `grounding.numbers` reads,
    dates among those of `calendar_dates.mentioned`. Where none would be allowed, and below not, oneOf, if, contains
    and propertyNames, all stays as it is; so it does beside `"x-verbatim": false`, beside enum, const, references and
    combinations, and if a reference stands below one of those.

    Args:
        schema: the schema; it is not changed.
        source: the text.
    """
    if not source or not isinstance(schema, dict) or unseen_reference(schema) is not None:
        return schema
    found: JsonSchema = json.loads(json.dumps(schema))
    numbers = sorted(grounding.numbers(source))
    dates = sorted(day.isoformat() for day in calendar_dates.mentioned(source))
    for part in asserted(found):
        if part.get(KEYWORD) is False:
            continue
        if is_plain_string(part):
            part.setdefault(KEYWORD, source)
        else:
            _choose(part, numbers, dates)
    return found


def _choose(schema: dict[str, Any], numbers: Iterable[Decimal], dates: list[str]) -> None:
    """Leaves a schema of numbers or dates those of a source, if it allows any of them."""
    kinds = schema.get("type")
    named = {kinds} if isinstance(kinds, str) else set(kinds or ())
    if _CHOSEN & schema.keys() or not named - {"null"}:
        return
    options: list[Any] = []
    if named <= _NUMERIC:
        limits = _VALIDATOR({keyword: schema[keyword] for keyword in _LIMITS & schema.keys()})
        options = [number for number in map(_plain, numbers) if number is not None and limits.is_valid(number)]
    elif named <= {"string", "null"} and schema.get("format") == "date" and "pattern" not in schema:
        options = dates
    elif named <= {"string", "null"} and schema.get("format") == "date-time" and "pattern" not in schema and dates:
        schema["pattern"] = f"^({'|'.join(dates)})"
    if options:
        schema["enum"] = [*options, None] if "null" in named else options


def _plain(number: Decimal) -> int | float | None:
    """A number as JSON writes it; None for one that it would not write in full."""
    if len(number.as_tuple().digits) > _MOST_DIGITS or number.adjusted() > _MOST_DIGITS:
        return None
    return int(number) if number == int(number) else float(number)
