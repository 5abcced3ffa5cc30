"""Words that nobody has seen before: names are copied from a text, not remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.draw import Pool

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw

_ONSETS = "b br c ch cl cr d dr f fl g gl gr h j k kl kr l m n p pl pr qu r s sh sk sl st t th tr v w y z".split()
_NUCLEI = (*"aeiou", "ai", "ea", "ou", "ia", "ee", "au", "ei")
_CODAS = ("n", "r", "l", "s", "x", "m", "nd", "rt", "st", "ck", "ng", "th", "lm", "sk")
_OPEN = Pool(onset + nucleus for onset in _ONSETS for nucleus in _NUCLEI[:8])
_CLOSED = Pool(onset + nucleus + coda for onset in _ONSETS for nucleus in _NUCLEI for coda in _CODAS)


def pseudo_word(draw: Draw, longest: int = 3) -> str:
    """A lower-case word that sounds like one and is none.

    Args:
        draw: chance.
        longest: most syllables; the fewest are one less.
    """
    count = draw.between(longest - 1, longest)
    return "".join(draw.of(_OPEN) for _ in range(count - 1)) + draw.of(_CLOSED if draw.chance(0.7) else _OPEN)
