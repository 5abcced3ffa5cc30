"""The strings that occur in a text: what a quotation of it may be.

The engine reads them by a suffix automaton of the text, built from single characters as JSON spells them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from harmony_gen.schema.strings.expression import ANYTHING, Node
from harmony_gen.schema.strings.language import Language, spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.strings.expression import Width

_OCCURRENCES = 50
_REACH = 200
"""Characters by which a quotation is made longer until it suits."""


@dataclass(frozen=True, slots=True)
class Factors(Language):
    """The strings, but for the empty one, that a text holds.

    Attributes:
        text: the text.
        whole_words: whether they begin and end where a word, a number, a mark or a sign does, and with no white space.
    """

    text: str
    whole_words: bool = False

    @property
    def tree(self) -> Node:
        """As far as a tree can say it: any string."""
        return ANYTHING

    @property
    def limits(self) -> Width:
        """From one character to all of them."""
        return 1, len(self.text)

    def is_empty(self) -> bool:
        """Whether the text is empty."""
        return not self.text

    def completions(self, partial: str) -> Iterator[str]:
        """See `Language.completions`."""
        yield from self.suitable(partial, self)

    def suitable(self, partial: str, language: Language) -> Iterator[str]:
        """A few short texts that make a string of the text, and of another language, of the beginning of one."""
        seen: set[str] = set()
        start = self.text.find(partial)
        for _ in range(_OCCURRENCES):
            if start < 0:
                return
            if self.whole_words and start not in _edges(self.text):
                start = self.text.find(partial, start + 1)
                continue
            behind = start + len(partial)
            ends = range(behind, min(len(self.text), behind + _REACH) + 1)
            found = next((self.text[behind:end] for end in ends if self.text[start:end] in language), None)
            if found is not None and found not in seen:
                seen.add(found)
                yield found
            start = self.text.find(partial, start + 1)

    def _has(self, text: str) -> bool:
        if not text or text not in self.text:
            return False
        return not self.whole_words or (text == text.strip() and self._stands_alone(text))

    def _stands_alone(self, text: str) -> bool:
        """Whether a string stands somewhere between two edges of words."""
        edges = _edges(self.text)
        start = self.text.find(text)
        while start >= 0 and not {start, start + len(text)} <= edges:
            start = self.text.find(text, start + 1)
        return start >= 0

    def _written(self, suffix: str) -> str:
        pieces = _PIECE.findall(self.text) if self.whole_words else self.text
        chunks = json.dumps({"substring_chunks": [_spelled(piece) for piece in pieces]}, ensure_ascii=False)
        end = json.dumps('"' + suffix, ensure_ascii=False)
        nothing = json.dumps('""' + suffix, ensure_ascii=False)
        blank = _spaced(self.text, suffix) if self.whole_words else ""
        return f'(("\\"" %regex {chunks} {end}) & ~{nothing}{blank})'


_PIECE = re.compile(r"\d+|[^\W\d_\u2e80-\uffff]+|[\s\S]")
"""What quotations of whole words are made of: numbers, words of letters, any other sign; Chinese ones stand alone."""


@lru_cache(maxsize=8)
def _edges(text: str) -> frozenset[int]:
    """Where pieces begin or end."""
    return frozenset((0, *(match.end() for match in _PIECE.finditer(text))))


def _spelled(text: str) -> str:
    return spell(text)[1:-1]


def _spaced(text: str, suffix: str) -> str:
    """Takes from a terminal what begins or ends with white space of the text."""
    spaces = sorted({sign for sign in text if sign.isspace()})
    if not spaces:
        return ""
    space = "|".join(re.escape(_spelled(sign)).replace("/", "\\/") for sign in spaces)
    ending = re.escape(suffix).replace("/", "\\/")
    signs = r"([^\\]|\\(?s:.))*"  # whole ones: the second half of an escaped backslash begins no escape
    return f' & ~/"({space})(?s:.)*/ & ~/"{signs}({space})"{ending}/'


def factors(text: str, *, whole: bool = False) -> Language:
    """The strings that occur in a text, but for the empty one; surrogates stand in none.

    Args:
        text: the text.
        whole: only those that begin and end where a word, a number, a mark or a sign does, and with no white space.
    """
    return Factors(text, whole) if text.strip() or (text and not whole) else Language.NONE
