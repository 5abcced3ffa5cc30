"""`harmony-gen extract`: from many inputs into a file of records."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony_gen.commands.inputs import (
    ROOT_HELP,
    SCHEMA_HELP,
    add_answering,
    add_model,
    add_reading,
    answering_of,
    generator_of,
    reading_of,
    schema_of,
)

if TYPE_CHECKING:
    import argparse

    from harmony_gen.pipeline import Summary


def add(commands: Any) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "extract", help="write a record for each of many inputs; the same command goes on where it was stopped"
    )
    parser.set_defaults(run=_run)
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="files, folders, .jsonl, .csv, or - for stdin")
    parser.add_argument("--schema", required=True, metavar="FILE", help=SCHEMA_HELP)
    parser.add_argument("--root", metavar="NAME", help=ROOT_HELP)
    parser.add_argument("--output", required=True, metavar="FILE", help="the records, JSONL; may be there in part")
    add_reading(parser)
    add_model(parser)
    add_answering(parser)
    parser.add_argument("--batch-size", type=int, default=16, metavar="N", help="answers that are written together")
    parser.add_argument("--keep-source", action="store_true", help="put the text into its record")
    parser.add_argument("--cache", metavar="PLACE", help="of answers: a folder, redis://…, or off")
    parser.add_argument("--retry-errors", action="store_true", help="try those again whose record is an error")
    parser.add_argument("--force", action="store_true", help="go on with a file that another schema or model made")


def _run(options: argparse.Namespace) -> int:
    schema, reading = schema_of(Path(options.schema), options.root), reading_of(options)
    answering = answering_of(options)

    from harmony_gen.pipeline import extract

    try:
        summary = extract(
            options.inputs,
            schema,
            output=options.output,
            generator=generator_of(options),
            reading=reading,
            keep_source=options.keep_source,
            cache=options.cache,
            batch_size=options.batch_size,
            force=options.force,
            retry_errors=options.retry_errors,
            **answering,
        )
    except KeyboardInterrupt:
        print(f"harmony-gen: interrupted; the same command goes on with {options.output}", file=sys.stderr)
        return 130
    _print(summary, options.output)
    return 1 if summary.failed else 0


def _print(summary: Summary, output: str) -> None:
    """Says on standard error what was done."""
    if summary.quarantined:
        lines = ", ".join(map(str, summary.quarantined[:20])) + (", …" if len(summary.quarantined) > 20 else "")  # noqa: PLR2004
        print(f"Damaged lines of {output}, moved to {output}.quarantine and done again: {lines}", file=sys.stderr)
    if summary.cache_trouble:
        print(f"The cache went out of use: {summary.cache_trouble}", file=sys.stderr)
    parts = [f"{summary.answered} answered ({summary.cached} from the cache)", f"{summary.failed} failed"]
    print(f"{', '.join(parts)}, {summary.kept} done before, in {summary.seconds:.1f} s", file=sys.stderr)
