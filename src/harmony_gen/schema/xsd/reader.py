"""What can be made of a finished document of an XML Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


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
