from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    DeepseekV3Config,
    DynamicCache,
    GptOssConfig,
    Lfm2Config,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    Qwen3NextConfig,
    T5Config,
)

from harmony_gen.errors import ModelError
from harmony_gen.models import load_embedded, memory
from harmony_gen.models.loading import configuration
from harmony_gen.models.memory import MemoryEstimate, advice, available, estimate, fits, stored_precision

if TYPE_CHECKING:
    from pathlib import Path

torch.set_num_threads(2)

SMALL: dict[str, Any] = {
    "vocab_size": 500,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
}
LLAMA = LlamaConfig(**SMALL)
TIED = LlamaConfig(**SMALL, tie_word_embeddings=True)
GPT_OSS = GptOssConfig(**SMALL, head_dim=32, num_local_experts=4, num_experts_per_tok=2, sliding_window=16)
LFM2 = Lfm2Config(
    **SMALL,
    layer_types=["conv", "full_attention"] * 2,
    block_auto_adjust_ff_dim=False,
    tie_word_embeddings=True,
)
MISTRAL = MistralConfig(**SMALL, sliding_window=24)
CONTEXT = 64


def cache_bytes(model: Any, batch: int) -> int:
    cache = DynamicCache(config=model.config)
    with torch.no_grad():
        model(input_ids=torch.ones(batch, CONTEXT, dtype=torch.long), past_key_values=cache, use_cache=True)
    held = [getattr(layer, name, None) for layer in cache.layers for name in ("keys", "values")]
    for layer in cache.layers:
        held += list(getattr(layer, "conv_states", {}).values())
        held += list(getattr(layer, "recurrent_states", {}).values())
    return sum(tensor.nbytes for tensor in held if isinstance(tensor, torch.Tensor))


@pytest.mark.parametrize("config", [LLAMA, TIED, GPT_OSS, LFM2, MISTRAL], ids=lambda c: c.model_type)
@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_estimates_agree_with_real_models(config: Any, precision: str, dtype: torch.dtype) -> None:
    model = AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
    told = estimate(config, precision=precision, context=CONTEXT, batch=2)
    assert told.weights == sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers()))
    assert told.kv_cache == pytest.approx(cache_bytes(model, batch=2), rel=0.1)
    assert told.total == told.weights + told.kv_cache + told.activations


def test_estimating_changes_neither_configuration_nor_random_state() -> None:
    before, state = GPT_OSS.to_dict(), torch.random.get_rng_state()
    estimate(GPT_OSS)
    assert before == GPT_OSS.to_dict()
    assert torch.equal(state, torch.random.get_rng_state())


def test_the_published_sizes_of_gpt_oss_20b() -> None:
    """20.9 B parameters: 41.8 GB in bf16, 13.8 GB in mxfp4, and with int8 experts about half of bf16."""
    config = GptOssConfig(num_hidden_layers=24, num_local_experts=32)
    assert estimate(config, precision="bf16").weights == pytest.approx(41.8e9, rel=0.01)
    assert estimate(config, precision="int8").weights == pytest.approx(22.2e9, rel=0.01)
    assert estimate(config, precision="mxfp4").weights == pytest.approx(13.8e9, rel=0.03)


def test_quantised_estimates_shrink() -> None:
    sizes = [estimate(LLAMA, precision=name).weights for name in ("fp32", "bf16", "int8", "int4")]
    assert sizes == sorted(sizes, reverse=True)
    embeddings = 2 * 2 * 500 * 128
    assert sizes[2] > embeddings
    assert estimate(LLAMA, precision="fp16") == estimate(LLAMA, precision="bf16")


def test_latent_and_recurrent_caches_are_small() -> None:
    latent = DeepseekV3Config(
        **SMALL | {"num_key_value_heads": 8},
        kv_lora_rank=32,
        qk_rope_head_dim=16,
        n_routed_experts=8,
        moe_intermediate_size=64,
    )
    assert estimate(latent, context=100).kv_cache == 4 * 100 * 2 * (32 + 16)
    recurrent = MambaConfig(vocab_size=500, hidden_size=64, num_hidden_layers=2, state_size=8)
    assert estimate(recurrent, context=100).kv_cache == estimate(recurrent, context=9000).kv_cache > 0
    mixed = Qwen3NextConfig(**SMALL, num_experts=4, moe_intermediate_size=32, shared_expert_intermediate_size=32)
    assert estimate(mixed, context=100).kv_cache > 0


@pytest.mark.parametrize("arguments", [{"precision": "int3"}, {"context": 0}, {"batch": 0}])
def test_bad_arguments(arguments: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"int3.*int4|at least 1"):
        estimate(LLAMA, **arguments)


def test_a_model_of_another_kind() -> None:
    with pytest.raises(ModelError, match="No causal language model can be built from this T5Config"):
        estimate(T5Config())


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"quant_method": "mxfp4"}, "mxfp4"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "int4"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "int8"),
        ({"quant_method": "gptq", "bits": 4}, "int4"),
        ({"quant_method": "fp8"}, "int8"),
        (None, "fp16"),
    ],
)
def test_what_a_checkpoint_holds(own: dict[str, Any] | None, expected: str) -> None:
    config = LlamaConfig(**SMALL, dtype="float16", quantization_config=own)
    assert stored_precision(config) == expected
    assert estimate(config, precision="auto") == estimate(LLAMA, precision=expected)


def test_quantisation_given_as_an_object() -> None:
    from transformers import BitsAndBytesConfig

    config = LlamaConfig(**SMALL)
    config.quantization_config = BitsAndBytesConfig(load_in_8bit=True)
    assert stored_precision(config) == "int8"


def test_advice_names_the_widest_precision_that_fits() -> None:
    def told(room: int) -> str:
        return advice(LLAMA, "cpu", precision="fp32", context=10, available_bytes=room)

    assert "is fp32 (" in told(2**40)
    assert "is int8 (" in told(estimate(LLAMA, precision="int8", context=10).total)
    assert "no precision fits" in told(1000)
    assert "fp32 the model needs about" in advice(LLAMA, "cpu", precision="fp32")
    assert "1 x 10 tokens" in told(1000)
    assert "at bf16 the model" in advice(LLAMA, "cpu", precision="auto")


def test_fits_is_inclusive() -> None:
    held = MemoryEstimate(1, 2, 3)
    assert fits(held, 6)
    assert not fits(held, 5)


def test_sizes_for_people() -> None:
    assert memory.gib(3 * 2**30) == "3.0 GiB"
    assert memory.gib(5 * 2**20) == "5.0 MiB"


def test_free_host_memory() -> None:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < available("cpu") <= total


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_free_memory_of_a_missing_gpu() -> None:
    with pytest.raises(ModelError, match="no CUDA device"):
        available("cuda:0")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_free_memory_of_a_gpu() -> None:  # pragma: no cover - only with a GPU
    assert 0 < available("cuda") <= torch.cuda.get_device_properties(0).total_memory


def test_a_container_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert available("cpu") > 0  # neither file: the system's own count
    (tmp_path / "meminfo").write_text("MemTotal: 900 kB\nMemAvailable:   500 kB\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert available("cpu") == 500 * 1024  # no limit
    (tmp_path / "memory.max").write_text("100000\n")
    (tmp_path / "memory.current").write_text("70000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 2000\n")
    assert available("cpu") == 32_000


def test_a_system_that_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    monkeypatch.delattr(os, "sysconf")
    with pytest.raises(ModelError, match="give available_bytes"):
        available("cpu")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate"), True),
        (RuntimeError("size mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_recognised(error: Exception, expected: bool) -> None:
    assert memory.is_out_of_memory(error) is expected


def test_the_memory_of_the_embedded_model_is_known(shipped: Path) -> None:
    told = estimate(configuration(str(shipped)), precision="fp32", context=1024)
    held = load_embedded().model
    assert told.weights == pytest.approx(4 * held.num_parameters(), rel=0.02)
