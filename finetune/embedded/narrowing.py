"""Narrow a llama to what our tasks need: the heads and inner neurons that matter least to the loss go.

    python -m finetune.embedded.narrowing --model START --out NARROW --key-heads 72 --neurons 26900

How much one matters is the Fisher information of a gate on its output (Theis et al. 2018; Molchanov et al. 2019): the
sum over places of the squared product of output and gradient, on fresh samples and real utterances. Groups of heads
compare with each other over all layers, and so do neurons; each layer keeps one group, and neurons by the `GRAIN`.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from finetune.embedded import sampling, tokenizer, utterances
from finetune.embedded.encoding import Encoder
from finetune.embedded.network import finished
from harmony_gen.models.narrow import NarrowLlamaConfig, NarrowLlamaForCausalLM
from harmony_gen.models.packed import GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetune.embedded.encoding import Example

GRAIN = GROUP
"""Neurons of a layer are a multiple of this, so that its weights can be packed."""
Scores = list[torch.Tensor]
"""For each layer, one number for each of its parts."""


def examples(encoder: Encoder, real: Path | None, count: int, seed: int = 0) -> list[Example]:
    """Short tasks, three of five fresh samples and the others real utterances, if there are any."""
    rng = random.Random(f"narrowing/{seed}")
    source = utterances.load(real)
    made: list[Example] = []
    while len(made) < count:
        is_real = source is not None and len(made) % 5 > 2  # noqa: PLR2004 - three of five
        task = source.sample(rng) if source is not None and is_real else sampling.sample(rng)
        if len(task.text) < 700:  # noqa: PLR2004 - long ones take long and tell no more
            made.append(encoder.example(task))
    return made


def importance(model: Any, rows: Sequence[Example]) -> tuple[Scores, Scores]:
    """How much each group of heads, and each inner neuron, matters for the answers.

    Args:
        model: a llama.
        rows: the examples, one backward pass each.

    Returns:
        Scores of the groups, by layer (groups,), and of the neurons, by layer (neurons,).
    """
    seen: dict[tuple[int, str], torch.Tensor] = {}
    hooks = []
    for number, layer in enumerate(model.model.layers):
        for kind, module in (("heads", layer.self_attn.o_proj), ("neurons", layer.mlp.down_proj)):
            hooks.append(module.register_forward_pre_hook(_keeper(seen, (number, kind))))
    heads = [torch.zeros(_key_heads(layer)) for layer in model.model.layers]
    neurons = [torch.zeros(layer.mlp.down_proj.in_features) for layer in model.model.layers]
    is_learning = [weight.requires_grad for weight in model.parameters()]
    model.requires_grad_(requires_grad=False)
    for row in rows:
        torch.autograd.backward(_loss(model, row))
        for number in range(len(heads)):
            heads[number] += _gate(seen[number, "heads"]).unflatten(1, (len(heads[number]), -1)).sum(2).square().sum(0)
            neurons[number] += _gate(seen[number, "neurons"]).square().sum(0)
    for hook in hooks:
        hook.remove()
    for weight, learns in zip(model.parameters(), is_learning, strict=True):
        weight.requires_grad_(learns)
    return heads, neurons


def best(scores: Scores, count: int, least: int, grain: int) -> list[torch.Tensor]:
    """The parts to keep, by layer, in their order.

    Args:
        scores: by layer.
        count: parts in all, about.
        least: parts that each layer keeps.
        grain: parts of a layer are rounded to a multiple of this.
    """
    ranked = torch.cat(scores).sort(descending=True).values
    bound = ranked[min(count, len(ranked)) - 1]
    kept = []
    for layer in scores:
        wanted = round(int((layer >= bound).sum()) / grain) * grain
        kept.append(layer.topk(min(max(wanted, least), len(layer))).indices.sort().values)
    return kept


def narrowed(model: Any, heads: Sequence[torch.Tensor], neurons: Sequence[torch.Tensor]) -> NarrowLlamaForCausalLM:
    """The same model with some of its parts.

    Args:
        model: a llama.
        heads: the groups of heads to keep, by layer.
        neurons: the inner neurons to keep, by layer.
    """
    size = model.config.head_dim
    shared = model.config.num_attention_heads // model.config.num_key_value_heads
    state = model.state_dict()
    for number, (groups, inner) in enumerate(zip(heads, neurons, strict=True)):
        keys = _spread(groups, size)
        queries = _spread(groups, size * shared)
        start = f"model.layers.{number}."
        for name, rows in (("q", queries), ("k", keys), ("v", keys)):
            state[f"{start}self_attn.{name}_proj.weight"] = state[f"{start}self_attn.{name}_proj.weight"][rows]
        for name in ("gate", "up"):
            state[f"{start}mlp.{name}_proj.weight"] = state[f"{start}mlp.{name}_proj.weight"][inner]
        state[f"{start}self_attn.o_proj.weight"] = state[f"{start}self_attn.o_proj.weight"][:, queries]
        state[f"{start}mlp.down_proj.weight"] = state[f"{start}mlp.down_proj.weight"][:, inner]
    form = {
        name: value for name, value in model.config.to_dict().items() if name not in ("model_type", "architectures")
    }
    form |= {"layer_key_heads": [len(part) for part in heads], "layer_widths": [len(part) for part in neurons]}
    small = NarrowLlamaForCausalLM(NarrowLlamaConfig(**form))
    small.load_state_dict(state)
    return small


def loss(model: Any, rows: Sequence[Example]) -> float:
    """Mean loss of the answers, in nats for each token."""
    with torch.no_grad():
        return sum(_loss(model, row).item() for row in rows) / sum(len(row.answer) for row in rows)


def main() -> None:
    """Narrow a model, and say what it costs before any training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="directory of a llama, with its tokenizer")
    parser.add_argument("--out", type=Path, required=True, help="directory to write to")
    parser.add_argument("--key-heads", type=int, required=True, help="groups of heads to keep, of all layers together")
    parser.add_argument("--neurons", type=int, required=True, help="inner neurons to keep, of all layers together")
    parser.add_argument("--examples", type=int, default=60, help="tasks that tell what matters")
    parser.add_argument("--utterances", type=Path, help=f"utterances.jsonl.gz; default: ${utterances.VARIABLE}")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    encoder = Encoder.load(options.model)
    model = finished(options.model)
    heads, neurons = importance(model, examples(encoder, options.utterances, options.examples))
    others = examples(encoder, options.utterances, 20, seed=1)
    print(f"{loss(model, others):.3f} nats a token before", flush=True)
    small = narrowed(model, best(heads, options.key_heads, 1, 1), best(neurons, options.neurons, GRAIN, GRAIN))
    small.save_pretrained(str(options.out))
    tokenizer.copy(options.model, options.out)
    print(f"{loss(small, others):.3f} nats a token after")
    print(
        f"{small.num_parameters() / 1e6:.1f} M parameters; {small.config.layer_key_heads} {small.config.layer_widths}"
    )


def _loss(model: Any, row: Example) -> torch.Tensor:
    tokens = torch.tensor([row.prompt + row.answer])
    entries = model.model.embed_tokens(tokens).requires_grad_(torch.is_grad_enabled())
    hidden = model.model(inputs_embeds=entries, use_cache=False).last_hidden_state[0, len(row.prompt) - 1 : -1]
    return functional.cross_entropy(model.lm_head(hidden), torch.tensor(row.answer), reduction="sum")


def _keeper(seen: dict[tuple[int, str], torch.Tensor], key: tuple[int, str]) -> Any:
    def keep(_: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        if inputs[0].requires_grad:
            inputs[0].retain_grad()
            seen[key] = inputs[0]

    return keep


def _gate(output: Any) -> torch.Tensor:
    """Output times gradient, (places, parts)."""
    product: torch.Tensor = (output.detach() * output.grad)[0]
    return product


def _key_heads(layer: Any) -> int:
    return int(layer.self_attn.k_proj.out_features // layer.self_attn.head_dim)


def _spread(groups: torch.Tensor, size: int) -> torch.Tensor:
    """The rows of groups of this size."""
    return (groups[:, None] * size + torch.arange(size)).flatten()


if __name__ == "__main__":
    main()
