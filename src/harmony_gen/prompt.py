"""From a prompt and a schema to the tokens a model reads.

What a user wrote is data: spellings of control tokens in prompts, sources and schemas are encoded as plain
characters. Only a model's own template may write control tokens.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import MissingExtra, ModelError, PromptError

if TYPE_CHECKING:
    from harmony_gen.decoding.formats import Format
    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.request import Request
    from harmony_gen.schema import Schema
    from harmony_gen.tools import Described

Prompt = str | Sequence[Mapping[str, str]]
"""A text, or chat messages with "role" and "content"."""

_INSTRUCTION = (
    "Answer with one JSON value that is valid under this JSON Schema, and nothing else. "
    "Take the values from the text.\n{}"
)
_TEXT_INSTRUCTION = "Answer with {}\nand nothing else."
_TOOLS = (
    '{} call one of these tools, write <tool_call>\n{{"name":NAME,"arguments":ARGUMENTS}}\n</tool_call> '
    "and nothing else:\n{}"
)
_INSTRUCTING = ("system", "developer")
_PROBE = "<|start|>assistant<|channel|>final<|message|>A probe, of 12 words."


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


def instruction(schema: Schema[Any] | None, tools: Sequence[Described] = ()) -> str:
    """What a model is told to answer with; tools are those its chat template does not tell it of."""
    parts = (
        [] if schema is None else [(_INSTRUCTION if schema.is_json else _TEXT_INSTRUCTION).format(schema.description)]
    )
    if tools:
        listed = "\n".join(json.dumps(tool.as_openai()["function"], ensure_ascii=False) for tool in tools)
        parts.append(_TOOLS.format("To" if schema is None else "Or, to", listed))
    return "\n\n".join(parts)


def _response_format(schema: Schema[Any] | None) -> str:
    """The section of harmony's developer message that describes the answer."""
    return "" if schema is None else f"# Response Formats\n\n## answer\n\n{schema.description}"


def encode(request: Request, form: Format, tokenizer: Any, vocabulary: Vocabulary) -> list[int]:
    """Tokens of a request, up to where the model begins its turn.

    Raises:
        ModelError: the chat template refuses the conversation, or spells control tokens that a tool brought in.
        MissingExtra: the harmony format is to be written and there is neither a template nor openai-harmony.
    """
    template = getattr(tokenizer, "chat_template", None)
    tools = list(request.tools.values())
    if not template and form.name == "harmony":
        return encode_harmony(request, vocabulary)
    if not template:
        return encode_plain(request.conversation, instruction(request.schema, tools), tokenizer, vocabulary)
    knows_tools = "tools" in template
    if form.name == "harmony":
        told = _response_format(request.schema)
    else:
        told = instruction(request.schema, () if knows_tools else tools)
    options: dict[str, Any] = {"reasoning_effort": request.effort}
    options |= dict.fromkeys(("enable_thinking", "thinking"), request.reasoning > 0)
    if tools and knows_tools:
        described = [tool.as_openai() for tool in tools]
        found = vocabulary.control_spelling(json.dumps(described, ensure_ascii=False))
        if found:
            raise ModelError(f"The description of a tool spells the control token {found}. Write it in another way.")
        options["tools"] = described
    return encode_chat(request.conversation, told, tokenizer, vocabulary, options)


def encode_chat(
    messages: list[dict[str, str]], told: str, tokenizer: Any, vocabulary: Vocabulary, options: dict[str, Any]
) -> list[int]:
    """Tokens of a conversation by the tokenizer's chat template.

    Args:
        messages: the conversation.
        told: the instruction, put into the system message; "" for none.
        tokenizer: has the template.
        vocabulary: the model's.
        options: variables of the template.

    Raises:
        ModelError: the template refuses the messages.
    """
    variants = [messages]
    if told and messages[0]["role"] == "system":
        first = {"role": "system", "content": messages[0]["content"] + "\n\n" + told}
        variants = [[first, *messages[1:]]]
    elif told:
        variants = [[{"role": "system", "content": told}, *messages]]
    # Some templates know no system role: then the first user message carries the instruction.
    merged = [dict(message) for message in variants[0][1:]] if variants[0][0]["role"] == "system" else []
    if merged:
        merged[0]["content"] = variants[0][0]["content"] + "\n\n" + merged[0]["content"]
        variants.append(merged)
    problem: Exception | None = None
    for variant in variants:
        try:
            return _render(variant, tokenizer, vocabulary, options)
        except Exception as error:  # noqa: BLE001 - a template is a program and may raise anything
            problem = error
    raise ModelError(f"The chat template of the tokenizer refuses this conversation: {problem}") from problem


def _render(
    messages: list[dict[str, str]], tokenizer: Any, vocabulary: Vocabulary, options: dict[str, Any]
) -> list[int]:
    """Renders with a mark for each content, then puts the contents in as plain text.

    Tokenised in one piece, as the model saw it in training, if that makes no control token that the template
    did not write; piece by piece otherwise.
    """
    marks = [f"content{secrets.token_hex(12)}" for _ in messages]
    marked = [{**message, "content": mark} for message, mark in zip(messages, marks, strict=True)]
    rendered: str = tokenizer.apply_chat_template(marked, tokenize=False, add_generation_prompt=True, **options)
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


def encode_plain(messages: list[dict[str, str]], told: str, tokenizer: Any, vocabulary: Vocabulary) -> list[int]:
    """Tokens of a conversation for a model without a chat template: the text, the instruction, a colon."""
    text = "\n\n".join(message["content"] for message in messages)
    tokens = vocabulary.encode(f"{text}\n\n{told}\n\nAnswer:\n")
    start = tokenizer.bos_token_id
    return [start, *tokens] if start is not None else tokens


def encode_harmony(request: Request, vocabulary: Vocabulary) -> list[int]:
    """Tokens of a request in the harmony format, written by openai-harmony.

    Raises:
        MissingExtra: openai-harmony is not installed.
        ModelError: it does not find its vocabulary, or the tokenizer has another one.
    """
    try:
        harmony = import_module("openai_harmony")
    except ImportError as error:
        raise MissingExtra("openai-harmony", "harmony") from error
    try:
        encoding = harmony.load_harmony_encoding(harmony.HarmonyEncodingName.HARMONY_GPT_OSS)
    except Exception as error:
        raise ModelError(
            f"openai-harmony does not find the vocabulary of gpt-oss ({error}). Give the tokenizer the chat template "
            "of the model, or set TIKTOKEN_ENCODINGS_BASE to a folder that holds o200k_base.tiktoken."
        ) from error
    make, role = harmony.Message.from_role_and_content, harmony.Role
    told = [message["content"] for message in request.conversation if message["role"] in _INSTRUCTING]
    said = [make(role(m["role"]), m["content"]) for m in request.conversation if m["role"] not in _INSTRUCTING]
    sections = [*told, _response_format(request.schema)]
    developer = harmony.DeveloperContent.new().with_instructions("\n\n".join(filter(None, sections)))
    if request.tools:
        describe = harmony.ToolDescription.new
        tools = [describe(t.name, t.description, parameters=t.parameters) for t in request.tools.values()]
        developer = developer.with_function_tools(tools)
    system = harmony.SystemContent.new().with_reasoning_effort(harmony.ReasoningEffort(request.effort.capitalize()))
    heads = [make(role.SYSTEM, system), make(role.DEVELOPER, developer)]
    conversation = harmony.Conversation.from_messages([*heads, *said])
    tokens: list[int] = encoding.render_conversation_for_completion(conversation, role.ASSISTANT)
    if vocabulary.encode_control(_PROBE) != encoding.encode(_PROBE, allowed_special="all"):
        raise ModelError("The tokenizer has the control tokens of harmony, but not the vocabulary of gpt-oss.")
    return tokens


def encode_embedded(messages: list[dict[str, str]], schema: Schema[Any], vocabulary: Vocabulary) -> list[int]:
    """Tokens of a conversation in the form the embedded model was trained on."""
    from harmony_gen.models import prompt_parts

    text = "\n".join(message["content"] for message in messages).strip()
    described = {"type": "string"} if schema.json_schema is None else schema.json_schema
    tokens: list[int] = []
    for part, is_control in prompt_parts(text, described):
        tokens += vocabulary.encode_control(part) if is_control else vocabulary.encode(part)
    return tokens
