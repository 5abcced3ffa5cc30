"""Writers that want nothing sensible, and how their answers are judged."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema
import jsonschema_rs
import numpy as np
from jsonschema_specifications import REGISTRY

from harmony_gen import Sampling
from harmony_gen.decoding.loop import decode
from harmony_gen.decoding.matcher import Matcher
from harmony_gen.schema.subschema import dialect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harmony_gen import Generator, Schema

_PROMPT = (40, 41, 42)
_PEAKS = 4.0
"""Spread of the logits, natural log units: strong preferences without sense."""


@cache
def _preferences(width: int) -> NDArray[np.float32]:
    return np.random.default_rng(20261120).normal(0.0, _PEAKS, width).astype(np.float32)  # (V,)


class RandomLogits:
    """Stands in for a model's runner: peaked logits that depend on the sequence and a seed, and cost no forward."""

    def __init__(self, width: int, seed: int) -> None:
        self._logits = _preferences(width)
        self._seed = seed

    def logits_after(self, sequence: Sequence[int], *, final: int, **_: Any) -> NDArray[np.float32]:
        """See ModelRunner."""
        turn = hash((self._seed, len(sequence), sequence[-1], sequence[len(sequence) // 2])) % len(self._logits)
        return np.roll(self._logits, turn)


def write(generator: Generator, schema: Schema[Any], budget: int, seed: int) -> Matcher:
    """Writes an answer with random logits; the matcher, the loop and the sampler are those of every answer."""
    vocabulary = generator._vocabulary
    matcher = Matcher(schema, vocabulary, budget)
    runner: Any = RandomLogits(vocabulary.width, seed)
    for _ in decode(runner, _PROMPT, matcher, Sampling(temperature=1.0, seed=seed)):
        pass
    return matcher


def is_valid(schema: Any, text: bytes) -> bool:
    """The judgement of jsonschema with format checks; of jsonschema-rs where a pattern is none in Python."""
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    value = json.loads(text)
    try:
        return bool(kind(schema, format_checker=kind.FORMAT_CHECKER, registry=REGISTRY).is_valid(value))
    except re.error:
        quick = {
            "draft-04": jsonschema_rs.Draft4Validator,
            "draft-06": jsonschema_rs.Draft6Validator,
            "draft-07": jsonschema_rs.Draft7Validator,
            "draft2019-09": jsonschema_rs.Draft201909Validator,
            "draft2020-12": jsonschema_rs.Draft202012Validator,
        }[dialect(schema).name]
        return bool(quick(schema, validate_formats=True).is_valid(value))
