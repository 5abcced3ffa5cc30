"""Normal form → a grammar of JSON texts in the Lark dialect of the mask engine.

One rule for each goal. Members come in the order of the schema, or in any order; where an order or a count must be
remembered, a rule carries a parameter of 64 bits: one bit for each name that has occurred, the top 16 count members.
Goals that no finite value satisfies are found by the usual fixpoint over a grammar's productive symbols, and left
out.
"""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from harmony_gen.schema.lark import numerals
from harmony_gen.schema.lark.items import Items
from harmony_gen.schema.lark.members import COMPACT, Members
from harmony_gen.schema.lark.numerals import spell_number
from harmony_gen.schema.normal.goals import ANY, NEVER, Goal, both
from harmony_gen.schema.rules import DEEPEST
from harmony_gen.schema.strings.language import Language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harmony_gen.schema.lark.members import Separators
    from harmony_gen.schema.normal import Normal
    from harmony_gen.schema.normal.arrays import Array
    from harmony_gen.schema.normal.node import Node
    from harmony_gen.schema.normal.numbers import Numbers
    from harmony_gen.schema.normal.objects import Object


class Unproductive(Exception):  # noqa: N818 - it says what the goal is
    """No finite value satisfies the root goal."""


class Grammar:
    """The rules of a grammar, collected.

    Attributes:
        separators: what stands between items, and behind names.
        noted: (goal, what): what the grammar leaves out: "uniqueItems", "contains" and the like, by goal.
    """

    def __init__(self, normal: Normal, *, any_order: bool, separators: Separators = COMPACT) -> None:
        self.separators = separators
        self.noted: set[tuple[Goal, str]] = set()
        self._normal = normal
        self._any_order = any_order
        self._nodes: dict[Goal, Node] = {}
        self._names: dict[Goal, str] = {}
        self._terminals: dict[str, str] = {}
        self.added: dict[str, str] = {}
        self._productive: set[Goal] = set()
        self._users: dict[str, tuple[str, set[Goal]]] = {}  # by terminal of strings
        self._unwritten: list[Goal] = []
        self._writing: Goal = ANY

    def text(self) -> str:
        """The grammar, of all texts that satisfy the root goal of the normal form.

        Raises:
            Unproductive: there are none.
        """
        root = self._normal.root
        self._explore(root)
        self._find_productive()
        if root not in self._productive:
            raise Unproductive
        self.add("start", [self.value(root)])
        while self._unwritten:
            self._writing = self._unwritten.pop()
            self._write(self._writing)
        return self._assembled()

    def _assembled(self) -> str:
        rules = [f"{name}: {body}" for name, body in self.added.items()]
        terminals = [f"{name}: {body}" for body, name in self._terminals.items()]
        return "\n".join([*rules, *terminals]) + "\n"

    def relaxed(self, works: Callable[[str], bool]) -> str:
        """The grammar again, with all strings where a terminal of strings does not work on its own."""
        for body in [body for body in self._users if not works(f"start: T\nT: {body}\n")]:
            suffix, goals = self._users[body]
            name = self._terminals.pop(body)
            self._terminals[f"{Language.ALL.terminal(suffix)} | /[^\\s\\S]{name}/"] = name
            self.noted.update((goal, "string") for goal in goals)
        return self._assembled()

    def _explore(self, root: Goal) -> None:
        """Looks up all goals that the root needs, level by level; none is needed deeper than judges read."""
        level: Iterable[Goal] = [root, ANY]
        for _ in range(DEEPEST):
            found: dict[Goal, None] = {}
            for goal in level:
                node = self._nodes[goal] = self._normal.node(goal)
                found.update((child, None) for shape in node.objects for child in _members(shape))
                found.update((child, None) for shape in node.arrays for child in _items(shape))
            level = [goal for goal in found if goal not in self._nodes and goal is not NEVER]

    def _find_productive(self) -> None:
        """The least set of goals that some finite value satisfies."""
        left = list(self._nodes)
        grown = True
        while grown and left:
            found = [goal for goal in left if self._is_productive(self._nodes[goal])]
            self._productive.update(found)
            grown = bool(found)
            left = [goal for goal in left if goal not in self._productive]

    def _is_productive(self, node: Node) -> bool:
        if node.null or node.booleans or node.numbers or not node.strings.is_empty():
            return True
        if any(self._possible_array(shape) for shape in node.arrays):
            return True
        return any(self._possible_object(shape) for shape in node.objects)

    def _possible_array(self, shape: Array) -> bool:
        least = max([shape.least, *(count for _, count, _ in shape.contains)])
        items = {shape.item(i) for i in range(min(least, len(shape.prefix) + 1))}
        hits = {both(shape.rest, goal) for goal, count, _ in shape.contains if count and not shape.prefix}
        return (items | hits) <= self._productive

    def _possible_object(self, shape: Object) -> bool:
        if not all(shape.named[name] in self._productive for name in shape.required):
            return False
        if shape.least <= len(shape.required):
            return True
        if any(goal in self._productive for _, goal in shape.classes):
            return True
        return sum(goal in self._productive for goal in shape.named.values()) >= shape.least

    def value(self, goal: Goal) -> str:
        """The name of the rule of a goal that is known to be productive."""
        name = self._names.get(goal)
        if name is None:
            name = self._names[goal] = f"g{len(self._names)}"
            self._unwritten.append(goal)
        return name

    def _terminal(self, body: str) -> str:
        name = self._terminals.get(body)
        if name is None:
            name = self._terminals[body] = f"T{len(self._terminals)}"
        return name

    def _write(self, goal: Goal) -> None:
        node = self._nodes[goal]
        choices = list(self._scalars(node, goal))
        for shape in node.arrays:
            if self._possible_array(shape):
                choices.extend(Items(self, shape, goal).choices())
        for index, one in enumerate(node.objects):
            if self._possible_object(one):
                members = Members(self, one, f"{self._names[goal]}_{index}")
                choices.extend(members.choices(any_order=self._any_order))
                if members.loose:
                    self.noted.add((goal, "object"))
        self.add(self._names[goal], choices)

    def add(self, name: str, choices: Iterable[str], *, parametric: bool = False) -> None:
        """Adds a rule; a second one of the same name is the same."""
        self.added[f"{name}::_" if parametric else name] = "\n  | ".join(choices)

    def _scalars(self, node: Node, goal: Goal) -> Iterator[str]:
        literals = ["null"] if node.null else []
        literals += [json.dumps(value) for value in sorted(node.booleans)]
        points = [one.point for one in node.numbers if one.point is not None and not one.steps]
        literals += [spell_number(point) for point in points]
        if literals:
            yield self._terminal(f"/{'|'.join(map(_escaped, literals))}/")
        for one in node.numbers:
            if one.point is None or one.steps:
                yield self._number(one, goal)
        if not node.strings.is_empty():
            yield self.string(node.strings)

    def _number(self, numbers: Numbers, goal: Goal) -> str:
        if numbers.whole is False:
            self.noted.add((goal, "number"))
        if not numbers.whole and any(map(_may_be_crossed, (numbers.low, numbers.high), numbers.open)):
            self.noted.add((goal, "open"))
        if not numbers.steps:
            return self._terminal(numerals.terminal(numbers))
        step, *others = sorted(numbers.steps)
        known = _is_moderate(numbers) and _MODERATE_STEPS[0] <= step <= _MODERATE_STEPS[1] and _holds(numbers, step)
        if others or not isinstance(step, int) or not known:
            self.noted.add((goal, "multipleOf"))
        if not known:
            return self._terminal(numerals.terminal(numbers))
        name = f"m{len(self.added)}"
        self.add(name, [f"%json {json.dumps(_leaf(numbers, step))}"])
        return name

    def string(self, strings: Language, suffix: str = "") -> str:
        """A terminal of the JSON texts of some strings, and what follows."""
        if not strings.exact:
            self.noted.add((self._writing, "string"))
        body = strings.terminal(suffix)
        self._users.setdefault(body, (suffix, set()))[1].add(self._writing)
        return self._terminal(body)

    def productive(self, goal: Goal) -> bool:
        """Whether some finite value satisfies a goal."""
        return goal in self._productive

    def node(self, goal: Goal) -> Node:
        """What satisfies a goal."""
        return self._normal.node(goal)

    def missed(self, goal: Goal, hit: Goal) -> Goal | None:
        """What satisfies one goal and not another, or None where this cannot be said exactly."""
        if hit is ANY:
            return NEVER
        if hit is NEVER:
            return goal
        if len(hit) > 1:
            return None
        (fact,) = hit
        missed = both(goal, frozenset([fact.negated()]))
        return None if missed is not NEVER and self._normal.node(missed).loose else missed


def _members(shape: Object) -> Iterator[Goal]:
    """The goals of members."""
    yield from shape.named.values()
    yield from (goal for _, goal in shape.classes)


def _items(shape: Array) -> Iterator[Goal]:
    """The goals of items, of those that `contains` counts, and of the others."""
    yield from shape.prefix
    yield shape.rest
    for goal, _, most in shape.contains:
        yield both(shape.rest, goal)
        if most is not None and len(goal) == 1:
            (fact,) = goal
            yield both(shape.rest, frozenset([fact.negated()]))


_MODERATE = 2**53
_MODERATE_STEPS = (1e-6, 2**31)


def _is_moderate(numbers: Numbers) -> bool:
    """Whether the engine can hold the bounds of an interval."""
    return all(bound is None or 1 <= abs(bound) < _MODERATE or bound == 0 for bound in (numbers.low, numbers.high))


def _may_be_crossed(bound: float | None, is_open: bool) -> bool:
    """Whether a number within a bound may be read as a float on it, or beyond it."""
    return bound is not None and ((is_open and bound != 0) or (isinstance(bound, int) and abs(bound) > _MODERATE))


def _holds(numbers: Numbers, step: float) -> bool:
    """Whether an interval holds a multiple; intervals with integral steps do."""
    if numbers.low is None or numbers.high is None or isinstance(step, int):
        return True
    unit = Fraction(repr(step))
    unit = Fraction(unit.numerator) if numbers.whole else unit
    low, high = Fraction(str(numbers.low)), Fraction(str(numbers.high))
    first = math.floor(low / unit) + 1 if numbers.open[0] else math.ceil(low / unit)
    last = math.ceil(high / unit) - 1 if numbers.open[1] else math.floor(high / unit)
    return first <= last


def _leaf(numbers: Numbers, step: float) -> dict[str, Any]:
    """Multiples in an interval as a JSON Schema: the engine knows them."""
    whole = numbers.whole or (isinstance(step, int) or step.is_integer())
    keys = ("exclusiveMinimum" if numbers.open[0] else "minimum", "exclusiveMaximum" if numbers.open[1] else "maximum")
    bounds = zip(keys, (numbers.low, numbers.high), strict=True)
    schema = {
        "type": "integer" if whole else "number",
        "multipleOf": step,
        "x-guidance": {"whitespace_flexible": False},
    }
    return schema | {key: bound for key, bound in bounds if bound is not None}


def _escaped(text: str) -> str:
    return text.replace(".", r"\.").replace("+", r"\+")
