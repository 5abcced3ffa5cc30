"""What makes two runs the same: the model with its adapter and tokenizer, the schema, the options, the version.

A model is known by what it holds, not by its name: of each of its tensors some numbers are read. So a folder that was
trained anew is another model, wherever it lies.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from harmony_gen import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony_gen.generator import Generator
    from harmony_gen.schema import Schema

_NUMBERS = 64
"""Of each tensor; a fine-tune changes nearly all of those it changes at all."""


def digest(value: Any) -> str:
    """A short text for a JSON value; different values have different ones."""
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def of_run(generator: Generator, schema: Schema[Any], options: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """What must agree for answers to be the same.

    Args:
        generator: has the model.
        schema: what a right answer is.
        options: those of `Generator.generate_each`.

    Returns:
        Each part by its name, and whether that is all: rules are functions, of which only the names are known, and
        answers that are drawn without a seed differ each time.
    """
    opaque: list[Any] = []

    def named(value: Any) -> str:
        opaque.append(value)
        return str(getattr(value, "__qualname__", type(value).__qualname__))

    sampling = options.get("sampling")
    is_drawn = sampling is not None and sampling.temperature > 0 and sampling.seed is None
    plain = {name: to_jsonable_python(value, fallback=named) for name, value in options.items()}
    parts = {"version": __version__, "model": of_model(generator), "schema": of_schema(schema), "options": plain}
    return parts, not opaque and not is_drawn


def of_schema(schema: Schema[Any]) -> str:
    """A text that differs for schemas that differ."""
    return digest([schema.grammar, schema.description, dict(schema.coverage), schema.json_schema])


def of_model(generator: Generator) -> str:
    """A text that differs for models that differ in a weight, the tokenizer, their spelling or their calibration."""
    found = sha256()
    for name, tensor in sorted(generator._model.state_dict().items()):
        shape = (name, tuple(tensor.shape), str(tensor.dtype))
        found.update(repr((shape, None if tensor.device.type == "meta" else _some(tensor))).encode())
    backend = getattr(generator._tokenizer, "backend_tokenizer", None)
    kept = None if generator.calibration is None else asdict(generator.calibration)
    told = (
        generator._is_embedded,
        generator._turn,
        generator._separators,
        getattr(generator._tokenizer, "chat_template", None),
        kept,
    )
    found.update(repr(told).encode())
    found.update(b"" if backend is None else backend.to_str().encode())
    return found.hexdigest()[:32]


def _some(tensor: Any) -> list[Any]:
    """Some of the numbers of a tensor, evenly spread."""
    local = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    flat = local.detach().reshape(-1) if local.is_contiguous() else local.detach().flatten()
    numbers: list[Any] = flat[:: max(1, flat.numel() // _NUMBERS)].double().tolist()
    return numbers
