"""A llama whose layers have different sizes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch
from transformers import LlamaForCausalLM

from harmony_gen import Generator
from harmony_gen.models import load, packed
from harmony_gen.models.narrow import NarrowLlamaConfig, NarrowLlamaForCausalLM
from support import llamas, models

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


def test_without_lists_it_is_a_llama() -> None:
    plain = llamas.plain(60)
    same = NarrowLlamaForCausalLM(NarrowLlamaConfig(vocab_size=60, tie_word_embeddings=True, **llamas.FORM))
    same.load_state_dict(plain.state_dict())
    tokens = torch.arange(5, 25)[None]
    with torch.no_grad():
        assert torch.equal(plain(tokens).logits, same(tokens).logits)


def test_each_layer_has_its_size() -> None:
    model = llamas.narrow(60)
    assert [layer.mlp.down_proj.in_features for layer in model.model.layers] == [128, 64, 192]
    assert [layer.self_attn.k_proj.out_features for layer in model.model.layers] == [64, 32, 32]
    assert [layer.self_attn.o_proj.in_features for layer in model.model.layers] == [128, 64, 64]
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_its_cache_tells_what_it_computes() -> None:
    model = llamas.narrow(60)
    tokens = torch.arange(5, 25)[None]
    with torch.no_grad():
        whole = model(tokens).logits
        first = model(tokens[:, :12], use_cache=True)
        rest = model(tokens[:, 12:], past_key_values=first.past_key_values).logits
    assert torch.allclose(whole[:, 12:], rest, atol=1e-5)


@pytest.mark.parametrize("is_packed", [True, False])
def test_the_library_reads_it(tmp_path: Path, is_packed: bool) -> None:
    tokenizer = models.embedded_tokenizer()
    tokenizer.save_pretrained(str(tmp_path))
    model = llamas.narrow(len(tokenizer))
    if is_packed:
        packed.write(model, tmp_path)
    else:
        model.save_pretrained(str(tmp_path))
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "narrow_llama"
    read = load(str(tmp_path), precision="fp32", device="cpu").model
    assert isinstance(read, LlamaForCausalLM)
    for name, weight in model.named_parameters():
        expected = packed.rounded(weight.detach()) if is_packed and weight.dim() == 2 else weight
        assert torch.allclose(read.state_dict()[name], expected, atol=1e-3), name
    with Generator.embedded(tmp_path) as generator:
        assert isinstance(generator.generate("n is 4", SCHEMA, max_new_tokens=20).value["n"], int)
