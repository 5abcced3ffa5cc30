"""The command line: what it prints, its exit status, and one clear line for each error."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harmony_gen import Generator, Interrupted, Schema, UnsatisfiableError, cli, shortcut
from support import turns

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
TEXT = "Zoë Müller is 31 years old."

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "person.json"
    path.write_text(json.dumps(PERSON), "utf-8")
    return path


@pytest.fixture
def prompt(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, "utf-8")
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command: exit status, standard output, standard error."""

    def act(*arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return act


def assert_one_line(run: tuple[int, str, str], *words: str) -> None:
    """A failure says what is wrong in one line, and nothing else."""
    status, out, err = run
    assert status == 1
    assert out == ""
    assert err.startswith("harmony-gen: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    for word in words:
        assert word in err


def test_generate_prints_the_value(run: Run, schema: Path, prompt: Path) -> None:
    status, out, err = run("generate", "--schema", schema, "--input", prompt)
    assert (status, err) == (0, "")
    Schema.of(PERSON).validate(out)
    assert out == json.dumps(json.loads(out), ensure_ascii=False, indent=2) + "\n"


def test_standard_input_is_the_default(run: Run, schema: Path, prompt: Path) -> None:
    from_file = run("generate", "--schema", schema, "--input", prompt)
    assert run("generate", "--schema", schema, stdin=TEXT.encode()) == from_file
    assert run("generate", "--schema", schema, "--input", "-", stdin=TEXT.encode("utf-8-sig")) == from_file


def test_json_holds_value_fields_and_usage(run: Run, schema: Path, prompt: Path, embedded: Generator) -> None:
    status, out, _ = run("generate", "--schema", schema, "--input", prompt, "--json")
    assert status == 0
    assert out.count("\n") == 1
    report = json.loads(out)
    expected = embedded.generate(TEXT, PERSON)
    assert report["value"] == expected.value
    assert report["finish"] == expected.finish
    assert list(report["fields"]) == list(expected.fields)
    for place, field in expected.fields.items():
        shown = report["fields"][place]
        assert shown["value"] == field.value
        assert shown["confidence"] == pytest.approx(field.confidence, abs=1e-4)
        assert shown["allowed_mass"] == pytest.approx(field.allowed_mass, abs=1e-4)
        assert tuple(shown["text_span"]) == field.text_span
        assert shown["source_span"] == (list(field.source_span) if field.source_span else None)
    assert report["usage"]["new_tokens"] == expected.usage.new_tokens
    assert report["usage"]["prompt_tokens"] == expected.usage.prompt_tokens


def test_options_reach_the_model(run: Run, schema: Path, prompt: Path, embedded: Generator) -> None:
    from harmony_gen import Sampling

    options = ("--temperature", "2.5", "--seed", "3", "--max-new-tokens", "40")
    _, out, _ = run("generate", "--schema", schema, "--input", prompt, *options)
    sampling = Sampling(temperature=2.5, seed=3)
    assert json.loads(out) == embedded.generate(TEXT, PERSON, max_new_tokens=40, sampling=sampling).value
    assert json.loads(out) != embedded.generate(TEXT, PERSON).value


def test_quotations_and_what_is_missing(run: Run, schema: Path, prompt: Path, tmp_path: Path) -> None:
    status, out, _ = run("generate", "--schema", schema, "--input", prompt, "--verbatim", "/name", "--missing", "null")
    assert status == 0
    value = json.loads(out)
    assert value["name"] is None or value["name"] in TEXT
    output = tmp_path / "out.jsonl"
    command = ("extract", prompt, "--schema", schema, "--output", output, "--cache", "off", "--verbatim", "/name")
    assert run(*command, "--missing", "abstain")[0] == 0
    assert json.loads(output.read_text("utf-8"))["value"]["name"] in TEXT
    assert_one_line(
        run("generate", "--schema", schema, "--input", prompt, "--verbatim", "name"), "JSON Pointer", "name"
    )


def test_a_model_of_ones_own(run: Run, schema: Path, prompt: Path, embedded: Generator, tmp_path: Path) -> None:
    embedded._model.save_pretrained(tmp_path / "model")
    embedded._tokenizer.save_pretrained(tmp_path / "model")
    arguments = ("--model", tmp_path / "model", "--precision", "fp32", "--device", "cpu")
    status, out, _ = run("generate", "--schema", schema, "--input", prompt, *arguments)
    assert status == 0
    Schema.of(PERSON).validate(out)


def test_a_model_that_thinks(run: Run, schema: Path, prompt: Path, tmp_path: Path) -> None:
    thinker = turns.generator(turns.THINK, ("<think>", "</think>"))
    thinker._model.float().save_pretrained(tmp_path)
    thinker._tokenizer.save_pretrained(tmp_path)
    options = ("generate", "--schema", schema, "--input", prompt, "--model", tmp_path, "--json", "--reasoning")
    status, out, _ = run(*options, "7")
    assert status == 0
    found = json.loads(out)
    assert set(found["value"]) == {"name", "age"}
    assert found["reasoning"]
    assert json.loads(run(*options, "low")[1])["reasoning"]
    assert_one_line(
        run("generate", "--schema", schema, "--input", prompt, "--reasoning", "7"), "no format for thoughts"
    )
    with pytest.raises(SystemExit):
        run(*options, "much")


def test_validate(run: Run, schema: Path, tmp_path: Path) -> None:
    assert run("validate", "--schema", schema, stdin=b'{"name":"a","age":1}') == (0, "valid\n", "")
    status, out, err = run("validate", "--schema", schema, stdin=b'{"name":"a","age":-1}')
    assert (status, out) == (1, "")
    assert err.startswith("invalid: At /age: ")
    assert err.count("\n") == 1
    status, _, err = run("validate", "--schema", schema, stdin=b"{")
    assert status == 1
    assert "not a JSON text" in err
    (tmp_path / "answer.json").write_text('{"name":"Zoë","age":1}', "utf-8")
    assert run("validate", "--schema", schema, "--input", tmp_path / "answer.json")[0] == 0


@pytest.mark.parametrize("command", ["generate", "validate"])
def test_bad_files(run: Run, command: str, schema: Path, prompt: Path, tmp_path: Path) -> None:
    latin = tmp_path / "latin.txt"
    latin.write_bytes("Zoë".encode("latin-1"))
    missing = tmp_path / "missing"
    assert_one_line(run(command, "--schema", schema, "--input", latin), str(latin), "byte 2 is 0xeb", "iconv")
    assert_one_line(run(command, "--schema", schema, stdin=b"\xff"), "The input - is not UTF-8", "byte 0")
    assert_one_line(run(command, "--schema", schema, "--input", missing), str(missing), "No such file")
    assert_one_line(run(command, "--schema", schema, "--input", tmp_path), str(tmp_path), "cannot be read")
    assert_one_line(run(command, "--schema", missing, "--input", prompt), str(missing), "No such file")
    assert_one_line(run(command, "--schema", latin, "--input", prompt), str(latin), "not UTF-8")
    assert_one_line(run(command, "--schema", prompt, "--input", prompt), str(prompt), "not JSON")
    for contents, words in (
        ('{"type":"strin"}', ("not a valid JSON Schema", "/type")),
        ("[1]", ("JSON Schema",)),
    ):
        prompt.with_name("bad.json").write_text(contents)
        assert_one_line(run(command, "--schema", prompt.with_name("bad.json"), "--input", prompt), *words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--max-new-tokens", "2"], ["BudgetError", "max_new_tokens is 2"]),
        (["--max-new-tokens", "0"], ["max_new_tokens is 0"]),
        (["--max-new-tokens", "-1"], ["max_new_tokens is -1"]),
        (["--temperature", "-1"], ["Sampling.temperature must be a number ≥ 0; it is -1.0"]),
        (["--temperature", "nan"], ["it is nan"]),
        (["--seed", "-5"], ["Sampling.seed must be a whole number ≥ 0"]),
        (["--model", "no-such-organisation/no-such-model"], ["no-such-organisation/no-such-model"]),
        (["--precision", "int8"], ["Pass model="]),
    ],
)
def test_bad_options(run: Run, schema: Path, prompt: Path, arguments: list[str], words: list[str]) -> None:
    assert_one_line(run("generate", "--schema", schema, "--input", prompt, *arguments), *words)


def test_bad_prompts(run: Run, schema: Path) -> None:
    assert_one_line(run("generate", "--schema", schema, stdin=b" \n"), "The prompt is empty")
    long = run("generate", "--schema", schema, stdin=b"word " * 3000)
    assert_one_line(long, "the model's context window is 1024", "Shorten")


def test_an_unsatisfiable_schema(run: Run, schema: Path, prompt: Path) -> None:
    schema.write_text('{"type":"integer","minimum":5,"maximum":3}')
    assert_one_line(run("generate", "--schema", schema, "--input", prompt), "UnsatisfiableError")


@pytest.mark.parametrize("arguments", [[], ["generate"], ["generate", "--schema"], ["unknown"]])
def test_misuse_shows_the_usage(run: Run, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: harmony-gen")


def test_ctrl_c_prints_what_there_is(
    run: Run, schema: Path, prompt: Path, monkeypatch: pytest.MonkeyPatch, tiny: Generator
) -> None:
    """Interrupted in the middle of a forward of the model that the command uses."""
    shortcut._kept.cache_clear()
    calls: list[int] = []

    def interrupt(*_: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    hook = tiny._model.register_forward_pre_hook(interrupt)
    monkeypatch.setattr(Generator, "embedded", lambda **_: tiny)
    try:
        status, out, err = run("generate", "--schema", schema, "--input", prompt)
    finally:
        hook.remove()
        shortcut._kept.cache_clear()
    assert status == 130
    assert out.startswith('{"name":')
    assert err == "harmony-gen: interrupted; the text above is incomplete\n"


def test_ctrl_c_before_there_is_any_text(run: Run, schema: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Waiting:
        @property
        def buffer(self) -> Any:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Waiting())
    assert cli.main(["generate", "--schema", str(schema)]) == 130
    assert not issubclass(KeyboardInterrupt, Interrupted)


def test_the_installed_command(schema: Path) -> None:
    """In a process of its own: bytes in, bytes out, and no warnings on standard error."""
    program = "import sys; from harmony_gen.cli import main; sys.exit(main())"

    def call(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-c", program, *map(str, arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, check=False)

    done = call("generate", "--schema", schema, stdin=TEXT.encode())
    assert (done.returncode, done.stderr) == (0, b"")
    Schema.of(PERSON).validate(done.stdout.decode())
    failed = call("generate", "--schema", "nowhere.json")
    assert failed.returncode == 1
    assert failed.stderr.count(b"\n") == 1
    assert call("--version").stdout.decode().strip() == cli.__version__


LOOSE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    },
    "required": ["tags"],
    "additionalProperties": False,
    "dependencies": {"name": ["tags"]},
}


def test_schema_check_says_what_there_is_to_know(run: Run, schema: Path, embedded: Generator) -> None:
    schema.write_text(json.dumps(LOOSE), "utf-8")
    status, out, err = run("schema", "check", schema)
    assert (status, err) == (0, "")
    table, summary = out.split("\n\n")
    compiled = Schema.of(LOOSE)
    assert {place: how for how, place in map(str.split, table.splitlines())} == compiled.coverage
    tokens = len(embedded._vocabulary.encode_bytes(compiled.witness().encode())) + 1
    assert summary.splitlines() == [
        'Satisfiable: yes, by {"tags":[]}',
        f"Smallest budget: {tokens} tokens, the end token included, with the embedded model's tokenizer",
        "Warning: at the root: `dependencies` is ignored in this dialect",
        "Warning: at /properties/name (and 1 more): a string without maxLength may be as long as the budget lasts",
        "Warning: at /properties/tags: an array without maxItems may be as long as the budget lasts",
    ]
    embedded.generate("x", LOOSE, max_new_tokens=tokens)
    assert run("generate", "--schema", schema, "--max-new-tokens", tokens - 1, stdin=b"x")[0] == 1


def test_schema_check_takes_an_order(run: Run, schema: Path) -> None:
    for order in ("any", "schema"):
        assert run("schema", "check", schema, "--order", order)[0] == 0
    with pytest.raises(SystemExit):
        run("schema", "check", schema, "--order", "none")


@pytest.mark.parametrize(
    ("contents", "start"),
    [
        ({"type": "strin"}, "refused  /type: This is not a valid JSON Schema"),
        ({"not": {"pattern": "("}}, "refused  /not/pattern: The regular expression"),
        ({"$ref": "https://example.com/a"}, "refused  /$ref: "),
        (False, "refused  the schema: The schema is `false`"),
        ([], "refused  the schema: A JSON Schema is a dict or a bool"),
    ],
)
def test_schema_check_says_what_is_refused(run: Run, schema: Path, contents: Any, start: str) -> None:
    schema.write_text(json.dumps(contents), "utf-8")
    status, out, err = run("schema", "check", schema)
    assert (status, err) == (1, "")
    assert out.startswith(start)
    assert out.count("\n") == 1


def test_schema_check_of_what_has_no_known_answer(run: Run, schema: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: Schema[Any]) -> str:
        raise UnsatisfiableError("No valid answer to this schema was found.")

    monkeypatch.setattr(Schema, "witness", nothing)
    status, out, err = run("schema", "check", schema)
    assert (status, err) == (1, "")
    assert "masked   /type\n" in out
    assert out.splitlines()[-1].startswith("Satisfiable: No valid answer to this schema was found")


def test_documents_of_an_xml_schema(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    order = str(Path(__file__).parents[1] / "schemas" / "xml" / "order.xsd")
    source = tmp_path / "order.txt"
    source.write_text("Order 17 of Li Na")
    written = tmp_path / "order.xml"
    assert cli.main(["generate", "--schema", order, "--input", str(source), "--max-new-tokens", "400"]) == 0
    written.write_text(capsys.readouterr().out)
    assert cli.main(["validate", "--schema", order, "--root", "order", "--input", str(written)]) == 0
    assert cli.main(["validate", "--schema", order, "--root", "other", "--input", str(written)]) != 0
    capsys.readouterr()
    assert cli.main(["generate", "--schema", order, "--input", str(source), "--indent", "3"]) == 0
    assert "\n   <customer>" in capsys.readouterr().out
    assert cli.main(["generate", "--schema", order, "--input", str(source), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["value"].startswith("<order ")
    assert isinstance(report["fields"]["/order/total"]["value"], str)  # a decimal
    assert cli.main(["schema", "check", order]) == 0
    assert "checked  /order/unique[one-line-per-item]" in capsys.readouterr().out
