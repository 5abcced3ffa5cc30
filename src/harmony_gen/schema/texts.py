"""Short JSON texts for the alternatives of a schema: candidates for whoever can check them."""

from __future__ import annotations

import math
from string import ascii_lowercase, digits
from typing import TYPE_CHECKING, Any, TypeGuard

from harmony_gen.schema.formats import FORMATS
from harmony_gen.schema.outline import ANYTHING, Alternative, Alternatives, Outline, spell
from harmony_gen.schema.pattern import Automaton, automaton, complete

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DEPTH = 25
_LISTED = 40
_LONGEST_ARRAY = 1_000
_VARIANTS = 3
_HUGE = 1e300
_LETTERS = ascii_lowercase + digits


class Texts:
    """Short texts for the alternatives of an outline, remembered by nesting depth.

    Attributes:
        exemplary: where the author of the schema gives examples, the first of them is the text.
    """

    def __init__(self, outline: Outline, *, exemplary: bool = False) -> None:
        self.outline = outline
        self.exemplary = exemplary
        self._shortest: dict[tuple[Alternative, int], str | None] = {}
        self._any: dict[Alternatives, str | None] = {}

    def short(self, alternatives: Alternatives) -> str | None:
        """A short text of one of the alternatives, nested as little as can be, or None if none is found."""
        if alternatives not in self._any:
            self._any[alternatives] = None  # what a cycle sees
            found = (self._short(alternatives, depth) for depth in range(_DEPTH))
            self._any[alternatives] = next((text for text in found if text is not None), None)
        return self._any[alternatives]

    def _short(self, alternatives: Alternatives, depth: int) -> str | None:
        found = (self._shortest_of(alternative, depth) for alternative in alternatives)
        return min((text for text in found if text is not None), key=len, default=None)

    def _shortest_of(self, alternative: Alternative, depth: int) -> str | None:
        key = (alternative, depth)
        if key not in self._shortest:
            self._shortest[key] = None
            self._shortest[key] = min(self.values(alternative, depth), key=len, default=None)
        return self._shortest[key]

    def candidates(self, alternative: Alternative) -> Iterator[str]:
        """Texts of an alternative to try, nested as little as can be; then the author's examples."""
        for depth in range(_DEPTH):
            found = list(self.values(alternative, depth))
            if found:
                yield from found
                break
        yield from map(spell, alternative.hints)

    def values(self, alternative: Alternative, depth: int) -> Iterator[str]:
        """Short texts of an alternative whose containers are nested no deeper than `depth`."""
        if self.exemplary and alternative.hints:
            yield spell(alternative.hints[0])
            return
        if alternative.values is not None:
            yield from sorted(map(spell, alternative.values), key=len)[:_LISTED]
            return
        for name in alternative.types:
            match name:
                case "null":
                    yield "null"
                case "boolean":
                    yield from ("true", "false")
                case "integer" | "number":
                    yield from map(spell, numbers(alternative, whole=name == "integer"))
                case "string":
                    yield from map(spell, strings(alternative, ""))
                case "array":
                    yield from self._array(alternative, depth)
                case _:
                    yield from self._object(alternative, depth)

    def _array(self, alternative: Alternative, depth: int) -> Iterator[str]:
        count = least_items(alternative)
        if count == 0 or (depth > 0 and count <= _LONGEST_ARRAY):
            items = self.items(alternative, range(count), (), depth - 1)
            if items is not None:
                yield f"[{','.join(items)}]"

    def _object(self, alternative: Alternative, depth: int) -> Iterator[str]:
        if depth > 0 or not self.missing(alternative, ()):
            members = self.members(alternative, (), depth - 1)
            if members is not None:
                yield f"{{{','.join(members)}}}"

    def items(
        self, alternative: Alternative, indices: range, taken: Iterable[str], depth: int = _DEPTH
    ) -> list[str] | None:
        """Texts of array items, unlike those `taken` if they must be; None if one of them has no text."""
        unique = True in alternative.all("uniqueItems")
        contains = "contains" if alternative.all("contains") else ""
        texts: list[str] = []
        used = set(taken)
        for index in indices:
            options = self.outline.child(alternative, index)
            if contains and not used:
                options = self.outline.with_keyword(options, alternative, contains) or options
            text = self._fresh(options, used, depth) if unique else self._within(options, depth)
            if text is None:
                return None
            texts.append(text)
            used.add(text)
        return texts

    def _fresh(self, options: Alternatives, used: set[str], depth: int) -> str | None:
        """A short text that is not in use yet."""
        known = (text for option in options for text in self.values(option, depth) if text not in used)
        text = min(known, key=len, default=None)
        if text is not None:
            return text
        numbered = (str(number) for number in range(len(used) + 1))
        return next(text for text in numbered if text not in used)

    def _within(self, options: Alternatives, depth: int) -> str | None:
        return self.short(options) if depth >= _DEPTH else self._short(options, depth)

    def members(self, alternative: Alternative, seen: tuple[str, ...], depth: int = _DEPTH) -> list[str] | None:
        """Texts `"name":value` of the members an object still needs; None if one of them has no text."""
        members = []
        for name in self.missing(alternative, seen):
            text = self._within(self.outline.child(alternative, name), depth)
            if text is None:
                return None
            members.append(f"{spell(name)}:{text}")
        return members

    def missing(self, alternative: Alternative, seen: tuple[str, ...]) -> list[str]:
        """Names of the members an object still needs, with fillers up to `minProperties`, in order."""
        names = alternative.required_after(seen)
        lack = alternative.at_least("minProperties") - len(seen) - len(names)
        if lack <= 0:
            return names
        present = {*seen, *names}
        left = (name for name in alternative.optional_after(seen) if name not in present)
        texts = {name: self.short(self.outline.child(alternative, name)) for name in left}
        lengths = {name: len(name) + len(text) for name, text in texts.items() if text is not None}
        fillers = sorted(lengths, key=lengths.__getitem__)[:lack]
        present.update(fillers)
        for name in self.free_names(alternative, ""):
            if len(fillers) == lack:
                break
            if name not in present:
                present.add(name)
                fillers.append(name)
        chosen = names + fillers
        order = [name for name in alternative.properties if name in chosen]
        return order + [name for name in chosen if name not in order]

    def free_names(self, alternative: Alternative, partial: str) -> Iterator[str]:
        """Names outside `properties` that begin with a text, by patternProperties and propertyNames."""
        wanted = [part.child(schema) for part in alternative.parts for schema in _listed(part, "propertyNames")]
        names = self.outline.alternatives(wanted)
        patterns = [pattern for table in alternative.all("patternProperties") for pattern in table]
        open_ended = bool(self.outline.child(alternative, "\0"))
        for pattern in patterns:
            for start in (partial, *(partial + letter for letter in _LETTERS)):
                yield from (start + rest for rest in _completions([automaton(pattern)], start))
        for option in names:
            if option.values is not None:
                yield from (name for name in option.values if str(name).startswith(partial))
            elif wanted:
                yield from (partial + rest for rest in strings(option, partial))
        if open_ended and not wanted:
            yield from [partial] if partial else []
            yield from (f"{partial}{letter}" for letter in ascii_lowercase)
            yield from (f"{partial}a{number}" for number in range(100))


def _listed(part: Any, keyword: str) -> list[Any]:
    return [part.keywords[keyword]] if keyword in part.keywords else []


def least_items(alternative: Alternative) -> int:
    """Items an array needs at least."""
    count = alternative.at_least("minItems")
    if alternative.all("contains"):
        wanted = alternative.all("minContains")
        count = max(count, max(map(int, wanted)) if wanted else 1)
    return count


def strings(alternative: Alternative, partial: str) -> Iterator[str]:
    """Texts to put behind the beginning of a string so that the whole suits an alternative."""
    if alternative is ANYTHING:
        yield ""
        return
    least = alternative.at_least("minLength")
    machines = [automaton(pattern) for pattern in alternative.all("pattern")]
    machines += [automaton(FORMATS[name], whole=True) for name in alternative.all("format") if name in FORMATS]
    if machines:
        yield from _completions(machines, partial, least, alternative.at_most("maxLength"))
    else:
        yield "a" * (least - len(partial))


def _completions(
    machines: list[Automaton | None], partial: str, at_least: int = 0, at_most: int | None = None
) -> Iterator[str]:
    known = [machine for machine in machines if machine is not None]
    found = (
        complete(known, partial, at_least=at_least, at_most=at_most, variant=variant) for variant in range(_VARIANTS)
    )
    yield from dict.fromkeys(text for text in found if text is not None)


def numbers(alternative: Alternative, *, whole: bool) -> list[int | float]:
    """Numbers of an alternative: near zero, at its bounds and between them; the shortest to write first."""
    bounds = [bound for keyword in _BOUNDS for bound in alternative.all(keyword) if _is_number(bound)]
    bounds = [bound for bound in bounds if abs(bound) < _HUGE]
    tried: list[int | float] = [0, 1, -1]
    for bound in bounds:
        tried += [math.floor(bound) + step for step in (-1, 0, 1, 2)]
        if not whole:
            tried += [bound, bound + 0.1, bound - 0.1, bound + 0.01, bound - 0.01]
    if len(bounds) > 1 and not whole:
        tried.append((min(bounds) + max(bounds)) / 2)
    for divisor in alternative.all("multipleOf"):
        tried += [divisor, -divisor]
        tried += [_plain(divisor * (bound // divisor + step)) for bound in bounds for step in (-1, 0, 1, 2)]
    fitting = {value: None for value in map(_plain, tried) if _fits(alternative, value, whole=whole)}
    return sorted(fitting, key=lambda value: len(spell(value)))


_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def _fits(alternative: Alternative, value: float, *, whole: bool) -> bool:
    """Whether a number keeps within the bounds and is a multiple where it must be one."""
    if whole and not isinstance(value, int):
        return False
    return all(
        _above(part.keywords, value, 1, "minimum", "exclusiveMinimum")
        and _above(part.keywords, value, -1, "maximum", "exclusiveMaximum")
        and _divides(part.keywords.get("multipleOf"), value)
        for part in alternative.parts
    )


def _above(keywords: dict[str, Any], value: float, sign: int, inclusive: str, exclusive: str) -> bool:
    """Whether a value keeps to a bound; `sign` is -1 for an upper one. Draft 4 has `exclusive: true`."""
    bound, limit = keywords.get(inclusive), keywords.get(exclusive)
    if limit is True:
        bound, limit = None, bound
    above = bound is None or sign * (value - bound) >= 0
    return above and (not _is_number(limit) or sign * (value - limit) > 0)


def _divides(divisor: float | None, value: float) -> bool:
    return divisor is None or value / divisor == value // divisor


def _plain(value: float) -> int | float:
    """An integer where the value is one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
