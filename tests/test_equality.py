"""When two scalars are equal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.equality import Equality, same

EXACT = Equality(ignore_white_space=False, ignore_form=False)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (0.1, Decimal("0.10"), True),
        (True, 1, False),
        (0, False, False),
        ("1", 1, False),
        (None, None, True),
        (None, "", False),
        ("a", "A", False),
        ("Zoë  Müller\n", "Zoe\u0308 Müller", True),
        ("ﬁne ２", "fine 2", True),
        ("2026-03-15T10:00Z", "2026-03-15T12:00:00+02:00", True),
        ("2026-03-15T10:00Z", "2026-03-15T10:00", False),
        ("2026-03-15 10:00:00.0", "2026-03-15T10:00", True),
        ("10:00", "10:00:00", True),
        ("2026-02-30T10:00Z", "2026-02-30T10:00:00Z", False),
        ("9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59-01:00", True),
        ("20260315", "2026-03-15", False),
        ([1, "a "], [Decimal(1), "a"], True),
        ([1], 1, False),
        (float("nan"), Decimal("NaN"), True),
        (float("inf"), Decimal("Infinity"), True),
        ([], {}, False),
        ({}, "{}", False),
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 1}, True),
        (10**400, 10**400, True),
    ],
)
def test_what_is_the_same(left: Any, right: Any, equal: bool) -> None:
    assert same(left, right) is equal
    assert same(right, left) is equal


def test_what_is_ignored_is_a_choice() -> None:
    assert not EXACT.same("a b", "a  b")
    assert not EXACT.same("ﬁ", "fi")
    assert Equality(ignore_case=True).same("STRASSE", "straße")


def test_strings_that_spell_numbers_where_either_may_stand() -> None:
    usual = Equality()
    assert usual.key("12.50", as_number=True) == usual.key(12.5, as_number=True)
    assert usual.key(" 1e2", as_number=True) == usual.key(100, as_number=True)
    assert usual.key("AB-1", as_number=True) == usual.key("AB-1")
    assert usual.key("007") != usual.key("7")


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)


@given(scalars, scalars)
def test_equality_in_json_but_for_texts_that_are_moments(left: Any, right: Any) -> None:
    assert len({EXACT.key(left), EXACT.key(right)}) == 2 - EXACT.same(left, right)
    is_equal = left == right and isinstance(left, bool) == isinstance(right, bool)
    assert EXACT.same(left, right) is is_equal or (":" in str(left) and ":" in str(right))
    assert EXACT.same(left, left)
