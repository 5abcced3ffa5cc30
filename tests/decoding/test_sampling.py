"""Choosing a token: against a direct computation in float64, and against the distribution it claims."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen import Generator, ModelError, Sampling
from harmony_gen.decoding.sampling import Choice, Sampler

WIDTH = 40
CHI_SQUARE_999 = {4: 18.47, 9: 27.88, 39: 72.05}
"""Quantiles of chi-square at 0.999, by degrees of freedom."""


def random_logits(seed: int, width: int = WIDTH) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, width).astype(np.float32)


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    scaled = logits.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max())
    return weights / weights.sum()


def draws(sampling: Sampling, logits: np.ndarray, allowed: np.ndarray, count: int) -> Counter[int]:
    sampler = Sampler(sampling)
    return Counter(sampler.choose(logits, allowed).token for _ in range(count))


subsets = st.sets(st.integers(0, WIDTH - 1), min_size=1).map(lambda ids: np.array(sorted(ids), dtype=np.int64))


@given(st.integers(0, 999), subsets)
def test_greedy_is_the_best_of_what_is_allowed(seed: int, allowed: np.ndarray) -> None:
    logits = random_logits(seed)
    assert Sampler(Sampling()).choose(logits, allowed).token == max(allowed, key=lambda token: logits[token])


@given(st.integers(0, 999), subsets, st.sampled_from([0.0, 0.7, 3.0]))
def test_logprob_and_mass_are_those_of_a_softmax_in_float64(seed: int, allowed: np.ndarray, temperature: float) -> None:
    logits = random_logits(seed)
    choice = Sampler(Sampling(temperature=temperature, seed=seed)).choose(logits, allowed)
    expected = probabilities(logits)
    mass = expected[allowed].sum()
    assert not choice.forced
    assert math.exp(choice.allowed) == pytest.approx(mass, rel=1e-5)
    assert math.exp(choice.logprob) == pytest.approx(expected[choice.token] / mass, rel=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_sampling_has_the_distribution_of_the_model(temperature: float) -> None:
    logits = random_logits(3)
    allowed = np.arange(0, WIDTH, 4)
    count = 20_000
    seen = draws(Sampling(temperature=temperature, seed=7), logits, allowed, count)
    expected = probabilities(logits[allowed], temperature) * count
    statistic = sum((seen[int(t)] - e) ** 2 / e for t, e in zip(allowed, expected, strict=True))
    assert statistic < CHI_SQUARE_999[len(allowed) - 1]


@pytest.mark.parametrize(
    ("option", "kept"),
    [
        ({"top_k": 3}, 3),
        ({"top_k": 99}, 5),
        ({"top_p": 0.69}, 2),
        ({"top_p": 0.71}, 3),
        ({"top_p": 1e-9}, 1),
        ({"min_p": 0.3}, 2),
        ({"min_p": 0.2}, 3),
        ({"min_p": 1.0}, 1),
        ({"top_k": 4, "top_p": 0.71, "min_p": 0.3}, 2),
        ({}, 5),
    ],
)
def test_filters_keep_what_they_say(option: dict[str, Any], kept: int) -> None:
    """Of tokens with probabilities 0.5, 0.2, 0.14, 0.1, 0.06, in an order that is not theirs."""
    shares = {5: 0.5, 1: 0.2, 7: 0.14, 3: 0.1, 0: 0.06}
    logits = np.full(9, 9.0, dtype=np.float32)  # what is not allowed is likelier than all that is
    for token, share in shares.items():
        logits[token] = math.log(share)
    allowed = np.array(sorted(shares), dtype=np.int64)
    count = 4000
    seen = draws(Sampling(temperature=1.0, seed=1, **option), logits, allowed, count)
    best = list(shares)[:kept]
    assert set(seen) == set(best)
    total = sum(shares[token] for token in best)
    for token in best:
        assert seen[token] / count == pytest.approx(shares[token] / total, abs=0.03)


@pytest.mark.parametrize("option", [{"top_p": 0.2}, {"top_k": 1}, {"min_p": 1.0}])
def test_tight_filters_are_greedy(option: dict[str, Any]) -> None:
    logits = random_logits(5)
    allowed = np.arange(WIDTH)
    tight = {**option, "top_p": 1e-12} if "top_p" in option else option
    assert set(draws(Sampling(temperature=1.0, seed=2, **tight), logits, allowed, 50)) == {int(logits.argmax())}


def test_equal_tokens_are_told_apart_by_their_ids() -> None:
    logits = np.zeros(WIDTH, dtype=np.float32)
    allowed = np.arange(10, 20)
    assert Sampler(Sampling()).choose(logits, allowed).token == 10
    assert set(draws(Sampling(temperature=1.0, top_k=3, seed=0), logits, allowed, 200)) == {10, 11, 12}


def test_the_same_seed_makes_the_same_choices() -> None:
    logits = [random_logits(seed) for seed in range(50)]
    allowed = np.arange(WIDTH)

    def run(seed: int | None) -> list[Choice]:
        sampler = Sampler(Sampling(temperature=2.0, seed=seed))
        return [sampler.choose(row, allowed) for row in logits]

    assert run(11) == run(11)
    assert run(11) != run(12)
    assert run(None) != run(None)


def test_a_low_temperature_tends_to_greedy() -> None:
    allowed = np.arange(WIDTH)
    for seed in range(20):
        logits = random_logits(seed)
        for temperature in (1e-3, 1e-30, 1e-300, 5e-324):
            choice = Sampler(Sampling(temperature=temperature, seed=seed)).choose(logits, allowed)
            assert choice.token == logits.argmax()


def test_a_high_temperature_tends_to_uniform() -> None:
    allowed = np.arange(0, WIDTH, 8)
    seen = draws(Sampling(temperature=1e6, seed=3), random_logits(1), allowed, 5000)
    statistic = sum((seen[int(token)] - 1000) ** 2 / 1000 for token in allowed)
    assert statistic < CHI_SQUARE_999[len(allowed) - 1]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_infinite_logits(temperature: float) -> None:
    def choose(values: list[float], allowed: list[int]) -> Choice:
        sampler = Sampler(Sampling(temperature=temperature, seed=0))
        return sampler.choose(np.array(values, dtype=np.float32), np.array(allowed))

    inf = math.inf
    assert choose([0.0, inf, 1.0, -inf], [0, 1, 2, 3]) == Choice(1, 0.0, 0.0, forced=False)
    assert choose([-inf, 2.0, -inf], [0, 1, 2]).token == 1
    nothing = choose([5.0, -inf, -inf], [1, 2])
    assert nothing.token in (1, 2)
    assert nothing.allowed < -1e20
    huge = choose([3.4e38, -3.4e38, 3.4e38], [0, 1, 2])
    assert huge.token in (0, 2)
    assert math.isfinite(huge.logprob)


def test_nan_is_a_model_error() -> None:
    logits = np.array([0.0, math.nan, 1.0], dtype=np.float32)
    with pytest.raises(ModelError, match=r"NaN.*precision"):
        Sampler(Sampling()).choose(logits, np.array([0, 2]))


def test_logits_are_left_as_they_are() -> None:
    logits = random_logits(0)
    before = logits.copy()
    sampling = Sampling(temperature=1.0, seed=0, repetition_penalty=2.0, top_p=0.5)
    Sampler(sampling).choose(logits, np.arange(WIDTH), {1, 2})
    assert (logits == before).all()


def test_the_repetition_penalty_divides_and_multiplies() -> None:
    logits = np.array([3.0, 2.0, -1.0, -1.4], dtype=np.float32)

    def best(allowed: list[int], penalised: set[int], penalty: float) -> int:
        sampler = Sampler(Sampling(repetition_penalty=penalty))
        return sampler.choose(logits, np.array(allowed), penalised).token

    assert best([0, 1], {0}, 1.4) == 0
    assert best([0, 1], {0}, 1.6) == 1
    assert best([2, 3], {2}, 1.3) == 2
    assert best([2, 3], {2}, 1.5) == 3
    assert best([1, 0], {1}, 0.5) == 1  # below 1 it is a reward
    assert best([0, 1], {0, 7}, 1.0) == 0
    assert best([0, 2], {0, 2}, 1e308) == 0


def test_the_penalty_does_not_colour_the_confidence() -> None:
    logits = random_logits(4)
    allowed = np.arange(WIDTH)
    plain = Sampler(Sampling()).choose(logits, allowed)
    penalised = Sampler(Sampling(repetition_penalty=1.01)).choose(logits, allowed, {(plain.token + 1) % WIDTH})
    assert penalised == plain


def test_the_penalty_works_in_free_strings_only(tiny: Generator) -> None:
    never = Sampling(repetition_penalty=1e6)  # hardly any token is written twice
    free = {"type": "string", "minLength": 60, "maxLength": 90}
    inside = [tiny.generate("x", free, sampling=sampling).tokens[1:-2] for sampling in (Sampling(), never)]
    assert len(inside[0]) > len(set(inside[0]))  # else this tests nothing
    assert len(inside[1]) == len(set(inside[1])) > 5
    number = {"type": "integer", "minimum": 10**20}
    plain, penalised = (tiny.generate("x", number, sampling=sampling) for sampling in (Sampling(), never))
    assert plain.tokens == penalised.tokens
    assert len(plain.tokens) > len(set(plain.tokens))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("temperature", -1, "a number ≥ 0"),
        ("temperature", math.nan, "a number ≥ 0"),
        ("temperature", math.inf, "a number ≥ 0"),
        ("temperature", "hot", "a number ≥ 0"),
        ("top_p", 0, r"a number in (0, 1]"),
        ("top_p", 1.1, r"a number in (0, 1]"),
        ("top_k", -1, "a whole number ≥ 0"),
        ("top_k", 1.5, "a whole number ≥ 0"),
        ("min_p", -0.1, r"a number in [0, 1]"),
        ("min_p", None, r"a number in [0, 1]"),
        ("seed", -1, "a whole number ≥ 0, or None"),
        ("seed", "a", "a whole number ≥ 0, or None"),
        ("repetition_penalty", 0, "a number > 0"),
        ("repetition_penalty", math.inf, "a number > 0"),
    ],
)
def test_options_are_checked_where_they_are_made(name: str, value: Any, expected: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        Sampling(**{name: value})
    assert str(caught.value) == f"Sampling.{name} must be {expected}; it is {value!r}."


def test_options_at_their_bounds() -> None:
    sampling = Sampling(temperature=0, top_p=1, top_k=0, min_p=1, seed=np.int64(2**62), repetition_penalty=1e-9)
    assert Sampler(sampling).choose(random_logits(0), np.arange(WIDTH)).token >= 0


def test_a_forced_token_is_certain() -> None:
    assert Choice(5) == Choice(5, 0.0, 0.0, forced=True)


def test_draws_are_monotone_in_the_filters() -> None:
    """What a tighter filter keeps, a wider one keeps too."""
    logits = random_logits(8)
    allowed = np.arange(WIDTH)
    for name, values in {
        "top_k": [1, 2, 5, 20],
        "top_p": [0.1, 0.5, 0.9, 0.99],
        "min_p": [0.9, 0.3, 0.1, 0.01],
    }.items():
        kept = [set(draws(Sampling(temperature=1.0, seed=0, **{name: v}), logits, allowed, 400)) for v in values]
        tops = [max(probabilities(logits)[list(tokens)]) for tokens in kept]
        lows = [min(probabilities(logits)[list(tokens)]) for tokens in kept]
        assert len(set(tops)) == 1
        assert all(tight >= wide for tight, wide in pairwise(lows))
