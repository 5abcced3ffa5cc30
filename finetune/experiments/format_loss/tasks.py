"""Tasks with structures that the embedded model has never seen: nested, with constants, lists and limits.

The texts and facts are those of `finetune.embedded.sampling`; what is new is the form of the answer. A *form* is drawn
at random, and nests the facts of each of its documents in the same way.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import jsonschema

from finetune.embedded.sampling import sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from finetune.embedded.task import Task

_GROUPS = ("data", "details", "facts", "part", "section", "body", "entry", "record", "info", "content")
_CONSTANTS = ("kind", "version", "format")
_MOST_FIELDS = 6
_FEWEST_FIELDS = 2
_LONGEST = 300
"""Characters of a text."""


def lines(name: str, schemas: int, documents: int) -> Iterator[dict[str, Any]]:
    """Lines of a data set: so many forms, each with so many documents; other names give other forms."""
    for number in range(schemas):
        rng = random.Random(f"format_loss/{name}/{number}")
        form = _Form(rng)
        for _ in range(documents):
            task = _flat(rng)
            yield {"text": task.text, "schema": form.schema(task), "output": form.value(task)}


def _flat(rng: random.Random) -> Task:
    """A task with a few scalars and a short text."""
    while True:
        task = sample(rng)
        if len(task.text) > _LONGEST or not isinstance(task.value, dict):
            continue
        is_flat = not any(isinstance(one, dict | list) for one in task.value.values())
        if is_flat and _FEWEST_FIELDS <= len(task.value) <= _MOST_FIELDS:
            return task


class _Form:
    """How flat facts are nested: into groups, some of them lists of one, under a header of constants."""

    def __init__(self, rng: random.Random) -> None:
        self._groups = rng.sample(_GROUPS, rng.randint(1, 3))
        self._depth = rng.randint(1, 2)
        self._lists = {group: rng.random() < 0.3 for group in self._groups}  # noqa: PLR2004 - a share
        self._constants = {name: f"{rng.choice(_GROUPS)}-{rng.randint(1, 9)}" for name in rng.sample(_CONSTANTS, 1)}

    def _parts(self, names: list[str]) -> dict[str, list[str]]:
        size = -(-len(names) // len(self._groups))
        parts = {group: names[place * size : (place + 1) * size] for place, group in enumerate(self._groups)}
        return {group: part for group, part in parts.items() if part}

    def schema(self, task: Task) -> dict[str, Any]:
        """The schema of the nested answer."""
        properties: dict[str, Any] = {name: {"const": value} for name, value in self._constants.items()}
        for group, names in self._parts(list(task.schema["properties"])).items():
            inner = _object({name: _limited(task.schema["properties"][name], task.value.get(name)) for name in names})
            for _ in range(self._depth - 1):
                inner = _object({"values": inner})
            listed = {"type": "array", "items": inner, "minItems": 1, "maxItems": 1}
            properties[group] = listed if self._lists[group] else inner
        return _object(properties)

    def value(self, task: Task) -> dict[str, Any]:
        """The nested answer."""
        found: dict[str, Any] = dict(self._constants)
        for group, names in self._parts(list(task.schema["properties"])).items():
            inner: Any = {name: task.value.get(name) for name in names}
            for _ in range(self._depth - 1):
                inner = {"values": inner}
            found[group] = [inner] if self._lists[group] else inner
        return found


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _limited(schema: dict[str, Any], value: Any) -> dict[str, Any]:
    """A field that must be there, null where the text does not tell it, and strings no longer than 60 characters."""
    found = dict(schema)
    if value is None and not jsonschema.Draft202012Validator(schema).is_valid(None):
        return {"anyOf": [found, {"type": "null"}]}
    if found.get("type") == "string" and "enum" not in found and len(str(value)) <= 60:  # noqa: PLR2004
        found["maxLength"] = 60
    return found
