"""XML Schemas from files, texts, folders and zip archives. Nothing is ever fetched from a network."""

from __future__ import annotations

import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import xmlschema

from harmony_gen.errors import SchemaError

_SUFFIX = ".xsd"


def load(source: str | Path | Any, main: str | None = None) -> Any:
    """A schema of the package xmlschema.

    Args:
        source: a path of a file, a folder or a zip archive; the text of a schema; or one that xmlschema has built.
        main: in a folder or an archive, the path of the document to begin with; not needed if there is but one that
            no other includes or imports.

    Raises:
        SchemaError: it is no XML Schema 1.0, or a document it imports or includes is missing.
    """
    if isinstance(source, xmlschema.XMLSchemaBase):
        return source
    if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith("<"):
        return _built(source, "The schema")
    path = Path(source)
    if path.is_dir():
        return _built(str(_main(path, main)), f"The schema {path}")
    if not path.is_file():
        raise SchemaError(f"There is no file {str(path)[:200]!r}. Pass the path of a schema, or its text.")
    if not zipfile.is_zipfile(path):
        return _built(str(path), f"The schema {path}")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        archive.extractall(folder)  # it never writes outside the folder
        return _built(str(_main(Path(folder), main)), f"The schema in {path}")


def _main(folder: Path, main: str | None) -> Path:
    """The document of a folder to begin with."""
    if main is not None:
        path = folder / main
        if not path.is_file():
            raise SchemaError(f"There is no document {main!r} in the folder or archive.")
        return path
    paths = sorted(folder.rglob(f"*{_SUFFIX}"))
    texts = {path: path.read_text("utf-8", errors="replace") for path in paths}
    first = [path for path in paths if not any(path.name in text for other, text in texts.items() if other is not path)]
    if len(first) != 1:
        named = ", ".join(str(path.relative_to(folder)) for path in first or paths) or "none"
        raise SchemaError(f"It is not plain with which document to begin; say main=…. Candidates: {named}.")
    return first[0]


def _built(source: str, what: str) -> Any:
    errors = (xmlschema.XMLSchemaException, ParseError, OSError, ValueError, TypeError, KeyError, RecursionError)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            schema = xmlschema.XMLSchema10(source, allow="local", defuse="always")
    except errors as error:
        reason = str(getattr(error, "message", "") or error).strip().partition("\n")[0]
        path = getattr(error, "path", None)
        where = f" at {path}" if path else ""
        raise SchemaError(f"{what} is no XML Schema 1.0{where}: {reason or type(error).__name__}") from error
    missing = [
        str(one.message) for one in caught if "Include" in one.category.__name__ or "Import" in one.category.__name__
    ]
    if missing:
        raise SchemaError(f"{what} needs a document that was not found: {missing[0]}")
    return schema
