"""Follows a JSON text byte by byte: which containers are open, and which values have just closed.

The scanner knows syntax only, no schema. Its state is an immutable value, so a rollback is a matter of
keeping the old state. It expects what the grammar guarantees, a prefix of a JSON text, and does not check it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

Span = tuple[int, int]
"""Half-open range of offsets, of bytes in UTF-8 unless it says characters."""

Path = tuple[str | int, ...]
"""Keys and indices from the root to a value."""


class Frame(NamedTuple):
    """One open container.

    Attributes:
        kind: "{" or "[".
        start: byte offset of its opening bracket.
        phase: what comes next: "first" (just opened), "key", "colon", "value" or "after" (a closed member).
        keys: the keys seen so far, the current one last; () in an array.
        members: spans of the values that have closed, in order.
    """

    kind: str
    start: int
    phase: str = "first"
    keys: tuple[str, ...] = ()
    members: tuple[Span, ...] = ()

    @property
    def step(self) -> str | int:
        """Key or index of the member that is open, or comes next in an array."""
        return self.keys[-1] if self.kind == "{" else len(self.members)


class Closed(NamedTuple):
    """A value that has just closed.

    Attributes:
        path: where it stands.
        span: its bytes.
        parent: the frame it stands in, this member included; None for the root.
    """

    path: Path
    span: Span
    parent: Frame | None


class Scanner(Protocol):
    """What follows an answer while it is written. A value: reading makes new ones."""

    @property
    def frames(self) -> tuple[Any, ...]:
        """What is open, outermost first."""
        ...

    @property
    def tail(self) -> bytes:
        """Bytes of what is open and may still grow."""
        ...

    @property
    def position(self) -> int:
        """Bytes read so far."""
        ...

    @property
    def in_number(self) -> bool:
        """A number is being written."""
        ...

    @property
    def in_string_value(self) -> bool:
        """A text is being written that is a value."""
        ...

    def feed(self, data: bytes) -> tuple[Scanner, list[Closed]]:
        """The state after more bytes, and the values they closed; `frames` stays the same where a value only grows."""
        ...

    def end(self) -> tuple[Scanner, list[Closed]]:
        """The state at the end of the answer, and the values that this closes."""
        ...


class Scalar(NamedTuple):
    """A scalar of an answer.

    Attributes:
        pointer: where it stands: a JSON Pointer, or an XPath.
        value: what it is.
        sought: what is looked for in a source: a text without quotes and escapes, or a number.
        span: its bytes.
        decided: the bytes that say what it is. In XML the first byte of what ends it is one of them; in JSON the byte
            before it, for the token that wrote it may have begun a string, or not.
    """

    pointer: str
    value: Any
    sought: Any
    span: Span
    decided: Span


TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|"(?:[^"\\]|\\.)*\\?\Z|[{}\[\],:]|[-+.0-9eE]+|[a-z]+|[ \t\r\n]+', re.DOTALL)
"""A token of a JSON text, or the beginning of a string at its end, or white space."""

_WORDS = (b"true", b"false", b"null")
_QUOTE = ord('"')
_NUMERIC = frozenset(b"-+.0123456789eE")


class Scan(NamedTuple):
    """State after a prefix of a JSON text.

    Attributes:
        frames: the open containers, outermost first.
        tail: bytes of a string, number or word that is still open; b"" between tokens.
        position: bytes read so far.
        done: the root value has closed.
    """

    frames: tuple[Frame, ...] = ()
    tail: bytes = b""
    position: int = 0
    done: bool = False

    @property
    def in_key(self) -> bool:
        """A member name is open or comes next."""
        return bool(self.frames) and self.frames[-1].kind == "{" and self.frames[-1].phase in ("first", "key")

    @property
    def in_number(self) -> bool:
        """A number or a word is open."""
        return self.tail[:1] not in (b"", b'"')

    @property
    def in_string_value(self) -> bool:
        """A string that is a value, not a member name, is open."""
        return self.tail[:1] == b'"' and not self.in_key

    @property
    def path(self) -> Path:
        """Where the value that is open, or comes next, stands; the object's path while a name is due."""
        return tuple(frame.step for frame in (self.frames[:-1] if self.in_key else self.frames))

    def path_of(self, depth: int) -> Path:
        """Where the last member of an open container stands; the outermost container has depth 0."""
        return tuple(frame.step for frame in self.frames[: depth + 1])

    def feed(self, data: bytes) -> tuple[Scan, list[Closed]]:
        """Reads more bytes.

        Returns:
            The state after them, and the values they closed, in order. A number at the end of the data stays
            open, for more digits may follow; `end` closes it. `frames` stays the same object where an open string
            or number only grows.
        """
        tail = self.tail
        if tail and (b'"' not in data if tail[0] == _QUOTE else data.isdigit()):
            return Scan(self.frames, tail + data, self.position + len(data), self.done), []
        walk = _Walk(self.frames, self.done)
        rest = walk.read(tail + data, self.position - len(tail))
        return Scan(tuple(walk.frames), rest, self.position + len(data), walk.done), walk.closed

    def end(self) -> tuple[Scan, list[Closed]]:
        """Says that the text ends here, which closes a number at the root."""
        if not self.tail:
            return self, []
        walk = _Walk(self.frames, self.done)
        walk.atom(self.tail, self.position - len(self.tail), self.position)
        return Scan(tuple(walk.frames), b"", self.position, walk.done), walk.closed


class Blind(NamedTuple):
    """Follows answers that are plain text: nothing in them is a value."""

    frames: tuple[()] = ()
    tail: bytes = b""
    position: int = 0
    in_number: bool = False
    in_string_value: bool = False

    def feed(self, data: bytes) -> tuple[Blind, list[Closed]]:  # noqa: ARG002 - see Scanner
        """Nothing changes."""
        return self, []

    def end(self) -> tuple[Blind, list[Closed]]:
        """Nothing closes."""
        return self, []


def _may_go_on(token: bytes) -> bool:
    """Whether a token at the end of the data may still grow."""
    if token[0] == _QUOTE:
        return not _is_closed(token)
    return token[0] in _NUMERIC or (token.isalpha() and token not in _WORDS)


def _is_closed(token: bytes) -> bool:
    body = token[1:]
    if body[-1:] != b'"':
        return False
    escapes = len(body[:-1]) - len(body[:-1].rstrip(b"\\"))
    return escapes % 2 == 0


class _Walk:
    """Applies tokens to a mutable copy of the frames, within one call of `feed`."""

    def __init__(self, frames: tuple[Frame, ...], done: bool) -> None:
        self.frames = list(frames)
        self.done = done
        self.closed: list[Closed] = []

    def read(self, text: bytes, start: int) -> bytes:
        """Applies all tokens of a text; returns the last one, unapplied, if it may still grow."""
        last = len(text)
        for match in TOKEN.finditer(text):
            token = match.group()
            if match.end() == last and _may_go_on(token):
                return token
            self._token(token, start + match.start(), start + match.end())
        return b""

    def _token(self, token: bytes, start: int, end: int) -> None:
        frames = self.frames
        if token == b",":
            kind, opened, _, keys, members = frames[-1]
            frames[-1] = Frame(kind, opened, "key" if kind == "{" else "value", keys, members)
        elif token == b":":
            kind, opened, _, keys, members = frames[-1]
            frames[-1] = Frame(kind, opened, "value", keys, members)
        elif token in (b"{", b"["):
            frames.append(Frame(token.decode(), start))
        elif token in (b"}", b"]"):
            self._close(frames.pop().start, end)
        elif not token.isspace():
            self.atom(token, start, end)

    def atom(self, token: bytes, start: int, end: int) -> None:
        """Applies a string, a number or a word: a member's name, or a value."""
        top = self.frames[-1] if self.frames else None
        if top is not None and top.kind == "{" and top.phase in ("first", "key"):
            self.frames[-1] = Frame("{", top.start, "colon", (*top.keys, _name(token)), top.members)
        else:
            self._close(start, end)

    def _close(self, start: int, end: int) -> None:
        if not self.frames:
            self.done = True
            self.closed.append(Closed((), (start, end), None))
            return
        path = tuple([frame.step for frame in self.frames])
        kind, opened, _, keys, members = self.frames[-1]
        top = self.frames[-1] = Frame(kind, opened, "after", keys, (*members, (start, end)))
        self.closed.append(Closed(path, (start, end), top))


def _name(token: bytes) -> str:
    """The member name that a token spells."""
    return str(json.loads(token)) if b"\\" in token else token[1:-1].decode("utf-8", "surrogatepass")


def pointer(path: Path) -> str:
    """JSON Pointer (RFC 6901) of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def scalars(text: bytes) -> Iterator[Scalar]:
    """The scalars of a JSON text, in order."""
    scan, closed = Scan().feed(text)
    for path, span, _ in [*closed, *scan.end()[1]]:
        raw = text[slice(*span)]
        if raw[:1] not in (b"{", b"["):
            value = json.loads(raw)
            yield Scalar(pointer(path), value, value, span, (max(span[0] - 1, 0), span[1]))
