"""Where values stand in generated documents: every span that is claimed holds the value, however it is spelled."""

from __future__ import annotations

import calendar
import random
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from finetune.embedded import sampling
from harmony_gen.grounding import locate
from harmony_gen.schema.json_schema import subschemas

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTS = 2_000
WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
WORDS += [f"{ten}-{WORDS[one]}" if one else ten for ten in TENS for one in range(10)]
DIGITS = "零一二三四五六七八九"
CHINESE = [*DIGITS]
CHINESE += [f"{ten}十{one}" for ten in ("", *DIGITS[2:]) for one in ("", *DIGITS[1:])]
SCALES = {
    "": 0, "hundred": 2, "k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "b": 9, "bn": 9, "billion": 9,
    "trillion": 12, "万": 4, "亿": 8, "%": -2, "percent": -2,
}  # fmt: skip
MONTHS = {name[:3].lower(): number for number, name in enumerate(calendar.month_name) if name}


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    elif value not in (None, "") and not isinstance(value, bool):
        yield value


def means(said: str, value: Any) -> bool:
    """Whether a text says a value: a second reader, which knows nothing but the text."""
    if isinstance(value, str):
        return said.casefold() == value.casefold() or said.lower() == value.lower() or is_date(said, value)
    return Decimal(str(value)) in numbers(said)


def is_date(said: str, value: str) -> bool:
    if not re.match(r"\d{4}-\d\d-\d\d", value):
        return False
    year, month, day = map(int, value[:10].split("-"))
    if said == f"{year}{month:02}{day:02}":
        return True
    if re.fullmatch(f"[〇{DIGITS}]{{4}}年.+月.+[日号]", said):
        figures, *others = re.split("[年月日号]", said)[:3]
        read = ["".join(str(DIGITS.index(sign.replace("〇", "零"))) for sign in figures)]
        said = " ".join(read + [str(CHINESE.index(other)) for other in others])
    parts = [int(part) for part in re.findall(r"\d+", said)]
    parts += [MONTHS[word[:3].lower()] for word in re.findall(r"[A-Za-z]{3,}", said) if word[:3].lower() in MONTHS]
    return any(sorted(parts) == sorted([each, month, day]) for each in (year, year % 100))


def numbers(said: str) -> set[Decimal]:
    """What a text may say as a number: a comma may stand before decimals, or among thousands."""
    if said in CHINESE:
        return {Decimal(CHINESE.index(said))}
    for number, word in sorted(enumerate(WORDS), key=lambda pair: -len(pair[1])):
        said = re.sub(rf"(?i)\b{word}\b", str(number), said)
    found = re.fullmatch(r"([-+−]?[\d.,' \u00a0\u202f]*\d)[\s-]*([^\W\d_]*|%)", said.lower())
    if found is None:
        return set()
    digits, scale = found[1].replace("−", "-"), found[2]
    bare = re.sub(r"[' \u00a0\u202f]", "", digits)
    spelled = [bare.replace(",", ""), bare.replace(".", "").replace(",", ".")]
    read = set()
    for one in spelled if scale in SCALES else []:
        try:
            read.add(Decimal(one).scaleb(SCALES[scale]))
        except InvalidOperation:
            continue
    return read


def test_every_span_in_two_thousand_documents_holds_its_value() -> None:
    rng = random.Random("spans")
    claimed, values, wrong = 0, 0, []
    for _ in range(DOCUMENTS):
        task = sampling.sample(rng, "fresh")
        named = {option for _, part in subschemas(task.schema) for option in part.get("enum", ())}
        for value in leaves(task.value):
            if value in named:  # a text may say it in other words
                continue
            values += 1
            span = locate(value, task.text)
            if span is None:
                continue
            claimed += 1
            start, end = span
            assert 0 <= start < end <= len(task.text)
            if not means(task.text[start:end], value):
                wrong.append((value, task.text[start:end]))
    assert not wrong
    assert values > 4 * DOCUMENTS
    assert claimed > 0.99 * values


def test_the_second_reader_can_tell() -> None:
    assert means("2.87 billion", 2870000000)
    assert means("15 Aug 19", "2019-08-15")
    assert not means("15 Aug 19", "2019-08-16")
    assert not means("2.87 billion", 2.87)
    assert not means("12", 13)
    assert not means("Acme", "Acme Ltd")
