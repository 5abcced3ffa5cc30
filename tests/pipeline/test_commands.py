"""`harmony-gen extract` and `bench`: what they take, what they print, and their exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harmony_gen import Generator, cli
from harmony_gen.pipeline import benchmark
from harmony_gen.pipeline.records import Record, read

SCHEMA = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 20}}, "required": ["name"]}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("schema.json").write_text(json.dumps(SCHEMA))
    rows = ("id,subject,body\n", "7,Hello,I am Anna Weber\n", "8,Bye\n")
    Path("in.csv").write_text("".join(rows))
    Path("letter.txt").write_text("Yours, Li Na")
    return tmp_path


def test_extract(place: Path, capsys: pytest.CaptureFixture[str], embedded: Generator) -> None:
    command = ["extract", "in.csv", "letter.txt", "--schema", "schema.json", "--output", "out.jsonl", "--id", "id"]
    command += ["--text", "subject", "--text", "body", "--keep-source", "--cache", "cache"]
    assert cli.main(command) == 1  # a row is bad
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("2 answered (0 from the cache), 1 failed, 0 done before")
    found = {record.id: record for _, record in read(Path("out.jsonl")) if isinstance(record, Record)}
    assert found.keys() == {"7", "in.csv:3", "letter.txt"}
    assert found["7"].source == "subject: Hello\nbody: I am Anna Weber"
    assert found["7"].value == embedded.generate(found["7"].source, SCHEMA).value
    assert found["in.csv:3"].error is not None
    assert found["in.csv:3"].error.line == 3
    with Path("out.jsonl").open("ab") as file:
        file.write(b"{}\n")
    assert cli.main(command) == 0  # nothing new failed
    assert "Damaged lines of out.jsonl, moved to out.jsonl.quarantine and done again: 4" in capsys.readouterr().err
    assert cli.main([*command, "--seed", "3"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("harmony-gen: OutputError: out.jsonl holds records of another options.")
    assert cli.main([*command[:6], "new.jsonl", *command[7:]]) == 1
    assert "2 answered (2 from the cache)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (["--schema", "missing.json"], "missing.json"),
        (["--output", "no/out.jsonl"], "no/out.jsonl cannot be written: No such file"),
        (["--temperature", "-1"], "Sampling.temperature"),
        (["--cache", "letter.txt"], "The cache letter.txt cannot be used"),
        (["--batch-size", "0"], "batch_size must be at least 1"),
    ],
)
def test_bad_options(place: Path, capsys: pytest.CaptureFixture[str], changed: list[str], words: str) -> None:
    command = ["extract", "letter.txt", "--schema", "schema.json", "--output", "out.jsonl", *changed]
    assert cli.main(command) == 1
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_bench(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--answers", "3", "--max-new-tokens", "60"]
    assert cli.main(["bench", *few, "--concurrency", "1,2", "--json"]) == 0
    one, two = json.loads(capsys.readouterr().out)
    assert (one["concurrency"], two["concurrency"], one["answers"]) == (1, 2, 3)
    for speed in (one, two):
        assert 0 < speed["first_token_p50"] < speed["p50"] <= speed["p95"] <= speed["p99"]
        assert speed["tokens_per_second"] > 0
    assert cli.main(["bench", "letter.txt", "--schema", "schema.json", *few, "--concurrency", "1"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert cli.main(["bench", "missing.txt"]) == 1
    assert "missing.txt cannot be read" in capsys.readouterr().err
    for bad in (["--concurrency", "1,0"], ["--answers", "x"]):
        with pytest.raises(SystemExit):
            cli.main(["bench", *bad])


def test_percentiles_are_those_of_the_definition() -> None:
    numbers = [float(number) for number in range(1, 101)]
    assert [benchmark.percentile(numbers, share) for share in (0.5, 0.95, 0.99, 1)] == [50, 95, 99, 100]
    assert benchmark.percentile([7.0], 0.01) == 7
    with pytest.raises(ValueError, match="at least one"):
        benchmark.measure(None, SCHEMA, [], concurrency=1)
