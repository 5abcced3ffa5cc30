"""What can be made of a finished document of an XML Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony_gen.errors import SchemaError, ValidationError
from harmony_gen.schema.markup.path_rule import PathRule
from harmony_gen.schema.markup.scan import DocumentScan
from harmony_gen.schema.markup.text import unescaped
from harmony_gen.schema.rules import PointerRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harmony_gen.schema.markup.place import Place
    from harmony_gen.schema.rules import Rule
    from harmony_gen.schema.scanner import Scalar, Scanner


class Reader:
    """Reads documents of one schema. Nothing of xmlschema is loaded before there is one."""

    def __init__(self, schema: Callable[[], Any], names: Mapping[str, Any], quotations: Sequence[Place] = ()) -> None:
        """Takes what loads the schema, the state of its `Names`, and where documents quote."""
        self._schema = schema
        self._names = names
        self._quotations = quotations

    def quoting(self, places: Sequence[Place]) -> Reader:
        """The same of documents that quote a source at some places."""
        return Reader(self._schema, self._names, places)

    @property
    def scan(self) -> Scanner:
        """What follows documents while they are written."""
        return DocumentScan()

    def rule(self, rule: Rule) -> Rule:
        """A user's rule, made for documents.

        Raises:
            SchemaError: it is none of those that `harmony_gen.rule` makes.
        """
        if not isinstance(rule, PointerRule):
            raise SchemaError(f"Rules of XML documents are made by harmony_gen.rule, not {type(rule).__name__}.")
        return PathRule(rule.place, rule.reason, self._value)

    def _value(self, document: bytes, start: int) -> Any:
        """The value that begins at a byte: typed, or the element if it holds others."""
        from harmony_gen.schema.xsd import typed

        return typed.value_at(self._schema(), document, start)

    def canonical(self, text: str, spaces: int | None = None) -> str:
        """See `canonical.canonical`."""
        from harmony_gen.schema.xsd.canonical import canonical
        from harmony_gen.schema.xsd.names import Names

        return canonical(self._schema(), Names.restored(self._names), text, spaces)

    def scalars(self, text: bytes) -> Iterator[Scalar]:
        """See `typed.scalars`; what is quoted is sought as it is written."""
        from harmony_gen.schema.xsd import typed

        for scalar in typed.scalars(self._schema(), text):
            if any(place.matches(scalar.pointer) for place in self._quotations):
                yield scalar._replace(sought=unescaped(text[slice(*scalar.span)].decode()))
            else:
                yield scalar

    def to_dict(self, document: str | Any) -> Any:
        """See `Schema.to_dict`."""
        from xmlschema import XMLSchemaException

        from harmony_gen.schema.xsd.judge import read_document

        source = read_document(document) if isinstance(document, str) else document
        try:
            return self._schema().to_dict(source)
        except XMLSchemaException as error:
            reason = getattr(error, "reason", None) or error
            raise ValidationError(f"At {getattr(error, 'path', None) or '/'}: {reason}") from error
