"""Values that depend on each other within a document: unique, key, keyref, ID and IDREF.

Identity is not context-free, so no grammar knows it. Here it is looked up in a document that the grammar admits, which
is much quicker than to validate the whole. Where this says that nothing is broken, the judge agrees; where it says that
something may be, the judge decides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from harmony_gen.schema.markup.mending import Clash
from harmony_gen.schema.markup.paths import Path
from harmony_gen.schema.markup.reading import Piece, read
from harmony_gen.schema.xsd.names import INSTANCE

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from harmony_gen.schema.markup.reading import Element

_NIL = f"{{{INSTANCE}}}nil"

Row = tuple[Piece, ...]

_FLOATS = {"INF": "inf", "-INF": "-inf"}
_VALUES: dict[str, Callable[[str], Hashable]] = {
    "decimal": Decimal,
    "boolean": lambda text: text in ("true", "1"),
    "float": lambda text: text if text == "NaN" else float(_FLOATS.get(text, text)),
    "double": lambda text: text if text == "NaN" else float(_FLOATS.get(text, text)),
}
"""The value of a text, by primitive types of which texts that differ may have one value."""


class Identity(NamedTuple):
    """An identity constraint.

    Attributes:
        kind: "unique", "key" or "keyref".
        refer: the name of the key that a keyref refers to, else None.
        selector: leads to the elements it is about.
        fields: lead from one of them to what is compared.
        types: the primitive types by which fields are compared; None where they are not certain.
    """

    kind: str
    refer: str | None
    selector: Path
    fields: tuple[Path, ...]
    types: tuple[str | None, ...]


class Links:
    """The constraints of a schema on values that depend on each other.

    Attributes:
        is_certain: a document that the grammar admits, and in which nothing is broken, is valid.
    """

    def __init__(self, described: dict[str, Any]) -> None:
        """Takes what `linking.described` says."""
        self._identities: defaultdict[str, dict[str, Identity]] = defaultdict(dict)
        for element, one in described["identities"]:
            self._identities[element][one["name"]] = _identity(one)
        self._kinds: dict[tuple[str, str | None], list[str]] = {
            (element, attribute): found for element, attribute, found in described["kinds"]
        }
        self.is_certain: bool = described["is_all"] and self._is_certain()

    def _is_certain(self) -> bool:
        """Whether values are compared as the judge does."""
        if any(len(found) > 1 for found in self._kinds.values()):
            return False
        for own in self._identities.values():
            for identity in own.values():
                key = own.get(identity.refer) if identity.refer else identity
                if key is None or None in identity.types or key.types != identity.types:
                    return False
        return True

    def clashes(self, document: str) -> Iterator[Clash]:
        """What may be broken in a document that the grammar admits."""
        root = read(document)
        if self._kinds:
            yield from self._ids(root)
        if self._identities:
            for scope in root.descendants():
                if scope.name in self._identities:
                    yield from self._keys(scope)

    def _ids(self, root: Element) -> Iterator[Clash]:
        ids: dict[str, Piece] = {}
        references: list[tuple[Piece, list[str]]] = []
        for element in root.descendants():
            pieces: list[tuple[str | None, Piece]] = [*element.attributes.items(), (None, element.text)]
            for name, piece in pieces:
                kinds = self._kinds.get((element.name, name), ())
                value = piece.value
                if "IDS" in kinds and (" " in value or not value):
                    yield _UNCLEAR  # several in an element, or none
                elif "ID" in kinds or "IDS" in kinds:
                    if value in ids:
                        yield Clash((piece,), others=[(known,) for known in ids.values()])
                    ids.setdefault(value, piece)
                elif kinds:
                    references.append((piece, value.split() if "IDREFS" in kinds else [value]))
        for piece, words in references:
            lost = [word for word in words if word not in ids]
            if lost:
                lists = [" ".join(known if word in lost else word for word in words) for known in ids]
                ways = [*((piece, text) for text in lists), *((known, lost[0]) for known in ids.values())]
                yield Clash((piece,), ways=[((one,), (Piece(text, -1, -1),)) for one, text in ways])

    def _keys(self, scope: Element) -> Iterator[Clash]:
        """What may be broken among the keys of one element."""
        own = self._identities[scope.name]
        if any(inner.name == scope.name for child in scope.children for inner in child.descendants()):
            yield _UNCLEAR  # scopes within scopes
        tables: dict[str, list[Row]] = {}
        for name, identity in own.items():
            tables[name], is_complete = _rows(identity, scope)
            if not is_complete:
                yield _UNCLEAR
            if identity.kind != "keyref":
                yield from _doubles(identity, tables[name])
        for name, identity in own.items():
            if identity.refer is not None:
                known = tables.get(identity.refer)
                yield from _missing(
                    identity, tables[name], self._inner(scope, identity.refer) if known is None else known
                )

    def _inner(self, scope: Element, key: str) -> list[Row]:
        """The rows of a key of elements within one."""
        found: list[Row] = []
        for element in scope.descendants():
            identity = self._identities.get(element.name, {}).get(key)
            if identity is not None:
                found += _rows(identity, element)[0]
        return found


_UNCLEAR = Clash(())


def _identity(one: dict[str, Any]) -> Identity:
    namespaces = one["namespaces"]
    return Identity(
        kind=one["kind"],
        refer=one["refer"],
        selector=Path(one["selector"], namespaces),
        fields=tuple(Path(path, namespaces) for path in one["fields"]),
        types=tuple(one["types"]),
    )


def _rows(identity: Identity, scope: Element) -> tuple[list[Row], bool]:
    """What is compared, one row for each element; and whether that is as plain as it should be."""
    rows, is_complete = [], True
    for element in identity.selector.elements(scope):
        cells = [list(path.values(element)) for path in identity.fields]
        if all(len(found) == 1 for found in cells) and _NIL not in element.attributes:
            rows.append(tuple(piece for found in cells for piece in found))
        elif identity.kind == "key" or any(cells):
            is_complete = False
    return rows, is_complete


def _key(identity: Identity, row: Row) -> tuple[Hashable, ...]:
    """What two rows are equal by."""
    return tuple(_value(type_, piece.value) for type_, piece in zip(identity.types, row, strict=True))


def _value(type_: str | None, text: str) -> Hashable:
    decode = _VALUES.get(type_ or "")
    return text if decode is None or not text else decode(text)


def _doubles(identity: Identity, rows: list[Row]) -> Iterator[Clash]:
    keys = [_key(identity, row) for row in rows]
    counts = Counter(keys)
    for row, key in zip(reversed(rows), reversed(keys), strict=True):
        if counts[key] > 1:
            counts[key] -= 1
            yield Clash(row, others=rows)


def _missing(identity: Identity, rows: list[Row], known: list[Row]) -> Iterator[Clash]:
    keys = {_key(identity, row) for row in known}
    for row in rows:
        if _key(identity, row) not in keys:
            yield Clash(row, ways=[way for other in known for way in ((row, other), (other, row))])
