"""Does the format-compliance loss teach the format? Arms, seeds, held-out schemas; equal steps and equal compute.

    python -m finetune.experiments.format_loss.run --out RUN --base MODEL      # goes on where it stopped
    python -m finetune.experiments.format_loss.run --out RUN --small           # minutes, to see that it works
    python -m finetune.experiments.format_loss.report RUN

*unseen*: trained and judged on different forms. *scarce*: likewise, but only a tenth of the training forms has labels,
two documents of each; the texts and schemas of the others serve rollouts. *adapt*: rollouts may also use documents
(without labels) of the forms it is judged on. The rate is tuned on cross-entropy alone, once for few and once for many
labels, for all arms; of every run the best evaluation counts, by validity and field F1 of the same validation set.
`ce_compute` is cross-entropy with as many seconds as the dearest arm takes, and evaluated as often.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from finetune.experiments.format_loss.tasks import lines
from harmony_gen import Generator, HarmonyError
from harmony_gen.training.examples import read_examples
from harmony_gen.training.judging import free_answers, outcome
from harmony_gen.training.settings import Settings
from harmony_gen.training.trainer import finetune

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BOTH = ("first_error", "reward")
ARMS: dict[str, dict[str, Any]] = {
    "ce": {"forms": ()},
    "gold": {"forms": ("gold",)},
    "first_error": {"forms": ("first_error",)},
    "reward": {"forms": ("reward",)},
    "first_error+reward": {"forms": _BOTH},
    "constrained_16x1": {"forms": ("constrained",), "prompts": 16, "samples": 1, "reuse": 2},
}
"""What is planned: settings of the loss, by arm."""
_DEAREST = "constrained_16x1"
_LONG_CE = "ce_compute"
TRIES: dict[str, dict[str, Any]] = {
    "alpha_to_0.6": {"forms": _BOTH, "alpha": {"end": 0.6}},
    "constrained": {"forms": ("constrained",)},
    "ce_slow": {"forms": (), "rate": 2e-3},
    "constrained_16x1_slow": {**ARMS["constrained_16x1"], "rate": 2e-3},
    "first_error_16x1": {"forms": ("first_error",), "prompts": 16, "samples": 1, "reuse": 2},
    "rollouts_16x4": {"forms": _BOTH, "prompts": 4, "samples": 4},
    "rollouts_32": {"forms": _BOTH, "prompts": 8, "samples": 4, "reuse": 2},
}
"""More arms, run when named; some with a rate of their own."""
SETTINGS = ("unseen", "scarce", "adapt")
_UNMOVED = ("ce", "gold", _LONG_CE)
"""Arms that learn nothing from documents without labels: in the setting "adapt" they are what they are in "unseen"."""
_MOST_TOKENS = 1024
_ANSWER = 128
"""Tokens of an answer; no answer of the data has more than 120."""
_ROWS = 4
"""Labelled examples of a step, and prompts that two answers are sampled for."""
_CONSTRAINED_EVERY = 10
"""Of so many test documents one is answered under the constraint, too, where every answer is valid."""
_CONSTRAINED = "constrained"
_TUNING = "tune_"


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        train: schemas and documents of each.
        scarce: so much of it has labels where they are scarce.
        valid: likewise, for early stopping.
        test: likewise, for the result.
        steps: of each run.
        seeds: runs of each arm.
        rates: learning rates to choose from.
    """

    train: tuple[int, int] = (100, 4)
    scarce: tuple[int, int] = (10, 2)
    valid: tuple[int, int] = (30, 2)
    test: tuple[int, int] = (60, 10)
    steps: int = 120
    seeds: int = 5
    rates: tuple[float, ...] = (1e-3, 2e-3, 4e-3)


SMALL = Size((6, 2), (2, 1), (2, 2), (3, 2), 4, 1, (5e-4,))


class Experiment:
    """The experiment in a folder."""

    def __init__(self, out: Path, base: Path | None, size: Size) -> None:
        self._out, self._base, self._size = out, base, size
        for name, (schemas, documents) in (("train", size.train), ("valid", size.valid)):
            _write(out / f"{name}.jsonl", lines(name, schemas, documents))
        _write(out / "scarce.jsonl", self._scarce())
        schemas, documents = size.test
        rows = list(lines("test", schemas, documents + 1))  # the last document of each form is not judged
        _write(out / "test.jsonl", (row for place, row in enumerate(rows, 1) if place % (documents + 1)))
        more = rows[documents :: documents + 1]
        _write(out / "documents.jsonl", ({"text": row["text"], "schema": row["schema"]} for row in more))

    def _scarce(self) -> Iterator[dict[str, Any]]:
        """The training data with few labels."""
        (_, documents), (forms, labelled) = self._size.train, self._size.scarce
        for place, row in enumerate(lines("train", *self._size.train)):
            if place // documents >= forms or place % documents >= labelled:
                del row["output"]
            yield row

    def run(self, settings: Sequence[str], seeds: Sequence[int], arms: Sequence[str]) -> None:
        """What is not done yet, of these settings, seeds and arms; where none is named, of all that is planned."""
        self._judged("base", None, 0, 0.0)
        for setting in settings or SETTINGS:
            rate = self._tuned("scarce" if setting == "scarce" else "unseen")
            for seed in seeds or range(self._size.seeds):
                for arm in arms or (*ARMS, _LONG_CE):
                    if setting == "adapt" and arm in _UNMOVED:
                        continue
                    steps = self._longer(setting, seed) if arm == _LONG_CE else self._size.steps
                    self._arm(arm, (ARMS | TRIES).get(arm, ARMS["ce"]), setting, seed, rate, steps)

    def _longer(self, setting: str, seed: int) -> int:
        """The steps of cross-entropy alone that take as long as a run of the dearest arm."""
        dearest, plain = (self._seconds(arm, setting, seed) for arm in (_DEAREST, "ce"))
        return round(self._size.steps * max(1.0, dearest / plain))

    def _tuned(self, setting: str) -> float:
        """The learning rate that is best for cross-entropy."""
        for rate in self._size.rates:
            self._arm(f"{_TUNING}{rate:g}", ARMS["ce"], setting, 0, rate, self._size.steps)
        return max(self._size.rates, key=lambda one: self._result(f"{_TUNING}{one:g}/{setting}/0")["validation"])

    def _arm(self, arm: str, loss: dict[str, Any], setting: str, seed: int, rate: float, steps: int) -> None:
        name = f"{arm}/{setting}/{seed}"
        folder = self._out / "runs" / name
        if (folder / "result.json").is_file():
            return
        train = self._out / ("scarce.jsonl" if setting == "scarce" else "train.jsonl")
        data: dict[str, Any] = {"train": train, "held_out": self._out / "valid.jsonl"}
        if setting == "adapt":
            data["unlabelled"] = self._out / "documents.jsonl"
        # Few labels are soon known by heart, and there is more to be learnt from rollouts.
        loss = ({"alpha": {"kind": "linear", "end": 0.3}} if setting == "scarce" else {}) | loss
        rate = loss.pop("rate", rate)
        settings = Settings.of(
            {
                "model": {"base": "embedded", "directory": self._base},
                "data": {**data, "most_tokens": _MOST_TOKENS},
                "adapter": {"targets": "all-linear"},
                "loss": {"most_tokens": _ANSWER, "prompts": _ROWS, "samples": 2, **loss},
                "run": {
                    "out": folder,
                    "steps": steps,
                    "batch_size": _ROWS,
                    "rate": rate,
                    "seed": seed,
                    "evaluate_every": max(1, self._size.steps // 4),
                    "patience": steps,
                },
            }
        )
        ended = finetune(settings, resume=(folder / "checkpoint.pt").is_file())
        validation = ended.after.score if ended.after else 0.0
        self._judged(name, ended.adapter, ended.steps, validation, is_tested=not arm.startswith(_TUNING))

    def _judged(
        self, name: str, adapter: Path | None, steps: int, validation: float, *, is_tested: bool = True
    ) -> None:
        """Answers the test documents, freely and under the constraint, and keeps what became of each."""
        folder = self._out / "runs" / name
        if (folder / "result.json").is_file():
            return
        generator = Generator.embedded(self._base, adapter=None if adapter is None else str(adapter))
        examples = read_examples(self._out / "test.jsonl", generator, most=_MOST_TOKENS).labelled if is_tested else []
        free = free_answers(generator, examples, most=_ANSWER)
        told = {
            "steps": steps,
            "validation": validation,
            "lines": [one.number for one in examples],
            "free": [outcome(one.schema, one.text or "", text) for one, text in zip(examples, free, strict=True)],
            _CONSTRAINED: [
                outcome(one.schema, one.text or "", _answer(generator, one)) for one in examples[::_CONSTRAINED_EVERY]
            ],
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "result.json").write_text(json.dumps(told) + "\n", "utf-8")

    def _result(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self._out / "runs" / name / "result.json").read_text("utf-8"))
        return found

    def _seconds(self, arm: str, setting: str, seed: int) -> float:
        """Of a step, on average."""
        with (self._out / "runs" / arm / setting / str(seed) / "loss.csv").open(encoding="utf-8") as file:
            rows = [float(row["seconds"]) for row in csv.DictReader(file)]
        return sum(rows) / len(rows)


def _answer(generator: Generator, example: Any) -> str | None:
    try:
        return generator.generate(example.request.messages[0].content, example.schema, max_new_tokens=_ANSWER).text
    except HarmonyError:
        return None


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Writes a data set; one that lies there must be the same, or results of two would be mixed."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if path.is_file() and path.read_text("utf-8") != text:
        raise SystemExit(f"{path} holds other data. Choose another folder.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def main() -> None:
    """Runs what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the experiment")
    parser.add_argument("--base", type=Path, help="a model of the embedded form; default: the one in the package")
    parser.add_argument("--small", action="store_true", help="so little of everything that it takes minutes")
    parser.add_argument("--seeds", type=int, nargs="*", default=(), help="only these; others may run elsewhere")
    parser.add_argument("--settings", choices=SETTINGS, nargs="*", default=(), help="only these")
    parser.add_argument("--arms", choices=(*ARMS, _LONG_CE, *TRIES), nargs="*", default=(), help="only these")
    parser.add_argument("--steps", type=int, help="of each run; a folder holds runs of one length only")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    started = time.perf_counter()
    size = SMALL if options.small else Size()
    size = replace(size, steps=options.steps or size.steps)
    Experiment(options.out, options.base, size).run(options.settings, options.seeds, options.arms)
    print(f"Done in {time.perf_counter() - started:.0f} s.")


if __name__ == "__main__":
    main()
