"""Documents whose texts at some places are quotations of a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harmony_gen.errors import ValidationError
from harmony_gen.schema.markup.copying import Copier
from harmony_gen.schema.markup.lengths import shortest
from harmony_gen.schema.markup.reading import read
from harmony_gen.schema.markup.text import LEGAL, certain, escaped
from harmony_gen.schema.markup.tree import Choice, Lexeme, Sequence, lexeme, literal, sequence
from harmony_gen.schema.strings.expression import NOTHING, Character, Concat, Node, both, concat, repeat
from harmony_gen.schema.strings.quotation import Quotation, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Sequence as Row

    from harmony_gen.schema.judge import Judge
    from harmony_gen.schema.markup.place import Place, State
    from harmony_gen.schema.markup.reading import Element
    from harmony_gen.schema.markup.tree import Grammar, Part

_SOME = repeat(Character(LEGAL), 1, None)
_EMPTY_ELEMENT = literal("/>")


def quoted(grammar: Grammar, places: Row[Place], source: str) -> Grammar | None:
    """The documents whose texts at some places stand in a source, and are not empty; None if none has a text there.

    Texts are those of attributes, and those directly in elements. Rules are copied for each way that leads to a place.

    Args:
        grammar: has been cleaned.
        places: where quotations stand.
        source: what is quoted.
    """
    quoter = _Quoter(grammar.rules, places, source)
    found = quoter.grammar()
    return found if quoter.has_quoted else None


class _Within(NamedTuple):
    """Where a part stands.

    Attributes:
        states: of the places, in the innermost element.
        in_content: whether its start tag is over.
    """

    states: tuple[State, ...]
    in_content: bool


class _Quoter(Copier[_Within]):
    """The state is how far the places have been reached."""

    mark = "_q"

    def __init__(self, rules: Mapping[str, Part], places: Row[Place], source: str) -> None:
        super().__init__(rules, _Within(tuple(place.start for place in places), in_content=True))
        self.has_quoted = False
        self._places = places
        self._quotations = {
            is_attribute: Quotation(Source(escaped(char, attribute=is_attribute) for char in source))
            for is_attribute in (False, True)
        }

    def stays(self, rule: str, state: _Within) -> bool:  # noqa: ARG002 - it depends on the state alone
        return not any(state.states)

    def lexeme(self, part: Lexeme, state: _Within) -> Part:
        return lexeme(self._node(part.node, state))

    def choice(self, options: tuple[Part, ...], state: _Within) -> Part:
        is_needed = self._names_element(state) and any(map(_is_text, options))
        kept = (option for option in options if not is_needed or option != _EMPTY_ELEMENT)
        return super().choice(tuple(kept), state)

    def sequence(self, parts: tuple[Part, ...], state: _Within) -> Part:
        found = []
        for part in parts:
            tag = _certain(part) or ""
            if tag == ">":
                state = state._replace(in_content=True)
            elif tag.startswith("<") and not tag.endswith(">"):
                inner = zip(self._places, state.states, strict=True)
                state = _Within(tuple(place.enter(one, tag[1:]) for place, one in inner), in_content=False)
            found.append(self.part(part, state))
        return sequence(found)

    def _names_element(self, within: _Within) -> bool:
        return any(place.names_element(state) for place, state in zip(self._places, within.states, strict=True))

    def _names_attribute(self, within: _Within, label: str) -> bool:
        states = zip(self._places, within.states, strict=True)
        return _is_plain(label) and any(place.names_attribute(state, label) for place, state in states)

    def _node(self, node: Node, within: _Within) -> Node:
        """A lexeme: a quotation if it is a text at one of the places, or the value of an attribute there."""
        if within.in_content:
            is_tag = (certain(node) or "").startswith(("<", ">"))
            return self._quoted(node, is_attribute=False) if self._names_element(within) and not is_tag else node
        opening, label = _attribute(node)
        if label is None or not self._names_attribute(within, label):
            return node
        assert isinstance(node, Concat)  # noqa: S101 - it has a label
        value = self._quoted(concat(node.parts[opening:-1]), is_attribute=True)
        return NOTHING if value == NOTHING else concat([*node.parts[:opening], value, node.parts[-1]])

    def _quoted(self, node: Node, *, is_attribute: bool) -> Node:
        self.has_quoted = True
        found = both([node, _SOME, self._quotations[is_attribute]])
        return NOTHING if shortest(found, 0) is None else found


def _certain(part: Part) -> str | None:
    return certain(part.node) if isinstance(part, Lexeme) else None


def _is_text(option: Part) -> bool:
    """Whether an end of a start tag, with what follows, is that of an element which holds a text and nothing else."""
    if not isinstance(option, Sequence) or _certain(option.parts[0]) != ">":
        return False
    content = option.parts[1]
    return all(isinstance(part, Lexeme) for part in (content.options if isinstance(content, Choice) else (content,)))


def _attribute(node: Node) -> tuple[int, str | None]:
    """How many characters stand before the value of an attribute, and its label; None if it is none."""
    text = ""
    for part in node.parts if isinstance(node, Concat) else ():
        if not isinstance(part, Character) or len(part.chars) > 1 or part.chars[0][0] != part.chars[0][1]:
            break
        text += chr(part.chars[0][0])
        if text.endswith('="'):
            return len(text), text[1:-2]
    return 0, None


def _is_plain(label: str) -> bool:
    """Whether an attribute is one of the schema's own."""
    return label != "xmlns" and not label.startswith(("xmlns:", "xsi:"))


class QuotingJudge:
    """Judges documents whose texts at some places stand in a source; an element without text says nothing."""

    def __init__(self, judge: Judge, places: Row[Place], source: str, canonical: Callable[[str], str]) -> None:
        """Takes the judge of all else, and what respells valid documents as answers are spelled."""
        self._judge = judge
        self._places = places
        self._source = source
        self._canonical = canonical

    def accepts(self, text: bytes) -> bool:
        """Whether a document is valid, and quotes."""
        if not self._judge.accepts(text):
            return False
        return next(self._wrong(text.decode(errors="replace")), None) is None

    def check(self, text: str | bytes) -> None:
        """Raises ValidationError with the first reason if a document is not valid, or does not quote."""
        self._judge.check(text)
        for path, value in self._wrong(text.decode(errors="replace") if isinstance(text, bytes) else text):
            raise ValidationError(f"At {path}: {value!r:.80} does not stand in the source.", pointer=path)

    def _wrong(self, text: str) -> Iterator[tuple[str, str]]:
        """Texts that must be quotations and are none, with their paths."""
        for path, value in _texts(read(self._canonical(text))):
            if value not in self._source and any(place.matches(path) for place in self._places):
                yield path, value


def _texts(root: Element) -> Iterator[tuple[str, str]]:
    """The texts of a document, with the paths of what they belong to."""
    waiting = [("", root)]
    while waiting:
        path, element = waiting.pop()
        here = f"{path}/{element.tag}"
        for label, piece in zip(element.labels, element.attributes.values(), strict=True):
            if _is_plain(label):
                yield f"{here}/@{label}", piece.value
        yield from ((here, piece.value) for piece in element.texts)
        waiting += [(here, child) for child in reversed(element.children)]
