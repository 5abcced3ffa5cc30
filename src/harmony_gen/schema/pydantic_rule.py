"""Runs the validators of a Pydantic type while its value is being written.

When a member of a model closes, the model's fields that are complete are validated together, in their order, by the
model's own validator with the missing fields taken out; so field validators see `info.data` as they always do. When a
whole model, list item or map value closes, it is validated whole, model validators included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pydantic
import pydantic_core

from harmony_gen.schema.judge import first_reason
from harmony_gen.schema.rules import Rejection, members, rejection
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


class PydanticRule:
    """The validators of one Pydantic type."""

    def __init__(self, adapter: pydantic.TypeAdapter[Any]) -> None:
        schema: CoreSchema = adapter.core_schema
        self._definitions: dict[str, CoreSchema] = {}
        if schema["type"] == "definitions":
            self._definitions = {part["ref"]: part for part in schema["definitions"]}
            schema = schema["schema"]
        self._root = schema
        self._validators: dict[tuple[int, frozenset[str]], pydantic_core.SchemaValidator | None] = {}

    def rejects(self, text: bytes, scan: Scan, closed: Sequence[Closed]) -> Rejection | None:
        """See Rule."""
        for item in closed:
            reason = self._reason(text, item)
            if reason is not None:
                return rejection(text, item, reason)
        return None

    def _reason(self, text: bytes, item: Closed) -> str | None:
        node = self._at(item.path)
        if node is None:
            return None
        if item.parent is not None and item.parent.kind == "{":
            fields = self._fields(self._at(item.path[:-1]))
            if fields is not None:
                return self._partial(fields, members(text, item.parent))
        return _complaint(self._validator(node, frozenset()), text[slice(*item.span)])

    def _partial(self, fields: CoreSchema, present: Mapping[str, bytes]) -> str | None:
        """Why the complete fields of an unfinished model are wrong, or None."""
        names = frozenset(name for key in present if (name := _field_name(fields, key)) is not None)
        body = b",".join(json.dumps(key).encode() + b":" + value for key, value in present.items())
        return _complaint(self._validator(fields, names), b"{" + body + b"}")

    def _validator(self, node: CoreSchema, names: frozenset[str]) -> pydantic_core.SchemaValidator | None:
        key = (id(node), names)
        if key not in self._validators:
            self._validators[key] = self._build(node, names)
        return self._validators[key]

    def _build(self, node: CoreSchema, names: frozenset[str]) -> pydantic_core.SchemaValidator | None:
        schema: Any = dict(node)
        if names:
            schema["fields"] = {name: field for name, field in node["fields"].items() if name in names}
        if schema.get("ref") in self._definitions:
            schema = {"type": "definition-ref", "schema_ref": schema["ref"]}
        if self._definitions:
            schema = {"type": "definitions", "schema": schema, "definitions": list(self._definitions.values())}
        try:
            return pydantic_core.SchemaValidator(schema)
        except pydantic_core.SchemaError:
            return None  # not a schema on its own: the judge decides when the whole document closes

    def _at(self, path: Path) -> CoreSchema | None:
        """The core schema that certainly applies at a path, or None."""
        node: CoreSchema | None = self._root
        for step in path:
            node = self._child(self._unwrap(node), step)
        return node

    def _unwrap(self, node: CoreSchema | None) -> CoreSchema | None:
        while node is not None:
            if node["type"] == "definition-ref":
                node = self._definitions.get(node["schema_ref"])
            elif node["type"] in _TRANSPARENT:
                node = node[_TRANSPARENT[node["type"]]]
            else:
                return node
        return None

    def _fields(self, node: CoreSchema | None) -> CoreSchema | None:
        """The model-fields of a model that reads its input as it is, or None."""
        inner = self._unwrap(node)
        return inner if inner is not None and inner["type"] == "model-fields" else None

    @staticmethod
    def _child(node: CoreSchema | None, step: str | int) -> CoreSchema | None:
        if node is None:
            return None
        kind = node["type"]
        if kind in ("model-fields", "typed-dict") and isinstance(step, str):
            name = _field_name(node, step)
            return None if name is None else node["fields"][name]["schema"]
        if kind == "dataclass-args":
            return next((field["schema"] for field in node["fields"] if _alias(field, field["name"]) == step), None)
        if kind in ("list", "set", "frozenset"):
            return node.get("items_schema")
        if kind == "dict":
            return node.get("values_schema")
        if kind == "tuple" and isinstance(step, int) and "variadic_item_index" not in node:
            items = node["items_schema"]
            return items[step] if step < len(items) else None
        return None


def _alias(field: CoreSchema, name: str) -> Any:
    return field.get("validation_alias", name)


def _field_name(fields: CoreSchema, key: str) -> str | None:
    return next((name for name, field in fields["fields"].items() if _alias(field, name) == key), None)


def _complaint(validator: pydantic_core.SchemaValidator | None, text: bytes) -> str | None:
    """Why a validator refuses a JSON text, or None."""
    if validator is None:
        return None
    try:
        validator.validate_json(text)
    except pydantic_core.ValidationError as error:
        return first_reason(error)[1]
    except Exception as error:  # noqa: BLE001 - a user's validator may raise anything; whatever it is, it is a no
        return f"{type(error).__name__}: {error}"
    return None
