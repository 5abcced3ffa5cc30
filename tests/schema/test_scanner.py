from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.schema.scanner import Closed, Path, Scan, pointer

KEYS = st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from(["", "a", '"', "\\", "\\u0041", "é", "/~"])
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([-0.0, 1e-7, 1e22])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
SPACES = st.sampled_from(["", "", "", " ", "\n", "\t \r"])


@st.composite
def json_texts(draw: st.DrawFn) -> tuple[bytes, Any]:
    """A JSON text in some spelling, and its value."""
    value = draw(VALUES)
    ascii_only = draw(st.booleans())

    def spell(part: Any) -> str:
        before, after = draw(SPACES), draw(SPACES)
        if isinstance(part, dict):
            members = (f"{key(name)}:{spell(member)}" for name, member in part.items())
            return f"{before}{{{draw(SPACES)}{','.join(members)}}}{after}"
        if isinstance(part, list):
            return f"{before}[{draw(SPACES)}{','.join(map(spell, part))}]{after}"
        return before + json.dumps(part, ensure_ascii=ascii_only) + after

    def key(name: str) -> str:
        return draw(SPACES) + json.dumps(name, ensure_ascii=ascii_only) + draw(SPACES)

    return spell(value).encode(), value


def closed_values(value: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """The values of a document in the order in which they close, by the reference parser's value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inner = [item for step, child in children for item in closed_values(child, (*path, step))]
    return [*inner, (path, value)]


def scan_all(pieces: list[bytes]) -> tuple[Scan, list[Closed]]:
    scan, closed = Scan(), []
    for piece in pieces:
        scan, new = scan.feed(piece)
        closed += new
    scan, new = scan.end()
    return scan, closed + new


def cut(text: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(edges)]


def single_bytes(text: bytes) -> list[bytes]:
    return [text[i : i + 1] for i in range(len(text))]


@given(json_texts(), st.lists(st.integers(0, 10_000), max_size=12))
def test_the_closed_values_are_those_of_a_reference_parser_for_any_split(
    case: tuple[bytes, Any], places: list[int]
) -> None:
    text, value = case
    scan, closed = scan_all(cut(text, places))
    assert scan.done
    assert scan.position == len(text)
    assert not scan.frames
    spelled = [(item.path, json.loads(text[slice(*item.span)])) for item in closed]
    assert spelled == closed_values(value)
    assert all(text[slice(*item.span)].strip(b" \t\r\n") == text[slice(*item.span)] for item in closed)


@given(json_texts(), st.lists(st.integers(0, 10_000), max_size=12))
def test_one_piece_any_pieces_and_single_bytes_are_the_same(case: tuple[bytes, Any], places: list[int]) -> None:
    text, _ = case
    whole = scan_all([text])
    assert scan_all(cut(text, places)) == whole
    assert scan_all(single_bytes(text)) == whole


@given(json_texts())
def test_after_every_prefix_the_state_depends_on_the_prefix_alone(case: tuple[bytes, Any]) -> None:
    text, _ = case
    scan = Scan()
    for length, piece in enumerate(single_bytes(text), start=1):
        before = scan
        scan, closed = before.feed(piece)
        assert scan == Scan().feed(text[:length])[0]
        assert before.feed(piece) == (scan, closed)  # an old state is as good as new: this is the rollback


@given(json_texts())
def test_parents_hold_the_spans_of_all_members_that_have_closed(case: tuple[bytes, Any]) -> None:
    text, _ = case
    _, closed = scan_all([text])
    spans: dict[Path, list[tuple[int, int]]] = {}
    for item in closed:
        if not item.path:
            assert item.parent is None
            continue
        spans.setdefault(item.path[:-1], []).append(item.span)
        assert item.parent is not None
        assert list(item.parent.members) == spans[item.path[:-1]]
        assert text[item.parent.start : item.parent.start + 1].decode() == item.parent.kind
        if item.parent.kind == "{":
            assert item.parent.keys[-1] == item.path[-1]
            assert len(item.parent.keys) == len(item.parent.members)


@given(json_texts(), st.integers(0, 10_000))
def test_a_string_value_is_open_exactly_inside_its_quotes(case: tuple[bytes, Any], place: int) -> None:
    text, _ = case
    place %= len(text) + 1
    inside = [item for item in scan_all([text])[1] if item.span[0] < place < item.span[1]]
    scan, _ = Scan().feed(text[:place])
    strings = [item for item in inside if text[item.span[0] : item.span[0] + 1] == b'"']
    assert scan.in_string_value == bool(strings)
    if strings:
        assert scan.path == strings[0].path


@pytest.mark.parametrize(
    ("prefix", "path", "in_key", "in_string"),
    [
        ("", (), False, False),
        ("{", (), True, False),
        ('{"a', (), True, False),
        ('{"a"', ("a",), False, False),
        ('{"a":', ("a",), False, False),
        ('{"a":"x', ("a",), False, True),
        ('{"a":"x\\', ("a",), False, True),
        ('{"a":"x"', ("a",), False, False),
        ('{"a":"x",', (), True, False),
        ('{"a":[', ("a", 0), False, False),
        ('{"a":[1', ("a", 0), False, False),
        ('{"a":[1,', ("a", 1), False, False),
        ('{"a":[1,{', ("a", 1), True, False),
        ("[tr", (0,), False, False),
        ('"\\"', (), False, True),
    ],
)
def test_where_a_prefix_stands(prefix: str, path: Path, in_key: bool, in_string: bool) -> None:
    scan, _ = Scan().feed(prefix.encode())
    assert (scan.path, scan.in_key, scan.in_string_value) == (path, in_key, in_string)


def test_a_number_at_the_root_closes_only_at_the_end() -> None:
    scan, closed = Scan().feed(b"12")
    assert not scan.done
    assert closed == []
    scan, closed = scan.feed(b"3")
    assert closed == []
    ended, closed = scan.end()
    assert ended.done
    assert [item.span for item in closed] == [(0, 3)]
    assert ended.end() == (ended, [])


def test_a_number_in_a_container_closes_with_what_follows() -> None:
    scan, closed = Scan().feed(b"[1")
    assert closed == []
    assert [item.path for item in scan.feed(b",")[1]] == [(0,)]
    assert [item.path for item in scan.feed(b"]")[1]] == [(0,), ()]


@pytest.mark.parametrize(
    ("prefix", "data", "same"),
    [
        ('{"a":["x', "yz", True),
        ('{"a":["x', "\\n", True),
        ('{"a":["x\\', "u00e9", True),
        ('{"a":["x\\', '"', False),
        ('{"a":["x', '"', False),
        ('{"a":["x', 'y","z', False),
        ('{"a":[12', "34", True),
        ('{"a":[12', "34,5", False),
        ('{"a', "b", True),
        ('{"a', '"', False),
        ('{"a":[', '"x', False),
        ('{"a":[t', "ru", False),
    ],
)
def test_frames_are_the_same_object_where_a_string_or_number_only_grows(prefix: str, data: str, same: bool) -> None:
    before, _ = Scan().feed(prefix.encode())
    after, closed = before.feed(data.encode())
    assert (after.frames is before.frames) is same
    assert after == Scan().feed((prefix + data).encode())[0]
    assert not (same and closed)


def test_words_close_with_their_last_letter() -> None:
    for word in (b"true", b"false", b"null"):
        assert Scan().feed(word[:-1])[1] == []
        assert [item.span for item in Scan().feed(word)[1]] == [(0, len(word))]


def test_a_key_that_stands_twice_is_reported_twice() -> None:
    _, closed = Scan().feed(b'{"a":1,"a":2}')
    assert [item.path for item in closed] == [("a",), ("a",), ()]
    assert closed[1].parent is not None
    assert closed[1].parent.keys == ("a", "a")


def test_path_of_every_open_container() -> None:
    scan, _ = Scan().feed(b'{"a":[0,{"b":"x')
    assert [scan.path_of(depth) for depth in range(3)] == [("a",), ("a", 1), ("a", 1, "b")]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), ""),
        (("",), "/"),
        (("a", 0, "b"), "/a/0/b"),
        (("a/b",), "/a~1b"),
        (("m~n",), "/m~0n"),
        (("~1",), "/~01"),
    ],
)
def test_pointer_is_rfc_6901(path: Path, expected: str) -> None:
    assert pointer(path) == expected
