"""Judging a model on held-out examples: cross-entropy, and what it answers without any constraint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from harmony_gen.equality import same
from harmony_gen.training.loss import collate
from harmony_gen.training.rollouts import sample, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony_gen.generator import Generator
    from harmony_gen.schema import Schema
    from harmony_gen.training.examples import Example
    from harmony_gen.training.loss import Objective

_ROWS = 16
"""Examples that are answered or read at once."""


@dataclass(frozen=True)
class Judgement:
    """How a model does without constraint.

    Attributes:
        ce: mean cross-entropy of a labelled token, in nats.
        valid: share of greedy answers that the schema accepts.
        f1: of their fields: equal scalars at equal places, over all answers.
    """

    ce: float
    valid: float
    f1: float

    @property
    def rank(self) -> tuple[float, float]:
        """Greater is better: the score, and of equal ones the lower cross-entropy."""
        return self.score, -self.ce

    @property
    def score(self) -> float:
        """What early stopping goes by: the mean of validity and field F1."""
        return (self.valid + self.f1) / 2


def judge(
    generator: Generator, objective: Objective, examples: Sequence[Example], *, most: int, judged: int
) -> Judgement:
    """Judges a model in evaluation mode.

    Args:
        generator: the model.
        objective: the same, with its loss.
        examples: labelled ones, at least one.
        most: tokens of an answer.
        judged: how many are answered; all count for the cross-entropy.
    """
    answers = free_answers(generator, examples[:judged], most=most)
    outcomes = [outcome(one.schema, one.text or "", text) for one, text in zip(examples, answers, strict=False)]
    right, given, gold = (sum(one[place] for one in outcomes) for place in (1, 2, 3))
    return Judgement(
        ce=_cross_entropy(generator, objective, examples),
        valid=sum(one[0] for one in outcomes) / len(outcomes),
        f1=2 * right / (given + gold) if given + gold else 0.0,
    )


def free_answers(generator: Generator, examples: Sequence[Example], *, most: int) -> list[str | None]:
    """Greedy answers without a constraint; None for one that does not end."""
    prompts = [one.trace.prompt if one.trace is not None else one.prompt for one in examples]
    by_length = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    found: list[str | None] = [None] * len(prompts)
    for start in range(0, len(prompts), _ROWS):
        rows = by_length[start : start + _ROWS]
        answers = sample(generator, [prompts[index] for index in rows], most, greedy=True)
        for index, tokens in zip(rows, answers, strict=True):
            found[index] = text_of(generator._vocabulary, tokens)
    return found


def outcome(schema: Schema[Any], gold: str, answer: str | None) -> tuple[bool, int, int, int]:
    """Whether an answer is valid, how many of its fields are right, how many it has, and how many it should have."""
    wanted, given = _fields(schema, gold), {} if answer is None else _fields(schema, answer)
    right = sum(place in given and same(given[place], value) for place, value in wanted.items())
    return answer is not None and schema.accepts(answer.encode()), right, len(given), len(wanted)


def _fields(schema: Schema[Any], text: str) -> dict[str, Any]:
    """The scalars of an answer by place; of a plain text itself; none of what cannot be read."""
    try:
        found = {one.pointer: one.value for one in schema.scalars(text.encode())}
    except Exception:  # noqa: BLE001 - free answers are anything at all
        return {}
    return found or ({} if schema.is_json or schema.reader is not None else {"": text})


@torch.no_grad()
def _cross_entropy(generator: Generator, objective: Objective, examples: Sequence[Example]) -> float:
    traces = sorted((one.trace for one in examples if one.trace is not None), key=lambda one: len(one.prompt))
    total = 0.0
    for start in range(0, len(traces), _ROWS):
        batch = collate(traces[start : start + _ROWS], generator._model.device)
        total -= float(objective.measure(batch._replace(sets=[])).chosen.sum())
    return total / sum(len(one.answer) for one in traces)
