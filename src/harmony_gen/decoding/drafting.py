"""Drafts: what probably comes next, looked up in the text that the answer is about.

Extraction copies its source, so the rest of a string often stands there behind what has been written of it (Apoorv
Saxena, "Prompt lookup decoding", 2023). A draft is run together with the token before it and is kept as far as the
model, asked at each place, chooses the same: so a draft changes how many forward passes an answer takes, and nothing
else, at any temperature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony_gen.decoding.loop import TokenMatcher
    from harmony_gen.decoding.vocabulary import Vocabulary

_LONGEST_CLUE = 32
_SHORTEST_CLUE = 2
_BYTES_A_TOKEN = 12
_MOST_TOKENS = 16
_FIRST = 4
_MOST_IDLE = 32


class NoDrafts:
    """Proposes nothing."""

    def after(self, _: TokenMatcher) -> list[int]:
        """See `Drafter`."""
        return []

    def chosen(self, token: int) -> None:
        """See `Drafter`."""


class Drafter:
    """Proposes tokens for one answer. It proposes more after success and less, at last nothing, after failure.

    Attributes:
        drafted: tokens proposed.
        accepted: of these, how many were chosen.
    """

    def __init__(self, vocabulary: Vocabulary, prompt: Sequence[int]) -> None:
        """Reads the prompt, as the model sees it."""
        self.drafted = 0
        self.accepted = 0
        self._vocabulary = vocabulary
        self._text = vocabulary.bytes_of(prompt)
        self._size = _FIRST
        self._idle = 0  # places to pass by before the next draft
        self._waits = 0  # and how many it will be after another failure
        self._open: list[int] = []  # what is left of the last draft

    def after(self, matcher: TokenMatcher) -> list[int]:
        """Tokens that may follow; [] where nothing is known of them."""
        self._settle()
        if self._idle:
            self._idle -= 1
            return []
        tokens = self._lookup(matcher.open_text())
        draft = matcher.possible(tokens[: self._size]) if tokens else []
        self.drafted += len(draft)
        self._open = list(draft)
        return draft

    def chosen(self, token: int) -> None:
        """Takes note of a token that has been written."""
        if self._open and self._open[0] == token:
            self.accepted += 1
            del self._open[0]
            if not self._open:
                self._size = min(2 * self._size, _MOST_TOKENS)
                self._waits = 0
        elif self._open:
            self._settle()

    def _settle(self) -> None:
        """Draws conclusions from a draft of which not all was right."""
        if self._open:
            self._size = max(1, self._size - len(self._open))
            self._waits = min(2 * self._waits + 1, _MOST_IDLE) if self._size == 1 else 0
            self._idle = self._waits
            self._open = []

    def _lookup(self, clue: bytes) -> list[int]:
        """Tokens of what stands behind the longest end of a text that the prompt holds."""
        clue = clue[-_LONGEST_CLUE:]
        if len(clue) < _SHORTEST_CLUE:
            return []
        for start in range(len(clue) - _SHORTEST_CLUE + 1):
            place = self._text.rfind(clue[start:])
            if place >= 0:
                behind = place + len(clue) - start
                data = self._text[behind : behind + self._size * _BYTES_A_TOKEN].split(b"\n")[0]
                return self._vocabulary.encode_bytes(_whole(data))[: self._size]
        return []


def _whole(data: bytes) -> bytes:
    """Bytes without what is broken of a character at their end."""
    return data.decode(errors="ignore").encode()
