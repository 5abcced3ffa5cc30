"""Runs the validators of a Pydantic type while its value is being written.

When a member of a model closes, the model's fields that are complete are validated together, in their order,
by the model's own validator with the fields to come taken out; so field validators see `info.data` as they
always do. When a whole model, list item or map value closes, it is validated whole, its model validators
included; unless a validator in it reads `info.data` of the model around it, which is not known then.
"""
# ruff: noqa: ARG002 - all rules have one signature

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pydantic_core

from harmony_gen.schema.judge import complaints, first_detail
from harmony_gen.schema.rules import Rejection, members, rejection

if TYPE_CHECKING:
    import pydantic

    from harmony_gen.schema.scanner import Closed, Path, Scan

CoreSchema = Mapping[str, Any]

_TRANSPARENT = {
    "default": "schema",
    "nullable": "schema",
    "function-after": "schema",
    "model": "schema",
    "dataclass": "schema",
    "json-or-python": "json_schema",
    "lax-or-strict": "lax_schema",
}
"""Wrappers whose value has the shape of what they wrap, and where that stands."""


_WITH_FIELDS = ("model-fields", "typed-dict", "dataclass-args")
_NOT_READ = ("metadata", "serialization", "config")


class _Place(NamedTuple):
    """A core schema, and the configuration of the class around it."""

    node: CoreSchema
    config: Any = None


class PydanticRule:
    """The validators of one Pydantic type.

    Args:
        adapter: of the type.
        gaps: what is missing or null, though the type demands it, is no reason to refuse a value.
    """

    def __init__(self, adapter: pydantic.TypeAdapter[Any], *, gaps: bool = False) -> None:
        schema: CoreSchema = adapter.core_schema
        self._gaps = gaps
        self._definitions: dict[str, CoreSchema] = {}
        if schema["type"] == "definitions":
            self._definitions = {part["ref"]: part for part in schema["definitions"]}
            schema = schema["schema"]
        self._root = schema
        self._validators: dict[tuple[Any, ...], pydantic_core.SchemaValidator | None] = {}

    def rejects(self, text: bytes, scan: Scan, closed: Sequence[Closed]) -> Rejection | None:
        """See Rule."""
        for item in closed:
            reason = self._reason(text, item)
            if reason is not None:
                return rejection(text, item, reason)
        return None

    def _reason(self, text: bytes, item: Closed) -> str | None:
        """Why a value that has closed is wrong, or None."""
        if item.parent is not None and item.parent.kind == "{":
            around = self._unwrap(self._at(item.path[:-1]))
            if around is not None and around.node["type"] in _WITH_FIELDS:
                return self._partial(around, members(text, item.parent))
        place = self._at(item.path)
        if place is None or (item.path and self._borrows(place.node)):
            return None
        return self._complaint(self._validator(place), text[slice(*item.span)])

    def _partial(self, place: _Place, present: Mapping[str, bytes]) -> str | None:
        """Why the complete fields of an unfinished model are wrong, or None."""
        body = b",".join(json.dumps(key).encode() + b":" + value for key, value in present.items())
        return self._complaint(self._validator(place, _settled(place.node, present)), b"{" + body + b"}")

    def _complaint(self, validator: pydantic_core.SchemaValidator | None, text: bytes) -> str | None:
        """Why a validator refuses a JSON text, or None."""
        if validator is None:
            return None
        try:
            validator.validate_json(text)
        except pydantic_core.ValidationError as error:
            return None if self._gaps and not complaints(error) else first_detail(error)["msg"]
        except Exception as error:  # noqa: BLE001 - a user's code may raise anything: it is a no
            return f"{type(error).__name__}: {error}"
        return None

    def _validator(self, place: _Place, names: frozenset[str] | None = None) -> pydantic_core.SchemaValidator | None:
        key = (id(place.node), id(place.config), names)
        if key not in self._validators:
            self._validators[key] = self._build(place, names)
        return self._validators[key]

    def _build(self, place: _Place, names: frozenset[str] | None) -> pydantic_core.SchemaValidator | None:
        """A validator of a part; of the fields with these names, where there are names."""
        schema: Any = dict(place.node)
        if names is not None:
            kept = [(name, field) for name, field in _fields(place.node) if name in names]
            schema["fields"] = [field for _, field in kept] if isinstance(schema["fields"], list) else dict(kept)
        if self._definitions:
            schema = {
                "type": "definitions",
                "schema": schema,
                "definitions": list(self._definitions.values()),
            }
        try:
            return pydantic_core.SchemaValidator(schema, place.config)
        except pydantic_core.SchemaError:
            return None  # not a schema on its own: the judge decides when the whole document closes

    def _at(self, path: Path) -> _Place | None:
        """What certainly applies at a path, or None."""
        place: _Place | None = _Place(self._root)
        for step in path:
            inner = self._unwrap(place)
            node = None if inner is None else _child(inner.node, step)
            place = None if inner is None or node is None else _Place(node, inner.config)
        return place

    def _unwrap(self, place: _Place | None) -> _Place | None:
        """What is inside wrappers that leave the shape of a value as it is."""
        while place is not None:
            node, config = place
            if node["type"] == "definition-ref":
                place = _Place(self._definitions[node["schema_ref"]], config)
            elif node["type"] in _TRANSPARENT:
                own = node.get("config") if node["type"] in ("model", "dataclass") else config
                place = _Place(node[_TRANSPARENT[node["type"]]], own)
            elif node["type"] == "typed-dict":
                return _Place(node, node.get("config", config))
            else:
                return place
        return None

    def _borrows(self, node: Any, seen: frozenset[str] = frozenset()) -> bool:
        """Whether a validator in a part reads `info.data` of the model around it."""
        if isinstance(node, list | tuple):
            return any(self._borrows(part, seen) for part in node)
        if not isinstance(node, Mapping) or node.get("type") in _WITH_FIELDS:
            return False
        if node.get("type") == "with-info":
            return True
        ref = node.get("schema_ref")
        if ref in self._definitions and ref not in seen:
            return self._borrows(self._definitions[ref], seen | {ref})
        return any(self._borrows(part, seen) for name, part in node.items() if name not in _NOT_READ)


def _child(node: CoreSchema, step: str | int) -> CoreSchema | None:
    """The core schema of a member, if that is certain."""
    kind = node["type"]
    if kind in _WITH_FIELDS:
        return next((field["schema"] for name, field in _fields(node) if step in _keys(field, name)), None)
    if kind in ("list", "set", "frozenset"):
        return node.get("items_schema")
    if kind == "dict":
        return node.get("values_schema")
    if kind == "tuple" and isinstance(step, int) and "variadic_item_index" not in node:
        items = node["items_schema"]
        return items[step] if step < len(items) else None
    return None


def _fields(node: CoreSchema) -> list[tuple[str, CoreSchema]]:
    """The fields of a class by name, in the order in which they are validated."""
    fields = node["fields"]
    return [(field["name"], field) for field in fields] if isinstance(fields, list) else list(fields.items())


def _keys(field: CoreSchema, name: str) -> tuple[str, ...]:
    """The keys under which a field may be read, or its parts."""
    alias = field.get("validation_alias", name)
    if isinstance(alias, str):
        return (alias,)
    return tuple(choice[0] for choice in (alias if isinstance(alias[0], list) else [alias]))


def _settled(node: CoreSchema, present: Mapping[str, bytes]) -> frozenset[str]:
    """The fields that are complete, and those before them that were left to their defaults.

    Members are written in the order of the fields, so what was passed over does not come any more.
    """
    fields = _fields(node)
    there = [any(key in present for key in _keys(field, name)) for name, field in fields]
    last = max((index for index, is_there in enumerate(there) if is_there), default=-1)
    return frozenset(
        name
        for index, (name, field) in enumerate(fields)
        if there[index] or (index < last and field["schema"]["type"] == "default")
    )
