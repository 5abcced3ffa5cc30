"""A completion is accepted by the grammar and by an independent judge, wherever the prefix ends."""

from __future__ import annotations

import json
import random
import re
from functools import cache

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.errors import SchemaError
from harmony_gen.schema import engine
from harmony_gen.schema.json_schema import lower
from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.normal import Normal
from harmony_gen.schema.scanner import Scan
from harmony_gen.schema.search import GrammarFinisher, JsonFinisher, witness
from harmony_gen.schema.subschema import Subschema
from support import corpora, schemas

CORPUS_SCHEMAS = 200
PREFIXES = 3


class Subject:
    """A schema with all that is needed to complete its texts and to judge them."""

    def __init__(self, schema, order: str = "schema"):
        judge = JsonSchemaJudge(schema)
        lowered = lower(judge.root, order=order)
        self.accepts = judge.accepts
        self.grammar = lowered.grammar
        self.matcher = engine.byte_matcher(self.grammar)
        self.finisher = JsonFinisher.of(lowered.normal, judge.accepts, judge.accepts_part, any_order=order == "any")

    def finish(self, prefix: bytes, **options) -> bytes | None:
        matcher = self.matcher.deep_copy()
        assert not prefix or matcher.consume_tokens(list(prefix))
        rest = self.finisher.finish(prefix, Scan().feed(prefix)[0], matcher, **options)
        if rest is not None:
            assert engine.completes(matcher, rest), "the matcher is left as it was, and accepts"
            assert self.accepts(prefix + rest)
        return rest


def walk(matcher, choice: random.Random, length: int) -> bytes:
    """A random text the mask allows: plain, structural, or full of escapes and UTF-8 sequences."""
    liked = choice.choice([range(32, 127), b'"{}[],:0123456789tfn-abcde', (*range(128, 256), *b"\\ud8cn")])
    matcher, text = matcher.deep_copy(), bytearray()
    while len(text) < length and not matcher.is_stopped():
        mask = int.from_bytes(matcher.compute_bitmask()[:32], "little")
        allowed = [byte for byte in range(256) if mask >> byte & 1]
        if not allowed or (matcher.is_accepting() and choice.random() < 0.05):
            break
        some = [byte for byte in allowed if byte in liked] if choice.random() < 0.8 else []
        byte = choice.choice(some or allowed)
        assert matcher.consume_token(byte)
        text.append(byte)
    return bytes(text)


SCHEMAS = [
    True,
    {"type": "integer", "minimum": 1000, "multipleOf": 7},
    {"enum": ["日本", "日曜", "\n", 12, 125, True, None, ["a"]]},
    {"type": "string", "pattern": "^[é-ü]{3}[0-9]+$"},
    {"type": "string", "minLength": 30, "maxLength": 200},
    {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"$ref": "#"}, "minItems": 1}, "b": {}},
        "required": ["b"],
        "additionalProperties": False,
    },
    {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": ["x", "y"]}},
        "anyOf": [
            {"properties": {"kind": {"const": "x"}, "size": {"type": "integer"}}, "required": ["size"]},
            {"properties": {"kind": {"const": "y"}, "name": {"type": "string"}}, "required": ["name"]},
        ],
    },
    {
        "type": "object",
        "additionalProperties": {"type": "object", "required": ["p", "q"]},
        "minProperties": 1,
    },
    {
        "type": "object",
        "patternProperties": {"^[a-f0-9]{8}$": {"type": "null"}},
        "additionalProperties": False,
    },
    {
        "type": "array",
        "prefixItems": [{"type": "boolean"}, {"type": "string", "format": "ipv6"}],
        "minItems": 2,
    },
    {
        "type": "array",
        "items": {"anyOf": [{"type": "null"}, {"type": "object", "required": ["x"]}]},
        "minItems": 3,
    },
    {
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "n": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        },
        "required": ["n", "id"],
    },
]


@cache
def subject(number: int, order: str) -> Subject:
    return Subject(SCHEMAS[number], order)


@pytest.mark.parametrize("order", ["schema", "any"])
@pytest.mark.parametrize("number", range(len(SCHEMAS)))
@given(seed=st.integers(0, 2**32), length=st.integers(0, 120))
def test_every_prefix_finishes(number, order, seed, length):
    prefix = walk(subject(number, order).matcher, random.Random(seed), length)
    assert subject(number, order).finish(prefix) is not None


@pytest.mark.parametrize("order", ["schema", "any"])
@pytest.mark.parametrize("number", range(len(SCHEMAS)))
def test_every_beginning_of_a_witness_finishes(number, order):
    whole = witness(subject(number, order).grammar, subject(number, order).finisher)
    assert whole is not None
    for end in range(len(whole) + 1):
        rest = subject(number, order).finish(whole[:end])
        assert rest is not None
        assert len(rest) <= len(whole) - end + 4, "about as short from here as from the start"


@given(schemas.schemas(), st.sampled_from(["schema", "any"]), st.randoms())
def test_whatever_has_a_value_has_a_witness_and_what_begins_a_value_finishes(schema, order, choice):
    try:
        subject = Subject(schema, order)
    except SchemaError:
        return
    valid = [text for text in map(schemas.spelled, schemas.VALUES) if subject.accepts(text)]
    assert not valid or subject.finish(b"", nodes=3_000) is not None
    for text in choice.sample(valid, min(2, len(valid))):
        if engine.completes(subject.matcher, text):  # its members stand in the order of the grammar
            assert subject.finish(text[: choice.randrange(len(text) + 1)]) is not None


@cache
def corpus() -> list[tuple[str, Subject]]:
    """A random draw of schemas of the corpus that have a valid value, half of them for members in any order."""
    cases = [case for case in corpora.bench_cases() if any(test["valid"] for test in case["tests"])]
    drawn = random.Random(7).sample(cases, CORPUS_SCHEMAS)
    return [(case["id"], Subject(case["schema"], ["schema", "any"][i % 2])) for i, case in enumerate(drawn)]


def test_every_satisfiable_schema_of_the_corpus_has_a_witness():
    without = [name for name, schema in corpus() if schema.finish(b"", nodes=3_000) is None]
    assert without == []


def spoilt(subject: Subject, prefix: bytes) -> bool:
    """Whether the prefix already breaks what the judge asks for: the grammar alone completes it.

    Such are members of one name, and what coverage calls "checked": a rule refuses them while decoding.
    """
    matcher = subject.matcher.deep_copy()
    assert matcher.consume_tokens(list(prefix))
    return subject.finisher.judged_by(lambda _: True).finish(prefix, Scan().feed(prefix)[0], matcher) is not None


def test_prefixes_of_the_corpus_finish():
    choice = random.Random(11)
    unfinished, broken, tried = [], 0, 0
    for name, schema in corpus():
        for _ in range(PREFIXES):
            prefix = walk(schema.matcher, choice, choice.randrange(300))
            tried += 1
            if schema.finish(prefix) is None:
                broken += 1
                if not spoilt(schema, prefix):
                    unfinished.append((name, prefix))
    assert unfinished == []
    assert tried == PREFIXES * CORPUS_SCHEMAS
    assert broken < tried / 50


@pytest.mark.parametrize(
    ("schema", "prefix", "rest"),
    [
        ({"type": "string"}, b"", b'""'),
        ({"type": "string"}, b'"abc"', b""),
        ({"type": "integer"}, b"12", b""),
        ({"type": "boolean"}, b"tr", b"ue"),
        ({"enum": [10, 12345]}, b"12", b"345"),
        ({"type": "string", "enum": ["日本"]}, '"日本'.encode()[:5], '"日本"'.encode()[5:]),
        ({"type": "string", "enum": ['a"b']}, b'"a\\', b'"b"'),
        ({"type": "string", "default": "ab", "minLength": 1}, b'"', b'a"'),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, b"[5", b",0,0]"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, b"[5,", b"0,0]"),
        ({"type": "array", "items": {"type": "object"}, "minItems": 2}, b'[{"a":{', b"}},{}]"),
        ({"properties": {"a": {}, "b": {}}, "required": ["b"], "type": "object"}, b'{"a":1', b',"b":0}'),
        ({"properties": {"a": {}, "b": {}}, "required": ["b"], "type": "object"}, b"{", b'"b":0}'),
        (
            {"properties": {"key": {}, "b": {}}, "type": "object", "additionalProperties": False},
            b'{"k',
            b'ey":0}',
        ),
        ({"properties": {"key": {}}, "type": "object", "additionalProperties": False}, b'{"key"', b":0}"),
        ({"type": "object", "maxProperties": 0}, b"{", b"}"),
    ],
)
def test_examples(schema, prefix, rest):
    assert Subject(schema).finish(prefix) == rest


def test_a_comma_is_followed_by_a_member():
    subject = Subject({"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "null"}}})
    assert subject.finish(b'{"a":null,') is not None
    assert subject.finish(b'{"b":null,') is not None


def finisher_of(schema, accepts) -> JsonFinisher:
    return JsonFinisher.of(Normal(Subschema.root(schema)), accepts)


def grammar_of(schema) -> str:
    return lower(Subschema.root(schema)).grammar


def test_the_judge_s_refusal_leads_to_another_completion():
    schema = {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 2}
    judged = []

    def accepts(text: bytes) -> bool:
        judged.append(text)
        return text == b"[3,2]"

    assert witness(grammar_of(schema), finisher_of(schema, accepts)) == b"[3,2]"
    assert len(judged) > 1


def test_a_finisher_with_another_judge_shares_what_is_known():
    finisher = Subject({"type": "integer"}).finisher
    matcher = engine.byte_matcher(grammar_of({"type": "integer"}))
    assert finisher.finish(b"", Scan(), matcher) == b"0"
    other = finisher.judged_by(lambda text: len(text) == 3)
    rest = other.finish(b"", Scan(), matcher)
    assert rest is not None
    assert len(rest) == 3
    assert finisher.finish(b"", Scan(), matcher) == b"0"


def test_the_author_s_examples_help_where_the_judge_is_opaque():
    schema = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "examples": ["4006381333931"]},
            "size": {"type": "integer", "default": 17},
        },
        "required": ["id", "size"],
    }
    finisher = finisher_of(schema, lambda text: b"4006381333931" in text and b"17" in text)
    assert witness(grammar_of(schema), finisher, nodes=150) == b'{"id":"4006381333931","size":17}'
    matcher = engine.byte_matcher(grammar_of(schema))
    prefix = b'{"id":"40063'
    assert matcher.consume_tokens(list(prefix))
    assert finisher.finish(prefix, Scan().feed(prefix)[0], matcher) == b'81333931","size":17}'


def test_contains_and_unique_items_are_completed_though_the_grammar_does_not_know_them():
    lenient = {"type": "array", "items": {"enum": ["a", "b", "c"]}}
    strict = lenient | {"contains": {"const": "c"}, "uniqueItems": True, "minItems": 2}
    validator = jsonschema.Draft202012Validator(strict)
    finisher = finisher_of(strict, lambda text: validator.is_valid(json.loads(text)))
    for prefix in (b"", b"[", b'["a"', b'["a",', b'["c"', b'["b","a"'):
        matcher = engine.byte_matcher(grammar_of(lenient))
        assert not prefix or matcher.consume_tokens(list(prefix))
        rest = finisher.finish(prefix, Scan().feed(prefix)[0], matcher)
        assert rest is not None
        assert validator.is_valid(json.loads(prefix + rest))


def test_what_no_judge_accepts_is_given_up():
    schema = {"type": "integer"}
    assert witness(grammar_of(schema), finisher_of(schema, lambda _: False), nodes=50) is None
    schema = {"const": "a"}
    assert witness(grammar_of(schema), finisher_of(schema, lambda _: False), nodes=3_000) is None


def test_a_completion_writes_the_required_members():
    assert Subject({"type": "object", "required": ["abcdefgh"]}).finish(b"{") == b'"abcdefgh":0}'


def test_an_object_without_known_members_is_given_up_at_its_nodes():
    schema = {"type": "object", "required": ["me"], "properties": {"me": {"$ref": "#"}}}
    subject = Subject({"anyOf": [schema | {"properties": {"me": {"type": "null"}}}, {"type": "null"}]})
    assert subject.finish(b"") == b"null"
    assert subject.finish(b"{") == b'"me":null}'


GRAMMARS = {
    "pattern": (engine.grammar_of_regex(r"[A-Z]{3}-[0-9]{4}(é+|x)"), r"[A-Z]{3}-[0-9]{4}(é+|x)"),
    "pattern without hints": (engine.grammar_of_regex(r"[A-Z]{3}-[0-9]{4}(é+|x)"), None),
    "pattern with useless hints": (engine.grammar_of_regex("[a-z]+!"), "("),
    "sums": (
        engine.grammar_of_lark('start: t (/[-+*]/ t)*\nt: NUMBER | "(" start ")"\nNUMBER: /[0-9]+/'),
        None,
    ),
    "query": (
        engine.grammar_of_lark(
            'start: "SELECT " cols " FROM " NAME (" WHERE " NAME "=" VALUE)? ";"\n'
            'cols: NAME ("," NAME)*\nNAME: /[a-z]+/\nVALUE: /[0-9]+/ | /"[^"]*"/'
        ),
        None,
    ),
    "markup": (
        engine.grammar_of_lark(
            'start: el\nel: "<a>" (el|TEXT)* "</a>" | "<bcd x=" /"[^"<&]*"/ "/>" | "<e>" el el "</e>"\nTEXT: /[^<&]+/'
        ),
        None,
    ),
    "hash": (engine.grammar_of_lark("start: /[0-9a-f]{64}/"), None),
}


@pytest.mark.parametrize("name", GRAMMARS)
def test_a_grammar_has_a_witness_whose_beginnings_finish(name):
    grammar, pattern = GRAMMARS[name]
    finisher = GrammarFinisher(lambda _: True, pattern)
    whole = witness(grammar, finisher)
    assert whole is not None
    for end in range(len(whole)):
        matcher = engine.byte_matcher(grammar)
        assert not end or matcher.consume_tokens(list(whole[:end]))
        rest = finisher.finish(whole[:end], Scan(), matcher)
        assert rest is not None
        assert engine.completes(matcher, rest)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("pattern", "ABC-1234é".encode()[:-1]),
        ("pattern without hints", "ABC-1234é".encode()[:-1]),
        ("pattern", b"Q"),
        ("sums", b"((((1+((2"),
        ("query", 'SELECT abc FROM x WHERE y="日'.encode()[:-1]),
        ("markup", b"<a><a>xx<"),
        ("markup", b"<e><a>"),
    ],
)
def test_prefixes_of_grammars_finish(name, prefix):
    grammar, pattern = GRAMMARS[name]
    matcher = engine.byte_matcher(grammar)
    assert matcher.consume_tokens(list(prefix))
    rest = GrammarFinisher(lambda _: True, pattern).finish(prefix, Scan(), matcher)
    assert rest is not None
    assert engine.completes(matcher, rest)


def test_the_judge_of_a_grammar_is_asked():
    finisher = GrammarFinisher(lambda text: text == b"zz")
    assert witness(engine.grammar_of_regex("[a-z]{2}"), finisher, nodes=3_000) == b"zz"
    assert re.fullmatch("[a-z]{2}", "zz")


def test_a_grammar_without_a_pattern_finishes_by_its_bytes():
    matcher = engine.byte_matcher(engine.grammar_of_regex("a{9}"))
    assert GrammarFinisher(lambda _: True).finish(b"", Scan(), matcher) == b"a" * 9
