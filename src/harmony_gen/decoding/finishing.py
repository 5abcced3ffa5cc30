"""Keeps a way out at hand: after every token, tokens that complete the text, valid and within the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from harmony_gen.errors import BudgetError, UnsatisfiableError
from harmony_gen.schema import engine
from harmony_gen.schema.rules import Readable, UniqueKeys, first_rejection
from harmony_gen.schema.separators import Joint

if TYPE_CHECKING:
    from llguidance import LLMatcher

    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.schema import Schema
    from harmony_gen.schema.scanner import Scanner
    from harmony_gen.schema.search import Finisher as Search

_NODES = (150, 600)
"""Search nodes for a finish: at first, and before it is said that there is none."""

_GUESS_NODES = (60,)
"""Search nodes for a finish that the user's validators accept too."""

_MOST_GUESSES = 30
"""Searches for one that may fail in an answer; validators that refuse so many are beyond guessing."""

_SYNTAX = (Readable(), UniqueKeys())
"""What an answer in JSON must be, and no grammar says."""

_SHALLOW = 30
"""Open containers that no judge finds too many."""


class Finish:
    """A way to end an answer.

    Attributes:
        text: what completes it, in compact spelling.
        full: everything accepts the completed text; False if the user's validators do not.
    """

    __slots__ = ("_joint", "_tokens", "_vocabulary", "full", "text")

    def __init__(
        self,
        vocabulary: Vocabulary,
        text: bytes,
        *,
        full: bool,
        joint: Joint | None,
        tokens: tuple[int, ...] | None = None,
    ) -> None:
        self.text = text
        self.full = full
        self._vocabulary = vocabulary
        self._joint = joint  # where it follows, if it is to be spaced
        self._tokens = tokens  # spelled when they are asked for: most finishes are never written

    @property
    def tokens(self) -> tuple[int, ...]:
        """Tokens that spell the text, without the end token."""
        if self._tokens is None:
            spelled = self.text if self._joint is None else self._joint.spaced(self.text)
            self._tokens = tuple(self._vocabulary.encode_bytes(spelled))
        return self._tokens

    def fits(self, left: int) -> bool:
        """Whether it takes no more tokens than are left. None of them is empty, so bytes are an upper bound."""
        spaces = 0 if self._joint is None else 1 + self.text.count(b",") + self.text.count(b":")
        return len(self.text) + spaces <= left or len(self.tokens) <= left

    def behind(self, token: int, data: bytes, joint: Joint | None) -> Finish:
        """What is left of it behind a token, which spells the data it begins with."""
        tokens = self._tokens[1:] if self._tokens and self._tokens[0] == token else None
        return Finish(self._vocabulary, self.text[len(data) :], full=self.full, joint=joint, tokens=tokens)

    def judged(self, joint: Joint | None, *, full: bool) -> Finish:
        """The same text at another place, after everything has been asked again."""
        if full == self.full and joint == self._joint:
            return self
        tokens = self._tokens if joint == self._joint else None
        return Finish(self._vocabulary, self.text, full=full, joint=joint, tokens=tokens)


def is_spaced(schema: Schema[Any], vocabulary: Vocabulary) -> bool:
    """Whether answers have spaces behind commas and colons."""
    return vocabulary.spaced and schema.is_json


def shortest(schema: Schema[Any], vocabulary: Vocabulary) -> Finish:
    """The whole of a short answer.

    Raises:
        UnsatisfiableError: none is known.
    """
    joint = Joint() if is_spaced(schema, vocabulary) else None
    try:
        return Finish(vocabulary, schema.witness().encode(), full=True, joint=joint)
    except UnsatisfiableError:
        structural = schema.structural_witness
        if structural is None:
            raise
        return Finish(vocabulary, structural.encode(), full=False, joint=joint)


class Position(NamedTuple):
    """A place in an answer.

    Attributes:
        written: the text so far.
        scan: the scanner's state after it.
        twin: a byte-level matcher that has read it.
        left: tokens that may follow, the end token not counted.
        closes: the last token closed a value.
        grows: the last token did nothing but make a string longer that is a value.
        joint: how a spaced text goes on here; None if it is compact.
    """

    written: bytearray
    scan: Scanner
    twin: LLMatcher
    left: int
    closes: bool
    grows: bool
    joint: Joint | None

    @property
    def text(self) -> bytes:
        """What has been written."""
        return bytes(self.written)


class Finisher:
    """Finds finishes for one answer.

    Attributes:
        exact: the grammar admits valid texts only, but for the validators of the user.
    """

    def __init__(self, schema: Schema[Any], vocabulary: Vocabulary) -> None:
        self._schema = schema
        self._vocabulary = vocabulary
        self.exact = "checked" not in schema.coverage.values()
        self._guesses = 0  # that failed

    def first(self, budget: int) -> Finish:
        """The whole of a short answer.

        Raises:
            UnsatisfiableError: none is known.
            BudgetError: it does not fit `budget` tokens, its end token included.
        """
        finish = shortest(self._schema, self._vocabulary)
        if len(finish.tokens) >= budget:
            raise BudgetError(needed=len(finish.tokens) + 1, given=budget)
        return finish

    def after(self, known: Finish, token: int, data: bytes, here: Position) -> Finish | None:
        """A finish after one more token.

        Args:
            known: a finish before it.
            token: the token.
            data: what it spells, in compact spelling.
            here: the place after it.

        Returns:
            A finish, a full one if possible; longer than what is left if no shorter one was found. None if there is
            no way to end at all.
        """
        kept = self._kept(known, token, data, here)
        if self._schema.validators is None:
            return kept or self._search(self._schema.finisher, here, _NODES, full=True)
        return kept if kept is not None and kept.full else self._guess(kept, here)

    def _guess(self, kept: Finish | None, here: Position) -> Finish | None:
        """A finish that the validators accept too, if one is found soon and fits; else one that they refuse."""
        found = None
        if (here.closes or kept is None) and self._guesses < _MOST_GUESSES:
            found = self._search(self._schema.finisher, here, _GUESS_NODES, full=True)
            if found is not None and found.fits(here.left):
                return found
            self._guesses += 1
        return kept or self._search(self._schema.structural_finisher, here, _NODES, full=False) or found

    def _kept(self, known: Finish, token: int, data: bytes, here: Position) -> Finish | None:
        """The old finish, or what the token has left of it, if it still holds."""
        if known.text.startswith(data):  # so it leads to the same text as before
            rest = known.behind(token, data, here.joint)
            if rest.fits(here.left):
                return rest
        if not known.fits(here.left) or not engine.completes(here.twin, known.text):
            return None
        unseen = here.grows and self.exact  # what a string holds is up to the grammar alone
        if not unseen and not self._is_valid(known.text, here):
            return None
        validators = self._schema.validators
        return known.judged(here.joint, full=validators is None or validators.accepts(here.text + known.text))

    def _is_valid(self, rest: bytes, here: Position) -> bool:
        """Whether a text that the grammar admits is valid with what completed it before.

        Where the grammar admits valid texts only, the judge need not be asked at each token: that would take most of
        the time. It is asked about each new finish, and at the end.
        """
        text = here.text + rest
        if not self.exact or len(here.scan.frames) > _SHALLOW:
            return (self._schema.quick_judge or self._schema.judge).accepts(text)
        return not self._schema.is_json or first_rejection(_SYNTAX, text, here.scan, rest) is None

    def _search(self, finisher: Search, here: Position, budget: tuple[int, ...], *, full: bool) -> Finish | None:
        for nodes in budget:
            text = finisher.finish(here.text, here.scan, here.twin, nodes=nodes)
            if text is not None:
                return Finish(self._vocabulary, text, full=full, joint=here.joint)
        return None
