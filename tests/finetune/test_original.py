"""A trained model finds what it was made of, and goes part of the way back."""

from __future__ import annotations

import pytest
import torch

from finetune.embedded import narrowing
from finetune.embedded.original import brought_nearer, weights_before
from support import llamas

HEADS = [torch.tensor(kept) for kept in ([0, 1], [1], [0])]
NEURONS = [torch.arange(64) * 2, torch.arange(64) + 30, torch.arange(128)]


def trained() -> tuple[narrowing.NarrowLlamaForCausalLM, dict[str, torch.Tensor]]:
    """A narrowed model after training, and its weights before."""
    small = narrowing.narrowed(llamas.plain(50), HEADS, NEURONS)
    before = {name: weight.clone() for name, weight in small.state_dict().items()}
    source = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in small.parameters():
            weight.add_(0.1 * weight.std() * torch.randn(weight.shape, generator=source))
    return small, before


def test_every_weight_is_found_again() -> None:
    small, before = trained()
    found = weights_before(small, llamas.plain(50))
    assert found.keys() == before.keys()
    for name, weight in before.items():
        assert torch.equal(found[name], weight), name


def test_tokens_that_came_later_stay_as_they_are() -> None:
    small, before = trained()
    small.resize_token_embeddings(53, mean_resizing=False)
    entries = small.get_input_embeddings().weight
    found = weights_before(small, llamas.plain(50))["model.embed_tokens.weight"]
    assert torch.equal(found[:50], before["model.embed_tokens.weight"])
    assert torch.equal(found[50:], entries[50:])


def test_another_model_is_refused() -> None:
    small, _ = trained()
    other = llamas.plain(50)
    with torch.no_grad():
        for weight in other.parameters():
            weight.copy_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(9)))
    with pytest.raises(ValueError, match=r"lacks a part that stands in model\.layers\.0\.self_attn\.k_proj"):
        weights_before(small, other)


def test_the_shares_are_those_asked_for() -> None:
    small, before = trained()
    after = small.state_dict()
    nearer = brought_nearer(after, before, 0.25, 1.0)
    name = "model.layers.1.mlp.up_proj.weight"
    torch.testing.assert_close(nearer[name], 0.75 * after[name] + 0.25 * before[name])
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        assert torch.equal(nearer[name], before[name]), name
