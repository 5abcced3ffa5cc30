"""Patterns mean what ECMA 262 says; checked through Python's `re`, and with the official suite where it is at hand."""

from __future__ import annotations

import json
import re
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.schema.strings.characters import WORD, any_case, common, complement, has, unicode_property, union
from harmony_gen.schema.strings.ecma import parse, to_python
from harmony_gen.schema.strings.expression import Alternation, Character, Concat, Not, Repeat
from harmony_gen.schema.strings.python_regex import write
from support import corpora
from support.patterns import real_patterns


def finds(pattern, text):
    return re.search(to_python(pattern), text) is not None


@pytest.mark.parametrize(
    ("pattern", "found", "not_found"),
    [
        ("^a$", ["a"], ["a\n", "ba", ""]),
        ("a|^b$", ["xa", "b"], ["bb"]),
        ("^.$", ["a", "\U0001f600", "\x85"], ["\n", "\r", "\u2028", "\u2029", "ab"]),
        (r"^\d$", ["0"], ["٣", "a"]),
        (r"^\D$", ["٣"], ["0"]),
        (r"^\w$", ["_", "Z"], ["é", "-"]),
        (r"^\W$", ["é"], ["a"]),
        (r"^\s$", ["\ufeff", "\u2003", "\v", "\u3000"], ["\x85", "\u200b", "\x1c"]),
        (r"^\S$", ["\x85"], ["\u2029"]),
        (r"^\x41\u0042\u{43}\u{1F600}\ud83d\ude00$", ["ABC\U0001f600\U0001f600"], []),
        (r"^[\ud83d\ude00-\ud83d\ude4f]$", ["\U0001f601"], ["\U0001f650"]),
        ("^[\ud83d\ude00]$", ["\U0001f600"], []),
        (r"^\ud800$", ["\ud800"], ["a"]),
        (r"^\t\n\v\f\r\cJ\0$", ["\t\n\v\f\r\n\0"], []),
        (r"^[\b\-\]\\]+$", ["\b-]\\"], ["b"]),
        ("^[]$", [], ["", "a"]),
        ("^[^]$", ["a", "\n"], [""]),
        ("^[a-]$", ["-", "a"], ["b"]),
        ("^[^a-c]$", ["d", "\n"], ["b"]),
        (r"^\/\.\*\$$", ["/.*$"], []),
        (r"^(?<y>a|b)\k<y>$", ["aa", "bb"], ["ab"]),
        (r"^(a)?\1b$", ["b", "aab"], ["ab"]),
        (r"^\1(a)$", ["a"], ["aa"]),
        (r"^(a\1)$", ["a"], ["aa"]),
        (r"^(?:(?<n>a)|(?<n>b))\k<n>$", ["aa", "bb"], ["ab"]),
        (r"^(a)(?:\1)0\10$", ["aa0\b"], ["aa0aa"]),
        (r"^(?:a)(b)\1$", ["abb"], ["aba"]),
        ("^(?=a)(?!ab).+$", ["ac", "a"], ["ab", "b"]),
        ("(?<=a|bc)d", ["ad", "bcd"], ["cd", "d"]),
        ("(?<!a{1,2}b?)c", ["c", "bc"], ["ac", "abc", "aabc"]),
        ("(?<=^|,)x", ["x", "a,x"], ["ax"]),
        ("(?<=(?:ab){2})c", ["ababc"], ["abc"]),
        (r"\bé", ["aé"], ["é"]),
        (r"a\B", ["ab"], ["a", "aé"]),
        (r"^\B$", [""], ["a"]),
        ("^a{2}b{1,}c{0,1}$", ["aabbb", "aabc"], ["abc"]),
        ("^a*?b+?c??$", ["b", "aabbc"], ["ac"]),
        ("^(?:){3}a{0}$", [""], ["a"]),
        ("^a{0,9999999999999}$", ["aaa"], ["b"]),
        ("^(?:x|[])$", ["x"], [""]),
        ("^(?:(?:a+)+)+$", ["aaa"], [""]),
        ("^(?:a{2}){3}$", ["aaaaaa"], ["aaaaa"]),
        ("^(?:a{2,3}){0,2}$", ["", "aa", "aaaaaa"], ["a"]),
    ],
)
def test_what_the_standard_says(pattern, found, not_found):
    assert [text for text in found if not finds(pattern, text)] == []
    assert [text for text in not_found if finds(pattern, text)] == []


@pytest.mark.parametrize(
    ("pattern", "found", "not_found"),
    [
        (r"^\-\_\q\@$", ["-_q@"], []),
        ("^}]{$", ["}]{"], []),
        ("^a{,2}$", ["", "aa"], ["aaa", "a{,2}"]),
        ("^a{,}{x$", ["a{x"], []),
        ("^a{x}$", ["a{x}"], []),
        (r"^[\w-z]+$", ["a-z"], ["+"]),
        (r"^[a-\d]+$", ["a-5"], ["b"]),
        (r"^\012\8$", ["\n8"], []),
        (r"^[\1]$", ["\x01"], []),
        (r"^\c1$", ["\\c1"], []),
        (r"^\k\u\x\p$", ["kuxp"], []),
        ("^[[a]$", ["[", "a"], ["]"]),
        (r"\Aa\Z", ["a"], ["a\n", "ba"]),
        (r"a\z", ["a"], ["ab"]),
        (r"^\a$", ["\a"], ["a"]),
        (r"^\N{DIGIT ONE}\N\U00000041$", ["1NA"], []),
        ("^(?P<n>a)(?P=n)$", ["aa"], ["a"]),
        ("(?i)^straSSe|x$", ["STRASSE", "aX"], ["strabe"]),
        ("^(?i)a|b$", ["A", "B"], []),
        ("^(?i:a)b$", ["Ab"], ["AB"]),
        ("^(?i:[^a])(?-i:b)$", ["bb"], ["Ab", "bB"]),
        (r"(?i)^\w(a)\1$", ["\u212aAa"], []),
        ("(?s)^.$", ["\n"], []),
        ("(?s:.)(?-s:.)", ["\nx"], ["x\n"]),
        ("(?m)^a$", ["b\na\nc", "a"], ["ab"]),
        ("(?x) ^ a # the first\n b $", ["ab"], ["a b"]),
        ("^a(?#not b)c$", ["ac"], []),
        ("^a++b$", ["aab"], []),
        ("^a++a$", [], ["aaa"]),
        ("^(?>a|ab)c$", ["ac"], ["abc"]),
        (r"^\x{41}\pL\PL$", ["Aé1"], []),
    ],
)
def test_what_others_say(pattern, found, not_found):
    test_what_the_standard_says(pattern, found, not_found)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("L", "aé中", "1_"),
        ("Letter", "a", "1"),
        ("gc=Lu", "A", "a"),
        ("digit", "٣", "a"),
        ("Script=Greek", "α", "a"),
        ("sc=Grek", "α", "a"),
        ("Script_Extensions=Han", "中", "a"),
        ("IDC", "a1", "-\u2ff0"),
        ("Variation_Selector", "\ufe0f", "a"),
        ("VS", "\U000e0100", "a"),
        ("Emoji_Presentation", "\U0001f600", "a"),
        ("ASCII", "a", "é"),
    ],
)
def test_unicode_properties(name, inside, outside):
    assert all(finds(rf"^\p{{{name}}}$", char) and not finds(rf"^\P{{{name}}}$", char) for char in inside)
    assert all(finds(rf"^[^\p{{{name}}}]$", char) and not finds(rf"^[\p{{{name}}}]$", char) for char in outside)


@pytest.mark.parametrize(
    ("pattern", "problem", "at"),
    [
        ("(a", "a group is not closed", 0),
        ("a)", "a parenthesis closes nothing", 1),
        ("x[a", "a class is not closed", 1),
        ("*a", "nothing to repeat", 0),
        ("a|{2}", "nothing to repeat", 2),
        ("^*", "nothing to repeat", 1),
        (r"\b+", "nothing to repeat", 2),
        ("a**", "a repetition is repeated", 2),
        ("a{2,1}", "a repetition has its limits in the wrong order", 1),
        ("a{99999999999}", "a repetition is far too long", 1),
        ("[z-a]", "a range has its ends in the wrong order", 4),
        ("a\\", "nothing follows a backslash", 2),
        (r"\p{Klingon}", "there is no Unicode property 'Klingon'", 1),
        (r"\k<x>(?<n>a)", "no group has the name 'x'", 5),
        (r"\k(?<n>a)", "a back-reference has no name", 0),
        ("(?P=x)", "no group has the name 'x'", 6),
        ("(?(1)a)", "a group of an unknown kind", 0),
        (r"\u{110000}", "there is no such character", 10),
        (r"\N{NO SUCH}", "there is no character 'NO SUCH'", 11),
        ("(?<=a*)b", "a look-behind holds what Python cannot look for backwards", 0),
        (r"(a)(?<!\1)b", "a look-behind holds what Python cannot look for backwards", 3),
        ("(?<=a{1,60}b{1,60})c", "a look-behind has too many widths", 0),
    ],
)
def test_what_cannot_be_read_says_why_and_where(pattern, problem, at):
    with pytest.raises(ValueError, match=rf"^{re.escape(problem)}, at position {at}$"):
        to_python(pattern)


def test_deep_nesting_cannot_be_read():
    with pytest.raises(ValueError, match="nested too deeply"):
        parse("(" * 5_000 + ")" * 5_000)


def test_no_word_of_python_for_a_complement():
    with pytest.raises(TypeError):
        write(Not(Character(WORD)))


PIECES = st.sampled_from(
    ["a", "[b-d]", "[^x]", "[0-9]", "é", r"\.", "x|yz", "(ab)", "(?:)", "(?=a)", "(?!b|c)", "(?<!a)"]
)
REPEATS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "+?"])
BODIES = st.lists(st.builds("(?:{}){}".format, PIECES, REPEATS), max_size=5).map("".join)
PATTERNS = st.builds("{}{}{}".format, st.sampled_from(["", "^"]), BODIES, st.sampled_from(["", "$"]))


@given(PATTERNS, st.text("abcdxyzé.0", max_size=8))
def test_where_python_agrees_nothing_changes(pattern, text):
    assert finds(pattern, text) == (re.search(pattern, text) is not None)


CODES = st.one_of(st.integers(0, 0x250), st.integers(0, 0x10FFFF))
SETS = st.lists(st.tuples(CODES, CODES).map(lambda ends: (min(ends), max(ends))), max_size=5).map(union)


@given(SETS, SETS, CODES)
def test_sets_of_characters(one, other, code):
    assert has(union((*one, *other)), code) == (has(one, code) or has(other, code))
    assert has(common(one, other), code) == (has(one, code) and has(other, code))
    assert has(complement(one), code) != has(one, code)
    assert complement(complement(one)) == one
    assert has(any_case(one), code) >= has(one, code)


@pytest.mark.parametrize(
    "cases", ["kK\u212a", "sSſ", "ßẞ", "σςΣ", "éÉ", "ǆǅǄ", "\U00010428\U00010400", "iI", "ı", "İ", "1"]
)
def test_case_is_folded_as_the_standard_does(cases):
    everything = union((ord(char), ord(char)) for char in cases)
    assert [any_case(((ord(char), ord(char)),)) for char in cases] == [everything] * len(cases)


def test_properties_are_whole():
    letters = unicode_property("L")
    assert union(letters) == letters
    assert all(has(letters, ord(char)) == char.isalpha() for char in map(chr, range(0x250)))


def test_a_tree_is_small():
    assert parse("^(?:ab|[c-d]{2,})$") != parse("^(?:ab|[c-d]{3,})$")
    assert parse("(ab)(?:c)") == parse("abc")
    assert parse("(?:(?:a{2,3}){0,})") == Repeat(Repeat(parse("a"), 2, 3), 0, None)
    assert parse("(?:a*)*") == parse("a*")
    assert parse("(?:a|(?:b|c))") == Alternation((parse("a"), parse("b"), parse("c")))
    assert parse("a(?:b(?:c))") == Concat((parse("a"), parse("b"), parse("c")))


@pytest.mark.parametrize("name", ["ecmascript-regex", "non-bmp-regex"])
def test_the_official_suite(name):
    groups = json.loads(corpora.need(f"suites/json-schema/tests/draft2020-12/optional/{name}.json").read_text())
    for group in groups:
        schema = group["schema"]
        patterns = [schema["pattern"]] if "pattern" in schema else list(schema.get("patternProperties", ()))
        for pattern, case in ((pattern, case) for pattern in patterns for case in group["tests"]):
            texts = case["data"] if isinstance(case["data"], dict) else [case["data"]]
            if "pattern" in schema and isinstance(case["data"], str):
                assert finds(pattern, case["data"]) == case["valid"], (pattern, case)
            elif isinstance(case["data"], dict) and schema.get("additionalProperties") is False:
                assert all(finds(pattern, text) for text in texts) == case["valid"], (pattern, case)


def test_every_real_pattern_is_read_and_means_to_python_what_it_meant():
    patterns = real_patterns()
    for pattern in patterns:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            ours, theirs = re.compile(to_python(pattern)), re.compile(pattern, re.ASCII)
        for text in ("", "a", "A1", "abc-1.0", "x_y/z", "http://a.b/c?d", pattern, pattern.strip("^$")):
            assert bool(ours.search(text)) == bool(theirs.search(text)), (pattern, text)
    assert len(patterns) > 500
