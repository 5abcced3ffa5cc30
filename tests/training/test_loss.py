"""The loss against its definition: masks as Boolean tables, sums over all answers, autograd of the plain form."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

from harmony_gen import Generator, Schema
from harmony_gen.training import (
    AlphaSchedule,
    FormatLoss,
    Objective,
    TokenSet,
    Trace,
    collate,
    free_validity,
    log_masses,
    validity,
)
from harmony_gen.training.alpha import is_flat
from harmony_gen.training.loss import FORMS, Totals

if TYPE_CHECKING:
    from collections.abc import Callable


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, torch.Tensor]:
    """Masks that allow something, and logits for them, some so peaked that nearly all mass is forbidden."""
    rows, width = draw(st.integers(1, 4)), draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    allowed = random.random((rows, width)) < random.random((rows, 1))
    allowed[np.arange(rows), random.integers(width, size=rows)] = True
    logits = torch.from_numpy(random.normal(0, draw(st.sampled_from((1.0, 10.0))), (rows, width)))
    return allowed, logits


@given(tables())
def test_masses_and_their_gradients_are_those_of_the_table(table: tuple[np.ndarray, torch.Tensor]) -> None:
    allowed, exact = table
    width = allowed.shape[1]
    exact.requires_grad_()
    logits = exact.detach().float().requires_grad_()
    sets = [TokenSet.of_ids(np.flatnonzero(row), width) for row in allowed]
    assert all(2 * len(one.ids) <= width for one in sets)
    found = log_masses(logits, logits.logsumexp(-1), sets)
    naive = exact.masked_fill(~torch.from_numpy(allowed), -math.inf).logsumexp(-1) - exact.logsumexp(-1)
    torch.testing.assert_close(found.double(), naive, rtol=1e-3, atol=1e-4)
    weights = torch.arange(1.0, len(allowed) + 1)
    (found * weights).sum().backward()
    (naive * weights).sum().backward()
    torch.testing.assert_close(logits.grad.double(), exact.grad, rtol=1e-3, atol=1e-4)


def test_a_bitmap_of_the_engine_is_read_as_the_engine_writes_it(tiny: Generator) -> None:
    vocabulary = tiny._vocabulary
    for schema in (Schema.from_regex("[ab]+"), Schema.of(str)):
        matcher = vocabulary.matcher(schema.grammar)
        for token in vocabulary.encode_bytes(b'"' if schema.is_json else b"a"):
            matcher.consume_token(token)
        words = allocate_token_bitmask(1, vocabulary.width)
        fill_next_token_bitmask(matcher, words)
        found = TokenSet.of_bitmap(words[0], vocabulary.width)
        expected = [token for token in range(vocabulary.width) if matcher.validate_tokens([token])]
        everything = set(range(vocabulary.width))
        assert (everything - set(found.ids.tolist()) if found.forbids else set(found.ids.tolist())) - set(
            vocabulary.ends
        ) == set(expected) - set(vocabulary.ends)
        assert found.forbids is schema.is_json


def random_traces(width: int, random: np.random.Generator) -> list[Trace]:
    def one(number: int) -> Trace:
        prompt, answer = (
            random.integers(2, width, size=random.integers(1, 6)),
            random.integers(2, width, size=3 + number),
        )
        allowed = [
            np.union1d(random.choice(width, random.integers(1, width), replace=False), token) for token in answer
        ]
        sets = tuple(TokenSet.of_ids(ids, width) for ids in allowed)
        advantage, constrained = (0.0, True) if number == 1 else (float(random.normal()), False)
        return Trace(tuple(prompt.tolist()), tuple(answer.tolist()), sets, number, 1.0, advantage, constrained)

    return [one(number) for number in range(3)]


def naive_loss(model: torch.nn.Module, gold: list[Trace], rolled: list[Trace], alpha: float, per: str) -> torch.Tensor:
    """The definition, row by row and position by position, with Boolean masks."""

    def logs(trace: Trace) -> tuple[torch.Tensor, torch.Tensor]:
        ids = torch.tensor([[*trace.prompt, *trace.answer]])
        probabilities = model(ids).logits[0, len(trace.prompt) - 1 : -1].double().softmax(-1)
        chosen, mass = [], []
        for row, token, one in zip(probabilities, trace.answer, trace.sets, strict=True):
            allowed = torch.full_like(row, bool(one.forbids)).bool()
            allowed[torch.from_numpy(one.ids)] = not one.forbids
            chosen.append(row[token].log())
            mass.append(row[allowed].sum().log())
        return torch.stack(chosen), torch.stack(mass)

    labelled, sampled = [logs(one) for one in gold], [logs(one) for one in rolled]
    count = sum(len(one.answer) for one in gold)
    free, bound = ([place for place, one in enumerate(rolled) if one.constrained is way] for way in (False, True))
    sizes = [count, *(sum(len(rolled[place].answer) for place in part) for part in (free, bound))]
    if per == "answer":
        sizes = [len(gold), len(free), len(bound)]
    entropy = -sum(chosen.sum() for chosen, _ in labelled) / count
    gold_term = -sum(mass.sum() for _, mass in labelled) / sizes[0]
    first_error = -sum(sampled[place][1].sum() for place in free) / sizes[1]
    constrained = -sum(sampled[place][1].sum() for place in bound) / sizes[2]
    reward = -sum(rolled[place].advantage * sampled[place][0].sum() for place in free) / sizes[1]
    return alpha * entropy + (1 - alpha) * (gold_term + first_error + constrained + reward)


@pytest.mark.parametrize("whole", [False, True], ids=["parts", "whole"])
@pytest.mark.parametrize("per", ["token", "answer"])
def test_the_loss_and_its_gradients_are_those_of_the_definition(
    tiny: Generator, per: str, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the head is run in pieces, or the model as a whole."""
    model = tiny._model
    monkeypatch.setattr("harmony_gen.training.loss._NUMBERS_AT_ONCE", 5 * tiny._vocabulary.width)
    loss = FormatLoss(*FORMS, per=per)
    objective = Objective(model, loss)
    assert objective._split is not None
    objective._split = None if whole else objective._split
    random = np.random.default_rng(3)
    gold, rolled = (random_traces(tiny._vocabulary.width, random) for _ in range(2))
    parts = ([one for one in rolled if one.constrained is way] for way in (False, True))
    totals = Totals(loss.size(gold), *map(loss.size, parts))
    count = sum(len(one.answer) for one in gold)
    found = objective(collate(gold), collate(rolled), 0.3, (count, totals))
    weights = [weight for weight in model.parameters() if weight.dim() > 1]
    expected = naive_loss(model, gold, rolled, 0.3, per)
    torch.testing.assert_close(found["loss"].double(), expected, rtol=1e-5, atol=1e-5)
    ours, theirs = (torch.autograd.grad(value, weights) for value in (found["loss"], expected))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)
    if per == "token":
        assert found["gold"] <= found["ce"]


def test_estimates_of_validity_are_unbiased_and_losses_are_bounds() -> None:
    """Over all answers of a model with three tokens, each weighed by how probable it is that it is sampled."""
    random = np.random.default_rng(1)
    model = {p: random.dirichlet([1, 1, 1]) for n in range(3) for p in itertools.product(range(3), repeat=n)}
    valid = {(0, 1, 2), (0, 2, 2), (1, 0, 0), (1, 1, 0), (1, 2, 1)}
    allowed = {p: [t for t in range(3) if any(v[: len(p) + 1] == (*p, t) for v in valid)] for p in model}
    true = sum(math.prod(model[v[:n]][v[n]] for n in range(3)) for v in valid)

    def expected(of: Callable[[torch.Tensor], float], constrained: bool) -> float:
        """Of a figure of the masses along an answer."""

        def walk(prefix: tuple[int, ...], chance: float, masses: list[float]) -> float:
            if len(prefix) == 3:
                return chance * of(torch.tensor(masses, dtype=torch.double))
            mass = float(model[prefix][allowed[prefix]].sum())
            total = 0.0
            for token in range(3):
                share = float(model[prefix][token])
                if token in allowed[prefix]:
                    total += walk((*prefix, token), chance * share / (mass if constrained else 1), [*masses, mass])
                elif not constrained:
                    total += chance * share * of(torch.tensor([*masses, mass], dtype=torch.double))
            return total

        return walk((), 1.0, [])

    def one_row(masses: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(masses), dtype=torch.long)

    def loss(masses: torch.Tensor) -> float:
        return -float(masses.log().sum())

    assert expected(lambda masses: validity(masses.log(), one_row(masses)), constrained=True) == pytest.approx(true)
    assert expected(lambda masses: 1 - float((1 - masses).sum()), constrained=False) == pytest.approx(true)
    assert expected(loss, constrained=True) >= -math.log(true)
    assert expected(loss, constrained=False) >= 1 - true
    logs = torch.tensor([0.5, 0.9, 0.8]).log()
    assert free_validity(logs, torch.tensor([0, 0, 1])) == pytest.approx(1 - (0.5 + 0.1 + 0.2) / 2)


def test_a_format_loss_names_its_forms() -> None:
    assert FormatLoss().forms == ("first_error",)
    assert [(one.is_free, one.is_constrained) for one in map(FormatLoss, FORMS)] == [
        (True, False),
        (False, False),
        (True, False),
        (False, True),
    ]
    for wrong in (("gold", "gold"), ("silver",)):
        with pytest.raises(ValueError, match="each once"):
            FormatLoss(*wrong)
    with pytest.raises(ValueError, match="per must be"):
        FormatLoss(per="word")


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        (AlphaSchedule(kind="constant", start=0.4), (0.4, 0.4, 0.4)),
        (AlphaSchedule(kind="linear", start=1, end=0.2), (1.0, 0.6, 0.2)),
        (AlphaSchedule(kind="cosine", start=1, end=0.0), (1.0, 0.5, 0.0)),
        (AlphaSchedule(kind="plateau", fall=10), (1.0, 1.0, 1.0)),
    ],
)
def test_alpha_follows_its_schedule(schedule: AlphaSchedule, values: tuple[float, ...]) -> None:
    assert [schedule.at(step, 101) for step in (0, 50, 100)] == pytest.approx(values)


def test_alpha_falls_once_the_cross_entropy_is_flat() -> None:
    falling = [2.0 * 0.97**step for step in range(40)]
    assert not any(is_flat(falling[:count]) for count in range(41))
    assert is_flat([*falling, *[falling[-1]] * 20])
    schedule = AlphaSchedule(kind="plateau", start=1.0, end=0.3, fall=10)
    assert [schedule.at(step, 1000, flat_at=50) for step in (50, 55, 60, 90)] == pytest.approx([1.0, 0.65, 0.3, 0.3])


@pytest.mark.parametrize("wrong", [{"start": 1.2}, {"end": -0.1}, {"kind": "steep"}, {"fall": 0}])
def test_alpha_is_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"alpha must be in|schedule must be|fall must be"):
        AlphaSchedule(**wrong)
