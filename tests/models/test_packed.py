"""Weights in four bits in their file and in floating point in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from harmony_gen import ModelError
from harmony_gen.models import load, packed
from support import llamas, models

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import LlamaForCausalLM


def saved(directory: Path, *, tied: bool = True) -> LlamaForCausalLM:
    tokenizer = models.embedded_tokenizer()
    tokenizer.save_pretrained(str(directory))
    model = llamas.plain(len(tokenizer), tied=tied)
    size = packed.write(model, directory)
    assert size < 0.56 * sum(weight.numel() for weight in model.parameters())
    return model


@pytest.mark.parametrize("tied", [True, False])
def test_what_is_read_is_what_was_rounded(tmp_path: Path, tied: bool) -> None:
    model = saved(tmp_path, tied=tied)
    loaded = load(str(tmp_path), precision="fp32", device="cpu")
    assert (loaded.precision, loaded.device) == ("fp32", "cpu")
    read = loaded.model.state_dict()
    for name, weight in model.named_parameters():
        expected = packed.rounded(weight.detach()) if weight.dim() == 2 else weight.half().float()
        assert torch.equal(read[name], expected), name
    assert (read["lm_head.weight"].data_ptr() == read["model.embed_tokens.weight"].data_ptr()) == tied


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.floats(1e-3, 1e3))
def test_rounding_moves_no_weight_further_than_a_step(seed: int, groups: int, size: float) -> None:
    weight = torch.randn(3, groups * packed.GROUP, generator=torch.Generator().manual_seed(seed)) * size
    groupwise = weight.unflatten(1, (-1, packed.GROUP))
    step = groupwise.abs().amax(2, keepdim=True) / 8
    error = (packed.rounded(weight).view_as(groupwise) - groupwise).abs()
    assert (error <= step * 1.01).all()
    assert (error[groupwise.abs() < 6 * step] <= 0.51 * step.expand_as(error)[groupwise.abs() < 6 * step]).all()


def test_rounding_twice_changes_nothing_more() -> None:
    weight = torch.randn(8, 128, generator=torch.Generator().manual_seed(1))
    weight[0] = 0
    once = packed.rounded(weight)
    assert torch.equal(packed.rounded(once), once)
    assert not once[0].any()


def test_another_floating_point_type(tmp_path: Path) -> None:
    saved(tmp_path)
    assert load(str(tmp_path), precision="bf16", device="cpu").model.dtype == torch.bfloat16


def test_precisions_that_a_packed_model_cannot_have_are_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    with pytest.raises(ModelError, match="fp32, bf16 or fp16 on one device, not as int8"):
        load(str(tmp_path), precision="int8", device="cpu")


def test_a_missing_weight_is_named(tmp_path: Path) -> None:
    saved(tmp_path)
    kept = load_file(str(tmp_path / packed.FILE))
    del kept["model.norm.weight"]
    save_file(kept, str(tmp_path / packed.FILE))
    with pytest.raises(ModelError, match=r"lacks 1 weights of its architecture, model\.norm\.weight"):
        load(str(tmp_path), precision="fp32", device="cpu")


def test_a_broken_file_is_a_model_error(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / packed.FILE).write_bytes(b"none")
    with pytest.raises(ModelError, match="could not be loaded"):
        load(str(tmp_path), precision="fp32", device="cpu")


@pytest.mark.parametrize("value", [float("nan"), 1e6])
def test_weights_that_fp16_cannot_hold_are_not_written(tmp_path: Path, value: float) -> None:
    model = llamas.plain(50)
    with torch.no_grad():
        model.model.norm.weight[0] = value
    with pytest.raises(ValueError, match="fp16"):
        packed.write(model, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_rows_that_groups_do_not_fill_are_not_written(tmp_path: Path) -> None:
    model = llamas.plain(50)
    model.model.layers[0].mlp.down_proj = torch.nn.Linear(100, 128, bias=False)
    with pytest.raises(ValueError, match=r"down_proj\.weight has rows of 100 weights"):
        packed.write(model, tmp_path / "new")


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 10))
def test_what_has_scales_keeps_them(seed: int, size: float) -> None:
    source = torch.Generator().manual_seed(seed)
    scales = (torch.randn(4, 2, 1, generator=source) * size).half()
    weight = (torch.randint(-8, 8, (4, 2, packed.GROUP), generator=source) * scales.float()).flatten(1)
    weight[0] = 0
    kept = packed.nearest(packed.grouped(weight), packed.scales_of(weight)).flatten(1)
    assert torch.equal(kept, weight)
    moved = weight * 1.0003  # no fp16 scale is exactly this
    kept = packed.nearest(packed.grouped(moved), packed.scales_of(moved)).flatten(1)
    assert torch.allclose(kept, moved, rtol=6e-4, atol=1e-7)


def test_what_has_no_scale_gets_the_widest() -> None:
    weight = torch.randn(8, 128, generator=torch.Generator().manual_seed(1))
    assert torch.equal(packed.scales_of(weight), packed.widest(weight))


def test_a_model_that_was_read_is_written_as_it_was(tmp_path: Path, shipped: Path) -> None:
    packed.write(load(str(shipped), precision="fp32", device="cpu").model, tmp_path)
    read, written = packed.weights(shipped), packed.weights(tmp_path)
    assert written.keys() == read.keys()
    assert all(torch.equal(weight, read[name]) for name, weight in written.items())
