"""Weights are rounded so that outputs change least."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.embedded import gptq
from finetune.embedded.encoding import Example
from harmony_gen.models import packed
from harmony_gen.models.packed import GROUP
from support import llamas

ROWS = [Example(tuple(range(5, 40)), (7, 9, 1), (7, 9, 1)), Example((30, 31, 30, 31), (30, 1), (30, 1))]


def correlated(rows: int, columns: int, seed: int) -> torch.Tensor:
    """Inputs that go together, as those of a network do."""
    source = torch.Generator().manual_seed(seed)
    few = torch.randn(rows, 12, generator=source) @ torch.randn(12, columns, generator=source)
    return few + 0.1 * torch.randn(rows, columns, generator=source)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_outputs_change_less_than_by_the_nearest_levels(seed: int, groups: int) -> None:
    weight = torch.randn(24, groups * GROUP, generator=torch.Generator().manual_seed(seed)) * 0.1
    inputs = correlated(500, groups * GROUP, seed)
    rounded = gptq.compensated(weight, inputs.T @ inputs)
    error = (inputs @ (rounded - weight).T).square().mean()
    assert error < 0.7 * (inputs @ (packed.rounded(weight) - weight).T).square().mean()
    assert torch.equal(packed.nearest(packed.grouped(rounded), packed.scales_of(rounded)).flatten(1), rounded)


@given(st.integers(0, 2**32 - 1))
def test_scales_fit_at_least_as_well_as_the_widest(seed: int) -> None:
    source = torch.Generator().manual_seed(seed)
    weight, importance = torch.randn(5, 2 * GROUP, generator=source), torch.rand(2 * GROUP, generator=source) + 0.01
    groups = packed.grouped(weight)

    def error(scales: torch.Tensor) -> torch.Tensor:
        return ((packed.nearest(groups, scales) - groups).square() * packed.grouped(importance[None])).sum(2)

    assert (error(gptq.fitting_scales(weight, importance)) <= error(packed.widest(weight)) * 1.0001).all()


def test_columns_without_inputs_and_rows_of_nothing() -> None:
    weight = torch.randn(4, GROUP, generator=torch.Generator().manual_seed(1))
    weight[1] = 0
    inputs = correlated(50, GROUP, 2)
    inputs[:, 3] = 0
    rounded = gptq.compensated(weight, inputs.T @ inputs)
    assert torch.isfinite(rounded).all()
    assert not rounded[1].any()


@pytest.mark.parametrize("make", [llamas.plain, llamas.narrow])
def test_a_rounded_model_is_read_as_it_was_written(tmp_path: Path, make: type) -> None:
    model = make(60)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    gptq.round_for(model, ROWS)
    packed.write(model, tmp_path)
    read = packed.weights(tmp_path)
    for name, weight in model.named_parameters():
        assert torch.equal(read[name], weight if weight.ndim == 2 else weight.half().float()), name
        assert weight.ndim != 2 or not torch.equal(weight, before[name]), name
