"""From the choices of the decode loop to the fields of a result."""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from harmony_gen.grounding import locate
from harmony_gen.result import Field
from harmony_gen.schema.scanner import Scan, pointer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harmony_gen.decoding.sampling import Choice


def fields_of(text: bytes, choices: Sequence[tuple[Choice, int]], source: str) -> Mapping[str, Field]:
    """The scalars of a JSON text with their probabilities.

    Args:
        text: the answer.
        choices: for each of its tokens, the choice and how many bytes it wrote.
        source: where values may come from.
    """
    ends = list(accumulate(size for _, size in choices))
    fields = {}
    scan, closed = Scan().feed(text)
    closed += scan.end()[1]
    for item in closed:
        start, end = item.span
        if text[start : start + 1] in (b"{", b"["):
            continue
        # the tokens that wrote a byte of the value
        tokens = choices[bisect_right(ends, start) : bisect_left(ends, end) + 1]
        value = json.loads(text[start:end])
        fields[pointer(item.path)] = Field(
            pointer=pointer(item.path),
            value=value,
            confidence=math.exp(sum(choice.logprob for choice, _ in tokens)),
            allowed_mass=math.exp(sum(choice.allowed for choice, _ in tokens)),
            text_span=(len(text[:start].decode()), len(text[:end].decode())),
            source_span=locate(value, source),
        )
    return fields
