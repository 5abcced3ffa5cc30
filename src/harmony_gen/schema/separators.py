"""Spaces behind commas and colons of JSON texts.

Inside, all texts are compact: searches, rules and the scanner know no other. Where a model likes spaces better, they
are put in on the way out, and left out on the way in.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from harmony_gen.schema.scanner import TOKEN

_BLANK = re.compile(rb"[ \t\r\n]")


class Joint(NamedTuple):
    """A place in a text where another one is joined to it.

    Attributes:
        tail: what decides how to read on: a quote where a string is open, with a backslash where that has been
            written, too; else nothing.
        due: a comma or a colon has been written, and its space has not.
    """

    tail: bytes = b""
    due: bool = False

    def spaced(self, text: bytes) -> bytes:
        """A compact text that follows here, with a space behind each comma and colon."""
        tokens = TOKEN.findall(self.tail + text)
        body = b"".join(token + b" " if token in (b",", b":") else token for token in tokens)
        return b" " * self.due + body[len(self.tail) :]


def joint_behind(data: bytes, tail: bytes) -> Joint:
    """The place behind some bytes; `tail` is what is then open of a string or a number."""
    if not tail.startswith(b'"'):
        return Joint(due=not tail and data.endswith((b",", b":")))
    escapes = len(tail) - len(tail.rstrip(b"\\"))
    return Joint(b'"' + b"\\" * (escapes % 2))


def compacted(data: bytes, joint: Joint = Joint()) -> bytes:  # noqa: B008 - it is immutable
    """Bytes of a JSON text that follow a place, without what stands between its tokens."""
    if not _BLANK.search(data):
        return data
    tokens = TOKEN.findall(joint.tail + data)
    return b"".join(token for token in tokens if not token.isspace())[len(joint.tail) :]
