"""What a schema says of values that depend on each other, in plain data: unique, key, keyref, ID and IDREF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony_gen.schema.xsd.names import SCHEMA, split

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = ("ID", "IDS", "IDREF", "IDREFS")
"""Types whose values are linked to others of the document; IDS stands for lists of ID, which have no name."""

COMPARED = frozenset("string anyURI decimal boolean float double".split())
"""Primitive types whose values `links` compares as the judge does."""


def described(
    elements: Iterable[Any], kinds: dict[tuple[str, str | None], set[str]], checked: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    """The links of a schema.

    Args:
        elements: declarations of elements with identity constraints, of xmlschema.
        kinds: by the names of an element and of an attribute of it, None for its text: those of `KINDS` that it may
            have, "" for any other.
        checked: what the grammar leaves to the judge: (name of a type, what).

    Returns:
        What `links.Links` takes; empty without any links.
    """
    identities = [[element.name, _identity(one)] for element in elements for one in element.identities]
    linked = [[*place, sorted(found)] for place, found in kinds.items() if found & set(KINDS)]
    if not identities and not linked:
        return {}
    others = {name for name, _ in checked} - {f"xs:{kind}" for kind in KINDS}
    return {"identities": identities, "kinds": linked, "is_all": not others}


def _identity(identity: Any) -> dict[str, Any]:
    selectors = list(identity.elements.values())
    refer = getattr(identity, "refer", None)
    return {
        "kind": _kind(identity),
        "name": identity.name,
        "refer": refer if isinstance(refer, str) or refer is None else refer.name,
        "selector": identity.selector.path,
        "fields": [one.path for one in identity.fields],
        "types": [_type([of[i].decoders for of in selectors]) for i in range(len(identity.fields))],
        "namespaces": dict(identity.schema.namespaces),
    }


def _kind(identity: Any) -> str:
    """unique, key or keyref."""
    return type(identity).__name__.removeprefix("Xsd").removeprefix("11").lower()


def _type(decoders: Iterable[Iterable[Any]]) -> str | None:
    """The name of the one primitive type of what a field is compared by; None if it is not certain."""
    found = set()
    for several in decoders:
        for declaration in several:
            type_ = getattr(declaration, "type", None)
            if type_ is not None and not type_.is_simple() and type_.has_simple_content():
                type_ = type_.content
            primitive = getattr(type_, "primitive_type", None)
            if type_ is None or primitive is None or type_.is_list() or primitive.local_name not in COMPARED:
                return None
            if getattr(declaration, "default", None) is not None or getattr(declaration, "fixed", None) is not None:
                return None
            found.add(str(primitive.local_name))
    return found.pop() if len(found) == 1 else None


def identities_of(element: Any) -> list[tuple[str, str]]:
    """The identity constraints of a declaration: kind and name."""
    return [(_kind(one), str(one.local_name)) for one in element.identities]


def fields_of(elements: Iterable[Any]) -> frozenset[int]:
    """Identities of the declarations of what keys compare."""
    found: set[int] = set()
    for element in elements:
        for identity in element.identities:
            for selectors in identity.elements.values():
                found.update(id(declaration) for one in selectors for declaration in one.decoders)
    return frozenset(found)


def targets_of(elements: Iterable[Any]) -> frozenset[int]:
    """Identities of the declarations of elements that references of keys lead to."""
    return frozenset(
        id(target)
        for element in elements
        for identity in element.identities
        if not hasattr(identity, "refer")
        for target in identity.elements
    )


def kind_of(type_: Any) -> str:
    """The one of `KINDS` that a simple type is derived from; "?" if it has such members; else ""."""
    seen: set[int] = set()
    while type_ is not None and id(type_) not in seen:
        seen.add(id(type_))
        space, local = split(getattr(type_, "name", None) or "")
        if space == SCHEMA and local in KINDS:
            return local
        item = getattr(type_, "item_type", None)
        if item is not None and (kind := kind_of(item)):
            return f"{kind}S" if kind in ("ID", "IDREF") else "?"
        if any(map(kind_of, getattr(type_, "member_types", None) or ())):
            return "?"
        type_ = type_.base_type
    return ""
