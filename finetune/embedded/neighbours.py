"""Other things a text tells: records of domains that nobody asks about."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from finetune.embedded.domain import domains
from finetune.embedded.prose import narrate
from finetune.embedded.records import Record
from finetune.embedded.splits import HELD_DOMAINS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from finetune.embedded.domain import Domain, Field
    from finetune.embedded.draw import Draw

_ATTEMPTS = 6
_COUNTS = (1, 1, 2, 2, 3, 3, 4, 5, 7, 12)
_LONGEST = 3200


@cache
def _narrators(language: str) -> tuple[Domain, ...]:
    """Domains with sentences of their own that training knows."""
    return tuple(
        domain
        for domain in domains()
        if domain.language == language and domain.prose.texts and domain.name not in HELD_DOMAINS
    )


def among_neighbours(draw: Draw, text: str, domain: Domain, asked: Iterable[Field]) -> str:
    """A text between texts about something else.

    Nothing in the neighbours goes by a name that an asked field has, too, so that the answer stays clear.

    Args:
        draw: chance.
        text: the text that is asked about.
        domain: what it is about.
        asked: the fields that are asked for.
    """
    taken = {name for field in asked for name in (*field.names, *field.held_names)}
    texts = [text]
    for _ in range(draw.pick(_COUNTS)):
        other = _neighbour(draw, domain, taken)
        if other is not None and sum(map(len, texts)) + len(other) < _LONGEST:
            texts.insert(draw.between(0, len(texts)), other)
    return draw.pick(("\n\n", "\n\n", "\n", "\n---\n", "\n* * *\n")).join(texts)


def _neighbour(draw: Draw, domain: Domain, taken: set[str]) -> str | None:
    for _ in range(_ATTEMPTS):
        other = draw.pick(_narrators(domain.language))
        if other.name == domain.name:
            continue
        record = Record(draw, other)
        text = narrate(draw, record, longest=3)
        if not any(name in taken for fact in record.facts.values() for name in fact.field.names):
            return text
    return None
