"""Reads documents by their grammar, character by character, and knows the shortest way to end one from anywhere.

A pushdown automaton whose states are sets of places: the rest of the lexeme that is being read, and what follows behind
it. Schemas of documents are nearly deterministic, so the sets stay small. Rests of lexemes are derivatives (see
`strings.derivatives`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property, lru_cache
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from harmony_gen.schema import engine
from harmony_gen.schema.markup.lengths import LONGEST, least, length, lengths, shortest
from harmony_gen.schema.markup.mending import mended
from harmony_gen.schema.markup.tree import AnyOrder, Choice, Lexeme, Reference, Sequence, Times, times
from harmony_gen.schema.markup.varying import in_turn, varied
from harmony_gen.schema.strings.derivatives import derive
from harmony_gen.schema.strings.expression import NOTHING, Node, is_nullable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llguidance import LLMatcher

    from harmony_gen.schema.markup.mending import Clash, Lexemes
    from harmony_gen.schema.markup.tree import Grammar, Part

_VARIANTS = 3
_MOST_GUESSED = 80
"""Texts that are tried where conditions only the judge knows must be met: each costs a validation."""

_STATES_KEPT = 32
_DEAD_ENDS_KEPT = 1_000
_MOST_PLACES = 500
_MOST_REMEMBERED = 100_000
_derive = lru_cache(maxsize=100_000)(derive)


class Rest:
    """What follows a lexeme: a part, and what follows that. Equal ones are the same object."""

    __slots__ = ("behind", "part")

    def __init__(self, part: Part, behind: Rest | None) -> None:
        self.part = part
        self.behind = behind

    def chain(self) -> Iterator[Rest]:
        """This one, and all that follows."""
        one: Rest | None = self
        while one is not None:
            yield one
            one = one.behind


class Place(NamedTuple):
    """A place in a document.

    Attributes:
        node: what is missing of the lexeme that is being read.
        rest: what follows it; None for the end of the document.
    """

    node: Node
    rest: Rest | None


State = frozenset[Place]


class Automaton:
    """Reads documents of a grammar."""

    def __init__(self, grammar: Grammar) -> None:
        """Takes a grammar that has been cleaned."""
        self._rules = grammar.rules
        self._rests: dict[tuple[Part, Rest | None], Rest] = {}
        self._heads: dict[Rest, frozenset[Place]] = {}
        self._sizes: dict[Rest, int] = {}
        self._texts: dict[tuple[Rest, int], str] = {}
        self.start: State = self._behind(self._rest(Reference("start"), None))

    @cached_property
    def _lengths(self) -> dict[str, int]:
        return lengths(self._rules)

    def after(self, state: State, text: str) -> State:
        """The state after some more characters; empty where no document goes on so."""
        for char in text:
            code = ord(char)
            found: set[Place] = set()
            for place in state:
                rest = _derive(place.node, code)
                if rest != NOTHING:
                    found.add(Place(rest, place.rest))
                if is_nullable(place.node) and place.rest is not None:
                    for following in self._behind(place.rest):
                        rest = _derive(following.node, code)
                        if rest != NOTHING:
                            found.add(Place(rest, following.rest))
            if len(found) > _MOST_PLACES:
                found = set(sorted(found, key=self.missing)[:_MOST_PLACES])
            state = frozenset(found)
        return state

    def completions(self, state: State) -> Iterator[Lexemes]:
        """Ways to end a document from here, by their lexemes and the text of each; the shortest first."""
        for place in self._nearest(state):
            nodes = [place.node, *self._lexemes(place.rest)]
            for variant in range(_VARIANTS):
                texts = [shortest(node, variant) for node in nodes]
                if texts[0] is None:
                    break
                yield [(node, text or "") for node, text in zip(nodes, texts, strict=True)]

    def endings(self, state: State) -> Iterator[str]:
        """The texts of those completions, which is all that is wanted most often, and found quicker."""
        for place in self._nearest(state):
            for variant in range(_VARIANTS):
                text = shortest(place.node, variant)
                if text is None:
                    break
                yield text + self._text(place.rest, variant)

    def _nearest(self, state: State) -> list[Place]:
        """The places of a state from which an end can be reached, the nearest first."""
        places = [(self.missing(place), place) for place in state]
        return [place for size, place in sorted(places, key=itemgetter(0)) if size <= LONGEST]

    def missing(self, place: Place) -> int:
        """How many characters the shortest end from a place has."""
        size = least(place.node)
        if place.rest is None:
            return size
        unknown = [one for one in place.rest.chain() if one not in self._sizes]
        for rest in reversed(unknown):
            behind = 0 if rest.behind is None else self._sizes[rest.behind]
            self._sizes[rest] = behind + length(rest.part, self._lengths)
        return size + self._sizes[place.rest]

    def _text(self, rest: Rest | None, variant: int) -> str:
        """The shortest text of what follows a lexeme."""
        if rest is None:
            return ""
        unknown = [one for one in rest.chain() if (one, variant) not in self._texts]
        for one in reversed(unknown):
            behind = "" if one.behind is None else self._texts[one.behind, variant]
            own = (shortest(node, variant) or "" for node in self._fewest(one.part))
            self._texts[one, variant] = "".join(own) + behind
        return self._texts[rest, variant]

    def _lexemes(self, rest: Rest | None) -> Iterator[Node]:
        """The lexemes of the shortest way to the end."""
        for one in () if rest is None else rest.chain():
            yield from self._fewest(one.part)

    def _fewest(self, part: Part) -> Iterator[Node]:
        """The lexemes of the shortest text of a part."""
        match part:
            case Lexeme(node):
                yield node
            case Reference(rule):
                yield from self._fewest(self._rules[rule])
            case Sequence(parts):
                for inner in parts:
                    yield from self._fewest(inner)
            case Choice(options):
                yield from self._fewest(min(options, key=lambda option: length(option, self._lengths)))
            case Times(body, least):
                yield from list(self._fewest(body)) * least if least else ()
            case AnyOrder(parts):
                for inner, is_needed in parts:
                    if is_needed:
                        yield from self._fewest(inner)

    def _rest(self, part: Part, behind: Rest | None) -> Rest:
        key = (part, behind)
        found = self._rests.get(key)
        if found is None:
            if len(self._rests) > _MOST_REMEMBERED:  # those that are still referred to live on
                self._rests, self._heads, self._sizes, self._texts = {}, {}, {}, {}
            found = self._rests[key] = Rest(part, behind)
        return found

    def _behind(self, rest: Rest) -> frozenset[Place]:
        """The lexemes that what follows may begin with."""
        known = self._heads.get(rest)
        if known is not None:
            return known
        found: set[Place] = set()
        waiting: list[Rest | None] = [rest]
        seen: set[Rest | None] = set()
        while waiting:
            one = waiting.pop()
            if one is None or one in seen:
                continue
            seen.add(one)
            if isinstance(one.part, Lexeme):
                found.add(Place(one.part.node, one.behind))
                if is_nullable(one.part.node):
                    waiting.append(one.behind)
            else:
                waiting += self._opening(one.part, one.behind)
        heads = self._heads[rest] = frozenset(found)
        return heads

    def _opening(self, part: Part, behind: Rest | None) -> Iterator[Rest | None]:
        """What a part may begin with, with what follows that."""
        match part:
            case Reference(rule):
                yield self._rest(self._rules[rule], behind)
            case Sequence(parts):
                for inner in reversed(parts):
                    behind = self._rest(inner, behind)
                yield behind
            case Choice(options):
                yield from (self._rest(option, behind) for option in options)
            case Times(body, least, most):
                again = times(body, max(least - 1, 0), None if most is None else most - 1)
                yield self._rest(body, self._rest(again, behind))
                if least == 0:
                    yield behind
            case AnyOrder(parts):
                for index, (inner, _) in enumerate(parts):
                    others = AnyOrder((*parts[:index], *parts[index + 1 :]))
                    yield self._rest(inner, self._rest(others, behind))
                if not any(is_needed for _, is_needed in parts):
                    yield behind


class Completer:
    """Completes documents so that a judge accepts them; see `search.Finisher`."""

    def __init__(
        self,
        automata: list[Automaton],
        accepts: Callable[[bytes], bool],
        clashes: Callable[[str], Iterator[Clash]] | None = None,
        quick: Callable[[bytes], bool] | None = None,
        words: list[str] | None = None,
    ) -> None:
        """Takes what knows documents.

        Args:
            automata: read documents, and complete them in different ways; each is asked in turn.
            accepts: the judge.
            clashes: what may be broken in a document though the grammar admits it.
            quick: a judge of documents that the grammar admits, who is asked instead where a text has begun.
            words: values that may satisfy conditions which only the judge knows; None if there are no such conditions.
        """
        self._automata = automata
        self._accepts = accepts
        self._clashes = clashes
        self._quick = quick or accepts
        self._words = words
        self._states: OrderedDict[tuple[int, bytes], State] = OrderedDict()  # after texts that were completed lately
        self._dead_ends: set[bytes] = set()  # texts that nothing completes
        self._lock = threading.Lock()  # answers in several threads share a schema

    def judged_by(self, accepts: Callable[[bytes], bool]) -> Completer:
        """The same with another judge."""
        return Completer(self._automata, accepts, self._clashes, words=self._words)

    def finish(self, prefix: bytes, scan: object, matcher: LLMatcher, *, nodes: int = 150) -> bytes | None:  # noqa: ARG002
        """See `search.Finisher.finish`; `nodes` is how many texts are tried."""
        if prefix in self._dead_ends:
            return None
        texts = ((lead, text) for lead in _leads(prefix, matcher) for text in self._texts((prefix + lead).decode()))
        accepts = self._quick if prefix else self._accepts
        tried: set[bytes] = set()
        if prefix and self._words is not None:
            nodes = min(nodes, _MOST_GUESSED)
        for lead, text in islice(texts, nodes):
            data = lead + text.encode()
            if data in tried:
                continue
            tried.add(data)
            if engine.completes(matcher, data) and accepts(prefix + data):
                return data
        if self._words is not None or next(texts, None) is None:
            if len(self._dead_ends) >= _DEAD_ENDS_KEPT:
                self._dead_ends = set()
            self._dead_ends.add(prefix)
        return None

    def _texts(self, prefix: str) -> Iterator[str]:
        """Completions of a text without clashes, as far as may be."""
        for number, automaton in enumerate(self._automata):
            state = self._state(number, prefix.encode())
            if self._clashes is None:
                yield from automaton.endings(state)
                continue
            for lexemes in automaton.completions(state):
                text = mended(prefix, lexemes, self._clashes)
                if text is not None:
                    yield text
        if self._words is not None:
            ways = [
                way
                for number, automaton in enumerate(self._automata)
                for way in islice(automaton.completions(self._state(number, prefix.encode())), 1)
            ]
            yield from in_turn([varied(prefix, way, self._words) for way in ways])

    def _state(self, number: int, prefix: bytes) -> State:
        """The state of an automaton after a text, from that after the longest known text which it begins with."""
        automaton = self._automata[number]
        with self._lock:
            texts = (text for of, text in self._states if of == number and prefix.startswith(text))
            known = max(texts, key=len, default=b"")
            state = self._states.get((number, known), automaton.start)
        state = automaton.after(state, prefix[len(known) :].decode())
        with self._lock:
            self._states[number, prefix] = state
            self._states.move_to_end((number, prefix))
            if len(self._states) > _STATES_KEPT:
                self._states.popitem(last=False)
        return state


def _leads(prefix: bytes, matcher: LLMatcher) -> Iterator[bytes]:
    """What completes a character that is broken off at the end of a text: a few ways; b"" if none is."""
    try:
        prefix.decode()
    except UnicodeDecodeError as error:
        broken = prefix[error.start :]
    else:
        yield b""
        return
    size = 2 if broken[0] < 0xE0 else 3 if broken[0] < 0xF0 else 4  # noqa: PLR2004 - see RFC 3629
    texts = [b""]
    for _ in range(size - len(broken)):
        texts = [
            text + bytes([byte])
            for text in texts
            for byte in range(0x80, 0xC0)
            if matcher.validate_tokens([*text, byte]) == len(text) + 1
        ][:_VARIANTS]
    yield from texts
