"""Following an answer with the decoder's own matcher: what it would have allowed is noted, and nothing is enforced."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from harmony_gen.errors import BudgetError, TrainingError
from harmony_gen.schema.separators import compacted
from harmony_gen.training.masses import TokenSet
from harmony_gen.training.rewards import PARTIAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony_gen.decoding.turn_matcher import TurnMatcher
    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.generator import Generator
    from harmony_gen.request import Request
    from harmony_gen.training.loss import Trace

State = Literal["open", "valid", "rejected", "unfinished", "unknown"]


class Follower:
    """Follows one answer, token by token, up to its end or its first error.

    Attributes:
        header: the tokens before the answer, which the format of the turn prescribes.
        tokens: those of the answer that were fed, a rejected one included.
        sets: what was allowed at each of them. Where no way to end fits the budget any more, only the next token of
            the last known way to end.
        state: open; valid; rejected by the schema; unfinished, for too little of the budget was left; or unknown, for
            the mask engine gave up.
    """

    def __init__(self, matcher: TurnMatcher, vocabulary: Vocabulary) -> None:
        """Starts at an answer.

        Args:
            matcher: at the start of a turn that has no thoughts and no tools.
            vocabulary: the matcher's.
        """
        while matcher.body is None:
            for token in matcher.forced():
                matcher.accept(token)
        self.header = tuple(matcher.tokens)
        self.tokens: list[int] = []
        self.sets: list[TokenSet] = []
        self.state: State = "open"
        self._matcher = matcher
        self._width = vocabulary.width

    def feed(self, token: int) -> bool:
        """Takes the next token; returns whether the answer goes on."""
        allowed = self._matcher.allowed()
        if not len(allowed):
            self.state = "unknown"
            return False
        ending = self._matcher.ending
        if token not in allowed:
            self.state = "rejected"
        elif not self._matcher.accept(token):
            self.state = "unfinished" if self._matcher.closed_by == "budget" else "rejected"
            refused = self._matcher.allowed()
            allowed = refused if self.state == "rejected" and len(refused) else np.array(ending[:1])
        elif self._matcher.finished:
            self.state = "valid"
        self.tokens.append(token)
        self.sets.append(TokenSet.of_ids(allowed, self._width))
        return self.state == "open"

    @property
    def reward(self) -> float:
        """1 for a valid answer; for another 0.3 times how far it came: its tokens and those that would end it."""
        if self.state == "valid":
            return 1.0
        written = len(self.tokens) - (self.state in ("rejected", "unfinished"))
        return PARTIAL * written / (written + len(self._matcher.ending))


def start(generator: Generator, request: Request, prompt: Sequence[int]) -> TurnMatcher:
    """The start of an answer to a request; its budget is raised to that of the shortest answer where it must be."""
    try:
        return generator._matcher(request, list(prompt))
    except BudgetError as error:
        return generator._matcher(replace(request, max_new_tokens=error.needed), list(prompt))


def follower(generator: Generator, request: Request, prompt: Sequence[int]) -> Follower:
    """At the `start` of an answer to a request."""
    return Follower(start(generator, request, prompt), generator._vocabulary)


def follow_label(generator: Generator, request: Request, text: str) -> Trace:
    """A labelled answer as the decoder would write it, with what is allowed at each token.

    Args:
        generator: knows the model's vocabulary and prompts.
        request: the prompt and its schema.
        text: a valid answer in the spelling of answers.

    Raises:
        TrainingError: the answer cannot be written under the constraint.
        PromptError: prompt and answer do not fit the model's window.
    """
    from harmony_gen.decoding.reachable import reachable, scripted, spelled
    from harmony_gen.training.loss import Trace

    schema, vocabulary = request.schema, generator._vocabulary
    assert schema is not None  # noqa: S101 - data without a schema are refused
    data = compacted(text.encode()) if schema.is_json else text.encode()
    prompt = generator._encode_request(request)
    known = replace(request, schema=scripted(schema, data))
    writer = generator._matcher(known, prompt)
    header = len(Follower(writer, vocabulary).header)
    if not reachable(writer, vocabulary, spelled(schema, vocabulary, data)):
        written = writer.text.decode(errors="replace")
        raise TrainingError(
            f"the output is valid but cannot be written under the constraint, behind {written[-40:]!r}. Members must "
            "come in the order of the schema"
        )
    found = Follower(generator._matcher(known, prompt), vocabulary)
    for token in writer.tokens[header:]:
        found.feed(token)
    return Trace((*prompt, *found.header), tuple(found.tokens), tuple(found.sets))
