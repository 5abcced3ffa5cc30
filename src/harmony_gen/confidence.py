"""From the choices of the decode loop to the fields of a result."""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from harmony_gen.decoding.sampling import measured
from harmony_gen.grounding import locate
from harmony_gen.result import Field
from harmony_gen.schema.scanner import Scan, pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harmony_gen.decoding.sampling import Choice


class Fields(Mapping[str, Field]):
    """Fields that are made when somebody looks at them: what the model thought of all tokens is computed only then."""

    def __init__(self, make: Callable[[], Mapping[str, Field]]) -> None:
        self._make: Callable[[], Mapping[str, Field]] | None = make
        self._made: Mapping[str, Field] = {}

    @property
    def _table(self) -> Mapping[str, Field]:
        if self._make is not None:
            self._made, self._make = self._make(), None
        return self._made

    def __getitem__(self, pointer: str) -> Field:
        return self._table[pointer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        return repr(self._table)

    def __reduce__(self) -> tuple[type[dict[str, Field]], tuple[dict[str, Field]]]:
        return dict, (dict(self._table),)


def fields_of(text: bytes, choices: Sequence[tuple[Choice, int]], source: str) -> Mapping[str, Field]:
    """The scalars of a JSON text with their probabilities.

    Args:
        text: the answer.
        choices: for each of its tokens, the choice and how many bytes it wrote.
        source: where values may come from.
    """
    ends = list(accumulate(size for _, size in choices))
    masses = measured([choice for choice, _ in choices])
    fields = {}
    scan, closed = Scan().feed(text)
    closed += scan.end()[1]
    for item in closed:
        start, end = item.span
        if text[start : start + 1] in (b"{", b"["):
            continue
        # the tokens that wrote a byte of the value
        own = slice(bisect_right(ends, start), bisect_left(ends, end) + 1)
        value = json.loads(text[start:end])
        fields[pointer(item.path)] = Field(
            pointer=pointer(item.path),
            value=value,
            confidence=math.exp(sum(choice.logprob for choice, _ in choices[own])),
            allowed_mass=math.exp(sum(masses[own])),
            text_span=(len(text[:start].decode()), len(text[:end].decode())),
            source_span=locate(value, source),
        )
    return fields
