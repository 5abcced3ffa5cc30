"""The search for short completions of a partial text.

The schema suggests pieces of text; a matcher over single bytes, where a step costs a microsecond, accepts
or rejects them; a judge that knows nothing of the grammar has the last word. The search is best first, like
A* with a weighted estimate (Ira Pohl, "Heuristic search viewed as path finding in a graph", 1970): what it
finds is short, not proven to be the shortest.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from harmony_gen.schema.engine import byte_matcher, completes, next_bytes
from harmony_gen.schema.scanner import Scan
from harmony_gen.schema.search.guide import Guide, Piece, is_whole
from harmony_gen.schema.strings.pattern import Automaton, automaton, complete

if TYPE_CHECKING:
    from llguidance import LLMatcher

    from harmony_gen.schema.normal import Normal
    from harmony_gen.schema.search.texts import AcceptsPart

_WEIGHT = 1.5
_VARIANTS = 3
_AT_ONCE = 8
_SPREAD = 8
_CHOICE = 0.15
_BYTE = 0.02
_FEW = 4
_ASCII = bytes((*range(32, 127), *b"\t\n\r"))
_COMMON = b'"}],:0123456789-.ae\\ AzZTn/_@'

_SEARCHING = threading.RLock()
"""Schemas and what is remembered of strings are shared by all answers; one searches at a time."""

_COMPLETE = Scan(done=True)
"""Stands for the state after any complete document: nothing follows."""

Accepts = Callable[[bytes], bool]
"""Whether a whole text is valid."""


class Finisher(Protocol):
    """Completes texts of one grammar."""

    def finish(self, prefix: bytes, scan: Any, matcher: LLMatcher, *, nodes: int = 150) -> bytes | None:
        """A short text that completes a prefix, b"" if it is complete, or None if none was found.

        Args:
            prefix: a text the grammar allows; it may end inside a character or an escape.
            scan: the scanner's state after it, as the schema's scanner has it.
            matcher: a matcher over single bytes that has read it; it is left as it is.
            nodes: places from which the search may go on before it gives up.
        """
        ...


class _Step(NamedTuple):
    """One way to go on: the bytes to add, what they cost, and a guess of the cost of all that comes after."""

    text: bytes
    cost: float
    estimate: float


class _Ways(Protocol):
    """How a search may go on from the texts it has reached.

    Attributes:
        waits: for each stage of an expansion, what it costs to wait for it.
    """

    waits: tuple[float, ...]

    def expand(self, text: bytes, matcher: LLMatcher, stage: int) -> Iterator[_Step]:
        """Ways to go on from a text, which the matcher has read behind the prefix."""
        ...


class _Node(NamedTuple):
    """A text to expand, in stages: the better steps first; each further stage waits in the queue."""

    price: float
    order: int
    text: bytes
    cost: float
    stage: int


def _search(ways: _Ways, matcher: LLMatcher, accepts: Accepts, nodes: int) -> bytes | None:
    """The first completion found by a best-first search, or None after so many nodes."""
    order = count(0, -1)
    queue = [_Node(0.0, 0, b"", 0.0, 0)]
    seen = {b""}
    for _ in range(nodes):
        if not queue:
            return None
        node = heapq.heappop(queue)
        if node.stage == 0 and completes(matcher, node.text) and accepts(node.text):
            return node.text
        at = _after(matcher, node.text)
        if at is None:
            continue
        if node.stage + 1 < len(ways.waits):
            later = node._replace(price=node.price + ways.waits[node.stage + 1], stage=node.stage + 1)
            heapq.heappush(queue, later._replace(order=next(order)))
        for step in ways.expand(node.text, at, node.stage):
            text = node.text + step.text
            if text in seen:
                continue
            seen.add(text)
            cost = node.cost + step.cost
            heapq.heappush(queue, _Node(cost + _WEIGHT * step.estimate, next(order), text, cost, 0))
    return None


def _after(matcher: LLMatcher, text: bytes) -> LLMatcher | None:
    """A copy of a matcher that has read more, or None if nothing may follow."""
    copy = matcher.deep_copy()
    if text and not copy.consume_tokens(list(text)):
        return None
    return None if copy.is_stopped() else copy


class JsonFinisher:
    """Completes JSON texts under a schema."""

    def __init__(self, guide: Guide, accepts: Accepts) -> None:
        self._guide = guide
        self._accepts = accepts

    @classmethod
    def of(
        cls, normal: Normal, accepts: Accepts, accepts_part: AcceptsPart | None = None, *, any_order: bool = False
    ) -> JsonFinisher:
        """A finisher for the texts of a normal form.

        Args:
            normal: the normal form of a schema.
            accepts: whether a whole text is valid.
            accepts_part: whether a value is valid under a part of the schema; asked where the normal form is loose.
            any_order: members of objects may come in any order, not that of the schema only.
        """
        return cls(Guide(normal, accepts_part, any_order=any_order), accepts)

    def judged_by(self, accepts: Accepts) -> JsonFinisher:
        """The same with another judge."""
        return JsonFinisher(self._guide, accepts)

    def finish(self, prefix: bytes, scan: Scan, matcher: LLMatcher, *, nodes: int = 150) -> bytes | None:
        """See `Finisher.finish`."""
        with _SEARCHING:
            return self._finish(prefix, scan, matcher, nodes)

    def _finish(self, prefix: bytes, scan: Scan, matcher: LLMatcher, nodes: int) -> bytes | None:
        self._guide.start(scan, prefix)
        start = _mended(scan, matcher)
        after = scan.feed(start)[0] if start else scan
        for rest in islice(self._guide.whole(after, prefix + start), _AT_ONCE):
            if completes(matcher, start + rest) and self._accepts(prefix + start + rest):
                return start + rest
        ways = _JsonWays(self._guide, prefix, scan)
        return _search(ways, matcher, lambda text: self._accepts(prefix + text), nodes)


def _mended(scan: Scan, matcher: LLMatcher) -> bytes:
    """The first bytes the mask allows that complete a UTF-8 sequence or an escape, if the text ends inside one."""
    text, copy = b"", None
    while not is_whole(scan.tail + text):
        copy = copy or matcher.deep_copy()
        allowed = next_bytes(copy)
        byte = next((byte for byte in _COMMON if byte in allowed), next(iter(allowed), None))
        if byte is None or not copy.consume_token(byte):
            break
        text += bytes([byte])
    return text


class _JsonWays:
    """Goes on by the suggestions of a schema; by forced bytes and what the mask allows where they fail."""

    waits: tuple[float, ...] = (0.0, 6.0, 6.0)

    def __init__(self, guide: Guide, prefix: bytes, scan: Scan) -> None:
        self._guide = guide
        self._prefix = prefix
        self._scans = {b"": scan}

    def expand(self, text: bytes, matcher: LLMatcher, stage: int) -> Iterator[_Step]:
        scan = self._scans[text]
        document = self._prefix + text
        for piece, penalty in self._pieces(scan, document, matcher, stage):
            tokens = list(piece)
            if not tokens or text + piece in self._scans or matcher.validate_tokens(tokens) != len(tokens):
                continue
            after = self._scans[text + piece] = scan.feed(piece)[0]
            cost = len(piece) + penalty
            if not after.tail and not after.done:
                rest = self._guide.rest(after, document + piece)
                if rest is not None and completes(matcher, piece + rest):
                    self._scans[text + piece + rest] = _COMPLETE
                    yield _Step(piece + rest, cost + len(rest), 0.0)
            yield _Step(piece, cost, self._guide.estimate(after, document + piece))

    def _pieces(self, scan: Scan, document: bytes, matcher: LLMatcher, stage: int) -> Iterator[Piece]:
        if not is_whole(scan.tail):  # any continuation will do: the first that leads to the end
            yield from ((bytes([byte]), 2 * rank - 1) for rank, byte in enumerate(_some(next_bytes(matcher), _COMMON)))
        elif stage == 0:
            yield from self._guide.likely(scan, document)
        elif stage == 1:
            yield from self._guide.possible(scan, document)
            yield matcher.compute_ff_bytes(), 0
        else:
            yield from ((bytes([byte]), 4) for byte in _some(next_bytes(matcher), _COMMON))


class GrammarFinisher:
    """Completes texts that are not JSON, under a regular expression or a context-free grammar."""

    def __init__(self, accepts: Accepts, pattern: str | None = None) -> None:
        self._accepts = accepts
        self._automaton = None if pattern is None else automaton(pattern, whole=True)

    def finish(
        self,
        prefix: bytes,
        scan: Scan,  # noqa: ARG002 - there is no JSON to scan
        matcher: LLMatcher,
        *,
        nodes: int = 150,
    ) -> bytes | None:
        """See `Finisher.finish`."""
        ways = _GrammarWays(self._automaton, prefix)
        return _search(ways, matcher, lambda text: self._accepts(prefix + text), nodes)


class _GrammarWays:
    """Goes on by the automaton of a pattern, if there is one, and byte by byte otherwise.

    Bytes are ranked: those that close something first; late those that, like many others, leave the mask as
    it was, as one more letter of a word does. Of many bytes that lead to the same only the first counts. A
    step costs its rank, so the search goes deep along first choices and then varies a few of them (limited
    discrepancy search; William Harvey and Matthew Ginsberg, 1995).
    """

    waits: tuple[float, ...] = (0.0, 8.0)

    def __init__(self, machine: Automaton | None, prefix: bytes) -> None:
        self._machine = machine
        self._prefix = prefix

    def expand(self, text: bytes, matcher: LLMatcher, stage: int) -> Iterator[_Step]:
        if stage == 0 and not text:
            yield from self._matches()
        yield from self._bytes(matcher, everything=stage == 1)

    def _matches(self) -> Iterator[_Step]:
        """Completions by the pattern; none inside a UTF-8 sequence."""
        if self._machine is None or not _is_utf8(self._prefix):
            return
        for variant in range(_VARIANTS):
            rest = complete([self._machine], self._prefix.decode(), variant=variant)
            if rest:
                yield _Step(rest.encode(), 0.0, 0.0)

    def _bytes(self, matcher: LLMatcher, *, everything: bool) -> Iterator[_Step]:
        allowed = next_bytes(matcher)
        reached = [_forced(matcher, byte) for byte in (allowed if everything else _some(allowed, _ASCII))]
        here = matcher.compute_bitmask()
        idle = here if sum(mask == here for _, mask in reached) > _FEW else None
        reached.sort(key=lambda step: _byte_cost(step[0][0]) + (step[1] == idle))
        groups: dict[tuple[bytes, bytes], list[bytes]] = {}
        for text, mask in reached:
            groups.setdefault((text[1:], mask), []).append(text)
        alike = {text for group in groups.values() if len(group) > _FEW for text in group[1:]}
        ranked = [text for text, _ in reached if everything or text not in alike]
        chosen = _CHOICE if len(ranked) > 1 else 0.0
        for rank, text in enumerate(ranked):
            yield _Step(text, rank + chosen + len(text) * _BYTE, 0.0)


def _forced(matcher: LLMatcher, byte: int) -> tuple[bytes, bytes]:
    """A byte with all that must follow it, and the mask behind them."""
    after = matcher.deep_copy()
    after.consume_token(byte)
    forced = b"" if after.is_stopped() else after.compute_ff_bytes()
    after.consume_tokens(list(forced))
    return bytes([byte]) + forced, b"" if after.is_stopped() else after.compute_bitmask()


def _byte_cost(byte: int) -> float:
    """How little a byte helps to end a text: closing brackets help, opening ones do not."""
    if byte in b")]}>/\"';\n":
        return 0.2
    if byte in b"([{":
        return 6.0
    return 1.0 if byte in _ASCII else 2.0


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def witness(grammar: str, finisher: Finisher, nodes: int = 3_000) -> bytes | None:
    """A short valid text, or None if none was found.

    Raises:
        GrammarError: the engine refuses the grammar.
    """
    return finisher.finish(b"", Scan(), byte_matcher(grammar), nodes=nodes)


def _some(allowed: list[int], common: bytes) -> list[int]:
    """All of a few bytes; of many the common ones and a spread of the others."""
    if len(allowed) <= 2 * _SPREAD:
        return allowed
    others = [byte for byte in allowed if byte not in common]
    return [byte for byte in common if byte in allowed] + others[:: max(1, len(others) // _SPREAD)] + others[-1:]
