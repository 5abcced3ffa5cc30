"""Only what a level is worth is learnt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.embedded import checkpoint, export, pretrained, tokenizer, train
from finetune.embedded.batches import Plan, collate
from finetune.embedded.encoding import Encoder, Example
from finetune.embedded.learner import Learner, Way
from finetune.embedded.network import finished
from finetune.embedded.scales import ScaleAdam
from harmony_gen.models import packed
from harmony_gen.models.packed import GROUP
from support import llamas

if TYPE_CHECKING:
    from pathlib import Path

BATCH = collate([Example(tuple(range(5, 40)), (7, 9, 1), (7, 9, 1)), Example((30, 31, 30, 31), (30, 1), (30, 1))])


def levels_of(weight: torch.Tensor) -> torch.Tensor:
    return packed.levels(packed.grouped(weight), packed.scales_of(weight))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_step_is_one_of_adam_on_logarithms(seed: int) -> None:
    source = torch.Generator().manual_seed(seed)
    first = torch.randn(6, 2 * GROUP, generator=source)
    ours, theirs = torch.nn.Parameter(first.clone()), torch.nn.Parameter(torch.zeros(6, 2, 1))
    pair = ScaleAdam([ours], 0.01), torch.optim.Adam([theirs], 0.01, betas=(0.9, 0.98), eps=1e-12)
    target = torch.randn(6, 2 * GROUP, generator=source)
    for _ in range(5):
        (ours - target).square().sum().backward()
        worth = (packed.grouped(first) * theirs.exp()).flatten(1)
        (worth - target).square().sum().backward()
        for optimiser in pair:
            optimiser.step()
            optimiser.zero_grad()
    torch.testing.assert_close(ours.detach(), (packed.grouped(first) * theirs.exp()).flatten(1).detach())


def test_weights_keep_their_levels_while_the_loss_falls() -> None:
    torch.manual_seed(0)
    model = llamas.plain(60)
    for weight in model.parameters():
        weight.data = packed.rounded(weight.data) if weight.ndim == 2 else weight.data
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    learner = Learner(model, "cpu", Way(rate=0.02, is_pretrained=True, entries=0.0, scales=True))
    losses = [float(learner.step(BATCH, number, 0.0)[0]) for number in range(80)]
    assert losses[-1] < losses[0] / 2
    for name, weight in model.named_parameters():
        if weight.ndim == 2:
            assert torch.equal(levels_of(weight.detach()), levels_of(before[name])), name
            assert torch.equal(weight, before[name]) == ("embed" in name), name


def test_a_run_of_it_needs_a_rounded_start(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="pass a packed model as --start"):
        train.main(["--out", str(tmp_path / "run"), "--scales", "--tokens", "100"])
    assert not (tmp_path / "run").exists()


def test_what_is_learnt_is_exported_packed(tmp_path: Path) -> None:
    tokenizer.save(pretrained.shortened([("a", "b")]), tmp_path)
    model = llamas.plain(len(Encoder.load(tmp_path)))
    packed.write(model, tmp_path / "start")
    tokenizer.copy(tmp_path, tmp_path / "start")
    way = Way(rate=0.01, is_pretrained=True, scales=True)
    start = train.begin(Plan(3000, 400, 512, 0.0, 1, gentle=False), way, finished(tmp_path / "start"))
    learner = Learner(finished(tmp_path / "start"), "cpu", way)
    for number in range(5):
        learner.step(BATCH, number + 60, 0.0)
    checkpoint.save(replace(start, learner=learner.state()), tmp_path)
    export.export(tmp_path, tmp_path / "out")
    assert packed.is_packed(tmp_path / "out")
    before = finished(tmp_path / "start").state_dict()
    for name, weight in finished(tmp_path / "out").state_dict().items():
        torch.testing.assert_close(weight, learner.model.state_dict()[name], rtol=6e-4, atol=1e-6)
        assert not torch.equal(weight, before[name]), name
