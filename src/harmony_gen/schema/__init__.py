"""What a right answer is: schemas, the grammars they become, the rules and judges behind them. No torch here."""

from harmony_gen.schema.schema import Schema

__all__ = ["Schema"]
