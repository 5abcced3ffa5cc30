"""Tasks made of real utterances, alone or several in one text.

The file is named by an argument or by the environment; where it is missing this is said, and training goes on
without it. A tenth of the utterances is held out: see `corpus`.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetune.embedded import corpus as real
from finetune.embedded.corpus import Corpus, Utterance
from finetune.embedded.questions import MISSING, Field, Style, ask, cased, intent
from finetune.embedded.slots import INTENT_NAMES, INTENTS, LIST_NAMES, choices
from finetune.embedded.task import Task

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

VARIABLE = "HARMONY_GEN_UTTERANCES"
"""The environment variable that names utterances.jsonl.gz."""
_EXCHANGED = (0.0, 0.0, 0.6)
_SHAPES = ("single", "list", "mixed", "by intent")
_SHARES = (0.72, 0.12, 0.06, 0.1)
_JOINTS = ("\n", " ", "\n\n", "\n- ", " / ", "; ", "\n* ")
_SPEAKERS = ("Customer", "User", "Guest", "Caller", "me", "Message", "Request", "Anna", "Tom", "> ")


@dataclass(frozen=True)
class Utterances:
    """Both sides of the split.

    Attributes:
        train: nine tenths.
        held_out: one tenth, by a hash of the text.
    """

    train: Corpus
    held_out: Corpus

    def sample(self, rng: random.Random) -> Task:
        """A task for training."""
        while True:
            shape = rng.choices(_SHAPES, _SHARES)[0]
            task = _task(shape, self.train, rng)
            if task is not None:
                return task

    def judged(self, rng: random.Random) -> Task:
        """A task about one utterance that is never trained on, as it was said."""
        while True:
            utterance = _any(self.held_out, rng)
            task = _single(utterance, utterance.text, self.held_out, rng)
            if task is not None:
                return task


def load(path: Path | None = None) -> Utterances | None:
    """Read and split the utterances.

    Args:
        path: utterances.jsonl.gz; default: what the environment variable names.

    Returns:
        Both sides, or None where there is no file, which is said on standard error.
    """
    named = path or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is None or not named.is_file():
        where = f"{named} does not exist" if named else f"{VARIABLE} is not set"
        print(f"NO REAL UTTERANCES: {where}. Only generated text is used.", file=sys.stderr)
        return None
    everything = real.read(named)
    return Utterances(
        Corpus.of(utterance for utterance in everything if not real.is_held_out(utterance.text)),
        Corpus.of(utterance for utterance in everything if real.is_held_out(utterance.text)),
    )


def _any(corpus: Corpus, rng: random.Random, kind: str | None = None) -> Utterance:
    """An utterance; small kinds come up more often than their size says."""
    kinds = list(corpus.by_kind)
    kind = kind or rng.choices(kinds, [len(corpus.by_kind[name]) ** 0.6 for name in kinds])[0]
    return rng.choice(corpus.by_kind[kind])


def _varied(corpus: Corpus, rng: random.Random, kind: str | None = None) -> Utterance:
    """An utterance, sometimes with values of others, sometimes in lower case."""
    utterance = real.exchanged(_any(corpus, rng, kind), corpus, rng, rng.choice(_EXCHANGED))
    lowered = utterance.text.lower()
    if rng.random() < 0.08 and len(lowered) == len(utterance.text):  # noqa: PLR2004
        return Utterance(utterance.kind, lowered, utterance.slots)
    return utterance


def _task(shape: str, corpus: Corpus, rng: random.Random) -> Task | None:
    if shape == "single":
        utterance = _varied(corpus, rng)
        return _single(utterance, _framed(utterance.text, rng), corpus, rng)
    count = rng.choice((2, 2, 3))
    first = _varied(corpus, rng)
    others = [_varied(corpus, rng, first.kind if shape == "list" else None) for _ in range(count - 1)]
    utterances = [first, *others]
    if shape == "by intent":
        return _by_intent(utterances, corpus, rng)
    return _list(utterances, corpus, rng, with_intent=shape == "mixed" or rng.random() < 0.1)  # noqa: PLR2004


def _single(utterance: Utterance, text: str, corpus: Corpus, rng: random.Random) -> Task | None:
    """One utterance: its fields, its intent, or both; now and then within an object of its own."""
    style = Style.draw(rng)
    members = [_member(field, utterance) for field in ask([utterance], corpus, style, rng)]
    if rng.random() < 0.2 or not members:  # noqa: PLR2004
        labels, schema = intent([utterance.kind], rng)
        name = cased(rng.choice(choices(INTENT_NAMES)), style.case)
        if name not in [member[0] for member in members]:
            members.insert(rng.randint(0, len(members)), (name, schema, labels[utterance.kind], True))
    schema, value = _object(members)
    if rng.random() < 0.08:  # noqa: PLR2004
        schema, value = _object([(rng.choice(("request", "slots", "data", "details")), schema, value, True)])
    return _made(schema, text, value, utterance.kind, "utterance")


def _list(utterances: Sequence[Utterance], corpus: Corpus, rng: random.Random, *, with_intent: bool) -> Task | None:
    """Several utterances as an array of objects."""
    style = Style.draw(rng)
    fields = ask(utterances, corpus, style, rng)[:6]
    labels, options = intent([utterance.kind for utterance in utterances], rng)
    name = cased(rng.choice(choices(INTENT_NAMES)), style.case)
    with_intent = with_intent and name not in [field.name for field in fields]
    if not fields and not with_intent:
        return None
    rows = [[_member(field, utterance) for field in fields] for utterance in utterances]
    if with_intent:
        rows = [[(name, options, labels[said.kind], True), *row] for said, row in zip(utterances, rows, strict=True)]
    objects = [_object(row) for row in rows]
    listed = {"type": "array", "items": objects[0][0]}
    key = cased(rng.choice(choices(LIST_NAMES)), style.case)
    schema, value = _object([(key, listed, [item for _, item in objects], True)])
    return _made(schema, _joined(utterances, rng), value, utterances[0].kind, "several utterances")


def _by_intent(utterances: Sequence[Utterance], corpus: Corpus, rng: random.Random) -> Task | None:
    """Utterances of several kinds, asked for by kind: an object for each; one that is not there is null."""
    style = Style.draw(rng)
    by_kind = {utterance.kind: utterance for utterance in utterances}
    if len(by_kind) < len(utterances):
        return None
    place = rng.randrange(4)
    members: list[tuple[str, dict[str, Any], Any, bool]] = []
    for kind in rng.sample(sorted(by_kind), rng.randint(1, len(by_kind))):
        parts = [_member(field, by_kind[kind]) for field in ask([by_kind[kind]], corpus, style, rng)[:5]]
        if parts:
            members.append((_key(kind, place, style), *_object(parts), True))
    others = sorted(set(corpus.by_kind) - set(by_kind))
    if members and others and rng.random() < 0.25:  # noqa: PLR2004
        kind = rng.choice(others)
        fields = ask([_any(corpus, rng, kind)], corpus, style, rng)[:3]
        empty = {
            **_schema([(field.name, field.schema, field.required) for field in fields]),
            "type": ["object", "null"],
        }
        members.insert(rng.randint(0, len(members)), (_key(kind, place, style), empty, None, True))
    if not members:
        return None
    schema, value = _object(members)
    return _made(schema, _joined(utterances, rng), value, utterances[0].kind, "utterances by intent")


def _key(kind: str, place: int, style: Style) -> str:
    return cased(choices(INTENTS[kind])[place], style.case if place else "source")


def _framed(text: str, rng: random.Random) -> str:
    """A text as it is, or as somebody's line in a conversation."""
    if rng.random() > 0.08:  # noqa: PLR2004
        return text
    speaker = rng.choice(_SPEAKERS)
    stamp = f"[{rng.randrange(24):02}:{rng.randrange(60):02}] " if rng.random() < 0.4 else ""  # noqa: PLR2004
    return f"{stamp}{speaker}{text}" if speaker.endswith(" ") else f"{stamp}{speaker}: {text}"


def _joined(utterances: Sequence[Utterance], rng: random.Random) -> str:
    """Several utterances in one text: lines, sentences, a list, or a conversation."""
    texts = [utterance.text.strip() for utterance in utterances]
    draw = rng.random()
    if draw < 0.2:  # noqa: PLR2004
        return "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))
    if draw < 0.35:  # noqa: PLR2004
        return "\n".join(f"{rng.choice(_SPEAKERS[:-1])}: {text}" for text in texts)
    joint = rng.choice(_JOINTS)
    return joint.lstrip("\n") * (joint[-2:] in ("- ", "* ")) + joint.join(texts)


def _member(field: Field, utterance: Utterance) -> tuple[str, dict[str, Any], Any, bool]:
    return field.name, field.schema, field.answer(utterance), field.required


def _object(members: Sequence[tuple[str, dict[str, Any], Any, bool]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Schema and value of an object; members that are missing are left out of the value."""
    value = {name: answer for name, _, answer, _ in members if answer is not MISSING}
    return _schema([(name, schema, required) for name, schema, _, required in members]), value


def _schema(members: Sequence[tuple[str, dict[str, Any], bool]]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: schema for name, schema, _ in members},
        "required": [name for name, _, required in members if required],
        "additionalProperties": False,
    }


def _made(schema: dict[str, Any], text: str, value: Any, kind: str, layout: str) -> Task:
    return Task(schema, text.strip(), value, kind, layout, "en")
