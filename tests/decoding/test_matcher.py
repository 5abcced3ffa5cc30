"""The matcher, without a model: whatever is chosen, an answer ends, valid, within the budget."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llguidance import LLParserLimits
from pydantic import BaseModel, Field, field_validator, model_validator

from harmony_gen import BudgetError, Generator, RuleError, Schema, UnsatisfiableError, rule
from harmony_gen.decoding.matcher import Matcher
from harmony_gen.decoding.vocabulary import Vocabulary
from harmony_gen.schema import engine
from support import models

Choose = Callable[[np.ndarray, Matcher], int]


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    """An object with these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SCHEMAS: dict[str, Any] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "anything": True,
    "long string": {"type": "string", "minLength": 12},
    "object": closed({"name": {"type": "string"}, "n": {"type": "integer", "minimum": 100}}),
    "open object": {"type": "object", "minProperties": 2},
    "unique items": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": True, "minItems": 2},
    "tree": {
        "type": "object",
        "properties": {"value": {"type": "boolean"}, "children": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["value"],
        "additionalProperties": False,
    },
    "date": {"type": "string", "format": "date"},
    "multiple": {"type": "integer", "multipleOf": 7, "minimum": 50},
}


class Upper(BaseModel):
    code: str = Field(max_length=4)

    @field_validator("code")
    @classmethod
    def _upper(cls, value: str) -> str:
        if not value.isupper():
            msg = "not upper case"
            raise ValueError(msg)
        return value


class NoSecret(BaseModel):
    text: str = Field(max_length=20)

    @field_validator("text")
    @classmethod
    def _no_secret(cls, value: str) -> str:
        if "a" in value.lower():
            msg = "holds the letter A"
            raise ValueError(msg)
        return value


class Total(BaseModel):
    left: int = Field(ge=0, le=9)
    right: int = Field(ge=0, le=9)
    total: int = Field(ge=0, le=18)

    @model_validator(mode="after")
    def _adds_up(self) -> Total:
        if self.left + self.right != self.total:
            msg = f"{self.left} + {self.right} is not {self.total}"
            raise ValueError(msg)
        return self


class Mirror(BaseModel):
    first: Literal["ab", "cd", "ef"]
    second: Literal["fe", "dc", "ba"]

    @model_validator(mode="after")
    def _mirrors(self) -> Mirror:
        if self.second != self.first[::-1]:
            msg = "the second is not the first reversed"
            raise ValueError(msg)
        return self


class Reversed(BaseModel):
    """Nothing a search would guess."""

    first: str = Field(max_length=3)
    second: str = Field(max_length=3)

    @model_validator(mode="after")
    def _reversed(self) -> Reversed:
        if self.second != self.first[::-1]:
            msg = "the second is not the first reversed"
            raise ValueError(msg)
        return self


class Checksum(BaseModel):
    """Only one value in 97, and an example that leads there."""

    n: int = Field(ge=10, le=9999, examples=[1067])

    @field_validator("n")
    @classmethod
    def _divides(cls, value: int) -> int:
        if value % 97:
            msg = "the checksum is wrong"
            raise ValueError(msg)
        return value


class Never(BaseModel):
    n: int = Field(ge=0, le=999)

    @field_validator("n")
    @classmethod
    def _never(cls, _value: int) -> int:
        msg = "no number will do"
        raise ValueError(msg)


@pytest.fixture(scope="module")
def vocabulary(tiny: Generator) -> Vocabulary:
    return tiny._vocabulary


def at_random(seed: int) -> Choose:
    choose = random.Random(seed)
    return lambda allowed, _matcher: int(choose.choice(allowed))


def reluctant(vocabulary: Vocabulary, seed: int = 0) -> Choose:
    """Never ends anything if it can help it."""
    choose = random.Random(seed)

    def pick(allowed: np.ndarray, _matcher: Matcher) -> int:
        others = [
            token
            for token in allowed
            if token not in vocabulary.ends and not set(vocabulary.bytes_of([int(token)])) & set(b'"]}')
        ]
        return int(choose.choice(others or list(allowed)))

    return pick


def drive(matcher: Matcher, choose: Choose) -> Matcher:
    """Plays the decode loop; checks at every step that nothing that was stable is taken back."""
    stable: list[int] = []
    while not matcher.finished:
        if forced := matcher.forced():
            for token in forced:
                if not matcher.accept(token):
                    break
        elif len(allowed := matcher.allowed()):
            assert (np.diff(allowed) > 0).all()
            matcher.accept(choose(allowed, matcher), sampled=True)
        else:
            matcher.retreat()
        assert matcher.tokens[: len(stable)] == stable
        assert matcher.stable <= len(matcher.tokens)
        stable = matcher.tokens[: matcher.stable]
    assert matcher.stable == len(matcher.tokens)
    return matcher


def write(matcher: Matcher, vocabulary: Vocabulary, text: bytes) -> None:
    """Writes a text, token by token."""
    while rest := text[len(matcher.text) :]:
        forced = matcher.forced()
        fits = bool(forced) and rest.startswith(vocabulary.bytes_of(forced))
        for token in forced if fits else vocabulary.encode_bytes(rest)[:1]:
            assert matcher.accept(token, sampled=not fits)


def needed(schema: Schema[Any], vocabulary: Vocabulary) -> int:
    """Tokens of the shortest answer that is known."""
    with pytest.raises(BudgetError) as caught:
        Matcher(schema, vocabulary, 0)
    return caught.value.needed


def assert_valid(schema: Schema[Any], matcher: Matcher, vocabulary: Vocabulary, budget: int) -> None:
    assert len(matcher.tokens) <= budget
    assert matcher.tokens[-1] in vocabulary.ends
    assert not vocabulary.controls(matcher.tokens[:-1])
    assert vocabulary.bytes_of(matcher.tokens[:-1]) == matcher.text
    schema.validate(matcher.text.decode())


@pytest.mark.parametrize("name", SCHEMAS)
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32), spare=st.sampled_from([0, 1, 2, 3, 5, 10, 60]))
def test_any_choices_end_valid_within_the_budget(vocabulary: Vocabulary, name: str, seed: int, spare: int) -> None:
    schema = Schema.of(SCHEMAS[name])
    budget = needed(schema, vocabulary) + spare
    for choose in (at_random(seed), reluctant(vocabulary, seed)):
        matcher = drive(Matcher(schema, vocabulary, budget), choose)
        assert_valid(schema, matcher, vocabulary, budget)


OPEN: dict[str, Any] = {
    "numbers": {"type": "object", "additionalProperties": {"type": "number"}},
    "two keys": {"type": "object", "minProperties": 2, "additionalProperties": {"type": "null"}},
    "later keys": {"type": "object", "properties": {"a": {"type": "object"}}, "required": ["a", "b"]},
    "deep": {"type": "array", "items": {"$ref": "#"}},
    "distinct": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    "distinct numbers": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
    "not this": {"type": "string", "not": {"enum": ["", "a", "ab"]}},
}


def by_syntax(vocabulary: Vocabulary, seed: int) -> Choose:
    """Likes quotes, brackets, digits and few letters: keys repeat, numbers grow, nesting goes deep."""
    choose = random.Random(seed)
    liked = set(b'{}[]",:\\0123456789.eE-ab')

    def pick(allowed: np.ndarray, _matcher: Matcher) -> int:
        some = [token for token in allowed if set(vocabulary.bytes_of([int(token)])) <= liked]
        return int(choose.choice(some or allowed))

    return pick


@pytest.mark.parametrize("name", [*SCHEMAS, *OPEN])
@settings(max_examples=6)
@given(seed=st.integers(0, 2**32), spare=st.sampled_from([0, 3, 20, 150]))
def test_after_every_token_a_valid_finish_is_known_that_fits(
    vocabulary: Vocabulary, name: str, seed: int, spare: int
) -> None:
    schema = Schema.of({**SCHEMAS, **OPEN}[name])
    budget = needed(schema, vocabulary) + spare
    for choose in (at_random(seed), by_syntax(vocabulary, seed)):

        def checked(allowed: np.ndarray, matcher: Matcher, choose: Choose = choose) -> int:
            finish = matcher._states[-1].finish
            assert schema.accepts(matcher.text + finish.text)
            assert vocabulary.bytes_of(finish.tokens) == finish.text
            assert len(matcher.tokens) + len(finish.tokens) < budget
            return choose(allowed, matcher)

        assert_valid(schema, drive(Matcher(schema, vocabulary, budget), checked), vocabulary, budget)


def counting(schema: Schema[Any], monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The texts that the judge of a schema is asked about from now on."""
    asked: list[bytes] = []
    accepts = schema.judge.accepts
    monkeypatch.setattr(schema.judge, "accepts", lambda text: asked.append(text) or accepts(text))
    return asked


@pytest.mark.parametrize(("name", "times"), [("object", 0), ("distinct", 3)])
def test_inside_a_string_a_judge_is_asked_only_if_the_grammar_admits_too_much(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch, name: str, times: int
) -> None:
    schema = Schema.of({**SCHEMAS, **OPEN}[name])
    assert ("checked" in schema.coverage.values()) is bool(times)
    matcher = Matcher(schema, vocabulary, 60)
    start = b'{"name":"some words' if name == "object" else b'["some words'
    write(matcher, vocabulary, start)
    asked = counting(schema, monkeypatch)
    for _ in range(3):
        assert matcher.accept(vocabulary.encode_bytes(b"x")[0], sampled=True)
    assert asked == [start + b"x" * count + matcher._states[-1].finish.text for count in range(1, times + 1)]


@pytest.mark.parametrize("name", ["two keys", "distinct numbers"])
@pytest.mark.parametrize("guess", range(10))
def test_a_finish_that_would_repeat_something_is_given_up(vocabulary: Vocabulary, name: str, guess: int) -> None:
    """With one of the guesses the finish behind all but the last byte would repeat what is there already."""
    schema = Schema.of(OPEN[name])
    matcher = Matcher(schema, vocabulary, 60)
    keys = f'{{"b{"abc0123456"[guess]}":null,"b'
    write(matcher, vocabulary, (keys if name == "two keys" else f"[1{guess},1").encode())
    assert schema.accepts(matcher.text + matcher._states[-1].finish.text)


@pytest.mark.parametrize("model", [Upper, NoSecret, Total, Mirror, Checksum])
@pytest.mark.parametrize("seed", range(2))
def test_validators_steer(vocabulary: Vocabulary, model: type[BaseModel], seed: int) -> None:
    """Each admits what a search can guess; so random choices end valid, though few would pass alone."""
    schema = Schema.of(model)
    for spare in (0, 9):
        budget = needed(schema, vocabulary) + spare
        matcher = drive(Matcher(schema, vocabulary, budget), at_random(seed))
        assert_valid(schema, matcher, vocabulary, budget)
        assert isinstance(schema.validate(matcher.text.decode()), model)


def test_rejections_are_recorded(vocabulary: Vocabulary) -> None:
    schema = Schema.of(Upper)
    matcher = Matcher(schema, vocabulary, 20)
    write(matcher, vocabulary, b'{"code":"abc')
    quote = vocabulary.encode_bytes(b'"}')[0]
    before = matcher.text, list(matcher.tokens), matcher.stable
    assert not matcher.accept(quote, sampled=True)
    assert (matcher.text, matcher.tokens, matcher.stable) == before
    refused = matcher.rejections[-1]
    assert refused.pointer == "/code"
    assert refused.text == '"abc"'
    assert "not upper case" in refused.reason
    assert refused.start == len(b'{"code":')
    assert quote not in matcher.allowed()


def test_a_refused_token_changes_nothing_but_the_mask(vocabulary: Vocabulary) -> None:
    """At the budget of the witness nearly all is refused: each refusal bans one token, and only there."""
    schema = Schema.of(closed({"name": {"type": "string"}}))
    matcher = Matcher(schema, vocabulary, needed(schema, vocabulary))
    write(matcher, vocabulary, b'{"name":"')
    allowed = matcher.allowed()
    refused = [int(token) for token in allowed if b'"' not in vocabulary.bytes_of([int(token)])][:5]
    text = matcher.text
    for token in refused:
        assert not matcher.accept(token, sampled=True)
        assert matcher.text == text
    assert set(allowed) - set(matcher.allowed()) == set(refused)
    assert matcher.closed_by == "budget"
    assert_valid(schema, drive(matcher, at_random(0)), vocabulary, needed(schema, vocabulary))


def test_the_known_finish_decides_after_many_refusals(vocabulary: Vocabulary) -> None:
    schema = Schema.of(closed({"name": {"type": "string"}}))
    matcher = Matcher(schema, vocabulary, needed(schema, vocabulary))
    write(matcher, vocabulary, b'{"name":"')
    refusals = 0
    while len(allowed := matcher.allowed()) > 1:
        worst = max(allowed, key=lambda token: len(vocabulary.bytes_of([int(token)])))
        refusals += not matcher.accept(int(worst), sampled=True)
    assert 0 < refusals <= 12
    assert vocabulary.bytes_of([int(allowed[0])]).startswith(b'"')


@pytest.mark.parametrize("spare", range(8))
def test_nothing_is_refused_where_there_is_room(vocabulary: Vocabulary, spare: int) -> None:
    """Each digit takes one token: with `spare` tokens to spare exactly so many more are written."""
    schema = Schema.of({"type": "integer", "minimum": 0})
    digit = vocabulary.encode_bytes(b"7")[0]
    budget = needed(schema, vocabulary) + spare

    def digits(allowed: np.ndarray, _matcher: Matcher) -> int:
        return digit if digit in allowed else int(allowed[0])

    matcher = drive(Matcher(schema, vocabulary, budget), digits)
    assert matcher.text == b"7" * (1 + spare)
    assert matcher.closed_by == "budget"
    assert len(matcher.tokens) == budget


def test_what_ends_by_itself_is_closed_by_nothing(vocabulary: Vocabulary) -> None:
    matcher = drive(Matcher(Schema.of({"enum": ["left", "right"]}), vocabulary, 20), at_random(0))
    assert matcher.closed_by is None
    assert matcher.rejections == []


def test_a_budget_below_the_witness_names_both_numbers(vocabulary: Vocabulary) -> None:
    schema = Schema.of(SCHEMAS["object"])
    least = needed(schema, vocabulary)
    for small in (least - 1, 1, 0, -3):
        with pytest.raises(BudgetError, match=f"takes {least} tokens, but max_new_tokens is {small}") as caught:
            Matcher(schema, vocabulary, small)
        assert (caught.value.needed, caught.value.given) == (least, small)
    assert_valid(schema, drive(Matcher(schema, vocabulary, least), at_random(1)), vocabulary, least)


def test_unsatisfiable_is_said_before_anything_is_written(vocabulary: Vocabulary) -> None:
    contradiction = {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True, "minItems": 3}
    with pytest.raises(UnsatisfiableError):
        Matcher(Schema.of(contradiction), vocabulary, 99)


@pytest.mark.parametrize("seed", range(3))
def test_validators_that_admit_nothing_are_a_rule_error(vocabulary: Vocabulary, seed: int) -> None:
    matcher = Matcher(Schema.of(Never), vocabulary, 40)
    assert matcher.stable == 0
    with pytest.raises(RuleError, match=r"refused all .* The last: /n .*no number will do.*examples") as caught:
        drive(matcher, at_random(seed))
    assert len(caught.value.attempts) > 3
    for pointer, text, reason in caught.value.attempts:
        assert pointer == "/n"
        assert 0 <= int(text) <= 999
        assert "no number will do" in reason


def test_a_rule_for_the_whole_answer(vocabulary: Vocabulary) -> None:
    schema = Schema.of({"type": "integer", "minimum": 0, "maximum": 50}).with_rules([rule("", lambda n: n > 45)])
    for seed in range(4):
        matcher = drive(Matcher(schema, vocabulary, 9), at_random(seed))
        assert 45 < int(matcher.text) <= 50
    nothing = Schema.of({"type": "integer", "minimum": 0, "maximum": 5}).with_rules([rule("", lambda _n: False)])
    with pytest.raises(RuleError, match="The last: the answer the rule refuses this value"):
        drive(Matcher(nothing, vocabulary, 9), at_random(0))


def test_a_value_that_is_refused_again_and_again_is_taken_from_the_finish(vocabulary: Vocabulary) -> None:
    """The model insists on a wrong checksum; the search knows a right one."""
    schema = Schema.of(Checksum)
    one = vocabulary.encode_bytes(b"1")[0]

    def insist(allowed: np.ndarray, _matcher: Matcher) -> int:
        return one if one in allowed else int(allowed[0])

    matcher = drive(Matcher(schema, vocabulary, 40), insist)
    value = schema.validate(matcher.text.decode()).n
    assert value % 97 == 0
    assert matcher.rejections[0].text.strip("1") == ""
    assert len(matcher.rejections) > 2


def test_unique_items_are_refused_before_they_are_committed(vocabulary: Vocabulary) -> None:
    schema = Schema.of(
        {"type": "array", "items": {"type": "integer", "minimum": 0}, "uniqueItems": True, "minItems": 3}
    )
    seven, comma = (vocabulary.encode_bytes(text)[0] for text in (b"7", b","))

    def insist(allowed: np.ndarray, matcher: Matcher) -> int:
        wanted = [token for token in (comma, seven) if token in allowed]
        return wanted[0] if wanted else int(allowed[0])

    matcher = drive(Matcher(schema, vocabulary, 40), insist)
    items = json.loads(matcher.text)
    assert items[:2] == [7, 77]
    assert len(items) == len(set(items)) >= 3
    assert {refused.reason for refused in matcher.rejections} == {"this item is in the array already"}
    assert matcher.rejections[0].pointer == "/1"
    assert matcher.rejections[0].text == "7"


def test_numbers_that_are_equal_are_one_item(vocabulary: Vocabulary) -> None:
    schema = Schema.of({"type": "array", "items": {"enum": [1, 1.0, True, "1"]}, "uniqueItems": True})
    for seed in range(6):
        matcher = drive(Matcher(schema, vocabulary, 60), at_random(seed))
        assert_valid(schema, matcher, vocabulary, 60)


def break_engine(matcher: Matcher, vocabulary: Vocabulary) -> None:
    """Brings the engine into its error state, as one that has run out of fuel is."""
    never = int(np.flatnonzero(~vocabulary.mask(matcher._matcher))[-1])
    assert not matcher._matcher.consume_token(never)
    assert matcher._matcher.is_error()


@pytest.mark.parametrize("written", [0, 1, 4])
@pytest.mark.parametrize("name", ["string", "object", "tree", "date", "multiple"])
def test_an_engine_that_gives_up_leaves_the_known_finish(vocabulary: Vocabulary, name: str, written: int) -> None:
    schema = Schema.of(SCHEMAS[name])
    matcher = Matcher(schema, vocabulary, 40)
    choose = at_random(3)
    while len(matcher.tokens) < written and not matcher.finished:
        for token in matcher.forced() or [choose(matcher.allowed(), matcher)]:
            if not matcher.accept(token, sampled=True):
                break
    if matcher.finished:
        return
    text = matcher.text
    break_engine(matcher, vocabulary)
    assert_valid(schema, drive(matcher, choose), vocabulary, 40)
    assert matcher.text.startswith(text)
    assert matcher.closed_by is not None
    healthy = drive(Matcher(schema, vocabulary, 40), at_random(1))  # the broken grammar was forgotten
    assert_valid(schema, healthy, vocabulary, 40)


def test_an_engine_that_gives_up_inside_a_doubtful_value_goes_back_to_where_a_finish_was_known(
    vocabulary: Vocabulary,
) -> None:
    """The finish that is at hand is not one for the validators: it must not be followed for ever."""
    schema = Schema.of(Upper)
    matcher = Matcher(schema, vocabulary, 40)
    write(matcher, vocabulary, b'{"code":"abc')
    assert matcher.stable < len(matcher.tokens)
    stable = matcher.tokens[: matcher.stable]
    break_engine(matcher, vocabulary)
    assert_valid(schema, drive(matcher, at_random(0)), vocabulary, 40)
    assert matcher.tokens[: len(stable)] == stable
    assert matcher.closed_by == "rules"


def test_an_engine_that_gives_up_while_it_reads_a_token(vocabulary: Vocabulary) -> None:
    schema = Schema.of(SCHEMAS["string"])
    matcher = Matcher(schema, vocabulary, 40)
    write(matcher, vocabulary, b'"ab')
    token = int(matcher.allowed()[0])
    break_engine(matcher, vocabulary)
    assert not matcher.accept(token, sampled=True)
    assert matcher.text == b'"ab'
    assert_valid(schema, drive(matcher, at_random(0)), vocabulary, 40)


def test_an_engine_that_gives_up_where_nothing_is_known_is_a_rule_error(vocabulary: Vocabulary) -> None:
    matcher = Matcher(Schema.of(Never), vocabulary, 40)
    write(matcher, vocabulary, b'{"n":')
    break_engine(matcher, vocabulary)
    with pytest.raises(RuleError):
        drive(matcher, at_random(0))


@pytest.mark.parametrize("fuel", [3, 30, 100, 300])
def test_an_engine_that_runs_out_of_fuel(monkeypatch: pytest.MonkeyPatch, fuel: int) -> None:
    """For real: a pattern whose automaton grows with every letter, under limits it soon meets."""
    schema = Schema.of({"type": "string", "pattern": "^(a|b)*a(a|b){9}$"})
    tokenizer = models.embedded_tokenizer()
    least = needed(schema, Vocabulary(tokenizer, len(tokenizer), [1]))
    scarce = LLParserLimits(step_lexer_fuel=fuel, initial_lexer_fuel=10_000_000, verbose_errors=False)
    monkeypatch.setattr(engine, "LIMITS", scarce)
    engine.forget_byte_matchers()
    poor = Vocabulary(tokenizer, len(tokenizer), [1])
    failures = 0
    for seed in range(4):
        for spare in (0, 5, 60):
            matcher = drive(Matcher(schema, poor, least + spare), at_random(seed))
            assert_valid(schema, matcher, poor, least + spare)
            failures += matcher._engine_failed
    assert failures or fuel > 30
    engine.forget_byte_matchers()


def test_repeatable_tokens_are_those_of_free_strings(vocabulary: Vocabulary) -> None:
    schema = Schema.of(closed({"key": {"type": "string"}, "n": {"type": "integer"}}))
    matcher = Matcher(schema, vocabulary, 40)
    write(matcher, vocabulary, b'{"key":"')
    assert matcher.repeatable() == set()
    start = len(matcher.tokens)
    write(matcher, vocabulary, b'{"key":"two words')
    assert matcher.repeatable() == set(matcher.tokens[start:]) != set()
    write(matcher, vocabulary, b'{"key":"two words","n":1')
    assert matcher.repeatable() == set()


def test_texts_that_are_not_json(vocabulary: Vocabulary) -> None:
    schemas = [Schema.from_regex(r"[a-c]{2,40}(x|yy)?"), Schema.from_lark('start: "(" start ")" | /[a-z]/')]
    for schema in schemas:
        least = needed(schema, vocabulary)
        for spare in (0, 1, 2, 9):
            for choose in (at_random(spare), reluctant(vocabulary)):
                matcher = drive(Matcher(schema, vocabulary, least + spare), choose)
                assert_valid(schema, matcher, vocabulary, least + spare)


def test_the_same_choices_give_the_same_answer(vocabulary: Vocabulary) -> None:
    for schema in (Schema.of(Upper), Schema.of(SCHEMAS["tree"])):
        answers = {bytes(drive(Matcher(schema, vocabulary, 30), at_random(9)).text) for _ in range(3)}
        assert len(answers) == 1


def test_a_refused_model_goes_back_to_its_last_value(vocabulary: Vocabulary) -> None:
    matcher = Matcher(Schema.of(Reversed), vocabulary, 200)
    for text in (b'{"first":"kq"', b'{"first":"kq","second":"x', b'{"first":"kq","second":"x"'):
        write(matcher, vocabulary, text)
    assert matcher.text == b'{"first":"kq","second":"x"'
    assert not matcher.accept(matcher.forced()[0])
    assert matcher.rejections[-1].reason.endswith("the second is not the first reversed")
    assert not len(matcher.allowed())
    matcher.retreat()
    assert matcher.text.startswith(b'{"first":"kq","second":"')
    assert len(matcher.text) < len(b'{"first":"kq","second":"x"')
    assert drive(matcher, at_random(3)).finished
