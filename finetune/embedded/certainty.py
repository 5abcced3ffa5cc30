"""How sure an embedded model is: does confidence mean what it says, and does it know what a text does not hold?

    python -m finetune.embedded.certainty --model embedded --count 200 --split fresh

Prints the expected calibration error of field confidences before and after calibration, the latter by
cross-validation; and, for schemas that demand what may be null, how well `Field.missing` finds it at some thresholds.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from pydantic_core import to_json

from finetune.embedded.evaluate import SPLITS, tasks
from harmony_gen import Generator, HarmonyError
from harmony_gen.calibration import METHODS, Calibration, learned
from harmony_gen.schema import scanner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from finetune.embedded.task import Task
    from harmony_gen import Field

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Abstention:
    """How well values are marked as missing at one threshold.

    Attributes:
        threshold: of the probability of absence.
        precision: of those that were marked, how many the text does not hold.
        recall: of those that it does not hold, how many were marked.
    """

    threshold: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def calibrated(generator: Generator, listed: Sequence[Task]) -> list[Calibration]:
    """A calibration by each method, fitted on answers to tasks."""
    rows = [(fields, task.schema, task.value) for task, fields in _answers(generator, listed, {})]
    return [learned(rows, method) for method in METHODS]


def abstentions(generator: Generator, listed: Iterable[Task]) -> list[Abstention]:
    """How well it is known what texts do not hold, where the schema demands it all the same."""
    pairs: list[tuple[float, bool]] = []
    demanded = [(task, demanding(task.schema)) for task in listed]
    changed = [replace(task, schema=schema) for task, schema in demanded if schema != task.schema]
    for task, fields in _answers(generator, changed, {"missing": "abstain"}):
        gold = {item.pointer: item.value for item in scanner.scalars(to_json(task.value))}
        known = [(field, gold[place]) for place, field in fields.items() if place in gold]
        pairs += [(field.absence, value is None) for field, value in known if field.absence is not None]
    return [_at(threshold, pairs) for threshold in THRESHOLDS]


def _at(threshold: float, pairs: Sequence[tuple[float, bool]]) -> Abstention:
    marked = [is_missing for absence, is_missing in pairs if absence >= threshold]
    missing = sum(is_missing for _, is_missing in pairs)
    return Abstention(threshold, sum(marked) / max(len(marked), 1), sum(marked) / max(missing, 1))


def _answers(
    generator: Generator, listed: Iterable[Task], options: dict[str, Any]
) -> Iterator[tuple[Task, Mapping[str, Field]]]:
    """Tasks with the fields of their answers; without those that do not fit the model's window."""
    for task in listed:
        with suppress(HarmonyError):
            yield task, generator.generate(task.text, task.schema, **options).fields


def demanding(schema: Any) -> Any:
    """A schema that admits no null."""
    if isinstance(schema, list):
        return [demanding(part) for part in schema if part != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    found = {keyword: demanding(value) for keyword, value in schema.items()}
    if isinstance(schema.get("type"), list):
        named = [kind for kind in schema["type"] if kind != "null"]
        found["type"] = named[0] if len(named) == 1 else named
    if isinstance(schema.get("enum"), list):
        found["enum"] = [value for value in schema["enum"] if value is not None]
    return found


def main() -> None:
    """Measure a model and print what was found."""
    options = _parser().parse_args()
    torch.set_num_threads(options.threads)
    generator = Generator.embedded(None if options.model == "embedded" else options.model)
    listed = tasks(options.split, options.count, options.seed)
    print(f"{options.split}, {len(listed)} tasks")
    print("method     fields  error before  after")
    for found in calibrated(generator, listed):
        print(f"{found.method:9} {found.count:7}  {found.error_before:12.3f}  {found.error_after:5.3f}")
    print("missing from  precision  recall     F1")
    for one in abstentions(generator, listed):
        print(f"{one.threshold:12.2f}  {one.precision:9.3f}  {one.recall:6.3f}  {one.f1:5.3f}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="embedded", help='a directory, or "embedded": the one in the package')
    parser.add_argument("--count", type=int, default=200, help="tasks, at most")
    parser.add_argument("--split", choices=SPLITS, default="fresh")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser


if __name__ == "__main__":
    main()
