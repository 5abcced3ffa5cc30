"""A language, its terminal in the engine, and Python's `re` agree on every string."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harmony_gen.schema.strings.ecma import to_python
from harmony_gen.schema.strings.language import STRING, Language, spell
from support.patterns import admitted, real_patterns


def disagreements(language, texts):
    """Strings of which the engine thinks otherwise; an inexact language may admit others.

    The engine is asked twice, as one text may spoil its matcher for the next.
    """
    texts = [text for text in texts if not re.search("[\ud800-\udfff]", text)]
    verdicts = admitted(language.terminal(), map(spell, texts))
    doubtful = [text for text, verdict in zip(texts, verdicts, strict=True) if verdict != (text in language)]
    verdicts = [admitted(language.terminal(), [spell(text)]) for text in doubtful]
    return [
        text
        for text, [verdict] in zip(doubtful, verdicts, strict=True)
        if verdict != (text in language) and (language.exact or not verdict)
    ]


def matched(pattern, texts):
    search = re.compile(to_python(pattern)).search
    return {text for text in texts if search(text)}


TEXTS = st.text(st.one_of(st.sampled_from('ab1_-. é"\\/\n'), st.characters(exclude_categories=["Cs"])), max_size=8)

ATOMS = st.sampled_from(["a", "ab", "[a-c]", "[^a]", ".", r"\d", r"\w", r"\s", "-", "é", r"\n", '"', r"\\", "(?:a|b)"])
PLACES = st.sampled_from(
    r"^ $ \b \B (?=a) (?!a) (?<=a) (?<!a) (?=ab) (?!ab) (?<=ab) (?<!ab) (?=.*b) (?!.*b$) (?=a$) (?<!^a) (?!a|bc) "
    r"(?!\b) (?<!a{1,2}) (?!\w$|$)".split()
)
TIMES = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "{0,2}"])
PARTS = st.one_of(st.builds("{}{}".format, ATOMS, TIMES), PLACES)
ROWS = st.lists(PARTS, min_size=1, max_size=4).map("".join)
GROUPS = st.builds("({}){}".format, st.builds("{}|{}".format, ROWS, ROWS), TIMES)
PATTERNS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "^"]),
    st.builds("{}{}".format, ROWS, st.one_of(st.just(""), GROUPS, ROWS)),
    st.sampled_from(["", "$"]),
)


def examples(language, texts):
    """The texts, and strings that begin like them and are, or nearly are, in the language."""
    found = set(texts)
    for text in ["", *texts]:
        assert (text in ~~language) == (text in language)
        for rest in language.completions(text):
            whole = text + rest
            found |= {whole, whole[1:], whole[:-1], whole + "\n", "é" + whole}
    return sorted(found)


@given(PATTERNS, st.lists(TEXTS, max_size=4))
def test_a_pattern_is_what_it_matches(pattern, texts):
    language = Language.pattern(pattern)
    texts = examples(language, texts)
    assert {text for text in texts if text in language} == matched(pattern, texts)
    assert disagreements(language, texts) == []
    assert disagreements(~language, texts) == []


@pytest.mark.parametrize(
    ("pattern", "terminal"),
    [
        ("^a+$", '/"a+"/'),
        ("^(?!foo)bar[ab]$", '(/"bar[ab]"/ & ~/"fooC*"/)'),
        ("^(?=[^]*b)[ab]+$", '(/"[ab]+"/ & /"C*bC*"/)'),
        ("^(?!x)y+$|^z+$", '/"(?:y+|z+)"/'),
        ("^(?:(?!x).)*$|^(?:(?!foo)[a-z])*$", None),
        ("^(?!aa)a+$|^b+$", '(/"b+"/ | (/"a+"/ & ~/"aaC*"/))'),
        ("^[a-z]+(?<!-)$", '/"[a-z]+"/'),
        ("^[a-z]+(?<!oo)$", '(/"[a-z]+"/ & ~/"C*oo"/)'),
        ("(^a|b$)", '/"(?:aC*|C*b)"/'),
        ("^a|^b", '/"(?:aC*|bC*)"/'),
        ("^(?:^a|b)[a-z]+$", '/"(?:b[a-z]+|a[a-z]+)"/'),
        ("a$b|c+", '/"C*cC*"/'),
        (r"^\b[a-z]+\b$", '/"[a-z]+"/'),
        (r"^a\bb+$|^x+$", '/"x+"/'),
        (r"\B[a-z]", '/"C*[0-9A-Z_a-z][a-z]C*"/'),
        ("^(?:(?!-)[a-z-]{1,9}(?<!-)[.])+$", r'/"(?:(?:[a-z][\-a-z]{0,7}[a-z]|[a-z])\.)+"/'),
        ("^(?:^a|b)+$", '/"(?:b|a|bb*b|ab*b)"/'),
        ("(?:a|b$)*c", None),
        ("^x(?=ab)[a-z]{3}y$", '(/"x/ (/(?:[a-z]{3})/ & /(?:abC*)/) /y"/)'),
        ("^(?:(?!ab)[a-z]{2}){2,}$", '(/"/ (/(?:[a-z]{2})/ & ~/(?:abC*)/){2,} /"/)'),
        ("^(?=a){2,}(?=b)*[a-z]+$", '/"a[a-z]*"/'),
        (r"^((?!foo)[^]){3,}$", '(/"C{3,}"/ & ~/"C*fooC*"/)'),
        (r"^(?!$)[a-z]*$", '/"[a-z][a-z]*"/'),
        ("^[^]*foo[^]*$", '/"C*fooC*"/'),
        (r"\w{1,16}", '/"C*[0-9A-Z_a-z]C*"/'),
        ('^["\\\\/\n\x01-\x02]+$', r'/"(?:[\/]|\\[n"\\]|\\u000[12])+"/'),
        (r"^[\x10-\x1f]+$", r'/"(?:\\u001[0-9a-f])+"/'),
        ("^[\ud800-\udfff]+$", r'/"(?:[^\s\S])+"/'),
        ("^[\ud700-\ue000]+$", r'/"[휀-\u{d7ff}\u{e000}]+"/'),
    ],
)
def test_conditions_turn_into_sets(pattern, terminal):
    language = Language.pattern(pattern)
    assert language.exact
    texts = examples(language, ["", "a", "b", "foo", "xab", "-a.", "ab", "c", "ffoo", "oo", "x", "abab", "\n", "aab"])
    assert disagreements(language, texts) == []
    if terminal is not None:
        assert language.terminal() == terminal.replace("C", STRING[2:-3])


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a|b)\1",
        r"(?i)(a|b)\1",
        r"(?:(a)|b)\1",
        "^(?>a|ab)c+$",
        r"^(?>(a))\1",
        "^((?!foo).)*bar",
        r"(?:\bfoo\b ?)+x",
        "(?:^a|b){4}",
        "(?=a$)[^](?<=ab)",
        r"^(?!(a|b)\1)",
        "(?:(?=a)[^]|(?=b)[^]|(?=c)[^]|x)(?!d|$)" * 4,
        r"\b" + "a?b*" * 40 + r"\b",
    ],
)
def test_what_is_no_regular_language_admits_more(pattern):
    language = Language.pattern(pattern)
    assert not language.exact
    texts = examples(language, ["", "aa", "ab", "aabar", "ac", "a", "foo foo x", "bbbb", "bbb"])
    assert matched(pattern, texts) == {text for text in texts if text in language}
    assert disagreements(language, texts) == []
    assert (~language).terminal() == STRING
    assert (Language.pattern("^[ab]+$") & ~language).terminal() == Language.pattern("^[ab]+$").terminal()


def test_real_patterns_are_exact():
    inexact = []
    for pattern in real_patterns():
        language = Language.pattern(pattern)
        inexact += [] if language.exact else [pattern]
        texts = examples(language, [""])
        assert {text for text in texts if text in language} == matched(pattern, texts), pattern
        assert disagreements(language, texts) == [], pattern
    assert inexact == []


@pytest.mark.parametrize(
    ("language", "terminal"),
    [
        (Language.ALL, STRING),
        (Language.NONE, r"/[^\s\S]/"),
        (Language.of(["b", 'a"']), r'/"(?:a\\"|b)"/'),
        (Language.of(["\n\u2028/"]), r'/"\\n\u{2028}\/"/'),
        (Language.lengths(1), STRING.replace("*", "+")),
        (Language.lengths(2, 3), STRING.replace("*", "{2,3}")),
        (~Language.of(["a"]), f'({STRING} & ~/"a"/)'),
    ],
)
def test_terminals(language, terminal):
    assert language.terminal() == terminal


LANGUAGES = st.recursive(
    st.one_of(
        st.sampled_from(["^a", "b$", "^[ab]*$", "^(?!a)", "^(ab)+$", r"\d", "^$", "a|^b"]).map(Language.pattern),
        st.sampled_from(["a*", "a|b", "[ab]{2}"]).map(Language.whole),
        st.lists(st.text("ab1", max_size=3), max_size=3).map(Language.of),
        st.tuples(st.integers(0, 3), st.none() | st.integers(0, 4)).map(lambda limits: Language.lengths(*limits)),
        st.sampled_from([Language.ALL, Language.NONE, Language.pattern(r"^(a|b)\1")]),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
        inner.map(lambda language: ~language),
    ),
    max_leaves=5,
)
SHORT = st.text("ab1", max_size=4)


@given(LANGUAGES, LANGUAGES, st.lists(SHORT, min_size=1, max_size=6))
def test_operators_are_those_of_sets(one, other, texts):
    for text in texts:
        assert (text in one & other) == (text in one and text in other)
        assert (text in one | other) == (text in one or text in other)
        assert (text in ~one) == (text not in one)
    for language in (one, one & other, one | other, ~one):
        assert disagreements(language, texts) == []


@given(LANGUAGES, st.lists(SHORT, min_size=1, max_size=6))
def test_what_is_known_of_a_language_holds(language, texts):
    assert hash(language) == hash(language & language)
    assert language & language == language
    assert language | language == language
    least, most = language.limits
    for text in texts:
        if language.values is not None:
            assert (text in language.values) == (text in language)
        if text in language:
            assert not language.is_empty()
            assert least <= len(text)
            assert most is None or len(text) <= most
        assert (text in ~~language) == (text in language)
        for rest in language.completions(text):
            assert text + rest in language


def test_finite_languages_are_evaluated():
    words = Language.of(["a", "bb", "ccc", "\ud800"])
    assert words.values == {"a", "bb", "ccc"}
    assert (words & Language.pattern("^[ab]")).values == {"a", "bb"}
    assert (words & Language.lengths(2)).values == {"bb", "ccc"}
    assert (words & ~Language.of(["a"])).values == {"bb", "ccc"}
    assert (words & Language.pattern(r"(.)\1")).values == {"bb", "ccc"}
    assert (words | Language.of(["d"])).values == {"a", "bb", "ccc", "d"}
    assert (words & Language.of(["d"])) is Language.NONE
    assert Language.pattern("^(01|07)$").values == {"01", "07"}
    assert Language.pattern("^[Yy]es$").values == {"Yes", "yes"}
    assert Language.pattern("^a{0,2}$|^b$").values == {"", "a", "aa", "b"}
    assert Language.pattern("^[0-9]{2}$").values is None
    assert Language.pattern("^([ab]{3}|c{1000})$").values is None
    assert Language.whole(r"(a)\1").values == {"aa"}
    assert Language.whole("a|b").values == {"a", "b"}


@pytest.mark.parametrize(
    ("language", "simple"),
    [
        (Language.pattern(""), Language.ALL),
        (Language.pattern("a*"), Language.ALL),
        (Language.pattern("[]"), Language.NONE),
        (Language.pattern("a^b"), Language.NONE),
        (Language.pattern("^(?=a)b"), Language.NONE),
        (Language.lengths(0), Language.ALL),
        (Language.lengths(-3), Language.ALL),
        (Language.lengths(3, 2), Language.NONE),
        (Language.lengths(0, -1), Language.NONE),
        (~Language.ALL, Language.NONE),
        (~Language.NONE, Language.ALL),
        (Language.ALL & Language.lengths(2), Language.lengths(2)),
        (Language.NONE | Language.lengths(2), Language.lengths(2)),
        (Language.lengths(2) | Language.NONE, Language.lengths(2)),
        (Language.lengths(2) | Language.ALL, Language.ALL),
        (Language.lengths(2, 7) & Language.lengths(5, 9), Language.lengths(5, 7)),
        (Language.lengths(2, 4) | Language.lengths(5, 9), Language.lengths(2, 9)),
        (Language.lengths(2) | Language.lengths(5, 9), Language.lengths(2)),
        (~Language.lengths(2, 4), Language.lengths(0, 1) | Language.lengths(5)),
        (~Language.lengths(2, 4) | Language.lengths(2, 4), Language.ALL),
        (Language.pattern("^[a-z]{3}$") & Language.lengths(1, 5), Language.pattern("^[a-z]{3}$")),
        (Language.pattern("^[a-z]{3}$") & Language.lengths(4), Language.NONE),
        (Language.pattern("^a+$") & ~Language.pattern("^a+$"), Language.NONE),
        (Language.pattern("^a+$") | ~Language.pattern("^a+$"), Language.ALL),
        (Language.pattern("^a+$") & ~Language.of(["b"]), Language.pattern("^a+$")),
        (Language.pattern("^a+$") | Language.of(["aa"]), Language.pattern("^a+$")),
        (~Language.of(["a", "b"]) & ~Language.of(["b", "c"]), ~Language.of(["a", "b", "c"])),
        (~Language.of(["a", "b"]) | ~Language.of(["b", "c"]), ~Language.of(["b"])),
        (~Language.of(["a", "b"]) | Language.pattern("^a+$"), ~Language.of(["b"])),
        (~Language.of(["a"]) | Language.of(["a"]), Language.ALL),
    ],
)
def test_simplification(language, simple):
    assert language == simple


def test_suffixes():
    for language in (
        Language.ALL,
        Language.of(["a", "b"]),
        Language.pattern("^(?!b)[ab]"),
        Language.lengths(1) & ~Language.of(["x"]),
        Language.of(["a"]) | Language.pattern(r"^(.)\1+$") | ~Language.pattern("^[x-z]"),
        ~Language.pattern(r"(.)\1"),
    ):
        texts = [spell(text) + end for text in ("a", "b", "x") for end in (":", "")]
        wanted = [text.endswith(":") and text[1:-2] in language for text in texts]
        found = admitted(language.terminal(":"), texts)
        assert found == wanted or (not language.exact and found[1::2] == wanted[1::2] and found >= wanted)


@pytest.mark.parametrize(
    "language",
    [
        Language.pattern("^[a-z]+$") & Language.pattern("^[0-9]+$"),
        Language.pattern("^(...)*$") & Language.pattern("^.(...)*$"),
        Language.pattern("^[a-z]*$") & Language.pattern("^[^]*[A-Z]"),
        Language.pattern("^[ab]+$") & ~Language.pattern("^[a-c]*$"),
        Language.pattern("^[a-z]+$") & Language.pattern("[0-9]") | Language.pattern("^a+$") & Language.pattern("b"),
        Language.pattern("^[\ud800-\udfff]+$"),
        Language.NONE,
    ],
)
def test_emptiness_is_proved(language):
    assert language.is_empty()


@pytest.mark.parametrize(
    "language",
    [
        Language.ALL,
        Language.pattern("^[a-z]+$") & Language.pattern("x"),
        Language.lengths(50_000),
        Language.lengths(5_000, 6_000) & Language.pattern("^(a{7})+$"),
        Language.pattern("^a{60000}$"),
        Language.pattern("^(a{60000}){60000}$"),
        ~Language.of(str(number) for number in range(5_000)),
    ],
)
def test_emptiness_is_not_claimed(language):
    assert not language.is_empty()


@pytest.mark.parametrize(
    ("language", "partial", "rests"),
    [
        (Language.of(["abc", "abd", "ab", "b"]), "ab", ["", "c", "d"]),
        (Language.lengths(3, 5), "ab", ["a"]),
        (Language.lengths(3, 5), "abcdef", []),
        (Language.lengths(2**40), "", []),
        (Language.pattern("^[a-m0]+$") & Language.pattern("k[0-9]$"), "b", ["k0"]),
        (Language.pattern("^a+$") & Language.pattern("^b+$"), "", []),
        (~Language.of(["", "a"]), "", ["0", "A"]),
        (~Language.of(["", "a"]), "a", ["0", "A", "a"]),
        (Language.pattern("^(?!foo)[a-z]+$"), "fo", [""]),
        (Language.pattern("^(?!foo)[a-z]{3,}$"), "fo", ["a", "b", "z"]),
        (Language.pattern("^(?!foo)[a-z]{3,}$"), "foo", []),
        (~Language.of(map(str, range(1_000))), "77", ["A", "a", "b"]),
    ],
)
def test_completions(language, partial, rests):
    assert sorted(language.completions(partial)) == sorted(rests)


@pytest.mark.parametrize("count", [65_535, 100_000])
def test_long_strings(count):
    language = Language.lengths(2, count)
    assert language.exact
    assert disagreements(language, ["", "a", "ab", "é" * 50]) == []
    pattern = Language.pattern(f"^[a-z]{{2,{count}}}$")
    assert pattern.exact
    assert disagreements(pattern, ["", "a", "ab", "a" * 50, "é" * 50]) == []


def test_what_is_too_long_for_the_engine_is_left_out():
    huge = [f"^(a{{{count}}}){{{count}}}$" for count in (1_000, 60_000, 1_000_000)]
    for language in (Language.lengths(2**40), Language.lengths(0, 2**40), *map(Language.pattern, huge)):
        assert not language.exact
        assert disagreements(language, ["", "a"]) == []


def test_many_values():
    values = [f"value {number}\t{chr(number + 0xE000)}" for number in range(5_000)]
    language = Language.of(values)
    assert disagreements(language, [values[0], values[4_999], "value", "value 1"]) == []
    assert disagreements(~language, [values[0], values[4_999], "value", "value 1"]) == []


@given(st.text())
def test_spelling(text):
    assert json.loads(spell(text)) == text
    assume(not re.search("[\ud800-\udfff]", text))
    assert disagreements(Language.of([text]), [text, text + "x"]) == []
    assert admitted(STRING, [spell(text)]) == [True]


def test_every_character_has_one_spelling():
    codes = [*range(0x180), 0x2028, 0x2029, 0xD7FF, 0xE000, 0xFEFF, 0xFFFD, 0xFFFF, 0x10000, 0x10FFFF]
    chars = [chr(code) for code in codes]
    spellings = [spell(char) for char in chars]
    assert admitted(STRING, spellings) == [True] * len(chars)
    for char, spelling in zip(chars, spellings, strict=True):
        assert admitted(Language.pattern(f"^[\\u{{{ord(char):x}}}\u20ac]+$").terminal(), [spelling]) == [True]
    others = [
        r'"\/"',
        r'"\u0041"',
        r'"\u000A"',
        r'"\u001F"',
        r'"\u0022"',
        r'"\ud83d\ude00"',
        '"\n"',
        '"',
        '"\\"',
        '"a""',
    ]
    assert admitted(STRING, others) == [False] * len(others)


def test_surrogates_are_in_no_language():
    for language in (Language.ALL, Language.pattern("^[\ud800-\udfff]"), ~Language.of(["a"]), Language.lengths(1)):
        assert "\ud800" not in language


def test_patterns_that_cannot_be_read():
    with pytest.raises(ValueError, match="not closed"):
        Language.pattern("(")
    with pytest.raises(ValueError, match="not closed"):
        Language.whole("[")
