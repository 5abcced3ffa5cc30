"""Namespaces and their prefixes in the documents of a schema. All are declared on the root element."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import SchemaError
from harmony_gen.schema.markup.text import escaped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

SCHEMA = "http://www.w3.org/2001/XMLSchema"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
_KNOWN = frozenset((SCHEMA, INSTANCE, XML))


class Names:
    """Qualified names as documents write them.

    Attributes:
        prefixes: of element names, by namespace; "" for the default one.
    """

    def __init__(self, schema: Any, chosen: Mapping[str, str], foreign: Collection[str] = ()) -> None:
        """Chooses prefixes: those a user wants, then those the schema uses, then n1, n2 ….

        The target namespace is the default one, unless an element without a namespace may occur.

        Args:
            schema: from xmlschema.
            chosen: prefixes by namespace; "" for the default namespace.
            foreign: names of elements that may occur, and of attributes, which begin with @.

        Raises:
            SchemaError: a prefix is chosen twice, or is none.
        """
        self.prefixes: dict[str, str] = {}
        self._attributes: dict[str, str] = {}
        self._used: set[str] = set()
        self._used_by_attributes: set[str] = set()
        self._needs_instance = False
        target = schema.target_namespace
        wanted = {namespace: prefix for prefix, namespace in schema.namespaces.items() if prefix} | dict(chosen)
        has_unqualified = any(name[0] not in "@{" for name in foreign) or _has_unqualified(schema)
        if target and target not in chosen and not has_unqualified:
            self.prefixes[target] = ""
        taken = {"xml", "xsi", "xmlns"}
        named = (*schema.maps.namespaces, *(split(name.removeprefix("@"))[0] for name in foreign), *chosen)
        spaces = [space for space in dict.fromkeys(named) if space and space not in _KNOWN]
        for number, space in enumerate(spaces, 1):
            prefix = wanted.get(space) or f"n{number}"
            if prefix in taken or prefix.lower().startswith("xml"):
                if space in chosen:
                    raise SchemaError(f"The prefix {prefix!r} of {space} cannot be used. Choose another one.")
                prefix = f"n{number}"
            taken.add(prefix)
            self._attributes[space] = prefix
            self.prefixes.setdefault(space, "" if chosen.get(space) == "" else prefix)

    def copied(self) -> Names:
        """The same, which may be used for other documents."""
        return deepcopy(self)

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Names:
        """Names from their `state`."""
        names = cls.__new__(cls)
        names.prefixes, names._attributes = dict(state["prefixes"]), dict(state["attributes"])
        names._used, names._used_by_attributes = set(state["used"]), set(state["used_by_attributes"])
        names._needs_instance = bool(state["needs_instance"])
        return names

    def state(self) -> dict[str, Any]:
        """All that is known now, as JSON."""
        return {
            "prefixes": self.prefixes,
            "attributes": self._attributes,
            "used": sorted(self._used),
            "used_by_attributes": sorted(self._used_by_attributes),
            "needs_instance": self._needs_instance,
        }

    def element(self, name: str) -> str:
        """The name of an element or a type."""
        space, local = split(name)
        if not space:
            return local
        self._used.add(space)
        prefix = self.prefixes.setdefault(space, self._attributes.setdefault(space, self._new(space)))
        return f"{prefix}:{local}" if prefix else local

    def attribute(self, name: str) -> str:
        """The name of an attribute."""
        space, local = split(name)
        if not space:
            return local
        if space == XML:
            return f"xml:{local}"
        if space == INSTANCE:
            return self.instance(local)
        self._used_by_attributes.add(space)
        return f"{self._attributes.setdefault(space, self._new(space))}:{local}"

    def instance(self, local: str) -> str:
        """An attribute like xsi:type."""
        self._needs_instance = True
        return f"xsi:{local}"

    def in_value(self, space: str) -> str:
        """The prefix of a name in a value."""
        self._used_by_attributes.add(space)
        return self._attributes.setdefault(space, self._new(space))

    def _new(self, space: str) -> str:
        """A prefix for a namespace that the schema does not know."""
        return "xs" if space == SCHEMA and "xs" not in self._attributes.values() else f"m{len(self._attributes)}"

    def in_values(self) -> dict[str, str]:
        """The prefixes that names in values may have, by namespace; all of them are declared from now on."""
        self._used_by_attributes.update(self._attributes)
        return dict(self._attributes)

    @property
    def has_default(self) -> bool:
        """Whether names without a prefix are in a namespace."""
        return "" in self.prefixes.values()

    def declarations(self) -> str:
        """The attributes of the root element that declare what is used."""
        return "".join(f' {name}="{escaped(space, attribute=True)}"' for name, space in self._declared())

    def _declared(self) -> Iterator[tuple[str, str]]:
        for space, prefix in self.prefixes.items():
            if space in self._used and not prefix:
                yield "xmlns", space
        for space, prefix in self._attributes.items():
            if space in self._used_by_attributes or (space in self._used and self.prefixes.get(space)):
                yield f"xmlns:{prefix}", space
        if self._needs_instance:
            yield "xmlns:xsi", INSTANCE


def split(name: str) -> tuple[str, str]:
    """Namespace and local part of an expanded name, `{namespace}local`."""
    if not name.startswith("{"):
        return "", name
    space, _, local = name[1:].rpartition("}")
    return space, local


def _has_unqualified(schema: Any) -> bool:
    """Whether elements without a namespace may occur."""
    from xmlschema.validators import XsdElement  # documents are read without it

    for one in schema.maps.iter_schemas():
        if one.target_namespace in _KNOWN:
            continue
        if not one.target_namespace and one.elements:
            return True
        local = (part for part in one.iter_components(XsdElement) if part.parent is not None and part.ref is None)
        if any(part.name and not part.name.startswith("{") for part in local):
            return True
    return False
