"""The matcher: grammar × vocabulary × rules × budget, for one sequence.

Its invariant: after every token it knows a *finish*, tokens that complete the text so that every judge
accepts it within the budget. A token after which none is known is refused before the model sees it. So an
answer always ends, valid, within the budget, whatever the model wants.

A user's validators may admit what no search can guess. Where only they stand in the way, writing goes on in
the hope that the model knows better, and everything since the last full finish can be taken back: `stable`
says how much is final.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harmony_gen.decoding.finishing import Finish, Finisher, Position, is_spaced
from harmony_gen.errors import RuleError
from harmony_gen.schema import engine
from harmony_gen.schema.rules import SchemaParts
from harmony_gen.schema.separators import compacted, joint_behind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.schema import Schema
    from harmony_gen.schema.rules import Rejection
    from harmony_gen.schema.scanner import Closed, Scanner

_MOST_BANS = 12
"""Tokens refused at one position before the known finish decides there."""

_MOST_TRIES = 3
"""Texts of one string that the user's validators may refuse before it is begun anew; a number gets one."""

_MOST_ATTEMPTS = 64
"""Refusals by validators, and retreats, since the last full finish before that is taken."""


class _State(NamedTuple):
    """What is known after a token.

    Attributes:
        length: bytes of the text, in compact spelling.
        scan: the scanner's state.
        finish: a way to end from here.
        sampled: the model chose the token, among others.
    """

    length: int
    scan: Scanner
    finish: Finish
    sampled: bool


class Matcher:
    """Decides which tokens may come next. One for each sequence; not thread-safe.

    Attributes:
        tokens: the tokens of the answer so far.
        finished: the answer has ended.
        closed_by: what took the choice from the model at some token: "budget", "rules", or None.
        rejections: what rules refused, in order.
    """

    def __init__(self, schema: Schema[Any], vocabulary: Vocabulary, budget: int) -> None:
        """Starts an answer.

        Args:
            schema: what a right answer is.
            vocabulary: the model's.
            budget: the most tokens the answer may take, its end token included.

        Raises:
            UnsatisfiableError: no valid answer is known.
            BudgetError: the shortest one that is known takes more tokens.
        """
        self.tokens: list[int] = []
        self.finished = False
        self.closed_by: str | None = None
        self.rejections: list[Rejection] = []
        self._schema = schema
        self._vocabulary = vocabulary
        self._budget = budget
        self._finisher = Finisher(schema, vocabulary)
        self._rules = [rule for rule in schema.rules if not (self._finisher.exact and isinstance(rule, SchemaParts))]
        first = self._finisher.first(budget)
        self._states = [_State(0, schema.scan, first, sampled=False)]
        self._safe = 0 if first.full else None  # the last position whose finish is full
        self._is_spaced = is_spaced(schema, vocabulary)
        self._grammar = schema.grammar_of(spaced=self._is_spaced)
        self._matcher = vocabulary.matcher(self._grammar)
        self._twin = engine.byte_matcher(schema.grammar)  # reads the same text, compact, byte by byte
        self._engine_failed = False
        self._text = bytearray()  # compact
        self._banned: defaultdict[int, set[int]] = defaultdict(set)  # by position
        self._following = False  # the finish decides, until a value closes
        self._attempts = 0
        self._tries: list[Rejection] = []  # by validators, of the value that is being written

    @property
    def text(self) -> bytes:
        """The text so far; may end inside a character."""
        if not self._is_spaced:
            return bytes(self._text)
        return self._vocabulary.bytes_of(self.tokens[:-1] if self.finished else self.tokens)

    @property
    def stable(self) -> int:
        """How many of the tokens will not be taken back."""
        return len(self.tokens) if self.finished else self._safe or 0

    def forced(self) -> list[int]:
        """The tokens that must come next; [] where there is a choice."""
        end = self._vocabulary.ends[0]
        if self._following or self._failed():
            finish = self._states[-1].finish
            return (list(finish.tokens[:1]) or [end]) if finish.full else []
        forced = [end] if self._matcher.is_stopped() else self._vocabulary.forced(self._matcher)
        return [] if forced and forced[0] in self._refused else forced

    @property
    def _refused(self) -> set[int]:
        """The tokens that have been refused at this position."""
        return self._banned.get(len(self.tokens), set())

    def allowed(self) -> NDArray[np.int64]:
        """The ids of the tokens that may come next, (n,) ascending, read-only; none where all have been refused."""
        banned = self._refused
        finish = self._states[-1].finish
        if len(banned) < _MOST_BANS and (finish.full or not self._tried_enough()):
            allowed = self._vocabulary.allowed(self._matcher)  # (n,)
            if banned:
                allowed = allowed[~np.isin(allowed, list(banned))]
            if len(allowed) and not self._failed():
                return allowed
        if self._failed():  # `retreat` leads to a full finish
            return np.array([], dtype=np.int64)
        last_resort = self.ending[0]
        return np.array([] if last_resort in banned else [last_resort], dtype=np.int64)

    @property
    def ending(self) -> tuple[int, ...]:
        """Tokens that would end the answer from here, its end token included."""
        return (*self._states[-1].finish.tokens, self._vocabulary.ends[0])

    def _tried_enough(self) -> bool:
        return len(self._tries) >= (1 if self._states[-1].scan.in_number else _MOST_TRIES)

    def open_text(self) -> bytes:
        """What has been written of the string or number that is open; of texts that are not JSON, all."""
        if not self._schema.is_json:
            return self.text
        return self._states[-1].scan.tail.removeprefix(b'"')

    def possible(self, tokens: Sequence[int]) -> list[int]:
        """The first of some tokens that the grammar allows to follow one another here."""
        if self._following or self._failed():
            return []
        return list(tokens[: self._matcher.validate_tokens(list(tokens))])

    def repeatable(self) -> set[int]:
        """Ids written before inside free strings, where the next token is written inside one; else none."""
        if not self._states[-1].scan.in_string_value:
            return set()
        scans = [state.scan for state in self._states]
        return {
            token
            for token, before, after in zip(self.tokens, scans, scans[1:], strict=False)
            if before.in_string_value and after.in_string_value
        }

    def accept(self, token: int, *, sampled: bool = False) -> bool:
        """Commits a token, or refuses it here and leaves everything as it was.

        Args:
            token: one of `forced` or `allowed`.
            sampled: the model chose it, among others.
        """
        if token in self._vocabulary.ends:
            return self._accept_end(token)
        before = self._states[-1]
        spelled = data = self._vocabulary.bytes_of([token])
        if self._is_spaced:
            data = compacted(spelled, joint_behind(b"", before.scan.tail))
        scan, closed = before.scan.feed(data)
        self._text += data
        rejection = None if self._following else self._rejection(before.scan, scan, closed)
        if rejection is not None or not self._advance(token, data):
            self._refuse(token, rejection)
            return False
        here = self._position(before.scan, scan, spelled, closes=bool(closed))
        finish = self._finisher.after(before.finish, token, data, here)
        if finish is None or not finish.fits(here.left):
            self._matcher.rollback(1)
            self._twin.rollback(len(data))
            self.closed_by = "budget" if finish else self.closed_by
            self._refuse(token, None)
            return False
        self._commit(token, _State(len(self._text), scan, finish, sampled), closed)
        return True

    def _position(self, before: Scanner, scan: Scanner, spelled: bytes, *, closes: bool) -> Position:
        """The place after one more token, that has been read."""
        joint = joint_behind(spelled, scan.tail) if self._is_spaced else None
        grows = scan.frames is before.frames and bool(before.tail) and scan.in_string_value
        return Position(self._text, scan, self._twin, self._budget - len(self.tokens) - 2, closes, grows, joint)

    def retreat(self) -> None:
        """Takes tokens back after everything that may come next has been refused.

        Goes back to where the value that validators refuse was begun, and refuses its first token; or, after
        too many attempts, to the last position with a full finish, which then decides until a value closes.

        Raises:
            RuleError: there is no such position.
        """
        position = self._choice_at(self._suspect())
        self._tries = []
        self._attempts += 1
        if position is not None and self._attempts < _MOST_ATTEMPTS and not self._failed():
            token = self.tokens[position]
            self._cut(position)
            self._refuse(token, None)
            return
        if self._safe is None:
            attempts = tuple((item.pointer, item.text, item.reason) for item in self.rejections)
            last = f" The last: {attempts[-1][0] or 'the answer'} {attempts[-1][2]}." if attempts else ""
            raise RuleError(
                f"The validators refused all {len(attempts)} answers that were tried.{last} "
                "Giving `examples` of valid values in the schema lets an answer always be found.",
                attempts=attempts,
            )
        self._cut(self._safe)
        self._following = True
        self.closed_by = "rules"

    def _suspect(self) -> int:
        """Byte offset of the value to begin anew: the one refused, or the last one inside it; behind its quote."""
        if not self._tries:
            return len(self._text)
        scan = self._states[-1].scan
        start = self._tries[-1].start
        if scan.tail:
            start = max(start, scan.position - len(scan.tail))
        elif scan.frames and scan.frames[-1].members:
            start = max(start, scan.frames[-1].members[-1][0])
        return start + self._text[start : start + 1].startswith(b'"')

    def _choice_at(self, start: int) -> int | None:
        """The first choice that wrote a byte from `start` on, or the last one, that can be taken back."""
        choices = [i for i in range(self.stable, len(self.tokens)) if self._states[i + 1].sampled]
        return next((i for i in choices if self._states[i + 1].length > start), choices[-1] if choices else None)

    def _cut(self, position: int) -> None:
        """Takes all tokens from a position on back."""
        state = self._states[position]
        self._matcher.rollback(len(self.tokens) - position)
        self._twin.rollback(len(self._text) - state.length)
        del self.tokens[position:], self._states[position + 1 :], self._text[state.length :]
        for later in [i for i in self._banned if i > position]:
            del self._banned[later]

    def _advance(self, token: int, data: bytes) -> bool:
        """Moves the engine on, or gives up with it."""
        if self._engine_failed:
            return True
        if self._matcher.consume_token(token) and self._twin.consume_tokens(list(data)):
            return True
        return not self._failed()

    def _failed(self) -> bool:
        """Whether the engine has run out of fuel; then known finishes decide from here to the end."""
        if not self._engine_failed and (self._matcher.is_error() or self._twin.is_error()):
            self._vocabulary.forget(self._grammar)
            engine.forget_byte_matchers()
            self._engine_failed = True
            self.closed_by = "rules"
        return self._engine_failed

    def _commit(self, token: int, state: _State, closed: Sequence[Closed]) -> None:
        self.tokens.append(token)
        self._states.append(state)
        if closed:
            self._following = False
            self._tries = []
        if state.finish.full:
            self._safe = len(self.tokens)
            self._attempts = 0

    def _accept_end(self, token: int) -> bool:
        """Ends the answer, or refuses to; raises ValidationError where that was promised to be possible."""
        before = self._states[-1].scan
        scan, closed = before.end()
        rejection = self._rejection(before, scan, closed)
        if rejection is None and self._schema.accepts(self.text):
            self.tokens.append(token)
            self.finished = True
            return True
        finish = self._states[-1].finish
        if rejection is None and finish.full and not finish.text:
            self._schema.validate(self.text.decode())
        self._refuse(token, rejection)
        return False

    def _rejection(self, before: Scanner, scan: Scanner, closed: Sequence[Closed]) -> Rejection | None:
        """What the rules say; inside a string, a number or a name nothing has changed for them."""
        if not closed and scan.frames is before.frames:
            return None
        text = bytes(self._text)
        found = (rule.rejects(text, scan, closed) for rule in self._rules)
        return next((rejection for rejection in found if rejection is not None), None)

    def _refuse(self, token: int, rejection: Rejection | None) -> None:
        """Leaves everything as it was before a token, but for the knowledge that it is refused here."""
        del self._text[self._states[-1].length :]
        self._banned[len(self.tokens)].add(token)
        if rejection is not None:
            self._attempts += 1
            self.rejections.append(rejection)
            self._tries.append(rejection)
