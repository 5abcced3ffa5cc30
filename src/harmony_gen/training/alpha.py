"""How much the wording counts against the form: α of L = α·CE + (1 - α)·format, from step to step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["constant", "linear", "cosine", "plateau"]

WINDOW = 10
"""Steps over which the slope of the cross-entropy is taken."""

FLAT = 0.99
"""What a cross-entropy is not below of what it was before is flat."""


@dataclass(frozen=True, kw_only=True)
class AlphaSchedule:
    """A schedule of α.

    Attributes:
        kind: constant; linear or cosine, from `start` to `end` over all steps; plateau, which stays at `start` until
            the cross-entropy is flat (see `is_flat`), or an evaluation finds that of held-out examples no lower than
            before, and then falls linearly.
        start: in [0, 1]. 1 is cross-entropy alone.
        end: in [0, 1].
        fall: steps over which "plateau" falls.

    Raises:
        ValueError: a value is out of range.
    """

    kind: Kind = "plateau"
    start: float = 1.0
    end: float = 0.3
    fall: int = 20

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"alpha must be in [0, 1]; its {name} is {value!r}.")
        if self.kind not in ("constant", "linear", "cosine", "plateau"):
            raise ValueError(f"The schedule must be constant, linear, cosine or plateau; it is {self.kind!r}.")
        if self.fall < 1:
            raise ValueError(f"fall must be at least one step; it is {self.fall!r}.")

    def at(self, step: int, steps: int, flat_at: int | None = None) -> float:
        """α at a step.

        Args:
            step: from 0 on.
            steps: of the whole run.
            flat_at: the step at which the cross-entropy was found to be flat.
        """
        if self.kind == "constant":
            return self.start
        if self.kind == "plateau":
            done = 0.0 if flat_at is None else min(1.0, (step - flat_at) / self.fall)
        else:
            done = min(1.0, step / max(1, steps - 1))
            done = done if self.kind == "linear" else (1 - math.cos(math.pi * done)) / 2
        return self.start + (self.end - self.start) * max(0.0, done)


def is_flat(losses: Sequence[float]) -> bool:
    """Whether a cross-entropy falls by less than 1 % in ten steps: the mean of the last ten against ten before."""
    if len(losses) < 2 * WINDOW:
        return False
    before, last = sum(losses[-2 * WINDOW : -WINDOW]), sum(losses[-WINDOW:])
    return last > FLAT * before
