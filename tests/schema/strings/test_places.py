"""Narrowed parts, and derivatives, are compared with Python's `re` on every short text."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_gen.schema.strings import derivatives
from harmony_gen.schema.strings.characters import has
from harmony_gen.schema.strings.derivatives import Reader, first_classes, shortest
from harmony_gen.schema.strings.ecma import parse
from harmony_gen.schema.strings.expression import (
    ANYTHING,
    EMPTY,
    NOTHING,
    around,
    both,
    concat,
    few_texts,
    is_nullable,
    negation,
    width,
)
from harmony_gen.schema.strings.places import MOST_PATHS, Edge, Rest, close
from harmony_gen.schema.strings.python_regex import write

TEXTS = ["".join(chars) for length in range(5) for chars in product("abc", repeat=length)]
PLAIN = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", "", "c"]),
    lambda inner: st.one_of(
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}{})".format, inner, inner),
        st.builds("(?:{}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{2,}"])),
    ),
    max_leaves=6,
)
EDGES = st.builds(
    Edge,
    st.booleans(),
    st.sampled_from(["[ab]", "c", "[^c]", "[^]"]).map(lambda text: parse(text).chars),
    st.just(False),
)


def matches(tree, texts=TEXTS):
    return {text for text in texts if is_nullable(Reader(tree).after(text))}


@given(PLAIN)
def test_derivatives_match_what_python_matches(pattern):
    wanted = {text for text in TEXTS if re.fullmatch(write(parse(pattern)), text)}
    assert matches(parse(pattern)) == wanted
    assert matches(negation(parse(pattern))) == set(TEXTS) - wanted
    assert matches(both([parse(pattern), parse("a*b*")])) == {text for text in wanted if re.fullmatch("a*b*", text)}
    least, most = width(parse(pattern))
    assert all(least <= len(text) and (most is None or len(text) <= most) for text in wanted)


@given(PLAIN)
def test_characters_of_a_class_have_the_same_derivative(pattern):
    tree = parse(pattern)
    classes = first_classes(tree)
    for char in "abcd":
        [chars] = [chars for chars in classes if has(chars, ord(char))]
        for other in "abcd":
            if has(chars, ord(other)):
                assert Reader(tree).after(char) == Reader(tree).after(other)


@given(PLAIN, st.integers(0, 2))
def test_no_match_is_shorter_than_the_shortest(pattern, variant):
    found = shortest(parse(pattern), variant)
    wanted = matches(parse(pattern))
    assert found is not None
    assert re.fullmatch(write(parse(pattern)), found)
    assert min((len(text) for text in wanted), default=len(found)) == len(found)


@given(PLAIN, EDGES)
def test_an_edge_narrows_a_part(pattern, edge):
    end = slice(-1, None) if edge.behind else slice(0, 1)
    wanted = {text for text in matches(parse(pattern)) if text and has(edge.chars, ord(text[end]))}
    assert matches(edge.narrow(parse(pattern))) == wanted
    tree = both([parse(pattern), negation(parse("ab"))])
    assert matches(edge.narrow(tree)) == wanted - {"ab"}


@given(PLAIN)
def test_few_texts_are_all_texts(pattern):
    few = few_texts(parse(pattern))
    assert few is None or few == matches(parse(pattern), few | set(TEXTS))


@given(PLAIN, PLAIN)
def test_next_to_anything_the_fewest_will_do(one, other):
    trees = [parse(one), ANYTHING, parse(other)]
    assert matches(around(trees)) == matches(concat(trees))


def test_a_large_or_endless_tree_has_no_few_texts():
    assert few_texts(parse("a{1000}")) is None
    assert few_texts(parse("[^]")) is None
    assert few_texts(parse("[ab]{4}")) is None
    assert few_texts(NOTHING) == frozenset()
    assert few_texts(EMPTY) == {""}


@pytest.mark.parametrize(
    ("pattern", "limits"),
    [
        ("(?:^|$)*", (0, 0)),
        (r"(a)\1", (1, None)),
        ("(?>a{2,3})[]*b", (3, 4)),
        ("(?:a|bc+)?", (0, None)),
        ("(?:a|bcd)", (1, 3)),
    ],
)
def test_limits_of_length(pattern, limits):
    assert width(parse(pattern)) == limits


def test_a_search_for_the_shortest_gives_up(monkeypatch):
    monkeypatch.setattr(derivatives, "_MOST_WORK", 4_000)
    assert shortest(parse("a{4000}"), 0) is None
    assert shortest(both([parse("a+"), parse("b+")]), 0) is None


def test_many_first_characters_are_not_all_told_apart():
    tree = parse("|".join(f"{chr(0x4E00 + 2 * number)}x" for number in range(200)))
    assert len(first_classes(tree)) < 200
    assert shortest(tree, 0) is not None


@pytest.mark.parametrize("behind", [False, True])
def test_conditions_beside_a_path_stay_outside(behind):
    edge, rest = Edge(behind, parse("a").chars, none=False), Rest(behind, parse("a[^]*"), 1)
    for condition in (edge, rest):
        [closed] = close((condition,), left=False, right=False)
        assert (closed.outside, closed.tree, closed.exact) == ((condition,), EMPTY, True)
        assert condition.negated().negated() == condition
        assert condition.admits_none() != condition.negated().admits_none()
        [closed] = close((condition,))
        assert (closed.outside, closed.tree, closed.exact) == ((), NOTHING, True)


def test_what_is_not_settled_is_dropped():
    edge = Edge(behind=False, chars=parse("b").chars, none=False)
    path = (edge, *[parse("b*")] * (MOST_PATHS + 5))
    assert not all(closed.exact for closed in close(path))
