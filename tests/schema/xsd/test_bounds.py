"""Decimals within bounds, and dates within bounds, against Python's own arithmetic."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen import Schema
from harmony_gen.schema import engine
from harmony_gen.schema.strings.derivatives import Reader, shortest
from harmony_gen.schema.strings.expression import Node, is_nullable
from harmony_gen.schema.xsd import dates, numbers
from harmony_gen.schema.xsd.numbers import Bound

ENDS = st.none() | st.builds(Bound, st.decimals(-1000, 1000, places=2, allow_nan=False), st.booleans())


def matches(node: Node, text: str) -> bool:
    return is_nullable(Reader(node).after(text))


def is_inside(value: Decimal, low: Bound | None, high: Bound | None) -> bool:
    above = low is None or value > low.value or (value == low.value and not low.is_open)
    return above and (high is None or value < high.value or (value == high.value and not high.is_open))


@given(
    low=ENDS,
    high=ENDS,
    whole=st.booleans(),
    texts=st.lists(st.from_regex(r"[+-]?0{0,2}\d{1,4}(\.\d{0,3})?", fullmatch=True)),
)
def test_an_interval_holds_its_decimals(low: Bound | None, high: Bound | None, whole: bool, texts: list[str]) -> None:
    node = numbers.between(low, high, whole=whole)
    ends = [f"{bound.value:f}" for bound in (low, high) if bound is not None]
    for text in (text for text in [*texts, *ends] if text.isascii()):
        value = Decimal(text)
        if value == 0 and text.startswith("-"):  # it need not be offered
            continue
        expected = is_inside(value, low, high) and not (whole and "." in text)
        assert matches(node, text) == expected, text


def test_numbers_without_a_whole_part() -> None:
    node = numbers.between(Bound(Decimal("-0.5")), Bound(Decimal("0.25"), is_open=True), whole=False)
    assert [text for text in (".2", ".24", ".25", "-.5", "-.51", ".", "") if matches(node, text)] == [
        ".2",
        ".24",
        "-.5",
    ]


@pytest.mark.parametrize(
    ("total", "fraction", "right", "wrong"),
    [
        (3, 1, ["1", "12.3", "-123", "+1", ".5"], ["1234", "1.23", "12.34", ""]),
        (2, 0, ["12", "01"], ["1.2", "123"]),
        (None, 2, ["123456.78"], ["1.234"]),
    ],
)
def test_digits(total: int | None, fraction: int | None, right: list[str], wrong: list[str]) -> None:
    node = numbers.digits(total, fraction)
    assert all(matches(node, text) for text in right)
    assert not any(matches(node, text) for text in wrong)


def test_an_interval_without_numbers_has_no_text() -> None:
    assert shortest(numbers.between(Bound(Decimal(2)), Bound(Decimal(1)), whole=False), 0) is None
    assert shortest(numbers.between(Bound(Decimal("0.1")), Bound(Decimal("0.9")), whole=True), 0) is None


@given(bound=st.dates(min_value=date(1000, 1, 1)), other=st.dates(min_value=date(1000, 1, 1)))
def test_dates_are_compared_as_python_does(bound: date, other: date) -> None:
    for is_lower in (True, False):
        for exclusive in (True, False):
            node = dates.bounded("date", bound.isoformat(), is_lower=is_lower, exclusive=exclusive)
            expected = (other > bound if is_lower else other < bound) or (other == bound and not exclusive)
            assert matches(node, other.isoformat()) == expected


@pytest.mark.parametrize(
    ("kind", "bound", "inside", "outside"),
    [
        ("dateTime", "2020-02-03T04:05:06Z", "2020-02-03T04:05:07Z", "2020-02-03T04:05:05Z"),
        ("time", "12:00:00", "12:00:01", "11:59:59"),
        ("gYear", "1999", "2000", "1998"),
        ("gYearMonth", "1999-12", "2000-01", "1999-11"),
        ("gMonthDay", "--02-03", "--02-04", "--01-31"),
        ("gDay", "---05", "---06", "---04"),
        ("gMonth", "--05", "--06", "--04"),
        ("duration", "P1Y2M", "P1Y2M0DT0H0M1S", "P1Y1M27DT23H59M59S"),
    ],
)
def test_bounds_of_each_kind(kind: str, bound: str, inside: str, outside: str) -> None:
    node = dates.bounded(kind, bound, is_lower=True, exclusive=True)
    assert matches(node, inside)
    assert not matches(node, outside)


@pytest.mark.parametrize(("kind", "bound"), [("date", "-2020-01-01"), ("duration", "P14M"), ("time", "1:00")])
def test_bounds_whose_order_is_not_known(kind: str, bound: str) -> None:
    with pytest.raises(ValueError, match="bound"):
        dates.bounded(kind, bound, is_lower=True, exclusive=False)


def test_bounds_in_different_zones_leave_values() -> None:
    """They stand in the zone of the first; the judge compares them with the other."""
    kind = """<xs:restriction base="xs:time"><xs:minInclusive value="10:21:00-05:00"/>
      <xs:maxExclusive value="13:20:00-04:00"/></xs:restriction>"""
    schema = Schema.from_xsd(
        f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="at">
        <xs:simpleType>{kind}</xs:simpleType></xs:element></xs:schema>"""
    )
    matcher = engine.byte_matcher(schema.grammar)
    for text, is_valid in (("12:19:59-05:00", True), ("12:20:00-05:00", False), ("10:20:59-05:00", False)):
        document = f"<at>{text}</at>".encode()
        assert schema.judge.accepts(document) == is_valid
        assert engine.completes(matcher, document) or not is_valid
    assert schema.judge.accepts(schema.witness().encode())
    assert schema.coverage["/a local type/the bound 13:20:00-04:00"] == "checked"
