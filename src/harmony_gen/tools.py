"""Tools that a model may call: Python functions, or descriptions with a JSON Schema."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import SchemaError
from harmony_gen.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Sequence

Tool = Callable[..., Any] | Mapping[str, Any]
"""A function with annotated parameters; or a dict with "name", "parameters" (a JSON Schema) and perhaps "description",
bare or as OpenAI's {"type": "function", "function": {…}}."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Described:
    """A tool as a model is told of it.

    Attributes:
        name: letters, digits, _ and -.
        description: what it does; "" if nobody says.
        arguments: the schema of its arguments, an object.
        parameters: the same as a JSON Schema.
    """

    name: str
    description: str
    arguments: Schema[Any]
    parameters: dict[str, Any]

    def named(self, value: Any) -> dict[str, Any]:
        """The arguments of a call, as the function's types or as JSON, by their names."""
        fields = getattr(type(value), "model_fields", None)
        return dict(value) if fields is None else {field.alias: getattr(value, key) for key, field in fields.items()}

    def as_openai(self) -> dict[str, Any]:
        """The form in which chat templates take tools."""
        function = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}


def describe(tools: Sequence[Tool]) -> dict[str, Described]:
    """Tools by their names.

    Raises:
        SchemaError: one of them has no schema, a bad one, or a name that is missing, odd or taken.
        TypeError: one of them is no tool.
    """
    found: dict[str, Described] = {}
    for tool in tools:
        one = _of_function(tool) if callable(tool) else _of_mapping(tool)
        if one.name in found:
            raise SchemaError(f"Two tools are called {one.name!r}. Give each a name of its own.")
        found[one.name] = one
    return found


def _of_mapping(tool: object) -> Described:
    if not isinstance(tool, Mapping):
        raise TypeError(f"A tool is a function, or a dict with a name and parameters; this is {tool!r:.80}.")
    given = tool["function"] if isinstance(tool.get("function"), Mapping) else tool
    name, parameters = given.get("name"), given.get("parameters")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SchemaError(f"A tool needs a name of letters, digits, _ and -, at most 64; this one has {name!r}.")
    if not isinstance(parameters, Mapping):
        raise SchemaError(
            f'The tool {name!r} has no schema: give its arguments as a JSON Schema under "parameters"; '
            '{"type": "object", "properties": {}} if it takes none.'
        )
    schema = {"type": "object", **parameters}
    if schema["type"] != "object":
        raise SchemaError(f"The parameters of the tool {name!r} must be an object.", pointer="/type", keyword="type")
    return Described(name, str(given.get("description") or ""), Schema.of(schema), schema)


def _of_function(tool: Callable[..., Any]) -> Described:
    """A function's parameters become the members of an object, as Pydantic reads their annotations."""
    from pydantic import ConfigDict, Field, create_model
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

    name = getattr(tool, "__name__", "")
    if not _NAME.fullmatch(name):
        raise SchemaError(f"A tool needs a name; this is {tool!r:.80}. Define it with def.")
    try:
        parameters = inspect.signature(tool, eval_str=True).parameters.values()
    except (NameError, TypeError, ValueError) as error:
        raise SchemaError(f"The parameters of the tool {name!r} cannot be read: {error}") from error
    fields: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise SchemaError(f"The parameter {parameter} of the tool {name!r} cannot be given by name.")
        if parameter.annotation is parameter.empty:
            raise SchemaError(
                f"The parameter {parameter.name!r} of the tool {name!r} has no annotation. Give it a type."
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[f"field_{len(fields)}"] = (parameter.annotation, Field(default, alias=parameter.name))
    try:
        model = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        schema = Schema.of(model)
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        first, *_ = str(error).splitlines()
        raise SchemaError(f"The parameters of the tool {name!r} have no schema: {first}") from error
    described = schema.json_schema if isinstance(schema.json_schema, dict) else {}
    return Described(name, inspect.getdoc(tool) or "", schema, described)
