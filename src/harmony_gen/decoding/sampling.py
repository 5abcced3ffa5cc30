"""Choosing one token from logits and a mask.

On numpy: these are short passes over one row of logits, and a single thread does them faster than torch can
gather its threads on a busy machine.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harmony_gen.decoding.head import Known, all_logits
from harmony_gen.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from harmony_gen.decoding.head import Logits, State

_HUGE = np.float32(1e30)
"""Stands for infinity: sums and differences of it are numbers."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How tokens are chosen.

    Attributes:
        temperature: ≥ 0; 0 is greedy.
        top_p: in (0, 1]; keeps the most probable tokens whose probabilities sum to it.
        top_k: ≥ 0; keeps the k most probable tokens; 0 keeps all.
        min_p: in [0, 1]; keeps tokens at least this fraction as probable as the most probable one.
        seed: of the random numbers; None draws one. Each answer has its own stream of random numbers.
        repetition_penalty: > 0; divides positive and multiplies negative logits of tokens written before,
            inside free strings only (Keskar et al. 2019, arXiv 1909.05858); 1 is off.

    Raises:
        ValueError: a value is out of range.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        self._require("temperature", "a number ≥ 0", lambda value: 0 <= value < math.inf)
        self._require("top_p", "a number in (0, 1]", lambda value: 0 < value <= 1)
        self._require("top_k", "a whole number ≥ 0", lambda value: operator.index(value) >= 0)
        self._require("min_p", "a number in [0, 1]", lambda value: 0 <= value <= 1)
        self._require("seed", "a whole number ≥ 0, or None", lambda value: value is None or operator.index(value) >= 0)
        self._require("repetition_penalty", "a number > 0", lambda value: 0 < value < math.inf)

    def _require(self, name: str, expected: str, holds: Callable[[Any], bool]) -> None:
        value = getattr(self, name)
        try:
            valid = holds(value)
        except TypeError:
            valid = False
        if not valid:
            message = f"Sampling.{name} must be {expected}; it is {value!r}."
            raise ValueError(message)


class Choice(NamedTuple):
    """A token and how sure the model was of it.

    Attributes:
        token: its id.
        logprob: natural log of its probability among the allowed tokens, at temperature 1; 0.0 if it was
            forced.
        allowed: natural log of the probability the model gave to all allowed tokens together; 0.0 if forced. None
            if not all logits were computed: see `measured`.
        forced: there was no choice.
        mass: natural log of the sum of the exponentials of the allowed logits; None unless `allowed` is.
        state: what all logits can be computed from; None unless `allowed` is.
    """

    token: int
    logprob: float = 0.0
    allowed: float | None = 0.0
    forced: bool = True
    mass: float | None = None
    state: State | None = None


def measured(choices: Sequence[Choice]) -> list[float]:
    """`allowed` of each choice, computed where it is not known yet: all at once, for that is much cheaper."""
    waiting = [choice for choice in choices if choice.state is not None]
    logits = all_logits(choice.state for choice in waiting if choice.state is not None)
    found = {id(choice): _allowed(choice.mass or 0.0, row) for choice, row in zip(waiting, logits, strict=True)}
    return [found[id(choice)] if choice.allowed is None else choice.allowed for choice in choices]


def _allowed(mass: float, logits: NDArray[np.float32]) -> float:
    return min(mass - _logsumexp(_finite(logits)), 0.0)


def judged(logits: Logits, allowed: NDArray[np.int64], token: int) -> Choice:
    """How sure a model is of a token, whoever chose it.

    Args:
        logits: what gives those that are asked for.
        allowed: (n,) ids of the tokens that may come next, ascending.
        token: one of them.

    Raises:
        ModelError: the logits are not numbers.
    """
    return _choice(logits, _finite(logits.of(allowed)), int(np.searchsorted(allowed, token)), token)


def _choice(logits: Logits, scores: NDArray[np.float32], index: int, token: int) -> Choice:
    """The choice of one of the allowed tokens, whose (n,) logits are given."""
    mass = _logsumexp(scores)
    logprob = min(float(scores[index]) - mass, 0.0)
    known = logits.known()
    if known is None:
        return Choice(token, logprob, None, forced=False, mass=mass, state=logits.later())
    return Choice(token, logprob, _allowed(mass, known), forced=False)


class Sampler:
    """Chooses tokens for one sequence, with its own random numbers."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._random = np.random.default_rng(sampling.seed)

    def choose(
        self, logits: NDArray[np.float32] | Logits, allowed: NDArray[np.int64], penalised: Collection[int] = ()
    ) -> Choice:
        """Chooses a token.

        Args:
            logits: (V,) numbers, or what gives those that are asked for.
            allowed: (n,) ids of the tokens that may come next, ascending; n ≥ 1.
            penalised: ids to which the repetition penalty applies.

        Raises:
            ModelError: the logits are not numbers.
        """
        source: Logits = Known(logits) if isinstance(logits, np.ndarray) else logits
        scores = _finite(source.of(allowed))  # (n,)
        ranked = self._penalise(scores, allowed, penalised)
        index = self._draw(ranked) if self._sampling.temperature else int(np.argmax(ranked))
        return _choice(source, scores, index, int(allowed[index]))

    def _penalise(
        self, scores: NDArray[np.float32], allowed: NDArray[np.int64], penalised: Collection[int]
    ) -> NDArray[np.float32]:
        penalty = self._sampling.repetition_penalty
        if penalty == 1 or not penalised:
            return scores
        hit = np.isin(allowed, list(penalised))
        with np.errstate(over="ignore"):
            lower = np.where(scores > 0, scores / np.float64(penalty), scores * np.float64(penalty))
        return np.where(hit, lower.clip(-_HUGE, _HUGE).astype(np.float32), scores)

    def _draw(self, scores: NDArray[np.float32]) -> int:
        """An index, with the probability of its softmax.

        By the Gumbel-max trick (E. J. Gumbel, Statistical Theory of Extreme Values, 1954): the last bits of
        the logits hardly ever change what is drawn, as they would with a cumulative sum.
        """
        with np.errstate(over="ignore"):  # next to temperature 0 all but the highest score is -inf
            scaled = (scores - scores.max()).astype(np.float64) / self._sampling.temperature
        noise = self._random.gumbel(size=len(scaled))
        return int(np.argmax(np.where(self._kept(scaled), scaled + noise, -np.inf)))

    def _kept(self, scaled: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of the (n,) scores, already divided by the temperature, the highest 0, take part."""
        options = self._sampling
        kept = scaled >= (math.log(options.min_p) if options.min_p else -math.inf)
        if 0 < options.top_k < len(scaled):
            kept &= _highest(scaled, options.top_k)
        if options.top_p < 1:
            weights = np.exp(scaled)
            order = np.argsort(-weights, kind="stable")
            before = np.cumsum(weights[order]) - weights[order]  # of the more probable tokens
            kept[order[before >= options.top_p * weights.sum()]] = False
        return kept


def _highest(scores: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    """Which of the (n,) scores are the `count` highest; of equal ones the first."""
    bound = np.partition(scores, -count)[-count]
    highest: NDArray[np.bool_] = scores > bound
    highest[np.flatnonzero(scores == bound)[: count - np.count_nonzero(highest)]] = True
    return highest


def _logsumexp(scores: NDArray[np.float32]) -> float:
    highest = scores.max()
    return float(highest) + math.log(float(np.exp(scores - highest).sum(dtype=np.float64)))


def _finite(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits with infinities made finite."""
    if np.isnan(logits).any():
        raise ModelError(
            "The model's logits are not numbers (NaN): its weights or its precision are broken. "
            "Try precision='bf16' or 'fp32'."
        )
    return logits.clip(-_HUGE, _HUGE)
