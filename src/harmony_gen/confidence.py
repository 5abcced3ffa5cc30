"""From the choices of the decode loop to the fields of a result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from harmony_gen.decoding.sampling import measured
from harmony_gen.grounding import locate
from harmony_gen.rescoring import own_tokens
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


class Doubts(NamedTuple):
    """How probable it is that values are missing in the source.

    Attributes:
        absences: in [0, 1], by pointer.
        threshold: from which on a value is missing.
    """

    absences: Mapping[str, float]
    threshold: float

    def is_missing(self, pointer: str) -> bool:
        """Whether the value at a place is."""
        return pointer in self.absences and self.absences[pointer] >= self.threshold


def fields_of(
    scalars: Iterable[Scalar],
    text: bytes,
    choices: Sequence[tuple[Choice, int]],
    source: str,
    calibration: Calibration | None = None,
    doubts: Doubts | None = None,
) -> Mapping[str, Field]:
    """The scalars of an answer with their probabilities.

    Args:
        scalars: what there is, with its bytes.
        text: the answer.
        choices: for each of its tokens, the choice and how many bytes it wrote.
        source: where values may come from.
        calibration: what the probability of tokens says of a value being right.
        doubts: how probable it is that values are missing, if that was asked.
    """
    ends = list(accumulate(size for _, size in choices))
    masses = measured([choice for choice, _ in choices])
    absences = {} if doubts is None else doubts.absences
    fields = {}
    for item in scalars:
        own = own_tokens(ends, item.decided)
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
            missing=item.value is None or (doubts is not None and doubts.is_missing(item.pointer)),
            absence=absences.get(item.pointer),
        )
    return fields
