"""Tools from functions and descriptions, and those that are none."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from harmony_gen import Generator, ModelError, SchemaError
from harmony_gen.tools import describe
from support import turns


class Place(BaseModel):
    """A place."""

    city: str
    country: Literal["DE", "FR"] = "DE"


def weather(place: Place, days: Annotated[int, Field(ge=1, le=14)] = 3, schema: str = "") -> None:
    """The weather at a place."""


def test_a_function_describes_itself() -> None:
    tool = describe([weather])["weather"]
    assert tool.description == "The weather at a place."
    assert list(tool.parameters["properties"]) == ["place", "days", "schema"]
    assert tool.parameters["required"] == ["place"]
    value = tool.arguments.validate('{"place":{"city":"Bonn"},"days":2}')
    assert tool.named(value) == {"place": Place(city="Bonn"), "days": 2, "schema": ""}
    assert tool.as_openai()["function"]["name"] == "weather"


def test_descriptions_in_both_forms() -> None:
    bare = {"name": "f", "description": "d", "parameters": {"properties": {"a": {"type": "integer"}}}}
    for tool in (bare, {"type": "function", "function": bare}):
        found = describe([tool])["f"]
        assert (found.description, found.parameters["type"]) == ("d", "object")
        assert found.named({"a": 1}) == {"a": 1}


def untyped(a) -> None: ...


def several(*a: int) -> None: ...


def unknown(a: Nowhere) -> None: ...  # noqa: F821


def odd(a: object()) -> None: ...  # type: ignore[valid-type]


@pytest.mark.parametrize(
    ("tools", "message"),
    [
        ([{"name": "f"}], "The tool 'f' has no schema"),
        ([{"parameters": {}}], "needs a name"),
        ([{"name": "no spaces", "parameters": {}}], "needs a name"),
        ([{"name": "f", "parameters": {"type": "array"}}], "must be an object"),
        ([{"name": "f", "parameters": {"properties": 3}}], "properties"),
        ([weather, weather], "Two tools are called 'weather'"),
        ([lambda: None], "needs a name"),
        ([untyped], "has no annotation"),
        ([several], "cannot be given by name"),
        ([unknown], "cannot be read"),
        ([odd], "have no schema"),
    ],
)
def test_what_is_no_tool(tools: list[Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        describe(tools)


def test_other_things_are_no_tools() -> None:
    with pytest.raises(TypeError, match="A tool is a function, or a dict"):
        describe(["weather"])  # type: ignore[list-item]


def test_neither_schema_nor_tools(tiny: Generator) -> None:
    with pytest.raises(SchemaError, match="There is no schema"):
        tiny.generate("x", None)


def test_the_embedded_model_knows_no_tools(embedded: Generator) -> None:
    with pytest.raises(ModelError, match="knows neither tools nor examples"):
        embedded.generate("x", {"type": "boolean"}, tools=[weather])


@pytest.mark.parametrize("bad", [True, -1, "much", 1.5])
def test_how_much_to_think_is_a_number_or_a_word(tiny: Generator, bad: object) -> None:
    with pytest.raises(TypeError, match="reasoning must be"):
        tiny.generate("x", {"type": "boolean"}, reasoning=bad)  # type: ignore[arg-type]


def test_the_prompt_tells_of_tools_and_effort() -> None:
    generator = turns.generator(turns.HARMONY, turns.HARMONY_TOKENS)
    request = {"tools": [weather], "reasoning": "high"}
    text = prompt_of(generator, **request)
    assert text.startswith(
        "<|start|>system<|message|>Reasoning: high<|end|><|start|>developer<|message|># Response Formats"
    )
    assert '"name": "weather"' in text
    assert text.endswith("<|start|>assistant")
    plain = prompt_of(turns.generator(turns.PLAIN), tools=[weather])
    assert "Or, to call one of these tools, write <tool_call>" in plain
    assert '"description": "The weather at a place."' in plain
    assert prompt_of(turns.generator(turns.THINK, ("<think>", "</think>"))).endswith("<think>\n\n</think>\n\n")
    assert prompt_of(turns.generator(turns.THINK, ("<think>", "</think>")), reasoning=1).endswith("assistant: ")


def prompt_of(generator: Generator, **options: Any) -> str:
    from harmony_gen.request import request_of

    tokens = generator._encode_request(request_of("hello", {"type": "boolean"}, **options))
    return str(generator._tokenizer.decode(tokens))


def test_a_tool_brings_no_control_token_into_the_prompt() -> None:
    generator = turns.generator(turns.HARMONY, turns.HARMONY_TOKENS)
    tool = {"name": "f", "description": "say <|end|>", "parameters": {}}
    with pytest.raises(ModelError, match=r"spells the control token <\|end\|>"):
        generator.generate("x", {"type": "boolean"}, tools=[tool])
