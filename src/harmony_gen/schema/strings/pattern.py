"""Short completions of a partial string under a regular expression, or under a named format.

Thompson's construction (Ken Thompson, "Regular expression search algorithm", 1968) turns a pattern into an
automaton whose sets of states are numbered as they are met. A* finds a short way to its end. The answers are
suggestions: look-arounds, word boundaries and back-references are ignored, very long repetitions are treated as
endless, and whoever uses an answer checks it.
"""

from __future__ import annotations

import heapq
from collections import deque
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING

from harmony_gen.schema.strings.characters import EVERY, Chars, has, pick
from harmony_gen.schema.strings.ecma import parse
from harmony_gen.schema.strings.expression import Alternation, Anchor, Atomic, Capture, Character, Concat, Node, Repeat

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MAX_STATES = 6_000
_MAX_STEPS = 3_000


class Automaton:
    """The strings that a regular expression matches.

    A state is a number: a set of states of the nondeterministic automaton that some text leads to. `DEAD` is
    the state from which nothing matches.
    """

    DEAD = 0

    def __init__(self, pattern: str, *, whole: bool = False) -> None:
        """Reads a pattern of ECMA 262.

        Args:
            pattern: the regular expression.
            whole: it must match all of a string; otherwise any part, as `pattern` does in JSON Schema.

        Raises:
            ValueError: the pattern cannot be read.
        """
        tree = parse(pattern)
        self._graph = _Graph()
        inner = self._graph.new()
        end = self._graph.add(tree, inner)
        self._graph.empty[end].append(_Graph.FINAL)
        if not whole:
            self._graph.edges[inner].append((EVERY, self._graph.before(inner)))
            self._graph.edges[end].append((EVERY, end))
        self._near = self._graph.distances()
        self._sets: list[frozenset[int]] = [frozenset()]
        self._numbers: dict[frozenset[int], int] = {frozenset(): self.DEAD}
        self._steps: dict[tuple[int, str], int] = {}
        self.start = self._number(self._graph.closure([inner], at_start=True))
        self._last = ("", self.start)  # the text read last; a text is often read again with more behind it

    def step(self, state: int, char: str) -> int:
        """The state after one more character."""
        known = self._steps.get((state, char))
        if known is not None:
            return known
        code = ord(char)
        reached = [
            target for source in self._sets[state] for chars, target in self._graph.edges[source] if has(chars, code)
        ]
        result = self._steps[state, char] = self._number(self._graph.closure(reached))
        return result

    def run(self, text: str) -> int:
        """The state after a text."""
        before, state = self._last
        if not text.startswith(before):
            before, state = "", self.start
        for char in text[len(before) :]:
            state = self.step(state, char)
        self._last = text, state
        return state

    def distance(self, state: int) -> int:
        """The number of characters a match still needs, at least."""
        return min(self._near[source] for source in self._sets[state])

    def moves(self, state: int, variant: int) -> list[str]:
        """One character of every set of characters that may come next."""
        labels = {
            chars for source in self._sets[state] for chars, target in self._graph.edges[source] if target in self._near
        }
        return [pick(chars, variant) for chars in sorted(labels)]

    def _number(self, states: Iterable[int]) -> int:
        alive = frozenset(state for state in states if state in self._near)
        number = self._numbers.setdefault(alive, len(self._sets))
        if number == len(self._sets):
            self._sets.append(alive)
        return number


class _Graph:
    """A nondeterministic automaton under construction.

    Attributes:
        empty: for each state, the states that are reached without a character.
        anchored: for each state, those reached so at the start of the string only.
        edges: for each state, the (characters, state) steps.
    """

    FINAL = 0

    def __init__(self) -> None:
        self.empty: list[list[int]] = [[]]
        self.anchored: list[list[int]] = [[]]
        self.edges: list[list[tuple[Chars, int]]] = [[]]

    def new(self) -> int:
        self.empty.append([])
        self.anchored.append([])
        self.edges.append([])
        return len(self.empty) - 1

    def before(self, state: int) -> int:
        """A state that reads anything and then goes on at `state`."""
        loop = self.new()
        self.edges[loop].append((EVERY, loop))
        self.empty[loop].append(state)
        return loop

    def add(self, node: Node, start: int) -> int:  # noqa: PLR0911 - one case for each kind of node
        """Adds a tree behind a state and returns the state behind it."""
        match node:
            case Character(chars):
                return self._character(chars, start)
            case Concat(parts):
                for part in parts:
                    start = self.add(part, start)
                return start
            case Alternation(options):
                return self._branch(options, start)
            case Repeat(body, least, most):
                return self._repeat(body, least, most, start)
            case Capture(body=body) | Atomic(body=body):
                return self.add(body, start)
            case Anchor(end):
                return self._anchor(start, end=end)
            case _:
                return start

    def _character(self, chars: Chars, start: int) -> int:
        end = self.new()
        self.edges[start].append((chars, end))
        return end

    def _branch(self, options: Iterable[Node], start: int) -> int:
        end = self.new()
        for option in options:
            self.empty[self.add(option, start)].append(end)
        return end

    def _anchor(self, start: int, *, end: bool) -> int:
        behind = self.new()
        if end:
            self.empty[start].append(self.FINAL)
        else:
            self.anchored[start].append(behind)
        return behind

    def _repeat(self, body: Node, least: int, most: int | None, start: int) -> int:
        """Copies of a part in a row; those that do not fit into the size limit become a loop."""
        end, made, cost = start, 0, 0
        while made < least and cost * (least - made) <= self._room:
            size = len(self.empty)
            end = self.add(body, end)
            made, cost = made + 1, len(self.empty) - size
        if most is None or made < least:
            return self._loop(body, end)
        behind = self.new()
        self.empty[end].append(behind)
        while made < most:
            if cost * (most - made) > self._room:
                self.empty[self._loop(body, end)].append(behind)
                break
            size = len(self.empty)
            end = self.add(body, end)
            self.empty[end].append(behind)
            made, cost = made + 1, len(self.empty) - size
        return behind

    def _loop(self, body: Node, start: int) -> int:
        loop = self.new()
        self.empty[start].append(loop)
        self.empty[self.add(body, loop)].append(loop)
        return loop

    @property
    def _room(self) -> int:
        return _MAX_STATES - len(self.empty)

    def closure(self, states: Iterable[int], *, at_start: bool = False) -> set[int]:
        """The states and all that are reached from them without a character."""
        todo = list(states)
        found = set(todo)
        while todo:
            state = todo.pop()
            following = self.empty[state] + self.anchored[state] if at_start else self.empty[state]
            for target in following:
                if target not in found:
                    found.add(target)
                    todo.append(target)
        return found

    def distances(self) -> dict[int, int]:
        """The number of characters from each state to the end, for the states that lead there."""
        back: list[list[tuple[int, int]]] = [[] for _ in self.empty]
        for source, targets in enumerate(self.empty):
            for target in targets:
                back[target].append((0, source))
        for source, edges in enumerate(self.edges):
            for _, target in edges:
                back[target].append((1, source))
        near: dict[int, int] = {}
        todo = deque([(0, self.FINAL)])
        while todo:
            length, state = todo.popleft()
            if state in near:
                continue
            near[state] = length
            for cost, source in back[state]:
                (todo.append if cost else todo.appendleft)((length + cost, source))
        return near


@lru_cache(maxsize=1024)
def automaton(pattern: str, *, whole: bool = False) -> Automaton | None:
    """The automaton of a pattern, or None if it cannot be read."""
    try:
        return Automaton(pattern, whole=whole)
    except ValueError:
        return None


def complete(
    automata: Sequence[Automaton],
    text: str,
    *,
    at_least: int = 0,
    at_most: int | None = None,
    variant: int = 0,
) -> str | None:
    """A shortest string to put behind `text` so that every automaton matches the whole.

    Args:
        automata: what must match.
        text: the beginning.
        at_least: characters the whole must have.
        at_most: characters it may have.
        variant: 0, 1 or 2: which characters to prefer.
    """
    states = tuple(automaton.run(text) for automaton in automata)
    room = None if at_most is None else at_most - len(text)
    return _complete(tuple(automata), states, max(0, at_least - len(text)), room, variant)


@lru_cache(maxsize=16_384)
def _complete(
    automata: tuple[Automaton, ...], states: tuple[int, ...], need: int, room: int | None, variant: int
) -> str | None:
    """A* over tuples of states; the estimate is the distance, or the length that is missing."""
    if Automaton.DEAD in states:
        return None
    order = count()
    heap = [(0, 0, next(order), states, "")]
    seen = {(states, 0)}
    for _ in range(_MAX_STEPS):
        if not heap:
            return None
        bound, _, _, states, text = heapq.heappop(heap)
        if room is not None and bound > room:
            return None
        moves = _moves(automata, states, variant)
        if len(text) >= need and all(
            machine.distance(state) == 0 for machine, state in zip(automata, states, strict=True)
        ):
            return text
        for char, following in moves:
            length = len(text) + 1
            mark = (following, min(length, need))
            if mark not in seen:
                seen.add(mark)
                far = max(machine.distance(state) for machine, state in zip(automata, following, strict=True))
                heapq.heappush(heap, (max(length + far, need), -length, next(order), following, text + char))
    return None


def _moves(automata: tuple[Automaton, ...], states: tuple[int, ...], variant: int) -> list[tuple[str, tuple[int, ...]]]:
    """The characters worth trying, each with the states it leads to."""
    chars = dict.fromkeys(
        char for machine, state in zip(automata, states, strict=True) for char in machine.moves(state, variant)
    )
    found = []
    for char in chars:
        following = tuple(machine.step(state, char) for machine, state in zip(automata, states, strict=True))
        if Automaton.DEAD not in following:
            found.append((char, following))
    return found
