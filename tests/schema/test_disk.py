"""Entries come back as they were kept, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harmony_gen.schema import disk

VALUE = {"grammar": "start: /é+/\n", "numbers": [1, None, True]}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(disk.VARIABLE, str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_what_is_kept_comes_back(place: Path) -> None:
    assert disk.read("a") is None
    disk.write("a", VALUE)
    disk.write("b", [])
    assert (disk.read("a"), disk.read("b")) == (VALUE, [])
    assert {path.name for path in place.iterdir()} == {"a.entry", "b.entry"}
    assert place.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data.replace(b"1", b"2"), lambda _: b"\xff"])
def test_spoiled_entries_are_absent_and_can_be_written_again(place: Path, spoil) -> None:
    disk.write("a", VALUE)
    path = place / "a.entry"
    path.write_bytes(spoil(path.read_bytes()))
    assert disk.read("a") is None
    disk.write("a", VALUE)
    assert disk.read("a") == VALUE


def test_entries_that_were_not_used_go_first(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        disk.write(f"e{number}", "x" * 1000)
        os.utime(place / f"e{number}.entry", (number, number))
    assert disk.read("e0") is not None  # it is used now
    monkeypatch.setattr(disk, "LARGEST", 3500)
    disk.write("e4", "x" * 1000)
    assert {path.stem for path in place.iterdir()} == {"e0", "e3", "e4"}


@pytest.mark.parametrize("word", ["", "off", "OFF"])
def test_it_can_be_off(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv(disk.VARIABLE, word)
    assert disk.folder() is None
    disk.write("a", VALUE)
    assert disk.read("a") is None


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv(disk.VARIABLE, str(tmp_path / "file" / "kept"))
    disk.write("a", VALUE)
    assert disk.read("a") is None


def test_nothing_is_left_of_an_entry_that_could_not_be_written(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    disk.write("a", VALUE)
    assert not list(place.iterdir())


def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(disk.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert disk.folder() == tmp_path / "harmony_gen"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert disk.folder() == tmp_path / ".cache" / "harmony_gen"


def test_nobody_has_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError

    monkeypatch.delenv(disk.VARIABLE)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    assert disk.folder() is None
