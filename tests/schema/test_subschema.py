from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
import referencing

from harmony_gen import SchemaError
from harmony_gen.schema.json_schema import lower
from harmony_gen.schema.judge import JsonSchemaJudge
from harmony_gen.schema.subschema import (
    DIALECTS,
    Subschema,
    certain,
    compiled,
    dialect,
    matches,
    siblings_count,
)
from support.corpora import bench_cases

if TYPE_CHECKING:
    from harmony_gen.schema.scanner import Path

DRAFT4, DRAFT6, DRAFT7, DRAFT2019, DRAFT2020 = DIALECTS


def contents(parts: Any) -> list[Any]:
    return [part.contents for part in parts]


def places(value: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(place for step, child in children for place in places(child, (*path, step)))]


def test_what_certainly_applies_holds_in_every_valid_instance() -> None:
    seen = 0
    for case in bench_cases()[::12]:
        try:
            judge = JsonSchemaJudge(case["schema"])
            lower(judge.root)
        except SchemaError:
            continue
        root = Subschema.root(case["schema"])
        for test in case["tests"]:
            if not test["valid"] or not judge.accepts(json.dumps(test["data"]).encode()):
                continue
            for path, value in places(test["data"])[:60]:
                for part in certain(root, path):
                    seen += 1
                    assert judge.accepts_part(part, value), (case["id"], path, part.contents)
    assert seen > 1000


@pytest.mark.parametrize("uri", DIALECTS)
def test_every_dialect_is_known_with_and_without_an_empty_fragment(uri: str) -> None:
    assert dialect({"$schema": uri}) is dialect({"$schema": uri + "#"})


def test_without_a_name_the_dialect_is_the_newest() -> None:
    newest = dialect({"$schema": DRAFT2020})
    assert dialect({}) is newest
    assert dialect(True) is newest


@pytest.mark.parametrize(
    "uri",
    [
        "http://json-schema.org/draft-03/schema#",
        "http://json-schema.org/schema#",
        "https://example.com/mine",
        "http://[bad",
        "",
        5,
        None,
        ["http://json-schema.org/draft-07/schema#"],
    ],
)
def test_an_unknown_dialect_is_refused(uri: Any) -> None:
    with pytest.raises(SchemaError, match="not known") as caught:
        dialect({"$schema": uri})
    assert (caught.value.pointer, caught.value.keyword) == ("/$schema", "$schema")
    with pytest.raises(SchemaError, match="not known"):
        JsonSchemaJudge({"$schema": uri})


@pytest.mark.parametrize(("uri", "count"), [(DRAFT4, False), (DRAFT6, False), (DRAFT7, False), (DRAFT2019, True)])
def test_siblings_of_ref_count_from_2019_on(uri: str, count: bool) -> None:
    schema = {"$schema": uri, "$ref": "#/definitions/a", "type": "string", "definitions": {"a": {}}}
    assert siblings_count(dialect(schema)) is count
    assert ("type" in Subschema.root(schema).keywords) is count


@pytest.mark.parametrize(
    ("keyword", "known_in"),
    [
        ("const", {DRAFT6, DRAFT7, DRAFT2019, DRAFT2020}),
        ("if", {DRAFT7, DRAFT2019, DRAFT2020}),
        ("dependencies", {DRAFT4, DRAFT6, DRAFT7}),
        ("dependentRequired", {DRAFT2019, DRAFT2020}),
        ("unevaluatedProperties", {DRAFT2019, DRAFT2020}),
        ("prefixItems", {DRAFT2020}),
        ("additionalItems", {DRAFT4, DRAFT6, DRAFT7, DRAFT2019}),
        ("$recursiveRef", {DRAFT2019}),
        ("type", set(DIALECTS)),
        ("x-mine", set(DIALECTS)),
    ],
)
def test_keywords_of_other_drafts_do_not_count(keyword: str, known_in: set[str]) -> None:
    for uri in DIALECTS:
        assert (keyword in Subschema.root({"$schema": uri, keyword: {}}).keywords) is (uri in known_in)


def test_a_boolean_has_no_keywords() -> None:
    root = Subschema.root(False)
    assert root.keywords == {}
    assert root.reference is None
    assert contents(root.conjuncts()) == [False]


def test_conjuncts_go_through_ref_and_all_of_and_end_in_a_cycle() -> None:
    schema = {
        "allOf": [{"$ref": "#/$defs/a"}, True],
        "$defs": {"a": {"allOf": [{"$ref": "#"}, {"type": "object"}]}},
    }
    found = contents(Subschema.root(schema).conjuncts())
    assert schema in found
    assert {"type": "object"} in found
    assert True in found
    assert len(found) == 6


def test_alternatives_are_not_certain() -> None:
    schema = {
        "properties": {"a": {"type": "string"}},
        "anyOf": [{"properties": {"a": {"minLength": 1}}}, {}],
        "oneOf": [{"properties": {"a": {"minLength": 2}}}],
        "if": {"properties": {"a": {"minLength": 3}}},
        "not": {"properties": {"a": {"minLength": 9}}},
    }
    assert contents(certain(Subschema.root(schema), ("a",))) == [{"type": "string"}]


def test_member_by_name_by_pattern_and_by_the_rest() -> None:
    schema = {
        "properties": {"ab": {"title": "name"}},
        "patternProperties": {"^a": {"title": "pattern"}},
        "additionalProperties": {"title": "rest"},
    }
    root = Subschema.root(schema)
    assert [part.contents["title"] for part in root.member("ab")] == ["name", "pattern"]
    assert [part.contents["title"] for part in root.member("ax")] == ["pattern"]
    assert [part.contents["title"] for part in root.member("xa")] == ["rest"]
    assert list(Subschema.root({}).member("a")) == []


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"items": {"title": "all"}}, ["all", "all"]),
        ({"prefixItems": [{"title": "first"}], "items": {"title": "rest"}}, ["first", "rest"]),
        ({"prefixItems": [{"title": "first"}]}, ["first", None]),
        (
            {"$schema": DRAFT7, "items": [{"title": "first"}], "additionalItems": {"title": "rest"}},
            ["first", "rest"],
        ),
        ({"$schema": DRAFT7, "items": [{"title": "first"}]}, ["first", None]),
        ({"$schema": DRAFT7, "items": {"title": "all"}, "prefixItems": [{"title": "first"}]}, ["all", "all"]),
        ({}, [None, None]),
    ],
)
def test_items_by_index(schema: dict[str, Any], expected: list[str | None]) -> None:
    root = Subschema.root(schema)
    titles = [[part.contents["title"] for part in root.item(index)] for index in (0, 1)]
    assert titles == [[title] if title else [] for title in expected]


def test_references_by_id_anchor_and_pointer() -> None:
    schema = {
        "$id": "https://example.com/root",
        "$defs": {
            "a": {"$id": "nested", "$defs": {"deep": {"$anchor": "here", "title": "found"}}},
        },
    }
    for ref in ("nested#here", "#/$defs/a/$defs/deep", "https://example.com/nested#/$defs/deep"):
        named = Subschema.root(schema | {"$ref": ref}).reference
        assert named is not None
        assert named.contents["title"] == "found"


def test_a_reference_is_resolved_against_the_base_where_it_stands() -> None:
    schema = {"$defs": {"a": {"$id": "https://example.com/a", "$ref": "#/$defs/b", "$defs": {"b": {"title": "inner"}}}}}
    inner = Subschema.root(schema).child(schema["$defs"]["a"]).reference
    assert inner is not None
    assert inner.contents == {"title": "inner"}


def test_metaschemas_are_at_hand() -> None:
    named = Subschema.root({"$ref": DRAFT7}).reference
    assert named is not None
    assert named.contents["$id"].startswith(DRAFT7)


@pytest.mark.parametrize(
    "ref",
    [
        "http://127.0.0.1:9/schema.json",
        "https://example.com/schema.json",
        "file:///etc/hostname",
        "other.json",
        "#/$defs/missing",
        "#missing",
        "#/title/x",
        "#/$comment",
        "#/required",
        "#/minimum/x",
    ],
)
def test_what_cannot_be_resolved_is_refused_and_nothing_is_fetched(ref: str, monkeypatch: Any) -> None:
    def no_network(*_: object, **__: object) -> None:
        pytest.fail("the network was touched")

    monkeypatch.setattr(socket, "socket", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    schema = {"$ref": ref, "title": "t", "$comment": "c", "required": ["a"], "minimum": 3}
    with pytest.raises(SchemaError, match=r"nothing is fetched|not a schema") as caught:
        _ = Subschema.root(schema).reference
    assert caught.value.keyword == "$ref"


def test_parts_are_the_schemas_inside_with_their_places() -> None:
    schema: dict[str, Any] = {
        "properties": {"a/b": True, "c": {"type": "null"}},
        "items": {"minimum": 1},
        "anyOf": [{"minimum": 2}, {"minimum": 3}],
        "dependentSchemas": {"d": {"minimum": 4}},
        "$defs": {"unused": {}},
        "enum": [{"not": {}}],
        "dependencies": {"e": {}},
    }
    found = {place: part.contents for place, part in Subschema.root(schema).parts()}
    assert found == {
        ("properties", "a/b"): True,
        ("properties", "c"): {"type": "null"},
        ("items",): {"minimum": 1},
        ("anyOf", 0): {"minimum": 2},
        ("anyOf", 1): {"minimum": 3},
        ("dependentSchemas", "d"): {"minimum": 4},
    }
    old = {"$schema": DRAFT7, "items": [{"minimum": 1}, True], "dependencies": {"a": ["b"], "c": {"minimum": 2}}}
    assert {place for place, _ in Subschema.root(old).parts()} == {("items", 0), ("items", 1), ("dependencies", "c")}


def test_a_resource_has_its_own_dialect_and_its_parts_have_it_too() -> None:
    schema = {
        "$defs": {
            "old": {
                "$id": "https://example.com/old",
                "$schema": DRAFT7,
                "$defs": {"a": {"prefixItems": []}},
                "definitions": {"a": {"$ref": "#/definitions/b", "minimum": 1}, "b": {"minimum": 2}},
            }
        },
        "$ref": "https://example.com/old#/definitions/a",
    }
    named = Subschema.root(schema).reference
    assert named is not None
    assert named.specification is dialect({"$schema": DRAFT7})
    assert set(named.keywords) == {"$ref"}
    again = named.reference
    assert again is not None
    assert again.specification is named.specification
    assert Subschema.root(schema).child(schema["$defs"]["old"]).specification is named.specification


def test_names_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {"$ref": "#a", "$defs": {"a": {"$anchor": "a", "title": "found"}}}
    root = Subschema.root(schema)
    monkeypatch.setattr(referencing.Registry, "crawl", lambda _: pytest.fail("looked up again"))
    for _ in range(2):
        named = root.named("$ref")
        assert named is not None
        assert named.contents["title"] == "found"


def test_odd_parts_that_nothing_refers_to_do_not_matter() -> None:
    schema = {
        "$schema": DRAFT7,
        "dependencies": {"a": {"type": "null"}, "b": ["c"]},
        "definitions": {"x": {"$id": "#x"}},
    }
    assert Subschema.root(schema).keywords["dependencies"]["b"] == ["c"]
    with pytest.raises(SchemaError, match="names nothing"):
        _ = Subschema.root(schema | {"$ref": "#x"}).reference


def test_an_id_that_is_no_uri_is_refused() -> None:
    root = Subschema.root({"$id": "https://example.com/"})
    with pytest.raises(SchemaError, match="is no URI"):
        root.child({"$id": "http://[bad"})
    with pytest.raises(SchemaError, match="not known"):
        root.child({"$id": "a", "$schema": "https://example.com/mine"})
    assert root.child({"$schema": "https://example.com/mine"}).specification is root.specification


def test_a_resource_that_no_registry_holds_has_the_dialect_of_the_reference() -> None:
    """An odd part keeps the registry from looking into the schema."""
    inner = {"$id": "https://example.com/x", "definitions": {"b": {"title": "found"}}}
    odd = {"dependencies": {"a": {"type": "null"}, "b": ["c"]}}
    schema = {"$schema": DRAFT7, "$ref": "#/definitions/a/definitions/b", "definitions": {"a": inner}, **odd}
    root = Subschema.root(schema)
    named = root.reference
    assert named is not None
    assert named.contents == {"title": "found"}
    assert named.specification is root.specification


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", "[b-a]", "a{99999999999}"])
def test_what_is_no_pattern_says_so(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        compiled(pattern)


def test_patterns_match_any_part_of_a_text() -> None:
    assert matches("b", "abc")
    assert matches(r"^[\p{L}]$", "\u00e4")
    assert not matches("^b", "abc")
