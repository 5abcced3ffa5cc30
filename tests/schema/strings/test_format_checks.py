"""What is valid: the official tests of JSON Schema, and tables for what they leave out."""

from __future__ import annotations

import decimal
import json
from datetime import date
from typing import Any

import jsonschema
import pytest

from harmony_gen.schema.strings.format_checks import CHECKER, is_valid
from support.corpora import need

VALIDATORS = {
    "draft7": jsonschema.Draft7Validator,
    "draft2019-09": jsonschema.Draft201909Validator,
    "draft2020-12": jsonschema.Draft202012Validator,
}

LEAP_SECONDS = (
    "23:59:60Z",
    "23:59:60+00:00",
    "01:29:60+01:30",
    "23:29:60+23:30",
    "15:59:60-08:00",
    "00:29:60-23:30",
    "1998-12-31T23:59:60Z",
    "1998-12-31T15:59:60.123-08:00",
)
NOT_PYTHON = ("(?<name>x)", r"(?<n>a)\k<n>", "(?<=a+)b", "[]", "[^]", r"\cA")
STRICTER = {
    **dict.fromkeys(LEAP_SECONDS, "jsonschema knows no leap seconds"),
    **dict.fromkeys(NOT_PYTHON, "Python cannot read it"),
    "100": "jsonschema takes the digit behind a zero for a leading zero",
    "{%41}": "jsonschema knows no variables that begin with a percent sign",
    "{v:1000}": "jsonschema knows no prefixes of four digits",
    "http://ƒøø.ßår/𐌀": "jsonschema's parser of IRIs ends at U+FFFF",
    "http://ƒøø.ßår/?q=\U000f0000": "the same",
    "user@cafe\u0301.com": "RFC 5890 wants its labels in NFC",
}
"""Strings of the official tests that are valid, and refused here."""


@pytest.mark.parametrize("draft", VALIDATORS)
def test_the_official_tests_agree_but_for_strings_named_here(draft: str) -> None:
    folder = need(f"suites/json-schema/tests/{draft}/optional/format")
    groups = [group for file in sorted(folder.glob("*.json")) for group in json.loads(file.read_text())]
    count, refused = 0, set()
    for group in groups:
        validator = VALIDATORS[draft](group["schema"], format_checker=CHECKER)
        for test in group["tests"]:
            count += 1
            if validator.is_valid(test["data"]) is not test["valid"]:
                assert test["valid"], f"{group['schema']} accepts {test['data']!r}"
                refused.add(test["data"])
    assert refused == set(STRICTER)
    assert len(STRICTER) < 0.03 * count


FIFTY = "a" * 50
LONG_DOMAIN = ".".join([FIFTY] * 4) + "." + "a" * 49  # 253 characters
VALID = {
    "date": ["0001-01-01", "9999-12-31", "2000-02-29"],
    "time": ["00:00:00z", "23:59:59.000+23:59"],
    "date-time": ["2024-02-29t12:00:00z", "2024-02-29T12:00:00.5-00:00"],
    "duration": ["P0Y", "PT0H0M0S", "P1W", "P1Y2M3DT4M", "P" + "9" * 99 + "D"],
    "email": [
        "a@b",
        "a" * 64 + "@b",
        '"a\\"b"@c',
        '""@c',
        "a@[IPv6:1::8]",
        "a@[ipv6:::ffff:1.2.3.4]",
        "a@xn--4dbc5h.com",
        "!#$%&'*+-/=?^_`{|}~@a.b",
    ],
    "idn-email": ["é@é.com", '"é\\ "@b', "a@[1.2.3.4]", "é" * 32 + "@b"],
    "hostname": ["1", "a.b", "127.0.0.1", "a--b", "XN--4DBC5H", "a" * 63, LONG_DOMAIN],
    "idn-hostname": ["é", "a。é", "Aa.xn--4dbc5h", "א.ב", LONG_DOMAIN],
    "ipv4": ["0.0.0.1", "255.249.199.99"],
    "ipv6": ["::", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::3:4:5:6:7:8", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4"],
    "uuid": ["ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "uri": ["a:", "a+-.1:b:c//d", "a://", "a://@:/", "a://[v1f.~:]", "a:?#", "a:/", "a:%Aa"],
    "uri-reference": ["", "?", "#", "//", "./a:b", "a/b:c", "/a//b", "a:b", "@"],
    "iri": ["a:é", "http://é/?\ue000", "a://[V1.a]"],
    "iri-reference": ["é", "//é?\ue000#é"],
    "uri-template": ["", "a'b", "{a}", "{?a,b*,c:999}", "{a.b.c%41}", "\ue000é[]@%41"],
    "json-pointer": ["", "/", "//", '/~0~1/"\\\n\0'],
    "relative-json-pointer": ["0", "10", "120#", "1/", "0/~0"],
    "regex": ["", "^a+?$", r"[\]\-b]\u00e9\x41\0", "(?=a)(?!b)(?:c|d){2,3}", "[[a]", r"(\()[)(]\1+", r"\/", "[^^]"],
}
INVALID = {
    "date": ["0000-01-01", "1900-02-29", "2024-04-31", "2024-1-1", "2024-01-01\n", "২024-01-01"],
    "time": ["23:59:60Z", "24:00:00Z", "12:00Z", "12:00:00", "12:00:00.Z", "12:00:00Z\n", "12:00:00+0000", "১2:00:00Z"],
    "date-time": ["2024-02-30T12:00:00Z", "2024-02-29 12:00:00Z", "2024-02-29T12:00:00", "0000-01-01T00:00:00Z"],
    "duration": [
        "P",
        "PT",
        "P1DT",
        "P1W1D",
        "P1Y1D",
        "PT1H1S",
        "P1.5D",
        "+P1D",
        "P১D",
        "p1d",
    ],
    "email": [
        "@",
        "a@",
        "a..b@c",
        "a@b.",
        "a@b_c",
        "é@b",
        "a@[1.2.3.04]",
        "a@[IPv6:1::3:4:5:6:7:8]",
        "a@[x:y]",
        "a@xn--X",
        "a@ab--c",
        "a" * 65 + "@b",
        "a@" + LONG_DOMAIN,
        "a b@c",
        '"a"b"@c',
        "a@b\n",
    ],
    "idn-email": ["é" * 33 + "@b", "a@é_", "a@b。c", "é", "a@-é"],
    "hostname": [
        "a.",
        "a_b",
        "-a",
        "a-",
        "ab--c",
        "a" * 64,
        "a" + LONG_DOMAIN,
        "xn--",
        "xn--a-",
        "é",
        "০",
        "0a.xn--4dbc",  # a digit may not begin a label of a domain that has one from right to left
    ],
    "idn-hostname": [
        "é.",
        "é_",
        "-é",
        "ab--é",
        "é" * 60,
        "0a.א",
        "e\u0301",
        "É",
        "\u3002",
        "a\u00b7b",
        "é." * 40 + "a",
    ],
    "ipv4": ["1.2.3", "1.2.3.256", "1.2.3.04", "1.2.3.4\n", "১.2.3.4"],
    "ipv6": ["1::2::3", "1:2:3:4:5:6:7", "::1%eth0", "::1.2.3.04", ":::", "1:2:3:4:5:6:7:8::", "::১"],
    "uuid": ["{ffffffff-ffff-ffff-ffff-ffffffffffff}", "ffffffff-ffff-ffff-ffff-fffffffffff", "f" * 32],
    "uri": ["", "a", "//a", "a:é", "a:%a", "a: ", "a:\n", "a://[::1", "a://[::1%25eth0]", "1:", "a://[V1.a]", "a:[]"],
    "uri-reference": [":", "1:b", "a b", "//a:b", "//[::01.2.3.4]", "\\", "#a#", "é"],
    "iri": ["é:", "a:\U0001f600", "a:\u200e", "a:\ue000", "a:?\ufdd0", "a:#\ue000", "a:\x80"],
    "iri-reference": ["é:a", "\u202e", "é é"],
    "uri-template": [
        "{",
        "}",
        "{}",
        "{a,}",
        "{=a}",
        "{a=b}",
        "{a:0}",
        "{a:1000}",
        "{%41}",
        "{a..b}",
        "a b",
        "%4",
        "{a/b}",
    ],
    "json-pointer": ["a", "~0", "/~", "/~2", "#/a"],
    "relative-json-pointer": ["", "00", "01", "101", "-1", "1##", "1#/a", "0+1", "১"],
    "regex": [
        "(",
        ")",
        "*a",
        "[a",
        "\\",
        "a**",
        "a{2,1}",
        "(" * 9_000,
        "a{99999999999}",
        *[
            "(?i)a",
            "(?P<n>a)",
            "(?#a)",
            "(?>a)",
            "a++",
            "a{2}+",
            r"\A",
            r"\a",
            "a{,3}",
            "(?=a)*",
            "(?<!(?:a))?",
        ],  # Python
        *[r"\01", r"(a)\123", r"[\1]", r"\-", r"\é", "]", "{", "[a-\\d]"],  # not in Unicode mode
        *["(?<n>a)", r"\k<a>", r"\p{L}", r"\cA", r"\u{41}", "[]", "[^]", "[]a]"],  # not in Python
    ],
}


def cases(table: dict[str, list[str]]) -> list[Any]:
    return [pytest.param(name, text, id=f"{name} {ascii(text)[:40]}") for name in table for text in table[name]]


@pytest.mark.parametrize(("name", "text"), cases(VALID))
def test_accepted(name: str, text: str) -> None:
    assert is_valid(name, text)
    assert CHECKER.conforms(text, name)


@pytest.mark.parametrize(("name", "text"), cases(INVALID))
def test_refused(name: str, text: str) -> None:
    assert not is_valid(name, text)
    assert not CHECKER.conforms(text, name)


def test_the_dates_are_those_of_the_calendar() -> None:
    real = {date.fromordinal(day).isoformat() for day in range(1, date(402, 1, 1).toordinal())}
    claimed = [f"{year:04}-{month:02}-{day:02}" for year in range(402) for month in range(14) for day in range(33)]
    assert {text for text in claimed if is_valid("date", text)} == real


def test_a_duration_too_long_for_jsonschema_to_count_is_refused() -> None:
    with decimal.localcontext(Emax=50):
        assert is_valid("duration", "P" + "9" * 50 + "D")
        assert not is_valid("duration", "P" + "9" * 52 + "D")


@pytest.mark.parametrize("name", [*VALID, "unknown"])
def test_a_format_is_about_strings(name: str) -> None:
    for value in (None, True, 1, 1.5, [], {}):
        assert CHECKER.conforms(value, name)


@pytest.mark.parametrize("name", VALID)
def test_a_lone_surrogate_is_no_character(name: str) -> None:
    assert not any(is_valid(name, text + "\ud800") or is_valid(name, "\udfff" + text) for text in VALID[name])


@pytest.mark.parametrize("name", ["", "unknown", "color", "ip-address", "host-name", "Date"])
def test_other_names_are_annotations(name: str) -> None:
    assert is_valid(name, "anything")
    assert CHECKER.conforms("anything", name)


def test_the_formats_are_those_of_the_standard() -> None:
    assert CHECKER.checkers.keys() == VALID.keys() == INVALID.keys()
    assert VALID.keys() <= jsonschema.Draft202012Validator.FORMAT_CHECKER.checkers.keys() | {"iri", "iri-reference"}
