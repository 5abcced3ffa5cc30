"""Turns: thoughts, headers, answers and calls, and that they always end within the budget."""

from __future__ import annotations

from typing import Any

import pytest

from harmony_gen import BudgetError, Done, FieldDone, Generator, ReasoningDelta, Result, Sampling, TextDelta, ToolCall
from support import turns

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 8}, "ok": {"type": "boolean"}},
    "required": ["name", "ok"],
    "additionalProperties": False,
}
SAMPLING = Sampling(temperature=1.5, seed=3)


def weather(city: str, days: int = 3) -> str:
    """The weather of a city."""
    return f"{city}: {days} sunny days"


ALARM = {"name": "alarm", "parameters": {"properties": {"loud": {"type": "boolean"}}, "required": ["loud"]}}
FORMATS = {
    "plain": (turns.PLAIN, ()),
    "think, control tokens": (turns.THINK, ("<think>", "</think>")),
    "think, plain text": (turns.THINK, ()),
    "think, begun by the template": (turns.OPENS, ()),
    "harmony": (turns.HARMONY, turns.HARMONY_TOKENS),
}
THINKING = [name for name in FORMATS if name != "plain"]


@pytest.fixture(scope="module", params=FORMATS)
def generator(request: pytest.FixtureRequest) -> Generator:
    return turns.generator(*FORMATS[request.param])


@pytest.fixture(scope="module", params=THINKING)
def thinker(request: pytest.FixtureRequest) -> Generator:
    return turns.generator(*FORMATS[request.param])


def written(generator: Generator, result: Result[Any]) -> str:
    return str(generator._tokenizer.decode(list(result.tokens)))


def test_an_answer_without_thoughts(generator: Generator) -> None:
    result = generator.generate("hello", SCHEMA, sampling=SAMPLING)
    assert set(result.value) == {"name", "ok"}
    assert result.reasoning is None
    assert result.preamble is None
    assert generator._format.name in ("plain", "think", "harmony")


def test_thoughts_stay_within_their_limit(thinker: Generator) -> None:
    for limit in (1, 7, 40):
        result = thinker.generate("hello", SCHEMA, sampling=SAMPLING, reasoning=limit)
        assert set(result.value) == {"name", "ok"}
        assert result.reasoning is not None
        thoughts = thinker._vocabulary.encode_bytes(result.reasoning.encode())
        assert len(result.tokens) > len(thoughts)
        start = written(thinker, result).index(result.text)
        assert written(thinker, result)[:start].count(result.reasoning) == 1
        most = limit + 4 + len(thinker._vocabulary.encode_bytes(b"</think>"))
        inside = [token for token in result.tokens if token in thoughts]
        assert len(thoughts) <= most or len(inside) <= most


def test_the_turn_reads_as_its_format_says() -> None:
    result = (tags := turns.generator(*FORMATS["think, control tokens"])).generate("x", SCHEMA, reasoning=5)
    assert written(tags, result) == f"<think>\n{result.reasoning}</think>\n\n{result.text}<|end|>"
    result = (begun := turns.generator(*FORMATS["think, begun by the template"])).generate("x", SCHEMA, reasoning=5)
    assert written(begun, result) == f"{result.reasoning}</think>\n\n{result.text}<|end|>"
    assert written(begun, none := begun.generate("x", SCHEMA)) == f"</think>\n\n{none.text}<|end|>"
    harmony = turns.generator(*FORMATS["harmony"])
    result = harmony.generate("x", SCHEMA, reasoning=5)
    assert written(harmony, result) == (
        f"<|channel|>analysis<|message|>{result.reasoning}<|end|><|start|>assistant"
        f"<|channel|>final<|message|>{result.text}<|return|>"
    )


def test_every_budget_from_the_shortest_turn_on_is_kept(thinker: Generator) -> None:
    for reasoning in (0, 10):
        with pytest.raises(BudgetError) as caught:
            thinker.generate("x", SCHEMA, max_new_tokens=1, reasoning=reasoning, tools=[ALARM])
        least = caught.value.needed
        with pytest.raises(BudgetError):
            thinker.generate("x", SCHEMA, max_new_tokens=least - 1, reasoning=reasoning, tools=[ALARM])
        for more in (0, 1, 5, 17, 60):
            for seed in range(3):
                sampling = Sampling(temperature=3.0, seed=seed)
                result = thinker.generate(
                    "x", SCHEMA, max_new_tokens=least + more, reasoning=reasoning, tools=[ALARM], sampling=sampling
                )
                assert len(result.tokens) <= least + more
                if isinstance(result.value, ToolCall):
                    assert set(result.value.arguments) >= {"loud"}
                else:
                    assert set(result.value) == {"name", "ok"}


def test_a_stream_gives_thoughts_and_text(thinker: Generator) -> None:
    options: dict[str, Any] = {"sampling": SAMPLING, "reasoning": 12}
    events = list(thinker.stream("hello", SCHEMA, **options))
    result = thinker.generate("hello", SCHEMA, **options)
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == result.reasoning
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == result.text
    assert [event.pointer for event in events if isinstance(event, FieldDone)] == ["/name", "/ok", ""]
    assert isinstance(events[-1], Done)
    assert events[-1].result.tokens == result.tokens
    assert list(result.fields) == ["/name", "/ok"]
    assert all(result.text[slice(*field.text_span)] for field in result.fields.values())


def test_a_batch_writes_what_each_row_writes_alone(thinker: Generator) -> None:
    prompts = ["hello", "a longer prompt about the weather", "x"]
    options: dict[str, Any] = {"sampling": SAMPLING, "reasoning": 9, "tools": [weather], "max_new_tokens": 80}
    together = thinker.generate_batch(prompts, SCHEMA, **options)
    alone = [thinker.generate(prompt, SCHEMA, **options) for prompt in prompts]
    assert [row.tokens for row in together if isinstance(row, Result)] == [row.tokens for row in alone]


def test_a_tool_must_be_called_where_there_is_no_schema(generator: Generator) -> None:
    called = set()
    for seed in range(6):
        sampling = Sampling(temperature=2.0, seed=seed)
        result = generator.generate("x", None, tools=[weather, ALARM], sampling=sampling, max_new_tokens=90)
        assert isinstance(result.value, ToolCall)
        called.add(result.value.name)
        if result.value.name == "weather":
            assert weather(**result.value.arguments).endswith("sunny days")
        else:
            assert isinstance(result.value.arguments["loud"], bool)
    assert called <= {"weather", "alarm"}


def test_a_tool_may_be_called_instead_of_an_answer(generator: Generator) -> None:
    kinds = set()
    for seed in range(40):
        sampling = Sampling(temperature=8.0, seed=seed)
        value = generator.generate("x", SCHEMA, tools=[ALARM], sampling=sampling, max_new_tokens=60).value
        kinds.add(type(value))
    assert ToolCall in kinds
    assert dict in kinds


def test_every_documented_header_of_a_call_is_reachable() -> None:
    generator = turns.generator(*FORMATS["harmony"])
    found = set()
    for seed in range(120):
        sampling = Sampling(temperature=30.0, seed=seed)
        result = generator.generate("x", None, tools=[ALARM], sampling=sampling, max_new_tokens=45)
        text = written(generator, result)
        assert text.endswith(f"<|message|>{result.text}<|call|>")
        if result.preamble is None:
            found.add(text.removesuffix(f"<|message|>{result.text}<|call|>"))
        else:
            assert text.startswith(f"<|channel|>commentary<|message|>{result.preamble}<|end|><|start|>assistant")
    channel, recipient = "<|channel|>commentary", " to=functions.alarm"
    kinds = ("", " json", " <|constrain|>json", "<|constrain|>json")
    assert found == {start + kind for start in (channel + recipient, recipient + channel) for kind in kinds}


def test_calls_between_tags_read_as_templates_write_them() -> None:
    generator = turns.generator(*FORMATS["think, control tokens"])
    result = generator.generate("x", None, tools=[ALARM])
    expected = f'<tool_call>\n{{"name":"alarm","arguments":{result.text}}}\n</tool_call><|end|>'
    assert written(generator, result) == expected
