"""Texts in sentences, from the templates of a domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.naming import label_words
from finetune.embedded.template import Piece, joined, render, slots

if TYPE_CHECKING:
    from finetune.embedded.domain import Domain, Prose
    from finetune.embedded.draw import Draw
    from finetune.embedded.records import Record
    from finetune.embedded.template import Sequence_

_HESITATIONS = ("um ", "uh ", "okay ", "so ", "hi ", "hey ", "yes hello ", "well ", "please ", "")
_COURTESIES = (" please", " thanks", " thank you", "", "", "")


_STATEMENTS = (
    "The {0} is {1}.",
    "the {0} was {1}.",
    "Its {0} is {1}.",
    "The {0}: {1}.",
    "{0}: {1}.",
    "As for the {0}, it is {1}.",
    "{0} - {1}.",
    "With regard to the {0}, we have {1}.",
    "The {0} given is {1}.",
    "For {0}, {1} was noted.",
    "The {0} has been set to {1}.",
    "({0}: {1})",
)
_ZH_STATEMENTS = ("{0}为{1}。", "{0}是{1}。", "{0}：{1}。", "其{0}为{1}。", "（{0}：{1}）")
_PLAIN_STATEMENTS = 0.2
_WHOLE = 350
"""Characters of a text that is a document by itself."""
_COMPLETE = 0.7
"""How often nothing is added to one."""


def has_prose(domain: Domain, *, held: bool) -> bool:
    """Whether there are sentences for a domain, of those training uses or of those it does not."""
    prose = domain.held_prose if held else domain.prose
    return bool(prose.texts or prose.requests)


def write(draw: Draw, record: Record, *, held: bool = False, longest: int = 3) -> str:
    """Tell some facts of a record in sentences, or ask for something in words that carry them.

    Args:
        draw: chance; its mood is set for what is written.
        record: its facts are drawn as they are told.
        held: use templates that training never uses.
        longest: most sentences after the first template.
    """
    domain = record.domain
    prose = domain.held_prose if held else domain.prose
    draw.prose = True
    requests = len(prose.requests)
    if requests and (not prose.texts or draw.chance(requests / (requests + len(prose.texts)))):
        return _request(draw, record, prose)
    return _text(draw, record, prose, longest)


def narrate(draw: Draw, record: Record, *, held: bool = False, longest: int = 1) -> str:
    """Tell some facts of a record in sentences, never in a request. The domain must have texts of this kind."""
    draw.prose = True
    return _text(draw, record, record.domain.held_prose if held else record.domain.prose, longest, whole=True)


def _text(draw: Draw, record: Record, prose: Prose, longest: int, *, whole: bool = False) -> str:
    """Sentences; a text that has to stay whole among others has no line breaks between them."""
    pieces = render(draw, draw.pick(prose.texts), record.surface)
    told = {piece.key for piece in pieces if piece.key}
    parts = [_capital(record, pieces)]
    if len(parts[0]) > _WHOLE and draw.chance(_COMPLETE):
        return parts[0]
    count = draw.pick((0, 1, 2, longest, longest, longest)) if longest else 0
    further = _further(draw, prose, told, min(count, longest))
    parts += [_capital(record, render(draw, template, record.surface)) for template in further]
    if draw.chance(_PLAIN_STATEMENTS) and longest:
        parts += _statements(draw, record)
    gap = "" if draw.language == "zh" else " " if whole else draw.pick((" ", " ", " ", "\n"))
    return gap.join(parts)


def _statements(draw: Draw, record: Record) -> list[str]:
    """Facts that have no sentence of their own here, each in a plain one."""
    untold = [field for field in record.untold() if field.kind in ("str", "int", "num", "date", "list")]
    lines = []
    for field in draw.sample(untold, draw.pick((1, 1, 2, 3))):
        form = draw.pick(_ZH_STATEMENTS if draw.language == "zh" else _STATEMENTS)
        label = label_words(draw, field)
        line = form.format(label, record.surface(field.key))
        lines.append(line[:1].upper() + line[1:] if form.startswith(("{0}", "t")) else line)
    return lines


def _further(draw: Draw, prose: Prose, told: set[str], count: int) -> list[Sequence_]:
    """Sentences that tell nothing that has been told."""
    known = set(told)
    chosen: list[Sequence_] = []
    for template in draw.shuffled(prose.sentences):
        if len(chosen) == count:
            break
        keys = slots(template)
        if not keys & known:
            chosen.append(template)
            known |= keys
    return chosen


def _capital(record: Record, pieces: list[Piece]) -> str:
    """A text whose first letter is a capital, unless a fact that is copied stands there."""
    text = joined(pieces, record.phrases)
    first = next((piece for piece in pieces if piece.text.strip()), None)
    copied = first is not None and first.key and first.key not in record.phrases
    return text if copied else text[:1].upper() + text[1:]


def _request(draw: Draw, record: Record, prose: Prose) -> str:
    """Something said: at times in small letters and without stops."""
    draw.spoken = True
    lower = draw.chance(0.4)
    record.case = str.lower if lower else None
    bare = lower or draw.chance(0.15)
    pieces = render(draw, draw.pick(prose.requests), record.surface)
    if bare:
        pieces = [piece if piece.key else Piece(_bare(piece.text, lower=lower), "") for piece in pieces]
        text = joined(pieces).rstrip()
        return draw.pick(_HESITATIONS) + text + draw.pick(_COURTESIES) if draw.chance(0.3) else text
    return _capital(record, pieces)


def _bare(text: str, *, lower: bool) -> str:
    kept = "".join(sign for sign in text if sign not in ".?!")
    return kept.lower().replace("i'd", "id") if lower else kept
