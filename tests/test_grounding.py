"""Where a value stands in its source."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.grounding import locate


def found(value: Any, source: str) -> str | None:
    span = locate(value, source)
    return None if span is None else source[slice(*span)]


@given(st.text(max_size=9), st.text(min_size=1, max_size=9), st.text(max_size=9))
def test_a_text_is_found_where_it_first_stands(before: str, text: str, after: str) -> None:
    source = before + text + after
    span = locate(text, source)
    assert span is not None
    assert source[slice(*span)] == text
    assert span[0] == source.index(text)


@given(st.text(max_size=12), st.text(min_size=1, max_size=6))
def test_a_span_holds_the_text_but_for_its_case(source: str, text: str) -> None:
    span = locate(text, source)
    if span is None:
        assert text not in source
    else:
        start, end = span
        assert 0 <= start < end <= len(source)
        assert source[start:end].casefold() == text.casefold() or source[start:end].lower() == text.lower()


@given(st.integers(-(10**12), 10**12))
def test_integers_are_found_with_and_without_separators(number: int) -> None:
    for spelled in (f"{number}", f"{number:,}", f"{number:_}".replace("_", " "), f"{number:,}.00"):
        source = f"The total of {spelled} EUR"
        assert found(number, source) == spelled


@given(st.decimals(-10000, 10000, places=2))
def test_decimals_are_found_by_their_value(number: Any) -> None:
    assert found(float(number), f"costs {number} today") == str(number)
    assert found(float(number), f"costs {number}0 today") == f"{number}0"


@pytest.mark.parametrize(
    ("value", "source", "expected"),
    [
        ("Acme", "by ACME Ltd", "ACME"),
        ("a.c", "abc", None),
        ("(x", "f(x)", "(x"),
        ("", "anything", None),
        (True, "true", None),
        (False, "0", None),
        (None, "null", None),
        ({"a": 1}, "1", None),
        ([1], "1", None),
        (5, "15 and 50", None),
        (15, "pages 10-15", "15"),
        (-15, "at -15 degrees", "-15"),
        (-15, "at −15 degrees", "−15"),
        (3, "2024-03-15", "03"),
        (0, "from -0 on", "-0"),
        (1234.5, "1,234.50", "1,234.50"),
        (1234, "1'234", "1'234"),
        (345, "12 3456", None),
        (3, "3 apples, 3 pears", "3"),
        (1e300, "1", None),
        (float("inf"), "1", None),
        (2, "", None),
    ],
)
def test_examples(value: Any, source: str, expected: str | None) -> None:
    assert found(value, source) == expected


def test_the_first_place_counts() -> None:
    assert locate(3, "3 apples, 3 pears") == (0, 1)
    assert locate("ab", "xAB ab") == (4, 6)  # exact spelling before case


@pytest.mark.parametrize(
    ("value", "source", "found"),
    [
        (2870000000, "revenue of 2.87 billion dollars", "2.87 billion"),
        (-1_500_000, "a loss: -1.5m this year", "-1.5m"),
        (35000, "共3.5万元", "3.5万"),
        (120_000_000, "约1.2亿人", "1.2亿"),
        (0.12, "VAT of 12 % is due", "12 %"),
        (0.075, "rose 7.5 percent", "7.5 percent"),
        (1234.5, "Summe 1.234,50 EUR", "1.234,50"),
        (3, "Three tickets, please", "Three"),
        (12000, "twelve thousand people", "twelve thousand"),
        (5, "一共五本", "五"),
        (3, "thirteen", None),
        ("2026-03-15", "on March 15, 2026.", "March 15, 2026"),
        ("2026-03-15", "am 15. März 2026", "15. März 2026"),
        ("2026-03-15", "15th of March 2026", "15th of March 2026"),
        ("2026-03-15T10:00:00", "Sept 1, 2025 and 15 Mar 26", "15 Mar 26"),
        ("2025-09-01", "Sept. 1, 2025", "Sept. 1, 2025"),
        ("2026-03-15", "2026年3月15日", "2026年3月15日"),
        ("2026-03-15", "15/03/2026", "15/03/2026"),
        ("2026-03-04", "03/04/2026", "03/04/2026"),
        ("2026-04-03", "03/04/2026", "03/04/2026"),
        ("2026-03-15", "file 20260315.csv", "20260315"),
        ("2026-02-30", "30 February 2026", None),
        ("2026-03-15", "March 16, 2026", None),
    ],
)
def test_values_are_found_however_they_are_spelled(value: object, source: str, found: str | None) -> None:
    span = locate(value, source)
    assert (None if span is None else source[slice(*span)]) == found
