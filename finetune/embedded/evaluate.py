"""Judge an embedded model: by split, constrained and free, field by field.

    python -m finetune.embedded.evaluate --model embedded --count 300 --splits fresh,documents --out scores.json

Splits are those of `sampling` and three more: `utterances` (real ones, held out), `documents` (written by hand) and
`development` (written by hand, too, to look at while working on the model).
Constrained answers come from `harmony_gen.Generator`, "quoted" ones with every string a quotation, free ones from plain
greedy search with the same prompt.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import torch

from finetune.embedded import metric, sampling, utterances
from finetune.embedded.documents import DEVELOPMENT, DOCUMENTS, documents
from harmony_gen import Generator, HarmonyError
from harmony_gen.models.embedded import CONTEXT_TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from finetune.embedded.task import Task

SPLITS = ("fresh", "words", "aliases", "layouts", "domains", "utterances", "documents", "development")
_WRITTEN = {"documents": DOCUMENTS, "development": DEVELOPMENT}
_END = 1


@dataclass(frozen=True)
class Outcome:
    """How a model did on the tasks of one split, in one way.

    Attributes:
        score: leaves and whole answers that are right.
        valid: answers that the schema allows.
        seconds: time for all of them.
        failures: tasks that could not be answered at all, with the reason.
    """

    score: metric.Score
    valid: int
    seconds: float
    failures: tuple[str, ...]

    def figures(self) -> dict[str, Any]:
        """The outcome as it is written down; shares between 0 and 1."""
        answers = max(self.score.answers, 1)
        return {
            "tasks": self.score.answers,
            "valid": self.valid / answers,
            "exact": self.score.exactness(),
            "accuracy": self.score.accuracy(),
            "right_of_gold": self.score.recall(),
            "by_type": self.score.by_type(),
            "seconds_per_document": self.seconds / answers,
            "failures": list(self.failures),
        }


def tasks(split: str, count: int, seed: int, real: Path | None = None) -> list[Task]:
    """The tasks of a split; the same for the same seed.

    Args:
        split: one of `SPLITS`.
        count: how many, at most.
        seed: of what is drawn.
        real: utterances.jsonl.gz, or None.
    """
    rng = random.Random(f"evaluate/{split}/{seed}")
    if split in _WRITTEN:
        return documents(_WRITTEN[split])[:count]
    if split == "utterances":
        source = utterances.load(real)
        return [source.judged(rng) for _ in range(count)] if source else []
    return [sampling.sample(rng, split) for _ in range(count)]


def constrained(generator: Generator, *, grounded: bool | None = None) -> Callable[[Task], Any]:
    """Answers under the library's constraint, grounded or not; None for the model's default."""
    return lambda task: generator.generate(task.text, task.schema, grounded=grounded).value


def free(generator: Generator) -> Callable[[Task], Any]:
    """Answers of plain greedy search; `metric.MISSING` where they are not JSON."""

    @torch.inference_mode()
    def answer(task: Task) -> Any:
        prompt = generator._encode(task.text, task.schema)
        room = CONTEXT_TOKENS - len(prompt)
        if room <= 0:
            return metric.MISSING
        tokens = torch.tensor([prompt])
        made = generator._model.generate(
            tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=room, do_sample=False
        )[0, len(prompt) :].tolist()
        if _END not in made:
            return metric.MISSING
        try:
            return json.loads(generator._tokenizer.decode(made[: made.index(_END)]))
        except ValueError:
            return metric.MISSING

    return answer


def judge(listed: Iterable[Task], answer: Callable[[Task], Any], told: list[dict[str, Any]] | None = None) -> Outcome:
    """Answer tasks and compare.

    Args:
        listed: the tasks.
        answer: what answers one.
        told: where each answer is noted, if anywhere.
    """
    total, valid, failures = metric.Score.nothing(), 0, []
    started = time.perf_counter()
    for task in listed:
        try:
            value = answer(task)
        except HarmonyError as error:
            value = metric.MISSING
            failures.append(f"{type(error).__name__}: {error}")
        valid += is_valid(value, task.schema)
        total += metric.score(task.value, value, task.schema)
        if told is not None:
            told.append({"text": task.text, "gold": task.value, "answer": None if value is metric.MISSING else value})
    return Outcome(total, valid, time.perf_counter() - started, tuple(failures))


def is_valid(value: Any, schema: dict[str, Any]) -> bool:
    """Whether there is an answer and its schema allows it, by jsonschema."""
    return value is not metric.MISSING and jsonschema.Draft202012Validator(schema).is_valid(value)


def table(results: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Results as lines of a table, shares in per cent."""
    lines = ["split        way          tasks  valid  exact  fields  of gold  s/doc   by type"]
    for split, ways in results.items():
        for way, figures in ways.items():
            shares = [100 * figures[name] for name in ("valid", "exact", "accuracy", "right_of_gold")]
            kinds = " ".join(f"{kind} {100 * share:.0f}" for kind, share in figures["by_type"].items())
            lines.append(
                f"{split:12} {way:12} {figures['tasks']:5}  {shares[0]:5.1f}  {shares[1]:5.1f}  {shares[2]:6.1f}  "
                f"{shares[3]:7.1f}  {figures['seconds_per_document']:5.2f}   {kinds}"
            )
    return "\n".join(lines)


def main() -> None:
    """Evaluate a model, print a table and write the figures."""
    options = _parser().parse_args()
    torch.set_num_threads(options.threads)
    generator = Generator.embedded(None if options.model == "embedded" else options.model)
    ways = {
        "constrained": constrained(generator),
        "ungrounded": constrained(generator, grounded=False),
        "free": free(generator),
    }
    results: dict[str, dict[str, dict[str, Any]]] = {}
    answers: dict[str, list[dict[str, Any]]] = {}
    for split in options.splits.split(","):
        listed = tasks(split, options.count, options.seed, options.utterances)
        for way in options.ways.split(","):
            told: list[dict[str, Any]] = []
            results.setdefault(split, {})[way] = judge(listed, ways[way], told).figures()
            answers[f"{split}/{way}"] = told
        print(table({split: results[split]}), flush=True)
    if options.out is not None:
        written = {"model": options.model, "seed": options.seed, "results": results, "answers": answers}
        options.out.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="embedded", help='a directory, or "embedded": the one in the package')
    parser.add_argument("--count", type=int, default=300, help="tasks of each split")
    parser.add_argument("--splits", default=",".join(SPLITS), help="separated by commas")
    parser.add_argument(
        "--ways", default="constrained,free", help="constrained, ungrounded (values need not stand in the text), free"
    )
    parser.add_argument("--out", type=Path, help="file for figures and answers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--utterances", type=Path, help=f"utterances.jsonl.gz; default: ${utterances.VARIABLE}")
    return parser


if __name__ == "__main__":
    main()
