"""The strings that occur in a text: what a quotation of it may be.

The engine reads them by a suffix automaton of the text, built from single characters as JSON spells them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
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
    """The strings, but for the empty one, that a text holds."""

    text: str

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
            behind = start + len(partial)
            ends = range(behind, min(len(self.text), behind + _REACH) + 1)
            found = next((self.text[behind:end] for end in ends if self.text[start:end] in language), None)
            if found is not None and found not in seen:
                seen.add(found)
                yield found
            start = self.text.find(partial, start + 1)

    def _has(self, text: str) -> bool:
        return bool(text) and text in self.text

    def _written(self, suffix: str) -> str:
        characters = json.dumps({"substring_chunks": [spell(char)[1:-1] for char in self.text]}, ensure_ascii=False)
        end = json.dumps('"' + suffix, ensure_ascii=False)
        nothing = json.dumps('""' + suffix, ensure_ascii=False)
        return f'(("\\"" %regex {characters} {end}) & ~{nothing})'


def factors(text: str) -> Language:
    """The strings that occur in a text, but for the empty one; surrogates stand in none."""
    return Factors(text) if text else Language.NONE
