from __future__ import annotations

import torch

from finetune.embedded.muon import Muon, orthogonal


def test_singular_values_come_near_one_and_vectors_stay() -> None:
    torch.manual_seed(0)
    for shape in ((4, 24, 40), (3, 40, 24)):
        matrices = torch.randn(shape)
        found = orthogonal(matrices, steps=8)
        values = torch.linalg.svdvals(found)
        assert values.min() > 0.6
        assert values.max() < 1.3
        left, _, right = torch.linalg.svd(matrices, full_matrices=False)
        turned = left.transpose(1, 2) @ found @ right.transpose(1, 2)  # diagonal, if the vectors are the same
        assert (turned - torch.diag_embed(turned.diagonal(dim1=1, dim2=2))).abs().max() < 1e-3


def test_a_step_is_the_one_of_torch() -> None:
    torch.manual_seed(1)
    ours, theirs = (torch.nn.Parameter(torch.zeros(16, 64)) for _ in range(2))
    pair = (
        (ours, Muon([ours], lr=0.01, steps=5, dtype=torch.bfloat16)),
        (theirs, torch.optim.Muon([theirs], lr=0.01, weight_decay=0.01, adjust_lr_fn="match_rms_adamw", ns_steps=5)),
    )
    for _ in range(3):
        gradient = torch.randn(16, 64)  # of full rank: where it has none, rounding decides the direction
        for weight, optimiser in pair:
            weight.grad = gradient.clone()
            optimiser.step()
    torch.testing.assert_close(ours, theirs, atol=3e-4, rtol=0)
    assert ours.abs().mean() > 2e-3
