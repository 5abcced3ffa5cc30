from __future__ import annotations

import importlib.util
import json
import logging
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    BertModel,
    BitsAndBytesConfig,
    ByT5Tokenizer,
    GptOssConfig,
    LlamaConfig,
    PreTrainedTokenizerFast,
    T5Config,
)
from transformers.utils import logging as transformers_logging

from harmony_gen.errors import MissingExtra, ModelError
from harmony_gen.models import load, loading, memory, precision
from harmony_gen.models.loading import load_error

if TYPE_CHECKING:
    from pathlib import Path

torch.set_num_threads(2)

no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
# On its first forward pass bitsandbytes compiles with torch.jit, which warns of its own retirement.
jit_warns = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
# peft still asks for a property under the name that transformers retires.
peft_warns = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")

SIZES: dict[str, Any] = {
    "vocab_size": 260,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}
GPT_OSS: dict[str, Any] = {
    **SIZES,
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "head_dim": 32,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
}
IDS = torch.arange(20)[None]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def tokenizer() -> PreTrainedTokenizerFast:
    letters = {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    plain = Tokenizer(models.BPE(vocab={**letters, "<|end|>": 256}, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<|end|>")


def save(path: Path, config: Any, dtype: torch.dtype = torch.float32) -> Path:
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=dtype).save_pretrained(path)
    tokenizer().save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("llama"), LlamaConfig(**SIZES))


@pytest.fixture(scope="module")
def llama_bf16(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("llama_bf16"), LlamaConfig(**SIZES), torch.bfloat16)


@pytest.fixture(scope="module")
def gpt_oss(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("gpt_oss"), GptOssConfig(**GPT_OSS), torch.bfloat16)


@pytest.fixture(scope="module")
def mxfp4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in the format of the published gpt-oss: experts as 4-bit blocks with shared scales."""
    path = save(tmp_path_factory.mktemp("mxfp4"), GptOssConfig(**GPT_OSS), torch.bfloat16)
    model = AutoModelForCausalLM.from_pretrained(path)
    stored = {}
    for name, tensor in model.state_dict().items():
        if name.endswith(("gate_up_proj", "down_proj")):
            experts, rows, columns = tensor.shape
            stored[f"{name}_blocks"] = torch.full((experts, columns, rows // 32, 16), 0x21, dtype=torch.uint8)
            stored[f"{name}_scales"] = torch.full((experts, columns, rows // 32), 120, dtype=torch.uint8)
        else:
            stored[name] = tensor.contiguous()
    save_file(stored, path / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((path / "config.json").read_text())
    plain = ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]
    config["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": plain}
    (path / "config.json").write_text(json.dumps(config))
    return path


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = model(input_ids=IDS.to(next(model.parameters()).device)).logits.float().cpu()
    return result


@no_cuda
def test_auto_keeps_fp32_on_a_cpu(llama: Path) -> None:
    loaded = load(str(llama))
    assert (loaded.precision, loaded.device, loaded.notes) == ("fp32", "cpu", ())
    assert loaded.name == str(llama)
    assert loaded.tokenizer.is_fast
    assert not loaded.model.training
    assert not any(weight.requires_grad for weight in loaded.model.parameters())
    assert torch.equal(logits(loaded.model), logits(AutoModelForCausalLM.from_pretrained(llama)))


@no_cuda
def test_auto_widens_16_bit_on_a_cpu_and_says_why(llama_bf16: Path) -> None:
    loaded = load(str(llama_bf16))
    assert loaded.model.dtype == torch.float32
    assert "slow on a CPU" in loaded.notes[0]


@no_cuda
def test_auto_takes_bf16_where_fp32_does_not_fit(llama_bf16: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoConfig

    need = memory.estimate(AutoConfig.from_pretrained(llama_bf16), precision="bf16").total
    monkeypatch.setattr(memory, "available", lambda _: need)
    loaded = load(str(llama_bf16))
    assert loaded.model.dtype == torch.bfloat16
    assert "fp32 would need" in loaded.notes[0]


@no_cuda
def test_auto_takes_fp32_where_memory_is_not_told(llama_bf16: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: str) -> int:
        message = "not told"
        raise ModelError(message)

    monkeypatch.setattr(memory, "available", unknown)
    assert load(str(llama_bf16)).precision == "fp32"


@pytest.mark.parametrize(
    ("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_floating_precisions(llama: Path, name: str, dtype: torch.dtype) -> None:
    loaded = load(str(llama), precision=name, device="cpu")
    assert (loaded.precision, loaded.model.dtype) == (name, dtype)
    assert logits(loaded.model).isfinite().all()


def held_bytes(model: Any) -> int:
    """Bytes of all weights, with the scales that bitsandbytes keeps outside of the parameters."""
    total = 0
    for weight in model.parameters():
        total += weight.nbytes
        state = getattr(weight, "quant_state", None)
        if state is not None:
            total += state.absmax.nbytes + (state.state2.absmax.nbytes if state.nested else 0)
        if getattr(weight, "SCB", None) is not None:
            total += weight.SCB.nbytes
    return total


@jit_warns
@pytest.mark.parametrize("name", ["int8", "int4"])
def test_quantised_weights_compute_and_weigh_what_was_told(
    llama: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    loaded = load(str(llama), precision=name, device="cpu")
    assert (loaded.precision, loaded.device, loaded.notes) == (name, "cpu", ())
    exact = logits(load(str(llama), precision="fp32", device="cpu").model)
    assert torch.nn.functional.cosine_similarity(logits(loaded.model), exact, dim=-1).min() > 0.9
    assert capfd.readouterr() == ("", "")
    told = memory.estimate(LlamaConfig(**SIZES), precision=name).weights
    assert told == pytest.approx(held_bytes(loaded.model), rel=0.1)


def test_spared_experts_are_reported(gpt_oss: Path) -> None:
    with pytest.warns(UserWarning, match=r"int4 left \d\d% of the weights unquantised .*experts"):
        loaded = load(str(gpt_oss), precision="int4", device="cpu")
    assert "fused expert tensors" in loaded.notes[-1]
    assert logits(loaded.model).isfinite().all()


@jit_warns
def test_a_quantised_checkpoint_is_left_as_it_is(llama: Path, tmp_path: Path) -> None:
    config = BitsAndBytesConfig(load_in_8bit=True)
    made = AutoModelForCausalLM.from_pretrained(llama, quantization_config=config, device_map={"": "cpu"})
    made.save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    for name in ("auto", "int8"):
        assert load(str(tmp_path), precision=name, device="cpu").precision == "int8"
    with pytest.raises(ModelError, match="already quantised \\(bitsandbytes\\)"):
        load(str(tmp_path), precision="bf16", device="cpu")


def test_mxfp4_is_widened_without_kernels_and_says_so(mxfp4: Path) -> None:
    loaded = load(str(mxfp4), device="cpu")
    assert loaded.precision == "bf16"
    assert "mxfp4 weights were widened to bf16" in loaded.notes[0]
    assert logits(loaded.model).isfinite().all()
    assert load(str(mxfp4), precision="fp32", device="cpu").model.dtype == torch.float32
    with pytest.raises(ModelError, match="already quantised \\(mxfp4\\) and cannot be loaded as int4"):
        load(str(mxfp4), precision="int4", device="cpu")


def test_a_missing_bitsandbytes_names_the_extra(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"harmony-gen\[quantization\]"):
        load(str(llama), precision="int4", device="cpu")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"precision": "int3"}, "int3.*auto, fp32, bf16, fp16, int8, int4"),
        ({"device": "tpu"}, "tpu.*auto, cpu, cuda, cuda:N"),
        ({"device": "cuda:x"}, "Unknown device"),
        ({"device": "cuda:"}, "Unknown device"),
        ({"device": {"": "tpu"}}, "Unknown device 'tpu'"),
        ({"device": {"": "cpu", "model.layer": "cpu"}}, "does not have: model.layer"),
    ],
)
def test_unknown_names(llama: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load(str(llama), **arguments)


@no_cuda
@pytest.mark.parametrize("device", ["cuda", "cuda:3", {"": 0}])
def test_cuda_that_is_not_there(llama: Path, device: Any) -> None:
    with pytest.raises(ModelError, match="sees 0 CUDA devices"):
        load(str(llama), device=device)


def test_a_device_map(llama: Path) -> None:
    assert load(str(llama), precision="fp32", device={"": "cpu"}).device == "cpu"


def test_weights_on_disk_are_noted(llama: Path) -> None:
    loaded = load(str(llama), precision="fp32", device={"model": "cpu", "lm_head": "disk"})
    assert "outside the GPU" in loaded.notes[-1]
    assert logits(loaded.model).isfinite().all()


def test_placing_on_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice of a device, on a machine that says it has GPUs."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert loading._place("auto") == "cuda"
    assert loading._place("cuda:0") == "cuda:0"
    with pytest.raises(ModelError, match="sees 1 CUDA"):
        loading._place("cuda:1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert loading._place("auto") == "sequential"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    for dtype, name in (("float32", "bf16"), ("bfloat16", "bf16"), ("float16", "fp16")):
        assert precision.plan_for(LlamaConfig(**SIZES, dtype=dtype), "auto", {"": 0}).precision == name
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert precision.plan_for(LlamaConfig(**SIZES), "auto", "cuda:1").precision == "fp16"


@needs_cuda
@jit_warns
@pytest.mark.parametrize("name", ["auto", "int8", "int4"])  # pragma: no cover - only with a GPU
def test_on_a_gpu(llama: Path, name: str) -> None:
    loaded = load(str(llama), precision=name, device="cuda:0")
    assert loaded.device == "cuda:0"
    assert logits(loaded.model).isfinite().all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("owner/no-such-model", "no directory 'owner/no-such-model'.*HF_HUB_OFFLINE is set"),
        ("/no/such/path", "no directory '/no/such/path'"),
        ("./missing", "no directory './missing'"),
        ("", "no directory ''"),
    ],
)
def test_unknown_models(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load(name)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("We couldn't connect to 'https://huggingface.co'", "hub could not be reached"),
        ("owner/x is not a valid model identifier", "Check its spelling"),
    ],
)
def test_unknown_models_online(monkeypatch: pytest.MonkeyPatch, said: str, message: str) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert message in str(loading._unknown_id("owner/x", OSError(said)))


def test_directories_that_are_no_models(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json.*save_pretrained"):
        load(str(tmp_path))
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="holds an adapter"):
        load(str(tmp_path))
    with pytest.raises(ModelError, match="is a file"):
        load(str(tmp_path / "adapter_config.json"))


@pytest.mark.parametrize("text", ["{bad", '{"model_type": "unheard-of"}'])
def test_bad_configurations(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"configuration of .* cannot be used"):
        load(str(tmp_path))


def test_a_model_without_tokenizer(tmp_path: Path, llama: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        shutil.copy(llama / name, tmp_path)
    with pytest.raises(ModelError, match=r"No tokenizer could be loaded.*tokenizer\.json"):
        load(str(tmp_path))


def test_a_slow_tokenizer(tmp_path: Path, llama: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        shutil.copy(llama / name, tmp_path)
    ByT5Tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"ByT5Tokenizer\) is not a fast tokenizer"):
        load(str(tmp_path))


def test_missing_weights(tmp_path: Path) -> None:
    LlamaConfig(**SIZES).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"weights of .* could not be loaded: Error no file named"):
        load(str(tmp_path), device="cpu")


def test_a_model_of_another_architecture(tmp_path: Path) -> None:
    T5Config().save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="No causal language model can be built from this T5Config"):
        load(str(tmp_path), device="cpu")
    with pytest.raises(ModelError, match="could not be loaded: Unrecognized configuration class"):
        load(str(tmp_path), precision="fp32", device="cpu")


def test_a_headless_model_is_not_filled_with_random_weights(tmp_path: Path) -> None:
    sizes = {name: value for name, value in SIZES.items() if name != "num_key_value_heads"}
    BertModel(BertConfig(**sizes)).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"lacks \d weights .* which would be random"):
        load(str(tmp_path), device="cpu")


def test_what_does_not_fit_is_refused_before_reading(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda _: 1000)
    with pytest.raises(ModelError, match=r"does not fit: at fp32 .* cpu has .* no precision fits"):
        load(str(llama), precision="fp32", device="cpu")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8589934592 bytes"),
    ],
)
def test_out_of_memory_is_translated(error: Exception) -> None:
    told = load_error(error, "some/model", LlamaConfig(**SIZES), "fp32", "cpu")
    assert str(told).startswith("Memory ran out while 'some/model' was loaded: at fp32 the model needs about")
    assert "widest precision that would fit is fp32" in str(told)


@no_cuda
def test_out_of_memory_without_an_estimate() -> None:
    told = load_error(MemoryError(), "some/model", LlamaConfig(**SIZES), "fp32", "cuda:0")
    assert "no CUDA device" in str(told)


def test_other_errors_are_translated() -> None:
    told = load_error(KeyError(), "some/model", LlamaConfig(**SIZES), "fp32", "cpu")
    assert str(told) == "The weights of 'some/model' could not be loaded: KeyError"


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory, llama: Path) -> Path:
    path = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(1)
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(llama), config).save_pretrained(str(path))
    return path


@peft_warns
def test_an_adapter_is_merged(llama: Path, adapter: Path) -> None:
    from peft import PeftModel

    loaded = load(str(llama), precision="fp32", device="cpu", adapter=str(adapter))
    assert "merged" in loaded.notes[-1]
    assert type(loaded.model).__name__ == "LlamaForCausalLM"
    applied = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(llama), str(adapter)).eval()
    torch.testing.assert_close(logits(loaded.model), logits(applied), atol=1e-4, rtol=1e-4)
    assert not torch.equal(logits(loaded.model), logits(load(str(llama), precision="fp32").model))


@peft_warns
@jit_warns
def test_an_adapter_on_a_quantised_base(llama: Path, adapter: Path) -> None:
    loaded = load(str(llama), precision="int8", device="cpu", adapter=str(adapter))
    assert "unmerged" in loaded.notes[-1]
    assert not any(weight.requires_grad for weight in loaded.model.parameters())
    assert logits(loaded.model).isfinite().all()


@peft_warns
def test_bad_adapters(llama: Path, gpt_oss: Path, adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no adapter_config\.json"):
        load(str(llama), device="cpu", adapter=str(tmp_path))
    with pytest.raises(ModelError, match="a hub id \\(no directory"):
        load(str(llama), device="cpu", adapter="owner/no-such-adapter")
    with pytest.raises(ModelError, match="a directory, could not be put on this model"):
        load(str(gpt_oss), device="cpu", adapter=str(adapter))


def test_nothing_process_wide_is_left_changed(llama: Path, gpt_oss: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def state() -> tuple[Any, ...]:
        return (
            transformers_logging.get_verbosity(),
            transformers_logging._tqdm_hook,
            logging.getLogger("bitsandbytes").level,
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.get_num_threads(),
            list(warnings.filters),
        )

    before, random = state(), torch.random.get_rng_state()
    load(str(llama), precision="bf16", device="cpu")
    with pytest.raises(ModelError):
        load("owner/no-such-model")
    assert state() == before
    assert torch.equal(random, torch.random.get_rng_state())
    assert capfd.readouterr() == ("", "")
