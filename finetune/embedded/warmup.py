"""The first thing a copying model must learn: to find a key and to copy what stands behind it.

Rows are made of random tokens, so that nothing but position and equality can be learnt from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.encoding import IGNORED, Example
from harmony_gen.models.embedded import JSON_MARKER, TEXT_MARKER

if TYPE_CHECKING:
    import random

    from finetune.embedded.encoding import Encoder

_ALPHABET = 300
"""Ids below it are control tokens and bytes."""
_SEPARATORS = ("\n", ",", ";", " ")


def example(encoder: Encoder, rng: random.Random) -> Example:
    """Keys and values in one order, asked for in another; only the values are learnt."""
    colon, separator = encoder.plain(":"), encoder.plain(rng.choice(_SEPARATORS))
    words = range(min(_ALPHABET, len(encoder) // 2), len(encoder))
    pairs = [
        (rng.choices(words, k=rng.randint(1, 2)), [*rng.choices(words, k=rng.randint(1, 5)), *separator])
        for _ in range(rng.randint(2, 6))
    ]
    prompt = [encoder.control(TEXT_MARKER)]
    for key, value in pairs:
        prompt += [*key, *colon, *value]
    answer: list[int] = []
    labels: list[int] = []
    for key, value in rng.sample(pairs, len(pairs)):
        answer += [*key, *colon, *value]
        labels += [IGNORED] * len([*key, *colon]) + value
    return Example((*prompt, encoder.control(JSON_MARKER)), tuple(answer), tuple(labels))
