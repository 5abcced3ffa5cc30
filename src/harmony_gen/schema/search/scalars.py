"""Numbers and strings to try, the shortest first, spelled as the grammar spells them."""

from __future__ import annotations

import json
import math
from collections import deque
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import chain, count, islice
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Any, TypeVar

from harmony_gen.schema.lark import spell_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harmony_gen.schema.normal.numbers import Numbers
    from harmony_gen.schema.strings.language import Language

T = TypeVar("T")

_LISTED = 40
_MULTIPLES = range(-2, 8)
_TRIED = 1_000
_PRECISE = 10**15
"""Beyond it floats are too coarse for fractions."""
_LETTERS = ascii_letters + digits + "-_. /"
_FRACTIONS = tuple(map(Decimal, ("0.5", "-0.5", "0.1", "-0.1", "0.01", "-0.01")))


def spell(value: Any) -> str:
    """A JSON value in the compact spelling of the grammar; integral numbers have no fraction."""
    plain = plain_numbers(value)
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    return text if text.isascii() or _encodes(text) else json.dumps(plain, separators=(",", ":"))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def plain_numbers(value: Any) -> Any:
    """A JSON value with integers in place of floats that are integral."""
    if isinstance(value, list):
        return [plain_numbers(item) for item in value]
    if isinstance(value, dict):
        return {name: plain_numbers(item) for name, item in value.items()}
    return _plain(value) if isinstance(value, float) else value


def _plain(value: float) -> int | float:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def number_texts(shapes: Iterable[Numbers]) -> Iterator[str]:
    """Short texts of numbers in some intervals."""
    for shape in shapes:
        yield from map(number_text(shape), numbers(shape))


def number_text(shape: Numbers) -> Callable[[float], str]:
    """How the numbers of an interval are spelled: without an exponent, but for one that is known beforehand."""
    return _digits if shape.point is None else spell_number


def _digits(value: float) -> str:
    return str(value) if isinstance(value, int) else format(Decimal(repr(value)), "f")


def numbers(shape: Numbers) -> list[int | float]:
    """Numbers in an interval: near zero, at its bounds and between them; the shortest to write first."""
    if shape.point is not None:
        return [shape.point] if holds(shape, shape.point) else []
    tried = map(_plain, chain(_near_bounds(shape), _multiples(shape) if shape.steps else ()))
    fitting = dict.fromkeys(value for value in tried if holds(shape, value))
    return sorted(fitting, key=lambda value: len(_digits(value)))


def _near_bounds(shape: Numbers) -> Iterator[int | float]:
    yield from (0, 1, -1)
    bounds = [bound for bound in (shape.low, shape.high) if bound is not None]
    for bound in bounds:
        yield from (math.floor(bound) + step for step in (0, 1, -1, 2))
    if shape.whole is not True:
        near = [bound for bound in (0, *bounds) if abs(bound) < _PRECISE]
        yield from bounds
        yield from (float(Decimal(repr(bound)) + part) for bound in near for part in _FRACTIONS)
        if len(bounds) > 1:
            middle = (Fraction(bounds[0]) + Fraction(bounds[1])) / 2
            yield from (round(float(middle), places) for places in (0, 1, 2, 3, 6, 17))


def _multiples(shape: Numbers) -> Iterator[int | float]:
    """Multiples of all steps near zero and near the bounds."""
    unit = _common_step(shape.steps)
    for base in (0, *(bound for bound in (shape.low, shape.high) if bound is not None)):
        origin = math.floor(Fraction(base) / unit)
        yield from (_value((origin + step) * unit) for step in _MULTIPLES)


def _common_step(steps: Iterable[float]) -> Fraction:
    """The least number that is a multiple of all steps."""
    exact = [Fraction(repr(step)) for step in steps]
    below = math.lcm(*(step.denominator for step in exact))
    return Fraction(math.lcm(*(int(step * below) for step in exact)), below)


def _value(exact: Fraction) -> int | float:
    return int(exact) if exact.denominator == 1 else float(exact)


def more_numbers(shape: Numbers) -> Iterator[int | float]:
    """Different numbers in an interval: those of `numbers`, then many more."""
    if shape.point is not None:
        return iter(numbers(shape))
    unit = _common_step(shape.steps)
    base = next((bound for bound in (shape.low, shape.high) if bound is not None), 0)
    origin = math.floor(Fraction(base) / unit)
    counted = (_value((origin + sign * step) * unit) for step in range(_TRIED) for sign in (1, -1))
    return distinct(value for value in chain(numbers(shape), counted, _parts(shape)) if holds(shape, value))


def _parts(shape: Numbers) -> Iterator[int | float]:
    """Numbers that cut an interval into many parts."""
    low = 0 if shape.low is None else shape.low
    high = low + 1 if shape.high is None else shape.high
    if not shape.steps and max(abs(low), abs(high)) < _PRECISE:
        yield from (_plain(round(low + (high - low) * part / _TRIED, 12)) for part in range(1, _TRIED))


def holds(shape: Numbers, value: float) -> bool:
    """Whether a number is in an interval, and a multiple as the judge reckons it."""
    return shape.holds(value) and all(_divides(step, value) for step in shape.steps)


def _divides(step: float, value: float) -> bool:
    if not isinstance(step, float):
        return not value % step
    quotient = value / step
    return math.isfinite(quotient) and quotient == int(quotient)


def strings(language: Language, partial: str) -> Iterator[str]:
    """What to put behind the beginning of a string so that the whole is in a language: a few short texts."""
    return islice(language.completions(partial), _LISTED)


def more_strings(language: Language, partial: str) -> Iterator[str]:
    """Different strings of a language that begin with a text: few characters differ from the short ones."""
    others = _varied(language, partial) if language.values is None else ()
    return (partial + rest for rest in distinct(chain(strings(language, partial), others)))


def _varied(language: Language, partial: str) -> Iterator[str]:
    """Completions that go another way somewhere than a short one does: by one character, then by two."""
    short = next(strings(language, partial), None)
    starts = [] if short is None else [short[:length] for length in range(len(short) + 1)]
    for _ in range(2):
        turned = []
        for start in (start + letter for start in starts for letter in _LETTERS):
            rest = next(strings(language, partial + start), None)
            if rest is not None:
                turned.append(start)
                yield start + rest
        starts = turned


def remembered_strings(language: Language, partial: str) -> Iterator[str]:
    """The same as `more_strings`, found once and kept."""
    known, more = _remembered(language, partial)
    for index in count():
        if index == len(known):
            text = next(more, None)
            if text is None:
                return
            known.append(text)
        yield known[index]


@lru_cache(maxsize=1024)
def _remembered(language: Language, partial: str) -> tuple[list[str], Iterator[str]]:
    return [], more_strings(language, partial)


def in_turns(sources: Iterable[Iterator[str]]) -> Iterator[str]:
    """The first of each source, then the second of each, and so on."""
    left = deque(sources)
    while left:
        source = left.popleft()
        text = next(source, None)
        if text is not None:
            yield text
            left.append(source)


def distinct(values: Iterable[T]) -> Iterator[T]:
    """Some values, each of them once."""
    seen: set[T] = set()
    for value in values:
        if value not in seen:
            seen.add(value)
            yield value
