"""From a prompt and a schema to the tokens a model reads.

What a user wrote is data: spellings of control tokens in prompts, sources and schemas are encoded as plain
characters. Only a model's own template may write control tokens.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import ModelError, PromptError

if TYPE_CHECKING:
    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.schema import Schema

Prompt = str | Sequence[Mapping[str, str]]
"""A text, or chat messages with "role" and "content"."""

_INSTRUCTION = (
    "Answer with one JSON value that is valid under this JSON Schema, and nothing else. "
    "Take the values from the text.\n{}"
)
_TEXT_INSTRUCTION = "Answer with {}\nand nothing else."


def messages_of(prompt: Prompt) -> list[dict[str, str]]:
    """A prompt as chat messages.

    Raises:
        PromptError: it is empty, or no prompt.
    """
    if isinstance(prompt, str):
        messages = [{"role": "user", "content": prompt}]
    else:
        try:
            messages = [_message(item) for item in prompt]
        except (TypeError, KeyError) as error:
            raise PromptError(
                f"A prompt is a text, or a list of messages with 'role' and 'content', both texts; this is "
                f"{prompt!r:.80}."
            ) from error
    for message in messages:
        _check_unicode(message["content"])
    if not any(message["content"].strip() for message in messages):
        raise PromptError("The prompt is empty. Pass the text to extract from, or a question.")
    return messages


def _message(item: Mapping[str, str]) -> dict[str, str]:
    message = {"role": item["role"], "content": item["content"]}
    if not all(isinstance(text, str) for text in message.values()):
        raise TypeError
    return message


def _check_unicode(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PromptError(
            f"The prompt is not Unicode text: character {error.start} is half a surrogate pair "
            f"(U+{ord(text[error.start]):04X}). Decode the text again, with the encoding it was written in."
        ) from error


def source_of(prompt: Prompt) -> str:
    """The text that values may come from: what the user said, not the system."""
    return "\n".join(message["content"] for message in messages_of(prompt) if message["role"] == "user")


def instruction(schema: Schema[Any]) -> str:
    """What a model is told to answer with."""
    return (_INSTRUCTION if schema.is_json else _TEXT_INSTRUCTION).format(schema.description)


def encode_chat(
    messages: list[dict[str, str]], schema: Schema[Any], tokenizer: Any, vocabulary: Vocabulary
) -> list[int]:
    """Tokens of a conversation by the tokenizer's chat template, the schema described in the system message.

    Raises:
        ModelError: the template refuses the messages.
    """
    told = instruction(schema)
    if messages[0]["role"] == "system":
        first = {"role": "system", "content": messages[0]["content"] + "\n\n" + told}
        variants = [[first, *messages[1:]]]
    else:
        variants = [[{"role": "system", "content": told}, *messages]]
    # Some templates know no system role: then the first user message carries the instruction.
    merged = [dict(message) for message in variants[0][1:]]
    if merged:
        merged[0]["content"] = variants[0][0]["content"] + "\n\n" + merged[0]["content"]
        variants.append(merged)
    problem: Exception | None = None
    for variant in variants:
        try:
            return _render(variant, tokenizer, vocabulary)
        except Exception as error:  # noqa: BLE001 - a template is a program and may raise anything
            problem = error
    raise ModelError(f"The chat template of the tokenizer refuses this conversation: {problem}") from problem


def _render(messages: list[dict[str, str]], tokenizer: Any, vocabulary: Vocabulary) -> list[int]:
    """Renders with a mark for each content, then puts the contents in as plain text.

    Tokenised in one piece, as the model saw it in training, if that makes no control token that the template
    did not write; piece by piece otherwise.
    """
    marks = [f"content{secrets.token_hex(12)}" for _ in messages]
    marked = [{**message, "content": mark} for message, mark in zip(messages, marks, strict=True)]
    rendered: str = tokenizer.apply_chat_template(marked, tokenize=False, add_generation_prompt=True)
    whole = ""
    tokens: list[int] = []
    for message, mark in zip(messages, marks, strict=True):
        before, found, rendered = rendered.partition(mark)
        if not found:
            text = f"it leaves out the {message['role']} message"
            raise ValueError(text)
        content = message["content"].strip()
        whole += before + content
        tokens += vocabulary.encode_control(before) + vocabulary.encode(content)
    tokens += vocabulary.encode_control(rendered)
    at_once = vocabulary.encode_control(whole + rendered)
    return at_once if vocabulary.controls(at_once) == vocabulary.controls(tokens) else tokens


def encode_plain(
    messages: list[dict[str, str]], schema: Schema[Any], tokenizer: Any, vocabulary: Vocabulary
) -> list[int]:
    """Tokens of a conversation for a model without a chat template: the text, the instruction, a colon."""
    text = "\n\n".join(message["content"] for message in messages)
    tokens = vocabulary.encode(f"{text}\n\n{instruction(schema)}\n\nAnswer:\n")
    start = tokenizer.bos_token_id
    return [start, *tokens] if start is not None else tokens


def encode_embedded(messages: list[dict[str, str]], schema: Schema[Any], vocabulary: Vocabulary) -> list[int]:
    """Tokens of a conversation in the form the embedded model was trained on."""
    from harmony_gen.models import prompt_parts

    text = "\n".join(message["content"] for message in messages).strip()
    described = {"type": "string"} if schema.json_schema is None else schema.json_schema
    tokens: list[int] = []
    for part, is_control in prompt_parts(text, described):
        tokens += vocabulary.encode_control(part) if is_control else vocabulary.encode(part)
    return tokens
