"""Search for a short completion of a text that the grammar derives and the judges accept."""

from harmony_gen.schema.search.finish import Finisher, GrammarFinisher, JsonFinisher, witness

__all__ = ["Finisher", "GrammarFinisher", "JsonFinisher", "witness"]
