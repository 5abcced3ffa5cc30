"""Mixtures of experts in int8: exact against the dequantised model, close to the float model, and as small as told."""

from __future__ import annotations

import copy
import gc
import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import (
    AriaTextConfig,
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    GptOssConfig,
    Llama4TextConfig,
    LlamaConfig,
    MixtralConfig,
    NemotronHConfig,
    Qwen3MoeConfig,
)
from transformers.models.aria.modeling_aria import AriaExperts
from transformers.models.gpt_oss.modeling_gpt_oss import GptOssExperts
from transformers.models.mixtral.modeling_mixtral import MixtralExperts
from transformers.models.muse_spark.configuration_muse_spark import MuseSparkTextConfig
from transformers.models.muse_spark.modeling_muse_spark import MuseSparkExperts
from transformers.models.nemotron_h.modeling_nemotron_h import NemotronHExperts

from harmony_gen import Generator, Schema
from harmony_gen.errors import ModelError
from harmony_gen.models import experts, int8, load, memory, precision
from harmony_gen.models.quantizer import BitsAndBytesExpertsConfig
from support import models

if TYPE_CHECKING:
    from pathlib import Path

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
pytestmark = [
    # On its first forward pass bitsandbytes compiles with torch.jit, which warns of its own retirement.
    pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning"),
    # peft still asks for a property under the name that transformers retires.
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"),
]

SIZES: dict[str, Any] = {
    "hidden_size": 128,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "max_position_embeddings": 512,
    "num_experts_per_tok": 2,
    "bos_token_id": None,
    "pad_token_id": None,
}
CONFIGS = {
    "gpt_oss": lambda **more: GptOssConfig(**SIZES, **more, num_local_experts=16),
    "mixtral": lambda **more: MixtralConfig(**SIZES, **more, num_local_experts=16),
    "qwen3_moe": lambda **more: Qwen3MoeConfig(**SIZES, **more, num_experts=16, moe_intermediate_size=128),
}
IDS = torch.arange(8, 40)[None]


def config_of(kind: str) -> Any:
    tokenizer = models.embedded_tokenizer()
    return CONFIGS[kind](vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id)


def save(path: Path, config: Any) -> Path:
    """A model with random weights in bf16, its experts and routers louder than transformers makes them."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 3:
                weight.normal_(0, 0.1)
            elif name.endswith(("router.weight", "gate.weight")):
                weight.normal_(0, 1)
    model.save_pretrained(path)
    models.embedded_tokenizer().save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: save(tmp_path_factory.mktemp(kind), config_of(kind)) for kind in CONFIGS}


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = model(input_ids=IDS.to(next(model.parameters()).device)).logits.float().cpu()
    return result


def show(figures: str) -> None:
    print(figures)  # noqa: T201 - pytest shows it with -s


def logits_of_all(saved: Path, *precisions: str) -> list[torch.Tensor]:
    """The logits of a model in several precisions, with each token at the experts that the first one chose.

    Where two experts are almost equal a router's choice depends on rounding; another choice is another answer, with
    bf16 as with int8, and would hide how exact the experts themselves are.
    """
    chosen: list[Any] = []
    found = []
    for name in precisions:
        model = load(str(saved), precision=name, device="cpu").model
        routers = [module for path, module in model.named_modules() if path.endswith(("mlp.router", "mlp.gate"))]
        assert len(routers) == SIZES["num_hidden_layers"]
        for index, router in enumerate(routers):
            replay = (lambda *_, index=index: chosen[index]) if found else (lambda *call: chosen.append(call[2]))
            router.register_forward_hook(replay)
        found.append(logits(model))
    return found


def held_bytes(model: Any) -> int:
    """Bytes of all parameters and buffers, with the scales that bitsandbytes keeps beside its parameters."""
    tensors = [*model.parameters(), *model.buffers()]
    beside = [weight.SCB for weight in tensors if getattr(weight, "SCB", None) is not None]
    return sum(tensor.nbytes for tensor in tensors + beside)


def dequantised(values: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    return values.double() * scales.double()[..., None]


ARCHITECTURES: dict[str, Any] = {
    "transposed, with biases": lambda: GptOssExperts(config_of("gpt_oss")),
    "plain": lambda: MixtralExperts(config_of("mixtral")),
    "transposed": lambda: AriaExperts(AriaTextConfig(hidden_size=64, intermediate_size=32, moe_num_experts=8)),
    "without a gate": lambda: NemotronHExperts(
        NemotronHConfig(hidden_size=64, moe_intermediate_size=32, n_routed_experts=8)
    ),
    "with a norm behind": lambda: MuseSparkExperts(
        MuseSparkTextConfig(moe_hidden_size=64, moe_intermediate_size=32, num_local_experts=8)
    ),
}


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_the_forward_pass_is_that_of_the_dequantised_weights(kind: str) -> None:
    torch.manual_seed(0)
    module = ARCHITECTURES[kind]()
    module.config = copy.deepcopy(module.config)
    module.config._experts_implementation = "eager"
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, 0, 0.1)
    names = [name for _, _, name in experts.weights_of(torch.nn.ModuleDict({"experts": module}))]
    assert len(names) == 2
    quantised = copy.deepcopy(module)
    assert experts.prepare(torch.nn.ModuleDict({"experts": quantised})) == {f"experts.{name}" for name in names}
    for name in names:
        values, scales = experts.quantise(getattr(module, name).data, transposed=module.is_transposed)
        exact = dequantised(values, scales).float()
        getattr(module, name).data = exact.mT.contiguous() if module.is_transposed else exact
        setattr(quantised, name, torch.nn.Parameter(values, requires_grad=False))
        getattr(quantised, name + int8.SCALES).data = scales
    width = getattr(module, names[0]).shape[1 if module.is_transposed else 2]
    rows = torch.randn(11, width)
    index = torch.stack([torch.randperm(module.num_experts)[:2] for _ in rows])
    weights = torch.rand(11, 2)
    with torch.no_grad():
        torch.testing.assert_close(quantised(rows, index, weights), module(rows, index, weights), rtol=1e-4, atol=1e-5)
        none = quantised(rows, torch.full_like(index, module.num_experts), weights)
    assert (none == 0).all()


@pytest.mark.parametrize("kind", CONFIGS)
def test_int8_is_close(saved: dict[str, Path], kind: str) -> None:
    exact, rounded, quantised = logits_of_all(saved[kind], "fp32", "bf16", "int8")
    off, bf16 = ((found - exact).abs() / exact.std() for found in (quantised, rounded))
    figures = f"int8 {off.max():.4f} {off.mean():.4f}, bf16 {bf16.max():.4f} {bf16.mean():.4f}"
    show(f"{kind}: logits off by at most and on average, in standard deviations: {figures}")
    assert off.max() < 0.5
    assert off.mean() < min(0.05, 4 * bf16.mean())


@pytest.mark.parametrize("kind", CONFIGS)
def test_int8_is_small(saved: dict[str, Path], kind: str) -> None:
    loaded = load(str(saved[kind]), precision="int8", device="cpu")
    assert (loaded.precision, loaded.device, loaded.notes) == ("int8", "cpu", ())
    assert memory.estimate(config_of(kind), precision="int8").weights == pytest.approx(
        held_bytes(loaded.model), rel=0.01
    )
    wide = load(str(saved[kind]), precision="bf16", device="cpu").model
    kept = wide.get_input_embeddings().weight.nbytes + wide.get_output_embeddings().weight.nbytes  # these stay wide
    ratio = (held_bytes(loaded.model) - kept) / (held_bytes(wide) - kept)
    show(f"{kind}: {ratio:.3f} of the bytes of bf16")
    assert ratio < 0.525


def test_no_two_weights_are_wide_at_once(saved: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    wide = []
    real = experts.quantise

    def counting(weight: torch.Tensor, *, transposed: bool) -> tuple[torch.Tensor, torch.Tensor]:
        gc.collect()
        held = [found for found in gc.get_objects() if isinstance(found, torch.Tensor) and found.dim() == 3]
        wide.append(sum(found.is_floating_point() and not found.is_meta and found.numel() > 10_000 for found in held))
        return real(weight, transposed=transposed)

    monkeypatch.setattr(experts, "quantise", counting)
    load(str(saved["gpt_oss"]), precision="int8", device="cpu")
    assert wide == [1] * 8


def test_answers_are_valid(saved: dict[str, Path]) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 12}, "tags": {"enum": ["a", "b", None]}},
        "required": ["name", "tags"],
        "additionalProperties": False,
    }
    generator = Generator.from_pretrained(str(saved["gpt_oss"]), device="cpu", load_in_8bit=True)
    assert generator._model.model.layers[0].mlp.experts.down_proj.dtype == torch.int8
    result = generator.generate("Name: Anna", schema, max_new_tokens=60)
    assert Schema.of(schema).validate(result.text) == result.value


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"load_in_8bit": True}, "int8"),
        ({"load_in_8bit": True, "precision": "int8"}, "int8"),
        ({"load_in_4bit": True}, "int4"),
        ({"load_in_8bit": False, "precision": "bf16"}, "bf16"),
    ],
)
def test_the_older_keywords(saved: dict[str, Path], asked: dict[str, Any], meant: str) -> None:
    with pytest.warns(UserWarning, match="int4 left") if meant == "int4" else nullcontext():
        model = Generator.from_pretrained(str(saved["mixtral"]), device="cpu", **asked)._model
    linear = type(model.model.layers[0].self_attn.q_proj).__name__
    assert linear == {"int8": "Int8Linear", "int4": "Linear4bit", "bf16": "Linear"}[meant]


@pytest.mark.parametrize(
    "asked",
    [
        {"load_in_8bit": True, "load_in_4bit": True},
        {"load_in_8bit": True, "precision": "bf16"},
        {"load_in_4bit": True, "precision": "int8"},
    ],
)
def test_older_keywords_that_contradict(asked: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"contradict each other\. precision="):
        Generator.from_pretrained("never-looked-at", **asked)


@pytest.fixture(scope="module")
def mxfp4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in the format of the published gpt-oss: experts as 4-bit blocks with shared scales."""
    path = save(tmp_path_factory.mktemp("mxfp4"), config_of("gpt_oss"))
    stored = {}
    for name, tensor in AutoModelForCausalLM.from_pretrained(path).state_dict().items():
        if tensor.dim() == 3:
            count, rows, columns = tensor.shape
            stored[f"{name}_blocks"] = torch.randint(0, 256, (count, columns, rows // 32, 16), dtype=torch.uint8)
            stored[f"{name}_scales"] = torch.randint(117, 124, (count, columns, rows // 32), dtype=torch.uint8)
        else:
            stored[name] = tensor.contiguous()
    save_file(stored, path / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((path / "config.json").read_text())
    plain = ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]
    config["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": plain}
    (path / "config.json").write_text(json.dumps(config))
    return path


def test_the_published_format_of_gpt_oss_becomes_int8(mxfp4: Path) -> None:
    wide = load(str(mxfp4), precision="bf16", device="cpu").model
    loaded = load(str(mxfp4), precision="int8", device="cpu")
    assert loaded.precision == "int8"
    assert "mxfp4 experts were made int8" in loaded.notes[0]
    for full_name, module, name in experts.weights_of(loaded.model):
        exact = wide.get_parameter(full_name).mT.double()
        values, scales = getattr(module, name), getattr(module, name + int8.SCALES)
        assert values.dtype == torch.int8
        assert ((dequantised(values, scales) - exact).abs() <= scales.double()[..., None] / 2 * (1 + 1e-4)).all()
    exact, quantised = logits_of_all(mxfp4, "fp32", "int8")
    assert (quantised - exact).abs().mean() / exact.std() < 0.05
    with pytest.raises(ModelError, match=r"already quantised \(mxfp4\) and cannot be loaded as int4"):
        load(str(mxfp4), precision="int4", device="cpu")


@pytest.mark.parametrize("kind", CONFIGS)
def test_as_on_a_gpu(saved: dict[str, Path], kind: str) -> None:
    """What a GPU gets, bitsandbytes for Linear modules and our own int8 for experts, runs on a CPU too."""
    config = BitsAndBytesExpertsConfig()
    model = AutoModelForCausalLM.from_pretrained(
        saved[kind], dtype=torch.bfloat16, quantization_config=config, device_map={"": "cpu"}
    ).eval()
    assert type(model.model.layers[0].self_attn.q_proj).__name__ == "Linear8bitLt"
    assert model.model.layers[0].mlp.experts.down_proj.dtype == torch.int8
    assert held_bytes(model) == pytest.approx(memory.estimate(config_of(kind), precision="int8").weights, rel=0.01)
    exact = logits(load(str(saved[kind]), precision="fp32", device="cpu").model)
    assert torch.nn.functional.cosine_similarity(logits(model), exact, dim=-1).median() > 0.99
    with pytest.raises(ValueError, match="not serializable"):
        model.save_pretrained("never-written")


@pytest.mark.parametrize("fused", [True, False])
def test_the_plan_for_a_gpu(fused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    config = config_of("gpt_oss") if fused else LlamaConfig()
    plan = precision.plan_for(config, "int8", "cuda")
    assert plan.arguments["dtype"] == "bfloat16"
    assert type(plan.arguments["quantization_config"]) is (BitsAndBytesExpertsConfig if fused else BitsAndBytesConfig)


def test_an_adapter_beside_int8_experts(saved: dict[str, Path], tmp_path: Path) -> None:
    torch.manual_seed(1)
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(saved["gpt_oss"]), config).save_pretrained(str(tmp_path))
    plain = load(str(saved["gpt_oss"]), precision="int8", device="cpu")
    adapted = load(str(saved["gpt_oss"]), precision="int8", device="cpu", adapter=str(tmp_path))
    assert "unmerged" in adapted.notes[-1]
    assert not torch.equal(logits(adapted.model), logits(plain.model))


def test_int8_experts_are_not_saved(saved: dict[str, Path], tmp_path: Path) -> None:
    loaded = load(str(saved["qwen3_moe"]), precision="int8", device="cpu")
    with pytest.raises(ValueError, match="not serializable"):
        loaded.model.save_pretrained(tmp_path)


def test_experts_without_the_interface_are_left_and_reported(tmp_path: Path) -> None:
    config = Llama4TextConfig(
        **SIZES, vocab_size=len(models.embedded_tokenizer()), intermediate_size_mlp=128, num_local_experts=24
    )
    save(tmp_path, config)
    with pytest.warns(UserWarning, match=r"int8 left \d\d% of the weights unquantised .*experts.*some architectures"):
        loaded = load(str(tmp_path), precision="int8", device="cpu")
    assert logits(loaded.model).isfinite().all()
    told = memory.estimate(config, precision="int8").weights
    assert told == pytest.approx(held_bytes(loaded.model), rel=0.01)


def test_gpt_oss_20b_fits_into_24_gb() -> None:
    config = GptOssConfig(num_hidden_layers=24, num_local_experts=32)
    assert 20e9 < memory.estimate(config, precision="int8", context=8192).total < 24e9


@needs_cuda
@pytest.mark.parametrize("kind", CONFIGS)  # pragma: no cover - only with a GPU
def test_int8_on_a_gpu(saved: dict[str, Path], kind: str) -> None:
    loaded = load(str(saved[kind]), precision="int8", device="cuda:0")
    assert loaded.device == "cuda:0"
    exact = logits(load(str(saved[kind]), precision="fp32", device="cpu").model)
    assert (logits(loaded.model) - exact).abs().mean() / exact.std() < 0.05
