"""What commands are given: schemas in files, texts in files or on standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony_gen.pipeline.inputs import decoded, opened

if TYPE_CHECKING:
    from pathlib import Path

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
    with opened(name) as file:
        return decoded(file.read(), name)
