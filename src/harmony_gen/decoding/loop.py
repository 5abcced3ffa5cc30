"""The decode loop: prefill → mask → choose → rules → commit → forced tokens → one forward for the chunk.

It knows token ids only. Which may come next is the matcher's business, what the model thinks of them the
runner's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harmony_gen.decoding.drafting import NoDrafts
from harmony_gen.decoding.sampling import Choice, Sampler, Sampling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from harmony_gen.decoding.drafting import Drafter
    from harmony_gen.decoding.head import Logits
    from harmony_gen.decoding.kv_cache import ModelRunner


class TokenMatcher(Protocol):
    """What is asked of a `Matcher` or a `TurnMatcher`."""

    @property
    def tokens(self) -> list[int]:
        """The tokens so far."""
        ...

    @property
    def stable(self) -> int:
        """How many of them will not be taken back."""
        ...

    @property
    def finished(self) -> bool:
        """Whether there will be no more."""
        ...

    def forced(self) -> list[int]:
        """The tokens that must come next; [] where there is a choice."""
        ...

    def allowed(self) -> NDArray[np.int64]:
        """The ids of the tokens that may come next, (n,) ascending; none where all have been refused."""
        ...

    def accept(self, token: int, *, sampled: bool = False) -> bool:
        """Commits one of these, or refuses it here."""
        ...

    def retreat(self) -> None:
        """Takes tokens back after all have been refused."""
        ...

    def repeatable(self) -> set[int]:
        """Ids that a penalty for repetition applies to."""
        ...

    def open_text(self) -> bytes:
        """What has been written of the string or number that is open."""
        ...

    def possible(self, tokens: Sequence[int]) -> list[int]:
        """The first of some tokens that may follow one another here."""
        ...


def decode(
    runner: ModelRunner,
    prompt: Sequence[int],
    matcher: TokenMatcher,
    sampling: Sampling,
    *,
    drafter: Drafter | None = None,
    chunk_forced: bool = True,
) -> Iterator[Choice]:
    """Writes one answer.

    Args:
        runner: a model to run.
        prompt: token ids, at least one.
        matcher: at the start of the answer, or of the turn.
        sampling: how to choose.
        drafter: proposes tokens to run together with those that are chosen; what is written is the same.
        chunk_forced: run forced tokens in one forward with the tokens around them; False runs each alone.
            What is written is the same.

    Yields:
        Each token of the answer, the end token included, once it is final: nothing yielded is ever taken
        back.
    """

    def logits_here(wanted: int = 0) -> Logits:
        sequence, final = [*prompt, *matcher.tokens], len(prompt) + matcher.stable
        return runner.logits_after(sequence, final=final, draft=lambda: drafts.after(matcher), wanted=wanted)

    sampler = Sampler(sampling)
    drafts = drafter or NoDrafts()
    choices: list[Choice] = []  # one for each of matcher.tokens
    given = 0
    while not matcher.finished:
        if forced := matcher.forced():
            for token in forced:
                if not chunk_forced:
                    logits_here()
                if not matcher.accept(token):
                    break
                drafts.chosen(token)
                choices.append(Choice(token))
        elif len(allowed := matcher.allowed()):  # (n,) ids
            penalised = matcher.repeatable() if sampling.repetition_penalty != 1 else ()
            choice = sampler.choose(logits_here(len(allowed)), allowed, penalised)
            if matcher.accept(choice.token, sampled=True):
                drafts.chosen(choice.token)
                choices.append(choice)
        else:
            matcher.retreat()
            del choices[len(matcher.tokens) :]
        if matcher.stable > given:
            yield from choices[given : matcher.stable]
            given = matcher.stable
