"""What is written is read; what was cut off or changed is found out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen import Generator, OutputError, Schema
from harmony_gen.pipeline import records
from harmony_gen.pipeline.records import Damage, Failure, Record

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FAILURES = st.builds(Failure, TEXTS, TEXTS, st.none() | st.integers(1))
RECORDS = st.builds(
    Record, TEXTS, VALUES, st.none() | TEXTS, st.just({}), st.just({}), st.none() | FAILURES, st.none() | TEXTS
)
ONE = Record("ä.txt", {"a": 1.5, "b": ["\n\u2028"]}, "complete", {"/a": {"value": 1.5}}, {"seconds": 0.1})


@given(RECORDS)
def test_what_is_written_is_read(record: Record) -> None:
    line = record.line()
    assert line.count(b"\n") == 1
    assert records.parse(line) == record
    assert list(json.loads(line)) == ["id", "value", "finish", "fields", "usage", "error", "source", "checksum"]


@given(st.data())
def test_any_change_of_what_a_line_says_is_found_out(data: st.DataObject) -> None:
    line = ONE.line()
    place = data.draw(st.integers(0, len(line) - 2))
    changed = line[:place] + bytes([data.draw(st.integers(0, 255).filter(lambda byte: byte != 10))]) + line[place + 1 :]
    found = records.parse(changed)
    assert isinstance(found, Damage) or found == ONE  # the same byte again


@given(st.integers(0, len(ONE.line()) - 1))
def test_a_line_that_was_cut_off_is_torn(length: int) -> None:
    found = records.parse(ONE.line()[:length])
    assert isinstance(found, Damage)
    assert found.torn


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no record"),
        (b'{"id":"a"}', "no record"),
        (ONE.line().replace(b"complete", b"compleat").strip(), "checksum"),
    ],
)
def test_damage_is_told_with_its_line(line: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(ONE.line() + line + b"\n" + ONE.line())
    (_, first), (number, damage), (_, last) = records.read(path)
    assert first == last == ONE
    assert number == 2
    assert isinstance(damage, Damage)
    assert reason in damage.reason
    assert (damage.text, damage.torn) == (line, False)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be read: Is a directory"):
        list(records.read(tmp_path))


def test_the_record_of_an_answer(tiny: Generator) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 99}}, "required": ["n"]}
    result = tiny.generate("7", schema)
    record = Record.of("x", result, is_json=True, source="7")
    assert record.value == result.value
    assert record.fields["/n"]["value"] == result.fields["/n"].value
    assert record.usage["new_tokens"] == result.usage.new_tokens
    assert records.parse(record.line()) == record


def test_values_that_are_no_json(tiny: Generator) -> None:
    order = Path(__file__).parents[2] / "schemas" / "xml" / "order.xsd"
    for schema in (Schema.from_regex("[0-9]{3}"), Schema.of(order)):
        result = tiny.generate("7", schema)
        record = records.parse(Record.of("x", result, is_json=schema.is_json).line())
        assert isinstance(record, Record)
        assert record.value == result.text
        assert record.fields.keys() == result.fields.keys()
