"""The command line, `harmony-gen`: some commands are here, others in modules of their own in `commands`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony_gen import __version__
from harmony_gen.commands import bench, demo, evaluate, extract, finetune, validate
from harmony_gen.commands.inputs import (
    PRECISIONS,
    ROOT_HELP,
    SCHEMA_HELP,
    add_answering,
    add_model,
    answering_of,
    generator_of,
    schema_of,
    text_of,
)
from harmony_gen.errors import HarmonyError, Interrupted, SchemaError, UnsatisfiableError
from harmony_gen.pipeline.records import field_as_json, usage_as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony_gen.result import Result
    from harmony_gen.schema import Schema


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Returns:
        The exit status: 0, 1 for an error with its message on standard error, 130 after Ctrl-C.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except Interrupted as interruption:
        print(interruption.partial_text)
        print("harmony-gen: interrupted; the text above is incomplete", file=sys.stderr)
        return 130
    except KeyboardInterrupt:
        print("harmony-gen: interrupted before there was any text", file=sys.stderr)
        return 130
    except HarmonyError as error:
        print(f"harmony-gen: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="harmony-gen", description="Answers in your schema from a local model.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    generate = commands.add_parser("generate", help="write an answer that is valid under a schema")
    generate.set_defaults(run=_generate)
    generate.add_argument("--schema", required=True, metavar="FILE", help=SCHEMA_HELP)
    generate.add_argument("--root", metavar="NAME", help=ROOT_HELP)
    generate.add_argument("--input", default="-", metavar="FILE", help="the prompt, UTF-8; - is standard input")
    add_model(generate)
    add_answering(generate)
    generate.add_argument("--indent", type=int, metavar="N", help="of an XML document: lines, N spaces a level")
    generate.add_argument("--json", action="store_true", help="print value, fields and usage as one JSON object")

    extract.add(commands)
    evaluate.add(commands)
    validate.add(commands)
    bench.add(commands)

    schema = commands.add_parser("schema", help="look at a schema")
    check = schema.add_subparsers(required=True, metavar="ACTION").add_parser(
        "check", help="say how each keyword is guaranteed, what the shortest answer is, and what to look out for"
    )
    check.set_defaults(run=_check_schema)
    check.add_argument("file", metavar="FILE", help=SCHEMA_HELP)
    check.add_argument("--root", metavar="NAME", help=ROOT_HELP)
    check.add_argument("--order", default="schema", choices=("any", "schema"), help="of the members of objects")

    demo.add(commands)

    memory = commands.add_parser("memory", help="say how much memory a model needs, from its configuration alone")
    memory.set_defaults(run=_memory)
    memory.add_argument("model", metavar="MODEL", help="directory, config.json, or Hugging Face id")
    memory.add_argument("--precision", choices=PRECISIONS, help="of the weights; default: all that are possible")
    memory.add_argument("--context", type=int, default=4096, metavar="N", help="tokens of prompt and answer")
    memory.add_argument("--batch", type=int, default=1, metavar="N", help="prompts at a time")
    memory.add_argument("--device-memory", metavar="SIZE", help="count devices of this size, as 24GiB")
    finetune.add(commands)
    return parser


def _generate(options: argparse.Namespace) -> int:
    schema = schema_of(Path(options.schema), options.root)
    prompt = text_of(options.input)

    answering = answering_of(options)
    result = generator_of(options).generate(prompt, schema, **answering)
    if not schema.is_json and not options.json:
        print(result.text if options.indent is None else schema.indented(result.text, options.indent))
        return 0
    shown = _report(result) if options.json else result.value
    print(json.dumps(shown, ensure_ascii=False, indent=None if options.json else 2))
    return 0


def _check_schema(options: argparse.Namespace) -> int:
    try:
        schema = schema_of(Path(options.file), options.root, options.order)
    except SchemaError as error:
        print(f"refused  {error.pointer or 'the schema'}: {error}")
        return 1
    for place, how in schema.coverage.items():
        print(f"{how:<7}  {place}")
    print()
    try:
        witness = schema.witness()
    except UnsatisfiableError as error:
        print(f"Satisfiable: {error}")
        return 1
    print(f"Satisfiable: yes, by {witness}")
    print(f"Smallest budget: {_tokens(witness)} tokens, the end token included, with the embedded model's tokenizer")
    _print_caveats(schema)
    return 0


def _memory(options: argparse.Namespace) -> int:
    from harmony_gen.models import devices, report
    from harmony_gen.models.loading import configuration

    device_bytes = None if options.device_memory is None else devices.size(options.device_memory)
    table = report.table(
        options.model,
        configuration(options.model),
        precision=options.precision,
        context=options.context,
        batch=options.batch,
        device_bytes=device_bytes,
    )
    print(table)
    return 0


def _tokens(text: str) -> int:
    """Tokens of an answer for the embedded model."""
    from harmony_gen.generator import Generator

    return len(Generator.embedded()._vocabulary.encode_bytes(text.encode())) + 1


def _print_caveats(schema: Schema[Any]) -> None:
    places: dict[str, list[str]] = {}
    for caveat in schema.caveats():
        places.setdefault(caveat.text, []).append(caveat.pointer or "the root")
    for text, found in places.items():
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        print(f"Warning: at {found[0]}{more}: {text}")


def _report(result: Result[Any]) -> dict[str, Any]:
    return {
        "value": result.text if hasattr(result.value, "tag") else result.value,  # an XML document as it is
        "finish": result.finish,
        "reasoning": result.reasoning,
        "fields": {
            place: {**field_as_json(field), "text_span": field.text_span} for place, field in result.fields.items()
        },
        "usage": usage_as_json(result.usage),
    }
