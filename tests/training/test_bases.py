"""Other bases than the embedded model: 8 bit weights, and the fused experts of gpt-oss."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from transformers import GptOssConfig, LlamaConfig

from harmony_gen import Generator
from harmony_gen.training import finetune
from harmony_gen.training.settings import Settings
from support import models

if TYPE_CHECKING:
    from pathlib import Path

LLAMA = LlamaConfig(
    vocab_size=3072,
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=1,
    num_attention_heads=2,
    num_key_value_heads=1,
    eos_token_id=1,
    bos_token_id=None,
)
GPT_OSS = GptOssConfig(
    vocab_size=3072,
    hidden_size=32,
    intermediate_size=32,
    num_hidden_layers=2,
    num_local_experts=4,
    num_experts_per_tok=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    head_dim=16,
    eos_token_id=1,
    pad_token_id=0,
)
EXPERTS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]


@pytest.mark.parametrize(
    ("config", "model", "adapter"),
    [
        (LLAMA, {"precision": "int8"}, {}),
        (GPT_OSS, {}, {"targets": "all-linear", "parameters": EXPERTS}),
    ],
    ids=["int8", "gpt-oss"],
)
@pytest.mark.filterwarnings("ignore:int8 left")
def test_an_adapter_of_another_base(
    tmp_path: Path, config: Any, model: dict[str, Any], adapter: dict[str, Any]
) -> None:
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    base = tmp_path / "base"
    AutoModelForCausalLM.from_config(config).save_pretrained(base)
    models.embedded_tokenizer().save_pretrained(base)
    lines = [{"text": f"{n} a", "schema": {"enum": ["a", "b"]}, "output": "a"} for n in range(4)]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, lines)))
    outcome = finetune(
        Settings.of(
            {
                "model": {"base": str(base), "device": "cpu", **model},
                "data": {"train": "train.jsonl", "held_out_share": 0.0},
                "adapter": adapter,
                "loss": {"alpha": {"kind": "constant", "start": 0.5}, "most_tokens": 8, "prompts": 2},
                "run": {"out": "run", "steps": 2, "batch_size": 2, "warmup": 0, "rate": 0.01},
            },
            tmp_path,
        )
    )
    kept = torch.load(tmp_path / "run/checkpoint.pt", weights_only=True)["weights"]
    changed = {name for name, weight in kept.items() if "lora_B" in name and weight.abs().max() > 0}
    assert changed == {name for name in kept if "lora_B" in name}
    assert any("experts" in name for name in changed) == bool(adapter)
    adapted = Generator.from_pretrained(str(base), device="cpu", adapter=str(outcome.adapter), **model)
    assert adapted.generate("0 a", {"enum": ["a", "b"]}).value in ("a", "b")
    plain = Generator.from_pretrained(str(base), device="cpu", **model)
    ids = torch.arange(5, 15)[None]
    with torch.inference_mode():
        assert not torch.equal(adapted._model(ids).logits, plain._model(ids).logits)
