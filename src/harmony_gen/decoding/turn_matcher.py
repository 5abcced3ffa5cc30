"""Walks through a turn: which token may come next, be it of thoughts, a header, the answer or what ends it.

Where there is a choice the model makes it, among what leaves room for a valid end: so a reasoning model thinks as it
likes, within its limit, and answers in the schema nevertheless.
"""

from __future__ import annotations

import json
from codecs import getincrementaldecoder
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harmony_gen.decoding.matcher import Matcher
from harmony_gen.decoding.turn import CHARACTER, Body, Branches, Needs, Part, Text
from harmony_gen.errors import BudgetError
from harmony_gen.schema import engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.schema.rules import Rejection

_CONTINUES = frozenset(range(0x80, 0xC0))
"""Bytes of a character other than its first."""


class _Stage(Protocol):
    """A part that is being written."""

    def forced(self) -> list[int]:
        """The tokens that must come next; [] where there is a choice."""
        ...

    def allowed(self) -> NDArray[np.int64]:
        """The ids of the tokens that may come next, (n,) ascending."""
        ...

    def accept(self, token: int, *, sampled: bool) -> bool:
        """Takes one of them, or refuses it."""
        ...


class TurnMatcher:
    """Decides which tokens of a turn may come next, as `Matcher` does for an answer alone. Not thread-safe.

    Attributes:
        finished: the turn has ended.
        texts: what has been written in free texts, by their kind.
        body: the answer that is being written, or None before its header.
    """

    def __init__(self, turn: Part, vocabulary: Vocabulary, budget: int) -> None:
        """Starts a turn.

        Args:
            turn: its first part.
            vocabulary: the model's.
            budget: the most tokens it may take, its end token included.

        Raises:
            UnsatisfiableError: no valid answer is known.
            BudgetError: the shortest turn that is known takes more tokens.
        """
        self.finished = False
        self.texts: dict[str, bytes] = {}
        self.body: Body | None = None
        self._vocabulary = vocabulary
        self._budget = budget
        self._needs = Needs(vocabulary)
        if self._needs.of(turn) > budget:
            raise BudgetError(needed=self._needs.of(turn), given=budget)
        self._before: list[int] = []  # the tokens before the answer
        self._matcher: Matcher | None = None  # of the answer
        self._behind: list[int] = []  # the tokens behind it
        self._due: list[int] = []  # tokens that must come next
        self._then: Part | None = turn  # what is entered when they are written
        self._stage: _Stage | None = None
        self._go_on()

    @property
    def tokens(self) -> list[int]:
        """The tokens of the turn so far."""
        return [*self._before, *self._answer(), *self._behind]

    def _answer(self) -> list[int]:
        """The tokens of the answer, without its end."""
        if self._matcher is None:
            return []
        return self._matcher.tokens[:-1] if self._matcher.finished else self._matcher.tokens

    def settled(self, kind: str) -> str | None:
        """The free text of a kind, if any is, but for what is broken of a character or may become its mark."""
        if kind not in self.texts:
            return None
        text = self.texts[kind]
        mark = self._stage.mark if isinstance(self._stage, _Words) else b""
        lengths = (size for size in range(len(mark) - 1, 0, -1) if text.endswith(mark[:size]))
        return text[: len(text) - next(lengths, 0)].decode(errors="ignore")

    @property
    def answer(self) -> range:
        """The places of the tokens of the answer."""
        return range(len(self._before), len(self._before) + len(self._answer()))

    @property
    def stable(self) -> int:
        """How many of the tokens will not be taken back."""
        if self._matcher is None:
            return len(self._before)
        return len(self._before) + min(self._matcher.stable, len(self._answer())) + len(self._behind)

    @property
    def text(self) -> bytes:
        """The text of the answer so far; may end inside a character."""
        return b"" if self._matcher is None else self._matcher.text

    @property
    def ending(self) -> tuple[int, ...]:
        """Tokens that would end the turn from here, within its answer; () outside of it."""
        if self._matcher is None or self.body is None:
            return ()
        tokens = self._matcher.ending
        return (*tokens[:-1], *self.body.close) if self.body.close else tokens

    @property
    def closed_by(self) -> str | None:
        """See `Matcher`."""
        return None if self._matcher is None else self._matcher.closed_by

    @property
    def rejections(self) -> list[Rejection]:
        """See `Matcher`."""
        return [] if self._matcher is None else self._matcher.rejections

    def forced(self) -> list[int]:
        """See `Matcher`."""
        return list(self._due) if self._due or self._stage is None else self._stage.forced()

    def allowed(self) -> NDArray[np.int64]:
        """See `Matcher`."""
        return np.array([], dtype=np.int64) if self._stage is None else self._stage.allowed()

    def open_text(self) -> bytes:
        """See `Matcher`."""
        return b"" if self._matcher is None else self._matcher.open_text()

    def possible(self, tokens: Sequence[int]) -> list[int]:
        """See `Matcher`."""
        return [] if self._matcher is None or self._due else self._matcher.possible(tokens)

    def repeatable(self) -> set[int]:
        """See `Matcher`."""
        if isinstance(self._stage, _Words):
            return set(self._stage.tokens)
        return set() if self._matcher is None else self._matcher.repeatable()

    def retreat(self) -> None:
        """See `Matcher`."""
        assert self._matcher is not None  # noqa: S101 - only there everything can have been refused
        self._matcher.retreat()

    def accept(self, token: int, *, sampled: bool = False) -> bool:
        """See `Matcher`."""
        if self._due:
            self._write(self._due.pop(0))
            self._go_on()
            return True
        assert self._stage is not None  # noqa: S101 - it is only absent while tokens are due
        return self._stage.accept(token, sampled=sampled)

    def _write(self, token: int) -> None:
        (self._before if self._matcher is None else self._behind).append(token)

    def _go_on(self, due: Sequence[int] = (), then: Part | None = None) -> None:
        """Enters what follows, or ends the turn, once no token is due any more."""
        if due or then is not None:
            self._due, self._then, self._stage = list(due), then, None
        if self._due:
            return
        part, self._then = self._then, None
        if part is None:
            self.finished = True
        elif isinstance(part, Body):
            self._stage = _Answer(self, part).entered()
        elif isinstance(part, Text):
            left = self._left
            limit = min(part.limit, left - self._needs.comfort(part, left))
            self.texts[part.kind] = b""
            self._stage = _Words(self, part, max(0, limit))
        else:
            self._stage = _Headers(self, part)

    @property
    def _left(self) -> int:
        """How many more tokens the turn may take."""
        return self._budget - len(self.tokens)


class _Answer:
    """A body that is being written."""

    def __init__(self, turn: TurnMatcher, body: Body) -> None:
        self.matcher = Matcher(body.schema, turn._vocabulary, turn._left - max(0, len(body.close) - 1))
        self._turn = turn
        self._body = body
        self._ends = turn._vocabulary.ends

    def entered(self) -> _Answer:
        """From here on what is written is the answer."""
        self._turn.body, self._turn._matcher = self._body, self.matcher
        return self

    def forced(self) -> list[int]:
        """See `_Stage`."""
        forced = self.matcher.forced()
        return [*self._body.close[:1]] if self._body.close and forced[:1] == [self._ends[0]] else forced

    def allowed(self) -> NDArray[np.int64]:
        """See `_Stage`."""
        ids = self.matcher.allowed()
        return _ending(ids, self._ends, self._body.close[0]) if self._body.close else ids

    def accept(self, token: int, *, sampled: bool) -> bool:
        """See `_Stage`."""
        first, *others = self._body.close or (token,)
        is_end = token in self._ends or (bool(self._body.close) and token == first and self._must_end())
        if not is_end:
            return self.matcher.accept(token, sampled=sampled)
        if not self.matcher.accept(self._ends[0]):
            return False
        self._turn._write(first)
        self._turn._go_on(others)
        return True

    def _must_end(self) -> bool:
        return self.matcher.forced()[:1] == [self._ends[0]]


class _Words:
    """A free text that is being written."""

    def __init__(self, turn: TurnMatcher, text: Text, limit: int) -> None:
        self.tokens: list[int] = []
        self.mark = text.mark.encode()
        self._turn = turn
        self._text = text
        self._limit = limit
        self._vocabulary = turn._vocabulary
        self._matcher = self._vocabulary.matcher(_grammar(text.mark))

    def forced(self) -> list[int]:
        """See `_Stage`."""
        if len(self.tokens) < self._limit or not _is_whole(self._vocabulary.bytes_of(self.tokens[-CHARACTER:])):
            return []
        return self._vocabulary.encode_bytes(self.mark) or [self._text.close[0]]

    def allowed(self) -> NDArray[np.int64]:
        """See `_Stage`."""
        ids = self._vocabulary.allowed(self._matcher)
        if len(self.tokens) >= self._limit:  # inside a character
            behind = [token for token in ids.tolist() if _CONTINUES.issuperset(self._vocabulary.bytes_of([token]))]
            return np.array(behind, dtype=np.int64) if behind else ids
        if self.mark:
            return ids
        return _ending(ids, self._vocabulary.ends, self._text.close[0])

    def accept(self, token: int, *, sampled: bool) -> bool:  # noqa: ARG002 - nothing is taken back here
        """See `_Stage`."""
        turn, text = self._turn, self._text
        turn._write(token)
        if not self.mark and token == text.close[0]:
            turn._go_on(text.close[1:], text.then)
            return True
        self._matcher.consume_token(token)
        self.tokens.append(token)
        turn.texts[text.kind] += self._vocabulary.bytes_of([token])
        if self.mark and turn.texts[text.kind].endswith(self.mark):
            turn.texts[text.kind] = turn.texts[text.kind].removesuffix(self.mark)
            turn._go_on(text.close, text.then)
        return True


class _Headers:
    """Headers of which one is being written."""

    def __init__(self, turn: TurnMatcher, branches: Branches) -> None:
        self._turn = turn
        self._depth = 0
        left = turn._left
        fitting = [(header, then) for header, then in branches.headers if len(header) + turn._needs.of(then) <= left]
        self._open = [(header, then) for header, then in fitting if header]
        bodies = (then for header, then in fitting if not header and isinstance(then, Body))
        self._bare = next((_Answer(turn, body) for body in bodies), None)  # the answer that may begin at once

    def forced(self) -> list[int]:
        """See `_Stage`."""
        if self._bare is not None:
            return [] if self._open else self._bare.forced()
        ways = {header[self._depth] for header, _ in self._open}
        return list(ways) if len(ways) == 1 else []

    def allowed(self) -> NDArray[np.int64]:
        """See `_Stage`."""
        ids = np.unique(np.array([header[self._depth] for header, _ in self._open], dtype=np.int64))
        return ids if self._bare is None else np.union1d(ids, self._bare.allowed())

    def accept(self, token: int, *, sampled: bool) -> bool:
        """See `_Stage`."""
        going = [(header, then) for header, then in self._open if header[self._depth] == token]
        if not going:
            return self._begin(token, sampled=sampled)
        self._turn._write(token)
        self._open, self._bare = going, None
        self._depth += 1
        header, then = going[0]
        if len(header) == self._depth:
            self._turn._go_on((), then)
        return True

    def _begin(self, token: int, *, sampled: bool) -> bool:
        """The answer begins at once, without a header."""
        assert self._bare is not None  # noqa: S101 - no header begins with the token
        self._turn._stage = self._bare.entered()
        if self._bare.accept(token, sampled=sampled):
            return True
        self._turn._stage, self._turn.body, self._turn._matcher = self, None, None
        return False


@lru_cache(maxsize=16)
def _grammar(mark: str) -> str:
    """Any text; or any that ends where a mark does, and nowhere before."""
    if not mark:
        return engine.grammar_of_regex("(?s:.*)")
    return engine.grammar_of_lark(f"start: text\ntext[suffix={json.dumps(mark)}]: /(?s:.*)/")


def _ending(ids: NDArray[np.int64], ends: Sequence[int], close: int) -> NDArray[np.int64]:
    """Tokens that may come next, ascending, another one in place of those that end an answer."""
    found = np.searchsorted(ids, ends)
    places = [place for place, end in zip(found, ends, strict=True) if place < len(ids) and ids[place] == end]
    if not places:
        return ids
    others = np.delete(ids, places)
    return np.insert(others, np.searchsorted(others, close), close)


def _is_whole(data: bytes) -> bool:
    """Whether bytes, which may begin inside a character, do not end inside one."""
    decoder = getincrementaldecoder("utf-8")("ignore")
    decoder.decode(data)
    return not decoder.getstate()[0]
