"""What users give as a schema, read: files, dicts, collections of documents, outlines types."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import pydantic
import referencing
from jsonschema_specifications import REGISTRY

from harmony_gen.errors import SchemaError
from harmony_gen.schema.json_schema import close_objects
from harmony_gen.schema.judge import read_json
from harmony_gen.schema.subschema import DIALECTS, dialect, inner_dialect

if TYPE_CHECKING:
    from pathlib import Path as FilePath

    from harmony_gen.schema.subschema import JsonSchema, Registry, Specification

Documents = referencing.Registry[Any] | Mapping[str, Any]
"""The documents that a schema may refer to, by their URIs."""

_SPECIFICATIONS = [dialect({"$schema": uri}) for uri in DIALECTS]

ORDERS = ("schema", "any")
"""In which order members of an object, or attributes, may be written: that of the schema, or any."""


def check_order(order: object, name: str = "property_order") -> None:
    """Raises ValueError if the order that a parameter names is none of `ORDERS`."""
    if order not in ORDERS:
        message = f'{name} must be "schema" or "any"; it is {order!r}.'
        raise ValueError(message)


def read_schema(path: FilePath) -> JsonSchema:
    """The JSON of a schema file.

    Raises:
        SchemaError: it cannot be read, or is not JSON.
    """
    try:
        return cast("JsonSchema", read_json(path.read_text("utf-8")))
    except OSError as error:
        raise SchemaError(f"The schema file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SchemaError(f"The schema file {path} is not UTF-8: byte {error.start}.") from error
    except ValueError as error:
        raise SchemaError(f"The schema file {path} is not JSON: {error}.") from error


def json_text(schema: JsonSchema) -> str:
    """A schema as it is now; changing the dict later changes nothing.

    Raises:
        SchemaError: it is not JSON.
    """
    try:
        text = json.dumps(schema, allow_nan=False, ensure_ascii=False)
        text.encode()  # no half surrogate pairs
    except (TypeError, ValueError) as error:
        raise SchemaError(f"The schema is not JSON: {error}.") from error
    return text


def registry_of(documents: Documents | None, schema: JsonSchema) -> Registry:
    """A registry of documents and of all meta-schemas, which never fetches anything.

    Args:
        documents: what is given.
        schema: what refers to them; its dialect is theirs where they name none.

    Raises:
        SchemaError: a document is not JSON.
        TypeError: they are neither a registry nor a mapping.
    """
    registry: Registry = REGISTRY
    if documents is None:
        return registry
    if not isinstance(documents, Mapping):  # a registry is a mapping too
        message = f"registry must be a referencing.Registry or a dict of documents by URI; it is {documents!r:.80}."
        raise TypeError(message)
    given = documents.crawl() if isinstance(documents, referencing.Registry) else documents
    default = dialect(schema)
    return registry.with_resources((uri, _resource(uri, given[uri], default)) for uri in given)


def _resource(uri: str, document: Any, default: Specification) -> referencing.Resource[Any]:
    if isinstance(document, referencing.Resource):
        default = document._specification if document._specification in _SPECIFICATIONS else default
        document = document.contents
    try:
        contents = json.loads(json_text(document))
    except (SchemaError, RecursionError) as error:
        raise SchemaError(f"The document {uri} of the registry: {error}") from error
    return (inner_dialect(contents, is_resource=False) or default).create_resource(contents)


def from_outlines(term: Any) -> tuple[str, Any]:
    """One of outlines' output types: "json", "lark" or "regex", and the schema, grammar or pattern.

    Raises:
        SchemaError: it says nothing that can be used.
    """
    from outlines.types import dsl

    if isinstance(term, dsl.JsonSchema):
        return "json", json.loads(term.schema)
    if isinstance(term, dsl.CFG):
        return "lark", term.definition
    try:
        if not isinstance(term, dsl.Term):
            term = dsl.python_types_to_terms(term)
        return "regex", dsl.to_regex(term)
    except (TypeError, ValueError, NotImplementedError, RecursionError) as error:
        raise SchemaError(f"This outlines type cannot be used: {error}") from error


def read_element(text: str) -> Any:
    """The root element of a document that a judge has accepted, so it declares no entities; lxml's if that is there."""
    for name in ("lxml.etree", "xml.etree.ElementTree"):
        with contextlib.suppress(ImportError):
            return import_module(name).fromstring(text.encode())
    raise AssertionError


def written_element(value: Any) -> str:
    """The text of an element; of anything else, what `str` makes of it."""
    module = type(value).__module__
    if module not in ("lxml.etree", "xml.etree.ElementTree"):
        return str(value)
    text: str = import_module(module).tostring(value, encoding="unicode")
    return text


def described(kind: Any) -> tuple[pydantic.TypeAdapter[Any], JsonSchema]:
    """Pydantic's adapter and JSON Schema of a type.

    Raises:
        SchemaError: it has none.
    """
    what = f"{kind!r:.80} is neither a schema nor a type Pydantic can describe"
    try:
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(kind)
        schema = adapter.json_schema()
    except (pydantic.errors.PydanticUserError, AttributeError, NameError) as error:
        raise SchemaError(f"{what}: {str(error).splitlines()[0]}") from error
    if adapter.core_schema["type"] == "call":
        raise SchemaError(f"{what}: it is a function. Pass the type of its argument.")
    return adapter, close_objects(schema)
