"""Rollouts: answers that the model samples freely, while the decoder's matcher looks on, or under the constraint."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from transformers import GenerationConfig, StoppingCriteria

from harmony_gen.decoding.batch import Batch
from harmony_gen.decoding.kv_cache import ModelRunner
from harmony_gen.decoding.loop import decode
from harmony_gen.decoding.passes import is_batchable
from harmony_gen.decoding.sampling import Sampling
from harmony_gen.errors import RuleError, TrainingError
from harmony_gen.training.following import follower, start
from harmony_gen.training.loss import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.generator import Generator
    from harmony_gen.training.examples import Example
    from harmony_gen.training.following import Follower

    Validator = Callable[[str], float]


class _Watching(StoppingCriteria):  # type: ignore[misc]
    """Ends each row at its first error."""

    def __init__(self, followers: Sequence[Follower]) -> None:
        self._followers = followers

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:  # noqa: ARG002
        ended = [
            one.state != "open" or not one.feed(int(row[-1]))
            for one, row in zip(self._followers, input_ids, strict=True)
        ]
        return torch.tensor(ended, device=input_ids.device)


def roll_out(generator: Generator, examples: Sequence[Example], *, count: int, most: int) -> list[Trace]:
    """Samples answers at temperature 1, each up to its first error.

    An answer that is not finished within the budget counts as an error at its last position. Answers that the mask
    engine gave up on are left out.

    Args:
        generator: the model, in evaluation mode.
        examples: what is asked.
        count: samples for each, ≥ 1.
        most: tokens of an answer.
    """
    rows = [one for one in examples for _ in range(count)]
    followers = [follower(generator, replace(one.request, max_new_tokens=most), one.prompt) for one in rows]
    prompts = [(*row.prompt, *one.header) for row, one in zip(rows, followers, strict=True)]
    sample(generator, prompts, most, [_Watching(followers)])
    found = [
        Trace(prompt, tuple(one.tokens), tuple(one.sets), row.number, one.reward)
        for row, prompt, one in zip(rows, prompts, followers, strict=True)
        if one.tokens and one.state not in ("open", "unknown")
    ]
    return list(_with_advantages(found))


def constrained_rollouts(generator: Generator, examples: Sequence[Example], *, count: int, most: int) -> list[Trace]:
    """Samples answers at temperature 1 under the constraint, by the decode loop itself; all are valid.

    Answers that the mask engine gave up on, and those of rules that refuse everything, are left out.

    Args:
        generator: the model, in evaluation mode.
        examples: what is asked.
        count: samples for each, ≥ 1.
        most: tokens of an answer.
    """
    model = generator._model
    rows = [one for one in examples for _ in range(count)]
    batch: Batch[Trace | None] | None = Batch(model, len(rows)) if is_batchable(model) else None

    def written(one: Example, seed: int) -> Trace | None:
        request = replace(one.request, max_new_tokens=most)
        matcher = start(generator, request, one.prompt)
        sampling = Sampling(temperature=1.0, seed=seed)
        try:
            deque(decode(ModelRunner(model, batch=batch), one.prompt, matcher, sampling), maxlen=0)
        except RuleError:
            return None
        found = follower(generator, request, one.prompt)
        for token in matcher.tokens[len(found.header) :]:
            found.feed(token)
        prompt = (*one.prompt, *found.header)
        is_whole = found.state == "valid"
        return Trace(prompt, tuple(found.tokens), tuple(found.sets), one.number, constrained=True) if is_whole else None

    tasks = [partial(written, *row) for row in zip(rows, torch.randint(2**31, (len(rows),)).tolist(), strict=True)]
    results = (task() for task in tasks) if batch is None else batch.run(tasks)
    return [trace for trace in results if trace is not None]


def judged_rollouts(
    generator: Generator, examples: Sequence[Example], validator: Validator, *, count: int, most: int
) -> list[Trace]:
    """Samples whole answers at temperature 1, each with the reward a validator gives it.

    Args:
        generator: the model, in evaluation mode.
        examples: what is asked.
        validator: from the text of an answer to a reward in [0, 1]; True is 1.
        count: samples for each, ≥ 2.
        most: tokens of an answer.

    Raises:
        TrainingError: a reward is not in [0, 1].
    """
    vocabulary = generator._vocabulary
    rows = [one for one in examples for _ in range(count)]
    prompts = [(*one.prompt, *follower(generator, one.request, one.prompt).header) for one in rows]
    found = []
    for row, prompt, tokens in zip(rows, prompts, sample(generator, prompts, most), strict=True):
        text = text_of(vocabulary, tokens)
        reward = 0.0 if text is None else float(validator(text))
        if not 0 <= reward <= 1:
            raise TrainingError(f"The validator must give True, False or a number in [0, 1]; it gave {reward!r}.")
        found.append(Trace(prompt, tuple(tokens), (), row.number, reward))
    return list(_with_advantages(found))


def text_of(vocabulary: Vocabulary, tokens: Sequence[int]) -> str | None:
    """What an answer says; None if it was not ended, or is not UTF-8."""
    *body, last = tokens
    if last not in vocabulary.ends:
        return None
    try:
        return vocabulary.bytes_of(body).decode()
    except UnicodeDecodeError:
        return None


def sample(
    generator: Generator,
    prompts: Sequence[Sequence[int]],
    most: int,
    watching: Sequence[StoppingCriteria] = (),
    *,
    greedy: bool = False,
) -> list[list[int]]:
    """Writes behind prompts without any constraint, up to an end token, which is included, or `most` tokens."""
    model, ends = generator._model, generator._vocabulary.ends
    longest = max(map(len, prompts))
    tokens = torch.tensor([[ends[0]] * (longest - len(one)) + list(one) for one in prompts], device=model.device)
    attention = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in prompts], device=model.device)
    config = GenerationConfig(
        do_sample=not greedy,
        temperature=1.0,
        top_k=0 if not greedy else 50,
        top_p=1.0,
        repetition_penalty=1.0,
        max_new_tokens=most,
        eos_token_id=list(ends),
        pad_token_id=ends[0],
    )
    with torch.inference_mode():
        made = model.generate(
            input_ids=tokens, attention_mask=attention, generation_config=config, stopping_criteria=list(watching)
        )
    answers = made[:, longest:].tolist()
    lengths = [next((i + 1 for i, token in enumerate(row) if token in ends), len(row)) for row in answers]
    return [row[:length] for row, length in zip(answers, lengths, strict=True)]


def _with_advantages(traces: Sequence[Trace]) -> Iterator[Trace]:
    """Each with what its reward has over the mean of the others of its prompt; 0 where it is alone."""
    for one in traces:
        rewards = [other.reward for other in traces if other.prompt == one.prompt]
        others = len(rewards) - 1
        yield replace(one, advantage=one.reward - (sum(rewards) - one.reward) / others if others else 0.0)
