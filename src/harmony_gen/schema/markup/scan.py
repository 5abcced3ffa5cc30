"""Follows documents in the spelling of answers while they are written; what `schema.scanner` is for JSON."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from harmony_gen.schema.scanner import Closed, Path, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(rb"</?([^\s/>]+)")
_ATTRIBUTE = re.compile(rb' ([^=\s]+)="([^"]*)"')
_NO_COUNTS: Mapping[str, int] = MappingProxyType({})


class Open(NamedTuple):
    """An element that is open.

    Attributes:
        tag: its name, as written.
        step: the name with the number of the element among those of the name.
        start: byte offset of its start tag.
        content: byte offset of what it holds.
        counts: how many children of each name it has.
        members: spans of the children that have closed.
    """

    tag: str
    step: str
    start: int
    content: int
    counts: Mapping[str, int] = _NO_COUNTS
    members: tuple[Span, ...] = ()


class DocumentScan(NamedTuple):
    """State after the beginning of a document.

    Attributes:
        frames: the open elements, outermost first.
        tail: bytes of a tag, or of a text, that is still open.
        position: bytes read so far.
    """

    frames: tuple[Open, ...] = ()
    tail: bytes = b""
    position: int = 0

    @property
    def in_string_value(self) -> bool:
        """A text, or the value of an attribute, is being written."""
        return self.tail[:1] != b"<" if self.tail else bool(self.frames)

    @property
    def in_number(self) -> bool:
        """Never: numbers are texts like others."""
        return False

    @property
    def path(self) -> Path:
        """Where the element that is open stands."""
        return tuple(frame.step for frame in self.frames)

    def path_of(self, depth: int) -> Path:
        """Where an open element stands; the root has depth 0."""
        return self.path[: depth + 1]

    def feed(self, data: bytes) -> tuple[DocumentScan, list[Closed]]:
        """Reads more bytes.

        Returns:
            The state after them, and the values they closed, in order: attributes, and elements. The span of an
            element that holds no others is that of its text. `frames` stays the same object while a tag or a text only
            grows.
        """
        if self.tail[:1] not in (b"", b"<") and b"<" not in data:
            return DocumentScan(self.frames, self.tail + data, self.position + len(data)), []
        walk = _Walk(self.frames)
        rest = walk.read(self.tail + data, self.position - len(self.tail), len(self.tail))
        frames = tuple(walk.frames) if walk.has_changed else self.frames
        return DocumentScan(frames, rest, self.position + len(data)), walk.closed

    def end(self) -> tuple[DocumentScan, list[Closed]]:
        """Says that the document ends here; nothing is open then."""
        return self, []


class _Walk:
    """Applies tags and texts to a mutable copy of the frames, within one call of `feed`."""

    def __init__(self, frames: tuple[Open, ...]) -> None:
        self.frames = list(frames)
        self.closed: list[Closed] = []
        self.has_changed = False

    def read(self, text: bytes, start: int, known: int) -> bytes:
        """Applies what is complete; returns what is not.

        Args:
            text: what has not been applied yet.
            start: its byte offset in the document.
            known: how many bytes of it were there before.
        """
        at = 0
        while at < len(text):
            is_tag = text[at : at + 1] == b"<"
            end = text.find(b">" if is_tag else b"<", at)
            tag = text[at : end + 1] if end >= 0 else text[at:]
            if is_tag:
                self._attributes(tag, start + at, known - at)
            if end < 0:
                return text[at:]
            if is_tag:
                self._tag(tag, start + at)
            at = end + is_tag
        return b""

    def _attributes(self, tag: bytes, start: int, known: int) -> None:
        """Closes the attributes of a tag, perhaps an incomplete one, that were not complete before."""
        name = _NAME.match(tag)
        if name is None or tag[1:2] == b"/":
            return
        step = self._step(name[1].decode(errors="replace"))
        for match in _ATTRIBUTE.finditer(tag, name.end()):
            label = match[1].decode()
            if match.end() > known and label != "xmlns" and not label.startswith("xmlns:"):
                self.has_changed = True
                path = (*(frame.step for frame in self.frames), step, f"@{label}")
                self.closed.append(Closed(path, (start + match.start(2), start + match.end(2)), None))

    def _step(self, tag: str) -> str:
        if not self.frames:
            return tag
        return f"{tag}[{self.frames[-1].counts.get(tag, 0) + 1}]"

    def _tag(self, tag: bytes, start: int) -> None:
        self.has_changed = True
        end = start + len(tag)
        if tag[1:2] == b"/":
            self._close(start, end)
            return
        name = _NAME.match(tag)
        label = name[1].decode() if name else ""
        self.frames.append(Open(label, self._step(label), start, end))
        if tag.endswith(b"/>"):
            self._close(end - 2, end, is_empty=True)

    def _close(self, content_end: int, end: int, *, is_empty: bool = False) -> None:
        path = tuple(frame.step for frame in self.frames)
        top = self.frames.pop()
        text = (content_end if is_empty else top.content, content_end)
        self.closed.append(Closed(path, (top.start, end) if top.members else text, None))
        if self.frames:
            parent = self.frames[-1]
            counts = {**parent.counts, top.tag: parent.counts.get(top.tag, 0) + 1}
            self.frames[-1] = parent._replace(counts=counts, members=(*parent.members, (top.start, end)))


def completed(text: bytes, scan: Any) -> bytes:
    """A well-formed document that holds all values which have closed in the beginning of one.

    Args:
        text: the beginning.
        scan: the state after it; where it is none of a document, the beginning is the whole.
    """
    if not isinstance(scan, DocumentScan):
        return text
    is_tag = scan.tail[:1] == b"<"
    attributes = list(_ATTRIBUTE.finditer(scan.tail)) if is_tag else []
    start = scan.tail[: attributes[-1].end()] + b">" if attributes else b""
    name = _NAME.match(start)
    tags = [*(frame.tag.encode() for frame in scan.frames), *([name[1]] if name else [])]
    return text[: len(text) - len(scan.tail)] + start + b"".join(b"</%b>" % tag for tag in reversed(tags))
