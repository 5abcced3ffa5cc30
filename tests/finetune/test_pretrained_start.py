"""A start from a pretrained model: its tokens chosen, and how it learns."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from finetune.embedded import checkpoint, export, narrowing, pretrained, train
from finetune.embedded import tokenizer as tokens
from finetune.embedded.batches import Plan, Sources, pool
from finetune.embedded.encoding import Encoder
from finetune.embedded.learner import Learner, Way
from finetune.embedded.network import finished
from harmony_gen.models import packed
from harmony_gen.models.embedded import END_MARKER
from support import llamas

PLAN = Plan(tokens=20_000, batch_tokens=1500, context=600, real_share=0.0, seed=3, gentle=False)
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


def test_the_tokens_used_most_and_their_parts_are_kept(merges: list[tuple[str, str]]) -> None:
    long = max(merges, key=lambda pair: len("".join(pair)))
    kept = pretrained.chosen(merges, {"".join(long): 9, "".join(merges[0]): 1, "e": 20}, 1)
    made = {"".join(pair) for pair in kept}
    assert "".join(long) in made
    assert kept == [pair for pair in merges if pair in kept]
    everything = {"".join(pair) for pair in merges}
    assert all(part in made for pair in kept for part in pair if part in everything)
    assert Encoder(pretrained.shortened(kept)).plain("".join(long).replace("Ġ", " ")) == [
        pretrained.shortened(kept).token_to_id("".join(long))
    ]
    assert pretrained.chosen(merges, {"".join(pair): 1 for pair in merges}, len(merges)) == merges


def test_what_is_kept_of_a_model(merges: list[tuple[str, str]]) -> None:
    fewer = pretrained.shortened(merges[:20])
    names = ["<|im_end|>", *sorted(set(fewer.get_vocab()) - set(tokens.CONTROL))[:-3]]
    vocabulary = {name: index for index, name in enumerate(names)}
    large = llamas.plain(len(names))
    large.config.quantization_config = {"quant_method": "gguf"}  # as it is after reading such a file
    small = pretrained.cut(large, vocabulary, fewer)
    assert not hasattr(small.config, "quantization_config")
    assert small.config.eos_token_id == fewer.token_to_id(END_MARKER)
    entries, before = small.model.embed_tokens.weight, large.model.embed_tokens.weight
    assert small.lm_head.weight is entries
    for name, index in fewer.get_vocab().items():
        known = vocabulary.get("<|im_end|>" if name == END_MARKER else name)  # the other stand-ins are not there
        assert torch.equal(entries[index], before.mean(0) if known is None else before[known]), name
    for name, weight in large.model.layers.state_dict().items():
        assert torch.equal(small.model.layers.state_dict()[name], weight), name


@pytest.mark.parametrize("is_packed", [True, False])
def test_frozen_layers_stay_and_the_others_learn(
    merges: list[tuple[str, str]], tmp_path: Path, is_packed: bool
) -> None:
    tokens.save(pretrained.shortened(merges[:100]), tmp_path)
    encoder = Encoder.load(tmp_path)
    model = llamas.narrow(len(encoder))
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    learner = Learner(model, "cpu", Way(3e-3, is_pretrained=True, frozen=1, packed=is_packed))
    batch = pool(0, PLAN, Sources(encoder, None))[0]
    losses = [float(learner.step(batch, 60 + number, 0.0)[0]) for number in range(8)]
    assert losses[-1] < losses[0] - 0.5
    for name, weight in model.state_dict().items():
        is_frozen = name.startswith("model.layers.0.")
        assert torch.equal(weight, before[name]) == is_frozen, name


def test_what_learns_packed_is_judged_as_it_will_be_read(merges: list[tuple[str, str]], tmp_path: Path) -> None:
    tokens.save(pretrained.shortened(merges[:50]), tmp_path)
    encoder = Encoder.load(tmp_path)
    batch = pool(0, PLAN, Sources(encoder, None))[0]
    exact, rounded = llamas.plain(len(encoder)), llamas.plain(len(encoder))
    with torch.no_grad():
        for weight in rounded.parameters():
            if weight.ndim == 2:
                weight.copy_(packed.rounded(weight))
    losses = [
        float(Learner(model, "cpu", Way(1e-3, is_pretrained=True, packed=is_packed)).step(batch, 0, 0.0)[0])
        for model, is_packed in ((exact, True), (rounded, False))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_run_starts_from_what_was_written_and_is_exported_packed(
    merges: list[tuple[str, str]], tmp_path: Path
) -> None:
    tokens.save(pretrained.shortened(merges[:30]), tmp_path)
    model = llamas.narrow(len(Encoder.load(tmp_path)))
    model.save_pretrained(str(tmp_path))
    start = train.begin(PLAN, Way(is_pretrained=True, packed=True), finished(tmp_path))
    for name, weight in model.state_dict().items():
        assert torch.equal(start.learner["model"][name], weight), name
    checkpoint.save(start, tmp_path)
    assert checkpoint.load(tmp_path).network == start.network
    export.export(tmp_path, tmp_path / "out")
    for name, weight in finished(tmp_path / "out").named_parameters():
        assert weight.requires_grad
        expected = model.state_dict()[name]
        assert torch.equal(weight, packed.rounded(expected) if weight.ndim == 2 else expected.half().float()), name
    export.export(tmp_path, tmp_path / "exact", exact=True)
    for name, weight in finished(tmp_path / "exact").named_parameters():
        expected = model.state_dict()[name]
        assert torch.equal(weight, packed.rounded(expected) if weight.ndim == 2 else expected), name


def test_a_run_is_exported_nearer_to_what_it_was_made_of(merges: list[tuple[str, str]], tmp_path: Path) -> None:
    tokens.save(pretrained.shortened(merges[:30]), tmp_path)
    encoder = Encoder.load(tmp_path)
    model, whole = llamas.plain(len(encoder)), llamas.plain(len(encoder))
    start = train.begin(PLAN, Way(is_pretrained=True), model)
    after = {name: weight * 1.5 for name, weight in start.learner["model"].items()}
    checkpoint.save(replace(start, learner={**start.learner, "model": after}), tmp_path)
    nearer = export.Nearer(whole, 0.5, 1.0)
    export.export(tmp_path, tmp_path / "exact", nearer, exact=True)
    for name, weight in finished(tmp_path / "exact").named_parameters():
        times = 1.0 if "embed" in name else 1.25
        torch.testing.assert_close(weight, whole.state_dict()[name] * times)
    rows = narrowing.examples(encoder, None, 2)
    export.export(tmp_path, tmp_path / "packed", nearer, rows)
    assert packed.is_packed(tmp_path / "packed")
    for name, weight in finished(tmp_path / "packed").named_parameters():
        near = finished(tmp_path / "exact").state_dict()[name]
        assert (weight - near).square().mean() < 0.05 * near.square().mean(), name


def test_entries_of_tokens_may_learn_more_slowly(merges: list[tuple[str, str]], tmp_path: Path) -> None:
    tokens.save(pretrained.shortened(merges[:50]), tmp_path)
    encoder = Encoder.load(tmp_path)
    batch = pool(0, PLAN, Sources(encoder, None))[0]
    moved = []
    for share in (1.0, 0.1, 0.0):
        model = llamas.plain(len(encoder))
        before = {name: weight.clone() for name, weight in model.state_dict().items()}
        Learner(model, "cpu", Way(1e-3, is_pretrained=True, entries=share)).step(batch, 60, 0.0)
        moved.append({name: float((weight - before[name]).abs().mean()) for name, weight in model.state_dict().items()})
    full, tenth, none = (each["model.embed_tokens.weight"] for each in moved)
    assert tenth == pytest.approx(full / 10, rel=0.01)
    assert none == 0 < full
    assert moved[0]["model.layers.0.mlp.up_proj.weight"] == moved[2]["model.layers.0.mlp.up_proj.weight"] > 0
