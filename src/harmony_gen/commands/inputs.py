"""What commands are given: schemas in files, texts in files or on standard input."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import HarmonyError
from harmony_gen.pipeline.inputs import FORMATS, Reading, decoded, opened

if TYPE_CHECKING:
    from pathlib import Path

    from harmony_gen.generator import Generator
    from harmony_gen.request import Shared
    from harmony_gen.schema import Schema

ROOT_HELP = "of an XML Schema: the element a document begins with"
SCHEMA_HELP = "JSON Schema (.json) or XML Schema (.xsd)"
PRECISIONS = ("auto", "fp32", "bf16", "fp16", "int8", "int4")


def schema_of(path: Path, root: str | None, order: str = "schema") -> Schema[Any]:
    """The schema of a file, by its suffix."""
    from harmony_gen.schema import Schema

    if path.suffix == ".xsd":
        return Schema.from_xsd(path, root)
    return Schema.from_json_schema(path, property_order=order)


def text_of(name: str) -> str:
    """A file, or standard input, as text.

    Raises:
        PromptError: it cannot be read, or is not UTF-8.
    """
    with opened(name) as file:
        return decoded(file.read(), name)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Adds what says which model runs, for `generator_of`."""
    parser.add_argument("--model", help="directory or Hugging Face id; default: the embedded model")
    parser.add_argument("--precision", default="auto", choices=PRECISIONS, help="of the weights")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N")
    parser.add_argument("--adapter", help="directory or Hugging Face id of a peft adapter")


def generator_of(options: argparse.Namespace) -> Generator:
    """The model that runs; raises ModelError if it cannot be loaded."""
    from harmony_gen.shortcut import loaded

    return loaded(options.model, options.precision, options.device, options.adapter)


def add_answering(parser: argparse.ArgumentParser) -> None:
    """Adds how answers are written, for `answering_of`."""
    parser.add_argument("--max-new-tokens", type=int, default=512, metavar="N", help="the token budget of an answer")
    parser.add_argument(
        "--reasoning",
        type=_amount,
        metavar="N",
        help="at most so many tokens of thoughts; or low, medium, high",
    )
    parser.add_argument("--temperature", type=float, default=0.0, metavar="T", help="0 is greedy")
    parser.add_argument("--seed", type=int, help="of the random numbers, the same for each answer")
    parser.add_argument(
        "--missing",
        choices=("null", "omit", "abstain"),
        help="what becomes of values that the schema demands and the text does not hold",
    )
    parser.add_argument(
        "--verbatim",
        action="append",
        default=[],
        metavar="PLACE",
        help='strings there quote the text: "/quote", "/quotes/*", all: "/**", of XML: "//line/@text"; may be repeated',
    )
    parser.add_argument(
        "--grounded",
        action=argparse.BooleanOptionalAction,
        help="whether strings quote the text, and numbers, dates, addresses are what it states; default: by the model",
    )


def answering_of(options: argparse.Namespace) -> Shared:
    """How answers are written; raises HarmonyError for what cannot be."""
    from harmony_gen.decoding.sampling import Sampling
    from harmony_gen.schema.verbatim import verbatim

    try:
        return {
            "max_new_tokens": options.max_new_tokens,
            "reasoning": options.reasoning,
            "sampling": Sampling(temperature=options.temperature, seed=options.seed),
            "missing": options.missing,
            "grounded": options.grounded,
            "rules": tuple(map(verbatim, options.verbatim)),
        }
    except ValueError as error:
        raise HarmonyError(str(error)) from error


def _amount(text: str) -> int | str:
    """How much a model may think."""
    if text in ("low", "medium", "high"):
        return text
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"it is a number of tokens, low, medium or high, not {text!r}")
    return int(text)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Adds what says how files are read, for `reading_of`."""
    parser.add_argument(
        "--text",
        action="append",
        metavar="NAME",
        help='field of JSONL or column of CSV; default: "text"; may be repeated',
    )
    parser.add_argument("--id", metavar="NAME", help="field or column that holds the id; default: file:line")
    parser.add_argument("--format", default="auto", choices=FORMATS, help="of all files; default: by their suffix")


def reading_of(options: argparse.Namespace) -> Reading:
    """How files are read."""
    return Reading(texts=tuple(options.text or ("text",)), id=options.id, format=options.format)
