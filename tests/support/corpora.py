"""Corpora that are not part of the repository. Tests that need one skip by its name where it is absent."""

from __future__ import annotations

import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import TikTokenConverter

SHARED = Path(os.environ.get("HARMONY_GEN_SHARED", Path(__file__).resolve().parents[3] / "shared"))

# The split pattern and special tokens of o200k_harmony, as published with tiktoken and openai-harmony.
_O200K_PATTERN = "|".join(  # noqa: FLY002 - one alternative a line
    [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
_NAMED = {
    199_998: "<|startoftext|>",
    199_999: "<|endoftext|>",
    200_002: "<|return|>",
    200_003: "<|constrain|>",
    200_005: "<|channel|>",
    200_006: "<|start|>",
    200_007: "<|end|>",
    200_008: "<|message|>",
    200_012: "<|call|>",
    200_018: "<|endofprompt|>",
}


def need(path: str) -> Path:
    """The path of a corpus file; skips the test where it is absent."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"corpus {path} is not here; set HARMONY_GEN_SHARED to the folder that holds it")
    return found


@cache
def bench_cases() -> list[dict[str, Any]]:
    """Real schemas with instances: {id, schema, tests: [{valid, data}]}."""
    with gzip.open(need("suites/jsonschemabench/cases.jsonl.gz")) as lines:
        return [json.loads(line) for line in lines]


@cache
def gpt_oss_tokenizer() -> PreTrainedTokenizerFast:
    """The real tokenizer of gpt-oss."""
    return o200k_tokenizer(need("tokenizers/o200k_base.tiktoken"))


def o200k_tokenizer(path: Path | str) -> PreTrainedTokenizerFast:
    """The tokenizer of gpt-oss from its base vocabulary; openai-harmony, which writes prompts, finds it there, too."""
    os.environ.setdefault("TIKTOKEN_ENCODINGS_BASE", str(Path(path).parent))
    specials = [_NAMED.get(id_, f"<|reserved_{id_}|>") for id_ in range(199_998, 201_088)]
    converter = TikTokenConverter(
        vocab_file=str(path),
        pattern=_O200K_PATTERN,
        extra_special_tokens=specials,
    )
    return PreTrainedTokenizerFast(tokenizer_object=converter.converted(), eos_token="<|return|>")
