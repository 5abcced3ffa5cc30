"""What is asked about an utterance: which fields, under which names, as which types, and the right answer.

Several utterances can share one question, as the items of an array do; a field then suits all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from finetune.embedded.slots import CLOSED, INTENTS, NAMES, NOTES, NUMBERS, choices

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from finetune.embedded.corpus import Corpus, Utterance

_DIGITS = {
    word: number
    for number, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
}
_CASES = ("source", "source", "snake", "snake", "camel", "title", "lower", "kebab", "pascal", "upper")
_ABSENCES = ("null", "null", "null", "absent", "never")
_TABLES = {"BookRestaurant", "RestaurantBooking"}  # both want a table: no option beside each other
MISSING = object()
"""The answer to an optional field that the text does not fill."""


@dataclass(frozen=True)
class Style:
    """How a whole question is put.

    Attributes:
        case: how names are written; "source" takes the source's own.
        absence: what becomes of facts that are missing: "null", "absent" (the member is left out) or "never"
            (nothing is asked that no text tells).
        noted: how likely a field is described.
    """

    case: str
    absence: str
    noted: float

    @classmethod
    def draw(cls, rng: random.Random) -> Style:
        """Any style."""
        return cls(rng.choice(_CASES), rng.choice(_ABSENCES), rng.choice((0.0, 0.0, 0.0, 0.3, 1.0)))


@dataclass(frozen=True)
class Field:
    """One field of a question.

    Attributes:
        source: the source's name of it.
        name: the name it is asked under.
        schema: JSON Schema of its answer.
        required: whether it must be in the answer.
    """

    source: str
    name: str
    schema: dict[str, Any]
    required: bool

    def answer(self, utterance: Utterance) -> Any:
        """What an utterance says about it, None or `MISSING`."""
        words = utterance.filled().get(self.source)
        if words is None:
            return None if self.required or "null" in self.schema.get("type", ()) else MISSING
        if "enum" in self.schema:
            return words.lower()
        if {"integer", "number"} & set(_listed(self.schema["type"])):
            return number_of(utterance, self.source)
        return words


def ask(utterances: Sequence[Utterance], corpus: Corpus, style: Style, rng: random.Random) -> list[Field]:
    """Choose fields for utterances, in any order.

    Args:
        utterances: what is asked about.
        corpus: the side of the split they come from, for words of other utterances.
        style: how the question is put.
        rng: the dice.
    """
    told = sorted({field for utterance in utterances for field in utterance.filled()})
    repeated = {field for utterance in utterances for field in utterance.repeated()}
    known = {field for utterance in utterances for field in corpus.fields[utterance.kind]}
    untold = sorted(known - set(told))
    asked = [field for field in told if rng.random() < (0.85 if len(told) > 1 else 1)]
    if style.absence == "never":
        asked = [field for field in asked if all(field in utterance.filled() for utterance in utterances)]
    else:
        asked += rng.sample(untold, min(len(untold), rng.choice((0, 0, 1, 1, 2, 3, 20))))
        asked += [rng.choice(sorted(set(NAMES) - known))] if rng.random() < 0.15 else []  # noqa: PLR2004
    asked = [field for field in asked if field not in repeated]
    rng.shuffle(asked)
    return _named([(source, *_form(source, utterances, corpus, style, rng)) for source in asked], style, rng)


def intent(kinds: Sequence[str], rng: random.Random) -> tuple[dict[str, str], dict[str, Any]]:
    """An enum of what utterances want: the label of each kind, and the schema.

    Args:
        kinds: kinds that must be among the options.
        rng: the dice.
    """
    others = sorted(set(INTENTS) - set(kinds) - (_TABLES if _TABLES & set(kinds) else set()))
    options = [*dict.fromkeys(kinds), *rng.sample(others, rng.randint(1, 6))]
    rng.shuffle(options)
    place, case = rng.randrange(4), rng.choice(("snake", "title", "lower", "pascal", "upper", "kebab"))
    labels = {kind: cased(choices(INTENTS[kind])[place], case if place else "source") for kind in options}
    return labels, {"enum": list(labels.values())}


def cased(words: str, case: str) -> str:
    """Words, written with spaces, in a style of names: snake, kebab, camel, pascal, title, upper, lower, source."""
    parts = words.split()
    if case == "camel":
        return parts[0] + "".join(part.capitalize() for part in parts[1:])
    if case == "pascal":
        return "".join(part.capitalize() for part in parts)
    if case == "title":
        return " ".join(part.capitalize() for part in parts)
    joint = {"snake": "_", "upper": "_", "kebab": "-"}.get(case, " ")
    return joint.join(parts).upper() if case == "upper" else joint.join(parts)


def number_of(utterance: Utterance, field: str) -> float | None:
    """The number that a field's words are, or None where they are none."""
    value = utterance.normalised().get(field)
    if isinstance(value, dict):
        value = value.get("amount")
    if isinstance(value, int | float):
        return int(value) if value == int(value) else value
    words = utterance.filled()[field].lower().removesuffix(".").split()
    plain = [word for word in words if word not in ("people", "persons", "person", "guests", "for")]
    if len(plain) != 1:
        return None
    return int(plain[0]) if plain[0].isascii() and plain[0].isdigit() else _DIGITS.get(plain[0])


def _form(
    source: str, utterances: Sequence[Utterance], corpus: Corpus, style: Style, rng: random.Random
) -> tuple[dict[str, Any], bool]:
    """The schema of a field's answer, and whether it is required."""
    telling = [utterance for utterance in utterances if source in utterance.filled()]
    everywhere = len(telling) == len(utterances)
    lenient = style.absence != "never" and (not everywhere or rng.random() < 0.6)  # noqa: PLR2004
    schema = _type(source, telling, corpus, rng)
    if rng.random() < style.noted:
        schema["description"] = rng.choice(choices(NOTES[source]))
    if not lenient:
        return schema, True
    if style.absence == "absent":
        return schema, False
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    else:
        schema["type"] = [schema["type"], "null"]
    return schema, rng.random() < 0.7  # noqa: PLR2004


def _type(source: str, telling: Sequence[Utterance], corpus: Corpus, rng: random.Random) -> dict[str, Any]:
    numeric = source in NUMBERS | {"amount_of_money"}
    numbers = [number_of(utterance, source) for utterance in telling] if numeric else []
    if numeric and None not in numbers and rng.random() < 0.5:  # noqa: PLR2004
        return {"type": "number" if source == "amount_of_money" else "integer"}
    if source in CLOSED and rng.random() < 0.2:  # noqa: PLR2004
        needed = {utterance.filled()[source].lower() for utterance in telling}
        words = {word.lower() for (_, field), listed in corpus.values.items() if field == source for word in listed}
        options = sorted(needed | set(rng.sample(sorted(words), min(len(words), rng.randint(2, 7)))))
        rng.shuffle(options)
        return {"enum": options}
    return {"type": "string"}


def _named(forms: Sequence[tuple[str, dict[str, Any], bool]], style: Style, rng: random.Random) -> list[Field]:
    """Fields under names no two of which are the same."""
    fields: dict[str, Field] = {}
    for source, schema, required in forms:
        name = source if style.case == "source" else cased(rng.choice(choices(NAMES[source])), style.case)
        if name in fields:
            name = cased(choices(NAMES[source])[0], style.case)
        if name not in fields:
            fields[name] = Field(source, name, schema, required)
    return list(fields.values())


def _listed(kind: str | list[str]) -> list[str]:
    return [kind] if isinstance(kind, str) else kind
