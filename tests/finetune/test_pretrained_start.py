"""A start from a pretrained model: its tokenizer cut short, its layers chosen, and how it learns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from finetune.embedded import pretrained, train
from finetune.embedded import tokenizer as tokens
from finetune.embedded.batches import Plan, Sources, pool
from finetune.embedded.encoding import Encoder
from finetune.embedded.learner import Learner
from finetune.embedded.network import SIZES, build
from harmony_gen.models.embedded import END_MARKER

SIZE = SIZES["tiny_llama"]
TEXTS = ["Total: 412.60 EUR for Ada Lovelace", '{"name":"Ada","n":12}', "结束 café\n\t\x00"]


@pytest.fixture(scope="module")
def merges() -> list[tuple[str, str]]:
    """Those of a tokenizer of the kind that is cut."""
    large = Tokenizer(models.BPE())
    large.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    large.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    source = Path(pretrained.__file__).read_text(encoding="utf-8")
    large.train_from_iterator([source], trainer)
    return [tuple(pair) for pair in json.loads(large.to_str())["model"]["merges"]]


@pytest.mark.parametrize("count", [0, 7, 100])
def test_any_number_of_merges_makes_a_tokenizer(merges: list[tuple[str, str]], count: int) -> None:
    encoder = Encoder(pretrained.shortened(merges[:count]))
    assert len(encoder) == len(tokens.CONTROL) + 256 + count
    assert [encoder.control(marker) for marker in tokens.CONTROL] == list(range(len(tokens.CONTROL)))
    for text in TEXTS:
        assert encoder.decode(encoder.plain(text)) == text
    assert len(encoder.plain("1234")) == 4
    assert END_MARKER not in [encoder.decode([token]) for token in encoder.plain(END_MARKER)]


def test_what_is_kept_of_a_model(merges: list[tuple[str, str]]) -> None:
    cut = pretrained.shortened(merges[:20])
    names = ["<|im_end|>", *sorted(set(cut.get_vocab()) - set(tokens.CONTROL))[:-3]]
    vocabulary = {name: index for index, name in enumerate(names)}
    torch.manual_seed(0)
    large = build(SIZE, len(names))
    small = build(SIZE, cut.get_vocab_size())
    pruned = pretrained.prune(large.state_dict(), vocabulary, cut, (0, 2, 2))
    small.load_state_dict(pruned)
    entries, before = small.model.embed_tokens.weight, large.model.embed_tokens.weight
    for name, index in cut.get_vocab().items():
        known = vocabulary.get("<|im_end|>" if name == END_MARKER else name)  # the other stand-ins are not there
        assert torch.equal(entries[index], before.mean(0) if known is None else before[known]), name
    for place, layer in enumerate((0, 2, 2)):
        for name, weight in large.model.layers[layer].state_dict().items():
            assert torch.equal(small.model.layers[place].state_dict()[name], weight), name
    hidden = torch.randn(1, 3, SIZE.width)
    assert torch.equal(small.model.norm(hidden), large.model.norm(hidden))


def test_frozen_layers_stay_and_the_others_learn(merges: list[tuple[str, str]], tmp_path: Path) -> None:
    tokens.save(pretrained.shortened(merges[:100]), tmp_path)
    encoder = Encoder.load(tmp_path)
    plan = Plan(tokens=20_000, batch_tokens=1500, context=600, real_share=0.0, seed=3, gentle=False)
    torch.manual_seed(1)
    model = build(SIZE, len(encoder))
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    learner = Learner(model, "cpu", SIZE, 3e-3)
    batch = pool(0, plan, Sources(encoder, None))[0]
    losses = [float(learner.step(batch, 60 + number, 0.0)[0]) for number in range(8)]
    assert losses[-1] < losses[0] - 0.5
    for name, weight in model.state_dict().items():
        is_frozen = name.startswith("model.layers.0.")
        assert torch.equal(weight, before[name]) == is_frozen, name


def test_a_run_starts_from_what_was_written(merges: list[tuple[str, str]], tmp_path: Path) -> None:
    tokens.save(pretrained.shortened(merges[:30]), tmp_path)
    torch.manual_seed(2)
    model = build(SIZE, len(Encoder.load(tmp_path)))
    model.save_pretrained(str(tmp_path))
    plan = Plan(tokens=1000, batch_tokens=500, context=300, real_share=0.0, seed=3, gentle=False)
    start = train.begin(plan, "tiny_llama", SIZE.rate, len(Encoder.load(tmp_path)), tmp_path)
    for name, weight in model.state_dict().items():
        assert torch.equal(start.learner["model"][name], weight), name
