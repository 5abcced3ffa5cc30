"""Runs of the trainer: what they leave behind, that they go on bit for bit, and what they say of bad input."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import peft
import pytest
import torch

from harmony_gen import Generator, ModelError, TrainingError
from harmony_gen.training import finetune, trainer
from harmony_gen.training.adapters import merge
from harmony_gen.training.loss import FORMS
from harmony_gen.training.settings import Settings
from support.models import SMALL

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
NAMES = ("Ann", "Bo", "Cy", "Dee", "Eve", "Flo")
DATA = [{"text": f"{n} is {i}", "schema": SCHEMA, "output": {"name": n, "age": i}} for i, n in enumerate(NAMES)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    lines = [*DATA, {"text": "Guy is 9", "schema": SCHEMA}]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "held_out.jsonl").write_text("\n".join(map(json.dumps, DATA[:2])))
    return tmp_path


def settings(home: Path, **changed: dict[str, Any]) -> Settings:
    parts: dict[str, dict[str, Any]] = {
        "data": {"train": "train.jsonl", "held_out": "held_out.jsonl"},
        "adapter": {"r": 2, "alpha": 4, "targets": "all-linear", "dropout": 0.1},
        "loss": {"alpha": {"kind": "constant", "start": 0.3}, "most_tokens": 24, "prompts": 2, "reuse": 3},
        "run": {"out": "run", "steps": 4, "batch_size": 2, "evaluate_every": 2, "warmup": 0, "rate": 1e-3},
    }
    for name, part in changed.items():
        parts[name] = {**parts.get(name, {}), **part}
    return Settings.of(parts, home)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(folder / "checkpoint.pt", weights_only=True)["weights"]
    return found


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft asks by an older name
def test_a_run_leaves_an_adapter_that_loads_everywhere(home: Path) -> None:
    given = settings(home, loss={"forms": FORMS}, run={"steps": 2})
    outcome = finetune(given)
    assert (outcome.steps, outcome.stopped_early) == (2, False)
    assert outcome.before is not None
    assert outcome.after is not None
    rows = (home / "run/loss.csv").read_text().splitlines()
    assert rows[0].split(",") == ["step", "alpha", "rate", "loss", "ce", *FORMS, "valid_gold", "p_valid", "seconds"]
    assert len(rows) == 3
    assert (home / "run/loss.png").is_file()
    adapted = Generator.embedded(adapter=str(outcome.adapter))
    answer = adapted.generate("Ann is 5", SCHEMA, max_new_tokens=40)
    merge("embedded", str(outcome.adapter), home / "merged")
    merged = Generator.embedded(home / "merged")
    assert merged.generate("Ann is 5", SCHEMA, max_new_tokens=40).text == answer.text
    plain = peft.AutoPeftModelForCausalLM.from_pretrained(str(outcome.adapter), dtype=torch.float32)
    ids = torch.arange(5, 15)[None]
    expected = adapted._model(ids).logits
    torch.testing.assert_close(plain.eval()(ids).logits, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("form", ["first_error", "constrained"])
def test_a_run_that_goes_on_is_the_run_that_was_not_stopped(
    home: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    given = settings(home, loss={"forms": [form]})
    finetune(given)
    whole = weights(home / "run")
    (home / "run/checkpoint.pt").rename(home / "whole.pt")
    made: list[int] = []

    def step(self: Any, number: int, real: Any = trainer._Run._step) -> Any:
        if made == [0, 1, 2]:
            raise KeyboardInterrupt
        made.append(number)
        return real(self, number)

    with monkeypatch.context() as patch:
        patch.setattr(trainer._Run, "_step", step)
        with pytest.raises(KeyboardInterrupt):
            finetune(given)
    with pytest.raises(TrainingError, match="holds a run"):
        finetune(given)
    with pytest.raises(TrainingError, match="other settings"):
        finetune(settings(home, run={"rate": 1e-2}), resume=True)
    assert finetune(given, resume=True).steps == 4
    again = weights(home / "run")
    assert whole.keys() == again.keys()
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    assert any(weight.abs().max() > 0 for name, weight in whole.items() if "lora_B" in name)


def test_a_step_in_parts_is_the_step_as_a_whole(home: Path) -> None:
    """With recomputed activations, too; with the form gold, for what is sampled hangs on the last bit."""
    same = {"adapter": {"dropout": 0.0}, "loss": {"forms": ["gold"]}}
    finetune(settings(home, **same, run={"steps": 2, "batch_size": 4, "out": "whole"}))
    parts = {"steps": 2, "batch_size": 1, "accumulate": 4, "checkpointing": True, "out": "parts"}
    finetune(settings(home, **same, run=parts))
    whole, split = (torch.load(home / name / "checkpoint.pt", weights_only=True) for name in ("whole", "parts"))
    for index, moments in whole["optimiser"]["state"].items():
        mean = moments["exp_avg"]  # of gradients, for Adam's steps hide their scale
        assert (split["optimiser"]["state"][index]["exp_avg"] - mean).norm() <= 1e-4 * mean.norm()
    for name, weight in whole["weights"].items():
        # Adam divides by the size of a gradient: where that is next to nothing, its last bits decide.
        assert torch.isclose(split["weights"][name], weight, rtol=1e-3, atol=1e-6).float().mean() > 0.99
        torch.testing.assert_close(split["weights"][name], weight, rtol=1e-3, atol=5e-6)


def test_mixed_precision(home: Path) -> None:
    run = {"steps": 1, "mixed_precision": "bf16", "accumulate": 2}
    assert finetune(settings(home, loss={"forms": FORMS}, run=run)).steps == 1


def test_a_validator_of_the_user(home: Path) -> None:
    with pytest.raises(TrainingError, match=r'forms = \["reward"\]'):
        finetune(settings(home), validator=len)
    assert finetune(settings(home, loss={"forms": ["reward"]}, run={"steps": 1}), validator=_no_name).steps == 1


def _no_name(text: str) -> bool:
    return "Ann" not in text


@pytest.mark.filterwarnings("ignore:At step:UserWarning")  # that it forgets is what is tested
def test_alpha_falls_where_examples_are_known_by_heart(home: Path) -> None:
    """Their cross-entropy goes on falling, that of the held-out examples does not."""
    other = {"text": "Ann is 5", "schema": SCHEMA, "output": {"name": "nobody at all", "age": 90817263}}
    (home / "held_out.jsonl").write_text(json.dumps(other))
    (home / "train.jsonl").write_text("\n".join(map(json.dumps, DATA[:2])))
    alpha = {"kind": "plateau", "end": 0.2, "fall": 1}
    loss = {"forms": ["gold"], "alpha": alpha}
    run = {"steps": 6, "evaluate_every": 4, "rate": 5e-3, "patience": 9}
    finetune(settings(home, loss=loss, run=run))
    rows = list(csv.DictReader((home / "run/loss.csv").read_text().splitlines()))
    assert [float(row["alpha"]) for row in rows] == pytest.approx([1, 1, 1, 1, 1, 0.2])
    entropies = [float(row["ce"]) for row in rows]
    assert entropies[3] < 0.9 * entropies[0]


def test_early_stopping_and_a_warning_of_what_is_forgotten(home: Path) -> None:
    given = settings(home, loss={"forms": []}, run={"rate": 0.5, "steps": 9, "evaluate_every": 1, "patience": 1})
    with pytest.warns(UserWarning, match=r"held-out cross-entropy is .* above its lowest"):
        outcome = finetune(given)
    assert outcome.stopped_early
    assert outcome.steps < 9


def test_a_loss_that_is_no_number_stops_the_run(home: Path) -> None:
    given = settings(home, loss={"forms": []}, run={"rate": 1e30})
    with pytest.raises(TrainingError, match=r"at step 1 \(lines .* checkpoint, of step 0, is kept") as caught:
        finetune(given)
    assert caught.value.step == 1
    assert len(caught.value.lines) == 2
    assert set(caught.value.lines) <= set(range(1, 7))
    kept = torch.load(home / "run/checkpoint.pt", weights_only=True)
    assert kept["state"]["step"] == 0
    assert all(torch.isfinite(weight).all() for weight in kept["weights"].values())


def test_where_the_disk_is_full_the_last_checkpoint_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings(home)
    saved, real = [], torch.save

    def save(kept: Any, file: Any) -> None:
        if saved:
            file.write(b"half")
            raise OSError(28, "No space left on device")
        saved.append(kept)
        real(kept, file)

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(TrainingError, match=r"checkpoint of step 2 .*No space left.*That of step 0 is kept"):
        finetune(given)
    assert torch.load(home / "run/checkpoint.pt", weights_only=True)["state"]["step"] == 0
    assert [path.name for path in (home / "run").glob("*.part")] == []


def test_an_adapter_that_cannot_be_written_leaves_the_old_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "adapter"
    folder.mkdir()
    (folder / "old").touch()

    class Full:
        def save_pretrained(self, path: str, **_: Any) -> None:
            Path(path).mkdir()
            raise OSError(28, "No space left on device")

    with pytest.raises(TrainingError, match=r"No space left on device.* The previous one is kept"):
        trainer.adapters.save(Full(), None, folder)
    assert sorted(path.name for path in home.glob("adapter*")) == ["adapter"]
    assert (folder / "old").exists()


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("loss", {"alpha": {"start": 1.5}}, r"loss\.alpha.*alpha must be in \[0, 1\]; its start is 1\.5"),
        ("loss", {"forms": ["silver"]}, r"loss\.forms\.0"),
        ("loss", {"forms": ["reward"], "samples": 1}, "samples to at least 2"),
        ("run", {"stepps": 3}, r"run\.stepps: Extra inputs"),
        ("run", {"steps": 0}, r"run\.steps.*\(it is 0\)"),
    ],
)
def test_wrong_settings_are_named(home: Path, part: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        settings(home, **{part: values})


def test_settings_in_a_file(home: Path) -> None:
    path = home / "run.toml"
    with pytest.raises(TrainingError, match="cannot be read"):
        Settings.load(path)
    path.write_text("a = ")
    with pytest.raises(TrainingError, match="are not TOML"):
        Settings.load(path)
    path.write_text('[data]\ntrain = "train.jsonl"\n[run]\nout = "run"\n')
    assert Settings.load(path).run.out == home / "run"


def test_what_cannot_be_trained(home: Path) -> None:
    with pytest.raises(TrainingError, match=r"No adapter can be put on query.*linear modules are called .*q_proj"):
        finetune(settings(home, adapter={"targets": ["query"]}))
    with pytest.raises(TrainingError, match="module:function"):
        finetune(settings(home, loss={"forms": ["reward"], "validator": "no_such_module:f"}))
    (home / "train.jsonl").write_text('{"text": "a", "schema": true, "output": 1')
    with pytest.raises(TrainingError, match=r"no labelled example is left\. line 1: it is not JSON") as caught:
        finetune(settings(home))
    assert caught.value.lines == (1,)
    (home / "train.jsonl").write_text("\n".join(map(json.dumps, DATA)))
    with pytest.raises(TrainingError, match="no checkpoint in"):
        finetune(settings(home), resume=True)


def test_an_adapter_of_another_tokenizer_is_refused(home: Path) -> None:
    outcome = finetune(settings(home, loss={"forms": []}, run={"steps": 1}))
    path = outcome.adapter / "tokenizer.json"
    path.write_text(path.read_text("utf-8").replace('"<|schema|>"', '"<|scheme|>"'), "utf-8")
    with pytest.raises(ModelError, match=r"another tokenizer than this model has: they differ in '<\|sche"):
        Generator.embedded(adapter=str(outcome.adapter))


@pytest.mark.slow
def test_two_processes_learn_what_one_does(home: Path) -> None:
    same: dict[str, Any] = {"adapter": {"dropout": 0.0}, "loss": {"forms": ["gold"]}}
    finetune(settings(home, **same, run={"steps": 2, "batch_size": 4, "out": "one"}))
    lines = [
        f"[model]\ndirectory = {str(SMALL)!r}",
        '[data]\ntrain = "train.jsonl"\nheld_out = "held_out.jsonl"',
        '[adapter]\nr = 2\nalpha = 4\ntargets = "all-linear"',
        '[loss]\nforms = ["gold"]\nalpha = {kind = "constant", start = 0.3}\nmost_tokens = 24\nreuse = 3',
        '[run]\nout = "two"\nsteps = 2\nbatch_size = 2\nevaluate_every = 2\nwarmup = 0\nrate = 1e-3',
    ]
    (home / "two.toml").write_text("\n".join(lines))
    launch = "-m torch.distributed.run --nproc_per_node 2 -m finetune.lora".split()
    command = [sys.executable, *launch, str(home / "two.toml")]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    one, two = weights(home / "one"), weights(home / "two")
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, rtol=1e-3, atol=1e-6)
