"""The real utterances: read, split once and for all, values exchanged between sentences of a kind.

The split depends on the text alone (its letters and digits, in lower case), so that the same sentence never lies on
both sides, in whatever order the file is read.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable
    from pathlib import Path

_HELD_OUT_OF_TEN = 1


@dataclass(frozen=True)
class Slot:
    """A field that an utterance fills.

    Attributes:
        field: the source's name of it.
        start: offset of its first character.
        end: offset behind its last character.
        value: the normalised form that the source gives, or None.
    """

    field: str
    start: int
    end: int
    value: Any = None


@dataclass(frozen=True)
class Utterance:
    """A sentence somebody wrote or said, with its slots in order."""

    kind: str
    text: str
    slots: tuple[Slot, ...]

    def filled(self) -> dict[str, str]:
        """The words of each field that is filled exactly once."""
        names = [slot.field for slot in self.slots]
        return {slot.field: self.text[slot.start : slot.end] for slot in self.slots if names.count(slot.field) == 1}

    def normalised(self) -> dict[str, Any]:
        """Values the source has normalised."""
        return {slot.field: slot.value for slot in self.slots if slot.value is not None}

    def repeated(self) -> set[str]:
        """Fields that are filled more than once; nothing is asked about them."""
        names = [slot.field for slot in self.slots]
        return {name for name in names if names.count(name) > 1}


@dataclass(frozen=True)
class Corpus:
    """Utterances of one side of the split.

    Attributes:
        by_kind: the utterances of each kind.
        fields: the fields of each kind, in alphabetical order.
        values: the words that fill each field of each kind, sorted.
    """

    by_kind: dict[str, tuple[Utterance, ...]]
    fields: dict[str, tuple[str, ...]]
    values: dict[tuple[str, str], tuple[str, ...]]

    @classmethod
    def of(cls, utterances: Iterable[Utterance]) -> Corpus:
        """Sort utterances by kind and collect what fills their fields."""
        kinds: dict[str, list[Utterance]] = defaultdict(list)
        values: dict[tuple[str, str], set[str]] = defaultdict(set)
        for utterance in utterances:
            kinds[utterance.kind].append(utterance)
            for slot in utterance.slots:
                values[utterance.kind, slot.field].add(utterance.text[slot.start : slot.end])
        fields = {kind: tuple(sorted(field for owner, field in values if owner == kind)) for kind in kinds}
        return cls(
            {kind: tuple(members) for kind, members in sorted(kinds.items())},
            fields,
            {key: tuple(sorted(words)) for key, words in sorted(values.items())},
        )


def read(path: Path) -> list[Utterance]:
    """Read utterances.jsonl.gz."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [_utterance(json.loads(line)) for line in lines]


def normal(text: str) -> str:
    """The letters and digits of a text in lower case: what makes two utterances the same."""
    return "".join(character for character in text.casefold() if character.isalnum())


def is_held_out(text: str) -> bool:
    """Whether an utterance belongs to the tenth that is never trained on."""
    return hashlib.sha256(normal(text).encode()).digest()[0] * 10 // 256 < _HELD_OUT_OF_TEN


def exchanged(utterance: Utterance, corpus: Corpus, rng: random.Random, share: float) -> Utterance:
    """The same sentence with some of its values taken from others of its kind.

    A sentence that would then equal one that is held out stays as it was.

    Args:
        utterance: the sentence.
        corpus: where values come from.
        rng: the dice.
        share: how likely each value is exchanged.
    """
    text, shift = utterance.text, 0
    slots: list[Slot] = []
    for slot in sorted(utterance.slots, key=lambda slot: slot.start):
        start, end = slot.start + shift, slot.end + shift
        if start < 0 or (slots and start < slots[-1].end):  # spans that overlap cannot be exchanged
            return utterance
        if slot.value is None and rng.random() < share:
            words = rng.choice(corpus.values[utterance.kind, slot.field])
            text = text[:start] + words + text[end:]
            shift += len(words) - (end - start)
            end = start + len(words)
        slots.append(Slot(slot.field, start, end, slot.value))
    return utterance if is_held_out(text) else Utterance(utterance.kind, text, tuple(slots))


def _utterance(line: dict[str, Any]) -> Utterance:
    slots = (Slot(span["field"], span["start"], span["end"], span.get("value")) for span in line["spans"])
    return Utterance(line["kind"], line["text"], tuple(slots))
