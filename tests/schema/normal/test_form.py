"""The normal form as a whole: goals and their nodes, what combines schemas, references, limits."""

from __future__ import annotations

from typing import Any

import pytest

from harmony_gen import SchemaError
from harmony_gen.schema.normal import Normal, form
from harmony_gen.schema.normal.goals import ANY, NEVER
from harmony_gen.schema.normal.node import EVERYTHING, NOTHING, TYPES, Node
from harmony_gen.schema.normal.numbers import Numbers
from harmony_gen.schema.normal.objects import OPEN
from harmony_gen.schema.subschema import DIALECTS, Subschema

NULL = Node(null=True)


def noted(normal: Normal, schema: dict[str, Any]) -> set[str]:
    """The keywords of one schema object that the normal form leaves out."""
    return {keyword for identity, keyword in normal.noted if identity == id(schema)}


def root_of(schema: Any, **options: bool) -> tuple[Normal, Node]:
    normal = Normal(Subschema.root(schema), **options)
    return normal, normal.node(normal.root)


def exactly(schema: Any) -> Node:
    normal, node = root_of(schema)
    assert not normal.noted
    assert not node.loose
    return node


def test_goals_are_kept_by_the_place_of_a_schema() -> None:
    contents = {"properties": {"a": {"type": "null"}, "b": {"type": "null"}, "c": True, "d": False, "e": {}}}
    normal, node = root_of(contents)
    a, b, c, d, e = node.objects[0].named.values()
    assert a != b
    assert (c, d, e) == (ANY, NEVER, ANY)
    assert normal.goal(Subschema.root(contents)) == normal.root
    assert normal.node(a) is normal.node(a)
    assert normal.node(a) == normal.node(b) == NULL
    assert [(part.contents, positive) for part, positive in normal.parts(a)] == [({"type": "null"}, True)]
    assert normal.node(ANY) is EVERYTHING
    assert normal.node(NEVER) is NOTHING


@pytest.mark.parametrize("schema", [True, {}, {"title": "t"}, {"allOf": [{}, True]}, {"anyOf": [{"type": "null"}, {}]}])
def test_everything(schema: Any) -> None:
    assert exactly(schema) == EVERYTHING


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"not": {}},
        {"allOf": [{"type": "null"}, {"type": "string"}]},
        {"anyOf": [False]},
        {"oneOf": [{}, {}]},
        {"type": "string", "enum": [1]},
        {"$ref": "#/$defs/no", "$defs": {"no": False}},
    ],
)
def test_nothing(schema: Any) -> None:
    assert not exactly(schema).kinds


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "null"},
        {"const": None},
        {"allOf": [{"type": ["null", "string"]}, {"type": ["null", "integer"]}]},
        {"anyOf": [{"type": "null"}, {"const": None}]},
        {"oneOf": [{"type": ["null", "string"]}, {"type": "string"}]},
        {"not": {"type": ["boolean", "number", "string", "array", "object"]}},
        {"if": {"type": "null"}, "then": {}, "else": False},
        {"if": {"not": {"type": "null"}}, "then": False},
        {"$ref": "#/$defs/null", "$defs": {"null": {"type": "null"}}},
        {"$ref": "#/$defs/some", "type": ["null", "array"], "$defs": {"some": {"type": ["null", "string"]}}},
        {"type": ["null", "object"], "dependentSchemas": {"a": {}}, "not": {"type": "object"}},
    ],
)
def test_the_same_set_said_in_several_ways(schema: Any) -> None:
    node = exactly(schema)
    assert node.kinds == {"null"}
    assert node.null


def test_types_by_number() -> None:
    assert exactly({"type": "integer"}).numbers == (Numbers(whole=True),)
    assert exactly({"type": ["integer", "number"]}).numbers == (Numbers(),)
    assert exactly({"not": {"type": "integer"}}).numbers == (Numbers(whole=False),)
    assert exactly({"type": "integer", "not": {"minimum": 3}}).numbers == (Numbers(None, 2, whole=True),)


def test_conditions_without_a_consequence_mean_nothing() -> None:
    assert exactly({"if": {"type": "null"}}) == EVERYTHING
    assert exactly({"then": False, "else": False}) == EVERYTHING


def test_dependencies_that_only_require_are_needs() -> None:
    for schema in (
        {"dependentSchemas": {"a": {"required": ["b"]}}},
        {"dependentRequired": {"a": ["b"]}},
        {"$schema": DIALECTS[2], "dependencies": {"a": {"required": ["b"]}}},
        {"$schema": DIALECTS[2], "dependencies": {"a": ["b"]}},
    ):
        (shape,) = exactly(schema).objects
        assert shape.needs == {("a", "b")}
    assert len(exactly({"dependentSchemas": {"a": {"minProperties": 2}}}).objects) == 2
    (shape,) = exactly({"dependentSchemas": {"a": False}}).objects
    assert shape.named == {"a": NEVER}
    (shape,) = exactly({"dependentSchemas": {"a": True}}).objects
    assert shape.key() == OPEN.key()


def test_references_are_followed_to_their_place() -> None:
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"type": "null"}}}
    normal, node = root_of(schema)
    assert node == NULL
    places = schema["$defs"]
    assert normal.led == {id(schema): id(places["a"]), id(places["a"]): id(places["b"])}
    assert {id(part.contents) for part in normal.at_level(normal.root)} == {id(schema), *map(id, places.values())}


def test_the_schemas_of_a_level() -> None:
    schema = {
        "allOf": [{"title": "1"}, {"anyOf": [{"title": "2"}]}],
        "oneOf": [{"title": "3"}],
        "not": {"title": "4"},
        "if": {"title": "5"},
        "then": {"title": "6"},
        "else": {"title": "7"},
        "dependentSchemas": {"a": {"title": "8"}},
        "properties": {"a": {"title": "no"}},
        "items": {"title": "no"},
        "propertyNames": {"title": "no"},
    }
    normal, _ = root_of(schema)
    titles = {part.keywords.get("title", "") for part in normal.at_level(normal.root)}
    assert titles == {"", *"12345678"}


def test_older_dialects_ignore_what_stands_beside_a_reference() -> None:
    schema = {"$ref": "#/definitions/n", "type": "string", "definitions": {"n": {"type": "null"}}}
    for dialect in DIALECTS:
        node = exactly({"$schema": dialect, **schema})
        assert node.kinds == ({"null"} if dialect in DIALECTS[:3] else set())


ENDLESS = [
    {"$ref": "#"},
    {"allOf": [{"$ref": "#"}]},
    {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}},
]


@pytest.mark.parametrize("schema", ENDLESS)
def test_a_schema_that_only_refers_to_itself_is_refused(schema: Any) -> None:
    with pytest.raises(SchemaError, match="without end") as caught:
        root_of(schema)
    assert caught.value.keyword == "$ref"


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_a_schema_that_may_refer_to_itself_is_loose_and_noted(keyword: str) -> None:
    schema = {keyword: [{"type": "string"}, {"$ref": "#"}]}
    normal, node = root_of(schema)
    assert node.loose
    assert keyword in noted(normal, schema)


def test_a_schema_may_hold_itself() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}
    normal, node = root_of(schema)
    assert not normal.noted
    (shape,) = node.objects
    (inner,) = normal.node(shape.named["a"]).objects
    assert inner.key() == shape.key()


def test_members_that_are_compared_while_their_schema_is_expanded_are_looked_up_later() -> None:
    branches = [
        {"type": "object", "required": names, "properties": {name: {"$ref": "#"} for name in names}}
        for names in (["a"], ["a", "b"])
    ]
    root = Subschema.root({"oneOf": [{"type": "null"}, *branches]})
    normal = Normal(root)
    assert not normal.node(normal.root).loose
    for part in (part for branch in branches for part in branch["properties"].values()):
        found = normal.node_of(root, part)
        assert not found.loose
        assert found.kinds == {"null", "object"}
    assert not normal.noted


@pytest.mark.parametrize("keyword", ["$dynamicRef", "$recursiveRef"])
def test_dynamic_references_in_a_document_of_several_resources_are_loose(keyword: str) -> None:
    dialect = DIALECTS[3] if keyword == "$recursiveRef" else DIALECTS[4]
    schema = {
        "$schema": dialect,
        "type": ["object", "null"],
        "properties": {"a": {keyword: "#"}},
        "$defs": {"r": {"$id": "http://schemas.test/r"}},
    }
    normal, node = root_of(schema)
    assert not node.loose
    inner = normal.node(node.objects[0].named["a"])
    assert inner.kinds == set(TYPES)
    assert inner.loose == set(TYPES)
    assert noted(normal, schema["properties"]["a"]) == {keyword}


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"not": {"multipleOf": 0.5}}, "not"),
        ({"not": {"uniqueItems": True}}, "not"),
        ({"if": {"uniqueItems": True}, "then": {"maxItems": 1}}, "if"),
        ({"oneOf": [{"uniqueItems": True}, {"maxItems": 1}]}, "oneOf"),
        ({"unevaluatedProperties": False, "anyOf": [{"properties": {"a": {}}}]}, "unevaluatedProperties"),
        ({"unevaluatedItems": False, "contains": {}}, "unevaluatedItems"),
        ({"allOf": [{"anyOf": [{"required": [f"{name}{i}"]} for i in range(12)]} for name in "ab"]}, "allOf"),
    ],
)
def test_what_is_left_out_is_noted(schema: dict[str, Any], keyword: str) -> None:
    normal, node = root_of(schema)
    assert keyword in noted(normal, schema)
    assert node.loose


def test_negation_of_what_is_loose_is_everything() -> None:
    _, node = root_of({"not": {"uniqueItems": True, "type": ["array", "null"]}})
    assert node.loose == {"array"}
    assert node.kinds == set(TYPES) - {"null"}


def test_beyond_so_many_goals_everything_is_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "_MOST_GOALS", 3)
    schema = {"properties": {"a": {"type": "null"}, "b": {"allOf": [{"type": "null"}]}}}
    normal, node = root_of(schema)
    a, b = node.objects[0].named.values()
    assert normal.node(b).loose == set(TYPES)
    assert normal.node(b).kinds == set(TYPES)
    assert noted(normal, schema["properties"]["b"]) == {"allOf"}
    assert noted(normal, schema["properties"]["b"]["allOf"][0]) == {"type"}
    assert normal.node(a).loose == set(TYPES)


def test_beyond_so_much_work_branches_are_not_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "_MOST_WORK", 0)
    schema = {"oneOf": [{"type": "number"}, {"type": "integer"}]}
    normal, node = root_of(schema)
    assert noted(normal, schema) == {"oneOf"}
    assert node.loose == {"number"}
    _, other = root_of({"not": schema})
    assert other.numbers == (Numbers(),)
    assert not root_of({"oneOf": [{"type": "number"}, {"type": "string"}]})[0].noted


def test_a_plain_normal_form_makes_no_differences() -> None:
    for schema in ({"not": {"type": "null"}}, {"oneOf": [{"type": ["null", "string"]}, {"type": "null"}]}):
        normal, node = root_of(schema, plain=True)
        assert node.null
        assert "null" in node.loose
        assert noted(normal, schema) == set(schema)


def test_unevaluated_members_and_items() -> None:
    (shape,) = exactly(
        {"properties": {"a": {}}, "allOf": [{"patternProperties": {"^b": {}}}], "unevaluatedProperties": False}
    ).objects
    assert [shape.member(name) for name in ("a", "b", "bb", "c")] == [ANY, ANY, ANY, NEVER]
    (array,) = exactly({"prefixItems": [{}], "allOf": [{"prefixItems": [{}, {}]}], "unevaluatedItems": False}).arrays
    assert (array.least, array.most) == (0, 2)
    assert exactly({"unevaluatedItems": True, "unevaluatedProperties": True}) == EVERYTHING
    (array,) = exactly({"unevaluatedItems": False}).arrays
    assert array.most == 0
