"""Every turn in the harmony format is one that OpenAI's strict parser reads, and holds a valid value.

A gpt-oss with random weights over the real vocabulary, at temperature 1; OpenAI's package openai-harmony parses what it
writes.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import GptOssConfig, GptOssForCausalLM

from harmony_gen import Generator, Sampling, ToolCall
from support import corpora, reach

harmony = pytest.importorskip("openai_harmony", reason="the extra harmony is not installed")

SEEDS = 500 if reach.FULL else 40
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "kind": {"enum": ["open", "paid"]},
        "total": {"type": "integer", "minimum": 0, "maximum": 999},
    },
    "required": ["name", "kind", "total"],
    "additionalProperties": False,
}


def weather(city: Any, days: int = 3) -> None:
    """The weather of a city."""


def alarm(loud: bool) -> None:
    """Rings."""


@pytest.fixture(scope="module")
def generator() -> Generator:
    tokenizer = corpora.gpt_oss_tokenizer()
    torch.manual_seed(0)
    config = GptOssConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        num_local_experts=4,
        num_experts_per_tok=2,
        sliding_window=16,
        max_position_embeddings=4096,
        layer_types=["sliding_attention", "full_attention"],
        eos_token_id=tokenizer.convert_tokens_to_ids(["<|return|>", "<|endoftext|>", "<|call|>"]),
    )
    return Generator(GptOssForCausalLM(config).eval(), tokenizer)


@pytest.fixture(scope="module")
def encoding(generator: Generator) -> Any:
    return harmony.load_harmony_encoding(harmony.HarmonyEncodingName.HARMONY_GPT_OSS)


@pytest.mark.parametrize("part", range(4))
def test_every_turn_is_parsed(generator: Generator, encoding: Any, part: int) -> None:
    for seed in range(part, SEEDS, 4):
        schema = None if seed % 5 == 0 else SCHEMA
        result = generator.generate(
            "hello <|end|> there",
            schema,
            max_new_tokens=100,
            reasoning=20 if seed % 2 else None,
            tools=[alarm] if seed % 5 < 3 else [],
            sampling=Sampling(temperature=1.0, seed=seed),
        )
        messages = encoding.parse_messages_from_completion_tokens(list(result.tokens), harmony.Role.ASSISTANT)
        channels = [message.channel for message in messages]
        assert channels == [
            *(["analysis"] if seed % 2 else []),
            *(["commentary"] if result.preamble is not None else []),
            "commentary" if isinstance(result.value, ToolCall) else "final",
        ]
        assert messages[-1].content[0].text == result.text
        if isinstance(result.value, ToolCall):
            assert messages[-1].recipient == "functions.alarm"
            assert isinstance(result.value.arguments["loud"], bool)
        else:
            assert set(result.value) == set(SCHEMA["required"])
        if seed % 2:
            assert messages[0].content[0].text == result.reasoning


def test_prompts_are_written_by_openai_harmony(generator: Generator, encoding: Any) -> None:
    from harmony_gen.request import request_of

    chat = [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "hello <|end|> there"}]
    tokens = generator._encode_request(request_of(chat, SCHEMA, reasoning="high", tools=[alarm]))
    text = encoding.decode(tokens)
    assert "Reasoning: high" in text
    assert "# Instructions\n\nBe terse.\n\n# Response Formats\n\n## answer\n\n{" in text
    assert "type alarm = (_: {" in text
    assert text.endswith("<|start|>user<|message|>hello <|end|> there<|end|><|start|>assistant")
    assert [text.count("<|end|>"), tokens.count(encoding.encode("<|end|>", allowed_special="all")[0])] == [4, 3]


def test_calls_and_their_answers_are_written_as_the_model_wrote_them(generator: Generator, encoding: Any) -> None:
    from harmony_gen.request import request_of

    chat = [
        {"role": "user", "content": "Wake me."},
        {"role": "assistant", "content": "Well.", "tool_calls": [ToolCall("alarm", {"loud": True})]},
        {"role": "tool", "content": "<|end|>done"},
        {"role": "assistant", "content": "true"},
        {"role": "user", "content": "And now?"},
    ]
    text = encoding.decode(generator._encode_request(request_of(chat, SCHEMA, tools=[alarm])))
    assert text.endswith(
        "<|start|>assistant<|channel|>commentary<|message|>Well.<|end|>"
        "<|start|>assistant to=functions.alarm<|channel|>commentary <|constrain|>json<|message|>"
        '{"loud":true}<|call|>'
        "<|start|>functions.alarm to=assistant<|channel|>commentary<|message|><|end|>done<|end|>"
        "<|start|>assistant<|channel|>final<|message|>true<|end|>"
        "<|start|>user<|message|>And now?<|end|><|start|>assistant"
    )
