"""Trees that know their hash: they are looked up all the time, and each time a hash would go through all of a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

_T = TypeVar("_T")


class Hashed:
    """Room for a hash beside the fields of a frozen dataclass."""

    __slots__ = ("_hash",)


@dataclass_transform(frozen_default=True)
def hashed(kind: type[_T]) -> type[_T]:
    """Makes a class over `Hashed` a frozen dataclass that computes its hash once."""
    made = dataclass(frozen=True, slots=True)(kind)
    plain = made.__hash__

    def kept(self: Any) -> int:
        try:
            found: int = self._hash
        except AttributeError:
            found = plain(self)
            object.__setattr__(self, "_hash", found)
        return found

    made.__hash__ = kept  # type: ignore[method-assign]
    return made
