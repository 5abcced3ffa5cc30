"""XML Schemas from files, texts, folders and zip archives. Nothing is ever fetched from a network."""

from __future__ import annotations

import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import xmlschema
from xmlschema.validators import XsdElement, XsdGroup

from harmony_gen.errors import SchemaError
from harmony_gen.schema.xsd import faults
from harmony_gen.schema.xsd.origin import is_text, main_document

_LOST = (xmlschema.XMLSchemaIncludeWarning, xmlschema.XMLSchemaImportWarning)
_VERSION = "{http://www.w3.org/2007/XMLSchema-versioning}minVersion"
_LARGEST = 2**28
"""Bytes of the files of an archive."""


def load(source: str | Path, main: str | None = None) -> Any:
    """A schema of the package xmlschema.

    Args:
        source: a path of a file, a folder or a zip archive; or the text of a schema.
        main: in a folder or an archive, the path of the document to begin with; not needed if there is but one that
            no other includes or imports.

    Raises:
        SchemaError: it is no XML Schema 1.0, but for assertions, or a document it imports or includes is missing.
    """
    if isinstance(source, str) and is_text(source):
        return _built(source, "The schema")
    path = Path(source)
    if path.is_dir():
        return _built(main_document(path, main), f"The schema {path}")
    if path.suffix != ".zip" and not zipfile.is_zipfile(path):
        return _built(path, f"The schema {path}")
    with tempfile.TemporaryDirectory() as folder:
        _unpack(path, folder)
        return _built(main_document(Path(folder), main), f"The schema in {path}")


def _unpack(path: Path, folder: str) -> None:
    """Writes the files of an archive into a folder, and nowhere else."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > _LARGEST:
                raise SchemaError(f"The archive {path} holds {size:,} bytes; at most {_LARGEST:,} are unpacked.")
            archive.extractall(folder)  # names with .. or a root are cut down to what is inside
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError) as error:
        raise SchemaError(f"The archive {path} cannot be unpacked: {error}.") from error


def _built(source: str | Path, what: str) -> Any:
    """The schema of a text or a file: by version 1.0, or by 1.1 if it needs that for assertions."""
    try:
        schema, lost = _parsed(xmlschema.XMLSchema10, source)
        is_newer = schema.source.root.get(_VERSION, "1.0").strip() > "1.0"
    except faults.ERRORS as error:
        if not faults.has_assertions(source):
            raise faults.fault(error, source, what) from error
        is_newer = True
    if is_newer:
        schema, lost = _newer(source, what)
    if lost:
        raise faults.missing(source, what) or SchemaError(f"{what} needs a document that was not found: {lost[0]}")
    return schema


def _newer(source: str | Path, what: str) -> tuple[Any, list[str]]:
    """A schema of version 1.1 with assertions; raises SchemaError if it has anything else that 1.0 has not."""
    fault = faults.newer(source, what)
    if fault is not None:
        raise fault
    try:
        schema, lost = _parsed(xmlschema.XMLSchema11, source)
    except faults.ERRORS as error:
        raise faults.fault(error, source, what) from error
    for group in schema.iter_components(XsdGroup):
        if group.model == "all" and not all(isinstance(one, XsdElement) and one.max_occurs in (0, 1) for one in group):
            raise faults.unknown(what, "xs:all", "with more than elements that occur once")
    for element in schema.maps.elements.values():
        if " " in (element.elem.get("substitutionGroup") or "").strip():
            raise faults.unknown(what, "substitutionGroup", f"of several elements, at {element.local_name}")
    return schema, lost


def _parsed(version: type[xmlschema.XMLSchemaBase], source: str | Path) -> tuple[Any, list[str]]:
    """A schema, and what is said of documents that were not found."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        schema = version(str(source), allow="local", defuse="always")
    return schema, [str(one.message) for one in caught if issubclass(one.category, _LOST)]
