"""Keeps a way out at hand: after every token, tokens that complete the text, valid and within the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from harmony_gen.errors import BudgetError, UnsatisfiableError
from harmony_gen.schema import engine

if TYPE_CHECKING:
    from llguidance import LLMatcher

    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.schema import Schema
    from harmony_gen.schema import finish as schema_finish
    from harmony_gen.schema.scanner import Scan

_NODES = (150, 600)
"""Search nodes for a finish: at first, and before it is said that there is none."""

_GUESS_NODES = (60,)
"""Search nodes for a finish that the user's validators accept too."""

_MOST_GUESSES = 30
"""Searches for one that may fail in an answer; validators that refuse so many are beyond guessing."""


class Finish(NamedTuple):
    """A way to end an answer.

    Attributes:
        tokens: what completes the text, without the end token.
        text: what they spell.
        full: everything accepts the completed text; False if the user's validators do not.
    """

    tokens: tuple[int, ...]
    text: bytes
    full: bool


class Position(NamedTuple):
    """A place in an answer.

    Attributes:
        text: what has been written.
        scan: the scanner's state after it.
        twin: a byte-level matcher that has read it.
        left: tokens that may follow, the end token not counted.
        closes: the last token closed a value.
    """

    text: bytes
    scan: Scan
    twin: LLMatcher
    left: int
    closes: bool


class Finisher:
    """Finds finishes for one answer."""

    def __init__(self, schema: Schema[Any], vocabulary: Vocabulary) -> None:
        self._schema = schema
        self._vocabulary = vocabulary
        self._guesses = 0  # that failed

    def first(self, budget: int) -> Finish:
        """The whole of a short answer.

        Raises:
            UnsatisfiableError: none is known.
            BudgetError: it does not fit `budget` tokens, its end token included.
        """
        schema = self._schema
        try:
            finish = self._finish(schema.witness().encode(), full=True)
        except UnsatisfiableError:
            structural = schema.structural_witness
            if structural is None:
                raise
            finish = self._finish(structural.encode(), full=False)
        if len(finish.tokens) >= budget:
            raise BudgetError(needed=len(finish.tokens) + 1, given=budget)
        return finish

    def after(self, known: Finish, token: int, data: bytes, here: Position) -> Finish | None:
        """A finish after one more token.

        Args:
            known: a finish before it.
            token: the token.
            data: what it spells.
            here: the place after it.

        Returns:
            A finish, a full one if possible; longer than what is left if no shorter one was found. None if there is
            no way to end at all.
        """
        if known.tokens[:1] == (token,):
            kept: Finish | None = Finish(known.tokens[1:], known.text[len(data) :], known.full)
        else:
            kept = self._kept(known, here)
        if self._schema.validators is None:
            return kept or self._search(self._schema.finisher, here, _NODES, full=True)
        return kept if kept is not None and kept.full else self._guess(kept, here)

    def _guess(self, kept: Finish | None, here: Position) -> Finish | None:
        """A finish that the validators accept too, if one is found soon and fits; else one that they refuse."""
        found = None
        if (here.closes or kept is None) and self._guesses < _MOST_GUESSES:
            found = self._search(self._schema.finisher, here, _GUESS_NODES, full=True)
            if found is not None and len(found.tokens) <= here.left:
                return found
            self._guesses += 1
        return kept or self._search(self._schema.structural_finisher, here, _NODES, full=False) or found

    def _kept(self, known: Finish, here: Position) -> Finish | None:
        """The old finish, if it still holds."""
        if len(known.tokens) > here.left or not engine.completes(here.twin, known.text):
            return None
        text = here.text + known.text
        if not self._schema.judge.accepts(text):
            return None
        validators = self._schema.validators
        return known._replace(full=validators is None or validators.accepts(text))

    def _search(
        self, finisher: schema_finish.Finisher, here: Position, budget: tuple[int, ...], *, full: bool
    ) -> Finish | None:
        for nodes in budget:
            text = finisher.finish(here.text, here.scan, here.twin, nodes=nodes)
            if text is not None:
                return self._finish(text, full=full)
        return None

    def _finish(self, text: bytes, *, full: bool) -> Finish:
        return Finish(tuple(self._vocabulary.encode_bytes(text)), text, full)
