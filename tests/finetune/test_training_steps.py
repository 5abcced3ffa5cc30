from __future__ import annotations

import csv
import json
import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from finetune.embedded import attention, checkpoint, evaluate, export, journal, sampling, tokenizer, train, warmup
from finetune.embedded.batches import Batch, Plan, Sources, collate, pool
from finetune.embedded.encoding import IGNORED, PAD, Encoder, Example, spelled
from finetune.embedded.learner import Way, slope
from finetune.embedded.network import SIZES, build, finished
from finetune.embedded.stream import Place, Stream
from finetune.embedded.task import Task
from harmony_gen import Generator
from harmony_gen.models.embedded import load_embedded

if TYPE_CHECKING:
    from pathlib import Path

PLAN = Plan(tokens=3000, batch_tokens=400, context=1024, real_share=0.0, seed=3)
TASK = Task(
    {"type": "object", "properties": {"camelName": {"type": "string"}}, "required": ["camelName"]},
    "camelName: Zoë 订单 <|end|> 12.5",
    {"camelName": "Zoë 订单 <|end|> 12.5"},
    "d",
    "l",
    "en",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tokenizer")
    rng = random.Random(0)
    tokenizer.save(tokenizer.train(tokenizer.texts_of(sampling.sample(rng) for _ in range(300)), 800), directory)
    return directory


@pytest.fixture(scope="module")
def encoder(home: Path) -> Encoder:
    return Encoder.load(home)


def surroundings(home: Path, directory: Path) -> train.Surroundings:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (directory / name).write_bytes((home / name).read_bytes())
    return train.Surroundings(directory, None, "cpu", 1, 1e9)


def test_tokenizer_gives_texts_back(encoder: Encoder) -> None:
    rng = random.Random(7)
    texts = [text for _ in range(50) for text in tokenizer.texts_of([sampling.sample(rng)])]
    for text in [*texts, "  two  spaces\n\n\ttab", '{"a":[{"b":1},{"b":""}]}', "😀 <|end|> é 龘"]:
        assert encoder.decode(encoder.plain(text)) == text


def test_tokenizer_is_made_for_copying(encoder: Encoder) -> None:
    for word in ("Kraut", "订单", "2025", "kraut"):
        alone = encoder.plain(word)
        assert encoder.plain(f"x {word} y")[2:-2] == alone
        assert encoder.plain(f'{{"a":"{word}","b"')[-len(alone) - 3 : -3] == alone
    assert len(encoder.plain("2025")) == 4
    assert len(encoder.plain(" ")) == len(encoder.plain('":"')) == 1


def test_tokenizer_is_the_same_every_time(home: Path) -> None:
    rng = random.Random(0)
    again = tokenizer.train(tokenizer.texts_of(sampling.sample(rng) for _ in range(300)), 800)
    assert json.loads(again.to_str())["model"] == json.loads((home / "tokenizer.json").read_text())["model"]


def test_text_is_never_control(encoder: Encoder) -> None:
    assert encoder.end == 1
    assert encoder.example(TASK).prompt.count(encoder.end) == 0
    assert encoder.example(TASK).answer.count(encoder.end) == 1
    with pytest.raises(ValueError, match="nonsense"):
        encoder.control("<|nonsense|>")


def test_prompt_is_what_the_library_writes(home: Path, encoder: Encoder, tmp_path: Path) -> None:
    generator = exported(home, tmp_path)
    generator._model.config.max_position_embeddings = 4096  # so that no description is left out
    rng = random.Random(1)
    for _ in range(20):
        task = sampling.sample(rng)
        assert encoder.prompt(task.text, task.schema) == generator._encode(task.text, task.schema)


def test_loss_lies_on_the_answer_alone(encoder: Encoder) -> None:
    examples = [encoder.example(TASK), Example((5, 6), (7, 8, 1), (IGNORED, 8, 1))]
    batch = collate(examples)
    length = batch.tokens.shape[1]
    first = len(examples[0].prompt)
    answer = len(examples[0].answer)
    assert batch.tokens[1].tolist() == [5, 6, 7, 8, 1] + [PAD] * (length - 5)
    assert batch.places.tolist() == [*range(first - 1, first + answer - 1), length + 2, length + 3]
    assert batch.targets.tolist() == [*examples[0].answer, 8, 1]
    assert batch.count == first + answer + 5
    for place, target in zip(batch.places, batch.targets, strict=True):
        assert batch.tokens.reshape(-1)[place + 1] == target


def test_warm_up_learns_values_only(encoder: Encoder) -> None:
    example = warmup.example(encoder, random.Random(2))
    assert len(example.labels) == len(example.answer)
    assert 0 < sum(label == IGNORED for label in example.labels) < len(example.labels)
    assert all(label in (IGNORED, token) for label, token in zip(example.labels, example.answer, strict=True))


def test_pools_depend_on_their_number_alone(encoder: Encoder) -> None:
    sources = Sources(encoder, None)
    plan = replace(PLAN, tokens=100_000)
    first, again, other = pool(4, plan, sources), pool(4, plan, sources), pool(5, plan, sources)
    assert same(first, again)
    assert not same(first, other)
    assert all(batch.tokens.size <= plan.batch_tokens or len(batch.tokens) == 1 for batch in first)


def test_rows_begin_short(encoder: Encoder) -> None:
    plan = replace(PLAN, tokens=1_000_000, batch_tokens=2000)
    assert max(batch.tokens.shape[1] for batch in pool(0, plan, Sources(encoder, None))) <= 128
    assert plan.longest(0.9) == 1024
    assert plan.shares(0.0)["copying"] == 0.6
    assert plan.shares(1.0) == {"copying": 0.0, "real": 0.0, "synthetic": 1.0}


def test_streams_are_alike_whatever_the_number_of_workers(home: Path) -> None:
    def read(workers: int, start: Place, count: int) -> list[tuple[Place, Batch]]:
        with Stream(PLAN, home, None, start, workers) as stream:
            return [pair for pair, _ in zip(iter(stream), range(count), strict=False)]

    whole = read(1, Place(), 40)
    later = read(2, whole[29][0], 10)
    assert [place for place, _ in whole[30:]] == [place for place, _ in later]
    assert same([batch for _, batch in whole[30:]], [batch for _, batch in later])


def test_a_failing_worker_is_heard(tmp_path: Path) -> None:
    with Stream(PLAN, tmp_path, None, Place()) as stream, pytest.raises(RuntimeError, match="tokenizer"):
        next(iter(stream))


def test_a_resumed_run_makes_the_same_steps(home: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    directories = [tmp_path / "whole", tmp_path / "pieces"]
    for directory in directories:
        directory.mkdir()
    start = begun(home)
    whole = train.proceed(start, surroundings(home, directories[0]), lambda _: False)
    around = surroundings(home, directories[1])
    train.proceed(start, around, lambda step: step == 3)
    half = checkpoint.load(directories[1])
    assert half.step == 3
    assert 0 < half.tokens < PLAN.tokens
    pieces = train.proceed(half, around, lambda _: False)
    assert (pieces.step, pieces.tokens, pieces.place) == (whole.step, whole.tokens, whole.place)
    assert pieces.tokens >= PLAN.tokens
    for name, weight in whole.learner["model"].items():
        assert torch.equal(weight, pieces.learner["model"][name]), name
    assert not torch.equal(weight, start.learner["model"][name])


def test_a_resumed_journal_counts_its_own_steps(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "_STEPS_PER_ENTRY", 4)
    around = surroundings(home, tmp_path)
    train.proceed(begun(home), around, lambda step: step == 3)
    train.proceed(checkpoint.load(tmp_path), around, lambda step: step == 4)
    (entry,) = journal.read(tmp_path)
    assert entry.loss == pytest.approx(math.log(len(Encoder.load(home))), rel=0.2)  # of one step, not of a quarter


def test_the_rate_rises_stays_and_falls() -> None:
    assert slope(0, 0.0) < slope(30, 0.0) < slope(60, 0.0) == slope(500, 0.69) == 1
    assert slope(500, 0.85) == pytest.approx(0.5)
    assert 0 < slope(500, 1.0) < 0.05


def test_the_journal_drops_what_lies_behind_the_checkpoint(tmp_path: Path) -> None:
    book = journal.Journal(tmp_path, 0)
    for step in (50, 100, 150):
        book.add(journal.Entry(step, step * 10, 1.5, 2.0, 0.5, 100.0, 0.004))
    assert [entry.step for entry in journal.read(tmp_path)] == [50, 100, 150]
    journal.Journal(tmp_path, 100)
    with (tmp_path / "loss.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["50", "100"]
    assert "loss" in journal.draw(tmp_path)
    assert "10.0%" in journal.read(tmp_path)[0].line(5000)


def begun(home: Path) -> checkpoint.Checkpoint:
    return train.begin(PLAN, Way(), build(SIZES["tiny"], len(Encoder.load(home)), PLAN.seed))


def exported(home: Path, directory: Path) -> Generator:
    directory.mkdir(exist_ok=True)
    surroundings(home, directory)
    start = begun(home)
    checkpoint.save(start, directory)
    export.export(directory, directory / "out")
    return Generator.embedded(directory / "out")


def test_an_exported_model_answers(home: Path, tmp_path: Path) -> None:
    with exported(home, tmp_path) as generator:
        answer = generator.generate("qty: 4", {"type": "object", "properties": {"qty": {"type": "integer"}},
                                               "required": ["qty"], "additionalProperties": False})  # fmt: skip
        assert isinstance(answer.value["qty"], int)
        outcome = evaluate.judge([TASK], evaluate.constrained(generator))
        assert outcome.valid == outcome.score.answers == 1
        free = evaluate.judge([TASK], evaluate.free(generator)).figures()
        assert free["tasks"] == 1
        assert "document" in evaluate.table({"documents": {"free": free}})
    assert load_embedded(tmp_path / "out").name == str(tmp_path / "out")


def test_a_run_may_start_from_a_finished_model(home: Path, tmp_path: Path) -> None:
    with exported(home, tmp_path):
        weights = begun(home).learner["model"]
    other = replace(PLAN, seed=PLAN.seed + 1, gentle=False)
    start = train.begin(other, Way(), finished(tmp_path / "out"))
    for name, weight in start.learner["model"].items():
        assert torch.equal(weight, weights[name].half().float()), name
    assert other.longest(0.0) == other.context
    assert other.shares(0.0)["copying"] == 0


def test_weights_that_fp16_cannot_hold_are_refused(home: Path, tmp_path: Path) -> None:
    surroundings(home, tmp_path)
    start = begun(home)
    start.learner["model"]["model.embed_tokens.weight"][0, 0] = 1e9
    checkpoint.save(start, tmp_path)
    with pytest.raises(ValueError, match="fp16"):
        export.export(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("size", "millions"), [("small", 2.6), ("medium", 5.9), ("large", 15)])
def test_sizes(size: str, millions: float) -> None:
    with torch.device("meta"):
        weights = sum(weight.numel() for weight in build(SIZES[size], 4096).parameters())
    assert weights / 1e6 == pytest.approx(millions, rel=0.07)
    assert 2 * weights < export.MAX_BYTES


def test_splits_are_drawn_from_their_own_seed() -> None:
    assert evaluate.tasks("fresh", 3, 0) == evaluate.tasks("fresh", 3, 0) != evaluate.tasks("fresh", 3, 1)
    assert len(evaluate.tasks("documents", 5, 0)) == 5


def same(left: list[Batch], right: list[Batch]) -> bool:
    return len(left) == len(right) and all(
        np.array_equal(a.tokens, b.tokens) and np.array_equal(a.targets, b.targets)
        for a, b in zip(left, right, strict=True)
    )


def test_spelling() -> None:
    value: Any = {"a": ["é", None, True], "b": 1.5}
    assert spelled(value) == '{"a":["é",null,true],"b":1.5}'


@pytest.mark.parametrize("key_heads", [0, 1, 2])
def test_plain_attention_is_attention(key_heads: int) -> None:
    attention.register()
    torch.manual_seed(0)
    model = grouped(key_heads) if key_heads else build(SIZES["tiny"], 100).eval()
    tokens = torch.randint(100, (3, 17))
    with torch.no_grad():
        expected = model(tokens).logits
        model.set_attn_implementation(attention.NAME)
        assert torch.allclose(model(tokens).logits, expected, atol=1e-5)
        shorter = model(tokens[:, :9]).logits
    assert torch.allclose(shorter, expected[:, :9], atol=1e-5)  # what follows, padding included, changes nothing


def grouped(key_heads: int) -> LlamaForCausalLM:
    """A llama whose heads of queries share heads of keys."""
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    return LlamaForCausalLM(LlamaConfig(vocab_size=100, num_key_value_heads=key_heads, **sizes)).eval()
