"""What stands for wildcards: elements and attributes that the schema declares, and foreign ones that a user names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xmlschema.validators import XsdElement

from harmony_gen.errors import SchemaError
from harmony_gen.schema.markup.tree import NEVER, Part, literal
from harmony_gen.schema.xsd.names import INSTANCE, SCHEMA, XML, split

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harmony_gen.schema.xsd.names import Names

_FOREIGN = (INSTANCE, XML)
_MOST_ELEMENTS = 200
"""Global elements that stand for a wildcard."""


class Wildcards:
    """Knows what a wildcard admits.

    Attributes:
        elements: the global elements that are not abstract, at most 200.
        foreign_elements: the names of those that a user names and the schema does not declare.
    """

    def __init__(self, maps: Any, names: Names, foreign: Collection[str]) -> None:
        """Takes what is declared.

        Args:
            maps: the globals of a schema of xmlschema.
            names: how names are written.
            foreign: names of elements, {namespace}local, and of attributes, @{namespace}local.
        """
        self._maps = maps
        self._names = names
        self._every = [
            element
            for element in maps.elements.values()
            if isinstance(element, XsdElement) and split(element.name)[0] != SCHEMA and not element.abstract
        ]
        self.elements = self._every[:_MOST_ELEMENTS]
        self.foreign_elements = [name for name in foreign if name[:1] != "@" and name not in maps.elements]
        self._foreign_attributes = [name[1:] for name in foreign if name[:1] == "@" and name[1:] not in maps.attributes]

    def admitted(self, wildcard: Any) -> tuple[list[Any], list[str]]:
        """The global elements, and the names of foreign ones, that a wildcard admits."""
        declared = [element for element in self._every if wildcard.is_matching(element.name, "")]
        return declared[:_MOST_ELEMENTS], self._strangers(wildcard, self.foreign_elements)

    def attributes(self, wildcard: Any, own: Collection[str]) -> Iterator[Any]:
        """The global attributes that a wildcard admits beside certain ones."""
        for name, attribute in self._maps.attributes.items():
            if split(name)[0] not in _FOREIGN and name not in own and wildcard.is_matching(name, ""):
                yield attribute

    def foreign_attributes(self, wildcard: Any, own: Collection[str] = ()) -> list[str]:
        """The names of foreign attributes that a wildcard admits beside certain ones."""
        return [name for name in self._strangers(wildcard, self._foreign_attributes) if name not in own]

    def _strangers(self, wildcard: Any, names: list[str]) -> list[str]:
        """Those of some names that nothing declares and a wildcard admits all the same; None admits all."""
        if wildcard is None:
            return names
        if wildcard.process_contents == "strict":
            return []
        return [name for name in names if wildcard.is_matching(name, "")]

    def stranger(self, wildcard: Any) -> Part:
        """An empty element that a wildcard admits, for where one is needed and none is known."""
        given = wildcard.namespace
        spaces = [space for space in (given.split() if isinstance(given, str) else given) if not space.startswith("##")]
        for space in (*spaces, "", "urn:any"):
            name = f"{{{space}}}any" if space else "any"
            if wildcard.is_matching(name, "") and (space or not self._names.has_default):
                return literal(f"<{self._names.element(name)}/>")
        return NEVER


def checked(foreign: Collection[str]) -> Collection[str]:
    """Foreign names as they are.

    Raises:
        SchemaError: one is none.
    """
    for name in foreign:
        space, local = split(name.removeprefix("@"))
        if not local or not local.replace("-", "_").replace(".", "_").isidentifier() or (":" in local and not space):
            raise SchemaError(
                f"{name!r} is no name of a foreign element or attribute: write {{namespace}}name or @{{namespace}}name."
            )
    return foreign
