"""What a schema is made from: which files belong to it, and whether their content is what it was.

The files are found without building the schema: by the locations that the first elements of each document name.
"""

from __future__ import annotations

import re
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harmony_gen.errors import SchemaError
from harmony_gen.schema.xsd.references import file_of, head

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SUFFIX = ".xsd"
_PLACES = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_MOST_NAMED = 20


class Origin(NamedTuple):
    """The source of a schema.

    Attributes:
        source: an absolute path, or the text of a schema.
        main: in a folder or an archive, the document to begin with.
        digest: a hash of the content of all that belongs to it.
        files: the files that belong to it; those of an archive are not among them.
    """

    source: str | Path
    main: str | None
    digest: str
    files: frozenset[Path]


def origin(source: str | Path, main: str | None) -> Origin:
    """Looks at a source, as `loading.load` takes it.

    Raises:
        SchemaError: there is no such file, or it is not plain with which document of a folder to begin.
    """
    if isinstance(source, str) and is_text(source):
        documents = belonging(source)
        return Origin(source, main, _digest(documents), _files(documents))
    given = path = _given(source)
    if given.is_dir():
        path = main_document(given, main)
    if zipfile.is_zipfile(path):
        return Origin(given.absolute(), main, _digest({path: path.read_bytes()}), frozenset())
    documents = belonging(path)
    if documents[path] is None:
        raise SchemaError(f"There is no file {str(given)[:200]!r} to read. Pass the path of a schema, or its text.")
    return Origin(given.absolute(), main, _digest(documents), _files(documents))


def _given(source: str | Path) -> Path:
    """The path that is given."""
    text = str(source)
    if not text.strip():
        raise SchemaError("The source is empty. Pass the path of a schema, or its text.")
    if _PLACES.match(text):
        raise SchemaError(f"{text[:200]!r} is in a network, and nothing is fetched. Save it, and pass the path.")
    return Path(source)


def is_text(source: str) -> bool:
    """Whether it is the text of a document, not a path."""
    return source.lstrip("\ufeff \t\r\n").startswith("<")


def main_document(folder: Path, main: str | None) -> Path:
    """The document of a folder to begin with: the one that is named, or the only one that no other names.

    Raises:
        SchemaError: there is none, or there are several.
    """
    if main is not None:
        path = folder / main
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            raise SchemaError(f"There is no document {main!r} in the folder or archive.")
        return path
    paths = sorted(folder.rglob(f"*{_SUFFIX}"))
    if not paths:
        raise SchemaError(f"The folder or archive holds no {_SUFFIX} file.")
    named = {file for path in paths for file in _named(path) if file != path.resolve()}
    first = [path for path in paths if path.resolve() not in named]
    if len(first) != 1:
        known = listed(str(path.relative_to(folder)) for path in first or paths)
        raise SchemaError(f"It is not plain with which document to begin; say main=…. Candidates: {known}.")
    return first[0]


def listed(names: Iterable[str]) -> str:
    """Names in a sentence; of many the first."""
    found = list(names)
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return ", ".join(found[:_MOST_NAMED]) + more


def belonging(source: str | Path) -> dict[Path | None, bytes | None]:
    """The documents of a schema: the text (None) or file to begin with, those it names, and those that they name.

    What is not there is None.
    """
    found: dict[Path | None, bytes | None] = {}
    waiting: list[Path | None] = [source if isinstance(source, Path) else None]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        data = found[path] = _read(path) if path is not None else str(source).encode()
        if data is not None:
            waiting += _files_named(data, Path.cwd() if path is None else path.parent)
    return found


def _named(path: Path) -> list[Path]:
    """The files that a document names."""
    return _files_named(_read(path) or b"", path.parent)


def _files_named(data: bytes, folder: Path) -> list[Path]:
    found = (file_of(one.location, folder) for one in head(data).references if one.location)
    return [file for file in found if file is not None]


def _files(documents: dict[Path | None, bytes | None]) -> frozenset[Path]:
    return frozenset(path.resolve() for path in documents if path is not None)


def _digest(documents: Mapping[Any, bytes | None]) -> str:
    """A hash of contents, in order; not of names, so that a folder may be moved."""
    found = sha256()
    for data in documents.values():
        found.update(b"absent" if data is None else sha256(data).digest())
    return found.hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
