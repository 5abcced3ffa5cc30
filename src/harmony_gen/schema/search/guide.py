"""What a normal form suggests at a place in a JSON text: the next pieces, and what closes all that is open."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from harmony_gen.schema.normal.objects import Object
from harmony_gen.schema.search.frames import Frames, children
from harmony_gen.schema.search.scalars import number_texts, spell, strings
from harmony_gen.schema.search.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.normal import Normal
    from harmony_gen.schema.scanner import Scan
    from harmony_gen.schema.search.texts import AcceptsPart

Piece = tuple[bytes, float]
"""Bytes to go on with, and a penalty: how unlikely they are to be what a short completion needs, in bytes."""

_LISTED = 40
_FREE = 4
_FEW = 8
_UNNAMED = 60
_LONGER = 8
_UNKNOWN = 200
_STRAY = 30
_DANGLING = 4
_WHOLE = re.compile(r'"(?:[^\\]+|\\u[0-9a-fA-F]{4}|\\[^u])*', re.DOTALL)


class Guide:
    """Suggestions for the completion of texts under one normal form."""

    def __init__(self, normal: Normal, accepts: AcceptsPart | None = None, *, any_order: bool = False) -> None:
        self._normal = normal
        self._texts = Texts(normal, accepts, any_order=any_order)
        self._exemplary = Texts(normal, accepts, any_order=any_order, exemplary=True)
        self._frames = Frames(normal, self._texts)

    def start(self, scan: Scan, document: bytes) -> None:
        """Says which text a search begins with."""
        self._frames.start(scan, document)

    def rests(self, scan: Scan, document: bytes, texts: Texts | None = None) -> list[bytes]:
        """Texts that complete the document between tokens, the shortest first."""
        texts = texts or self._texts
        frames = scan.frames
        if scan.done:
            return [b""]
        if not frames or frames[-1].phase in ("colon", "value"):
            colon = ":" if frames and frames[-1].phase == "colon" else ""
            values = ((goal, texts.short(goal)) for goal in self._frames.expected(frames, document))
            inner = [(goal, f"{colon}{text}".encode()) for goal, text in values if text is not None]
            around = self._frames.behind(frames, document, texts)
        else:
            inner = list(self._frames.closings(frames, document, texts))
            around = self._frames.behind(frames[:-1], document, texts)
        return sorted({text + around[goal] for goal, text in inner if goal in around}, key=len)

    def rest(self, scan: Scan, document: bytes) -> bytes | None:
        """The shortest of the texts that complete the document between tokens, or None if none is suggested."""
        return next(iter(self.rests(scan, document)), None)

    def estimate(self, scan: Scan, document: bytes) -> float:
        """A guess of the bytes that are missing."""
        rest = None if scan.tail else self.rest(scan, document)
        if rest is not None:
            return len(rest)
        length = self._estimate_tail(scan, document) if scan.tail else 5.0
        frames = scan.frames if not scan.frames or scan.frames[-1].phase in ("colon", "value") else scan.frames[:-1]
        around = self._frames.behind(frames, document, self._texts).values()
        return length + min(map(len, around), default=_UNKNOWN * len(scan.frames))

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

    def _length(self, name: str, parent: Object) -> int:
        """Characters of a member that is added to an object."""
        value = self._texts.short(parent.member(name))
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
            exemplary = self.rests(scan, document, self._exemplary)[:1]
            yield from ((text, -len(text)) for text in exemplary)  # cheap to try: the author knows what validators want
            yield from self._unlikely(scan, document)

    def whole(self, scan: Scan, document: bytes) -> Iterator[bytes]:
        """Texts that complete the document at once, the likeliest first."""
        if not scan.tail:
            yield from self.rests(scan, document)
            return
        if not scan.frames and _is_number(scan.tail):
            yield b""
        for piece, _ in self.likely(scan, document) if is_whole(scan.tail) else ():
            after = scan.feed(piece)[0]
            rest = None if after.tail else self.rest(after, document + piece)
            if rest is not None:
                yield piece + rest

    def _rest_of_string(self, scan: Scan, document: bytes) -> Iterator[Piece]:
        partial = _text(scan.tail)
        if scan.in_key:
            names = dict.fromkeys(name for name, _ in self._likely_names(scan, document))
            yield from ((_key(name, partial), 0) for name in names)
            return
        nodes = map(self._normal.node, self._frames.expected(scan.frames, document))
        texts = dict.fromkeys(text for node in nodes for text in strings(node.strings, partial))
        yield from ((spell(text)[1:].encode(), 0) for text in sorted(texts, key=len))

    def _likely_names(self, scan: Scan, document: bytes) -> list[tuple[str, Object]]:
        """Names that begin with the open key: those of missing members, or else others that are listed, or others."""
        required = list(self._required_names(scan, document))
        listed = [] if required else list(islice(self._listed_names(scan, document), _FEW))
        return required or listed or list(islice(self._free_names(scan, document), 1))

    def _rest_of_hint(self, scan: Scan, document: bytes) -> Iterator[bytes]:
        """What completes an open string to an example of the author."""
        partial = _text(scan.tail)
        for goal in self._frames.expected(scan.frames, document):
            for text in self._texts.hints(goal):
                value = json.loads(text)
                if isinstance(value, str) and value.startswith(partial):
                    yield spell(value[len(partial) :])[1:].encode()

    def _objects(self, scan: Scan, document: bytes) -> Iterator[Object]:
        """What the innermost open object may be."""
        return (shape for shape in self._frames.shapes(scan.frames, document) if isinstance(shape, Object))

    def _required_names(self, scan: Scan, document: bytes) -> Iterator[tuple[str, Object]]:
        """Names of missing members that begin with the open key, if one is open; by which shape."""
        partial = _text(scan.tail)
        for shape in self._objects(scan, document):
            for name in self._texts.names.missing(shape, scan.frames[-1].keys) or ():
                if name.startswith(partial):
                    yield name, shape

    def _optional_names(self, scan: Scan, document: bytes) -> Iterator[tuple[str, Object]]:
        """Other names that begin with the open key."""
        yield from self._listed_names(scan, document)
        yield from self._free_names(scan, document)

    def _listed_names(self, scan: Scan, document: bytes) -> Iterator[tuple[str, Object]]:
        """Names of members that may come next; by which shape."""
        keys, partial = scan.frames[-1].keys, _text(scan.tail)
        for shape in self._objects(scan, document):
            yield from ((name, shape) for name in islice(self._texts.names.listed(shape, keys, partial), _LISTED))

    def _free_names(self, scan: Scan, document: bytes) -> Iterator[tuple[str, Object]]:
        """Names that no shape lists and that begin with the open key."""
        keys, partial = scan.frames[-1].keys, _text(scan.tail)
        found: dict[str, Object] = {}
        for shape in self._objects(scan, document):
            found |= dict.fromkeys(islice(self._texts.names.free(shape, keys, partial), _FREE), shape)
            if len(found) >= _FREE:
                break
        yield from found.items()

    def _rest_of_atom(self, scan: Scan, document: bytes) -> Iterator[Piece]:
        """The rest of a word or of a number; or, as if the number were complete, what follows it."""
        tail = scan.tail
        if tail.isalpha():
            yield from ((word[len(tail) :], 0) for word in (b"true", b"false", b"null") if word.startswith(tail))
            return
        goals = self._frames.expected(scan.frames, document)
        complete = _is_number(tail) and any(self._texts.spelled(goal, json.loads(tail)) for goal in goals)
        if scan.frames and _is_number(tail):
            yield from self._next(scan.end()[0], document)
        longer = _LONGER if complete else 0
        for goal in goals:
            for text in map(str.encode, number_texts(self._normal.node(goal).numbers[:_LISTED])):
                if text.startswith(tail) and text != tail:
                    yield text[len(tail) :], longer
        yield from ((digit, 4 + longer) for digit in (b"0", b"1", b"5"))

    def _next(self, scan: Scan, document: bytes) -> Iterator[Piece]:
        """What may come between tokens."""
        yield from ((text, 0) for text in self.rests(scan, document)[:_FEW])
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
            if self._frames.is_loose(scan.frames, document):
                for name, _ in islice(self._optional_names(scan, document), _FEW):
                    yield comma + b'"' + _key(name, ""), 2
        else:
            yield from ((comma + text, 1) for text in self._contained(scan, document))

    def _values(self, scan: Scan, document: bytes) -> Iterator[bytes]:
        for goal in self._frames.expected(scan.frames, document):
            yield from map(str.encode, self._texts.candidates(goal))

    def _contained(self, scan: Scan, document: bytes) -> Iterator[bytes]:
        """Items that `contains` asks for."""
        for shape in self._frames.shapes(scan.frames, document):
            for goal, _ in children(shape, scan.frames[-1].step)[1:]:
                yield from map(str.encode, self._texts.candidates(goal))

    def _unlikely(self, scan: Scan, document: bytes) -> Iterator[Piece]:
        frame = scan.frames[-1] if scan.frames else None
        if frame is not None and frame.kind == "{" and frame.phase not in ("colon", "value"):
            comma = b"," if frame.phase == "after" else b""
            for name, parent in self._optional_names(scan, document):
                yield comma + b'"' + _key(name, ""), 4 if name in parent.named else _UNNAMED
            yield comma + b'"', _UNNAMED
            return
        comma = b"," if frame is not None and frame.phase == "after" else b""
        comma = b":" if frame is not None and frame.phase == "colon" else comma
        if comma == b",":
            yield from ((comma + text, 1) for text in self._values(scan, document))
        plain = (b"0", b'""', b"null", b"true", b"{}", b"[]", b"false", b'"', b"{", b"[", b"-1", b"1")
        yield from ((comma + text, 2) for text in plain)


def _is_number(tail: bytes) -> bool:
    """Whether an open token is a number that may end here."""
    return tail[:1] in b"-0123456789" and tail[-1:].isdigit()


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
