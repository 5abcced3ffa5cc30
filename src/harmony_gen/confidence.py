"""From the choices of the decode loop to the fields of a result."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from harmony_gen.decoding.sampling import measured
from harmony_gen.grounding import locate
from harmony_gen.result import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harmony_gen.calibration import Calibration
    from harmony_gen.decoding.sampling import Choice
    from harmony_gen.schema.scanner import Scalar


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


def fields_of(
    scalars: Iterable[Scalar],
    text: bytes,
    choices: Sequence[tuple[Choice, int]],
    source: str,
    calibration: Calibration | None = None,
) -> Mapping[str, Field]:
    """The scalars of an answer with their probabilities.

    Args:
        scalars: what there is, with its bytes.
        text: the answer.
        choices: for each of its tokens, the choice and how many bytes it wrote.
        source: where values may come from.
        calibration: what the probability of tokens says of a value being right.
    """
    ends = list(accumulate(size for _, size in choices))
    masses = measured([choice for choice, _ in choices])
    fields = {}
    for item in scalars:
        # the tokens that wrote a byte of what decided the value
        own = slice(bisect_right(ends, item.decided[0]), bisect_left(ends, item.decided[1]) + 1)
        start, end = item.span
        probability = math.exp(sum(choice.logprob for choice, _ in choices[own]))
        fields[item.pointer] = Field(
            pointer=item.pointer,
            value=item.value,
            confidence=probability if calibration is None else calibration.apply(probability),
            probability=probability,
            allowed_mass=math.exp(sum(masses[own])),
            text_span=(len(text[:start].decode()), len(text[:end].decode())),
            source_span=locate(item.sought, source),
        )
    return fields
