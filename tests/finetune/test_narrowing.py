"""Which parts of a llama matter, and the model without the others."""

from __future__ import annotations

import pytest
import torch

from finetune.embedded import narrowing
from finetune.embedded.encoding import Example
from support import llamas

ROWS = [Example((5, 9, 7, 11), (9, 7, 1), (9, 7, 1)), Example((8, 6), (6, 6, 8, 1), (6, 6, 8, 1))]
WHOLE = 1 << 20


def test_a_part_that_changes_nothing_does_not_matter() -> None:
    model = llamas.plain(60)
    with torch.no_grad():
        model.model.layers[1].mlp.down_proj.weight[:, 3] = 0
        model.model.layers[2].self_attn.o_proj.weight[:, 64:] = 0  # what the second group of heads says
    heads, neurons = narrowing.importance(model, ROWS)
    assert [len(part) for part in heads] == [2, 2, 2]
    assert [len(part) for part in neurons] == [128, 128, 128]
    assert neurons[1][3] == 0 == heads[2][1]
    assert (torch.cat(neurons) == 0).sum() == 1
    assert (torch.cat(heads) == 0).sum() == 1
    assert all(weight.requires_grad for weight in model.parameters())


def test_importance_is_the_square_of_a_gates_gradient() -> None:
    model = llamas.plain(60)
    _, neurons = narrowing.importance(model, ROWS[:1])
    gate = torch.ones(len(ROWS[0]), requires_grad=True)  # one for each place
    layer = model.model.layers[0].mlp.down_proj

    def gated(_: object, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        chosen = torch.zeros_like(inputs[0])
        chosen[0, :, 17] = 1
        return (inputs[0] * (1 + chosen * (gate - 1)[None, :, None]),)

    hook = layer.register_forward_pre_hook(gated)
    tokens = torch.tensor([ROWS[0].prompt + ROWS[0].answer])
    logits = model(tokens).logits[0, 3:-1]
    torch.nn.functional.cross_entropy(logits, torch.tensor(ROWS[0].answer), reduction="sum").backward()
    hook.remove()
    assert gate.grad is not None
    assert neurons[0][17].item() == pytest.approx(gate.grad.square().sum().item(), rel=1e-3)


def test_the_best_of_all_layers_by_the_grain() -> None:
    scores = [torch.tensor([9.0, 1, 8, 7]), torch.tensor([0.1, 0.2, 0.3, 6]), torch.tensor([0.0, 0.4, 0.5, 0.6])]
    kept = narrowing.best(scores, 4, least=1, grain=1)
    assert [part.tolist() for part in kept] == [[0, 2, 3], [3], [3]]
    kept = narrowing.best(scores, 4, least=2, grain=2)
    assert [part.tolist() for part in kept] == [[0, 1, 2, 3], [2, 3], [2, 3]]


def test_all_parts_are_the_same_model() -> None:
    model = llamas.plain(60)
    heads, neurons = narrowing.importance(model, ROWS)
    same = narrowing.narrowed(model, narrowing.best(heads, WHOLE, 1, 1), narrowing.best(neurons, WHOLE, 1, 1))
    tokens = torch.arange(5, 25)[None]
    with torch.no_grad():
        assert torch.equal(model(tokens).logits, same(tokens).logits)


def test_without_a_part_the_model_is_as_if_it_were_silent() -> None:
    model = llamas.plain(60)
    heads = [torch.tensor([1]), torch.tensor([0, 1]), torch.tensor([0])]
    neurons = [torch.arange(0, 128, 2), torch.arange(64), torch.arange(128)]
    small = narrowing.narrowed(model, heads, neurons)
    assert small.config.layer_key_heads == [1, 2, 1]
    assert small.config.layer_widths == [64, 64, 128]
    again = narrowing.narrowed(small, [torch.arange(len(part)) for part in heads], [torch.arange(64)] * 3)
    assert again.config.layer_widths == [64, 64, 64]
    with torch.no_grad():
        for layer, groups, inner in zip(model.model.layers, heads, neurons, strict=True):
            for group in {0, 1} - set(groups.tolist()):
                layer.self_attn.o_proj.weight[:, group * 64 : (group + 1) * 64] = 0
            layer.mlp.down_proj.weight[:, [part for part in range(128) if part not in inner.tolist()]] = 0
        tokens = torch.arange(5, 25)[None]
        assert torch.allclose(model(tokens).logits, small(tokens).logits, atol=1e-5)
    assert narrowing.loss(small, ROWS) == pytest.approx(narrowing.loss(model, ROWS), abs=1e-4)
