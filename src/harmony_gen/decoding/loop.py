"""The decode loop: prefill → mask → choose → rules → commit → forced tokens → one forward for the chunk.

It knows token ids only. Which may come next is the matcher's business, what the model thinks of them the
runner's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony_gen.decoding.sampling import Choice, Sampler, Sampling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from harmony_gen.decoding.kv_cache import ModelRunner
    from harmony_gen.decoding.matcher import Matcher


def decode(
    runner: ModelRunner,
    prompt: Sequence[int],
    matcher: Matcher,
    sampling: Sampling,
    *,
    chunk_forced: bool = True,
) -> Iterator[Choice]:
    """Writes one answer.

    Args:
        runner: a model to run.
        prompt: token ids, at least one.
        matcher: at the start of the answer.
        sampling: how to choose.
        chunk_forced: run forced tokens in one forward with the tokens around them; False runs each alone.
            What is written is the same.

    Yields:
        Each token of the answer, the end token included, once it is final: nothing yielded is ever taken
        back.
    """

    def logits_here() -> NDArray[np.float32]:  # (V,)
        final = len(prompt) + matcher.stable
        return runner.logits_after([*prompt, *matcher.tokens], final=final)

    sampler = Sampler(sampling)
    choices: list[Choice] = []  # one for each of matcher.tokens
    given = 0
    while not matcher.finished:
        if forced := matcher.forced():
            for token in forced:
                if not chunk_forced:
                    logits_here()
                if not matcher.accept(token):
                    break
                choices.append(Choice(token))
        elif len(allowed := matcher.allowed()):  # (n,) ids
            penalised = matcher.repeatable() if sampling.repetition_penalty != 1 else ()
            choice = sampler.choose(logits_here(), allowed, penalised)
            if matcher.accept(choice.token, sampled=True):
                choices.append(choice)
        else:
            matcher.retreat()
            del choices[len(matcher.tokens) :]
        if matcher.stable > given:
            yield from choices[given : matcher.stable]
            given = matcher.stable
