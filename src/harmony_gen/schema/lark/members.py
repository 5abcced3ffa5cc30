"""The grammar of the members of an object: in the order of the schema or in any, counted or not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, Protocol

from harmony_gen.schema.strings.language import Language, spell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harmony_gen.schema.normal.goals import Goal
    from harmony_gen.schema.normal.objects import Object

BITS = 46
"""Names that a parameter can remember; the bits above count members."""

_COUNTER = "[48:64]"
_MOST_COUNTED = 2**16 - 1
_BLOCK = 16
_MOST_CHAINED = 1_000
_ONE = f"{1 << 48:#x}"
_ALWAYS = " %if ge(_, 0)"
"""A parametric rule has to look at its parameter."""


class Separators(NamedTuple):
    """The spelling of a comma and of a colon.

    Attributes:
        comma: a Lark literal. It is a lexeme of its own: the engine's lexer never goes back.
        colon: what ends the lexeme of a name.
    """

    comma: str
    colon: str


COMPACT = Separators('","', ":")
SPACED = Separators('", "', ": ")


class Rules(Protocol):
    """What members need of the grammar they are written into."""

    def add(self, name: str, choices: Iterable[str], *, parametric: bool = False) -> None:
        """Adds a rule; a second one of the same name is the same."""
        ...

    def value(self, goal: Goal) -> str:
        """The name of the rule of a goal that is known to be productive."""
        ...

    def string(self, strings: Language, suffix: str = "") -> str:
        """A terminal of the JSON texts of some strings, and what follows."""
        ...

    @property
    def separators(self) -> Separators:
        """What stands between items, and behind names."""
        ...

    def productive(self, goal: Goal) -> bool:
        """Whether some finite value satisfies a goal."""
        ...


def literal(text: str) -> str:
    """A Lark literal."""
    return json.dumps(text)


def repeated(body: str, least: int, most: str) -> str:
    """A group that occurs so often; `most` is "" for no limit."""
    if most == "":
        return f"{body}*" if least == 0 else f"{body}{{{least},}}"
    if most == "0":
        return ""
    return body if (least, most) == (1, "1") else f"{body}{{{least},{most}}}"


def when(*conditions: str) -> str:
    """The condition under which a choice of a parametric rule holds: all of some; empty ones do not count."""
    found = ""
    for condition in filter(None, conditions):
        found = f"and({found}, {condition})" if found else condition
    return f" %if {found}" if found else ""


class Members:
    """Writes the rules of the objects of one shape.

    Attributes:
        loose: whether the rules admit more than the shape.
    """

    def __init__(self, rules: Rules, shape: Object, prefix: str) -> None:
        self.loose = False
        self._rules = rules
        self._shape = shape
        self._prefix = prefix
        self._comma, self._colon = rules.separators
        self._named = [name for name, member in shape.named.items() if rules.productive(member)]
        self._others = self._classes()
        self._least, self._most = shape.least, shape.most
        if self._named and max(shape.least, shape.most or 0) > _MOST_COUNTED:
            self.loose, self._least, self._most = True, 0, None
        self._counts = self._least > 0 or self._most is not None
        self._needs = [pair for pair in sorted(shape.needs) if pair[0] in self._named and pair[1] not in shape.required]
        self._bits: dict[str, int] = {}

    def _classes(self) -> str:
        """What matches one member that is not named; "" if there is none."""
        shape, rules = self._shape, self._rules
        excluded = ~Language.of(shape.named) if shape.named else Language.ALL
        found = [(names & excluded, member) for names, member in shape.classes if rules.productive(member)]
        choices = [
            f"{rules.string(names, self._colon)} {rules.value(member)}"
            for names, member in found
            if names.values != frozenset()
        ]
        if len(choices) < 2:  # noqa: PLR2004 - one choice needs no rule
            return "".join(choices)
        rules.add(f"{self._prefix}o", choices)
        return f"{self._prefix}o"

    def choices(self, *, any_order: bool) -> Iterator[str]:
        """What the objects may be."""
        shape = self._shape
        if not self._named:
            yield from self._map()
        elif any_order and len(self._named) + bool(self._others) > 1:
            yield from self._parametric(self._permuted)
        elif (self._needs or self._counts) and len(self._named) <= _MOST_CHAINED:
            yield from self._parametric(self._chained)
        else:
            self.loose |= bool(self._needs or self._counts)
            if not shape.required:
                yield literal("{}")
            yield f'"{{" {self._ordered()} "}}"'

    def _map(self) -> Iterator[str]:
        """Objects without named members."""
        shape, other = self._shape, self._others
        if shape.least == 0:
            yield literal("{}")
        if other and shape.most != 0:
            most = "" if shape.most is None else str(shape.most - 1)
            more = repeated(f"({self._comma} {other})", max(0, shape.least - 1), most)
            yield f'"{{" {other} {more} "}}"'

    def _pair(self, name: str, before: str = "") -> str:
        """One named member, behind a comma or none."""
        return f"{before} {literal(spell(name) + self._colon)} {self._rules.value(self._shape.named[name])}"

    def _ordered(self) -> str:
        """Members in order, nothing counted.

        From the first required one on a comma stands before each, and behind each of those that come earlier.
        """
        required = self._shape.required
        first = next((i for i, name in enumerate(self._named) if name in required), None)
        tail = f"({self._comma} {self._others})*" if self._others else ""
        if first is None:
            return self._optional(tail)
        head = [f"({self._pair(name)} {self._comma})?" for name in self._named[:first]]
        rest = [
            self._pair(name, self._comma) if name in required else f"({self._pair(name, self._comma)})?"
            for name in self._named[first + 1 :]
        ]
        return " ".join([*head, self._pair(self._named[first]), *rest, tail])

    def _optional(self, tail: str) -> str:
        """At least one member, none of them required: whichever comes first, later ones may follow.

        What follows is written in blocks: a rule for each member that leads to the next would nest as deep as there
        are members, and the engine compiles rules by recursion.
        """
        rules, prefix, last = self._rules, self._prefix, len(self._named)
        for index, name in enumerate(self._named):
            rules.add(f"{prefix}m{index}", ['""', self._pair(name, self._comma)])
        for start in range(0, last, _BLOCK):
            rules.add(f"{prefix}b{start}", [self._from(start, last, tail)])
        choices = [f"{self._pair(name)} {self._from(index + 1, last, tail)}" for index, name in enumerate(self._named)]
        if self._others:
            choices.append(f"{self._others} {tail}")
        rules.add(f"{prefix}f", choices)
        return f"{prefix}f"

    def _from(self, index: int, last: int, tail: str) -> str:
        """The members from one on, each behind a comma or not there, and what follows the last."""
        stop = min(last, (index // _BLOCK + 1) * _BLOCK)
        block = [f"{self._prefix}m{i}" for i in range(index, stop)]
        return " ".join([*block, f"{self._prefix}b{stop}" if stop < last else tail])

    def _parametric(self, write: Callable[[], str]) -> Iterator[str]:
        """Members of which a parameter remembers what has occurred; members are counted at their commas."""
        shape = self._shape
        if not shape.required and self._least == 0:
            yield literal("{}")
        if self._most != 0:
            yield f'"{{" {write()}::{_ONE if self._counts else "0x0"}'

    def _permuted(self) -> str:
        """Members in any order."""
        rules, required = self._rules, self._shape.required
        ranked = sorted(self._named, key=lambda name: name not in required)
        self._bits = {name: bit for bit, name in enumerate(ranked[:BITS])}
        self.loose |= len(required) > BITS
        one, after = f"{self._prefix}x", f"{self._prefix}q"
        choices = [f"{self._pair(name)} {self._next(after, name)}{self._unseen(name)}" for name in self._named]
        if self._others:
            more = "" if self._counts else f"({self._comma} {self._others})*"
            choices.append(f"{self._others} {more} {after}::_")
        rules.add(one, choices, parametric=True)
        count = len(self._named)
        left = "" if self._others or count > BITS else f"bit_count_lt([0:{count}], {count})"
        rules.add(after, [f"{self._comma} {self._counted(one, left)}", self._end()], parametric=True)
        return one

    def _chained(self) -> str:
        """Members in order."""
        rules, required, last = self._rules, self._shape.required, len(self._named)
        bound = [name for pair in self._needs for name in pair if name in self._named]
        self._bits = {name: bit for bit, name in enumerate(list(dict.fromkeys(bound))[:BITS])}
        for index, name in enumerate(self._named):
            rules.add(
                f"{self._prefix}c{index}",
                [f"{self._pair(name)} {self._next(self._link(index + 1), name)}"],
                parametric=True,
            )
        if self._others:
            rules.add(f"{self._prefix}c{last}", [f"{self._others} {self._link(last)}::_"], parametric=True)
        stop = next((index for index, name in enumerate(self._named) if name in required), last)
        first = range(min(stop, last if self._others else last - 1) + 1)
        rules.add(f"{self._prefix}f", [f"{self._prefix}c{index}::_" for index in first], parametric=True)
        for index, name in enumerate(self._named):
            skipped = [] if name in required else [f"{self._link(index + 1)}::_"]
            there = f"{self._comma} {self._counted(f'{self._prefix}c{index}')}"
            rules.add(self._link(index), [there, *skipped], parametric=True)
        more = [f"{self._comma} {self._counted(f'{self._prefix}c{last}')}"] if self._others else []
        rules.add(self._link(last), [*more, self._end()], parametric=True)
        return f"{self._prefix}f"

    def _link(self, index: int) -> str:
        return f"{self._prefix}n{index}"

    def _next(self, rule: str, name: str) -> str:
        """A rule, with a parameter that knows that a name has occurred."""
        bit = self._bits.get(name)
        return f"{rule}::_" if bit is None else f"{rule}::set_bit({bit})"

    def _unseen(self, name: str) -> str:
        bit = self._bits.get(name)
        return "" if bit is None else when(f"bit_clear({bit})")

    def _counted(self, rule: str, left: str = "") -> str:
        """A rule, with a parameter that counts one more member, if one more may come and a condition holds."""
        room = "" if self._most is None else f"lt({_COUNTER}, {self._most})"
        return f"{rule}::{f'incr({_COUNTER})' if self._counts else '_'}{when(room, left)}"

    def _end(self) -> str:
        """The end of the object, with the condition under which no member need come."""
        shape, bits = self._shape, self._bits
        conditions = [f"bit_set({bits[name]})" for name in sorted(shape.required) if name in bits]
        conditions.append(f"ge({_COUNTER}, {self._least})" if self._least else "")
        for name, other in self._needs:
            if name not in bits or (other in self._named and other not in bits):
                self.loose = True
                continue
            there = f", bit_set({bits[other]}))" if other in bits else ""
            conditions.append(f"or(bit_clear({bits[name]}){there}" if there else f"bit_clear({bits[name]})")
        return '"}"' + (when(*conditions) or _ALWAYS)
