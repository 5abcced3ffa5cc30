"""Everything that can be read is read once; what cannot says where and why, and the next one follows."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.pipeline.inputs import Input, Reading, count, read

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


def ids(inputs: list[Input]) -> list[str]:
    return [one.id for one in inputs]


def failed(inputs: list[Input]) -> list[tuple[str, int | None, str]]:
    return [(one.id, one.failure.line, one.failure.message) for one in inputs if one.failure]


def all_of(*given: object, **reading: object) -> list[Input]:
    found = list(read(given, Reading(**reading)))
    assert len(set(ids(found))) == len(found)
    assert all(one.failure is None or one.text == "" for one in found)
    if "-" not in given:
        assert count(given, Reading(**reading)) == len(found)
    return found


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_and_folders_in_order_of_their_names(place: Path) -> None:
    for name in ("b/2.txt", "b/1.txt", "b/a/3.md", ".hidden/x.txt", "b/.x.txt", "a.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(f"text of {name}")
    os.mkfifo("b/pipe")
    Path("b/gone.txt").symlink_to("nowhere")
    found = all_of("./a.txt", Path("b"))
    assert ids(found) == ["a.txt", "b/1.txt", "b/2.txt", "b/gone.txt", "b/a/3.md"]
    assert found[1].text == "text of b/1.txt"
    assert failed(found) == [("b/gone.txt", None, "The input b/gone.txt cannot be read: No such file or directory.")]
    assert all_of("a.txt", "a.txt", ".") == all_of("a.txt", "b")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rows")


@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_rows_of_both_formats_are_what_was_written(folder: Path, rows: list[tuple[str, str]]) -> None:
    lines = "".join(json.dumps({"n": n, "text": text, "more": more}) + "\n" for n, (text, more) in enumerate(rows))
    (folder / "rows.jsonl").write_text(lines)
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("n", "text", "more"), *((n, *row) for n, row in enumerate(rows))])
    with (folder / "rows.tsv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, "excel-tab").writerows([("n", "text", "more"), *((n, *row) for n, row in enumerate(rows))])
    for suffix in ("jsonl", "csv", "tsv"):
        found = all_of(folder / f"rows.{suffix}", id="n")
        assert [(one.id, one.text) for one in found] == [(str(n), text) for n, (text, _) in enumerate(rows)]
        both = all_of(folder / f"rows.{suffix}", texts=("text", "more"))
        assert [one.text for one in both] == [f"text: {text}\nmore: {more}" for text, more in rows]
        assert both[0].id == f"{folder}/rows.{suffix}:{1 if suffix == 'jsonl' else 2}"


def test_lines_that_are_bad(place: Path) -> None:
    good = b'{"text":"good"}'
    bad = [b"{", b"[1]", b'{"txt":1}', b'{"text":1}', b'{"text":"\\ud800"}', b'{"text":"\xff"}', b"[" * 99_999]
    Path("in.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\n".join([good, b"", *bad, good]))
    found = all_of("in.jsonl")
    assert [one.text for one in found if not one.failure] == ["good", "good"]
    assert found[-1] == Input("in.jsonl:10", "good", 10)
    assert [(id_, line) for id_, line, _ in failed(found)] == [(f"in.jsonl:{n}", n) for n in range(3, 10)]
    words = [
        "not JSON",
        "no JSON object, but [1]",
        "missing",
        "1, which is no text",
        "U+D800",
        "byte 9 is 0xff",
        "deep",
    ]
    for (_, _, message), word in zip(failed(found), words[:-1], strict=False):
        assert word in message


def test_rows_that_are_bad(place: Path) -> None:
    Path("in.csv").write_bytes(b'n,text\n1,good\n2\n\n3,a,b\n4,\xff\n5,"a\nb"\n6,' + b"x" * 140_000 + b"\n7,good\n")
    found = all_of("in.csv", id="n")
    assert [(one.id, one.text) for one in found if not one.failure] == [("1", "good"), ("5", "a\nb"), ("7", "good")]
    assert [(id_, line) for id_, line, _ in failed(found)] == [(f"in.csv:{n}", n) for n in (3, 5, 6, 9)]
    words = ["1 cells, the header 2", "3 cells", "U+DCFF", "field limit"]
    assert all(word in message for (_, _, message), word in zip(failed(found), words, strict=True))


def test_files_that_are_bad_as_a_whole(place: Path) -> None:
    Path("latin.txt").write_bytes(b"Zo\xeb")
    Path("no-column.csv").write_text("a,b\n1,2\n")
    Path("empty.csv").write_text("")
    Path("utf16.csv").write_bytes("text\ngood\n".encode("utf-16"))
    Path("closed").mkdir()
    found = all_of("missing.txt", "latin.txt", "no-column.csv", "empty.csv", "utf16.csv", ".")
    assert ids(found) == ["missing.txt", "latin.txt", "no-column.csv", "empty.csv", "utf16.csv"]
    words = ["No such file", "byte 2 is 0xeb", "no column 'text'; its columns are: a, b", "are: none", "no column"]
    assert all(word in message for (_, _, message), word in zip(failed(found), words, strict=True))
    assert "no column 'id'" in failed(all_of("no-column.csv", texts=("a",), id="id"))[0][2]


def test_an_id_that_occurs_again(place: Path) -> None:
    Path("in.jsonl").write_text("".join(f'{{"id":{id_},"text":"t"}}\n' for id_ in ('"a"', '"a"', "7", '"7"', "true")))
    found = all_of("in.jsonl", id="id")
    assert ids(found) == ["a", "in.jsonl:2", "7", "in.jsonl:4", "in.jsonl:5"]
    assert [line for _, line, _ in failed(found)] == [2, 4, 5]
    assert "'a' occurs a second time" in failed(found)[0][2]
    again = all_of(Input("x", "1"), Input("x", "2"), Input("x", "3"))
    assert [one.failure is None for one in again] == [True, False, False]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def give(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    give(b"a text\n")
    assert all_of("-") == [Input("-", "a text\n")]
    give(b'{"text":"one"}\n{"text":"two"}\n')
    assert all_of("-", format="jsonl") == [Input("-:1", "one", 1), Input("-:2", "two", 2)]
    give(b"text\none\n")
    assert all_of("-", format="csv") == [Input("-:2", "one", 2)]
    assert count(["-"], Reading()) is None


def test_bad_options() -> None:
    for options in ({"format": "xml"}, {"texts": ()}, {"texts": "text"}):
        with pytest.raises(ValueError, match=r"Reading\."):
            Reading(**options)
