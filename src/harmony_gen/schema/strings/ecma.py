r"""Regular expressions of ECMA 262, in Unicode mode, as JSON Schema's `pattern` uses them.

What Unicode mode forbids is read as Annex B of the standard reads it, or, where the author plainly wrote for
another engine, as that engine reads it:

- Python: `(?P<n>…)`, `(?P=n)`, `(?i)` and its like up to the end of the group, `(?#…)`, `\A`, `\Z`, `\z`, `\a`,
  `\N{…}`, `\U…`, `{,3}`, atomic groups, and repetitions that give nothing back;
- Perl: `\x{…}` and `\pL`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NoReturn

from harmony_gen.schema.strings import characters as sets
from harmony_gen.schema.strings.characters import Chars, any_case, complement, unicode_property, union
from harmony_gen.schema.strings.expression import (
    EMPTY,
    MOST_TIMES,
    Anchor,
    Atomic,
    Backreference,
    Capture,
    Character,
    Look,
    Node,
    WordBoundary,
    alternation,
    concat,
    one_of,
    repeat,
    single,
)
from harmony_gen.schema.strings.python_regex import fixed_widths, write

_CLASSES: dict[str, Chars] = {"d": sets.DIGITS, "w": sets.WORD, "s": sets.SPACE}
_CLASSES |= {name.upper(): complement(chars) for name, chars in _CLASSES.items()}
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "a": 7}
_BACKSPACE = 8
_END = "end of the pattern"

_HEX = re.compile(r"[ux]\{[0-9A-Fa-f]+\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|U[0-9A-Fa-f]{8}")
_LOW_SURROGATE = re.compile(r"\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})")
_OCTAL = re.compile(r"[0-3][0-7]{0,2}|[4-7][0-7]?")
_DECIMAL = re.compile(r"[1-9][0-9]*")
_CONTROL = re.compile(r"c([A-Za-z])")
_CHARACTER_NAME = re.compile(r"N\{([^}]*)\}")
_PROPERTY = re.compile(r"[pP](?:\{([^}]*)\}|([LMNPSZC]))")
_GROUP_NAME = re.compile(r"k<([^>]*)>")
_QUANTIFIER = re.compile(r"(?:([*+?])|\{(?=[0-9,])([0-9]*)(?:(,)([0-9]*))?\})([?+]?)")
_TIMES = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_GROUP = re.compile(
    r"""
      (?P<capture> \( (?!\?) | \(\?P?< (?![=!]) [^>]* > )
    | (?P<look> \(\? <? [=!] )
    | \(\?P= (?P<back> [^)]* ) \)
    | (?P<comment> \(\?\# [^)]* \) )
    | (?P<atomic> \(\?> )
    | \(\? (?P<on> [aimsux]* ) (?: - (?P<off> [imsx]+ ) )? (?P<close> [:)] )
    """,
    re.VERBOSE,
)
_NAMES = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\((?!\?)|\(\?P?<(?![=!])([^>]*)>", re.DOTALL)
_REMEMBERS = re.compile(r"\\[1-9k]|\(\?P=")
_SKIPPED = re.compile(r"(?:\s|#[^\n]*)+")


@lru_cache(maxsize=4096)
def parse(pattern: str) -> Node:
    """The tree of a pattern.

    Raises:
        ValueError: it cannot be read; says why and where.
    """
    try:
        return _Parser(pattern).parse()
    except RecursionError as error:
        raise ValueError("groups are nested too deeply") from error


@lru_cache(maxsize=4096)
def to_python(pattern: str) -> str:
    """A pattern of Python's `re` with the same meaning for `re.search`.

    One difference is left: a group that matched in an earlier round of a repetition is still remembered.

    Raises:
        ValueError: it cannot be read; says why and where.
    """
    return write(parse(pattern))


class _Parser:
    """Recursive descent; `at` is the position of the next character, `flags` those that are on."""

    def __init__(self, pattern: str) -> None:
        if not pattern.isascii():
            pattern = pattern.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        self.text = pattern
        self.at = 0
        self.flags: frozenset[str] = frozenset()
        self.remembers = _REMEMBERS.search(pattern) is not None
        self.count = 0
        self.names: dict[str, list[int]] = {}
        if self.remembers:
            self._count_groups()
        self.opened = 0
        self.closed: set[int] = set()

    def parse(self) -> Node:
        tree = self._alternation()
        if self.at < len(self.text):
            self._fail("a parenthesis closes nothing")
        return tree

    def _count_groups(self) -> None:
        """Counts the groups that capture, and notes their names."""
        for found in _NAMES.finditer(self.text):
            if found.group().startswith("("):
                self.count += 1
                if found[1]:
                    self.names.setdefault(found[1], []).append(self.count)

    def _fail(self, problem: str, at: int | None = None) -> NoReturn:
        message = f"{problem}, at position {self.at if at is None else at}"
        raise ValueError(message)

    def _alternation(self) -> Node:
        flags = self.flags
        options = [self._sequence()]
        while self.text.startswith("|", self.at):
            self.at += 1
            options.append(self._sequence())
        self.flags = flags
        return options[0] if len(options) == 1 else alternation(options)

    def _sequence(self) -> Node:
        text, parts = self.text, []
        while self.at < len(text) and text[self.at] not in "|)":
            if "x" in self.flags and (skipped := _SKIPPED.match(text, self.at)):
                self.at = skipped.end()
                continue
            part = self._atom(text[self.at])
            quantifier = _QUANTIFIER.match(text, self.at) if self.at < len(text) and text[self.at] in "*+?{" else None
            if quantifier:
                part = self._repeated(part, quantifier)
            parts.append(part)
        return parts[0] if len(parts) == 1 else concat(parts)

    def _repeated(self, part: Node, quantifier: re.Match[str]) -> Node:
        symbol, low, comma, high, manner = quantifier.groups()
        if isinstance(part, Anchor | WordBoundary):
            self._fail("nothing to repeat")
        if symbol:
            least, most = _TIMES[symbol]
        else:
            least = int(low or 0)
            most = least if comma is None else int(high) if high else None
        if most is not None and least > most:
            self._fail("a repetition has its limits in the wrong order")
        if least > MOST_TIMES:
            self._fail("a repetition is far too long")
        if most is not None and most > MOST_TIMES:
            most = None
        self.at = quantifier.end()
        if self.at < len(self.text) and _QUANTIFIER.match(self.text, self.at):
            self._fail("a repetition is repeated")
        repeated = repeat(part, least, most, lazy=manner == "?")
        return Atomic(repeated) if manner == "+" else repeated

    def _atom(self, char: str) -> Node:
        match char:
            case "\\":
                return self._escape()
            case "[":
                return one_of(self._class())
            case "(":
                return self._group()
            case "*" | "+" | "?":
                self._fail("nothing to repeat")
            case "{" if _QUANTIFIER.match(self.text, self.at):
                self._fail("nothing to repeat")
        self.at += 1
        match char:
            case ".":
                return Character(sets.EVERY if "s" in self.flags else sets.NOT_LINE_ENDS)
            case "^" | "$":
                return self._anchor(end=char == "$")
        return self._literal(ord(char))

    def _literal(self, code: int) -> Node:
        return Character(any_case(((code, code),))) if "i" in self.flags else single(code)

    def _anchor(self, *, end: bool) -> Node:
        if "m" not in self.flags:
            return Anchor(end)
        line_end: Node = Character(sets.LINE_ENDS)
        return alternation([Anchor(end), Look(line_end if end else fixed_widths(line_end), not end, negative=False)])

    def _group(self) -> Node:
        start = self.at
        found = _GROUP.match(self.text, start)
        if found is None:
            self._fail("a group of an unknown kind")
        self.at = found.end()
        match found.lastgroup:
            case "capture":
                group = self._capture(start)
            case "look":
                group = self._look(found["look"], start)
            case "back":
                group = self._back(found["back"])
            case "comment":
                group = EMPTY
            case "atomic":
                group = Atomic(self._inside(start))
            case _:
                group = self._flagged(found, start)
        return group

    def _flagged(self, found: re.Match[str], start: int) -> Node:
        """A group with other flags; without a body it sets them for the rest of the group it stands in."""
        flags = self.flags | set(found["on"]) - set(found["off"] or "")
        if found["close"] == ")":
            self.flags = flags
            return EMPTY
        outside, self.flags = self.flags, flags
        body = self._inside(start)
        self.flags = outside
        return body

    def _inside(self, start: int) -> Node:
        """The rest of a group that was opened at `start`."""
        body = self._alternation()
        if self.at == len(self.text):
            self._fail("a group is not closed", start)
        self.at += 1
        return body

    def _capture(self, start: int) -> Node:
        self.opened += 1
        number = self.opened
        body = self._inside(start)
        self.closed.add(number)
        return Capture(number, body) if self.remembers else body

    def _look(self, opening: str, start: int) -> Node:
        body, behind = self._inside(start), "<" in opening
        if behind:
            try:
                body = fixed_widths(body)
            except ValueError as error:
                self._fail(str(error), start)
        return Look(body, behind=behind, negative=opening.endswith("!"))

    def _back(self, name: str) -> Node:
        """A back-reference by name. What is not closed yet is empty."""
        if name not in self.names:
            self._fail(f"no group has the name {name!r}")
        return self._back_to(self.names[name])

    def _back_to(self, numbers: list[int]) -> Node:
        known = tuple(number for number in numbers if number in self.closed)
        return Backreference(known, any_case="i" in self.flags) if known else EMPTY

    def _escape(self) -> Node:
        """An escape sequence outside a class."""
        start = self.at
        self.at += 1
        chars = self._escaped_set()
        if chars is not None:
            return one_of(chars)
        letter = self.text[self.at]
        if letter in "AZzbB":
            self.at += 1
            return WordBoundary(letter == "B") if letter in "bB" else Anchor(letter != "A")
        if letter == "k" and self.names:
            return self._named_back(start)
        number = _DECIMAL.match(self.text, self.at)
        if number and int(number.group()) <= self.count:
            self.at = number.end()
            return self._back_to([int(number.group())])
        return self._literal(self._escaped_code())

    def _named_back(self, start: int) -> Node:
        found = _GROUP_NAME.match(self.text, self.at)
        if found is None:
            self._fail("a back-reference has no name", start)
        self.at = found.end()
        return self._back(found[1])

    def _escaped_set(self) -> Chars | None:
        """The set that the letter behind a backslash stands for, if it stands for one."""
        if self.at == len(self.text):
            self._fail("nothing follows a backslash")
        chars = _CLASSES.get(self.text[self.at])
        found = _PROPERTY.match(self.text, self.at) if chars is None else None
        if found:
            chars = self._property(found)
        elif chars is not None:
            self.at += 1
        return any_case(chars) if chars is not None and "i" in self.flags else chars

    def _property(self, found: re.Match[str]) -> Chars:
        try:
            chars = unicode_property(found[1] or found[2] or "")
        except ValueError as error:
            self._fail(str(error))
        self.at = found.end()
        return complement(chars) if found.group().startswith("P") else chars

    def _escaped_code(self) -> int:
        """The code point that is written behind a backslash."""
        text, at = self.text, self.at
        if found := _HEX.match(text, at):
            self.at = found.end()
            return self._surrogate_pair(int(found.group().lstrip("uxU{").rstrip("}"), 16))
        if found := _OCTAL.match(text, at):
            self.at = found.end()
            return int(found.group(), 8)
        if found := _CONTROL.match(text, at):
            self.at = found.end()
            return ord(found[1]) % 32
        if found := _CHARACTER_NAME.match(text, at):
            self.at = found.end()
            return self._named_character(found[1])
        if text[at] == "c":  # a backslash that escapes nothing
            return ord("\\")
        self.at += 1
        return _CONTROLS.get(text[at], ord(text[at]))

    def _surrogate_pair(self, code: int) -> int:
        """The code point, or that of the pair it is the first half of."""
        low = _LOW_SURROGATE.match(self.text, self.at) if sets.is_high_surrogate(code) else None
        if low:
            self.at = low.end()
            return sets.from_surrogates(code, int(low[1], 16))
        if code > sets.LAST:
            self._fail("there is no such character")
        return code

    def _named_character(self, name: str) -> int:
        try:
            return ord(unicodedata.lookup(name))
        except (KeyError, TypeError):
            self._fail(f"there is no character {name!r}")

    def _class(self) -> Chars:
        """A class in brackets; `[]` is empty, and `[^]` is every character."""
        start = self.at
        negated = self.text.startswith("^", start + 1)
        self.at += 2 if negated else 1
        ranges: list[tuple[int, int]] = []
        while not self.text.startswith("]", self.at):
            item = self._class_item(start)
            if self.text.startswith("-", self.at) and not self.text.startswith("-]", self.at):
                self.at += 1
                ranges += self._range(item, self._class_item(start))
            else:
                ranges += item
        self.at += 1
        chars = union(ranges)
        if "i" in self.flags:
            chars = any_case(chars)
        return complement(chars) if negated else chars

    def _range(self, first: Chars, last: Chars) -> Chars:
        """The characters between two; with a whole set at either end, the hyphen stands for itself."""
        if not (_is_single(first) and _is_single(last)):
            return (*first, *last, (ord("-"), ord("-")))
        if first > last:
            self._fail("a range has its ends in the wrong order")
        return ((first[0][0], last[0][1]),)

    def _class_item(self, start: int) -> Chars:
        """One character or set of a class."""
        if self.at >= len(self.text):
            self._fail("a class is not closed", start)
        if self.text[self.at] != "\\":
            code = ord(self.text[self.at])
            self.at += 1
            return ((code, code),)
        self.at += 1
        chars = self._escaped_set()
        if chars is not None:
            return chars
        if self.text[self.at] == "b":
            self.at += 1
            return ((_BACKSPACE, _BACKSPACE),)
        code = self._escaped_code()
        return ((code, code),)


def _is_single(chars: Chars) -> bool:
    return len(chars) == 1 and chars[0][0] == chars[0][1]
