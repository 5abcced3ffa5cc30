"""The tokenizer of the embedded model: byte-level BPE in which copying is the identity.

A word has the same tokens in the text, in the schema and within a JSON string: spaces are tokens of their own,
names in camelCase are split, digits and Chinese characters stand alone, and the punctuation of JSON is merged.

    python -m finetune.embedded.tokenizer --out DIR
"""

from __future__ import annotations

import argparse
import random
import shutil
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from finetune.embedded import sampling, utterances
from finetune.embedded.encoding import spelled
from harmony_gen.models.embedded import END_MARKER, JSON_MARKER, SCHEMA_MARKER, TEXT_MARKER, describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from finetune.embedded.task import Task

PAD_MARKER = "<|pad|>"
CONTROL = (PAD_MARKER, END_MARKER, SCHEMA_MARKER, TEXT_MARKER, JSON_MARKER)
"""Control tokens; the place of each is its id."""
SIZE = 4096
_JSON = ('":"', '":[{"', '":["', '":{"', '":', '","', ',"', '"},{"', '},{"', '{"', '"}', '"]')
_RUNS = (" {2,}", r"\n{2,}", "-{2,}", "={2,}", r"\.{2,}", "_{2,}", r"\*{2,}", "#{2,}")
_WORDS = (r"\p{Han}", r"\p{Lu}?\p{Ll}+", r"\p{Lu}+", r"\p{L}", r"\p{N}", r"\s", r"[^\p{L}\p{N}\s]")


def train(texts: Iterable[str], size: int = SIZE) -> Tokenizer:
    """Train a tokenizer.

    Args:
        texts: what it is trained on. The same texts make the same tokenizer.
        size: entries of its vocabulary, at most.
    """
    pattern = "|".join([*(_escaped(word) for word in _JSON), *_RUNS, *_WORDS])
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(CONTROL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=3,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def save(tokenizer: Tokenizer, directory: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json, as transformers reads them."""
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD_MARKER,
        eos_token=END_MARKER,
        extra_special_tokens=[SCHEMA_MARKER, TEXT_MARKER, JSON_MARKER],
    )
    directory.mkdir(parents=True, exist_ok=True)
    fast.save_pretrained(str(directory))


def copy(source: Path, directory: Path) -> None:
    """Copy what `save` wrote to another directory, or leave it where it is."""
    if source.resolve() != directory.resolve():
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(source / name, directory / name)


def texts_of(tasks: Iterable[Task]) -> Iterator[str]:
    """All texts of tasks that the model will read or write."""
    for task in tasks:
        yield describe(task.schema)
        yield task.text
        yield spelled(task.value)


def _escaped(literal: str) -> str:
    return "".join("\\" + character if character in "{}[]" else character for character in literal)


def _synthetic(count: int, seed: int) -> Iterator[Task]:
    rng = random.Random(seed)
    return (sampling.sample(rng) for _ in range(count))


def _real(count: int, seed: int, path: Path | None) -> Iterator[Task]:
    source = utterances.load(path)
    if source is None:
        return iter(())
    rng = random.Random(seed)
    return (source.sample(rng) for _ in range(count))


def main() -> None:
    """Train the tokenizer on generated tasks and real utterances, and say how long rows become."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="directory to write to")
    parser.add_argument("--tasks", type=int, default=20_000, help="generated tasks to train on")
    parser.add_argument("--utterances", type=Path, help=f"utterances.jsonl.gz; default: ${utterances.VARIABLE}")
    parser.add_argument("--size", type=int, default=SIZE, help="entries of the vocabulary")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tasks = chain(_synthetic(options.tasks, options.seed), _real(options.tasks // 2, options.seed, options.utterances))
    tokenizer = train(texts_of(tasks), options.size)
    save(tokenizer, options.out)
    print(f"{tokenizer.get_vocab_size()} entries, written to {options.out}")


if __name__ == "__main__":
    main()
