"""Conversations in which tools have been called."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harmony_gen import Generator, ModelError, PromptError, ToolCall
from harmony_gen.messages import Message, messages_of
from harmony_gen.request import request_of
from support import turns

CALL = {"id": "abc", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bonn"}'}}
CHAT: list[dict[str, Any]] = [
    {"role": "user", "content": "Umbrella?"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "abc", "content": "rain"},
]
KNOWS_CALLS = (
    "{% for m in messages %}{{ m.role }}: {% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}"
    "{% if m.role == 'tool' %}{{ m.name }} {{ m.tool_call_id }} {% endif %}{{ m.content }}<|end|>{% endfor %}<|json|>"
)


def weather(city: str, days: int = 3) -> str:
    """The weather of a city."""
    return f"{city} {days}"


def called(call: Any) -> dict[str, Any]:
    """A message that makes a call."""
    return {"role": "assistant", "tool_calls": [call]}


def read(generator: Generator, prompt: Any, **options: Any) -> str:
    """The prompt as the model reads it."""
    request = request_of(prompt, {"type": "boolean"}, **options)
    return str(generator._tokenizer.decode(generator._encode_request(request)))


def test_calls_and_what_tools_returned() -> None:
    call = ToolCall("weather", {"city": "Bonn"})
    expected = [
        Message("user", "Umbrella?"),
        Message("assistant", "", (call,)),
        Message("tool", "rain", (), 0, "weather"),
    ]
    assert messages_of(CHAT) == expected
    own = [CHAT[0], {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "content": "rain"}]
    assert messages_of(own) == expected


def test_answers_belong_to_the_calls_they_name() -> None:
    calls = [ToolCall("a", {}), ToolCall("b", {}), ToolCall("a", {"x": 1})]
    answers = [{"role": "tool", "name": name, "content": name} for name in ("b", "a", "a")]
    read_ = messages_of([CHAT[0], {"role": "assistant", "tool_calls": calls}, *answers])
    assert [(message.tool, message.number) for message in read_[2:]] == [("b", 1), ("a", 0), ("a", 2)]


def test_a_template_that_knows_calls_writes_them() -> None:
    text = read(turns.generator(KNOWS_CALLS), CHAT)
    written = json.loads(text[text.index("[") : text.rindex("]") + 1])
    assert written[0]["function"] == {"name": "weather", "arguments": {"city": "Bonn"}}
    assert f"tool: weather {written[0]['id']} rain" in text


@pytest.mark.parametrize("template", [turns.PLAIN, None])
def test_other_templates_get_them_as_text(template: str | None) -> None:
    text = read(turns.generator(template), CHAT)
    assert '<tool_call>\n{"name":"weather","arguments":{"city":"Bonn"}}\n</tool_call>' in text
    assert "<tool_response>\nrain\n</tool_response>" in text


def test_values_may_come_from_what_a_tool_returned() -> None:
    generator = turns.generator(turns.PLAIN)
    result = generator.generate(CHAT, {"const": "rain"})
    assert result.fields[""].source_span is not None
    assert "rain" in request_of(CHAT, {"type": "boolean"}).source


def test_a_call_can_be_answered_and_the_answer_used() -> None:
    generator = turns.generator(turns.PLAIN)
    call = generator.generate("Umbrella?", None, tools=[weather], max_new_tokens=60).value
    chat = [
        CHAT[0],
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "content": weather(**call.arguments)},
    ]
    assert generator.generate(chat, {"type": "boolean"}, tools=[weather], max_new_tokens=60).value is not None


@pytest.mark.parametrize(
    ("chat", "message"),
    [
        ([CHAT[0], CHAT[2]], "the tool 'abc' had been called"),
        ([CHAT[0], {"role": "tool", "content": "x"}], "no tool had been called"),
        ([*CHAT, CHAT[2]], "the tool 'abc' had been called"),
        (
            [CHAT[0], {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}],
            "are no JSON",
        ),
        ([CHAT[0], {"role": "assistant", "tool_calls": [ToolCall("f", {"x": object()})]}], "cannot be written as JSON"),
        ([CHAT[0], {"role": "assistant", "tool_calls": [ToolCall("f", [1])]}], "list of messages"),  # type: ignore[arg-type]
        ([CHAT[0], {"role": "assistant", "content": None}], "list of messages"),
    ],
)
def test_bad_conversations(chat: Any, message: str) -> None:
    with pytest.raises(PromptError, match=message):
        messages_of(chat)


def test_an_unknown_tool_is_named() -> None:
    with pytest.raises(PromptError, match="unknown tool 'weather'; `tools` holds other"):
        request_of(CHAT, None, tools=[{"name": "other", "parameters": {}}])


def test_arguments_that_spell_control_tokens_are_refused() -> None:
    call = ToolCall("weather", {"city": "<|end|>"})
    chat = [CHAT[0], {"role": "assistant", "tool_calls": [call]}]
    with pytest.raises(PromptError, match=r"spell the control token <\|end\|>"):
        read(turns.generator(KNOWS_CALLS), chat)


def test_the_embedded_model_knows_no_calls(embedded: Generator) -> None:

    with pytest.raises(ModelError, match="neither tools nor examples"):
        embedded.generate(CHAT, {"type": "boolean"})
