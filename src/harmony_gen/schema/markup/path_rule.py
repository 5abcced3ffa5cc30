"""A user's condition on the values at one place of documents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harmony_gen.schema.markup.scan import DocumentScan, closing
from harmony_gen.schema.rules import Rejection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harmony_gen.schema.scanner import Closed

_PLACE = re.compile(r"(?://?[\w.\-:*]+)*(?://?@[\w.\-:*]+)?")
_NAME = r"[^/@\[\]]+"
_INDEX = r"(?:\[\d+\])?"


class PathRule:
    """A condition on the values of elements or attributes; see `rules.rule`."""

    def __init__(self, place: str, reason: Callable[[Any], str | None], value: Callable[[bytes, int], Any]) -> None:
        """Takes a condition.

        Args:
            place: an XPath from the root: names with the prefixes of answers, or *; // leaves out any levels.
            reason: why a value is refused, or None.
            value: the value that begins at a byte of a well-formed document.

        Raises:
            ValueError: the place is no such path.
        """
        if not place or not _PLACE.fullmatch(place):
            known = '"/order/total", "//line/@no" or "/order/*"'
            message = f"The place of a rule on XML must be an XPath from the root like {known}; it is {place!r}."
            raise ValueError(message)
        self._pattern = re.compile("".join(map(_step, re.findall(r"//?[^/]+", place))))
        self._reason = reason
        self._value = value

    def rejects(self, text: bytes, scan: Any, closed: Sequence[Closed]) -> Rejection | None:
        """See `rules.Rule`."""
        for item in closed:
            path = "".join(f"/{step}" for step in item.path)
            if self._pattern.fullmatch(path):
                whole = text + closing(scan if isinstance(scan, DocumentScan) else DocumentScan())
                reason = self._reason(self._value(whole, item.span[0]))
                if reason is not None:
                    start, end = item.span
                    return Rejection(path, text[start:end].decode(errors="replace"), reason, start)
        return None


def _step(step: str) -> str:
    """A step as a regular expression of paths, in which elements below the root have numbers."""
    name = step.lstrip("/")
    written = re.escape(name).replace(r"\*", _NAME)
    return (rf"(?:/{_NAME}{_INDEX})*" if step.startswith("//") else "") + f"/{written}{_INDEX}"
