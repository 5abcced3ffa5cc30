"""The value of an answer so far: grown by what closes while it is written, never by reading its text again."""

from __future__ import annotations

import collections.abc
import types
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import TypeAdapter

_LISTS = (list, set, frozenset, collections.abc.Sequence)


def grown(value: Any, path: Sequence[str | int], new: Any) -> Any:
    """A JSON value with another one put into it.

    Args:
        value: what there is, which is not changed; None for nothing.
        path: keys and indices; an index is at most the number of items there are.
        new: what stands there.
    """
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = list(value) if isinstance(value, list) else []
        items[step:] = [grown(items[step] if step < len(items) else None, rest, new)]
        return items
    members = dict(value) if isinstance(value, dict) else {}
    members[step] = grown(members.get(step), rest, new)
    return members


def constructed(kind: Any, value: Any) -> Any:
    """What there is of a value of a type: valid parts as Pydantic makes them, models around them as far as they are.

    Args:
        kind: the type; None for plain JSON values.
        value: as JSON.
    """
    if kind is None:
        return value
    try:
        return _adapter(kind).validate_python(value)
    except Exception:  # noqa: BLE001 - it is not complete; and a user's validator may raise anything
        return _open(kind, value)


@lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _open(kind: Any, value: Any) -> Any:
    """The same of a value that is not complete."""
    from pydantic import BaseModel

    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return constructed(arguments[0], value)
    if origin in (Union, types.UnionType):
        models = [one for one in arguments if isinstance(one, type) and issubclass(one, BaseModel)]
        return _open(models[0], value) if len(models) == 1 else value
    if isinstance(value, list) and origin in _LISTS:
        return [constructed(arguments[0], item) for item in value]
    if origin is dict and isinstance(value, dict):
        return {key: constructed(arguments[1], member) for key, member in value.items()}
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, BaseModel):
        return _model(kind, value)
    return value


def _model(kind: Any, value: dict[str, Any]) -> Any:
    """A model without the fields that are missing."""
    found, by_key = {}, {}
    for name, field in kind.model_fields.items():
        known = [key for key in (field.validation_alias, field.alias, name) if isinstance(key, str) and key in value]
        if known:
            found[name] = by_key[field.alias or name] = constructed(field.annotation, value[known[0]])
    return kind.model_construct(_fields_set=set(found), **by_key)
