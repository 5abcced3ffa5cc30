"""xmlschema as the judge of documents."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import ParseError

from xmlschema import XMLResource, XMLSchemaException

from harmony_gen.errors import ValidationError


def read_document(text: str | bytes) -> Any:
    """A document as an `XMLResource`; nothing outside it is ever read, and it may declare no entities.

    Raises:
        ValidationError: it is not well-formed, or declares entities.
    """
    data = text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text
    if not data.lstrip("\ufeff \t\r\n").startswith("<"):  # it would be taken for a path
        raise ValidationError("The document is not well-formed: it does not begin with a tag.")
    try:
        return XMLResource(data.lstrip("\ufeff \t\r\n"), defuse="always")
    except (ParseError, XMLSchemaException, ValueError) as error:
        raise ValidationError(f"The document is not well-formed: {error}.") from error


class XsdJudge:
    """Says whether a document is valid, by an XML Schema."""

    def __init__(self, schema: Any, roots: frozenset[str]) -> None:
        """Takes a schema from xmlschema, and the names that a root element may have."""
        self._schema = schema
        self._roots = roots

    def accepts(self, text: bytes) -> bool:
        """Whether a document is valid."""
        try:
            self.check(text)
        except ValidationError:
            return False
        return True

    def check(self, text: str | bytes) -> None:
        """Raises ValidationError with the first reason if a document is not valid."""
        document = read_document(text)
        if document.root.tag not in self._roots:
            known = ", ".join(sorted(self._roots))
            raise ValidationError(f"The root element is {document.root.tag}; it must be one of: {known}.")
        try:
            first = next(self._schema.iter_errors(document), None)
        except XMLSchemaException as error:  # of prefixes in values that nothing declares, among others
            raise ValidationError(f"The document cannot be validated: {error}") from error
        if first is not None:
            raise ValidationError(f"At {first.path or '/'}: {first.reason}")
