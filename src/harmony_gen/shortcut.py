"""`harmony_gen.generate`: a generator's `generate`, with models that are loaded once and kept."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, overload

from harmony_gen.errors import ModelError
from harmony_gen.generator import Generator

if TYPE_CHECKING:
    from harmony_gen.messages import Prompt
    from harmony_gen.result import Result
    from harmony_gen.schema import Schema

T = TypeVar("T")

_loading = threading.Lock()  # two threads that ask for the same model load it once


@lru_cache(maxsize=8)
def _kept(model: str | None, precision: str, device: str, adapter: str | None) -> Generator:
    """A generator for each model that was asked for, kept for the life of the process."""
    if model is None:
        if (precision, device, adapter) != ("auto", "auto", None):
            raise ModelError(
                "precision, device and adapter say how a model is loaded; the embedded model is always the "
                "same. Pass model=…, or leave them out."
            )
        return Generator.embedded()
    return Generator.from_pretrained(model, precision=precision, device=device, adapter=adapter)


def loaded(
    model: str | None = None, precision: str = "auto", device: str = "auto", adapter: str | None = None
) -> Generator:
    """The generator of a model, which is loaded once and kept. Arguments and errors are those of `generate`."""
    with _loading:
        return _kept(model, precision, device, adapter)


@overload
def generate(prompt: Prompt, schema: type[T] | Schema[T], *, model: str | None = ..., **options: Any) -> Result[T]: ...


@overload
def generate(prompt: Prompt, schema: Any, *, model: str | None = ..., **options: Any) -> Result[Any]: ...


def generate(
    prompt: Prompt,
    schema: Any,
    *,
    model: str | None = None,
    precision: str = "auto",
    device: str = "auto",
    adapter: str | None = None,
    **options: Any,
) -> Result[Any]:
    """Answers a prompt in a schema.

    Args:
        prompt: a text, or chat messages.
        schema: a Pydantic model or any type Pydantic reads, a JSON Schema (dict, bool or path of a .json
            file), an outlines type, or a `Schema`.
        model: a directory or an id on the Hugging Face hub; None is the small model that comes with the
            package. Models are loaded once and kept.
        precision: as for `Generator.from_pretrained`; refused for the embedded model.
        device: likewise.
        adapter: likewise.
        options: those of `Generator.generate`.

    Returns:
        A result whose `value` is valid, always.

    Raises:
        HarmonyError: see `Generator.generate` and `Generator.from_pretrained`.
    """
    return loaded(model, precision, device, adapter).generate(prompt, schema, **options)
