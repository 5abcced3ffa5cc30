"""Which other documents a schema document names. It is read as far as that takes, and nothing is built."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname
from xml.parsers import expat

SCHEMA = "http://www.w3.org/2001/XMLSchema "
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance "
_REFERRING = frozenset(SCHEMA + name for name in ("include", "import", "redefine", "override"))
_AHEAD = _REFERRING | {SCHEMA + "annotation"}
"""What may stand before the components of a schema."""


class Reference(NamedTuple):
    """Another document that is named.

    Attributes:
        namespace: what is imported; None for a document of the same namespace.
        location: where it is said to be; "" if that is not said.
    """

    namespace: str | None
    location: str


class Head(NamedTuple):
    """The beginning of a schema document.

    Attributes:
        target: its target namespace, or "".
        references: in their order.
    """

    target: str
    references: list[Reference]


def head(data: bytes) -> Head:
    """The beginning of a schema document; of one that is not well-formed, as far as it is."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.EntityDeclHandler = reader.refuse
    with contextlib.suppress(_Enough, expat.ExpatError, ValueError):
        parser.Parse(data, True)
    return Head(reader.target, reader.references)


def file_of(location: str, folder: Path) -> Path | None:
    """The file at a location that a document of a folder names; None if that is in a network."""
    parts = urlsplit(location)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    if len(parts.scheme) > 1:  # one letter is a drive
        return None
    path = (folder / location).resolve()
    return path if path.exists() else (folder / unquote(parts.path)).resolve()


class _Enough(Exception):  # noqa: N818 - it is no error
    """Nothing more is named."""


class _Reader:
    """Takes what a parser finds."""

    def __init__(self) -> None:
        self.target = ""
        self.references: list[Reference] = []
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A start tag."""
        self._depth += 1
        if self._depth == 1:
            self.target = attributes.get("targetNamespace", "")
            pairs = attributes.get(_INSTANCE + "schemaLocation", "").split()
            self.references += map(Reference, pairs[::2], pairs[1::2])
            plain = attributes.get(_INSTANCE + "noNamespaceSchemaLocation", "").split()
            self.references += (Reference("", location) for location in plain)
        elif self._depth == 2:  # noqa: PLR2004 - a child of the root
            if name not in _AHEAD:
                raise _Enough
            if name in _REFERRING:
                namespace = attributes.get("namespace", "") if name == SCHEMA + "import" else None
                self.references.append(Reference(namespace, attributes.get("schemaLocation", "").strip()))

    def end(self, _: str) -> None:
        """An end tag."""
        self._depth -= 1

    def refuse(self, *_: object) -> None:
        """A declaration of an entity: no such document is read."""
        raise _Enough
