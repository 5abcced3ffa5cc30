"""What a user chooses about the documents of an XML Schema."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    """See `Schema.from_xsd`.

    Attributes:
        root: the element a document begins with.
        prefixes: pairs of a namespace and its prefix.
        foreign: names of elements and attributes that wildcards may hold.
    """

    root: str | None = None
    prefixes: tuple[tuple[str, str], ...] = ()
    foreign: tuple[str, ...] = ()
