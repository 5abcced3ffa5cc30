"""Why a schema does not load: what, where, and what to do."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

import xmlschema
from xmlschema.exceptions import XMLResourceParseError
from xmlschema.loaders import SchemaLoader

from harmony_gen.errors import SchemaError
from harmony_gen.schema.xsd.origin import belonging
from harmony_gen.schema.xsd.references import SCHEMA, file_of, head

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ERRORS = (xmlschema.XMLSchemaException, ParseError, OSError, ValueError, TypeError, KeyError, RecursionError)
"""What xmlschema raises for schemas that are none."""

_ASSERTIONS = frozenset(("assert", "assertion"))
_ELEMENTS = frozenset("alternative openContent defaultOpenContent override explicitTimezone".split())
_ATTRIBUTES = frozenset(
    "notQName notNamespace defaultAttributes defaultAttributesApply inheritable xpathDefaultNamespace".split()
)
_TYPES = frozenset("dateTimeStamp dayTimeDuration yearMonthDuration anyAtomicType error".split())


def fault(error: Exception, source: str | Path, what: str) -> SchemaError:
    """What to tell a user.

    Args:
        error: what went wrong.
        source: a text or a file.
        what: what to call it.
    """
    reason = str(getattr(error, "message", "") or error).strip().partition("\n")[0] or type(error).__name__
    if "forbidden" in reason.lower():
        return SchemaError(f"{what} declares or refers to entities, which are never read: {reason}. Write them out.")
    if not isinstance(error, ParseError | XMLResourceParseError):
        found = newer(source, what) or missing(source, what)
        if found is not None:
            return found
    path = getattr(error, "path", None) or ""
    version = "1.0, but 1.1" if _is_newer(source) else "1.0"
    return SchemaError(f"{what} is no XML Schema {version}{path and f', at {path}'}: {reason}", pointer=path)


def _is_newer(source: str | Path) -> bool:
    """Whether it would be a schema of version 1.1."""
    with contextlib.suppress(*ERRORS), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        xmlschema.XMLSchema11(str(source), allow="local", defuse="always")
        return True
    return False


def newer(source: str | Path, what: str) -> SchemaError | None:
    """An error that names the first construct of XML Schema 1.1, but for assertions, in a schema; None without any."""
    for path, data in belonging(source).items():
        found = None if data is None else _read(data).found
        if found is not None:
            file = "" if path is None else f" of {path.name}"
            return unknown(what, found.name, f"at {found.path}, line {found.line}{file}", found.path)
    return None


def unknown(what: str, name: str, where: str, path: str = "") -> SchemaError:
    """An error that names a construct of XML Schema 1.1."""
    return SchemaError(
        f"{what} uses {name}, which is XML Schema 1.1: {where}. Only 1.0 and assertions can be guaranteed; take "
        "it out, and check what it says of answers yourself.",
        pointer=path,
        keyword=name,
    )


def has_assertions(source: str | Path) -> bool:
    """Whether any document of a schema has assertions."""
    return any(data is not None and _read(data).has_assertions for data in belonging(source).values())


def missing(source: str | Path, what: str) -> SchemaError | None:
    """An error that names the documents that are not there; None if there are all."""
    found = list(dict.fromkeys(_missing(belonging(source))))
    if not found:
        return None
    return SchemaError(f"{what} needs documents that were not found: {'; '.join(found)}.")


def _missing(documents: Mapping[Path | None, bytes | None]) -> Iterator[str]:
    heads = {path: head(data) for path, data in documents.items() if data is not None}
    known = {*SchemaLoader.fallback_locations, *(one.target for one in heads.values())}
    for path, (_, references) in heads.items():
        by = "" if path is None else f", named by {path.name}"
        for namespace, location in references:
            if namespace is not None and namespace in known:
                continue
            file = file_of(location, Path.cwd() if path is None else path.parent) if location else None
            if not location and namespace is not None:
                yield f"one of the namespace {namespace!r}{by} without schemaLocation; say where it is"
            elif location and file is None:
                yield f"{location}{by}: it is in a network, and nothing is fetched; save it, and name the file"
            elif file is not None and documents.get(file) is None:
                yield f"{location}{by}; put it there, or correct schemaLocation"


class _Found(NamedTuple):
    """A construct in a document."""

    name: str
    path: str
    line: int


def _read(data: bytes) -> _Reader:
    """What of XML Schema 1.1 is in a document."""
    reader = _Reader()
    parser = reader.parser
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.StartNamespaceDeclHandler = reader.declare
    with contextlib.suppress(_Stop, expat.ExpatError, ValueError):
        parser.Parse(data, True)
    return reader


class _Stop(Exception):  # noqa: N818 - it is no error
    """It is found."""


class _Reader:
    """Reads a document as far as the first construct of XML Schema 1.1 but assertions.

    Attributes:
        found: that construct.
        has_assertions: there are assertions before it.
    """

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.found: _Found | None = None
        self.has_assertions = False
        self._steps: list[str] = []
        self._spaces: dict[str, str | None] = {}

    def declare(self, prefix: str | None, space: str | None) -> None:
        """A namespace declaration; schemas hardly ever change what a prefix means."""
        self._spaces[prefix or ""] = space

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A start tag."""
        is_xsd, local = name.startswith(SCHEMA), name.rpartition(" ")[2]
        if is_xsd and local in _ASSERTIONS:
            self.has_assertions = True
            attributes = {}
        label = f"[@name={attributes['name']!r}]" if "name" in attributes else ""
        self._steps.append(f"{'xs:' if is_xsd else ''}{local}{label}")
        construct = self._construct(local, attributes) if is_xsd else None
        if construct is not None:
            self.found = _Found(construct, "/" + "/".join(self._steps), self.parser.CurrentLineNumber)
            raise _Stop

    def end(self, _: str) -> None:
        """An end tag."""
        self._steps.pop()

    def _construct(self, element: str, attributes: Mapping[str, str]) -> str | None:
        """What of an element of a schema is of XML Schema 1.1."""
        if element in _ELEMENTS:
            return f"xs:{element}"
        named = sorted(attributes.keys() & _ATTRIBUTES)
        if named:
            return named[0]
        for name in ("type", "base", "itemType"):
            prefix, _, local = attributes.get(name, "").rpartition(":")
            if local in _TYPES and f"{self._spaces.get(prefix)} " == SCHEMA:
                return f"xs:{local}"
        return None
