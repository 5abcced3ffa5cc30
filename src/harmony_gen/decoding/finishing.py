"""Keeps a way out at hand: after every token, tokens that complete the text, valid and within the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from harmony_gen.errors import BudgetError, UnsatisfiableError
from harmony_gen.schema import engine

if TYPE_CHECKING:
    from llguidance import LLMatcher

    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.schema import Schema
    from harmony_gen.schema.scanner import Scan

_NODES = (150, 600)
"""Search nodes for a finish: at first, and before it is said that there is none."""


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
    """

    text: bytes
    scan: Scan
    twin: LLMatcher
    left: int


class Finisher:
    """Finds finishes for the answers to one schema."""

    def __init__(self, schema: Schema[Any], vocabulary: Vocabulary) -> None:
        self._schema = schema
        self._vocabulary = vocabulary

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
        if kept is not None and kept.full:
            return kept
        found = self._search(here, full=True) if kept is None or not here.scan.tail else None
        if found is not None and len(found.tokens) <= here.left:
            return found
        if kept is None and self._schema.validators is not None:
            kept = self._search(here, full=False)
        return kept or found

    def _kept(self, known: Finish, here: Position) -> Finish | None:
        """The old finish, if it still holds."""
        if len(known.tokens) > here.left or not engine.completes(here.twin, known.text):
            return None
        text = here.text + known.text
        if not self._schema.judge.accepts(text):
            return None
        validators = self._schema.validators
        return known._replace(full=validators is None or validators.accepts(text))

    def _search(self, here: Position, *, full: bool) -> Finish | None:
        finisher = self._schema.finisher if full else self._schema.structural_finisher
        for nodes in _NODES:
            text = finisher.finish(here.text, here.scan, here.twin, nodes=nodes)
            if text is not None:
                return self._finish(text, full=full)
        return None

    def _finish(self, text: bytes, *, full: bool) -> Finish:
        return Finish(tuple(self._vocabulary.encode_bytes(text)), text, full)
