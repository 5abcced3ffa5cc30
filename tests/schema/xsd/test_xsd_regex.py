"""Regular expressions of XML Schema, against xmlschema's own reading of them."""

from __future__ import annotations

import pytest
import xmlschema

from harmony_gen.schema.strings.derivatives import Reader, shortest
from harmony_gen.schema.strings.expression import is_nullable
from harmony_gen.schema.xsd.regex import parse

TEXTS = ["", "a", "b", "ab", "abc", "A1", "-", "]", "^a", "x_y", "é", "a b", "\n", "12", "1-2", "ü:z", "aaa", "𝟙"]
PATTERNS = [
    "a|bc?",
    "(ab?){1,2}",
    "[a-c]*",
    "[^a-c]",
    r"[\-\]\^]",
    "[a-z-[aeiou]]+",
    "[^a-z-[A-Z]]",
    r"\i\c*",
    r"[\i-[:]][\c-[:]]*",
    r"\d{2}|\d-\d",
    r"\w+",
    r"\S+\s\S+",
    r".",
    r"\p{Lu}\p{Nd}",
    r"\p{IsBasicLatin}+",
    r"a{2,}",
    r"a{0}",
    r"\n",
    "[a-]",
    "",
]


def schema(pattern: str) -> xmlschema.XMLSchema10:
    escaped = pattern.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return xmlschema.XMLSchema10(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:simpleType name="t"><xs:restriction '
        f'base="xs:string"><xs:pattern value="{escaped}"/></xs:restriction></xs:simpleType></xs:schema>'
    )


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_match_what_validators_match(pattern: str) -> None:
    type_ = schema(pattern).types["t"]
    node = parse(pattern)
    contested = "_^" if "w" in pattern else ""  # validators do not agree on them, so they are not written
    for text in (text for text in TEXTS if not set(contested) & set(text)):
        assert is_nullable(Reader(node).after(text)) == type_.is_valid(text), text
    for variant in range(3):
        found = shortest(node, variant)
        assert found is not None
        assert type_.is_valid(found)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(a", "not closed"),
        ("a)", "unexpected character"),
        ("*a", r"unexpected '\*'"),
        ("a{2,1}", "contradict"),
        ("a{x}", "cannot be read"),
        ("[a", "ends too early"),
        ("[z-a]", "wrong order"),
        ("[a-[b]c]", "not the end"),
        (r"\q", "unknown escape"),
        (r"\p{L", "not closed"),
        (r"\p{Nope}", "no Unicode category"),
    ],
)
def test_patterns_that_cannot_be_read(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(pattern)
