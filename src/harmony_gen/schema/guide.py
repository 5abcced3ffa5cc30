"""What a schema suggests at a place in a JSON text: the next pieces, and what closes all that is open."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from harmony_gen.schema.outline import ANYTHING, Alternative, Alternatives, Outline, same, spell
from harmony_gen.schema.texts import Texts, numbers, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.scanner import Frame, Scan
    from harmony_gen.schema.subschema import Subschema

Piece = tuple[bytes, float]
"""Bytes to go on with, and a penalty: how unlikely they are to be what a short completion needs, in bytes."""

_WIDTH = 100
_LISTED = 40
_FREE = 4
_UNNAMED = 60
_LONGEST_VALUE = 200
_UNKNOWN = 200
_STRAY = 30
_DANGLING = 4
_WHOLE = re.compile(r'"(?:[^\\]+|\\u[0-9a-fA-F]{4}|\\[^u])*', re.DOTALL)
_TYPE_OF_BYTE = dict.fromkeys(b"-0123456789", "number") | {
    ord('"'): "string",
    ord("{"): "object",
    ord("["): "array",
    ord("t"): "boolean",
    ord("f"): "boolean",
    ord("n"): "null",
}


class _Open(NamedTuple):
    """What is known of an open container: the frame, and what the value may be by what it holds so far."""

    frame: Frame
    alternatives: Alternatives
    closings: dict[tuple[Texts, bool], bytes | None]


class Guide:
    """Suggestions for the completion of texts under one schema.

    What is known of a frame is kept by the identity of the frame: the scanner makes a new one whenever a
    frame changes, and a frame belongs to one text only.
    """

    def __init__(self, root: Subschema) -> None:
        self.outline = Outline(root)
        self.texts = Texts(self.outline)
        self.exemplary = Texts(self.outline, exemplary=True)
        self._known: dict[int, _Open] = {}

    def start(self, scan: Scan) -> None:
        """Forgets all frames but those of a text that a search begins with."""
        kept = (self._known.get(id(frame)) for frame in scan.frames)
        self._known = {id(known.frame): known for known in kept if known is not None}

    def _open(self, frames: tuple[Frame, ...], document: bytes) -> _Open:
        """What is known of the innermost of some frames."""
        frame = frames[-1]
        known = self._known.get(id(frame))
        if known is None:
            name = "object" if frame.kind == "{" else "array"
            expected = self._expected(frames[:-1], document)
            fitting = tuple(alternative for alternative in expected if name in alternative.types)
            known = _Open(frame, self._agreeing(fitting, frame, document) or fitting, {})
            self._known[id(frame)] = known
        return known

    def _expected(self, frames: tuple[Frame, ...], document: bytes) -> Alternatives:
        """What the value may be that comes next, or is open, inside some frames."""
        if not frames:
            return self.outline.root
        step = frames[-1].step
        parents = self._open(frames, document).alternatives
        found = dict.fromkeys(child for parent in parents for child in self.outline.child(parent, step))
        return tuple(found)[:_WIDTH]

    def _agreeing(self, alternatives: Alternatives, frame: Frame, document: bytes) -> Alternatives:
        """The alternatives that the members so far do not contradict by order, type, `const` or `enum`."""
        if len(alternatives) < 2 or frame.kind == "[":  # noqa: PLR2004 - one alternative is kept in any case
            return alternatives
        members = [(key, document[slice(*span)]) for key, span in zip(frame.keys, frame.members, strict=False)] + [
            (key, b"") for key in frame.keys[len(frame.members) :]
        ]
        return tuple(
            alternative
            for alternative in alternatives
            if alternative.keeps_order(frame.keys)
            and all(_admits(self.outline.child(alternative, key), text) for key, text in members)
        )

    def rest(self, scan: Scan, document: bytes, texts: Texts | None = None) -> bytes | None:
        """A text that completes the document between tokens, or None if the schema suggests none."""
        texts = texts or self.texts
        if scan.done:
            return b""
        frames = scan.frames
        if not frames or frames[-1].phase in ("colon", "value"):
            value = texts.short(self._expected(frames, document))
            if value is None:
                return None
            colon = b":" if frames and frames[-1].phase == "colon" else b""
            return self._close(frames, document, texts, colon + value.encode(), child=True)
        return self._close(frames, document, texts, b"", child=False)

    def _close(
        self, frames: tuple[Frame, ...], document: bytes, texts: Texts, text: bytes, *, child: bool
    ) -> bytes | None:
        """A text, and what closes the frames behind it; `child`: it completes a child of the last of them."""
        pieces = [text]
        for depth in range(len(frames), 0, -1):
            closing = self._closing(frames[:depth], document, texts, child=child or depth < len(frames))
            if closing is None:
                return None
            pieces.append(closing)
        return b"".join(pieces)

    def _closing(self, frames: tuple[Frame, ...], document: bytes, texts: Texts, *, child: bool) -> bytes | None:
        """What closes the innermost of some frames, missing members included; the shortest that is known."""
        known = self._open(frames, document)
        if (texts, child) not in known.closings:
            found = (
                self._closing_of(alternative, known.frame, document, texts, child=child)
                for alternative in known.alternatives[:_LISTED]
            )
            known.closings[texts, child] = min((text for text in found if text is not None), key=len, default=None)
        return known.closings[texts, child]

    def _closing_of(
        self, alternative: Alternative, frame: Frame, document: bytes, texts: Texts, *, child: bool
    ) -> bytes | None:
        if frame.kind == "{":
            missing = texts.members(alternative, frame.keys)
            bracket = "}"
        else:
            missing = self._missing_items(alternative, frame, document, texts, child=child)
            bracket = "]"
        if missing is None or (not missing and frame.phase in ("key", "value") and not child):
            return None
        comma = "," if missing and (child or frame.phase == "after") else ""
        return f"{comma}{','.join(missing)}{bracket}".encode()

    def _missing_items(
        self, alternative: Alternative, frame: Frame, document: bytes, texts: Texts, *, child: bool
    ) -> list[str] | None:
        present = len(frame.members) + child
        least = alternative.at_least("minItems")
        if alternative.all("contains") and not present:
            least = max(least, 1)
        if present >= least:
            return []
        taken = [document[slice(*span)].decode() for span in frame.members]
        return texts.items(alternative, range(present, least), taken)

    def estimate(self, scan: Scan, document: bytes) -> float:
        """A guess of the bytes that are missing."""
        rest = None if scan.tail else self.rest(scan, document)
        if rest is not None:
            return len(rest)
        length = self._estimate_tail(scan, document) if scan.tail else 5.0
        for depth in range(1, len(scan.frames) + 1):
            closing = self._closing(scan.frames[:depth], document, self.texts, child=True)
            length += _UNKNOWN if closing is None else len(closing)
        return length

    def _estimate_tail(self, scan: Scan, document: bytes) -> float:
        """A guess of the bytes that complete an open string or word."""
        if scan.tail[:1] != b'"':
            return 1
        if scan.in_key:
            names = [*self._required_names(scan, document), *self._optional_names(scan, document)]
            lengths = [self._length(name, parent) - len(_text(scan.tail)) for name, parent in names]
        else:
            lengths = [len(text) for text, _ in self._rest_of_string(scan, document)]
        shortest = min(lengths, default=_STRAY)
        return shortest if is_whole(scan.tail) else shortest + _DANGLING

    def _length(self, name: str, parent: Alternative) -> int:
        """Characters of a member that is added to an object."""
        value = self.texts.short(self.outline.child(parent, name))
        return len(name) + len('"":') + (_UNKNOWN if value is None else len(value))

    def likely(self, scan: Scan, document: bytes) -> Iterator[Piece]:
        """Pieces that a short completion probably goes on with."""
        if scan.tail[:1] == b'"':
            yield from self._rest_of_string(scan, document)
        elif scan.tail:
            yield from self._rest_of_atom(scan, document)
        elif not scan.done:
            yield from self._next(scan, document)

    def possible(self, scan: Scan, document: bytes) -> Iterator[Piece]:
        """Pieces that it goes on with now and then."""
        if scan.tail[:1] == b'"':
            if scan.in_key:
                partial = _text(scan.tail)
                yield from ((_key(name, partial), 4) for name, _ in self._optional_names(scan, document))
                yield from ((text, 6) for text in (b'":', b'a":', b'0":', b'_":'))
            else:
                yield b'"', 0
                yield from ((text, -len(text)) for text in self._rest_of_hint(scan, document))
        elif scan.tail:
            yield from ((text, 4 + len(text)) for text in (b"00", b"000", b"0000", b".0", b".5", b"e0"))
        elif not scan.done:
            exemplary = self.rest(scan, document, self.exemplary) or b""
            yield exemplary, -len(exemplary)  # cheap to try: the author knows what validators want
            yield from self._unlikely(scan, document)

    def _rest_of_string(self, scan: Scan, document: bytes) -> Iterator[Piece]:
        partial = _text(scan.tail)
        if scan.in_key:
            names = self._required_names(scan, document)
            yield from ((_key(name, partial), 0) for name, _ in names)
            return
        for alternative in self._expected(scan.frames, document):
            if alternative.values is None and "string" in alternative.types:
                for text in strings(alternative, partial):
                    yield spell(text)[1:].encode(), 0
            for value in alternative.values or ():
                if isinstance(value, str) and value.startswith(partial):
                    yield spell(value[len(partial) :])[1:].encode(), 0

    def _rest_of_hint(self, scan: Scan, document: bytes) -> Iterator[bytes]:
        """What completes an open string to an example of the author."""
        partial = _text(scan.tail)
        for alternative in self._expected(scan.frames, document):
            for value in alternative.hints:
                if isinstance(value, str) and value.startswith(partial):
                    yield spell(value[len(partial) :])[1:].encode()

    def _required_names(self, scan: Scan, document: bytes) -> Iterator[tuple[str, Alternative]]:
        """Names of missing members that begin with the open key, if one is open; by which alternative."""
        partial = _text(scan.tail)
        for alternative in self._open(scan.frames, document).alternatives:
            for name in self.texts.missing(alternative, scan.frames[-1].keys):
                if name.startswith(partial):
                    yield name, alternative

    def _optional_names(self, scan: Scan, document: bytes) -> Iterator[tuple[str, Alternative]]:
        """Other names that begin with the open key."""
        partial = _text(scan.tail)
        keys = scan.frames[-1].keys
        for alternative in self._open(scan.frames, document).alternatives:
            listed = (name for name in alternative.optional_after(keys) if name.startswith(partial))
            yield from ((name, alternative) for name in islice(listed, _LISTED))
            free = (name for name in self.texts.free_names(alternative, partial) if name not in keys)
            yield from ((name, alternative) for name in islice(free, _FREE))

    def _rest_of_atom(self, scan: Scan, document: bytes) -> Iterator[Piece]:
        """The rest of a word or of a number; or, as if the number were complete, what follows it."""
        tail = scan.tail
        if tail.isalpha():
            yield from ((word[len(tail) :], 0) for word in (b"true", b"false", b"null") if word.startswith(tail))
            return
        for alternative in self._expected(scan.frames, document):
            values = alternative.values
            if values is None:
                values = numbers(alternative, whole=False)
            for text in (spell(value).encode() for value in values):
                if text.startswith(tail) and text != tail:
                    yield text[len(tail) :], 0
        yield from ((digit, 4) for digit in (b"0", b"1", b"5"))
        closed, _ = scan.end()
        if not closed.done:
            yield from self._next(closed, document)

    def _next(self, scan: Scan, document: bytes) -> Iterator[Piece]:
        """What may come between tokens."""
        whole = self.rest(scan, document)
        if whole:
            yield whole, 0
        frame = scan.frames[-1] if scan.frames else None
        if frame is None or frame.phase in ("colon", "value"):
            colon = b":" if frame is not None and frame.phase == "colon" else b""
            yield from ((colon + text, 0) for text in self._values(scan, document))
            return
        if frame.phase != "key":
            yield (b"}" if frame.kind == "{" else b"]"), 0
        comma = b"," if frame.phase == "after" else b""
        if frame.kind == "{":
            for name, _ in self._required_names(scan, document):
                yield comma + b'"' + _key(name, ""), 1
        elif any(alternative.all("contains") for alternative in self._open(scan.frames, document).alternatives):
            yield from ((comma + text, 1) for text in self._contained(scan, document))

    def _values(self, scan: Scan, document: bytes) -> Iterator[bytes]:
        for alternative in self._expected(scan.frames, document):
            for text in self.texts.candidates(alternative):
                yield text.encode()

    def _contained(self, scan: Scan, document: bytes) -> Iterator[bytes]:
        """Items that `contains` asks for."""
        for parent in self._open(scan.frames, document).alternatives:
            items = self.outline.child(parent, scan.frames[-1].step)
            for alternative in self.outline.with_keyword(items, parent, "contains"):
                for text in self.texts.candidates(alternative):
                    yield text.encode()

    def _unlikely(self, scan: Scan, document: bytes) -> Iterator[Piece]:
        frame = scan.frames[-1] if scan.frames else None
        if frame is not None and frame.kind == "{" and frame.phase not in ("colon", "value"):
            comma = b"," if frame.phase == "after" else b""
            for name, parent in self._optional_names(scan, document):
                yield comma + b'"' + _key(name, ""), 4 if name in parent.properties else _UNNAMED
            yield comma + b'"', _UNNAMED
            return
        comma = b"," if frame is not None and frame.phase == "after" else b""
        comma = b":" if frame is not None and frame.phase == "colon" else comma
        if comma == b",":
            yield from ((comma + text, 1) for text in self._values(scan, document))
        plain = (b"0", b'""', b"null", b"true", b"{}", b"[]", b"false", b'"', b"{", b"[", b"-1", b"1")
        yield from ((comma + text, 2) for text in plain)


def _admits(alternatives: Alternatives, text: bytes) -> bool:
    """Whether a closed value may be one of some alternatives; b"" is a value that is not closed yet."""
    if not text or ANYTHING in alternatives:
        return bool(alternatives)
    name = _TYPE_OF_BYTE[text[0]]
    fitting = [
        alternative
        for alternative in alternatives
        if name in alternative.types or (name == "number" and "integer" in alternative.types)
    ]
    listed = [alternative.values for alternative in fitting]
    if len(text) > _LONGEST_VALUE or None in listed:
        return bool(fitting)
    value = json.loads(text)
    return any(same(value, allowed) for values in listed for allowed in values or ())


def is_whole(tail: bytes) -> bool:
    """Whether an open token does not end inside a UTF-8 sequence or an escape."""
    return tail[:1] != b'"' or len(_whole_part(tail).encode()) == len(tail)


@lru_cache(maxsize=256)
def _whole_part(tail: bytes) -> str:
    """An open string without a sequence or an escape that is not complete."""
    found = _WHOLE.match(tail.decode(errors="ignore"))
    return found.group() if found else '"'


@lru_cache(maxsize=256)
def _text(tail: bytes) -> str:
    """The text of an open string, as far as it is whole."""
    return str(json.loads(_whole_part(tail) + '"', strict=False)) if tail else ""


def _key(name: str, partial: str) -> bytes:
    """What completes the spelling of a name, its colon included."""
    return f"{spell(name[len(partial) :])[1:]}:".encode()
