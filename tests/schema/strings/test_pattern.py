"""A completed string matches: checked by Python's `re`, and for formats by the checkers of jsonschema."""

from __future__ import annotations

import re

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.schema.strings.formats import FORMATS
from harmony_gen.schema.strings.pattern import Automaton, automaton, complete

CHECKER = jsonschema.Draft202012Validator.FORMAT_CHECKER


def completed(pattern: str, text: str = "", **limits: int) -> str | None:
    machine = automaton(pattern)
    assert machine is not None
    rest = complete([machine], text, **limits)
    return None if rest is None else text + rest


PIECES = st.sampled_from(["a", "[b-d]", "[^x]", ".", r"\d", r"\w", r"\s", r"\D", "é", r"\.", "x|yz", "(ab)"])
REPEATS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "+?"])
BODIES = st.lists(st.builds("(?:{}){}".format, PIECES, REPEATS), max_size=5).map("".join)
PATTERNS = st.builds("{}{}{}".format, st.sampled_from(["", "^"]), BODIES, st.sampled_from(["", "$"]))


@given(PATTERNS)
def test_what_is_completed_matches(pattern):
    whole = completed(pattern)
    assert whole is not None
    assert re.search(pattern, whole)


@given(PATTERNS, st.data())
def test_every_part_of_a_match_is_completed(pattern, data):
    whole = data.draw(st.from_regex(pattern, alphabet="abcdxyzé .0159_-"))
    part = whole[: data.draw(st.integers(0, len(whole)))].rstrip("\n")
    again = completed(pattern, part)
    assert again is not None
    assert again.startswith(part)
    assert re.search(pattern, again)


@given(PATTERNS)
def test_no_beginning_of_a_completion_matches(pattern):
    whole = completed(pattern)
    assert whole is not None
    assert not any(re.search(pattern, whole[:end]) for end in range(len(whole)))


@given(st.integers(0, 40), st.integers(0, 40))
def test_length_limits_are_kept(least, room):
    whole = completed("^(ab|c)+$", "ab", at_least=least, at_most=least + room)
    if whole is None:
        assert least + room < 2
    else:
        assert least <= len(whole) <= least + room
        assert re.fullmatch("(ab|c)+", whole)


def test_two_patterns_are_completed_together():
    machines = [Automaton("^[a-m0]+$"), Automaton("k[0-9]$")]
    rest = complete(machines, "b", at_least=5)
    assert rest is not None
    assert len("b" + rest) == 5
    assert re.fullmatch(r"[a-m0]+", "b" + rest)
    assert re.search(r"k[0-9]$", "b" + rest)


def test_patterns_that_exclude_each_other_are_not_completed():
    assert complete([Automaton("^a+$"), Automaton("^b+$")], "") is None


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        ("^abc$", "x", None),
        ("^abc$", "ab", "abc"),
        ("abc", "x", "xabc"),
        ("^a|b$", "x", "xb"),
        ("^(a|b$)c*", "", "a"),
        (r"^\p{L}+$", "é", "é"),
        (r"^[\p{Lu}_]\p{digit}$", "", "A0"),
        (r"^\P{L}$", "", "0"),
        (r"^[\P{L}]$", "", "0"),
        (r"^\p{Script=Greek}$", "", "\u0370"),
        (r"^(?<y>a)\k<y>", "", "a"),
        (r"^\u{41}\u0042\x43$", "", "ABC"),
        (r"^\cJ$", "", "\n"),
        (r"^\q\/\-\z", "", "q/-"),
        ("^[^]$", "", "a"),
        ("^[[&&~|]$", "", "&"),
        ("^[(?<]$", "", "("),
        ("a^b", "", None),
        ("[]", "", None),
        (r"^(?=x)(?!y)(?<!z)a\b\Bc(?>d)$", "", "acd"),
        ('^["]$', "", '"'),
        ("^[\x00-\x1f]$", "", "\0"),
        ("^[\ud800\U0001f600]$", "", "\U0001f600"),
        ("^(a?){1,3}b", "", "b"),
        ("^[^\\s\\d]$", "", "a"),
        ("^\\S\\W\\D$", "", "a-a"),
    ],
)
def test_examples(pattern, text, wanted):
    assert completed(pattern, text) == wanted


@pytest.mark.parametrize("pattern", ["(", "[z-a]", "a{2,1}", "(" * 500 + ")" * 500 + "("])
def test_what_cannot_be_read_is_no_automaton(pattern):
    assert automaton(pattern) is None


@pytest.mark.parametrize("pattern", ["^.{0,100000}x$", "^.{9000,}x$", "^([a-z]{1,500}-){1,500}$", "^(a{9000}b)*$"])
def test_a_huge_pattern_stays_small_and_is_completed(pattern):
    whole = completed(pattern)
    assert whole is not None


def test_a_search_gives_up():
    assert completed("^a*$", at_least=100_000) is None


def test_variants_differ():
    machine = Automaton("^.$")
    assert len({complete([machine], "", variant=variant) for variant in range(3)}) == 3


@pytest.mark.parametrize("name", sorted(FORMATS))
@given(data=st.data())
def test_a_completed_format_is_accepted_by_the_checker(name, data):
    machine = automaton(FORMATS[name], whole=True)
    assert machine is not None
    whole = complete([machine], "", variant=data.draw(st.integers(0, 2)))
    assert whole is not None
    part = whole[: data.draw(st.integers(0, len(whole)))]
    rest = complete([machine], part, variant=data.draw(st.integers(0, 2)))
    assert rest is not None
    assert CHECKER.conforms(part + rest, name)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("date", "2024-02-2"),
        ("date", "1900-02-2"),
        ("date", "2023-04-3"),
        ("date", "000"),
        ("date-time", "2000-12-31T23:59:59.1"),
        ("date-time", "2000-12-31t23:59:59+2"),
        ("time", "2"),
        ("email", '"a'),
        ("email", "x@[12"),
        ("email", "x.y@z-"),
        ("ipv4", "25"),
        ("ipv6", "::"),
        ("ipv6", "1:2:3:4:5:6:7:"),
        ("ipv6", "1::2:"),
        ("ipv6", "::ffff:1."),
        ("uuid", "0aF"),
        ("duration", "P1Y2M"),
        ("duration", "PT"),
        ("uri", "ab+c"),
        ("uri", "http://a/%4"),
        ("json-pointer", "/~"),
        ("hostname", "a-"),
    ],
)
def test_parts_of_formats(name, part):
    machine = automaton(FORMATS[name], whole=True)
    assert machine is not None
    rest = complete([machine], part)
    assert rest is not None
    assert CHECKER.conforms(part + rest, name)
