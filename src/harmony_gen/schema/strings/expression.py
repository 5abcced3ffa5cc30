"""The tree of a regular expression.

A part either takes characters or states a condition on its place (`Anchor`, `WordBoundary`, `Look`). `Both`
and `Not` come from no pattern: conditions turn into them. `Quotation` comes from a source.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, product
from typing import TYPE_CHECKING, TypeAlias

from harmony_gen.schema.strings.characters import EVERY, Chars
from harmony_gen.schema.strings.hashing import Hashed, hashed
from harmony_gen.schema.strings.quotation import Quotation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Width: TypeAlias = tuple[int, int | None]
"""The fewest and the most characters of a match; None is no limit."""


@hashed
class Character(Hashed):
    """One character of a set."""

    chars: Chars


@hashed
class Concat(Hashed):
    """One part after the other; without parts, the empty text."""

    parts: tuple[Node, ...]


@hashed
class Alternation(Hashed):
    """One of the options; without options, nothing at all."""

    options: tuple[Node, ...]


@hashed
class Repeat(Hashed):
    """A part several times in a row, at most `most` times if that is a number."""

    body: Node
    least: int
    most: int | None
    lazy: bool = False


@hashed
class Capture(Hashed):
    """A group that a back-reference names."""

    number: int
    body: Node


@hashed
class Backreference(Hashed):
    """The text of whichever of the groups has matched; empty if none has."""

    numbers: tuple[int, ...]
    any_case: bool = False


@hashed
class Atomic(Hashed):
    """A part whose first way to match is its only one."""

    body: Node


@hashed
class Anchor(Hashed):
    """The start or the end of the text."""

    end: bool


@hashed
class WordBoundary(Hashed):
    """A place between a word character and another or none; negated, any other place."""

    negative: bool


@hashed
class Look(Hashed):
    """What follows, or stands before: it matches, or it does not.

    The body of a look-behind is an alternation of parts of one width each.
    """

    body: Node
    behind: bool
    negative: bool


@hashed
class Both(Hashed):
    """Texts that match every part."""

    parts: tuple[Node, ...]


@hashed
class Not(Hashed):
    """Texts that do not match."""

    body: Node


Node: TypeAlias = (
    Character
    | Concat
    | Alternation
    | Repeat
    | Capture
    | Backreference
    | Atomic
    | Anchor
    | WordBoundary
    | Look
    | Both
    | Not
    | Quotation
)

MOST_TIMES = 2**31 - 1
"""Neither Python nor the engine counts much further."""
_FEW = 8
EMPTY = Concat(())
NOTHING = Alternation(())
ANYTHING = Repeat(Character(EVERY), 0, None)


@lru_cache(maxsize=1024)
def single(code: int) -> Character:
    """One certain character."""
    return Character(((code, code),))


def one_of(chars: Chars) -> Node:
    """One character of a set, which may be empty."""
    return Character(chars) if chars else NOTHING


def one_of_texts(texts: Iterable[str]) -> Node:
    """One of some texts."""
    return Alternation(tuple(concat(map(single, map(ord, text))) for text in texts))


def concat(parts: Iterable[Node]) -> Node:
    """One part after the other."""
    found: list[Node] = []
    for part in parts:
        if isinstance(part, Concat):
            found += part.parts
        elif part == NOTHING:
            return NOTHING
        else:
            found.append(part)
    return found[0] if len(found) == 1 else Concat(tuple(found))


def around(parts: Iterable[Node]) -> Node:
    """One plain part after the other; next to `ANYTHING` a part matches no more than it must."""
    row = concat(parts)
    if not isinstance(row, Concat) or ANYTHING not in row.parts:
        return row
    found: list[Node] = []
    for part in row.parts:
        if part == ANYTHING:
            while found and is_nullable(found[-1]):
                found.pop()
            if found:
                found[-1] = _fewest(found[-1])
            found.append(ANYTHING)
        elif not found or found[-1] != ANYTHING:
            found.append(part)
        elif not is_nullable(part):
            found.append(_fewest(part))
    return concat(found)


def _fewest(node: Node) -> Node:
    return repeat(node.body, node.least, node.least) if isinstance(node, Repeat) else node


def alternation(options: Iterable[Node]) -> Node:
    """One of the options."""
    found: dict[Node, None] = {}
    for option in options:
        if isinstance(option, Alternation):
            found.update(dict.fromkeys(option.options))
        else:
            found[option] = None
    if ANYTHING in found:
        return ANYTHING
    return next(iter(found)) if len(found) == 1 else Alternation(tuple(found))


def both(parts: Iterable[Node]) -> Node:
    """Texts that match every part; the parts state no conditions."""
    found: dict[Node, None] = {}
    for part in parts:
        found.update(dict.fromkeys(part.parts if isinstance(part, Both) else (part,)))
    found.pop(ANYTHING, None)
    if NOTHING in found:
        return NOTHING
    if EMPTY in found:
        return EMPTY if all(map(is_nullable, found)) else NOTHING
    if not found:
        return ANYTHING
    return next(iter(found)) if len(found) == 1 else Both(tuple(found))


def negation(body: Node) -> Node:
    """Texts that do not match."""
    if body == ANYTHING:
        return NOTHING
    if body == NOTHING:
        return ANYTHING
    return body.body if isinstance(body, Not) else Not(body)


def repeat(body: Node, least: int, most: int | None, *, lazy: bool = False) -> Node:
    """A part several times in a row."""
    if most == 0 or body == EMPTY:
        return EMPTY
    if (least, most) == (1, 1):
        return body
    if (least, most) == (0, None) and body == ANYTHING.body:
        return ANYTHING
    if body == NOTHING:
        return NOTHING if least else EMPTY
    if isinstance(body, Repeat) and body.lazy == lazy and _touch(body, least):
        low, high = body.least * least, None if most is None or body.most is None else body.most * most
        if max(low, high or 0) <= MOST_TIMES:
            return Repeat(body.body, low, high, lazy)
    return Repeat(body, least, most, lazy)


def _touch(inner: Repeat, times: int) -> bool:
    """Whether so many rounds of a repetition, and one more, leave no number of parts out between them."""
    return inner.most is None or inner.most * times + 1 >= inner.least * (times + 1)


def is_plain(node: Node) -> bool:
    """Whether a tree takes characters and does nothing else: no conditions, no memory."""
    match node:
        case Character() | Quotation():
            return True
        case Concat(parts) | Alternation(parts) | Both(parts):
            return all(map(is_plain, parts))
        case Repeat(body) | Not(body):
            return is_plain(body)
        case _:
            return False


def is_nullable(node: Node) -> bool:
    """Whether a plain tree matches the empty text."""
    match node:
        case Concat(parts) | Both(parts):
            return all(map(is_nullable, parts))
        case Alternation(options):
            return any(map(is_nullable, options))
        case Repeat(body, least):
            return least == 0 or is_nullable(body)
        case Not(body):
            return not is_nullable(body)
        case Quotation():
            return node.is_nullable
        case _:
            return False


def width(node: Node) -> Width:  # noqa: PLR0911 - one case for each kind of node
    """Limits to the number of characters of a match; those of `NOTHING` are arbitrary."""
    match node:
        case Character():
            return 1, 1
        case Concat(parts):
            return _sum(map(width, parts))
        case Alternation(options):
            return _hull(map(width, options))
        case Repeat(body, least, most):
            low, high = width(body)
            if high == 0:
                return 0, 0
            return low * least, None if most is None or high is None else high * most
        case Capture(body=body) | Atomic(body=body):
            return width(body)
        case Both(parts):
            return common_width(map(width, parts))
        case Backreference():
            return 0, None
        case Not() | Quotation():
            return int(not is_nullable(node)), None
        case _:
            return 0, 0


def common_width(widths: Iterable[Width]) -> Width:
    """The limits of what keeps to all limits."""
    limits = list(widths)
    highs = [high for _, high in limits if high is not None]
    return max((low for low, _ in limits), default=0), min(highs, default=None)


def merged_widths(widths: Iterable[Width]) -> list[Width]:
    """The same lengths in limits that do not touch."""
    found: list[Width] = []
    for low, high in sorted(widths, key=lambda limits: limits[0]):
        end = found[-1][1] if found else -2
        if end is None or low <= end + 1:
            found[-1] = (found[-1][0], None if end is None or high is None else max(end, high))
        else:
            found.append((low, high))
    return found


def _sum(widths: Iterable[Width]) -> Width:
    least, most = 0, 0
    bounded = True
    for low, high in widths:
        least += low
        bounded = bounded and high is not None
        most += high or 0
    return least, most if bounded else None


def _hull(widths: Iterable[Width]) -> Width:
    """The limits of all options together."""
    limits = list(widths)
    highs = [high for _, high in limits]
    most = None if None in highs else max((high for high in highs if high is not None), default=0)
    return min((low for low, _ in limits), default=0), most


def few_texts(node: Node) -> frozenset[str] | None:
    """The texts that a plain tree matches, if they are no more than it has characters, or very few."""
    limit = max(_FEW, _size(node))
    return frozenset(_texts(node)) if _number(node, limit) <= limit else None


def _size(node: Node) -> int:
    """The number of single characters in a tree."""
    match node:
        case Concat(parts) | Alternation(parts):
            return sum(map(_size, parts))
        case Repeat(body):
            return _size(body)
        case _:
            return 1


def _number(node: Node, limit: int) -> int:
    """An upper limit to the number of texts, itself no more than one above a limit."""
    match node:
        case Character(chars):
            number = sum(high - low + 1 for low, high in chars)
        case Concat(parts):
            number = 1
            for part in parts:
                number = min(number * _number(part, limit), limit + 1)
        case Alternation(options):
            number = sum(_number(option, limit) for option in options)
        case Repeat(body, least, most) if most is not None and most <= limit:
            once = _number(body, limit)
            number = sum(min(once**times, limit + 1) for times in range(least, most + 1))
        case _:
            number = limit + 1
    return min(number, limit + 1)


def _texts(node: Node) -> Iterator[str]:
    """The texts that a tree matches; a text may come more than once."""
    match node:
        case Character(chars):
            yield from (chr(code) for low, high in chars for code in range(low, high + 1))
        case Concat(parts):
            yield from map("".join, product(*map(_texts, parts)))
        case Alternation(options):
            yield from chain.from_iterable(map(_texts, options))
        case Repeat(body, least, most) if most is not None:
            for times in range(least, most + 1):
                yield from map("".join, product(_texts(body), repeat=times))
