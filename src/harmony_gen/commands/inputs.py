"""What commands are given: schemas in files, texts in files or on standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import PromptError

if TYPE_CHECKING:
    from harmony_gen.schema import Schema

ROOT_HELP = "of an XML Schema: the element a document begins with"
SCHEMA_HELP = "JSON Schema (.json) or XML Schema (.xsd)"


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
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise PromptError(f"The input {name} cannot be read: {error.strerror}.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PromptError(
            f"The input {name} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}. "
            "Convert it first, for example with: iconv -f LATIN1 -t UTF-8"
        ) from error
