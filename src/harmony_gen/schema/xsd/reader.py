"""What can be made of a finished document of an XML Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony_gen.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harmony_gen.schema.scanner import Scalar


class Reader:
    """Reads documents of one schema. Nothing of xmlschema is loaded before there is one."""

    def __init__(self, schema: Callable[[], Any], names: Mapping[str, Any]) -> None:
        """Takes what loads the schema, and the state of its `Names`."""
        self._schema = schema
        self._names = names

    def canonical(self, text: str) -> str:
        """See `canonical.canonical`."""
        from harmony_gen.schema.xsd.canonical import canonical
        from harmony_gen.schema.xsd.names import Names

        return canonical(self._schema(), Names.restored(self._names), text)

    def scalars(self, text: bytes) -> Iterator[Scalar]:
        """See `typed.scalars`."""
        from harmony_gen.schema.xsd import typed

        return typed.scalars(self._schema(), text)

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
