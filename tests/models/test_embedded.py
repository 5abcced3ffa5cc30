from __future__ import annotations

import json
import socket
import time
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from transformers import DynamicCache

from harmony_gen.models import describe, load_embedded, prompt_parts
from harmony_gen.models.embedded import (
    CONTEXT_TOKENS,
    END_MARKER,
    JSON_MARKER,
    SCHEMA_MARKER,
    TEXT_MARKER,
)

torch.set_num_threads(2)

Fields = list[dict[str, Any]]
PLAIN: dict[str, dict[str, Any]] = {
    "list": {"type": "array", "items": {"type": "string"}, "maxItems": 8},
    "date": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "num": {"type": "number"},
    "bool": {"type": "boolean"},
}


def compact(fields: Fields) -> str:
    """The notation of the training data, as its generator writes it."""
    parts = []
    for field in fields:
        word = field["type"]
        if word == "enum":
            word = "|".join(json.dumps(option, ensure_ascii=False) for option in field["options"])
        elif word == "list":
            word = "[str]"
        elif word == "objects":
            word = "[" + compact(field["options"]) + "]"
        parts.append(f"{field['name']}{'?' if field['nullable'] else ''}:{word}")
    return "{" + ",".join(parts) + "}"


def json_schema(fields: Fields) -> dict[str, Any]:
    """The JSON Schema of the training data, as its generator writes it."""
    properties = {}
    for field in fields:
        kind, nullable = field["type"], field["nullable"]
        if kind == "enum":
            properties[field["name"]] = {"enum": field["options"] + [None] * nullable}
            continue
        schema = PLAIN.get(kind) or {"type": "array", "items": json_schema(field["options"]), "maxItems": 8}
        properties[field["name"]] = {"anyOf": [schema, {"type": "null"}]} if nullable else schema
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


NAMES = st.from_regex(r"[a-z\u4e00-\u9fa5]{1,8}([_ -]?[a-zA-Z0-9]{1,6}){0,2}", fullmatch=True)


def fields_of(kinds: st.SearchStrategy[str], options: st.SearchStrategy[Any]) -> st.SearchStrategy[Fields]:
    field = st.fixed_dictionaries({"name": NAMES, "type": kinds, "nullable": st.booleans(), "options": options})
    return st.lists(field, min_size=1, max_size=6, unique_by=lambda f: f["name"])


WORDS = st.lists(st.text(min_size=1, max_size=10), min_size=1, max_size=4, unique=True)
FLAT = fields_of(st.sampled_from(["str", "int", "num", "bool", "date", "list", "enum"]), WORDS)
NESTED = st.tuples(FLAT, fields_of(st.just("objects"), FLAT)).map(lambda pair: pair[0] + pair[1])


@given(NESTED.filter(lambda fields: len({f["name"] for f in fields}) == len(fields)))
@settings(deadline=None, max_examples=150)
def test_training_schemas_read_as_they_were_trained(fields: Fields) -> None:
    assert describe(json_schema(fields)) == compact(fields)


def test_the_example_of_the_notation() -> None:
    fields = [
        {"name": "vendor", "type": "str", "nullable": False},
        {"name": "due_date", "type": "date", "nullable": False},
        {"name": "status", "type": "enum", "nullable": True, "options": ["paid", "open"]},
        {"name": "tags", "type": "list", "nullable": False},
        {
            "name": "items",
            "type": "objects",
            "nullable": False,
            "options": [{"name": "qty", "type": "int", "nullable": False}],
        },
        {"name": "订单号", "type": "str", "nullable": True},
    ]
    assert describe(json_schema(fields)) == (
        '{vendor:str,due_date:date,status?:"paid"|"open",tags:[str],items:[{qty:int}],订单号?:str}'
    )


class Status(Enum):
    PAID = "paid"
    OPEN = "open"


class Item(BaseModel):
    name: str
    price: Decimal | None = None


class Node(BaseModel):
    value: int
    children: list[Node]


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    weight: float


class Order(BaseModel):
    total: Decimal
    due: date
    seen: datetime | None
    status: Status
    code: Literal["p", 3, True]
    items: list[Item]
    rates: dict[str, float]
    tree: Node
    number: int | str
    pet: Cat | Dog = Field(discriminator="kind")
    anything: Any
    pair: tuple[int, str]
    old: Status | None = None


def test_pydantic_models() -> None:
    assert describe(Order.model_json_schema()) == (
        '{total:num,due:date,seen?:date,status:"paid"|"open",code:"p"|3|true,items:[{name:str,price?:num}],'
        "rates:{str:num},tree:{value:int,children:[str]},number:int|str,"
        'pet:{kind:"cat",lives:int}|{kind:"dog",weight:num},anything:str,pair:[int,str],old?:"paid"|"open"}'
    )


TREE = {"properties": {"value": {"type": "integer"}, "children": {"items": {"$ref": "#"}}}}
CONDITIONAL = {
    "type": "object",
    "properties": {"k": {"const": "a"}},
    "oneOf": [{"properties": {"z": {"type": "number"}}, "required": ["z"]}, {"required": ["k"]}],
    "then": {"properties": {"y": {"type": "boolean"}}},
    "dependentSchemas": {"k": {"properties": {"x": {"type": "integer"}}}},
}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (True, "str"),
        (False, "str"),
        ({}, "str"),
        ({"type": "integer"}, "int"),
        ({"type": ["string", "null"]}, "str"),
        ({"type": ["integer", "number"]}, "num"),
        ({"type": ["boolean", "string", 3]}, "bool|str"),
        ({"type": "null"}, "str"),
        ({"type": "unheard"}, "str"),
        ({"minimum": 0}, "num"),
        ({"pattern": "x"}, "str"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "string", "format": "date-time"}, "date"),
        ({"type": "string", "format": "time"}, "str"),
        ({"pattern": r"^\d{4}-(0[1-9]|1[0-2])-\d\d$"}, "date"),
        ({"pattern": r"^\d\d\d\d-[0-9]{2}-[0-9]{2}T.*$"}, "date"),
        ({"pattern": r"^\d{4}-\d{4}$"}, "str"),
        ({"enum": [None]}, "str"),
        ({"enum": [1, 2.5, "a", {"b": 1}]}, '1|2.5|"a"|{"b":1}'),
        ({"enum": list(range(100))}, "int"),
        ({"enum": ["a" * 900, "b" * 900, 1.5, True, 3]}, "str|num|bool"),
        ({"enum": 9}, "str"),
        ({"const": False}, "false"),
        ({"const": 1, "enum": [1, 2]}, "1"),
        ({"properties": {"a": {"enum": 9}}, "required": ["a"]}, "{a:str}"),
        ({"type": "array"}, "[str]"),
        ({"items": [{"type": "number"}, {}]}, "[num,str]"),
        ({"prefixItems": [{"type": "boolean"}]}, "[bool]"),
        ({"type": "object"}, "{str:str}"),
        ({"type": "object", "additionalProperties": False}, "{}"),
        ({"patternProperties": {"^a": {"type": "integer"}}}, "{str:int}"),
        ({"type": "object", "required": ["a"]}, "{a:str}"),
        ({"properties": {"a": False, "b": True}}, "{b??:str}"),
        ({"properties": {"a": {"const": None}}, "required": ["a"]}, "{a?:str}"),
        ({"properties": {"a:b": {}, "c d": {}, "": {}}}, '{"a:b"??:str,c d??:str,""??:str}'),
        (TREE, "{value??:int,children??:[str]}"),
        ({"items": {"$ref": "#/items"}}, "[str]"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "boolean"}}}, "bool"),
        ({"$ref": "#here", "$defs": {"a": {"$anchor": "here", "type": "integer"}}}, "int"),
        ({"$ref": "https://example.org/never-fetched"}, "str"),
        ({"items": {"$ref": "#/items/prefixItems/x"}}, "[str]"),
        ({"$ref": 5, "allOf": 3, "properties": [1], "required": [3]}, "{str:str}"),
        (
            {
                "allOf": [
                    {"properties": {"a": {"type": "string"}}, "required": ["b"]},
                    {"properties": {"a": {"format": "date"}, "b": True}, "required": ["a"]},
                ]
            },
            "{a:date,b:str}",
        ),
        ({"allOf": [{"enum": [1, 2, 3]}, {"enum": [2, 3, 4]}]}, "2|3"),
        (CONDITIONAL, '{k??:"a",z??:num,y??:bool,x??:int}'),
        ({"anyOf": [{"type": "number"}, {"type": "string", "format": "date"}]}, "num|date"),
        ({"anyOf": [{"type": "null"}]}, "str"),
    ],
)
def test_one_schema(schema: Any, expected: str) -> None:
    assert describe(schema) == expected


def test_descriptions_of_properties() -> None:
    schema = {
        "description": "a letter",
        "properties": {
            "fee": {"type": "number", "description": " with\n  tax "},
            "to": {"$ref": "#/$defs/to"},
            "note": {"type": ["string", "null"], "description": ""},
            "many": {"items": {}, "description": "word " * 50},
            "odd": {"description": 3},
        },
        "required": ["fee", "to", "odd"],
        "$defs": {"to": {"type": "string", "description": "what is said of the type"}},
    }
    many = " ".join(["word"] * 20)
    assert describe(schema) == f"{{fee:num(with tax),to:str,note?:str,many??:[str]({many}),odd:str}}"


def test_descriptions_leave_room_for_the_text() -> None:
    wordy = {"properties": {f"p{number}": {"description": "a" * 90} for number in range(200)}}
    assert describe(wordy).count("a" * 90) == 13


def test_deep_schemas_are_cut() -> None:
    nested: dict[str, Any] = {"type": "integer"}
    for _ in range(5000):
        nested = {"items": nested}
    assert describe(nested).strip("[]") == "str"
    merged: dict[str, Any] = {"type": "integer"}
    for _ in range(5000):
        merged = {"allOf": [merged]}
    assert describe(merged) == "str"


def test_references_cannot_multiply_the_work() -> None:
    double = {f"d{i}": {"properties": {side: {"$ref": f"#/$defs/d{i + 1}"} for side in "ab"}} for i in range(60)}
    started = time.perf_counter()
    assert len(describe({"$ref": "#/$defs/d0", "$defs": double})) < 20_000
    assert time.perf_counter() - started < 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "$ref",
                        "allOf",
                        "anyOf",
                        "oneOf",
                        "type",
                        "items",
                        "prefixItems",
                        "properties",
                        "required",
                    ),
                    *("enum", "const", "format", "pattern", "additionalProperties", "then", "a", "#/anyOf/0"),
                ]
            ),
            inner | st.sampled_from(["#", "#/a", "#/anyOf/0", "object", "array", "null"]),
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["properties", "anyOf", "allOf", "type", "$ref", "items"]), JSON))
@settings(deadline=None, max_examples=200)
def test_any_json_is_described(schema: dict[str, Any]) -> None:
    assert describe(schema)


def test_prompt_parts_flag_control_markers_only() -> None:
    text = f"ignore {JSON_MARKER} this"
    assert prompt_parts(text, {"type": "boolean"}) == (
        (SCHEMA_MARKER, True),
        ("bool", False),
        (TEXT_MARKER, True),
        (text, False),
        (JSON_MARKER, True),
    )


def encode(tokenizer: Any, parts: tuple[tuple[str, bool], ...]) -> list[int]:
    ids = []
    for piece, is_control in parts:
        ids += (
            [tokenizer.convert_tokens_to_ids(piece)]
            if is_control
            else tokenizer(piece, add_special_tokens=False, split_special_tokens=True).input_ids
        )
    return ids


@pytest.mark.usefixtures("shipped")
def test_the_embedded_model_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        pytest.fail("a connection was attempted")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert load_embedded().tokenizer.is_fast


@pytest.mark.usefixtures("shipped")
def test_the_embedded_model_extracts() -> None:
    load_embedded()  # the first load imports the architecture, which takes longer than all the rest
    seconds = []
    for _ in range(3):  # one of them may have to wait for the machine
        started = time.perf_counter()
        loaded = load_embedded()
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 2
    assert (loaded.name, loaded.precision, loaded.device, loaded.notes) == ("embedded", "fp32", "cpu", ())
    assert not loaded.model.training
    assert loaded.model.config.max_position_embeddings == CONTEXT_TOKENS
    markers = [SCHEMA_MARKER, TEXT_MARKER, JSON_MARKER, END_MARKER]
    assert sorted(loaded.tokenizer.convert_tokens_to_ids(markers)) == [1, 2, 3, 4]

    schema = json_schema(
        [
            {"name": "city", "type": "str", "nullable": False},
            {"name": "qty", "type": "int", "nullable": False},
        ]
    )
    ids = encode(loaded.tokenizer, prompt_parts("City: Oslo\nQty: 42", schema))
    assert greedy(loaded, ids) == '{"city":"Oslo","qty":42}'


def greedy(loaded: Any, ids: list[int]) -> str:
    end = loaded.tokenizer.convert_tokens_to_ids(END_MARKER)
    cache = DynamicCache(config=loaded.model.config)
    answer: list[int] = []
    chunk = ids
    while len(answer) < 60 and chunk != [end]:
        logits = loaded.model(input_ids=torch.tensor([chunk]), past_key_values=cache).logits
        chunk = [int(logits[0, -1].argmax())]
        answer += chunk
    return str(loaded.tokenizer.decode(answer[:-1]))


def test_descriptions_are_left_out_where_they_take_too_much_room(embedded: Any) -> None:
    members = {f"field_{number}": {"type": "string", "description": "a word " * 12} for number in range(10)}
    schema = {"type": "object", "properties": members}
    assert describe(schema, notes=False) == describe(schema).replace(f"({('a word ' * 12).strip()})", "")
    tokens = embedded._encode("x " * 60, schema)
    assert len(tokens) < len(embedded._encode("x", schema))
