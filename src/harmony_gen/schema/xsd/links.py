"""Values that depend on each other within a document: unique, key, keyref, ID and IDREF.

Identity is not context-free, so no grammar knows it. Here it is looked up in a document that the grammar admits, which
is much quicker than to validate the whole. Where this says that nothing is broken, the judge agrees; where it says that
something may be, the judge decides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from harmony_gen.schema.markup.mending import Clash
from harmony_gen.schema.markup.paths import Path
from harmony_gen.schema.markup.reading import Piece, read
from harmony_gen.schema.xsd.names import INSTANCE, SCHEMA, split

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from harmony_gen.schema.markup.reading import Element

_PLAIN = frozenset("string anyURI decimal boolean float double".split())
"""Primitive types whose values are compared here as the judge does."""

KINDS = ("ID", "IDREF", "IDREFS")

"""Types whose values are linked to others of the document."""

_NIL = f"{{{INSTANCE}}}nil"

Row = tuple[Piece, ...]


class Identity(NamedTuple):
    """An identity constraint.

    Attributes:
        kind: "unique", "key" or "keyref".
        name: expanded.
        refer: the name of the key that a keyref refers to, else None.
        selector: leads to the elements it is about.
        fields: lead from one of them to what is compared.
        types: of each field, for the comparison; None where they are not certain.
    """

    kind: str
    name: str
    refer: str | None
    selector: Path
    fields: tuple[Path, ...]
    types: tuple[Any, ...]

    @property
    def is_certain(self) -> bool:
        """Whether values are compared as the judge does."""
        return None not in self.types


class Links:
    """The constraints of a schema on values that depend on each other.

    Attributes:
        is_certain: where nothing is broken, the judge agrees.
    """

    def __init__(self, elements: Iterable[Any], kinds: dict[tuple[str, str | None], set[str]]) -> None:
        """Takes what may occur in documents.

        Args:
            elements: declarations of elements, of xmlschema.
            kinds: by the names of an element and of an attribute of it, None for its text: the types ID, IDREF or
                IDREFS that it may have, "" for any other.
        """
        self._identities: defaultdict[str, dict[str, Identity]] = defaultdict(dict)
        for element in elements:
            for identity in element.identities:
                self._identities[element.name][identity.name] = _identity(identity)
        self._kinds = {place: found for place, found in kinds.items() if found & set(KINDS)}
        self.is_certain = self._is_certain()

    def __bool__(self) -> bool:
        return bool(self._identities or self._kinds)

    def _is_certain(self) -> bool:
        if any(len(found) > 1 for found in self._kinds.values()):
            return False
        for own in self._identities.values():
            for identity in own.values():
                key = own.get(identity.refer) if identity.refer else identity
                if (
                    key is None
                    or not identity.is_certain
                    or list(map(_primitive, key.types)) != list(map(_primitive, identity.types))
                ):
                    return False
        return True

    def clashes(self, document: str) -> Iterator[Clash]:
        """What may be broken in a document that the grammar admits."""
        root = read(document)
        if self._kinds:
            yield from self._ids(root)
        if self._identities:
            yield from self._keys(root)

    def _ids(self, root: Element) -> Iterator[Clash]:
        ids: dict[str, Piece] = {}
        references: list[tuple[Piece, str]] = []
        for element in root.descendants():
            pieces: list[tuple[str | None, Piece]] = [*element.attributes.items(), (None, element.text)]
            for name, piece in pieces:
                kinds = self._kinds.get((element.name, name), ())
                value = piece.value
                if "ID" in kinds:
                    if value in ids:
                        yield Clash((piece,), [(known,) for known in ids.values()], is_double=True)
                    ids.setdefault(value, piece)
                elif kinds:
                    references += [(piece, word) for word in (value.split(" ") if "IDREFS" in kinds else [value])]
        for piece, value in references:
            if value not in ids:
                yield Clash((piece,), [(known,) for known in ids.values()], is_double=False)

    def _keys(self, root: Element) -> Iterator[Clash]:
        for scope in root.descendants():
            own = self._identities.get(scope.name)
            if not own:
                continue
            if any(inner.name == scope.name for child in scope.children for inner in child.descendants()):
                yield Clash((), (), is_double=True)  # nested scopes: the judge knows
            tables: dict[str, list[Row]] = {}
            for name, identity in own.items():
                rows, incomplete = _rows(identity, scope)
                tables[name] = rows
                if incomplete:
                    yield Clash((), (), is_double=True)
                if identity.kind != "keyref":
                    yield from _doubles(identity, rows)
            for identity in own.values():
                if identity.refer is not None:
                    rows = tables[identity.name]
                    known = tables.get(identity.refer)
                    if known is None:
                        known = self._inner(scope, identity.refer)
                    yield from _missing(identity, rows, known)

    def _inner(self, scope: Element, key: str) -> list[Row]:
        """The rows of a key of elements within one."""
        found: list[Row] = []
        for element in scope.descendants():
            identity = self._identities.get(element.name, {}).get(key)
            if identity is not None:
                found += _rows(identity, element)[0]
        return found


def identities_of(element: Any) -> list[tuple[str, str]]:
    """The identity constraints of a declaration: kind and name."""
    return [(type(one).__name__.removeprefix("Xsd").lower(), str(one.local_name)) for one in element.identities]


def fields_of(elements: Iterable[Any]) -> frozenset[int]:
    """Identities of the declarations of what keys compare, and of all attributes of the types ID."""
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


def _identity(identity: Any) -> Identity:
    namespaces = identity.schema.namespaces
    selectors = list(identity.elements.values())
    types = tuple(_type([of[i].decoders for of in selectors]) for i in range(len(identity.fields)))
    refer = getattr(identity, "refer", None)
    return Identity(
        kind=type(identity).__name__.removeprefix("Xsd").lower(),
        name=identity.name,
        refer=refer if isinstance(refer, str) or refer is None else refer.name,
        selector=Path(identity.selector.path, namespaces),
        fields=tuple(Path(one.path, namespaces) for one in identity.fields),
        types=types,
    )


def _type(decoders: Iterable[Iterable[Any]]) -> Any:
    """The one primitive type of what a field is compared by, as a type that decodes; None if it is not certain."""
    found = {}
    for several in decoders:
        for declaration in several:
            type_ = getattr(declaration, "type", None)
            if type_ is not None and not type_.is_simple() and type_.has_simple_content():
                type_ = type_.content
            primitive = getattr(type_, "primitive_type", None)
            if type_ is None or primitive is None or type_.is_list() or primitive.local_name not in _PLAIN:
                return None
            if getattr(declaration, "default", None) is not None or getattr(declaration, "fixed", None) is not None:
                return None
            found[primitive.local_name] = primitive
    return next(iter(found.values())) if len(found) == 1 else None


def _primitive(type_: Any) -> str | None:
    return None if type_ is None else str(type_.local_name)


def _rows(identity: Identity, scope: Element) -> tuple[list[Row], bool]:
    """What is compared, one row for each element; and whether an element has not all of it."""
    rows, incomplete = [], False
    for element in identity.selector.elements(scope):
        cells = [list(path.values(element)) for path in identity.fields]
        if all(len(found) == 1 for found in cells) and _NIL not in element.attributes:
            rows.append(tuple(piece for found in cells for piece in found))
        elif identity.kind == "key" or any(cells):
            incomplete = True
    return rows, incomplete


def _key(identity: Identity, row: Row) -> tuple[Hashable, ...]:
    """What two rows are equal by."""
    return tuple(_decoded(type_, piece.value) for type_, piece in zip(identity.types, row, strict=True))


def _decoded(type_: Any, text: str) -> Hashable:
    if type_ is None or type_.local_name in ("string", "anyURI"):
        return text
    found: Hashable = type_.text_decode(text)
    return str(found) if found != found else found  # noqa: PLR0124 - not a number: as the judge has it


def _doubles(identity: Identity, rows: list[Row]) -> Iterator[Clash]:
    keys = [_key(identity, row) for row in rows]
    counts = Counter(keys)
    for row, key in zip(reversed(rows), reversed(keys), strict=True):
        if counts[key] > 1:
            counts[key] -= 1
            yield Clash(row, rows, is_double=True)


def _missing(identity: Identity, rows: list[Row], known: list[Row]) -> Iterator[Clash]:
    keys = {_key(identity, row) for row in known}
    for row in rows:
        if _key(identity, row) not in keys:
            yield Clash(row, known, is_double=False)


def kind_of(type_: Any) -> str:
    """ID, IDREF or IDREFS, if a simple type is derived from one; "?" if it has such members or items; else ""."""
    seen: set[int] = set()
    while type_ is not None and id(type_) not in seen:
        seen.add(id(type_))
        space, local = split(getattr(type_, "name", None) or "")
        if space == SCHEMA and local in KINDS:
            return local
        members = [*(getattr(type_, "member_types", None) or ()), getattr(type_, "item_type", None)]
        if any(member is not None and kind_of(member) for member in members):
            return "?"
        type_ = type_.base_type
    return ""
