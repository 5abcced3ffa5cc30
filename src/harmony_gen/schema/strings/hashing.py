"""Trees that know their hash: they are looked up all the time, and each time a hash would go through all of a tree."""

from __future__ import annotations

from typing import Any, TypeVar

_T = TypeVar("_T")


class Hashed:
    """Room for a hash beside the fields of a frozen dataclass."""

    __slots__ = ("_hash",)


def keeps_hash(kind: type[_T]) -> type[_T]:
    """Makes a frozen dataclass over `Hashed` compute its hash once."""
    plain = kind.__hash__

    def kept(self: Any) -> int:
        try:
            found: int = self._hash
        except AttributeError:
            found = plain(self)
            object.__setattr__(self, "_hash", found)
        return found

    kind.__hash__ = kept  # type: ignore[method-assign]
    return kind
