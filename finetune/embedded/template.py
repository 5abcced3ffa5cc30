"""Sentences with choices: `{name} is a [cosy|small] {kind}[ near {landmark}|]`.

`{key}` is a slot for a fact, `{%generator}` something drawn on the spot that no fact tells, `[a|b]` one of several
alternatives, each of which may hold slots and further choices. `{key?yes:no}` writes one of two wordings, as the fact
is true or false; `{key@lines}` and `{key@table}` write the rows of a fact one in a line, or as a table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetune.embedded.values import GENERATORS

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from finetune.embedded.draw import Draw

_OPEN, _BAR, _CLOSE = "[|]"
_TIGHT = ("%", "'")
_TOKEN = re.compile(r"[\[\]|]|\{[^}]*\}|[^\[\]|{]+")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a fact (`{key}`), or for something drawn on the spot (`{%generator}`).

    Attributes:
        key: what stands between the braces.
        figures: whether a number has to be written in figures, because letters follow it at once.
    """

    key: str
    figures: bool = False

    @property
    def fact(self) -> str:
        """The key of the fact alone."""
        return self.key.partition("?")[0].partition("@")[0]


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives."""

    options: tuple[Sequence_, ...]


Sequence_ = tuple["str | Slot | Choice", ...]


@dataclass(frozen=True)
class Piece:
    """A part of rendered text: a literal where `key` is "", else the surface of a fact."""

    text: str
    key: str


def parse(source: str) -> Sequence_:
    """Read a template.

    Args:
        source: the notation described above.

    Raises:
        ValueError: brackets do not match.
    """
    tokens = _TOKEN.findall(source)
    sequence, end = _sequence(tokens, 0, inner=False)
    if end != len(tokens):
        message = f"brackets do not match in {source!r}"
        raise ValueError(message)
    return sequence


def _sequence(tokens: list[str], start: int, *, inner: bool) -> tuple[Sequence_, int]:
    nodes: list[str | Slot | Choice] = []
    index = start
    while index < len(tokens):
        token = tokens[index]
        if token == _CLOSE or (inner and token == _BAR):
            break
        if token == _OPEN:
            choice, index = _choice(tokens, index + 1)
            nodes.append(choice)
            continue
        following = tokens[index + 1][:1] if index + 1 < len(tokens) else ""
        nodes.append(Slot(token[1:-1], following.isalnum() or following in _TIGHT) if token.startswith("{") else token)
        index += 1
    return tuple(nodes), index


def _choice(tokens: list[str], start: int) -> tuple[Choice, int]:
    options: list[Sequence_] = []
    index = start
    while True:
        option, index = _sequence(tokens, index, inner=True)
        options.append(option)
        if index >= len(tokens):
            message = f"a bracket is left open in {''.join(tokens)!r}"
            raise ValueError(message)
        index += 1
        if tokens[index - 1] == _CLOSE:
            return Choice(tuple(options)), index


def slots(sequence: Sequence_) -> frozenset[str]:
    """Keys of all facts a template may mention."""
    found: set[str] = set()
    for node in sequence:
        if isinstance(node, Slot) and not node.key.startswith("%"):
            found.add(node.fact)
        elif isinstance(node, Choice):
            found.update(*(slots(option) for option in node.options))
    return frozenset(found)


def render(draw: Draw, sequence: Sequence_, surface: Callable[[str], str]) -> list[Piece]:
    """Write a template out.

    Args:
        draw: chooses between alternatives.
        sequence: the template.
        surface: the text of a fact by its key.

    Returns:
        The pieces in order; no choice is left.
    """
    pieces: list[Piece] = []
    _write(draw, sequence, surface, pieces)
    return pieces


def _write(draw: Draw, sequence: Sequence_, surface: Callable[[str], str], pieces: list[Piece]) -> None:
    for node in sequence:
        if isinstance(node, str):
            pieces.append(Piece(node, ""))
        elif isinstance(node, Choice):
            _write(draw, draw.pick(node.options), surface, pieces)
        elif node.key.startswith("%"):
            pieces.append(Piece(GENERATORS[node.key[1:]][1](draw).surface, ""))
        else:
            draw.figures = node.figures
            pieces.append(Piece(surface(node.key), node.fact))
            draw.figures = False


def wants_figures(sequence: Sequence_) -> bool:
    """Whether some number of a template has to be written in figures."""
    return any(
        node.figures if isinstance(node, Slot) else isinstance(node, Choice) and any(map(wants_figures, node.options))
        for node in sequence
    )


def settled(draw: Draw, sequence: Sequence_) -> Sequence_:
    """A template in which every choice has been made, to write several rows in the same form."""
    nodes: list[str | Slot | Choice] = []
    for node in sequence:
        if isinstance(node, Choice):
            nodes.extend(settled(draw, draw.pick(node.options)))
        else:
            nodes.append(node)
    return tuple(nodes)


def joined(pieces: list[Piece], phrases: Container[str] = ()) -> str:
    """The text of pieces, with the seams smoothed: "a" or "an", no blank before a stop, no two stops in a row.

    Args:
        pieces: in order.
        phrases: keys of facts that are not copied and may begin with a capital at the start of a sentence.
    """
    text = ""
    for piece in pieces:
        text = _seam(text, piece, phrases)
    return text.rstrip(" ")


def _seam(text: str, piece: Piece, phrases: Container[str]) -> str:
    added = piece.text
    if not added:
        return text
    if piece.key in phrases and piece.key and text[-2:] in ("", ". ", "! ", "? ", ".\n"):
        return text + added[:1].upper() + added[1:]
    if not piece.key:
        if added[0] in ".,;" and text.endswith((" ", "..")):
            text = text.rstrip(" ")
        if added[0] == " " and (not text or text.endswith((" ", "\n"))):
            added = added[1:]
        if added[:1] == "." and text.endswith(".") and added[:2] != "..":
            added = added[1:]
    elif added[0].lower() in "aeio" and text[-3:] in (" a ", " A ", "a ", "A "):
        text = text[:-1] + "n "
    return text + added
