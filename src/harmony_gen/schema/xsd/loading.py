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
from harmony_gen.schema.xsd.origin import is_text, main_document


def load(source: str | Path, main: str | None = None) -> Any:
    """A schema of the package xmlschema.

    Args:
        source: a path of a file, a folder or a zip archive; or the text of a schema.
        main: in a folder or an archive, the path of the document to begin with; not needed if there is but one that
            no other includes or imports.

    Raises:
        SchemaError: it is no XML Schema 1.0, or a document it imports or includes is missing.
    """
    if isinstance(source, str) and is_text(source):
        return _built(source, "The schema")
    path = Path(source)
    if path.is_dir():
        return _built(str(main_document(path, main)), f"The schema {path}")
    if not zipfile.is_zipfile(path):
        return _built(str(path), f"The schema {path}")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        archive.extractall(folder)  # it never writes outside the folder
        return _built(str(main_document(Path(folder), main)), f"The schema in {path}")


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
