"""From sources of examples to batches: how much of what, from short to long, rows of like length together.

Batches come in pools. A pool is a pure function of the plan and its number: whichever process makes it, and however
often training is interrupted, pool 17 holds the same batches.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from finetune.embedded import sampling, warmup
from finetune.embedded.encoding import IGNORED, PAD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from finetune.embedded.encoding import Encoder, Example
    from finetune.embedded.utterances import Utterances

T = TypeVar("T")
_LENGTHS = ((0.06, 128), (0.2, 256), (0.5, 512))
"""Up to which share of the plan rows may be how long; then they may fill the context."""
_WARM_UP = ((0.02, 0.6), (0.06, 0.3), (0.2, 0.05))
"""Up to which share of the plan how many of the tokens are for copying alone."""
_BATCHES_PER_POOL = 24


@dataclass(frozen=True)
class Plan:
    """What a training run will read.

    Attributes:
        tokens: prompt and answer tokens in all, padding not counted.
        batch_tokens: tokens of a batch, padding counted, at most.
        context: tokens of a row, at most.
        real_share: share of real utterances among the tokens.
        seed: of everything that is drawn.
        gentle: whether it begins with short rows and with copying alone, as a network without experience needs it.
        layouts: how many layouts of a kind synthetic texts have; 0: all.
    """

    tokens: int
    batch_tokens: int
    context: int
    real_share: float
    seed: int
    gentle: bool = True
    layouts: int = 0

    @property
    def pool_tokens(self) -> int:
        """Tokens of a pool, about."""
        return self.batch_tokens * _BATCHES_PER_POOL

    def progress(self, pool: int) -> float:
        """The share of the plan that lies before a pool, as far as its number tells."""
        return pool * self.pool_tokens / self.tokens

    def longest(self, progress: float) -> int:
        """Tokens a row may have."""
        return min(_until(progress, _LENGTHS, self.context), self.context) if self.gentle else self.context

    def shares(self, progress: float) -> dict[str, float]:
        """The share of tokens of each source."""
        copying = _until(progress, _WARM_UP, 0.0) if self.gentle else 0.0
        real = self.real_share * (1 - copying)
        return {"copying": copying, "real": real, "synthetic": 1 - copying - real}


@dataclass(frozen=True)
class Batch:
    """Rows padded on the right.

    Attributes:
        tokens: (rows, length) token ids.
        places: (targets,) where in the flattened rows a next token is learnt.
        targets: (targets,) the tokens to learn there.
        count: tokens that are not padding.
    """

    tokens: NDArray[np.int64]
    places: NDArray[np.int64]
    targets: NDArray[np.int64]
    count: int


@dataclass(frozen=True)
class Sources:
    """Where examples come from.

    Attributes:
        encoder: the tokenizer.
        utterances: real utterances, if there are any.
    """

    encoder: Encoder
    utterances: Utterances | None

    def draw(self, name: str, rng: random.Random, layouts: int = 0) -> Example:
        """One example of a source: copying, real or synthetic, that with so many layouts of a kind (0: all)."""
        if name == "copying":
            return warmup.example(self.encoder, rng)
        if name == "real" and self.utterances is not None:
            return self.encoder.example(self.utterances.sample(rng))
        return self.encoder.example(sampling.sample(rng, layouts=layouts))


def pool(number: int, plan: Plan, sources: Sources) -> list[Batch]:
    """The batches of one pool, in the order of training.

    Args:
        number: its number, from 0.
        plan: the run's plan.
        sources: where examples come from.
    """
    rng = random.Random(f"{plan.seed}/{number}")
    progress = plan.progress(number)
    shares = {name: share for name, share in plan.shares(progress).items() if share > 0}
    longest = plan.longest(progress)
    examples = _draw(shares, longest, plan.pool_tokens, lambda name: sources.draw(name, rng, plan.layouts))
    # Equal lengths stay in the order they were drawn in: sorting is stable.
    groups = _grouped(sorted(examples, key=len), plan.batch_tokens)
    rng.shuffle(groups)
    return [collate(group) for group in groups]


def collate(examples: Sequence[Example]) -> Batch:
    """Put examples into one batch."""
    length = max(map(len, examples))
    tokens = np.full((len(examples), length), PAD, dtype=np.int64)
    labels = np.full((len(examples), length), IGNORED, dtype=np.int64)
    for row, example in enumerate(examples):
        before = len(example.prompt)
        tokens[row, : len(example)] = example.prompt + example.answer
        labels[row, before - 1 : len(example) - 1] = example.labels
    flat = labels.reshape(-1)
    places = np.flatnonzero(flat != IGNORED)
    return Batch(tokens, places, flat[places], sum(map(len, examples)))


def _draw(shares: dict[str, float], longest: int, wanted: int, draw: Callable[[str], Example]) -> list[Example]:
    """Examples of about so many tokens, always from the source that lags most behind its share."""
    examples: list[Example] = []
    taken = dict.fromkeys(shares, 0)
    while sum(taken.values()) < wanted:
        name = min(taken, key=lambda source: taken[source] / shares[source])
        example = draw(name)
        if len(example) <= longest:
            examples.append(example)
            taken[name] += len(example)
    return examples


def _grouped(examples: Sequence[Example], batch_tokens: int) -> list[list[Example]]:
    """Neighbours in groups that fill a batch; the examples are sorted by length."""
    groups: list[list[Example]] = [[]]
    for example in examples:
        if groups[-1] and (len(groups[-1]) + 1) * len(example) > batch_tokens:
            groups.append([])
        groups[-1].append(example)
    return groups


def _until(progress: float, steps: Sequence[tuple[float, T]], last: T) -> T:
    return next((value for end, value in steps if progress < end), last)
