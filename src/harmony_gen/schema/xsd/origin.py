"""What a schema is made from: which files belong to it, and whether their content is what it was.

The files are found without building the schema: by the locations that the first elements of each document name.
"""

from __future__ import annotations

import contextlib
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname
from xml.parsers import expat

from harmony_gen.errors import SchemaError

_SUFFIX = ".xsd"
_XSD = "http://www.w3.org/2001/XMLSchema "
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance "
_REFERRING = frozenset(_XSD + name for name in ("include", "import", "redefine", "override"))
_AHEAD = _REFERRING | {_XSD + "annotation"}
"""What may stand before the components of a schema."""


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
        documents = _belonging(source.encode(), Path.cwd())
        return Origin(source, main, _digest({"": source.encode(), **documents}), _files(documents))
    given = path = Path(source)
    if given.is_dir():
        path = main_document(given, main)
    data = _read(path)
    if data is None:
        raise SchemaError(f"There is no file {str(given)[:200]!r} to read. Pass the path of a schema, or its text.")
    if zipfile.is_zipfile(path):
        return Origin(given.absolute(), main, _digest({"": data}), frozenset())
    documents = _belonging(data, path.parent)
    return Origin(given.absolute(), main, _digest({"": data, **documents}), _files(documents) | {path.resolve()})


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


def _files(documents: dict[str, bytes | None]) -> frozenset[Path]:
    return frozenset(Path(name).resolve() for name in documents)


def _digest(documents: dict[str, bytes | None]) -> str:
    """A hash of contents, in order; not of names, so that a folder may be moved."""
    found = sha256()
    for data in documents.values():
        found.update(b"absent" if data is None else sha256(data).digest())
    return found.hexdigest()


def _belonging(data: bytes, folder: Path) -> dict[str, bytes | None]:
    """The documents that one names, and those that they name, by their paths; None for what is not there."""
    found: dict[str, bytes | None] = {}
    waiting = [(data, folder)]
    while waiting:
        data, folder = waiting.pop()
        for location in _locations(data):
            path = _path(location, folder)
            if path is None or str(path) in found:
                continue
            content = found[str(path)] = _read(path)
            if content is not None:
                waiting.append((content, path.parent))
    return found


def _path(location: str, folder: Path) -> Path | None:
    """The file of a location; None if that is in a network."""
    parts = urlsplit(location)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    if len(parts.scheme) > 1:  # one letter is a drive
        return None
    path = (folder / location).resolve()
    return path if path.exists() else (folder / unquote(parts.path)).resolve()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


class _Enough(Exception):  # noqa: N818 - it is no error
    """No more locations follow."""


def _locations(data: bytes) -> list[str]:
    """The locations that a schema document names."""
    found: list[str] = []
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth == 1:
            pairs = attributes.get(_INSTANCE + "schemaLocation", "").split()
            found.extend([*pairs[1::2], *attributes.get(_INSTANCE + "noNamespaceSchemaLocation", "").split()])
        elif depth == 2:  # noqa: PLR2004 - a child of the root
            if name not in _AHEAD:
                raise _Enough
            if name in _REFERRING and attributes.get("schemaLocation", "").strip():
                found.append(attributes["schemaLocation"].strip())

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: object) -> None:  # documents that declare entities are no schemas
        raise _Enough

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler, parser.EntityDeclHandler = start, end, refuse
    with contextlib.suppress(_Enough, expat.ExpatError, ValueError):
        parser.Parse(data, True)
    return found
