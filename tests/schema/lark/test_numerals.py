"""A terminal of numbers accepts a decimal text if, and only if, the number lies in the interval."""

from __future__ import annotations

import json
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from harmony_gen.schema import engine
from harmony_gen.schema.json_schema import lower
from harmony_gen.schema.lark import spell_number
from harmony_gen.schema.lark.numerals import terminal
from harmony_gen.schema.normal.numbers import Numbers, interval
from harmony_gen.schema.subschema import Subschema
from support.schemas import is_masked

PRECISION = 700
FRACTION = 40
"""Digits behind the point that are written at most."""

SPECIAL = [0, 1, -1, 9, 10, 19, 20, -19, 99, 100, 1234, 2**53 + 1, 2**63, 2**70, -(2**65), 10**39]
DECIMAL = [0.5, -0.5, 0.05, 0.1, 0.3, 0.999, -2.75, 12.25, 99.99, 7e-5, 1e-9, -1e-9, 1.5e10, 1e20, 1e300, -1e300]
BOUNDS = st.sampled_from(SPECIAL + DECIMAL) | st.integers(-300, 300) | st.integers(-9999, 9999).map(lambda n: n / 100)
STEPS = [Decimal(step) for step in "0 1 -1 0.1 -0.1 0.01 -0.01 0.00001 -0.0003 10 -10 123.456".split()]


def exact(bound: float) -> Decimal:
    return Decimal(bound) if isinstance(bound, int) else Decimal(repr(bound))


def plain(number: Decimal) -> str:
    """Without an exponent and without needless zeros."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "-") else text


def holds(numbers: Numbers, number: Decimal) -> bool:
    for bound, sign, is_open in zip((numbers.low, numbers.high), (1, -1), numbers.open, strict=True):
        room = 0 if bound is None else sign * (number - exact(bound))
        if room < 0 or (room == 0 and bound is not None and is_open):
            return False
    return not numbers.whole or number == number.to_integral_value()


@cache
def start(numbers: Numbers) -> Any:
    return engine.byte_matcher(engine.grammar_of_lark(f"start: N\nN: {terminal(numbers)}\n"))


def accepts(numbers: Numbers, text: str) -> bool:
    return engine.completes(start(numbers), text.encode())


@given(
    low=st.none() | BOUNDS,
    high=st.none() | BOUNDS,
    opened=st.tuples(st.booleans(), st.booleans()),
    whole=st.sampled_from([None, True]),
    around=BOUNDS,
)
@settings(max_examples=8 * settings().max_examples)
@example(low=0.25, high=0.25, opened=(False, False), whole=None, around=0)
def test_a_text_is_accepted_if_the_number_is_in_the_interval(
    low: float | None, high: float | None, opened: tuple[bool, bool], whole: bool | None, around: float
) -> None:
    with localcontext(prec=PRECISION):
        opened = (opened[0] and low is not None, opened[1] and high is not None)
        numbers = interval(low, high, opened, whole, frozenset())
        assume(numbers is not None)
        assert numbers is not None
        centres = [
            exact(bound)
            for bound in (low, high, 0, around)
            if bound is not None and (abs(bound) < 10**30 or bound in (low, high))
        ]
        for number in (centre + step for centre in centres for step in STEPS):
            text = plain(number)
            assert accepts(numbers, text) == holds(numbers, number), text
            dotted = f"{text}0" if "." in text else f"{text}.0"
            assert accepts(numbers, dotted) == (holds(numbers, number) and not numbers.whole), dotted
        for zero in ("-0", "-0.0"):
            assert holds(numbers, Decimal(0)) or not accepts(numbers, zero)
        for text in ("", "-", "+1", "01", "1.", ".5", "--1", "1e", "00", "-01", "0x1", "1_0", "NaN"):
            assert not accepts(numbers, text), text


@pytest.mark.parametrize("whole", [None, True])
def test_a_number_without_bounds_can_be_read(whole: bool | None) -> None:
    numbers = Numbers(whole=whole)
    for text in ("0", "-0", "7", "-12", "9" * 40):
        assert accepts(numbers, text), text
    for text in ("9" * 41, "01", "1.", "+1", "1e999", "-", "1e260", "1E+300"):
        assert not accepts(numbers, text), text
    for text in ("0.5", "-1.25", "1e9", "1E-9", "2.5e+200", "1e0", "9" * 40 + "." + "9" * 40 + "e259"):
        assert accepts(numbers, text) != bool(whole), text
        assert Decimal(text) == 0 or float(text) not in (float("inf"), 0.0)


MULTIPLES = range(-40, 41)


@given(
    step=st.integers(1, 12),
    other=st.none() | st.integers(1, 12),
    low=st.none() | st.integers(-20, 20) | st.sampled_from([-7.5, 0.5, 2.25]),
    high=st.none() | st.integers(-20, 20) | st.sampled_from([-1.5, 6.5, 19.75]),
    opened=st.booleans(),
)
@settings(max_examples=4 * settings().max_examples)
def test_multiples_of_integers(
    step: int, other: int | None, low: float | None, high: float | None, *, opened: bool
) -> None:
    lower_keyword, upper_keyword = ("exclusiveMinimum", "exclusiveMaximum") if opened else ("minimum", "maximum")
    parts: list[dict[str, Any]] = [{"multipleOf": step}, {"type": ["number", "null"]}]
    parts += [{"multipleOf": other}] if other else []
    parts += [{lower_keyword: low}] if low is not None else []
    parts += [{upper_keyword: high}] if high is not None else []
    lowered = lower(Subschema.root({"allOf": parts}))
    assert is_masked(lowered)
    matcher = engine.byte_matcher(lowered.grammar)
    for number in MULTIPLES:
        divides = number % step == 0 and number % (other or 1) == 0
        above = low is None or (number > low if opened else number >= low)
        below = high is None or (number < high if opened else number <= high)
        assert engine.completes(matcher, str(number).encode()) == (divides and above and below), number
    assert not engine.completes(matcher, b"0.5")


@pytest.mark.parametrize("step", [0.01, 0.5, 0.1, 2.5, 1e-6, 2.0])
@pytest.mark.parametrize("bounds", [{}, {"minimum": -1.3, "maximum": 7}, {"exclusiveMinimum": 0, "maximum": 2**40}])
def test_multiples_of_fractions_are_checked_and_masked_as_well(step: float, bounds: dict[str, float]) -> None:
    lowered = lower(Subschema.root({"type": "number", "multipleOf": step, **bounds}))
    assert lowered.coverage["/multipleOf"] == "checked"
    matcher = engine.byte_matcher(lowered.grammar)
    unit = Fraction(repr(step))
    for count in (1, 2, 3, 7):
        inside = count * unit <= bounds.get("maximum", count * unit)
        assert engine.completes(matcher, plain(exact(step) * count).encode()) == inside
    assert not engine.completes(matcher, plain(exact(step) * Decimal("1.5")).encode())


@pytest.mark.parametrize(
    ("schema", "admitted"),
    [
        ({"multipleOf": 0.5, "minimum": 1.1, "maximum": 1.2}, "1.15"),  # no multiple, as decimals go
        ({"multipleOf": 0.5, "exclusiveMinimum": 1, "exclusiveMaximum": 1.5}, "1.2"),
        ({"multipleOf": 1e-9, "minimum": 0}, "0.5"),  # beyond what the engine counts in
        ({"multipleOf": 2**40, "type": "integer"}, str(2**40)),
        ({"multipleOf": 3, "minimum": 2**60}, str(2**60 + 2)),
        ({"multipleOf": 2, "minimum": 0.25, "type": ["integer", "string"]}, "2"),
    ],
)
def test_steps_that_the_engine_does_not_know_are_left_out(schema: dict[str, Any], admitted: str) -> None:
    lowered = lower(Subschema.root({"type": "number", **schema}))
    assert engine.completes(engine.byte_matcher(lowered.grammar), admitted.encode())
    assert is_masked(lowered) == (schema["multipleOf"] == 2)


@pytest.mark.parametrize(
    ("bounds", "state"),
    [
        ({"minimum": 0.3, "maximum": 5}, "masked"),
        ({"exclusiveMinimum": 0}, "masked"),
        ({"exclusiveMaximum": 0}, "masked"),
        ({"exclusiveMinimum": 1}, "checked"),
        ({"exclusiveMaximum": -0.5}, "checked"),
        ({"maximum": 2**53}, "masked"),
        ({"maximum": 2**53 + 3}, "checked"),
        ({"minimum": -(2**60)}, "checked"),
        ({"minimum": -(2**60), "type": "integer"}, "masked"),
        ({"exclusiveMinimum": 1, "type": "integer"}, "masked"),
    ],
)
def test_a_bound_is_checked_where_a_number_may_be_rounded_to_it(bounds: dict[str, Any], state: str) -> None:
    coverage = lower(Subschema.root({"type": "number", **bounds})).coverage
    assert {coverage[f"/{keyword}"] for keyword in bounds if keyword != "type"} == {state}


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1"), (-0.0, "0"), (1e15, "1000000000000000"), (1e22, "1e+22"), (0.1, "0.1"), (1.5e-7, "1.5e-07")],
)
def test_spelling(value: float, text: str) -> None:
    assert spell_number(value) == text
    assert json.loads(text) == value
    assert engine.completes(engine.byte_matcher(lower(Subschema.root({"const": value})).grammar), text.encode())
