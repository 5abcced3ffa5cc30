"""Lists are paired so that most values are right, whatever their order."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen import Schema
from harmony_gen.equality import Equality
from harmony_gen.evaluation import alignment
from harmony_gen.evaluation.tree import Reader, leaves

READER = Reader(Schema.of({}), Equality())
small = st.integers(0, 2)
items = st.recursive(
    st.one_of(small, st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=8,
)


def brute(gold: Any, given: Any) -> int:
    """The most right values, by trying every pairing."""
    if isinstance(gold, dict) and isinstance(given, dict):
        return sum(brute(part, given.get(name)) for name, part in gold.items())
    if isinstance(gold, list) and isinstance(given, list):
        short, long = sorted((gold, given), key=len)
        return max(sum(map(brute, short, chosen)) for chosen in permutations(long, len(short)))
    return int(not isinstance(gold, dict | list) and gold is not None and gold == given)


@given(st.lists(items, max_size=5), st.lists(items, max_size=5))
def test_no_pairing_has_more_right_values(gold: list[Any], given: list[Any]) -> None:
    one, other = READER.tree(gold), READER.tree(given)
    paired = alignment.pairs(one, other)
    found = sum(
        left is not None and right is not None and left.key is not None and left.key == right.key
        for left, right in paired
    )
    assert found == alignment.right(one, other) == brute(gold, given)
    assert sorted(left.pointer for left, _ in paired if left is not None) == sorted(
        leaf.pointer for leaf in leaves(one)
    )
    assert sorted(right.pointer for _, right in paired if right is not None) == sorted(
        leaf.pointer for leaf in leaves(other)
    )


@given(st.integers(1, 5), st.integers(1, 5), st.randoms(use_true_random=False))
def test_assignments_are_the_best_there_are(rows: int, columns: int, draw: Any) -> None:
    weights = np.array([[draw.choice([0, 0, 1, draw.uniform(-3, 3)]) for _ in range(columns)] for _ in range(rows)])
    found = alignment.assignment(weights)
    assert len({row for row, _ in found}) == len({column for _, column in found}) == min(rows, columns)
    wide = weights if rows <= columns else weights.T
    best = max(
        sum(wide[row, column] for row, column in enumerate(chosen))
        for chosen in permutations(range(wide.shape[1]), wide.shape[0])
    )
    assert sum(weights[pair] for pair in found) == pytest.approx(best)


def test_large_assignments_agree_with_scipy() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    weights = np.random.default_rng(0).integers(0, 9, size=(60, 80)).astype(float)
    rows, columns = optimize.linear_sum_assignment(weights, maximize=True)
    assert sum(weights[pair] for pair in alignment.assignment(weights)) == weights[rows, columns].sum()


def test_items_without_anything_in_common_are_paired_in_order() -> None:
    gold, given = READER.tree([1, 2, 3]), READER.tree([4, 5])
    pointers = [(one and one.pointer, other and other.pointer) for one, other in alignment.pairs(gold, given)]
    assert pointers == [("/0", "/0"), ("/1", "/1"), ("/2", None)]


def test_long_lists_take_little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [{"no": number, "text": "x"} for number in range(5000)]
    gold, given = READER.tree(values), READER.tree(values[::-1])
    assert alignment.right(gold, given) == 10_000  # equal items need no weighing
    monkeypatch.setattr(alignment, "_MOST", 3)
    gold, given = READER.tree([[1, 2], [3, 4]]), READER.tree([[3, 5], [1, 6]])
    assert alignment.right(gold, given) == 0  # in order
    monkeypatch.setattr(alignment, "_MOST", 4)
    assert alignment.right(gold, given) == 2
