"""Draw tasks: `sample(rng)` gives one, `python -m finetune.embedded.sampling` prints some.

The share of every kind of task stands here.
"""

from __future__ import annotations

import argparse
import json
import random
from functools import cache
from typing import TYPE_CHECKING, Any

from finetune.embedded.asking import Request, ask, ask_rows, choose, new_request
from finetune.embedded.capitals import in_capitals
from finetune.embedded.domain import Domain, domains
from finetune.embedded.draw import Draw
from finetune.embedded.folding import folded
from finetune.embedded.naming import named
from finetune.embedded.neighbours import among_neighbours
from finetune.embedded.open_vocabulary import OPEN, invent
from finetune.embedded.presentation import Written, labelled, mixed, several, simple_fields, table
from finetune.embedded.prose import has_prose, write
from finetune.embedded.records import Record
from finetune.embedded.splits import HELD_DOMAINS, SPLITS
from finetune.embedded.surroundings import surrounded
from finetune.embedded.task import Task

if TYPE_CHECKING:
    from finetune.embedded.domain import Field

__all__ = ["SPLITS", "sample"]

_OPEN_SHARE = 0.22
_CHINESE_SHARE = 0.14
_NEIGHBOUR_SHARE = 0.25
_FOLDED_SHARE = 0.1
_CAPITALS_SHARE = 0.03
_LISTS = ("items", "records", "entries", "results", "list", "rows", "data")
_LONGEST = {"en": 4000, "zh": 1200}
"""Characters of a text; a Chinese one, and one in capitals, takes a token or more for each."""
_LONGEST_IN_CAPITALS = 1200
_TEXTS_A_TURN = 8
_FORMS = ("prose",) * 7 + ("mixed",) * 3 + ("labelled",) * 5


def sample(rng: random.Random, split: str = "train", layouts: int = 0) -> Task:
    """Draw one task.

    Args:
        rng: the only source of chance: the same state gives the same task.
        split: one of SPLITS.
        layouts: how many layouts of a kind are used; 0: all.

    Raises:
        ValueError: there is no such split.
    """
    if split not in SPLITS:
        message = f"split is {split!r}, not one of {', '.join(SPLITS)}"
        raise ValueError(message)
    while True:
        task = _attempt(Draw(rng, split, layouts=layouts))
        if task is not None and len(task.text) <= _LONGEST[task.language]:
            return task


def _attempt(draw: Draw) -> Task | None:
    """A task, or None where no question could be asked."""
    if draw.split not in ("aliases", "domains") and draw.chance(_OPEN_SHARE):
        draw.language = "zh" if draw.chance(_CHINESE_SHARE) else "en"
        domain = invent(draw)
    else:
        domain = draw.pick(_candidates(draw.split))
        draw.language = domain.language
    if draw.chance(0.16 if domain.name != OPEN else 0.1):
        return _many(draw, domain)
    return _single(draw, domain)


@cache
def _candidates(split: str) -> tuple[Domain, ...]:
    """The domains a split draws from."""
    if split == "domains":
        return tuple(domain for domain in domains() if domain.name in HELD_DOMAINS)
    known = tuple(domain for domain in domains() if domain.name not in HELD_DOMAINS for _ in range(_turns(domain)))
    if split == "aliases":
        return tuple(domain for domain in known if any(field.held_names for field in domain.fields))
    return known


def _turns(domain: Domain) -> int:
    """How often a domain comes up, beside others: more often where there is more to be said."""
    return 1 + len(domain.prose.texts) // _TEXTS_A_TURN


def _single(draw: Draw, domain: Domain) -> Task | None:
    record = Record(draw, domain)
    written = _present(draw, record)
    wanted = choose(draw, record)
    if not any(fact is not None for _, fact in wanted) and not draw.chance(0.3):
        return None
    schema, value = ask(draw, wanted, new_request(draw, domain.nouns))
    if not schema["properties"]:
        return None
    if draw.chance(0.04):
        schema, value = _wrapped(draw, schema, value, domain)
    text = surrounded(draw, written.text)
    if not draw.spoken and draw.chance(_NEIGHBOUR_SHARE):
        text = among_neighbours(draw, text, domain, [field for field, _ in wanted])
    if written.layout == "prose" and draw.language == "en" and draw.chance(_FOLDED_SHARE):
        text = folded(text, value, draw.between(50, 80))
    if draw.language == "en" and draw.chance(_CAPITALS_SHARE) and len(text) < _LONGEST_IN_CAPITALS:
        text, value = in_capitals(text, value, schema)
    return Task(schema, text, value, domain.name, written.layout, domain.language)


def _present(draw: Draw, record: Record) -> Written:
    """Write a record down."""
    held = draw.split == "layouts"
    if not has_prose(record.domain, held=held):
        return labelled(draw, record, held=held)
    form = draw.pick(_FORMS)
    if form == "prose":
        return Written(write(draw, record, held=held, longest=draw.pick((2, 4, 8, 12))), "prose")
    return mixed(draw, record) if form == "mixed" and not held else labelled(draw, record, held=held)


def _wrapped(draw: Draw, schema: dict[str, Any], value: Any, domain: Domain) -> tuple[dict[str, Any], Any]:
    """The same one level deeper."""
    noun = draw.pick((domain.nouns[0].replace(" ", "_"), "result", "data", "extracted"))
    outer = {"type": "object", "properties": {noun: schema}, "required": [noun], "additionalProperties": False}
    return outer, {noun: value}


def _many(draw: Draw, domain: Domain) -> Task | None:
    """Several records in one text."""
    held = draw.split == "layouts"
    written, records = table(draw, domain, held=held) if draw.chance(0.5) else several(draw, domain, held=held)
    told = _told(domain, records)
    if not told:
        return None
    fields = draw.sample(told, draw.between(1, min(6, len(told))))
    request = new_request(draw, domain.nouns)
    schema, answers = ask_rows(draw, fields, [record.facts for record in records], request)
    text = surrounded(draw, written.text)
    if not schema["items"]["properties"]:
        return None
    outer, value = _listed(draw, schema, answers, request)
    return Task(outer, text, value, domain.name, written.layout, domain.language)


def _told(domain: Domain, records: list[Record]) -> list[Field]:
    """Simple fields that at least one record tells."""
    return [field for field in simple_fields(domain) if any(field.key in record.facts for record in records)]


def _listed(draw: Draw, schema: dict[str, Any], answers: list[Any], request: Request) -> tuple[dict[str, Any], Any]:
    """An array as the one property of an object, or at times as the whole answer."""
    if draw.chance(0.08):
        return schema, answers
    noun = request.nouns[0]
    plural = noun if noun.endswith("s") or not noun.isascii() else f"{noun}s"
    name = named(request.style, draw.pick((plural, plural, draw.pick(_LISTS))))
    outer = {"type": "object", "properties": {name: schema}, "required": [name], "additionalProperties": False}
    return outer, {name: answers}


def main() -> None:
    """Print some tasks: the schema as the model reads it, the text, the answer."""
    from harmony_gen.models.embedded import describe

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--split", choices=SPLITS, default="train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=5)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    for _ in range(arguments.count):
        task = sample(rng, arguments.split)
        print(f"--- {task.domain}, {task.layout}, {task.language}")
        print(describe(task.schema))
        print(task.text)
        print(json.dumps(task.value, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
