"""Normal form → a grammar of JSON texts in the Lark dialect of the mask engine."""

from harmony_gen.schema.lark.grammar import Grammar, Unproductive
from harmony_gen.schema.lark.numerals import spell_number

__all__ = ["Grammar", "Unproductive", "spell_number"]
