"""The format-compliance loss: L = α·CE + (1 - α)·format.

With M_t the tokens that the validator allows after y_<t, and Z_t = Σ_{v ∈ M_t} p(v | x, y_<t) the *allowed mass*, an
answer that the model writes freely is valid with probability E_{y~q}[∏ Z_t], where q samples under the constraint.
Forms of the loss:

- *gold*: Σ -log Z_t along the labelled answer. Never more than the cross-entropy, for the label is allowed.
- *first_error*: along answers that the model samples itself, up to the first token the validator rejects.
- *constrained*: along answers that it samples under the constraint, y ~ q, to their end. E Σ -log Z_t is a bound of
  -log P(valid) by Jensen's inequality; where first_error is silent about all that lies behind an error, this is not.
- *reward*: REINFORCE with the other samples of a prompt as baseline (Kool et al., "Buy 4 REINFORCE samples, get a
  baseline for free!", 2019), for validators that say how good an answer is, but not which tokens are allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from harmony_gen.decoding.head import split
from harmony_gen.training.masses import TokenSet, log_masses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Form = Literal["first_error", "gold", "reward", "constrained"]

FORMS: tuple[Form, ...] = ("first_error", "gold", "reward", "constrained")

_NUMBERS_AT_ONCE = 2**24
"""Logits that are in memory at a time, 64 MiB in float32: others are computed anew when gradients flow back."""


@dataclass(frozen=True)
class Trace:
    """A prompt and an answer, labelled or sampled, with what the validator said of it.

    Attributes:
        prompt: ids of the tokens before the answer, at least one.
        answer: ids of the answer, the one that ends it, or the first that was rejected, included.
        sets: what was allowed at each position of the answer; () if the validator only judges whole answers.
        number: of the example it belongs to, for messages.
        reward: in [0, 1], of a sampled answer; 1 is valid.
        advantage: by how much the reward is higher than those of the other samples of the prompt.
        constrained: it was sampled under the constraint.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    sets: tuple[TokenSet, ...] = ()
    number: int = 0
    reward: float = 1.0
    advantage: float = 0.0
    constrained: bool = False


class Batch(NamedTuple):
    """Traces as one table, padded on the right, where no causal model looks.

    Attributes:
        tokens: (B, T) ids.
        attention: (B, T), 1 where a token is.
        rows: (P,) the trace of each position of an answer.
        places: (P,) from which place of the row it is predicted.
        targets: (P,) ids of the answers' tokens.
        sets: P sets, or none.
        advantages: (B,) of the traces.
        constrained: (B,) bool, of the traces.
    """

    tokens: torch.Tensor
    attention: torch.Tensor
    rows: torch.Tensor
    places: torch.Tensor
    targets: torch.Tensor
    sets: list[TokenSet]
    advantages: torch.Tensor
    constrained: torch.Tensor


def collate(traces: Sequence[Trace], device: torch.device | str = "cpu") -> Batch:
    """Puts traces, each with the masks of its own schema, into one batch."""
    sequences = [(*one.prompt, *one.answer[:-1]) for one in traces]
    tokens = torch.zeros(len(traces), max(map(len, sequences)), dtype=torch.long)
    attention = torch.zeros_like(tokens)
    for row, sequence in enumerate(sequences):
        tokens[row, : len(sequence)] = torch.tensor(sequence)
        attention[row, : len(sequence)] = 1
    rows = [row for row, one in enumerate(traces) for _ in one.answer]
    places = [len(one.prompt) - 1 + place for one in traces for place in range(len(one.answer))]
    targets = [token for one in traces for token in one.answer]
    sets = [found for one in traces for found in one.sets]
    advantages, constrained = [one.advantage for one in traces], [one.constrained for one in traces]
    found = (torch.tensor(values, device=device) for values in (rows, places, targets, advantages, constrained))
    rows_, places_, targets_, advantages_, constrained_ = found
    known = sets if len(sets) == len(rows) else []
    return Batch(tokens.to(device), attention.to(device), rows_, places_, targets_, known, advantages_, constrained_)


class Measured(NamedTuple):
    """What a model thinks of the answers of a batch.

    Attributes:
        rows: (P,) the trace of each position.
        chosen: (P,) log probability of the answer's token.
        masses: (P,) log of the allowed mass; 0 without sets.
    """

    rows: torch.Tensor
    chosen: torch.Tensor
    masses: torch.Tensor

    def by_answer(self, values: torch.Tensor) -> torch.Tensor:
        """(B,) sums of (P,) values over each answer."""
        return values.new_zeros(int(self.rows[-1]) + 1).index_add(0, self.rows, values)


class Totals(NamedTuple):
    """What sums are divided by: positions, or answers, of a whole step. Its parts then add up to it exactly.

    Attributes:
        gold: of labelled answers.
        rolled: of those sampled freely.
        constrained: of those sampled under the constraint.
    """

    gold: float
    rolled: float
    constrained: float = 1.0


class FormatLoss:
    """The format term, in one form or as the sum of several."""

    def __init__(self, *forms: Form, per: Literal["token", "answer"] = "token") -> None:
        """Chooses the forms.

        Args:
            forms: at least one of `FORMS`, each once; "first_error" by default.
            per: what is averaged over: the tokens of all answers, as a cross-entropy is; or the answers, so that
                "constrained" bounds -log P(valid), and "first_error" the probability of an error.

        Raises:
            ValueError: there is no such form, or unit.
        """
        self.forms = forms or ("first_error",)
        if len(set(self.forms)) < len(self.forms) or not set(self.forms) <= set(FORMS):
            raise ValueError(f"A format loss is made of {', '.join(FORMS)}, each once; it is {', '.join(self.forms)}.")
        if per not in ("token", "answer"):
            raise ValueError(f"per must be token or answer; it is {per!r}.")
        self.per = per

    @property
    def is_free(self) -> bool:
        """Whether it needs answers that the model samples freely."""
        return "first_error" in self.forms or "reward" in self.forms

    @property
    def is_constrained(self) -> bool:
        """Whether it needs answers that the model samples under the constraint."""
        return "constrained" in self.forms

    def size(self, traces: Sequence[Trace]) -> int:
        """What the sums over some traces are divided by."""
        return sum(len(one.answer) for one in traces) if self.per == "token" else len(traces)

    def terms(self, gold: Measured, rolled: Measured | None, sampled: Batch | None, totals: Totals) -> dict[str, Any]:
        """The value of each form.

        Args:
            gold: labelled answers.
            rolled: sampled ones; None if there are none.
            sampled: the same, as a batch.
            totals: what sums are divided by.
        """
        found: dict[str, Any] = {}
        if "gold" in self.forms:
            found["gold"] = -gold.masses.sum() / totals.gold
        if rolled is None or sampled is None:
            return found
        masses = rolled.by_answer(rolled.masses)
        if "first_error" in self.forms:
            found["first_error"] = -masses[~sampled.constrained].sum() / totals.rolled
        if "constrained" in self.forms:
            found["constrained"] = -masses[sampled.constrained].sum() / totals.constrained
        if "reward" in self.forms:
            found["reward"] = -(sampled.advantages * rolled.by_answer(rolled.chosen)).sum() / totals.rolled
        return found


def validity(masses: torch.Tensor, rows: torch.Tensor) -> float:
    """P(valid), estimated without labels: the mean of exp Σ log Z_t.

    Unbiased for answers that were sampled under the constraint; along labelled answers it tells how safely the model
    would keep to the form there.

    Args:
        masses: (P,) log of the allowed mass.
        rows: (P,) the answer of each position, ascending from 0.
    """
    return float(masses.new_zeros(int(rows[-1]) + 1).index_add(0, rows, masses).exp().mean())


def free_validity(masses: torch.Tensor, rows: torch.Tensor) -> float:
    """P(valid) from answers that the model sampled freely, up to their first error: 1 - mean Σ (1 - Z_t).

    For P(error) = E Σ P(error at t | valid until t), and the model's own samples visit t as often as they are valid
    until t. Unbiased, and steadier than counting; kept in [0, 1].

    Args:
        masses: (P,) log of the allowed mass.
        rows: (P,) the answer of each position, ascending from 0.
    """
    errors = masses.new_zeros(int(rows[-1]) + 1).index_add(0, rows, -torch.expm1(masses))
    return min(1.0, max(0.0, 1 - float(errors.mean())))


class Objective(nn.Module):
    """A model with its loss, so that one forward pass of it is a whole step, whatever wraps it."""

    def __init__(self, model: Any, loss: FormatLoss) -> None:
        """Wraps a causal LM, which must be in evaluation mode now: how it ends is found out here."""
        super().__init__()
        self.model = model
        self.loss = loss
        self._split = split(model)

    def forward(
        self, gold: Batch, rolled: Batch | None, alpha: float, totals: tuple[float, Totals]
    ) -> dict[str, torch.Tensor]:
        """The loss of a part of a step, and what it is made of.

        Args:
            gold: labelled answers.
            rolled: sampled ones.
            alpha: in [0, 1].
            totals: labelled tokens of the whole step, and what its format terms are divided by.

        Returns:
            "loss" with a gradient; "ce", each form, "valid_gold" and "p_valid" without.
        """
        labelled = self.measure(gold)
        sampled = None if rolled is None else self.measure(rolled)
        entropy = -labelled.chosen.sum() / totals[0]
        terms = self.loss.terms(labelled, sampled, rolled, totals[1])
        found = {"loss": entropy if alpha == 1 else alpha * entropy + (1 - alpha) * sum(terms.values())}
        found |= {name: value.detach() for name, value in {"ce": entropy, **terms}.items()}
        return found | _estimates(gold, labelled, rolled, sampled)

    def measure(self, batch: Batch) -> Measured:
        """What the model thinks of a batch's answers; differentiable."""
        options = {"input_ids": batch.tokens, "attention_mask": batch.attention, "use_cache": False}
        head: Callable[[torch.Tensor], torch.Tensor] = _as_it_is
        if self._split is None:
            found = self.model(**options).logits
        else:
            found, head = self._split.body(**options).last_hidden_state, self._split.head.logits
        states = found[batch.rows, batch.places]  # (P, D), or (P, V) if the model does not come apart
        size = len(states) if self._split is None else max(1, _NUMBERS_AT_ONCE // self._split.head.width)
        parts = [self._part(head, batch, states, slice(start, start + size)) for start in range(0, len(states), size)]
        chosen, masses = (torch.cat(each) for each in zip(*parts, strict=True))
        return Measured(batch.rows, chosen, masses)

    def _part(self, head: Any, batch: Batch, states: torch.Tensor, here: slice) -> tuple[torch.Tensor, torch.Tensor]:
        arguments = head, states[here], batch.targets[here], batch.sets[here]
        if self._split is None or not torch.is_grad_enabled():
            return _scores(*arguments)
        found: tuple[torch.Tensor, torch.Tensor] = checkpoint(
            _scores, *arguments, use_reentrant=False, preserve_rng_state=False
        )
        return found


def _as_it_is(logits: torch.Tensor) -> torch.Tensor:
    return logits


def _scores(
    head: Callable[[torch.Tensor], torch.Tensor], states: torch.Tensor, targets: torch.Tensor, sets: list[TokenSet]
) -> tuple[torch.Tensor, torch.Tensor]:
    """(p,) log probability of the targets, and (p,) log of the allowed mass."""
    logits = head(states).float()  # (p, V)
    everything = logits.logsumexp(-1)
    chosen = logits.gather(-1, targets[:, None])[:, 0] - everything
    return chosen, log_masses(logits, everything, sets) if sets else torch.zeros_like(chosen)


@torch.no_grad()
def _estimates(gold: Batch, labelled: Measured, rolled: Batch | None, sampled: Measured | None) -> dict[str, Any]:
    """Estimates of P(valid), where masks are known; of free answers rather than of constrained ones."""
    found = {"valid_gold": validity(labelled.masses, labelled.rows)} if gold.sets else {}
    if rolled is not None and rolled.sets and sampled is not None:
        free = ~rolled.constrained[sampled.rows]
        estimate, here = (free_validity, free) if bool(free.any()) else (validity, ~free)
        found["p_valid"] = estimate(sampled.masses[here], torch.unique(sampled.rows[here], return_inverse=True)[1])
    return {name: torch.tensor(value, device=labelled.masses.device) for name, value in found.items()}
