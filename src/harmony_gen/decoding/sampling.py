"""Choosing one token from logits and a mask."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from harmony_gen.errors import ModelError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How tokens are chosen.

    Attributes:
        temperature: ≥ 0; 0 is greedy.
        top_p: in (0, 1]; keeps the most probable tokens whose probabilities sum to it.
        top_k: ≥ 0; keeps the k most probable tokens; 0 keeps all.
        min_p: in [0, 1]; keeps tokens at least this fraction as probable as the most probable one.
        seed: of the random numbers; None draws one. Each answer has its own stream of random numbers.
        repetition_penalty: > 0; divides positive and multiplies negative logits of tokens written before, inside
            free strings only (Keskar et al. 2019, arXiv 1909.05858); 1 is off.

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
        self._require(0 <= self.temperature < math.inf, "temperature", "a number ≥ 0")
        self._require(0 < self.top_p <= 1, "top_p", "in (0, 1]")
        self._require(self.top_k >= 0, "top_k", "≥ 0")
        self._require(0 <= self.min_p <= 1, "min_p", "in [0, 1]")
        self._require(0 < self.repetition_penalty < math.inf, "repetition_penalty", "a number > 0")

    def _require(self, condition: bool, name: str, expected: str) -> None:
        if not condition:
            message = f"Sampling.{name} must be {expected}; it is {getattr(self, name)!r}."
            raise ValueError(message)


class Choice(NamedTuple):
    """A token and how sure the model was of it.

    Attributes:
        token: its id.
        logprob: natural log of its probability among the allowed tokens, at temperature 1; 0.0 if it was forced.
        allowed: natural log of the probability the model gave to all allowed tokens together; 0.0 if forced.
        forced: there was no choice.
    """

    token: int
    logprob: float = 0.0
    allowed: float = 0.0
    forced: bool = True


class Sampler:
    """Chooses tokens for one sequence, with its own random numbers."""

    def __init__(self, sampling: Sampling) -> None:
        import torch

        self._sampling = sampling
        self._random = torch.Generator()
        if sampling.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(sampling.seed)

    def choose(self, logits: Tensor, allowed: Tensor, penalised: Collection[int] = ()) -> Choice:
        """Chooses a token.

        Args:
            logits: (V,) of any float type, on any device.
            allowed: (n,) int64 ids of the tokens that may come next, ascending, on the same device; n ≥ 1.
            penalised: ids to which the repetition penalty applies.

        Raises:
            ModelError: the logits are not numbers.
        """
        import torch

        everything = _finite(logits.float())
        scores = everything[allowed]  # (n,)
        total = torch.logsumexp(everything, 0)
        mass = torch.logsumexp(scores, 0)
        ranked = self._penalise(scores, allowed, penalised)
        index = self._draw(ranked) if self._sampling.temperature else torch.argmax(ranked)
        numbers = torch.stack((allowed[index].double(), (scores[index] - mass).double(), (mass - total).double()))
        token, logprob, log_mass = numbers.tolist()  # one transfer
        return Choice(int(token), min(logprob, 0.0), min(log_mass, 0.0), forced=False)

    def _penalise(self, scores: Tensor, allowed: Tensor, penalised: Collection[int]) -> Tensor:
        import torch

        penalty = self._sampling.repetition_penalty
        if penalty == 1.0 or not penalised:
            return scores
        hit = torch.isin(allowed, torch.tensor(sorted(penalised), device=allowed.device))
        lower = torch.where(scores > 0, scores / penalty, scores * penalty)
        return torch.where(hit, lower, scores)

    def _draw(self, scores: Tensor) -> Tensor:
        import torch

        probabilities = torch.softmax(scores / self._sampling.temperature, 0)
        order = torch.argsort(probabilities, descending=True, stable=True)
        kept = self._keep(probabilities[order])
        cumulative = torch.cumsum(probabilities[order][:kept].double(), 0)
        point = torch.rand((), generator=self._random, dtype=torch.float64).to(cumulative.device) * cumulative[-1]
        return order[torch.searchsorted(cumulative, point, right=True).clamp(max=kept - 1)]

    def _keep(self, probabilities: Tensor) -> int:
        """How many of the (n,) probabilities, highest first, take part."""
        import torch

        options = self._sampling
        kept = len(probabilities)
        if options.top_k:
            kept = min(kept, options.top_k)
        if options.top_p < 1:
            before = torch.cumsum(probabilities, 0) - probabilities
            kept = min(kept, int((before < options.top_p).sum()))
        if options.min_p:
            kept = min(kept, int((probabilities >= options.min_p * probabilities[0]).sum()))
        return max(kept, 1)


def _finite(logits: Tensor) -> Tensor:
    """Logits with infinities made finite."""
    import torch

    if torch.isfinite(logits.sum()):
        return logits
    if torch.isnan(logits).any():
        raise ModelError(
            "The model's logits are not numbers (NaN): its weights or its precision are broken. "
            "Try precision='bf16' or 'fp32'."
        )
    return logits.clamp(min=-1e30, max=1e30)
