"""The law: a rule refuses a text, at some byte of it, exactly if Pydantic refuses the whole."""

import dataclasses
import datetime as dt
import enum
import json
import uuid
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, Optional

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WrapValidator
from typing_extensions import TypeAliasType, TypedDict

from harmony_gen import Rejection, Schema
from harmony_gen.schema.pydantic_rule import PydanticRule
from harmony_gen.schema.scanner import Scan


def first_rejection(kind: Any, text: str) -> tuple[str, Rejection] | None:
    """Writes a text byte by byte; what was written and the rejection, or None."""
    rule, scan, data = PydanticRule(pydantic.TypeAdapter(kind)), Scan(), text.encode()
    for end in range(1, len(data) + 1):
        scan, closed = scan.feed(data[end - 1 : end])
        rejection = rule.rejects(data[:end], scan, closed)
        if rejection is not None:
            return data[:end].decode(), rejection
    rejection = rule.rejects(data, *scan.end())
    return None if rejection is None else (text, rejection)


def accepts(kind: Any, text: str) -> bool:
    """Whether a rule lets a text pass; fails unless it says so exactly where Pydantic does."""
    passes = first_rejection(kind, text) is None
    try:
        pydantic.TypeAdapter(kind).validate_json(text)
    except Exception:  # noqa: BLE001 - the validators here raise anything
        valid = False
    else:
        valid = True
    assert passes is valid
    return passes


def even(number: int) -> int:
    assert number % 2 == 0, "odd"
    return number


def below_limit(number: int, info: pydantic.ValidationInfo) -> int:
    if number > info.data["limit"]:
        raise ValueError("over the limit")
    return number


Even = Annotated[int, AfterValidator(even)]
Below = Annotated[int, AfterValidator(below_limit)]


class Invoice(BaseModel):
    """Field validators that read earlier fields, some of which may be left out."""

    currency: str = "EUR"
    limit: int = 10
    total: Below
    parts: list[Below] = []
    note: str | None = None

    @pydantic.field_validator("note")
    @classmethod
    def _note(cls, note: str | None, info: pydantic.ValidationInfo) -> str | None:
        if note == info.data["currency"]:
            raise KeyError("note is the currency")
        return note

    @pydantic.model_validator(mode="after")
    def _sum(self) -> "Invoice":
        if self.parts and sum(self.parts) != self.total:
            raise ValueError("the parts do not sum up")
        return self


@given(
    st.fixed_dictionaries(
        {"total": st.integers(8, 12)},
        optional={
            "currency": st.sampled_from(["EUR", "x"]),
            "limit": st.integers(9, 12),
            "parts": st.lists(st.integers(3, 12), max_size=2),
            "note": st.sampled_from([None, "EUR", "x"]),
        },
    )
)
def test_validators_see_the_fields_before_them_and_the_defaults(value: dict[str, Any]) -> None:
    names = [name for name in Invoice.model_fields if name in value]
    accepts(Invoice, json.dumps({name: value[name] for name in names}))
    accepts(list[Invoice], json.dumps([{name: value[name] for name in names}]))


@pytest.mark.parametrize(
    ("text", "written", "pointer", "reason"),
    [
        ('{"total":11,"note":"a"}', '{"total":11,', "/total", "over the limit"),
        ('{"limit":1,"total":2,"note":"a"}', '{"limit":1,"total":2,', "/total", "over the limit"),
        ('{"total":9,"parts":[11],"note":"a"}', '{"total":9,"parts":[11]', "/parts", "over the limit"),
        ('{"total":9,"note":"EUR"}', '{"total":9,"note":"EUR"', "/note", "KeyError"),
        ('{"total":9,"parts":[4]}', '{"total":9,"parts":[4]}', "", "do not sum up"),
    ],
)
def test_a_value_is_refused_as_it_closes(text: str, written: str, pointer: str, reason: str) -> None:
    found = first_rejection(Invoice, text)
    assert found is not None
    assert found[0] == written
    assert found[1].pointer == pointer
    assert reason in found[1].reason
    assert text.encode()[found[1].start :].startswith(found[1].text.encode())


class Stripped(BaseModel):
    """A configuration that changes what the validators see."""

    model_config = ConfigDict(str_strip_whitespace=True, str_to_lower=True)
    name: str
    tags: list[Annotated[str, AfterValidator(lambda tag: tag if tag in ("a", "b") else 1 / 0)]] = []

    @pydantic.field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        assert name == name.strip().lower()
        return name


class Lax(BaseModel):
    """Inside a strict model a model is as lax as it says."""

    n: int


class Strict(BaseModel):
    """Refuses what has to be converted."""

    model_config = ConfigDict(strict=True)
    n: int
    inner: list[Lax] = []
    numbers: list[int] = []


def test_configurations_count() -> None:
    assert accepts(Stripped, '{"name":" AB ","tags":[" A","b "]}')
    assert not accepts(Stripped, '{"name":"x","tags":["c"]}')
    assert accepts(Strict, '{"n":1,"inner":[{"n":"1"}],"numbers":[1]}')
    assert not accepts(Strict, '{"n":"1"}')
    found = first_rejection(Strict, '{"n":1,"numbers":["1"],"inner":[]}')
    assert found is not None
    assert found[0] == '{"n":1,"numbers":["1"'


class Before(BaseModel):
    """A validator that reads the whole input before the fields do."""

    a: int

    @pydantic.model_validator(mode="before")
    @classmethod
    def _swap(cls, data: Any) -> Any:
        return {"a": data["b"]} if isinstance(data, dict) and "b" in data else data


class Wrapped(BaseModel):
    """A validator around all others that forgives."""

    a: Even

    @pydantic.model_validator(mode="wrap")
    @classmethod
    def _forgive(cls, data: Any, handler: Any) -> Any:
        return cls.model_construct(a=0) if data == {"a": 1} else handler(data)


@pytest.mark.parametrize("kind", [Before, Wrapped, list[Before], dict[str, Wrapped]])
@given(st.sampled_from(["a", "b"]), st.integers(0, 4))
def test_before_and_wrap_validators_of_models(kind: Any, key: str, number: int) -> None:
    value: Any = {key: number}
    if kind is not Before and kind is not Wrapped:
        value = [value] if kind == list[Before] else {"k": value}
    accepts(kind, json.dumps(value))


class Node(BaseModel):
    """A tree."""

    value: Even
    children: list["Node"] = []
    next: Optional["Node"] = None
    by_name: dict[str, "Node"] = {}


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    tree: dict[str, Any] = {"value": draw(st.sampled_from([0, 2, 4, 6, 1]))}
    inner = trees(depth - 1) if depth else st.nothing()
    if depth and draw(st.booleans()):
        tree["children"] = draw(st.lists(inner, max_size=2))
    if depth and draw(st.booleans()):
        tree["next"] = draw(st.none() | inner)
    if depth and draw(st.booleans()):
        tree["by_name"] = draw(st.dictionaries(st.sampled_from("ab"), inner, max_size=1))
    return tree


@given(trees())
def test_recursive_models(tree: dict[str, Any]) -> None:
    text = json.dumps(tree, separators=(",", ":"))
    if not accepts(Node, text):
        found = first_rejection(Node, text)
        assert found is not None
        assert found[0][:-1].endswith(":1")  # as the first odd value closes
        assert found[0][:-1].count(":1") == 1


Tree = TypeAliasType("Tree", "Even | list[Tree]")  # type: ignore[misc]


@dataclasses.dataclass
class Plain:
    """A standard dataclass."""

    limit: int
    n: Below = 0


@pydantic.dataclasses.dataclass
class Checked:
    """A dataclass with validators."""

    limit: int
    n: int = 0
    inner: list[Plain] = dataclasses.field(default_factory=list)

    @pydantic.field_validator("n")
    @classmethod
    def _n(cls, n: int, info: pydantic.ValidationInfo) -> int:
        return below_limit(n, info)

    @pydantic.model_validator(mode="after")
    def _not_equal(self) -> "Checked":
        assert self.n != self.limit
        return self


class Row(TypedDict):
    """A typed dictionary."""

    limit: int
    n: NotRequired[Below]


class Branch(TypedDict):
    """A recursive typed dictionary."""

    limit: int
    n: NotRequired[Below]
    inner: NotRequired[list["Branch"]]


class Numbers(pydantic.RootModel[list[Even]]):
    """A root model with validators."""

    @pydantic.model_validator(mode="after")
    def _few(self) -> "Numbers":
        assert len(self.root) < 3
        return self


class Renamed(BaseModel):
    """Keys that are not the names of fields."""

    model_config = ConfigDict(extra="forbid")
    a: Even = Field(alias="the a")
    b: Even = Field(validation_alias=pydantic.AliasChoices("b1", "b2"), default=0)
    c: int = Field(validation_alias=pydantic.AliasPath("c", 0), default=0)


class Open(BaseModel):
    """Takes other keys too."""

    model_config = ConfigDict(extra="allow")
    a: int
    __pydantic_extra__: dict[str, Even]


class Cat(BaseModel):
    """One of a union."""

    kind: Literal["cat"]
    lives: Even


class Dog(BaseModel):
    """Another."""

    kind: Literal["dog"]
    age: Annotated[int, AfterValidator(lambda age: age if age < 9 else {}["old"])]


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Colour(enum.Enum):
    """An enum."""

    RED = "red"
    ONE = 1


class Typed(BaseModel):
    """Types that read strings."""

    amount: Annotated[Decimal, AfterValidator(lambda amount: amount if amount < 3 else int("x"))] = Decimal(1)
    when: dt.datetime | None = None
    colour: Colour = Colour.RED
    id: uuid.UUID | None = None
    email: pydantic.EmailStr | None = None


def explode(value: Any) -> Any:
    errors = [
        None,
        KeyError("k"),
        RuntimeError("r"),
        StopIteration(),
        RecursionError(),
        OSError("o"),
        Exception(),
    ]
    if isinstance(value, int) and 0 < value < len(errors):
        raise errors[value]  # type: ignore[misc]
    return value


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Even, ["2"], ["1"]),
        (
            Annotated[int, BeforeValidator(lambda v: v["x"] if isinstance(v, dict) else v)],
            ["1", '{"x":1}'],
            ['{"y":1}'],
        ),
        (Annotated[int, WrapValidator(lambda v, handler: handler(v) if v != 3 else 3 / 0)], ["1"], ["3"]),
        (list[Even], ["[]", "[2,4]"], ["[2,3,4]"]),
        (set[Even], ["[2,2]"], ["[2,3]"]),
        (dict[str, list[Even]], ['{"a":[2]}'], ['{"a":[2],"b":[3]}']),
        (
            dict[Annotated[str, AfterValidator(lambda key: key or 1 / 0)], int],
            ['{"a":1}'],
            ['{"":1}'],
        ),
        (tuple[int, Even], ["[1,2]"], ["[2,1]", "[2,2,2]"]),
        (tuple[Even, ...], ["[2,2,2]"], ["[2,1]"]),
        (Even | None, ["null", "2"], ["1"]),
        (Even | list[Even], ["2", "[2]"], ["1", "[1]"]),
        (Tree, ["2", "[[2],[]]"], ["1", "[[1]]"]),
        (Plain, ['{"limit":1,"n":1}', '{"limit":1}'], ['{"limit":1,"n":2}']),
        (
            Checked,
            ['{"limit":3,"n":1,"inner":[{"limit":1,"n":1}]}', '{"limit":3}'],
            ['{"limit":3,"n":4}', '{"limit":3,"n":3}', '{"limit":3,"inner":[{"limit":1,"n":2}]}'],
        ),
        (Row, ['{"limit":3,"n":1}', '{"limit":3}'], ['{"limit":3,"n":4}']),
        (
            Branch,
            ['{"limit":3,"n":1,"inner":[{"limit":1,"n":1,"inner":[]}]}'],
            ['{"limit":3,"n":4}', '{"limit":3,"inner":[{"limit":1,"n":2}]}'],
        ),
        (list[Row], ['[{"limit":3,"n":1}]'], ['[{"limit":3,"n":4}]']),
        (Numbers, ["[2,4]"], ["[1]", "[2,2,2]"]),
        (dict[str, Numbers], ['{"a":[2,4]}'], ['{"a":[1]}']),
        (
            Renamed,
            ['{"the a":2,"b1":2}', '{"the a":2,"b2":2}', '{"the a":2,"c":[7]}', '{"the a":2}'],
            [
                '{"the a":1}',
                '{"the a":2,"b1":1}',
                '{"the a":2,"b2":1}',
                '{"the a":2,"x":1}',
                '{"the a":2,"c":["x"]}',
            ],
        ),
        (Open, ['{"a":1,"x":2}', '{"x":2,"a":1}'], ['{"a":1,"x":1}', '{"x":1,"a":1}']),
        (
            Pet,
            ['{"kind":"cat","lives":2}', '{"kind":"dog","age":1}'],
            ['{"kind":"cat","lives":1}', '{"kind":"dog","age":9}'],
        ),
        (list[Pet], ['[{"kind":"dog","age":1}]'], ['[{"kind":"dog","age":9}]']),
        (
            Typed,
            [
                '{"amount":"1.5"}',
                '{"amount":1.5,"when":"2024-02-29T00:00:00Z","colour":1}',
                '{"email":"a@b.de"}',
            ],
            [
                '{"amount":3}',
                '{"when":"2023-02-29T00:00:00Z"}',
                '{"colour":"blue"}',
                '{"id":"x"}',
                '{"email":"a@b"}',
            ],
        ),
        (list[Annotated[int, AfterValidator(explode)]], ["[0,7]"], [f"[{n}]" for n in range(1, 7)]),
        (pydantic.Json[list[int]], ['"[1]"'], ['"["']),
    ],
)
def test_every_kind_of_type_is_judged_as_by_pydantic(kind: Any, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not accepts(kind, text)] == []
    assert [text for text in bad if accepts(kind, text)] == []


@pytest.mark.parametrize(
    ("kind", "text", "written"),
    [
        (list[Even], "[2,3,4]", "[2,3,"),
        (dict[str, list[Even]], '{"a":[1,2],"b":[]}', '{"a":[1,'),
        (tuple[int, Even], "[1,1]", "[1,1]"),
        (Checked, '{"limit":3,"n":4,"inner":[]}', '{"limit":3,"n":4,'),
        (Row, '{"limit":3,"n":4}', '{"limit":3,"n":4}'),
        (
            Branch,
            '{"limit":3,"inner":[{"limit":1,"n":2,"inner":[]}]}',
            '{"limit":3,"inner":[{"limit":1,"n":2,',
        ),
        (Numbers, "[2,1,2]", "[2,1,"),
        (Renamed, '{"the a":1,"b1":2}', '{"the a":1,'),
        (list[Pet], '[{"kind":"cat","lives":1},{"kind":"cat","lives":2}]', '[{"kind":"cat","lives":1}'),
        (Invoice, '{"total":9,"parts":[4,11,4]}', '{"total":9,"parts":[4,11,4]'),
    ],
)
def test_a_refusal_comes_as_early_as_it_is_certain(kind: Any, text: str, written: str) -> None:
    found = first_rejection(kind, text)
    assert found is not None
    assert found[0] == written


class Borrowing(BaseModel):
    """List items of a recursive type whose validator reads the model around it."""

    limit: int
    items: list[Annotated[Node, AfterValidator(lambda node, info: below_limit(node.value, info) and node)]] = []


def test_items_that_read_the_model_around_them_wait_for_it() -> None:
    assert accepts(Borrowing, '{"limit":3,"items":[{"value":2,"children":[{"value":4}]}]}')
    assert not accepts(Borrowing, '{"limit":3,"items":[{"value":4}]}')
    assert not accepts(Borrowing, '{"limit":3,"items":[{"value":1}]}')


class Lookaround(BaseModel):
    """A pattern that only the configured engine can compile."""

    model_config = ConfigDict(regex_engine="python-re")
    codes: list[Annotated[str, Field(pattern=r"^(?=a)\w+$")]]


def test_a_part_is_compiled_as_its_model_says() -> None:
    found = first_rejection(Lookaround, '{"codes":["b","a"]}')
    assert found is not None
    assert found[0] == '{"codes":["b"'
    assert accepts(Lookaround, '{"codes":["ab"]}')


def test_a_part_that_is_no_schema_alone_is_left_to_the_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = PydanticRule(pydantic.TypeAdapter(list[Even]))

    def refuse(*_: object) -> None:
        raise pydantic_core.SchemaError("not on its own")

    import pydantic_core

    monkeypatch.setattr(pydantic_core, "SchemaValidator", refuse)
    scan, closed = Scan().feed(b"[1,")
    assert rule.rejects(b"[1,", scan, closed) is None


def test_an_interrupt_is_not_a_refusal() -> None:
    def interrupt(value: int) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first_rejection(Annotated[int, AfterValidator(interrupt)], "1")


@pytest.mark.parametrize("kind", [Invoice, Stripped, Node, Plain, Checked, Row, Numbers, Open, Pet, Typed, list[Even]])
def test_a_witness_keeps_the_rule(kind: Any) -> None:
    schema = Schema.of(kind)
    text = schema.witness()
    assert accepts(kind, text)
    assert schema.accepts(text.encode())
    assert schema.validate(text) == pydantic.TypeAdapter(kind).validate_json(text)
