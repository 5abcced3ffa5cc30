"""A document with what a schema says of its elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony_gen.schema.xsd.judge import read_document
from harmony_gen.schema.xsd.names import INSTANCE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element

TYPE, NIL = f"{{{INSTANCE}}}type", f"{{{INSTANCE}}}nil"


class Declared:
    """A document and the declarations of its elements, as far as it is valid.

    Attributes:
        root: its root element.
    """

    def __init__(self, schema: Any, text: str) -> None:
        """Reads a document.

        Args:
            schema: from xmlschema.
            text: the document.

        Raises:
            ValidationError: it is not well-formed.
        """
        self._schema = schema
        self._document = read_document(text)
        self._declarations: dict[Any, Any] = {}
        self.root: Element = self._document.root

        def note(element: Any, declaration: Any) -> bool:
            self._declarations[element] = declaration
            return False

        for _ in schema.iter_errors(self._document, validation_hook=note):
            pass

    def declaration(self, element: Element) -> Any:
        """The declaration of an element; None if there is none."""
        return self._declarations.get(element)

    def type(self, element: Element) -> Any:
        """The type of an element: the one it names, or that of its declaration; None if there is neither."""
        declaration = self.declaration(element)
        named = element.get(TYPE)
        if named is None or declaration is None:
            return getattr(declaration, "type", None)
        try:
            return self._schema.maps.get_instance_type(named, declaration.type, self.prefixes(element))
        except (KeyError, ValueError, TypeError):
            return declaration.type

    def attribute_type(self, element: Element, name: str) -> Any:
        """The type of an attribute of an element; None if it is not known."""
        known: Mapping[str, Any] = getattr(self.type(element), "attributes", None) or {}
        declaration = known.get(name) or self._schema.maps.attributes.get(name)
        return getattr(declaration, "type", None)

    def prefixes(self, element: Element) -> Mapping[str, str]:
        """The namespaces that prefixes stand for, within an element."""
        found: Mapping[str, str] = self._document.get_nsmap(element)
        return found
