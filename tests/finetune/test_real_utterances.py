from __future__ import annotations

import gzip
import json
import random
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from finetune.embedded import corpus, questions, utterances
from finetune.embedded.corpus import Corpus, Slot, Utterance
from finetune.embedded.metric import leaves
from finetune.embedded.slots import CLOSED, INTENTS, NAMES, NOTES, NUMBERS

if TYPE_CHECKING:
    from pathlib import Path

CITIES = "Oslo Lima Quito Turin Accra Delhi Perth Sucre Minsk Dakar Hanoi Tunis Bern Cork Graz Lyon".split()


def line(kind: str, pattern: str, **words: str) -> dict[str, Any]:
    spans, text = [], pattern
    for field, word in words.items():
        start = text.index("{" + field + "}")
        text = text.replace("{" + field + "}", word)
        spans.append({"field": field, "start": start, "end": start + len(word)})
    return {"source": "test", "kind": kind, "text": text, "spans": spans}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("real") / "utterances.jsonl.gz"
    lines = [line("GetWeather", "will it rain in {city} {timeRange}", city=city, timeRange=when)
             for city in CITIES for when in ("today", "at noon", "in May", "tomorrow")]  # fmt: skip
    lines += [line("BookRestaurant", "a {restaurant_type} for {party_size_number} in {city}.",
                   restaurant_type=kind, party_size_number=size, city=city)
              for city in CITIES for kind in ("pub", "Diner") for size in ("four", "12")]  # fmt: skip
    lines += [{**entry, "text": entry["text"].upper()} for entry in lines[:20]]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in lines)
    return path


@pytest.fixture(scope="module")
def both(source: Path) -> utterances.Utterances:
    loaded = utterances.load(source)
    assert loaded is not None
    return loaded


def texts(side: Corpus) -> set[str]:
    return {corpus.normal(utterance.text) for members in side.by_kind.values() for utterance in members}


def test_no_text_lies_on_both_sides(both: utterances.Utterances) -> None:
    assert texts(both.held_out)
    assert not texts(both.train) & texts(both.held_out)
    share = len(texts(both.held_out)) / len(texts(both.train) | texts(both.held_out))
    assert 0.03 < share < 0.2


def test_exchanged_values_make_no_held_out_text(both: utterances.Utterances) -> None:
    rng = random.Random(0)
    held_out = texts(both.held_out)
    for utterance in both.train.by_kind["GetWeather"] * 5:
        made = corpus.exchanged(utterance, both.train, rng, 1.0)
        assert corpus.normal(made.text) not in held_out
        assert [slot.field for slot in made.slots] == [slot.field for slot in utterance.slots]
        for slot in made.slots:
            assert made.text[slot.start : slot.end] in both.train.values[made.kind, slot.field]


def test_tasks_are_valid_and_their_strings_stand_in_the_text(both: utterances.Utterances) -> None:
    rng = random.Random(1)
    for _ in range(400):
        task = both.sample(rng)
        jsonschema.Draft202012Validator.check_schema(task.schema)
        jsonschema.validate(task.value, task.schema)
        words = json.dumps(task.schema)
        for value in leaves(task.value).values():
            if isinstance(value, str):
                assert value in task.text or json.dumps(value) in words


def test_training_never_shows_a_held_out_sentence(both: utterances.Utterances) -> None:
    rng = random.Random(2)
    held_out = texts(both.held_out)
    shown = [corpus.normal(both.sample(rng).text) for _ in range(300)]
    assert not [text for text in shown if text in held_out]
    assert {corpus.normal(both.judged(rng).text) for _ in range(30)} <= held_out


def test_the_same_seed_makes_the_same_tasks(both: utterances.Utterances) -> None:
    def drawn() -> list[Any]:
        rng = random.Random(5)
        return [both.sample(rng) for _ in range(50)]

    assert drawn() == drawn()


def test_a_missing_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.delenv(utterances.VARIABLE, raising=False)
    assert utterances.load() is None
    assert utterances.load(tmp_path / "none") is None
    assert capsys.readouterr().err.count("NO REAL UTTERANCES") == 2


def test_the_environment_names_the_file(source: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv(utterances.VARIABLE, str(source))
    assert utterances.load() is not None


@pytest.mark.parametrize(("words", "number"), [("four", 4), ("12", 12), ("6 people", 6), ("9.", 9), ("a few", None)])
def test_numbers(words: str, number: int | None) -> None:
    said = Utterance("k", words, (Slot("people", 0, len(words)),))
    assert questions.number_of(said, "people") == number


def test_normalised_values_win_for_numbers() -> None:
    said = Utterance("k", "my wife and I", (Slot("adults", 0, 13, 2),))
    assert questions.number_of(said, "adults") == 2
    said = Utterance("k", "73 pounds", (Slot("amount_of_money", 0, 9, {"amount": 73.5, "currency": "GBP"}),))
    assert questions.number_of(said, "amount_of_money") == 73.5


def test_fields_filled_twice_are_not_asked() -> None:
    said = Utterance("k", "a b", (Slot("city", 0, 1), Slot("city", 2, 3)))
    assert said.filled() == {}
    assert said.repeated() == {"city"}
    assert corpus.exchanged(said, Corpus.of([said]), random.Random(0), 0.0).text == "a b"


@pytest.mark.parametrize(
    ("case", "expected"),
    [("snake", "party_size"), ("camel", "partySize"), ("pascal", "PartySize"), ("title", "Party Size"),
     ("upper", "PARTY_SIZE"), ("kebab", "party-size"), ("lower", "party size")],
)  # fmt: skip
def test_cases(case: str, expected: str) -> None:
    assert questions.cased("party size", case) == expected


def test_every_field_has_names_and_a_description() -> None:
    assert set(NAMES) == set(NOTES)
    assert set(NAMES) >= NUMBERS | CLOSED
    assert all(len(questions.choices(listed)) >= 4 for listed in [*NAMES.values(), *INTENTS.values()])
