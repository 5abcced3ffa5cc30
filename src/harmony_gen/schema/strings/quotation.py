"""Texts that stand in a source, character by character as a document spells them: a part of plain trees.

What may follow the beginning of one is known by the places of the source behind which it stands: the states of a suffix
automaton, found as they are needed (Anselm Blumer and others, "The smallest automaton recognizing the subwords of a
text", 1985).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from harmony_gen.schema.strings.hashing import Hashed, hashed

if TYPE_CHECKING:
    from collections.abc import Iterable


class Source:
    """A text that is quoted, in the spelling of a document.

    Attributes:
        spellings: of its characters, one by one.
    """

    def __init__(self, spellings: Iterable[str]) -> None:
        self.spellings = tuple(spellings)
        self._text = "".join(self.spellings)
        found: defaultdict[int, list[int]] = defaultdict(list)
        bounds = [0]
        for spelling in self.spellings:
            found[ord(spelling[0])].append(bounds[-1] + 1)
            bounds.append(bounds[-1] + len(spelling))
        self._first = {code: frozenset(places) for code, places in found.items()}
        self._bounds = frozenset(bounds)

    def after(self, places: frozenset[int] | None, code: int) -> frozenset[int]:
        """The places behind a character that stands at some places; None stands for all where one may begin."""
        if places is None:
            return self._first.get(code, frozenset())
        char = chr(code)
        return frozenset(place + 1 for place in places if self._text[place : place + 1] == char)

    def following(self, places: frozenset[int] | None) -> frozenset[int]:
        """The characters that stand at some places."""
        if places is None:
            return frozenset(self._first)
        return frozenset(map(ord, (self._text[place] for place in places if place < len(self._text))))

    def may_end(self, places: frozenset[int] | None) -> bool:
        """Whether a character of the source, in its spelling, ends at any of some places."""
        return places is None or not self._bounds.isdisjoint(places)


@hashed
class Quotation(Hashed):
    """What is left of a text of the source, or of the empty text, behind the beginning of it.

    Attributes:
        source: two are the same only if they are one object.
        places: where the beginning ends; None if it is empty.
    """

    source: Source
    places: frozenset[int] | None = None

    @property
    def is_nullable(self) -> bool:
        """Whether nothing need follow."""
        return self.source.may_end(self.places)

    def behind(self, code: int) -> Quotation | None:
        """What is left behind one more character; None if none stands in the source."""
        places = self.source.after(self.places, code)
        return Quotation(self.source, places) if places else None
