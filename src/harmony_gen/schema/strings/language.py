"""Sets of strings: what `pattern`, `minLength`, `enum` and property names admit, closed under `&`, `|` and `~`.

A language knows which strings are in it, and writes itself as a terminal of the engine's grammars. Where the
terminal admits more than the language holds, `exact` is false. Surrogates are in no language.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from harmony_gen.schema.strings import terminals
from harmony_gen.schema.strings.conditions import without_conditions
from harmony_gen.schema.strings.derivatives import Reader, shortest
from harmony_gen.schema.strings.ecma import parse, to_python
from harmony_gen.schema.strings.expression import (
    ANYTHING,
    MOST_TIMES,
    Node,
    Width,
    few_texts,
    one_of_texts,
    repeat,
    width,
)
from harmony_gen.schema.strings.terminals import CHARACTER, STRING, spell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["CHARACTER", "STRING", "Language", "spell"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_VARIANTS = 3
_LONGEST_MATCH = 100_000
"""The engine takes seconds to write longer texts that it has no choice in; they are not in a terminal."""


class Language(ABC):
    """A set of strings. Immutable; equal languages that are written in different ways differ."""

    __slots__ = ()
    ALL: ClassVar[Language]
    NONE: ClassVar[Language]

    @staticmethod
    def of(values: Iterable[str]) -> Language:
        """The language of certain strings."""
        kept = frozenset(value for value in values if _is_text(value))
        return _Values(kept) if kept else Language.NONE

    @staticmethod
    def pattern(ecma: str) -> Language:
        """The strings in which a regular expression of ECMA 262 finds something.

        Raises:
            ValueError: the expression cannot be read.
        """
        return _of_pattern(ecma, whole=False)

    @staticmethod
    def whole(ecma: str) -> Language:
        """The strings that a regular expression of ECMA 262 matches from end to end.

        Raises:
            ValueError: the expression cannot be read.
        """
        return _of_pattern(ecma, whole=True)

    @staticmethod
    def lengths(least: int = 0, most: int | None = None) -> Language:
        """The strings of `least` to `most` code points; None is no limit."""
        if most is not None and most < max(least, 0):
            return Language.NONE
        return Language.ALL if least <= 0 and most is None else _Lengths((max(least, 0), most))

    @property
    def values(self) -> frozenset[str] | None:
        """The strings, if they are known one by one."""
        return None

    @property
    def exact(self) -> bool:
        """Whether the terminal admits the strings of the language and no others."""
        return True

    @property
    def weight(self) -> int:
        """Of how many languages it is made."""
        return 1

    @property
    @abstractmethod
    def tree(self) -> Node:
        """A plain regular expression that matches every string of the language."""

    @property
    def limits(self) -> Width:
        """The fewest and the most characters a string may have, as far as is known; None is no limit."""
        return _limits(self)

    def __contains__(self, text: str) -> bool:
        return _is_text(text) and self._has(text)

    def __and__(self, other: Language) -> Language:
        if self is other or other is Language.ALL:
            return self
        return other if self is Language.ALL else combined.intersection((self, other))

    def __or__(self, other: Language) -> Language:
        if self is other or other is Language.NONE:
            return self
        return other if self is Language.NONE else combined.union((self, other))

    def __invert__(self) -> Language:
        return combined.complement(self)

    def is_empty(self) -> bool:
        """Whether no string is in the language, as far as a proof takes little time; otherwise false."""
        return terminals.is_empty(self.terminal())

    def terminal(self, suffix: str = "") -> str:
        """A terminal of the JSON texts of the strings, each in its one spelling, with a text behind them."""
        return _terminal(self, suffix)

    def completions(self, partial: str) -> Iterator[str]:
        """A few short texts that make a string of the language when they follow the beginning of one."""
        rest = _reader(self).after(partial)
        seen = set()
        for variant in range(_VARIANTS):
            text = shortest(rest, variant)
            if text is None:  # none in time: the others would take as long
                return
            if text not in seen and partial + text in self:
                yield text
            seen.add(text)

    @abstractmethod
    def _has(self, text: str) -> bool:
        """Whether a string without surrogates is in the language."""

    def _written(self, suffix: str) -> str:
        return terminals.terminal_of_tree(self.tree, suffix)


@dataclass(frozen=True, slots=True)
class _Values(Language):
    """Certain strings."""

    values: frozenset[str] = field()

    @property
    def tree(self) -> Node:
        return one_of_texts(sorted(self.values))

    def __invert__(self) -> Language:
        return combined.complement(self) if self.values else Language.ALL

    def completions(self, partial: str) -> Iterator[str]:
        found = (value[len(partial) :] for value in self.values if value.startswith(partial))
        yield from sorted(found, key=lambda text: (len(text), text))

    def is_empty(self) -> bool:
        return not self.values

    def _has(self, text: str) -> bool:
        return text in self.values

    def _written(self, suffix: str) -> str:
        return terminals.terminal_of_values(self.values, suffix)


@dataclass(frozen=True, slots=True)
class _Lengths(Language):
    """The strings of some lengths."""

    limits: Width = field()

    @property
    def exact(self) -> bool:
        return max(self.limits[0], self.limits[1] or 0) <= MOST_TIMES

    @property
    def tree(self) -> Node:
        least, most = self.limits
        return repeat(ANYTHING.body, min(least, MOST_TIMES), None if most is None or most > MOST_TIMES else most)

    def __invert__(self) -> Language:
        least, most = self.limits
        return Language.lengths(0, least - 1) | (Language.NONE if most is None else Language.lengths(most + 1))

    def _has(self, text: str) -> bool:
        least, most = self.limits
        return least <= len(text) and (most is None or len(text) <= most)

    def completions(self, partial: str) -> Iterator[str]:
        missing = "a" * min(self.limits[0] - len(partial), _LONGEST_MATCH)
        yield from [missing] if partial + missing in self else []


@dataclass(frozen=True, slots=True)
class _Pattern(Language):
    """The strings that a regular expression admits; `tree` is how the terminal has it."""

    ecma: str
    is_whole: bool
    tree: Node = field(compare=False, repr=False)
    exact: bool = field(compare=False)

    def _has(self, text: str) -> bool:
        return _matcher(self.ecma, whole=self.is_whole)(text) is not None


Language.ALL = _Lengths((0, None))
Language.NONE = _Values(frozenset())


@lru_cache(maxsize=8192)
def _of_pattern(ecma: str, *, whole: bool) -> Language:
    tree, exact = without_conditions(parse(ecma), whole=whole)
    if tree == ANYTHING and exact:
        return Language.ALL
    limits = width(tree)
    if limits[0] > _LONGEST_MATCH:
        tree, exact = ANYTHING, False
    pattern = _Pattern(ecma, whole, tree, exact)
    texts = None if limits[1] is None else few_texts(tree)
    return pattern if texts is None else Language.of(text for text in texts if exact or text in pattern)


@lru_cache(maxsize=8192)
def _matcher(ecma: str, *, whole: bool) -> Callable[[str], re.Match[str] | None]:
    compiled = re.compile(to_python(ecma))
    return compiled.fullmatch if whole else compiled.search


@lru_cache(maxsize=8192)
def _terminal(language: Language, suffix: str) -> str:
    return language._written(suffix)


@lru_cache(maxsize=8192)
def _limits(language: Language) -> Width:
    return width(language.tree)


@lru_cache(maxsize=1024)
def _reader(language: Language) -> Reader:
    return Reader(language.tree)


def _is_text(text: str) -> bool:
    return text.isascii() or _SURROGATE.search(text) is None


from harmony_gen.schema.strings import combined  # noqa: E402 - combined languages are made of these
