"""Documents of nested elements: their grammar, whatever schema language it comes from, and how they are completed."""

from harmony_gen.schema.markup.completion import Automaton, Completer
from harmony_gen.schema.markup.depth import limited
from harmony_gen.schema.markup.lark import written
from harmony_gen.schema.markup.tree import (
    NEVER,
    NOTHING_MORE,
    AnyOrder,
    Choice,
    Grammar,
    Lexeme,
    Part,
    Reference,
    Sequence,
    Times,
    choice,
    lexeme,
    literal,
    optional,
    sequence,
    times,
)

__all__ = [
    "NEVER",
    "NOTHING_MORE",
    "AnyOrder",
    "Automaton",
    "Choice",
    "Completer",
    "Grammar",
    "Lexeme",
    "Part",
    "Reference",
    "Sequence",
    "Times",
    "choice",
    "lexeme",
    "limited",
    "literal",
    "optional",
    "sequence",
    "times",
    "written",
]
