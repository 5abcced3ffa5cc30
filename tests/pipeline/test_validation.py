"""Each line is judged as the schema judges it, and what is wrong is counted by what and where."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from harmony_gen import PromptError, Schema, ValidationError, cli
from harmony_gen.pipeline import Record
from harmony_gen.pipeline.records import Failure
from harmony_gen.pipeline.validation import Fault, judge_lines

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "total": {"type": "number", "minimum": 0},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    },
    "required": ["total"],
}


def record(number: int, value: Any) -> bytes:
    return Record(f"in:{number}", value, "complete", {}, {}).line()


LINES = (
    record(1, {"total": 1}),
    record(2, {"total": -1}),
    record(3, {}),
    record(4, {"total": 1, "lines": [{"n": 1}, {"n": "x"}]}),
    record(5, {"total": 1, "lines": [{"n": "x"}]}),
    Record.failed("in:6", Failure("PromptError", "The prompt is empty.")).line(),
    record(7, {"total": 1}).replace(b'"total":1', b'"total":2'),
    b"\n",
    b'{"total":3}\n',
    b'{"total":"3"}\n',
    b"\xff\n",
    record(12, {"total": 1})[:-1],
)
FAULTS = {
    Fault("ValidationError", "minimum", "/total"): [2],
    Fault("ValidationError", "required", ""): [3],
    Fault("ValidationError", "type", "/lines/*/n"): [4, 5],
    Fault("PromptError"): [6],
    Fault("DamagedLine"): [7, 11, 12],
    Fault("ValidationError", "type", "/total"): [10],
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "out.jsonl").write_bytes(b"".join(LINES))
    return str(tmp_path / "out.jsonl"), str(tmp_path / "schema.json")


def test_faults_are_counted_by_class_keyword_and_place(files: tuple[str, str]) -> None:
    report = judge_lines(files[0], Schema.of(SCHEMA))
    assert {fault: [line for line, _ in lines] for fault, lines in report.examples.items()} == FAULTS
    assert report.faults == {fault: len(lines) for fault, lines in FAULTS.items()}
    assert (report.lines, report.valid) == (11, 2)


def test_a_report_names_some_lines_and_some_faults(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    names = [f"m{number}" for number in range(300)]
    path.write_text("".join(json.dumps({name: 1}) + "\n" for name in names for _ in range(12)))
    report = judge_lines(str(path), Schema.of({"type": "object", "additionalProperties": {"type": "string"}}))
    assert sum(report.faults.values()) == report.lines == 3600
    assert len(report.faults) == 201
    assert all(len(lines) == 10 for lines in report.examples.values())
    assert ", …" in report.table()


def test_pydantic_names_its_errors() -> None:
    class Order(BaseModel):
        total: int = Field(ge=0)

    with pytest.raises(ValidationError) as caught:
        Schema.of(Order).validate('{"total":-1}')
    assert (caught.value.pointer, caught.value.keyword) in (("/total", "minimum"), ("/total", "greater_than_equal"))


def test_documents_of_an_xml_schema(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "schemas" / "xml"
    good = (folder / "order.xml").read_text()
    path = tmp_path / "out.jsonl"
    path.write_bytes(record(1, good) + record(2, good.replace("<order ", "<other ")) + record(3, ""))
    report = judge_lines(str(path), Schema.from_xsd(folder / "order.xsd"))
    assert (report.lines, report.valid) == (3, 1)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main(["validate", *arguments])
    return status, *capsys.readouterr()


def test_the_command(files: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out, schema = files
    status, table, _ = run(capsys, out, "--schema", schema)
    assert status == 1
    assert table.startswith("2 of 11 lines are valid\n")
    assert "/lines/*/n" in table
    status, text, _ = run(capsys, "--input", out, "--schema", schema, "--json")
    report = json.loads(text)
    assert (status, report["lines"], report["valid"], report["invalid"]) == (1, 11, 2, 9)
    assert sum(fault["count"] for fault in report["faults"]) == 9
    (tmp_path / "good.txt").write_bytes(LINES[0])
    assert run(capsys, str(tmp_path / "good.txt"), "--lines", "--schema", schema)[0] == 0
    assert run(capsys, out, "--input", out, "--schema", schema)[0] == 1
    assert "missing.jsonl cannot be read" in run(capsys, "missing.jsonl", "--schema", schema)[2]


def test_lines_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"".join(LINES))))
    assert judge_lines("-", Schema.of(SCHEMA)).lines == 11
    with pytest.raises(PromptError):
        judge_lines("missing", Schema.of(SCHEMA))
