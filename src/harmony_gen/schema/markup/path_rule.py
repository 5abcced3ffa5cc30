"""A user's condition on the values at one place of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony_gen.schema.markup.place import Place
from harmony_gen.schema.markup.scan import completed
from harmony_gen.schema.rules import Rejection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harmony_gen.schema.scanner import Closed


class PathRule:
    """A condition on the values of elements or attributes; see `rules.rule`."""

    def __init__(self, place: str, reason: Callable[[Any], str | None], value: Callable[[bytes, int], Any]) -> None:
        """Takes a condition.

        Args:
            place: see `Place`.
            reason: why a value is refused, or None.
            value: the value that begins at a byte of a well-formed document.

        Raises:
            ValueError: the place is no such path.
        """
        self._place = Place(place)
        self._reason = reason
        self._value = value

    def rejects(self, text: bytes, scan: Any, closed: Sequence[Closed]) -> Rejection | None:
        """See `rules.Rule`."""
        for item in closed:
            path = "".join(f"/{step}" for step in item.path)
            if self._place.matches(path):
                whole = completed(text, scan)
                reason = self._reason(self._value(whole, item.span[0]))
                if reason is not None:
                    start, end = item.span
                    return Rejection(path, text[start:end].decode(errors="replace"), reason, start)
        return None
