"""Normal form → a grammar of JSON texts in the Lark dialect of the mask engine."""

from harmony_gen.schema.lark.grammar import Grammar, Unproductive
from harmony_gen.schema.lark.members import COMPACT, SPACED, Separators
from harmony_gen.schema.lark.numerals import spell_number

__all__ = ["COMPACT", "SPACED", "Grammar", "Separators", "Unproductive", "spell_number"]
