"""When an answer is right: field by field.

A value is taken apart into its leaves, each at its JSON Pointer (items of arrays by index). A leaf is right if the
gold value has an equal one at the same place; numbers are equal as numbers. Leaves that only the answer has count
against it: accuracy is right / (gold leaves ∪ answered leaves); recall is right / gold leaves.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from harmony_gen.equality import same

MISSING = object()
"""The answer where there is none: it is not JSON, or was not finished."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Score:
    """Leaves of one answer or of many, counted by type.

    Attributes:
        right: leaves that are right.
        gold: leaves of the gold values.
        union: leaves of the gold values or the answers.
        exact: answers that are right as a whole.
        answers: answers in all.
    """

    right: Counter[str]
    gold: Counter[str]
    union: Counter[str]
    exact: int
    answers: int

    def __add__(self, other: Score) -> Score:
        return Score(
            self.right + other.right,
            self.gold + other.gold,
            self.union + other.union,
            self.exact + other.exact,
            self.answers + other.answers,
        )

    @classmethod
    def nothing(cls) -> Score:
        """The score of no answers."""
        return cls(Counter(), Counter(), Counter(), 0, 0)

    def accuracy(self) -> float:
        """Right leaves among those of gold values and answers."""
        return _share(self.right.total(), self.union.total())

    def recall(self) -> float:
        """Right leaves among those of the gold values."""
        return _share(self.right.total(), self.gold.total())

    def exactness(self) -> float:
        """Answers that are right as a whole."""
        return _share(self.exact, self.answers)

    def by_type(self) -> dict[str, float]:
        """Accuracy for each type of leaf, in alphabetical order."""
        return {kind: _share(self.right[kind], self.union[kind]) for kind in sorted(self.union)}


def score(gold: Any, answer: Any, schema: dict[str, Any]) -> Score:
    """Compare an answer with the gold value.

    Args:
        gold: the right value.
        answer: the value that was given, or `MISSING`.
        schema: the schema of both, which tells the type of a leaf.
    """
    wanted = leaves(gold)
    given = {} if answer is MISSING else leaves(answer)
    right, union = Counter[str](), Counter[str]()
    for pointer in {**wanted, **given}:
        kind = kind_of(pointer, wanted.get(pointer, given.get(pointer)), schema)
        union[kind] += 1
        right[kind] += pointer in wanted and pointer in given and same(wanted[pointer], given[pointer])
    kinds = Counter(kind_of(pointer, value, schema) for pointer, value in wanted.items())
    return Score(right, kinds, union, int(answer is not MISSING and right == union), 1)


def leaves(value: Any, pointer: str = "") -> dict[str, Any]:
    """The scalars within a value by JSON Pointer; an empty object or array is a leaf itself."""
    if isinstance(value, dict) and value:
        parts = ((f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", part) for name, part in value.items())
    elif isinstance(value, list) and value:
        parts = ((f"{pointer}/{index}", part) for index, part in enumerate(value))
    else:
        return {pointer: value}
    return {inner: leaf for place, part in parts for inner, leaf in leaves(part, place).items()}


def kind_of(pointer: str, value: Any, schema: dict[str, Any]) -> str:
    """The type of a leaf: null, boolean, number, enum, date, string or empty."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if not isinstance(value, str):
        return "empty"
    if "enum" in _below(schema, pointer):
        return "enum"
    return "date" if _DATE.fullmatch(value) else "string"


def _below(schema: Any, pointer: str) -> dict[str, Any]:
    """The subschema of a leaf, as far as properties and items lead to it."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        properties = schema.get("properties", {})
        schema = properties.get(name) or schema.get("items")
        if not isinstance(schema, dict):
            return {}
    return dict(schema)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
