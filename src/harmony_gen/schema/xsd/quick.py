"""Judges documents that the grammar admits, without a validator where the grammar leaves it nothing to find."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harmony_gen.schema.judge import Judge
    from harmony_gen.schema.xsd.links import Links

_TAG = re.compile(rb"<(/?)[^>]*?(/?)>")
_SHALLOW = 30
"""Open elements that no validator finds too many."""


class QuickJudge:
    """Judges documents that the grammar admits, where only links between values are left to be judged, if any.

    To validate the whole takes milliseconds, and it would be done at each other way to end. The validator is asked
    about the shortest document, in doubt, about documents that are nested deeply, and about each answer at its end.
    """

    def __init__(self, links: Links | None, judge: Judge) -> None:
        """Takes the links of a schema, and the judge who decides in doubt."""
        self._links = links
        self._judge = judge

    def accepts(self, text: bytes) -> bool:
        """Whether a document is valid."""
        return self._is_plainly_valid(text) or self._judge.accepts(text)

    def check(self, text: str | bytes) -> None:
        """Raises ValidationError with the first reason if a document is not valid."""
        self._judge.check(text)

    def _is_plainly_valid(self, text: bytes) -> bool:
        if _depth(text) > _SHALLOW:
            return False
        links = self._links
        return links is None or (links.is_certain and next(links.clashes(text.decode()), None) is None)


def _depth(text: bytes) -> int:
    """The most elements that are open at a time, or fewer if that is not many."""
    opening = text.count(b"<") - text.count(b"</")
    if opening <= _SHALLOW:
        return opening
    depth = most = 0
    for closing, empty in _TAG.findall(text):
        depth += -1 if closing else 1
        most = max(most, depth)
        depth -= bool(empty)
    return most
