"""`harmony-gen validate`: one text, or each line of a file of records."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony_gen.commands.inputs import ROOT_HELP, SCHEMA_HELP, schema_of, text_of
from harmony_gen.errors import HarmonyError, ValidationError

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Adds the command."""
    parser = commands.add_parser("validate", help="check a JSON text, an XML document or records against a schema")
    parser.set_defaults(run=_run)
    parser.add_argument("file", nargs="?", metavar="FILE", help="the same as --input")
    parser.add_argument("--schema", required=True, metavar="FILE", help=SCHEMA_HELP)
    parser.add_argument("--root", metavar="NAME", help=ROOT_HELP)
    parser.add_argument("--input", metavar="FILE", help="the text, UTF-8; - is standard input, the default")
    parser.add_argument(
        "--lines", action="store_true", help="it holds a record of `extract`, or a value, a line; so do files .jsonl"
    )
    parser.add_argument("--json", action="store_true", help="of lines: print the report as JSON")


def _run(options: argparse.Namespace) -> int:
    if options.file and options.input:
        raise HarmonyError(f"There are two inputs, {options.file} and {options.input}: give one.")
    schema, name = schema_of(Path(options.schema), options.root), options.file or options.input or "-"
    if options.lines or name.endswith(".jsonl"):
        from harmony_gen.pipeline.validation import judge_lines

        report = judge_lines(name, schema)
        print(json.dumps(report.as_json(), ensure_ascii=False) if options.json else report.table())
        return 0 if report.valid == report.lines else 1
    try:
        schema.validate(text_of(name))
    except ValidationError as error:
        print(f"invalid: {error}", file=sys.stderr)
        return 1
    print("valid")
    return 0
