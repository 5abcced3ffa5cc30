"""What a model thinks of an answer that has been written: of other values in place of one, and of none at all.

It is asked when somebody wants to know, in forward passes of its own; so it is not influenced by how the answer was
written, with drafts or without.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from harmony_gen.decoding.finishing import is_spaced
from harmony_gen.decoding.prefixes import common_prefix
from harmony_gen.decoding.sampling import Choice, judged, measured
from harmony_gen.errors import ModelError
from harmony_gen.result import Alternative
from harmony_gen.schema.few import spellings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from llguidance import LLMatcher

    from harmony_gen.decoding.kv_cache import ModelRunner
    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.schema import Schema
    from harmony_gen.schema.scanner import Scalar, Span

_NULL = b"null"

_BEHIND = 16
"""Bytes behind a value that its last token may write, too."""


class Alternatives:
    """What other values an answer could have, found out for each place when somebody asks."""

    def __init__(
        self,
        find: Callable[[str, float, float], tuple[Alternative, ...]] | None = None,
        known: Mapping[str, tuple[Alternative, ...]] | None = None,
    ) -> None:
        self._find = find
        self._known = dict(known or {})

    def __call__(self, pointer: str, probability: float, mass: float) -> tuple[Alternative, ...]:
        """See `Written.alternatives`."""
        if pointer not in self._known:
            if self._find is None:
                raise ModelError(
                    "The model of this result is in another process: ask for alternatives where it was generated."
                )
            self._known[pointer] = self._find(pointer, probability, mass)
        return self._known[pointer]

    def __reduce__(self) -> tuple[type[Alternatives], tuple[None, dict[str, tuple[Alternative, ...]]]]:
        return Alternatives, (None, self._known)


def own_tokens(ends: Sequence[int], span: Span) -> slice:
    """The tokens that wrote a byte of a span.

    Args:
        ends: how many bytes had been written after each token.
        span: half-open range of bytes.
    """
    return slice(bisect_right(ends, span[0]), bisect_left(ends, span[1]) + 1)


@dataclass(frozen=True)
class Written:
    """An answer that has been written, and whom to ask about it.

    Attributes:
        runner: makes what runs the model.
        vocabulary: the model's.
        schema: what the answer was written under.
        before: the tokens before the answer, those of the prompt among them.
        tokens: those of the answer, without its end.
        text: the answer.
    """

    runner: Callable[[], ModelRunner]
    vocabulary: Vocabulary
    schema: Schema[Any]
    before: tuple[int, ...]
    tokens: tuple[int, ...]
    text: bytes

    @cached_property
    def _ends(self) -> list[int]:
        """How many bytes had been written after each token."""
        return list(accumulate(len(self.vocabulary.bytes_of([token])) for token in self.tokens))

    def _grammar(self, schema: Schema[Any]) -> str:
        return schema.grammar_of(spaced=is_spaced(schema, self.vocabulary))

    def _after(self, count: int, schema: Schema[Any]) -> LLMatcher:
        """The grammar of a schema after the first tokens."""
        matcher = self.vocabulary.matcher(self._grammar(schema))
        matcher.consume_tokens(list(self.tokens[:count]))
        return matcher

    def alternatives(self, pointer: str, probability: float, mass: float) -> tuple[Alternative, ...]:
        """The values that could stand at a place, most probable first; () where they are not few.

        Args:
            pointer: of a scalar.
            probability: of the one that stands there, among what was allowed.
            mass: the probability of what was allowed, there.
        """
        (item,) = (item for item in self.schema.scalars(self.text) if item.pointer == pointer)
        if not self.schema.is_json:
            return ()
        start, end = item.span
        spelled = spellings(self._grammar(self.schema), self.text[:start])
        if not spelled:
            return ()
        others = self._scored(item, [text for text in spelled if text != self.text[start:end]])
        found = [Alternative(item.value, probability, probability * mass), *others]
        return tuple(sorted(found, key=lambda one: -one.probability))

    def _scored(self, item: Scalar, others: Sequence[bytes]) -> Iterator[Alternative]:
        """Other values in place of a scalar, but for those that rules refuse."""
        start, end = item.span
        at = own_tokens(self._ends, item.decided).start
        before, behind = self.text[self._ends[at - 1] if at else 0 : start], self.text[end : end + _BEHIND]
        runner = self.runner()
        try:
            paths = [(text, self._path(runner, at, before + text, behind)) for text in others]
        finally:
            runner.release()
        for text, path in paths:
            if path is not None and not self._is_refused(item, text):
                logprob, masses = sum(choice.logprob for choice in path), sum(measured(path))
                yield Alternative(json.loads(text), math.exp(logprob), math.exp(logprob + masses))

    def _is_refused(self, item: Scalar, text: bytes) -> bool:
        """Whether a rule refuses a value in place of another."""
        start, end = item.span
        scan, _ = self.schema.scan.feed(self.text[:start])
        longer = text + self.text[end : end + 1]
        after, closed = scan.feed(longer)
        whole = self.text[:start] + longer
        return any(rule.rejects(whole, after, closed) is not None for rule in self.schema.rules)

    def _path(self, runner: ModelRunner, at: int, text: bytes, behind: bytes) -> list[Choice] | None:
        """The choices that write a text in place of what the answer holds there, as the decode loop would.

        Args:
            runner: runs the model.
            at: tokens of the answer before it.
            text: the text.
            behind: what may stand behind it, for its last token may write more than it.

        Returns:
            None if it cannot be written so.
        """
        vocabulary, matcher = self.vocabulary, self._after(at, self.schema)
        sequence = [*self.before, *self.tokens[:at]]
        final = max(len(sequence) - 1, 0)
        choices: list[Choice] = []
        left = text
        while left:
            forced, planned = vocabulary.forced(matcher), vocabulary.encode_bytes(left + behind)
            allowed = np.array(forced[:1]) if forced else vocabulary.allowed(matcher)  # (n,)
            token = (forced or planned)[0]
            data = vocabulary.bytes_of([token])
            if token not in allowed or data[: len(left)] != left[: len(data)]:
                return self._path(runner, at, text, b"") if behind else None
            if forced:
                choices.append(Choice(token))
            else:
                logits = runner.logits_after(
                    sequence, final=final, draft=partial(list, planned[:-1]), wanted=len(allowed)
                )
                choices.append(judged(logits, allowed, token))
            matcher.consume_token(token)
            sequence.append(token)
            left = left[len(data) :]
        return choices

    def absences(self, gapped: Schema[Any], before: Sequence[int]) -> dict[str, float]:
        """How probable it is of each scalar that null would be written instead, at the first token of the value.

        Args:
            gapped: the schema in which properties may be null.
            before: the tokens of a prompt that says so, and of what stands before the answer.

        Returns:
            Numbers in [0, 1] by pointer, for the scalars that may be null there and are not: all from one forward pass
            over the answer.
        """
        runner = self.runner()
        try:
            runner.logits_after([*before, *self.tokens[:1]], final=len(before), draft=lambda: self.tokens[1:])
            found = {
                item.pointer: self._absence(runner, gapped, before, item) for item in self.schema.scalars(self.text)
            }
        finally:
            runner.release()
        return {pointer: absence for pointer, absence in found.items() if absence is not None}

    def _absence(self, runner: ModelRunner, gapped: Schema[Any], before: Sequence[int], item: Scalar) -> float | None:
        """The same of one scalar, where its tokens part from those of null; None if it cannot be null, or is."""
        at = own_tokens(self._ends, item.decided).start
        begun = self.text[self._ends[at - 1] if at else 0 : item.span[0]]
        null = self.vocabulary.encode_bytes(begun + _NULL)
        at += (common := common_prefix(null, list(self.tokens[at:])))
        allowed = self.vocabulary.allowed(self._after(at, gapped))  # (n,)
        if common == len(null) or null[common] not in allowed:
            return None
        logits = runner.logits_after([*before, *self.tokens[:at]], final=len(before), wanted=len(allowed))
        return math.exp(judged(logits, allowed, null[common]).logprob)
