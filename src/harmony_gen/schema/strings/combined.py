"""Sets of strings made of others: complements, intersections and unions, in as few parts as may be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from harmony_gen.schema.strings import terminals
from harmony_gen.schema.strings.expression import (
    ANYTHING,
    Node,
    Width,
    alternation,
    both,
    common_width,
    merged_widths,
    negation,
)
from harmony_gen.schema.strings.factors import Factors
from harmony_gen.schema.strings.language import Language, _Lengths, _Pattern, _Values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_FEW = 1_000


@dataclass(frozen=True, slots=True)
class _Complement(Language):
    """All strings but those of a pattern, or but certain ones."""

    body: Language

    @property
    def weight(self) -> int:
        return self.body.weight

    @property
    def exact(self) -> bool:
        return self.body.exact

    @property
    def tree(self) -> Node:
        few = self.body.values is None or len(self.body.values) <= _FEW
        return negation(self.body.tree) if few and self.exact and not isinstance(self.body, Factors) else ANYTHING

    def __invert__(self) -> Language:
        return self.body

    def _has(self, text: str) -> bool:
        return not self.body._has(text)

    def _written(self, suffix: str) -> str:
        return terminals.all_but(self.body.terminal(suffix), suffix) if self.exact else Language.ALL.terminal(suffix)


@dataclass(frozen=True, slots=True)
class _Combined(Language):
    """What several languages make together."""

    parts: tuple[Language, ...]

    @property
    def weight(self) -> int:
        return sum(part.weight for part in self.parts)

    @property
    def exact(self) -> bool:
        return all(part.exact for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Intersection(_Combined):
    """The strings that are in every part."""

    @property
    def exact(self) -> bool:
        return all(part.exact for part in self.parts) and not _is_costly(self)

    @property
    def tree(self) -> Node:
        return both(part.tree for part in self.parts)

    def __invert__(self) -> Language:
        return union(~part for part in self.parts)

    def completions(self, partial: str) -> Iterator[str]:
        factors = next((part for part in self.parts if isinstance(part, Factors)), None)
        yield from Language.completions(self, partial) if factors is None else factors.suitable(partial, self)

    def _has(self, text: str) -> bool:
        return all(part._has(text) for part in self.parts)

    def _written(self, suffix: str) -> str:
        parts = [part for part in self.parts if not (isinstance(part, _Lengths) and _is_costly(self))]
        words = [part.terminal(suffix) for part in parts if not isinstance(part, _Complement)]
        unwanted = [part.body for part in self.parts if isinstance(part, _Complement) and part.exact]
        words = words or [Language.ALL.terminal(suffix)]
        words += [f"~{language.terminal(suffix)}" for language in unwanted]
        return f"({' & '.join(words)})" if len(words) > 1 else words[0]


@dataclass(frozen=True, slots=True)
class _Union(_Combined):
    """The strings that are in some part."""

    @property
    def tree(self) -> Node:
        return alternation(part.tree for part in self.parts)

    def __invert__(self) -> Language:
        return intersection(~part for part in self.parts)

    def _has(self, text: str) -> bool:
        return any(part._has(text) for part in self.parts)

    def _written(self, suffix: str) -> str:
        return f"({' | '.join(part.terminal(suffix) for part in self.parts)})"


@lru_cache(maxsize=8192)
def _is_costly(language: _Intersection) -> bool:
    bounds = [max(part.limits[0], part.limits[1] or 0) for part in language.parts if isinstance(part, _Lengths)]
    trees = [part.tree for part in language.parts if isinstance(part, _Pattern)]
    return bool(bounds) and terminals.are_costly(trees, max(bounds))


def complement(body: Language) -> Language:
    """All strings but those of a language."""
    return _Complement(body)


def intersection(parts: Iterable[Language]) -> Language:
    """What is in every part: certain strings if one part has only such, otherwise as few parts as may be."""
    lists, bounds, others, excluded = list[_Values](), list[Language](), dict[Language, None](), frozenset[str]()
    for part in _flat(parts, _Intersection):
        match part:
            case _Values():
                lists.append(part)
            case _Lengths():
                bounds.append(part)
            case _Complement(_Values() as body):
                excluded |= body.values
            case _:
                others[part] = None
    if lists:
        tests = (*lists[1:], *bounds, *others)
        return Language.of(value for value in lists[0].values - excluded if all(test._has(value) for test in tests))
    least, most = common_width(part.limits for part in (*bounds, *others))
    if (most is not None and least > most) or _are_opposed(others):
        return Language.NONE
    lengths = Language.lengths(*common_width(part.limits for part in bounds))
    if lengths is not Language.ALL and (least, most) != common_width(part.limits for part in others):
        others[lengths] = None
    excluded = frozenset(value for value in excluded if all(part._has(value) for part in others if part.exact))
    if excluded:
        others[~_Values(excluded)] = None
    if len(others) > 1:
        return _Intersection(tuple(others))
    return next(iter(others), Language.ALL)


def _flat(parts: Iterable[Language], kind: type[_Intersection | _Union]) -> Iterator[Language]:
    """The parts, and those of a part that is itself of the kind."""
    for part in parts:
        if isinstance(part, kind):
            yield from part.parts
        else:
            yield part


def _are_opposed(parts: Collection[Language]) -> bool:
    """Whether a part and its complement are among the parts."""
    return any(part.body in parts for part in parts if isinstance(part, _Complement))


def union(parts: Iterable[Language]) -> Language:
    """What is in some part, in as few parts as may be."""
    known, spans, others, excluded = frozenset[str](), list[Width](), dict[Language, None](), None
    for part in _flat(parts, _Union):
        match part:
            case _Values():
                known |= part.values
            case _Lengths():
                spans.append(part.limits)
            case _Complement(_Values() as body):
                excluded = body.values if excluded is None else excluded & body.values
            case _:
                others[part] = None
    rest = [*(Language.lengths(*span) for span in merged_widths(spans)), *others]
    if Language.ALL in rest or _are_opposed(others):
        return Language.ALL
    if excluded is not None:
        return ~Language.of(value for value in excluded - known if not any(part._has(value) for part in rest))
    alone = Language.of(value for value in known if not any(part._has(value) for part in rest))
    kept = rest if alone is Language.NONE else [alone, *rest]
    return _Union(tuple(kept)) if len(kept) > 1 else next(iter(kept), Language.NONE)
