"""`harmony-gen evaluate`: how good the answers of a run are."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harmony_gen.commands.inputs import ROOT_HELP, SCHEMA_HELP, schema_of
from harmony_gen.errors import HarmonyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harmony_gen.evaluation import Answer, Report

_SCORES = ("f1", "precision", "recall", "exact", "valid", "macro-f1")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser("evaluate", help="score the answers of a run against gold values")
    parser.set_defaults(run=run)
    parser.add_argument("answers", metavar="OUT", help="answers, JSON Lines as extract writes them")
    parser.add_argument("--gold", required=True, metavar="FILE", help="lines of {id, value, spans, source}")
    parser.add_argument("--schema", required=True, metavar="FILE", help=SCHEMA_HELP)
    parser.add_argument("--root", metavar="NAME", help=ROOT_HELP)
    parser.add_argument("--baseline", metavar="OUT", help="answers of an earlier run, to compare with")
    parser.add_argument("--free", metavar="OUT", help="answers of the same model without a schema")
    parser.add_argument("--ignore-case", action="store_true", help="of strings")
    parser.add_argument("--exact-text", action="store_true", help="white space and Unicode forms of strings count")
    parser.add_argument("--resamples", type=_count, default=1000, metavar="N", help="draws for intervals and tests")
    parser.add_argument("--seed", type=int, default=0, help="of these draws")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    parser.add_argument("--markdown", metavar="FILE", help="write a report there")
    parser.add_argument("--html", metavar="FILE", help="write a page with plots and mistakes there")
    parser.add_argument(
        "--fail-under",
        action="append",
        type=_least,
        default=[],
        metavar="[SCORE=]LEAST",
        help=f"exit with 1 if a score is lower, as 0.9 (of f1) or exact=0.5: {', '.join(_SCORES)}, or a field's F1",
    )


def run(options: argparse.Namespace) -> int:
    """Evaluates, prints and writes what was asked for; 1 if a score is under its least."""
    from harmony_gen.evaluation import Equality, Options, compare, evaluate
    from harmony_gen.evaluation.files import read_gold
    from harmony_gen.evaluation.page import as_page
    from harmony_gen.evaluation.writing import as_json, as_markdown, show

    schema = schema_of(Path(options.schema), options.root)
    gold = read_gold(options.gold)
    is_loose = not options.exact_text
    equality = Equality(options.ignore_case, ignore_white_space=is_loose, ignore_form=is_loose)
    how = Options(equality=equality, resamples=options.resamples, seed=options.seed)
    answers = _answers(options.answers)
    free = None if options.free is None else _answers(options.free)
    report = evaluate(answers, gold, schema, free=free, options=how)
    _check_names(report, options.fail_under)
    baseline = None
    if options.baseline is not None:
        baseline = compare(evaluate(_answers(options.baseline), gold, schema, options=how), report, options=how)
    by_schema = None if report.free is None else compare(report.free, report, options=how)
    show(report, sys.stdout, baseline, by_schema)
    _write(options.json, lambda: as_json(report, baseline, by_schema))
    _write(options.markdown, lambda: as_markdown(report, baseline, by_schema))
    _write(options.html, lambda: as_page(report, f"Evaluation of {Path(options.answers).name}", baseline, by_schema))
    return int(_is_under(report, options.fail_under))


def _answers(path: str) -> list[Answer]:
    """The answers of a file; lines that hold none are told on standard error."""
    from harmony_gen.evaluation.files import listed, read_answers

    answers, bad = read_answers(path)
    if bad:
        print(f"{path}: {len(bad)} lines hold no answer and are left out: {listed(bad)}", file=sys.stderr)
    return answers


def _write(path: str | None, make: Callable[[], str]) -> None:
    if path is None:
        return
    try:
        Path(path).write_text(make(), "utf-8", errors="backslashreplace")  # half a character is one, to JSON
    except OSError as error:
        message = f"The report cannot be written to {path}: {error.strerror}."
        raise HarmonyError(message) from error


def _is_under(report: Report, least: Iterable[tuple[str, float]]) -> bool:
    """Whether a score is too low; each that is, is told on standard error."""
    found = [(name, report.score(name), bound) for name, bound in least]
    under = [(name, score, bound) for name, score, bound in found if score is None or score < bound]
    for name, score, bound in under:
        shown = "not known" if score is None else f"{score:.4f}"
        print(f"harmony-gen: {name} is {shown}, and at least {bound} is asked for", file=sys.stderr)
    return bool(under)


def _check_names(report: Report, least: Iterable[tuple[str, float]]) -> None:
    fields = [field.field for field in report.fields]
    for name, _ in least:
        if name not in _SCORES and name not in fields:
            message = f"--fail-under names no score: {name}. Scores: {', '.join([*_SCORES, *fields])}."
            raise HarmonyError(message)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        message = f"it is a number from 1 on, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _least(text: str) -> tuple[str, float]:
    name, is_named, number = text.rpartition("=")
    try:
        bound = float(number)
    except ValueError:
        bound = -1.0
    if not 0 <= bound <= 1:
        message = f"it is a number from 0 to 1, as 0.9 or exact=0.5, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return name if is_named else "f1", bound
