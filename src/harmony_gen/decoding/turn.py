"""The parts of an assistant's turn: thoughts, headers, the answer, and what ends it.

A turn is a tree of *parts*. `Text` is free text with a limit and a mark that ends it, as thoughts are; `Body` is an
answer under a schema; `Branches` are headers, token by token, of which each leads to another part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harmony_gen.decoding.finishing import shortest

if TYPE_CHECKING:
    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.schema import Schema

CHARACTER = 4
"""Bytes, and so tokens, that a character may take."""


@dataclass(frozen=True, eq=False)
class Body:
    """An answer.

    Attributes:
        schema: what is right.
        close: the tokens that end it and the turn; () if any end token does.
        tool: the name of the tool it calls; None if it is the answer itself.
    """

    schema: Schema[Any]
    close: tuple[int, ...]
    tool: str | None = None


@dataclass(frozen=True, eq=False)
class Text:
    """Free text, in which no control token is.

    Attributes:
        kind: what it is, as "reasoning".
        limit: the most tokens it takes before it is ended.
        close: the tokens behind it. The first, a control token, ends it, unless a mark does.
        then: what follows.
        mark: characters that end it and count as its end; "" if a control token does.
    """

    kind: str
    limit: int
    close: tuple[int, ...]
    then: Part
    mark: str = ""


@dataclass(frozen=True, eq=False)
class Branches:
    """Headers, each with what follows it. None begins another; one may be empty, if a body follows it."""

    headers: tuple[tuple[tuple[int, ...], Part], ...]


Part = Body | Text | Branches


class Needs:
    """How many tokens the parts of a turn take at least."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._known: dict[Part, int] = {}

    def of(self, part: Part) -> int:
        """The fewest tokens of a part and all that follows it, its end included."""
        if part not in self._known:
            self._known[part] = self._of(part)
        return self._known[part]

    def _of(self, part: Part) -> int:
        if isinstance(part, Body):
            return len(shortest(part.schema, self._vocabulary).tokens) + max(1, len(part.close))
        if isinstance(part, Text):
            mark = len(self._vocabulary.encode_bytes(part.mark.encode()))
            return CHARACTER + mark + len(part.close) + self.of(part.then)
        return min(len(header) + self.of(then) for header, then in part.headers)

    def comfort(self, part: Part, most: int) -> int:
        """The tokens with which every way to go on with a part stays open that is open with `most`."""
        if isinstance(part, Text):
            own = self.of(part) - self.of(part.then)
            return own + self.comfort(part.then, most - own)
        if isinstance(part, Branches):
            needs = [len(header) + self.comfort(then, most - len(header)) for header, then in part.headers]
            return max((need for need in needs if need <= most), default=self.of(part))
        return self.of(part)
