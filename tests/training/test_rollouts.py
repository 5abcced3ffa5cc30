"""Rollouts and labels against the matcher of the decoder, which must see both alike."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from harmony_gen import Generator, TrainingError
from harmony_gen.training import (
    FormatLoss,
    Objective,
    collate,
    constrained_rollouts,
    judged_rollouts,
    read_examples,
    roll_out,
)
from harmony_gen.training.following import follower
from harmony_gen.training.rollouts import text_of

if TYPE_CHECKING:
    from pathlib import Path

    from harmony_gen.training import Examples, TokenSet

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
TAGS = {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True, "minItems": 1}
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="n" type="xs:positiveInteger"/></xs:schema>"""
GOOD: list[dict[str, Any]] = [
    {"text": "Ann is 5", "schema": PERSON, "output": {"name": "Ann", "age": 5}},
    {"text": "Bo is 7", "schema": PERSON, "output": '{"name": "Bo", "age": 7.0}'},
    {"messages": [{"role": "user", "content": "a and b"}], "schema": TAGS, "output": ["b", "a"]},
    {"text": "AB-12 is closed", "regex": "[A-Z]{2}-[0-9]+", "output": "AB-12"},
    {"text": "seven", "schema": "n.xsd", "output": "<n>7</n>"},
    {"text": "Cy is 9", "schema": "person.json"},
]


def read(folder: Path, generator: Generator, lines: list[Any], most: int = 300) -> Examples:
    (folder / "n.xsd").write_text(XSD)
    (folder / "person.json").write_text(json.dumps(PERSON))
    path = folder / "data.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return read_examples(path, generator, most=most)


def allows(found: TokenSet, width: int) -> list[int]:
    return np.setdiff1d(np.arange(width), found.ids).tolist() if found.forbids else found.ids.tolist()


@pytest.mark.parametrize("separators", ["compact", "spaced"])
def test_labels_are_what_the_decoder_would_write(tmp_path: Path, tiny: Generator, separators: str) -> None:
    generator = Generator(tiny._model, tiny._tokenizer, separators=separators)
    found = read(tmp_path, generator, GOOD)
    assert (len(found.labelled), len(found.unlabelled), found.problems) == (5, 1, ())
    vocabulary = generator._vocabulary
    for one in found.labelled:
        assert one.trace is not None
        assert one.text is not None
        text = text_of(vocabulary, one.trace.answer)
        assert text is not None
        assert one.schema.validate(text) == one.schema.validate(one.text) or "<" in text
        matcher = generator._matcher(one.request, list(one.prompt))
        for token, allowed in zip(one.trace.answer, one.trace.sets, strict=True):
            forced = matcher.forced()
            assert not forced or forced[0] == token
            assert matcher.allowed().tolist() == allows(allowed, vocabulary.width)
            assert matcher.accept(token)
        assert matcher.finished
    spaced = text_of(vocabulary, found.labelled[0].trace.answer)
    assert spaced == ('{"name": "Ann", "age": 5}' if separators == "spaced" else '{"name":"Ann","age":5}')


BAD = [
    ("no JSON", "it is not JSON"),
    ([1], "it must be an object"),
    ({"text": "a", "schema": PERSON, "label": 1}, "it must be an object with some of the keys"),
    ({"schema": PERSON}, "either text or messages"),
    ({"text": "a"}, "either schema or regex"),
    ({"text": " ", "schema": PERSON}, "The prompt is empty"),
    ({"text": "a", "schema": {"type": "strin"}}, "strin"),
    ({"text": "a", "schema": "none.json"}, "none.json"),
    ({"text": "a", "schema": PERSON, "output": {"name": "Ann", "age": -1}}, "the output is not valid"),
    ({"text": "a", "schema": PERSON, "output": {"age": 1, "name": "Ann"}}, "cannot be written under the constraint"),
    ({"text": "word " * 400, "schema": PERSON}, "too long: the prompt takes"),
    ({"text": "word " * 80, "schema": {"type": "string"}, "output": "word " * 80}, "too long"),
]


def test_bad_lines_are_told_and_left_out(tmp_path: Path, tiny: Generator) -> None:
    found = read(tmp_path, tiny, ["", *[line for line, _ in BAD], GOOD[0]])
    assert [one.number for one in found.labelled] == [len(BAD) + 2]
    assert [one.number for one in found.problems] == list(range(2, len(BAD) + 2))
    for problem, (_, reason) in zip(found.problems, BAD, strict=True):
        assert reason in problem.reason
        assert f"line {problem.number}: {problem.reason}" in found.report()


def test_files_that_cannot_be_read(tmp_path: Path, tiny: Generator) -> None:
    with pytest.raises(TrainingError, match="cannot be read: No such file"):
        read_examples(tmp_path / "none.jsonl", tiny, most=10)
    (tmp_path / "latin.jsonl").write_bytes(b'{"text": "\xe4"}')
    with pytest.raises(TrainingError, match="not UTF-8: byte 10"):
        read_examples(tmp_path / "latin.jsonl", tiny, most=10)


def test_rollouts_note_the_masks_and_stop_at_the_first_error(tmp_path: Path, embedded: Generator) -> None:
    examples = read(tmp_path, embedded, GOOD[:4], most=1000)
    vocabulary, most = embedded._vocabulary, 40
    rolled = roll_out(embedded, examples.labelled, count=4, most=most)
    assert len(rolled) == 16
    by_number = {one.number: one for one in examples.labelled}
    for one in rolled:
        request = replace(by_number[one.number].request, max_new_tokens=most)
        matcher = embedded._matcher(request, list(one.prompt))
        for token, allowed in zip(one.answer[:-1], one.sets, strict=False):
            assert matcher.allowed().tolist() == allows(allowed, vocabulary.width)
            assert matcher.accept(token)
        last, allowed = one.answer[-1], allows(one.sets[-1], vocabulary.width)
        taken = last in matcher.allowed() and matcher.accept(last)
        assert (one.reward == 1) == matcher.finished == taken == (last in allowed)
        text = text_of(vocabulary, one.answer)
        assert (one.reward == 1) == (text is not None and by_number[one.number].schema.accepts(text.encode()))
    for number in by_number:
        assert sum(one.advantage for one in rolled if one.number == number) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("together", [True, False], ids=["together", "alone"])
def test_constrained_rollouts_are_valid_and_follow_the_masks(
    tmp_path: Path, embedded: Generator, monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    monkeypatch.setattr("harmony_gen.training.rollouts.is_batchable", lambda _: together)
    torch.manual_seed(0)
    examples = read(tmp_path, embedded, GOOD[:5], most=1000).labelled
    rolled = constrained_rollouts(embedded, examples, count=3, most=60)
    assert [one.number for one in rolled] == [one.number for one in examples for _ in range(3)]
    assert len({one.answer for one in rolled}) > len(examples)  # samples of a prompt differ
    for one, example in zip(rolled, (one for one in examples for _ in range(3)), strict=True):
        text = text_of(embedded._vocabulary, one.answer)
        assert text is not None
        assert example.schema.accepts(text.encode())
        assert one.constrained
        assert one.advantage == 0
        allowed = [allows(found, embedded._vocabulary.width) for found in one.sets]
        assert all(token in ids for token, ids in zip(one.answer, allowed, strict=True))


def test_constrained_samples_have_the_masked_probabilities(tmp_path: Path, tiny: Generator) -> None:
    line = {"text": "x", "schema": {"type": "integer", "minimum": 0, "maximum": 99}}
    examples = read(tmp_path, tiny, [line]).unlabelled
    torch.manual_seed(0)
    rolled = constrained_rollouts(tiny, examples, count=400, most=20)
    objective = Objective(tiny._model, FormatLoss("constrained"))
    with torch.no_grad():
        measured = objective.measure(collate(rolled))
    logs = measured.by_answer(measured.chosen - measured.masses)  # of each answer, under the constraint
    expected = {one.answer: float(log.exp()) for one, log in zip(rolled, logs, strict=True)}
    assert len(expected) >= 3
    shares = Counter(one.answer for one in rolled)
    for answer, probability in expected.items():
        spread = (probability * (1 - probability) / len(rolled)) ** 0.5
        assert shares[answer] / len(rolled) == pytest.approx(probability, abs=5 * spread)


def test_an_answer_that_does_not_end_is_an_error_at_its_last_position(tmp_path: Path, embedded: Generator) -> None:
    example = read(tmp_path, embedded, [{"text": "x", "schema": {"type": "string"}}]).unlabelled[0]
    one = follower(embedded, replace(example.request, max_new_tokens=6), example.prompt)
    letter, quote = (embedded._vocabulary.encode_bytes(data)[0] for data in (b"x", b'"'))
    assert one.feed(quote)
    while one.feed(letter):
        pass
    assert one.state == "unfinished"
    assert one.sets[-1].ids.tolist() == [quote]
    assert 0 < one.reward < 0.3
    assert len(one.tokens) <= 6


def test_a_validator_of_the_user_judges_whole_answers(tmp_path: Path, embedded: Generator) -> None:
    torch.manual_seed(0)
    examples = read(tmp_path, embedded, GOOD[:1], most=1000).labelled
    seen: list[str] = []

    def validator(text: str) -> float:
        seen.append(text)
        return len(seen) % 2

    rolled = judged_rollouts(embedded, examples, validator, count=4, most=60)
    assert len(rolled) == 4
    assert [
        text_of(embedded._vocabulary, one.answer) for one in rolled if one.answer[-1] in embedded._vocabulary.ends
    ] == seen
    assert all(one.sets == () for one in rolled)
    assert seen
    torch.manual_seed(0)
    with pytest.raises(TrainingError, match=r"a number in \[0, 1\]; it gave 2.0"):
        judged_rollouts(embedded, examples, lambda _: 2, count=4, most=60)
