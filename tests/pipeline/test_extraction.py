"""Every input has one record, whatever happens to who writes them."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from harmony_gen import Generator, HarmonyError, OutputError, Sampling, Schema, SchemaError, rule, verbatim
from harmony_gen.pipeline import Input, Record, extract
from harmony_gen.pipeline.output import Output
from harmony_gen.pipeline.records import Failure, read

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9999}, "ok": {"type": "boolean"}},
    "required": ["n", "ok"],
    "additionalProperties": False,
}
INPUTS = tuple(Input(f"text {number}", f"Number {number} is fine.") for number in range(32))
RUN = {"version": "1"}


def records_of(path: Path) -> list[Record]:
    """The records of a file, which must hold nothing else and no id twice."""
    found = [record for _, record in read(path) if isinstance(record, Record)]
    assert len(found) == path.read_bytes().count(b"\n")
    assert len({record.id for record in found}) == len(found)
    return found


def told(records: list[Record]) -> list[tuple[Any, ...]]:
    """What records say but for times and confidences, which depend on the rows of a batch in the last digits."""
    spans = [{place: field["source_span"] for place, field in record.fields.items()} for record in records]
    return sorted(
        (r.id, str(r.value), r.finish or "", str(s), str(r.error)) for r, s in zip(records, spans, strict=True)
    )


def test_each_input_has_what_the_generator_answers(tiny: Generator, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    inputs = (*INPUTS[:9], Input("empty", ""), Input.failed("bad", HarmonyError("no"), 7))
    summary = extract(inputs, SCHEMA, output=out, generator=tiny, batch_size=4, keep_source=True)
    assert (summary.answered, summary.failed, summary.kept, summary.cached) == (9, 2, 0, 0)
    found = {record.id: record for record in records_of(out)}
    for one in INPUTS[:9]:
        alone = tiny.generate(one.text, SCHEMA)
        record = found[one.id]
        assert (record.value, record.finish, record.source) == (alone.value, alone.finish, one.text)
        assert record.fields["/n"]["confidence"] == pytest.approx(alone.fields["/n"].confidence, abs=1e-5)
        assert record.usage["new_tokens"] == alone.usage.new_tokens
    assert found["bad"].error == Failure("PromptError", "no", 7)
    assert found["empty"].error is not None
    assert found["empty"].error.type == "PromptError"
    again = extract([*inputs, INPUTS[9]], SCHEMA, output=out, generator=tiny, keep_source=True)
    assert (again.answered, again.failed, again.kept) == (1, 0, 11)
    retried = extract(inputs, SCHEMA, output=out, generator=tiny, retry_errors=True)
    assert (retried.answered, retried.failed, retried.kept) == (0, 2, 9)
    assert len(records_of(out)) == 12


def killed(work: Any, seconds: float) -> bool:
    """Runs something in a fork of this process, and kills it after some time; whether it was still at work."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork of a process with threads
        child = os.fork()
    if not child:
        try:
            torch.set_num_threads(1)
            work()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_no_record_is_lost_or_doubled_by_twenty_kills(tiny: Generator, tmp_path: Path) -> None:
    expected, out = tmp_path / "expected.jsonl", tmp_path / "out.jsonl"
    options: dict[str, Any] = {"generator": tiny, "batch_size": 2, "cache": tmp_path / "cache"}
    seconds = extract(INPUTS, SCHEMA, output=expected, generator=tiny, batch_size=2).seconds
    clock, kills, sizes = random.Random(9), 0, set()
    while kills < 20:
        kills += killed(lambda: extract(INPUTS, SCHEMA, output=out, **options), clock.uniform(0, seconds / 2))
        before = [record for _, record in read(out) if isinstance(record, Record)] if out.exists() else []
        sizes.add(len(before))
        if len(before) == len(INPUTS):  # all is written: begin again
            out.unlink()
            options["cache"] = tmp_path / f"cache{kills}"
    kept = [record for _, record in read(out) if isinstance(record, Record)] if out.exists() else []
    summary = extract(INPUTS, SCHEMA, output=out, **options)
    found = records_of(out)
    assert found[: len(kept)] == kept  # nothing finished was done again
    assert summary.kept == len(kept)
    assert told(found) == told(records_of(expected))
    assert len(sizes) > 3  # it was killed in the midst of its work


def test_a_file_cut_off_anywhere_goes_on_behind_its_last_whole_line(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    lines = [Record(name, "ä", "complete", {}, {}).line() for name in "ab"]
    for length in range(len(b"".join(lines)) + 1):
        with Output(out, RUN):
            pass
        out.write_bytes(b"".join(lines)[:length])
        with Output(out, RUN) as file:
            whole = out.read_bytes().count(b"\n")
            assert file.done == set("ab"[:whole])
            for name in sorted(set("ab") - file.done):
                file.append(Record(name, "ä", "complete", {}, {}))
        assert out.read_bytes() == b"".join(lines)
        out.unlink()


def test_damaged_lines_are_moved_away_and_done_again(tiny: Generator, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    extract(INPUTS[:6], SCHEMA, output=out, generator=tiny)
    lines = out.read_bytes().splitlines(keepends=True)
    lines[1], lines[4] = lines[1].replace(b'"n":', b'"n":1'), b"\xff{\n"
    out.write_bytes(b"".join([*lines, lines[0], lines[5][:9]]))  # the first one twice, and a torn one
    summary = extract(INPUTS[:6], SCHEMA, output=out, generator=tiny)
    assert summary.quarantined == (2, 5)
    assert (summary.answered, summary.kept) == (2, 4)
    assert {record.id for record in records_of(out)} == {one.id for one in INPUTS[:6]}
    assert (tmp_path / "out.jsonl.quarantine").read_bytes() == lines[1] + lines[4]
    assert extract(INPUTS[:6], SCHEMA, output=out, generator=tiny).quarantined == ()


def test_nothing_else_is_mixed_in(tiny: Generator, embedded: Generator, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    extract(INPUTS[:2], SCHEMA, output=out, generator=tiny)
    before = out.read_bytes()
    for words, schema, changed in (
        ("another schema", {**SCHEMA, "required": ["n"]}, {}),
        ("another model", SCHEMA, {"generator": embedded}),
        ("another options", SCHEMA, {"max_new_tokens": 99}),
        ("another options", SCHEMA, {"sampling": Sampling(temperature=1, seed=1)}),
    ):
        with pytest.raises(OutputError, match=words):
            extract(INPUTS, schema, output=out, **({"generator": tiny} | changed))
        assert out.read_bytes() == before
    run = tmp_path / "out.jsonl.run"
    for contents in ('{"version": "0.0.1"}', "[]", "{"):
        run.write_text(contents)
        with pytest.raises(OutputError, match="another"):
            extract(INPUTS, SCHEMA, output=out, generator=tiny)
    run.unlink()
    with pytest.raises(OutputError, match="another origin"):
        extract(INPUTS, SCHEMA, output=out, generator=tiny)
    assert extract(INPUTS[:3], SCHEMA, output=out, generator=tiny, force=True).answered == 1
    assert extract(INPUTS[:4], SCHEMA, output=out, generator=tiny).answered == 1


def test_one_process_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with Output(out, RUN), pytest.raises(OutputError, match="Another process is writing"):
        Output(out, RUN)
    with Output(out, RUN):
        pass


def test_a_full_disk_is_told_and_nothing_is_torn(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    record = Record("a", "x" * 900, "complete", {}, {})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Output(out, RUN) as file:
        file.append(record)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))
        try:
            with pytest.raises(OutputError, match="File too large"):
                file.append(Record("b", "x" * 900, "complete", {}, {}))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        file.append(Record("c", 1, "complete", {}, {}))
    assert [one.id for one in records_of(out)] == ["a", "c"]


def test_files_that_are_no_output(tiny: Generator, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Is a directory"):
        extract(INPUTS, SCHEMA, output=tmp_path, generator=tiny)
    with pytest.raises(OutputError, match="No such file"):
        extract(INPUTS, SCHEMA, output=tmp_path / "missing" / "out.jsonl", generator=tiny)
    with pytest.raises(SchemaError):
        extract(INPUTS, {"type": "strin"}, output=tmp_path / "out.jsonl", generator=tiny)
    with pytest.raises(TypeError, match="max_new_tokens"):
        extract(INPUTS, SCHEMA, output=tmp_path / "out.jsonl", generator=tiny, max_new_tokens="9")
    assert not (tmp_path / "out.jsonl").exists()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a redis-server of our own, on a socket file."""
    folder = tmp_path_factory.mktemp("redis")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    options = ["--port", "0", "--unixsocket", str(folder / "s"), "--dir", str(folder), "--save", ""]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    while not (folder / "s").exists():
        assert process.poll() is None
        time.sleep(0.02)
    yield f"unix://{folder / 's'}"
    process.terminate()
    process.wait()


@pytest.fixture(params=["disk", "redis"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "disk":
        return str(tmp_path / "cache")
    import redis

    url: str = request.getfixturevalue("server")
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


def test_a_cache_answers_what_was_asked_before(tiny: Generator, tmp_path: Path, cache: str) -> None:
    def run(name: str, **changed: Any) -> tuple[int, list[Record]]:
        out = tmp_path / f"{name}.jsonl"
        options = {"generator": tiny, "cache": cache} | changed
        summary = extract(INPUTS[:5], changed.pop("schema", SCHEMA), output=out, **options)
        assert summary.cache_trouble is None
        return summary.cached, records_of(out)

    first = run("first")
    second = run("second")
    assert (first[0], second[0]) == (0, 5)
    assert second[1] == first[1]
    others: dict[str, dict[str, Any]] = {
        "sampled": {"sampling": Sampling(temperature=1, seed=4)},
        "shorter": {"max_new_tokens": 40},
    }
    for name, changed in others.items():
        assert run(name, **changed)[0] == 0
        assert run(f"{name} again", **changed)[0] == 5
    never: dict[str, dict[str, Any]] = {
        "drawn": {"sampling": Sampling(temperature=1)},
        "ruled": {"rules": [rule("/n", lambda n: n > 3)]},
    }
    for name, changed in never.items():
        assert run(name, **changed)[0] == 0
        assert run(f"{name} again", **changed)[0] == 0


def test_an_old_cache_is_ignored(tiny: Generator, tmp_path: Path, cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    extract(INPUTS[:2], SCHEMA, output=tmp_path / "1.jsonl", generator=tiny, cache=cache)
    monkeypatch.setattr("harmony_gen.pipeline.identity.__version__", "9.9")
    assert extract(INPUTS[:2], SCHEMA, output=tmp_path / "2.jsonl", generator=tiny, cache=cache).cached == 0
    assert extract(INPUTS[:2], SCHEMA, output=tmp_path / "3.jsonl", generator=tiny, cache=cache).cached == 2


def test_what_somebody_wrote_into_a_cache_makes_no_invalid_record(tiny: Generator, tmp_path: Path) -> None:
    import diskcache

    place = tmp_path / "cache"
    extract(INPUTS[:4], SCHEMA, output=tmp_path / "1.jsonl", generator=tiny, cache=place)
    evil = [b"{", b'{"value":{"n":-1,"ok":true},"finish":"complete","fields":{},"usage":{}}', b"[]", {"pickled": 1}]
    with diskcache.Cache(str(place)) as store:
        for key, value in zip(sorted(store), evil, strict=True):
            store[key] = value
    summary = extract(INPUTS[:4], SCHEMA, output=tmp_path / "2.jsonl", generator=tiny, cache=place)
    assert (summary.cached, summary.answered) == (0, 4)
    assert told(records_of(tmp_path / "2.jsonl")) == told(records_of(tmp_path / "1.jsonl"))


@pytest.mark.parametrize("again", [False, True], ids=["written", "from the cache"])
def test_a_text_that_cannot_be_quoted_is_an_error_record(tiny: Generator, tmp_path: Path, again: bool) -> None:
    quote = {"type": "string", "minLength": 3, "x-verbatim": True}
    inputs = [Input("long", "some words"), Input("short", "no"), Input("another", "other words")]
    for number in range(1 + again):
        out, options = tmp_path / f"{number}.jsonl", {"generator": tiny, "cache": tmp_path / "cache"}
        summary = extract(inputs, quote, output=out, max_new_tokens=20, **options)
    assert (summary.answered, summary.cached, summary.failed) == (2, 2 if again else 0, 1)
    found = {record.id: record for record in records_of(out)}
    assert found["short"].error is not None
    assert found["short"].error.type == "UnsatisfiableError"
    assert found["long"].value in "some words"


def test_places_that_are_in_no_document_are_told_at_once(tiny: Generator, tmp_path: Path) -> None:
    priced = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
      <xs:element name="price" type="xs:decimal"/></xs:schema>"""
    options = {"generator": tiny, "cache": "off", "max_new_tokens": 30}
    schema, out = Schema.from_xsd(priced), tmp_path / "out.jsonl"
    with pytest.raises(SchemaError, match="names no place"):
        extract(INPUTS[:1], schema, output=out, rules=[verbatim("/prices")], **options)
    inputs = [Input("one", "at 7.50"), Input("none", "free")]
    summary = extract(inputs, schema, output=out, rules=[verbatim("/price")], **options)
    assert (summary.answered, summary.failed) == (1, 1)


def test_a_cache_that_fails_stays_out_of_the_way(tiny: Generator, tmp_path: Path, server: str) -> None:
    with pytest.raises(HarmonyError, match="cannot be used"):
        extract(INPUTS, SCHEMA, output=tmp_path / "1.jsonl", generator=tiny, cache="redis://:secret@localhost:1")
    (tmp_path / "file").write_text("")
    with pytest.raises(HarmonyError, match="cannot be used"):
        extract(INPUTS, SCHEMA, output=tmp_path / "1.jsonl", generator=tiny, cache=tmp_path / "file")
    import redis

    with redis.Redis.from_url(server) as client:
        client.config_set("maxmemory", "1")  # it answers, but keeps nothing more
        summary = extract(INPUTS[:3], SCHEMA, output=tmp_path / "1.jsonl", generator=tiny, cache=server)
        client.config_set("maxmemory", "0")
    assert summary.answered == 3
    assert "OutOfMemory" in (summary.cache_trouble or "")


def test_ten_thousand_inputs_in_flat_memory(tiny: Generator, tmp_path: Path) -> None:
    """Nearly all come from the cache; what grows is the set of their ids."""
    used: dict[int, int] = {}

    def inputs() -> Iterator[Input]:
        for number in range(10_000):
            if number in (2_000, 9_999):
                used[number] = resident()
            yield Input(f"{number}", f"text {number % 20 if number % 250 else number}" + " and " * 100)

    options: dict[str, Any] = {"generator": tiny, "cache": tmp_path / "cache"}
    extract([*inputs()][:20], {"type": "boolean"}, output=tmp_path / "warm.jsonl", **options)
    summary = extract(inputs(), {"type": "boolean"}, output=tmp_path / "out.jsonl", **options)
    assert summary.answered == 10_000
    assert summary.cached > 9_900
    assert used[9_999] - used[2_000] < 8 * 2**20


def resident() -> int:
    """Bytes of the process in memory that are in use: what was freed goes back to the system first."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_ctrl_c_loses_nothing(tiny: Generator, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"

    def inputs() -> Iterator[Input]:
        yield from INPUTS[:20]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(inputs(), SCHEMA, output=out, generator=tiny, batch_size=2)
    before = records_of(out)
    assert before
    summary = extract(INPUTS, SCHEMA, output=out, generator=tiny)
    assert summary.kept == len(before)
    assert records_of(out)[: len(before)] == before


def test_the_bar_says_how_many_there_are(tiny: Generator, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": f"n {n}"}) + "\n" for n in range(7)))
    out = tmp_path / "out.jsonl"
    extract([str(tmp_path / "in.jsonl")], {"type": "boolean"}, output=out, generator=tiny, progress=True)
    assert "7/7" in capfd.readouterr().err
    extract([str(tmp_path / "in.jsonl")], {"type": "boolean"}, output=out, generator=tiny, progress=None)
    assert capfd.readouterr().err == "" or sys.stderr.isatty()
