"""Where chance comes from: one source of random choices for a task, and the moods that steer them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from finetune.embedded.splits import is_held_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

_Item = TypeVar("_Item")


class Pool:
    """Words of one kind, parted into those training may use and those it may not."""

    def __init__(self, words: Iterable[str]) -> None:
        every = tuple(dict.fromkeys(words))
        self.train = tuple(word for word in every if not is_held_word(word))
        self.held = tuple(word for word in every if is_held_word(word))


class Draw:
    """Random choices for one task.

    Attributes:
        split: one of SPLITS.
        language: "en" or "zh".
        prose: whether values are written into sentences and not behind labels.
        figures: whether numbers are written in figures only.
        spoken: whether the text is speech written down.
        today: the day around which the dates of the record lie, as an ordinal; 0 before the first of them.
        currency: the currency of the record, once a sum of money has been drawn.
        layouts: how many layouts of a kind it may use; 0: all.
    """

    def __init__(self, random: Random, split: str = "train", language: str = "en", layouts: int = 0) -> None:
        self.split = split
        self.layouts = layouts
        self.language = language
        self.prose = False
        self.figures = False
        self.spoken = False
        self.today = 0
        self.currency = ""
        self._random = random.random
        self._held = split == "words"

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._random() < probability

    def below(self, end: int) -> int:
        """A whole number from 0 up to but not including `end`."""
        return int(self._random() * end)

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def real(self, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        return low + self._random() * (high - low)

    def pick(self, options: Sequence[_Item]) -> _Item:
        """One of some options, each as likely as the other."""
        return options[int(self._random() * len(options))]

    def sample(self, options: Sequence[_Item], count: int) -> list[_Item]:
        """Some different options in random order; all of them where there are not enough."""
        rest = list(options)
        size = min(count, len(rest))
        for index in range(size):
            other = index + int(self._random() * (len(rest) - index))
            rest[index], rest[other] = rest[other], rest[index]
        return rest[:size]

    def shuffled(self, options: Sequence[_Item]) -> list[_Item]:
        """All options in random order."""
        return self.sample(options, len(options))

    def of(self, pool: Pool) -> str:
        """A word from a pool: one that training knows, or, in the split "words", one that it does not."""
        held = self._held and pool.held
        return self.pick(pool.held if held else pool.train)

    def digits(self, count: int) -> str:
        """A string of digits that does not begin with 0."""
        return str(self.between(10 ** (count - 1), 10**count - 1))
