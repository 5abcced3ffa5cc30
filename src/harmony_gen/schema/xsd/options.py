"""What a user chooses about the documents of an XML Schema."""

from __future__ import annotations

from dataclasses import dataclass

from harmony_gen.schema.sources import check_order


@dataclass(frozen=True, kw_only=True)
class Options:
    """See `Schema.from_xsd`.

    Attributes:
        root: the element a document begins with.
        prefixes: pairs of a namespace and its prefix.
        foreign: names of elements and attributes that wildcards may hold.
        attribute_order: "schema" or "any".
        depth: the most elements that are open at a time; None is no limit.
        longest_text: the most characters of a text or an attribute whose type sets no limit; None is no limit.
    """

    root: str | None = None
    prefixes: tuple[tuple[str, str], ...] = ()
    foreign: tuple[str, ...] = ()
    attribute_order: str = "schema"
    depth: int | None = None
    longest_text: int | None = None

    def __post_init__(self) -> None:
        check_order(self.attribute_order, "attribute_order")
        for name in ("depth", "longest_text"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                message = f"{name} must be a whole number from 1 on, or None; it is {value!r}."
                raise ValueError(message)
