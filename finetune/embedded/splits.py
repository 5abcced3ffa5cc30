"""What is kept from training, so that evaluation can tell learning from remembering.

Held-out field names and prose templates are marked with `~` where they are written, in `domains/*.txt`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable

SPLITS = ("train", "fresh", "words", "aliases", "layouts", "domains")
"""`train` and `fresh` are one distribution; each other split draws one ingredient from what training never sees."""

HELD_DOMAINS = frozenset(
    {"rental", "conference_talk", "blood_donation", "ferry", "auction", "pet_adoption", "zh_recall"}
)
HELD_LAYOUTS = frozenset(
    {
        "chevron_lines",
        "quoted_lines",
        "ini",
        "pipe_line",
        "postcard",
        "definition_list",
        "box_table",
        "zh_bracket_lines",
    }
)

_HELD_SHARE = 10


def kept_layouts(names: Iterable[str], *, held: bool, most: int = 0) -> list[str]:
    """Those of some layouts that may be used.

    Args:
        names: names of layouts.
        held: keep those that training never uses, and none else.
        most: keep no more than so many, in an order that has nothing to do with what they look like; 0: all.
    """
    kept = [name for name in names if (name in HELD_LAYOUTS) == held]
    return sorted(kept, key=lambda name: crc32(name.encode()))[:most] if most else kept


def is_held_word(entry: str) -> bool:
    """Whether training never uses this word, part of a name or syllable: one in ten, whatever the run.

    Args:
        entry: an entry of a pool of words; of several words it is held out if one of them is.
    """
    return any(crc32(word.encode()) % _HELD_SHARE == 0 for word in re.findall(r"\w+", entry.lower()))
