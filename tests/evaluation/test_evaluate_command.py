"""`harmony-gen evaluate`: what it prints and writes, its exit status, and what it says of bad files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harmony_gen import Generator, HarmonyError, cli
from harmony_gen.evaluation import evaluate
from harmony_gen.evaluation.files import read_answers, read_gold
from harmony_gen.pipeline.records import Failure, Record

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
PEOPLE = [("Ann", 31), ("Bob", 45), ("Zoë", 7)]
RIGHT = {"name": "Ann", "age": 31}


def lines(*records: Any) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a schema, gold values, and answers of which one in six values is wrong."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    gold = [{"id": name, "value": {"name": name, "age": age}} for name, age in PEOPLE]
    (tmp_path / "gold.jsonl").write_text(lines(*gold), "utf-8")
    (tmp_path / "right.jsonl").write_text(lines(*gold), "utf-8")
    gold[1]["value"] = {"name": "Bob", "age": 46}
    (tmp_path / "out.jsonl").write_text(lines(*gold), "utf-8")
    return tmp_path


def run(*options: str) -> int:
    return cli.main(
        ["evaluate", "out.jsonl", "--gold", "gold.jsonl", "--schema", "s.json", "--resamples", "50", *options]
    )


def test_scores_are_printed_and_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "free.jsonl").write_text(lines({"id": "Ann", "value": "Ann"}))
    files = ["--json", "r.json", "--markdown", "r.md", "--html", "r.html"]
    status = run(*files, "--baseline", "right.jsonl", "--free", "free.jsonl")
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    for words in (
        "Documents: 3",
        "F1 of all values",
        "83.3",
        "/age",
        "Against the baseline",
        "−16.7",
        "What the schema",
    ):
        assert words in out
    report = json.loads((folder / "r.json").read_text("utf-8"))
    assert report["overall"]["f1"]["value"] == pytest.approx(5 / 6)
    assert report["baseline"]["overall"][0]["gain"]["value"] == pytest.approx(-1 / 6)
    assert report["free"]["valid"]["value"] == 0
    assert report["mistakes"][0]["pointer"] == "/age"
    assert "| /age |" in (folder / "r.md").read_text("utf-8")
    assert (folder / "r.html").read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        (["--fail-under", "0.8"], 0, ""),
        (["--fail-under", "0.84"], 1, "harmony-gen: f1 is 0.8333, and at least 0.84 is asked for\n"),
        (["--fail-under", "/name=1", "--fail-under", "exact=0.6"], 0, ""),
        (["--fail-under", "/age=0.7", "--fail-under", "valid=1"], 1, "harmony-gen: /age is 0.6667, and"),
        (["--fail-under", "macro-f1=0.9"], 1, "harmony-gen: macro-f1 is 0.8333"),
        (
            ["--fail-under", "/agee=0.7"],
            1,
            "harmony-gen: HarmonyError: --fail-under names no score: /agee. Scores: f1,",
        ),
    ],
)
def test_the_gate(folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], status: int, told: str) -> None:
    assert folder
    assert run(*options) == status
    err = capsys.readouterr().err
    assert err.startswith(told)
    assert err.count("\n") == status


@pytest.mark.parametrize("option", [["--fail-under", "x"], ["--fail-under", "f1=2"], ["--resamples", "0"]])
def test_options_that_are_none(folder: Path, capsys: pytest.CaptureFixture[str], option: list[str]) -> None:
    assert folder
    with pytest.raises(SystemExit):
        run(*option)
    assert "it is a number from" in capsys.readouterr().err


def test_how_texts_are_compared(folder: Path) -> None:
    (folder / "out.jsonl").write_text(lines({"id": "Zoë", "value": {"name": "ZOE\u0308 ", "age": 7}}), "utf-8")
    (folder / "gold.jsonl").write_text(lines({"id": "Zoë", "value": {"name": "Zoë", "age": 7}}), "utf-8")
    exact = ["--fail-under", "exact=1"]
    assert run(*exact) == 1
    assert run("--ignore-case", *exact) == 0
    assert run("--ignore-case", "--exact-text", *exact) == 1


def test_records_of_an_extraction(folder: Path, tiny: Generator) -> None:
    """What `extract` writes is what is read, down to the span; a line that was changed is left out."""
    records = []
    for name, age in PEOPLE:
        source = f"{name} is {age} years old."
        records.append(Record.of(name, tiny.generate(source, SCHEMA, max_new_tokens=60), is_json=True, source=source))
    written = [record.line() for record in records]
    (folder / "out.jsonl").write_bytes(
        written[0] + written[1].replace(b'"complete"', b'"completE"')
        + Record.failed("Bob", Failure("BudgetError", "too small")).line() + written[2][:-1]
    )  # fmt: skip
    answers, bad = read_answers("out.jsonl")
    assert [line.number for line in bad] == [2, 4]
    assert "checksum" in str(bad[0])
    ann, bob = answers
    assert (ann.id, ann.value, ann.error) == ("Ann", records[0].value, None)
    assert {pointer: dict(field) for pointer, field in records[0].fields.items()} == {
        pointer: {
            "value": records[0].value[pointer[1:]],
            "confidence": known.confidence,
            "allowed_mass": known.allowed_mass,
            "source_span": None if known.source_span is None else list(known.source_span),
        }
        for pointer, known in ann.fields.items()
    }
    assert bob.error == "BudgetError: too small"
    report = evaluate(answers, read_gold("gold.jsonl"), SCHEMA)
    assert [one.id for one in report.failed] == ["Bob"]
    assert report.unanswered == ("Zoë",)


def test_a_failure_that_was_tried_again(folder: Path) -> None:
    value = {"id": "Ann", "value": RIGHT}
    (folder / "out.jsonl").write_text(lines({"id": "Ann", "error": "x"}, {"id": "Ann", "error": "y"}, value))
    ((answer,), bad) = read_answers("out.jsonl")
    assert (answer.value, bad) == (RIGHT, ())


def test_lines_that_hold_no_answer_are_left_out_and_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = {"id": "Ann", "value": RIGHT}
    (folder / "out.jsonl").write_bytes(
        b"\xef\xbb\xbf" + lines(good).encode() + b'{"id"\n\n[1]\n{"value": 1}\n{"id": "\xff"}\n'
    )
    assert run() == 0
    out, err = capsys.readouterr()
    assert err.startswith("out.jsonl: 4 lines hold no answer and are left out: line 2: it is not JSON")
    assert "line 4: it must be a JSON object, not [1]; line 5: it has no id (and 1 more)" in err
    assert "Gold values without an answer: 2: 'Bob', 'Zoë'" in out


def test_other_ids_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = [{"id": f"x{number}", "value": RIGHT} for number in range(9)]
    (folder / "out.jsonl").write_text(lines({"id": "Ann", "value": RIGHT}, *many))
    assert run() == 0
    out = capsys.readouterr().out
    assert "Answers without a gold value: 9: 'x0', 'x1', 'x2' and 6 more" in out
    assert "Gold values without an answer: 2: 'Bob', 'Zoë'" in out


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gold.jsonl", "", "gold.jsonl is empty"),
        ("out.jsonl", "\n", "out.jsonl is empty"),
        ("out.jsonl", "x\n", "out.jsonl holds no record of an answer: line 1: it is not JSON"),
        ("gold.jsonl", lines({"id": "Ann", "value": RIGHT}) + "{", "holds 1 lines that are no gold values: line 2:"),
        ("gold.jsonl", '{"id": "a", "id": "b", "value": 1}\n', "line 1: it is not JSON"),
        ("gold.jsonl", lines({"id": "Ann", "value": RIGHT}) * 2, "'Ann' stand there again"),
        ("out.jsonl", lines({"id": "Ann", "value": RIGHT}) * 2, "among the answers, but 'Ann'"),
        ("gold.jsonl", lines({"id": "Q", "value": RIGHT}), "No answer has the id of a gold value. Gold values: 'Q'"),
        ("gold.jsonl", lines({"id": "Ann", "value": {}}), "1 gold values are not valid under the schema"),
        ("s.json", "{", "not JSON"),
    ],
)
def test_bad_files_are_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, words: str
) -> None:
    (folder / name).write_text(content, "utf-8")
    assert run() == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("harmony-gen: ")
    assert err.count("\n") == 1
    assert words in err


def test_files_that_cannot_be_read_or_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "no/such/folder.json") == 1
    assert "cannot be written to no/such/folder.json" in capsys.readouterr().err
    with pytest.raises(HarmonyError, match=r"none\.jsonl cannot be read: No such file"):
        read_gold(folder / "none.jsonl")
