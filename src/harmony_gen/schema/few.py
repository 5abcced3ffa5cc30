"""Which scalars may stand at a place of an answer, where they are few: values of an enum, true and false, null."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony_gen.schema import engine
from harmony_gen.schema.scanner import Scan

if TYPE_CHECKING:
    from llguidance import LLMatcher

MOST = 64
"""Values that are few."""

_MOST_STEPS = 8192
_CONTAINERS = frozenset(b"{[")
_BEHIND = frozenset(b",]} ")
"""What follows a number."""


def spellings(grammar: str, before: bytes) -> list[bytes]:
    """The texts of the values that a grammar of JSON texts allows behind the beginning of an answer.

    Args:
        grammar: the grammar.
        before: what stands before the value.

    Returns:
        In ascending order; [] if there are more than `MOST`, or some value is an array or object.
    """
    start = engine.byte_matcher(grammar)
    start.consume_tokens(list(before))
    scan, _ = Scan().feed(before)
    found: list[bytes] = []
    open_: list[tuple[bytes, LLMatcher, Scan]] = [(b"", start, scan)]
    for _ in range(_MOST_STEPS):
        if not open_:
            return sorted(found)
        text, matcher, scan = open_.pop()
        following = [] if matcher.is_stopped() else engine.next_bytes(matcher)
        if scan.tail[:1] not in (b"", b'"') and (matcher.is_accepting() or not _BEHIND.isdisjoint(following)):
            found.append(text)  # a number
        for byte in following:
            if not text and byte in _CONTAINERS:
                return []
            if scan.tail[:1] not in (b"", b'"') and byte in _BEHIND:
                continue
            longer, after = text + bytes([byte]), matcher.deep_copy()
            after.consume_token(byte)
            reached, closed = scan.feed(bytes([byte]))
            if closed:
                found.append(longer)
            else:
                open_.append((longer, after, reached))
        if len(found) + len(open_) > MOST:
            return []
    return []
