"""Which elements and types may stand for others: substitution groups, and types that xsi:type may name."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from harmony_gen.schema.xsd.builtin import PATTERNS, WHOLE
from harmony_gen.schema.xsd.names import SCHEMA, split

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEPS = ("extension", "restriction")
_UR_TYPES = (f"{{{SCHEMA}}}anyType", f"{{{SCHEMA}}}anySimpleType")
_PLAIN = frozenset((*WHOLE, *PATTERNS, "string", "normalizedString", "token", "NMTOKEN", "NMTOKENS", "Name", "NCName"))
"""Built-in types whose values depend on nothing else."""

_MOST_TYPES = 200
"""Types that xsi:type may name where any type is allowed."""


class Derivations:
    """What a schema derives from what."""

    def __init__(self, schema: Any) -> None:
        self._maps = schema.maps
        self._derived: defaultdict[int, list[Any]] = defaultdict(list)
        self._named = [type_ for type_ in schema.maps.types.values() if _is_of_use(type_)]
        for type_ in schema.maps.types.values():
            name = getattr(type_, "name", None)
            if name and split(name)[0] != SCHEMA:
                for base in _bases(type_):
                    self._derived[id(base)].append(type_)

    def substitutes(self, element: Any) -> list[Any]:
        """The elements that may stand where one is declared, itself included, without abstract ones."""
        found = [] if element.abstract else [element]
        declared = self._maps.elements.get(element.name)
        is_global = element.ref is not None or element.parent is None
        if not is_global or declared is None or "substitution" in (element.block or ""):
            return found
        blocked = f"{element.block or ''} {getattr(declared.type, 'block', '') or ''}"
        others = (other for other in declared.iter_substitutes() if other.name != element.name and not other.abstract)
        return [*found, *(other for other in others if _is_open(other.type, declared.type, blocked))]

    def derived(self, element: Any) -> list[Any]:
        """The types that xsi:type may name in place of an element's own, without abstract ones.

        xmlschema refuses some that the specification admits: unions that are members of unions.
        """
        type_ = element.type
        blocked = f"{element.block or ''} {getattr(type_, 'block', '') or ''}"
        return [
            other
            for other in self._candidates(type_)
            if not getattr(other, "abstract", False)
            and _is_open(other, type_, blocked)
            and other.is_dynamic_consistent(type_)
        ]

    def _candidates(self, type_: Any) -> list[Any]:
        """The types that are derived from a type; of a union, its members, too."""
        if type_.name in _UR_TYPES:
            of_all = type_.name == _UR_TYPES[0]
            return [one for one in self._named if of_all or one.is_simple()][:_MOST_TYPES]
        found = [*self._derived.get(id(type_), ())]
        for member in getattr(type_, "member_types", None) or ():
            if member.name and split(member.name)[0] != SCHEMA:
                found.append(member)
            found += self._candidates(member)
        return list(dict.fromkeys(found))


def _is_of_use(type_: Any) -> bool:
    """Whether xsi:type may name a type where any is allowed: built-in types that are linked to nothing, and others."""
    space, local = split(getattr(type_, "name", None) or "")
    return bool(local) and (space != SCHEMA or local in _PLAIN)


def _bases(type_: Any) -> Iterator[Any]:
    """The types that a type is derived from, but for anyType and built-in ones."""
    base, seen = type_.base_type, set[int]()
    while base is not None and id(base) not in seen:
        if base.name and split(base.name)[0] == SCHEMA:
            return
        seen.add(id(base))
        yield base
        base = base.base_type


def _is_open(type_: Any, base: Any, blocked: str) -> bool:
    """Whether no step of the derivation of a type from another is blocked."""
    while type_ is not None and type_ is not base:
        step = getattr(type_, "derivation", None)
        if step in _STEPS and step in blocked:
            return False
        type_ = type_.base_type
    return True
