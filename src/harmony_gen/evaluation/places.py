"""What a schema says of a place in a value: how it is named in reports, and how it is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.scanner import pointer
from harmony_gen.schema.subschema import Subschema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harmony_gen.schema import Schema
    from harmony_gen.schema.subschema import JsonSchema

_NUMBERS = frozenset({"integer", "number"})


class Place:
    """A field: all places of a value that the same parts of a schema describe.

    Attributes:
        name: a JSON Pointer with * for the items of arrays and for names that the schema does not declare.
        is_tuple: whether items are told apart by their position.
        spells_numbers: whether a number may stand there as a string, too, as Pydantic has it for Decimal.
    """

    def __init__(self, name: str, parts: Iterable[Subschema]) -> None:
        self.name = name
        self._parts = list(_possible(parts))
        self._below: dict[str | int, Place] = {}
        keywords = [part.keywords for part in self._parts]
        self.is_tuple = any("prefixItems" in found or isinstance(found.get("items"), list) for found in keywords)
        types = {kind for found in keywords for kind in _listed(found.get("type"))}
        self.spells_numbers = "string" in types and not _NUMBERS.isdisjoint(types)

    @classmethod
    def root(cls, schema: Schema[Any], json_schema: JsonSchema) -> Place:
        """The place of a whole value."""
        judge = schema.judge
        return cls("", [judge.root if isinstance(judge, JsonSchemaJudge) else Subschema.root(json_schema)])

    def member(self, key: str) -> Place:
        """The place of a member of an object."""
        if key not in self._below:
            is_declared = any(key in part.keywords.get("properties", {}) for part in self._parts)
            below = [child for part in self._parts for child in part.member(key)]
            self._below[key] = Place(self.name + pointer((key if is_declared else "*",)), below)
        return self._below[key]

    def item(self, index: int) -> Place:
        """The place of an item of an array."""
        at = index if self.is_tuple else 0
        if at not in self._below:
            below = [child for part in self._parts for child in part.item(at)]
            self._below[at] = Place(self.name + pointer((at if self.is_tuple else "*",)), below)
        return self._below[at]


def _possible(parts: Iterable[Subschema]) -> Iterator[Subschema]:
    """The schemas that may apply where some do: through references and whatever joins schemas."""
    todo, seen = list(parts), set()
    while todo:
        for part in [one for one in todo.pop().conjuncts() if id(one.contents) not in seen]:
            seen.add(id(part.contents))
            yield part
            keywords = part.keywords
            branches = [branch for keyword in ("anyOf", "oneOf") for branch in keywords.get(keyword, ())]
            branches += [keywords[keyword] for keyword in ("then", "else") if keyword in keywords]
            todo += [part.child(branch) for branch in branches]


def _listed(kind: object) -> list[str]:
    return [kind] if isinstance(kind, str) else list(kind) if isinstance(kind, list) else []
