"""The validator as a reward function, in the form in which TRL's GRPOTrainer takes them. Needs no TRL."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harmony_gen.schema import Schema, engine
from harmony_gen.schema.separators import compacted

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTIAL = 0.3
"""The most that an answer which is not valid is worth."""


def schema_reward(
    prompts: Sequence[Any] | None = None,  # noqa: ARG001 - TRL passes them by name
    completions: Sequence[Any] = (),
    completion_ids: Sequence[Any] | None = None,  # noqa: ARG001
    *,
    schema: Any,
    **_: Any,
) -> list[float]:
    """A reward for each completion: 1 if its schema accepts it, else 0.3 times how far it came.

    Args:
        prompts: not used.
        completions: texts, or lists of chat messages whose last is the answer.
        completion_ids: not used.
        schema: one for all, or a list with one for each, as a column of a data set is: anything `Schema.of` takes, or
            the text of a JSON Schema. In a column give texts: data sets fill the dicts of a column up to equal keys.

    Raises:
        SchemaError: it is no schema.
        ValueError: there are not as many schemas as completions.
    """
    schemas = schema if isinstance(schema, list | tuple) else [schema] * len(completions)
    if len(schemas) != len(completions):
        raise ValueError(f"There are {len(schemas)} schemas for {len(completions)} completions: give one for each.")
    return [reward(_schema(one), _text(text)) for one, text in zip(schemas, completions, strict=True)]


def reward(schema: Schema[Any], text: str) -> float:
    """The reward of one text. How far it came: its bytes up to the first error, against those that would end it."""
    data = text.strip().encode(errors="replace")
    if schema.accepts(data):
        return 1.0
    data = compacted(data) if schema.is_json else data
    matcher = engine.byte_matcher(schema.grammar)
    right = data[: matcher.validate_tokens(list(data))]
    matcher.consume_tokens(list(right))
    ending = schema.finisher.finish(right, schema.scan.feed(right)[0], matcher)
    left = len(schema.witness() if ending is None else ending) + 1  # and its end
    return PARTIAL * len(right) / (len(right) + left)


def _text(completion: Any) -> str:
    return completion if isinstance(completion, str) else str(completion[-1]["content"])


def _schema(given: Any) -> Schema[Any]:
    return _read(given) if isinstance(given, str) and given.lstrip().startswith("{") else Schema.of(given)


@lru_cache(maxsize=256)
def _read(text: str) -> Schema[Any]:
    return Schema.of(json.loads(text))
