"""The patterns against those who know: the judge, jsonschema and others, the engine, and Python."""

from __future__ import annotations

import re
from functools import cache

import jsonschema
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st
from llguidance import LLMatcher, LLParserLimits

from harmony_gen.schema import engine
from harmony_gen.schema.strings.format_checks import is_valid
from harmony_gen.schema.strings.formats import FORMATS, STANDARD
from harmony_gen.schema.strings.pattern import automaton, complete

JSONSCHEMA = jsonschema.Draft202012Validator.FORMAT_CHECKER
EXACT = sorted(name for name, known in STANDARD.items() if known.exact)
SEEDS = {
    "date": ["2024-02-29", "1900-12-31"],
    "time": ["23:59:59.5Z", "08:30:06+23:59"],
    "date-time": ["1963-06-19T08:30:06.283185Z", "2000-02-29t00:00:00-08:00"],
    "duration": ["P4Y2M3DT12H30M5S", "P2W", "PT1M2S"],
    "email": ["joe.bloggs@example.com", '"joe b"@a-b.c', "a@[127.0.0.1]", "a@[IPv6:::1]"],
    "idn-email": ["joe.é@실례.com", '"é"@a-b.c', "a@[127.0.0.1]"],
    "hostname": ["www.ex-ample.com", "a--b", "xn--4dbc5h.c", "a" * 63 + ".b"],
    "idn-hostname": ["실례.테스트", "a\u30fb丈。b", "xn--4dbc5h", "א.a"],
    "ipv4": ["192.168.0.1", "255.249.10.99"],
    "ipv6": ["1:2:3:4:5:6:7:8", "::ffff:192.168.0.1", "1:d6::42", "a:b:c:d:e:f::"],
    "uuid": ["2eb8aa08-AA98-11ea-B4Aa-73B441D16380"],
    "uri": ["http://a:b@c.d:80/e%20f?g#h", "urn:a:b", "ldap://[2001:db8::7]/c", "a://[v1.b]/"],
    "uri-reference": ["//a:b@c.d:80/e%20f?g#h", "../a:b", "#a", "http://[::1.2.3.4]"],
    "iri": ["http://é:b@ø.d:80/e%20f?π#é", "a://[2001:db8::7]/é"],
    "iri-reference": ["//é:b@c.d:80/é?é#é", "../é:b", "#é"],
    "uri-template": ["http://a/{b:12}/{+c,d*}{?e.f}", "a%41{g%41}"],
    "json-pointer": ["/foo/~0~1", "/a/0/é"],
    "relative-json-pointer": ["120/foo/~1", "1#"],
    "regex": [r"^(a[^b\]]{1,2}|c?)+\.$", r"(?:a)(?=b)\u0041\0", "[[a-]{2}"],
}
"""Valid strings with all the parts of their formats."""
LETTERS = st.sampled_from('01259afzAFTZPWxvn-.:/?#@[]{}%~+,;=&!"\\_ \n()*|^$éא\u3002\u200d\U0001f600')


@st.composite
def altered(draw: st.DrawFn, name: str) -> str:
    """A valid string, with some of it left out, doubled or replaced."""
    text = draw(st.sampled_from(SEEDS[name]))
    for _ in range(draw(st.integers(0, 3))):
        start, end = sorted(draw(st.integers(0, len(text))) for _ in range(2))
        end = min(end, start + 3)
        text = text[:start] + draw(st.sampled_from(["", text[start:end] * 2]) | LETTERS) + text[end:]
    return text


@cache
def compiled(name: str) -> re.Pattern[str]:
    return re.compile(STANDARD[name].pattern)


def matches(name: str, text: str) -> bool:
    return compiled(name).fullmatch(text) is not None


@cache
def drawn(name: str) -> st.SearchStrategy[str]:
    """Some of the strings that match: short ones, with the ends only of ranges beyond ASCII, or it takes minutes."""
    thin = re.sub("([^\\x00-\\x7f])-([^\\x00-\\x7f])", r"\1\2", STANDARD[name].pattern)
    brief = re.sub(r"(?<!\()\)\*", "){0,3}", thin)
    return st.from_regex(brief, fullmatch=True)


@pytest.mark.parametrize("name", EXACT)
@given(data=st.data())
def test_what_matches_an_exact_pattern_is_valid(name: str, data: st.DataObject) -> None:
    assert is_valid(name, data.draw(drawn(name)))


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_the_seeds_are_valid(name: str) -> None:
    assert all(is_valid(name, text) for text in SEEDS[name])


ZERO = r"\[.*[:.]0[0-9]+(\.|\])"
LAX = {
    "uri": ZERO,  # in an address
    "uri-reference": ZERO,
    "duration": "[-+.,e]|Y[0-9]+D|H[0-9]+S|W.|[0-9]T",
    "uuid": "[_ +]",
    "hostname": r"\.$|(^|\.)..--",
}
"""Where jsonschema is known to accept too much, beside characters beyond ASCII and newlines."""


@pytest.mark.parametrize("name", sorted({*EXACT, "hostname"} - {"iri", "iri-reference", "uri-template"}))
@given(data=st.data())
def test_nothing_that_jsonschema_accepts_is_refused_without_a_reason(name: str, data: st.DataObject) -> None:
    text = data.draw(altered(name) | drawn(name))
    known = not text.isascii() or "\n" in text or re.search(LAX.get(name, "$^"), text)
    if JSONSCHEMA.conforms(text, name) and not known:
        assert is_valid(name, text)


@given(st.data())
def test_a_uri_is_an_ascii_iri(data: st.DataObject) -> None:
    text = data.draw(altered("iri") | altered("uri"))
    for kind in ("", "-reference"):
        if text.isascii() and "[V" not in text:
            assert is_valid("iri" + kind, text) is is_valid("uri" + kind, text)


@given(altered("iri") | altered("iri-reference"))
def test_an_iri_is_one_for_another_parser(text: str) -> None:
    """It does not know most addresses of IPv6."""
    syntax = pytest.importorskip("rfc3987_syntax")
    for name in ("iri", "iri-reference"):
        theirs, ours = syntax.is_valid_syntax(name.replace("-", "_"), text), is_valid(name, text)
        assert theirs is ours or (ours and "[" in text)


@given(altered("email") | drawn("email"))
def test_what_another_package_takes_for_an_address_is_one(text: str) -> None:
    try:
        validate_email(
            text,
            check_deliverability=False,
            allow_quoted_local=True,
            allow_domain_literal=True,
            allow_smtputf8=False,
            test_environment=True,
        )
    except EmailNotValidError:
        return
    assert is_valid("email" if text.isascii() else "idn-email", text)


def lark(pattern: str) -> str:
    return 'start: T\nT: /"(' + pattern.replace("/", r"\/") + ')"/'


def admitted(name: str, text: str) -> bool:
    """Whether a mask made of the pattern lets a string through."""
    matcher = engine.byte_matcher(engine.grammar_of_lark(lark(STANDARD[name].pattern)))
    return engine.completes(matcher, f'"{text}"'.encode())


@pytest.mark.parametrize("name", sorted(STANDARD))
@given(data=st.data())
def test_the_engine_reads_a_pattern_as_python_does(name: str, data: st.DataObject) -> None:
    text = data.draw(altered(name) | drawn(name))
    assert admitted(name, text) is matches(name, text)


@pytest.mark.parametrize("name", sorted(STANDARD))
@given(data=st.data())
def test_nothing_valid_is_masked_away(name: str, data: st.DataObject) -> None:
    text = data.draw(altered(name))
    if is_valid(name, text):
        assert admitted(name, text)
        assert len(text) <= (STANDARD[name].longest or len(text))


FRUGAL = LLParserLimits(initial_lexer_fuel=20_000, step_lexer_fuel=10_000)
"""A fiftieth and a twentieth of what the engine spends before it gives up."""


@pytest.mark.parametrize("name", sorted(STANDARD))
def test_a_pattern_is_cheap_for_the_engine(name: str) -> None:
    start = LLMatcher(engine.BYTES, engine.grammar_of_lark(lark(STANDARD[name].pattern)), log_level=0, limits=FRUGAL)
    for text in SEEDS[name]:
        matcher = start.deep_copy()
        for byte in f'"{text}"'.encode():
            matcher.compute_bitmask()
            assert matcher.consume_token(byte)
        assert not matcher.is_error()


@pytest.mark.parametrize("name", sorted(STANDARD))
def test_a_pattern_is_in_what_all_dialects_share(name: str) -> None:
    assert not re.search(r"(?<!\\)\(\?|(?<!\\)\\[A-Za-z]", STANDARD[name].pattern)


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"idn-hostname"}))
@given(data=st.data())
def test_the_beginning_of_a_valid_string_is_completed_to_one(name: str, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(SEEDS[name]))
    part = text[: data.draw(st.integers(0, len(text)))]
    machine = automaton(FORMATS[name], whole=True)
    assert machine is not None
    found = [complete([machine], part, variant=variant) for variant in range(3)]
    assert any(rest is not None and is_valid(name, part + rest) for rest in found) or "xn--" in part


@pytest.mark.parametrize("part", ["(", "a(b|(?:c", "[a", "(?", r"((\u00", "x(y{2}[", "(?<"])
def test_the_groups_of_a_regex_are_closed(part: str) -> None:
    machine = automaton(FORMATS["regex"], whole=True)
    assert machine is not None
    rest = complete([machine], part)
    assert rest is not None
    re.compile(part + rest)
