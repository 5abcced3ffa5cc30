"""int8 matrices: rounded as exactly as can be, multiplied exactly; models that hold them, saved and adapted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

from harmony_gen.errors import ModelError
from harmony_gen.models import int8, load
from support import models

if TYPE_CHECKING:
    from pathlib import Path

# peft still asks for a property under the name that transformers retires.
peft_warns = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")

DTYPES = [torch.float32, torch.bfloat16, torch.float16]
SIZES: dict[str, Any] = {"vocab_size": 3072, "bos_token_id": None, "eos_token_id": 4, "pad_token_id": None}
CONFIGS = {
    "llama": LlamaConfig(
        **SIZES,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=4,
        attention_bias=True,
        tie_word_embeddings=True,
    ),
    "gpt2": GPT2Config(**SIZES, n_embd=128, n_layer=3, n_head=4, n_positions=128),
}
IDS = torch.arange(8, 40)[None]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    paths = {}
    for kind, config in CONFIGS.items():
        paths[kind] = tmp_path_factory.mktemp(kind)
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0, 0.1)
        model.save_pretrained(paths[kind])
        models.embedded_tokenizer().save_pretrained(paths[kind])
    return paths


def logits(model: Any, ids: torch.Tensor = IDS) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = model(input_ids=ids).logits.float()
    return result


def dequantised(values: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    return values.double() * scales.double()[..., None]


@given(st.integers(0, 2**32), st.sampled_from(DTYPES), st.floats(-6, 3))
def test_rounding_is_off_by_half_a_scale_at_most(seed: int, dtype: torch.dtype, exponent: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    matrix = (torch.randn(7, 50, generator=generator) * 10**exponent).to(dtype)
    matrix[3] = 0
    values, scales = int8.quantise(matrix)
    assert (values.dtype, scales.dtype) == (torch.int8, dtype)
    assert (values[3] == 0).all()
    error = (dequantised(values, scales) - matrix.double()).abs()
    assert (error <= scales.double()[:, None] / 2 * (1 + 1e-4)).all()
    step = torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
    assert (scales.double() <= matrix.double().abs().amax(-1) / 126 + 2 * step).all()


@pytest.mark.parametrize("native", [True, False], ids=["as it is here", "without bf16 instructions"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [1, 8, 9, 130])
def test_products_agree_with_the_dequantised_matrix(
    dtype: torch.dtype, rows: int, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not native:
        monkeypatch.setattr(int8, "_multiplies_bf16", lambda: False)
    torch.manual_seed(0)
    values, scales = int8.quantise(torch.randn(300, 96).to(dtype))
    inputs = torch.randn(rows, 96).to(dtype)
    exact = inputs.double() @ dequantised(values, scales).T
    tolerance = 16 * torch.finfo(dtype).eps * exact.abs().max()
    product = int8.multiply(inputs, values, scales)
    assert product.dtype == dtype
    assert (product.double() - exact).abs().max() <= tolerance
    with_gradient = int8.multiply(inputs.requires_grad_(), values, scales)
    assert (with_gradient.detach().double() - exact).abs().max() <= tolerance
    with_gradient.sum().backward()
    told = dequantised(values, scales).sum(0)
    assert inputs.grad is not None
    assert (inputs.grad.double() - told).abs().max() <= 16 * torch.finfo(dtype).eps * told.abs().max()


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("length", [1, 32])
def test_models_compute_with_their_dequantised_weights(saved: dict[str, Path], kind: str, length: int) -> None:
    loaded = load(str(saved[kind]), precision="int8", device="cpu")
    assert (loaded.precision, loaded.notes) == ("int8", ())
    plain = load(str(saved[kind]), precision="bf16", device="cpu").model
    held = {name: part for name, part in loaded.model.named_modules() if isinstance(part, int8.Int8Linear)}
    assert len(held) == {"llama": 7, "gpt2": 4}[kind] * 3
    exact = logits(plain, IDS[:, :length])
    for name, module in held.items():
        weight = dequantised(module.weight, module.weight_channel_scales)
        original = plain.get_parameter(f"{name}.weight").data
        assert (weight - (original.T if module.is_transposed else original).double()).abs().max() < 0.004
        original.copy_(weight.T if module.is_transposed else weight)
    scale = exact.std()
    here = logits(loaded.model, IDS[:, :length])
    assert (here - logits(plain, IDS[:, :length])).abs().mean() / scale < 0.02  # bf16's own rounding
    assert (here - exact).abs().mean() / scale < 0.04


@pytest.mark.parametrize("kind", CONFIGS)
def test_models_are_saved_and_loaded_as_they_are(saved: dict[str, Path], kind: str, tmp_path: Path) -> None:
    first = load(str(saved[kind]), precision="int8", device="cpu")
    first.model.save_pretrained(tmp_path)
    first.tokenizer.save_pretrained(tmp_path)
    for name in ("auto", "int8"):
        again = load(str(tmp_path), precision=name, device="cpu")
        assert again.precision == "int8"
        assert "own quantisation (harmony_gen_int8) is kept" in again.notes[0]
        assert torch.equal(logits(again.model), logits(first.model))
    with pytest.raises(ModelError, match=r"already quantised \(harmony_gen_int8\) and cannot be loaded as bf16"):
        load(str(tmp_path), precision="bf16", device="cpu")


@peft_warns
def test_an_adapter_beside_int8_learns_as_beside_its_dequantised_weights(saved: dict[str, Path]) -> None:
    held = load(str(saved["llama"]), precision="int8", device="cpu").model
    plain = load(str(saved["llama"]), precision="bf16", device="cpu").model
    for name, module in held.named_modules():
        if isinstance(module, int8.Int8Linear):
            exact = dequantised(module.weight, module.weight_channel_scales)
            plain.get_parameter(f"{name}.weight").data.copy_(exact)
    gradients = []
    for model in (held, plain):
        torch.manual_seed(0)
        config = LoraConfig(r=4, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
        adapted = get_peft_model(model, config)
        adapted(input_ids=IDS, labels=IDS).loss.backward()
        trained = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
        assert len(trained) == 12
        gradients.append(torch.cat([parameter.grad.flatten().float() for parameter in trained]))
    assert torch.nn.functional.cosine_similarity(*gradients, dim=0) > 0.99
