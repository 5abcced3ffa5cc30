"""From a task to token ids: a prompt as the library writes it, and an answer with the positions that are learnt."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from harmony_gen.models.embedded import END_MARKER, prompt_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from finetune.embedded.task import Task

IGNORED = -100
"""Label of a position that carries no loss."""
PAD = 0


@dataclass(frozen=True)
class Example:
    """One row of training.

    Attributes:
        prompt: token ids the model reads.
        answer: token ids that follow.
        labels: as long as the answer: the token to learn at each place, or `IGNORED`.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        """Tokens of prompt and answer."""
        return len(self.prompt) + len(self.answer)


class Encoder:
    """The tokenizer of the embedded model, as training uses it: plain text is never a control token."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Wraps a tokenizer.

        Args:
            tokenizer: the tokenizer; it is changed to spell control tokens out.
        """
        self._tokenizer = tokenizer
        self._tokenizer.encode_special_tokens = True
        self.end = self.control(END_MARKER)

    @classmethod
    def load(cls, directory: Path) -> Encoder:
        """Read tokenizer.json from a directory."""
        return cls(Tokenizer.from_file(str(directory / "tokenizer.json")))

    def __len__(self) -> int:
        """Entries of the vocabulary."""
        return self._tokenizer.get_vocab_size()

    def control(self, marker: str) -> int:
        """The id of a control token."""
        token = self._tokenizer.token_to_id(marker)
        if token is None:
            raise ValueError(f"The tokenizer has no control token {marker!r}.")
        return int(token)

    def plain(self, text: str) -> list[int]:
        """Token ids of a text in which nothing is a control token."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of token ids, control tokens left out."""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))

    def prompt(self, text: str, schema: dict[str, Any] | bool) -> list[int]:
        """Token ids of the prompt for a text and a schema, as `harmony_gen.Generator` writes it."""
        tokens: list[int] = []
        for part, is_control in prompt_parts(text.strip(), schema):
            tokens += [self.control(part)] if is_control else self.plain(part)
        return tokens

    def example(self, task: Task) -> Example:
        """A task as a row whose whole answer is learnt."""
        answer = (*self.plain(spelled(task.value)), self.end)
        return Example(tuple(self.prompt(task.text, task.schema)), answer, answer)


def spelled(value: Any) -> str:
    """A value as the JSON the model writes: compact, in the order given, other scripts as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
