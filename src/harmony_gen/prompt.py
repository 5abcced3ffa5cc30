"""From a prompt and a schema to the tokens a model reads.

What a user wrote is data: spellings of control tokens in prompts, sources and schemas are encoded as plain
characters. Only a model's own template may write control tokens.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import MissingExtra, ModelError, PromptError
from harmony_gen.messages import INSTRUCTING, Message, dumped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harmony_gen.decoding.formats import Format
    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.request import Request
    from harmony_gen.schema import Schema
    from harmony_gen.tools import Described

_INSTRUCTION = (
    "Answer with one JSON value that is valid under this JSON Schema, and nothing else. "
    "Take the values from the text.\n{}"
)
_TEXT_INSTRUCTION = "Answer with {}\nand nothing else."
_TOOLS = (
    '{} call one of these tools, write <tool_call>\n{{"name":NAME,"arguments":ARGUMENTS}}\n</tool_call> '
    "and nothing else:\n{}"
)
_SHARE_FOR_NOTES = 0.625
"""Share of the embedded model's window beyond which a prompt leaves out descriptions: the answer needs some of it."""

_PROBE = "<|start|>assistant<|channel|>final<|message|>A probe, of 12 words."


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
    messages = request.conversation
    if "tool_calls" in template:
        _check_calls(messages, vocabulary)
    else:
        messages = [message.as_text() for message in messages]
    return encode_chat(messages, told, tokenizer, vocabulary, options)


def _check_calls(messages: Sequence[Message], vocabulary: Vocabulary) -> None:
    """Raises PromptError for arguments of calls that spell a control token: a template writes them itself."""
    for call in (call for message in messages for call in message.calls):
        found = vocabulary.control_spelling(dumped(call.arguments))
        if found:
            message = f"The arguments of a call of {call.name!r} spell the control token {found}. Leave that call out."
            raise PromptError(message)


def encode_chat(
    messages: Sequence[Message], told: str, tokenizer: Any, vocabulary: Vocabulary, options: dict[str, Any]
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
    first, *others = messages
    variants = [[first, *others]]
    if told and first.role == "system":
        variants = [[replace(first, content=f"{first.content}\n\n{told}"), *others]]
    elif told:
        variants = [[Message("system", told), first, *others]]
    # Some templates know no system role: then the first user message carries the instruction.
    system, *said = variants[0]
    if said and system.role == "system":
        variants.append([replace(said[0], content=f"{system.content}\n\n{said[0].content}"), *said[1:]])
    problem: Exception | None = None
    for variant in variants:
        try:
            return _render(variant, tokenizer, vocabulary, options)
        except Exception as error:  # noqa: BLE001 - a template is a program and may raise anything
            problem = error
    raise ModelError(f"The chat template of the tokenizer refuses this conversation: {problem}") from problem


def _render(messages: Sequence[Message], tokenizer: Any, vocabulary: Vocabulary, options: dict[str, Any]) -> list[int]:
    """Renders with a mark for each content, then puts the contents in as plain text.

    Tokenised in one piece, as the model saw it in training, if that makes no control token that the template
    did not write; piece by piece otherwise.
    """
    marks = [f"content{secrets.token_hex(12)}" if message.content.strip() else "" for message in messages]
    marked = [replace(message, content=mark).as_openai() for message, mark in zip(messages, marks, strict=True)]
    rendered: str = tokenizer.apply_chat_template(marked, tokenize=False, add_generation_prompt=True, **options)
    whole = ""
    tokens: list[int] = []
    for message, mark in zip(messages, marks, strict=True):
        if not mark:
            continue
        before, found, rendered = rendered.partition(mark)
        if not found:
            text = f"it leaves out the {message.role} message"
            raise ValueError(text)
        content = message.content.strip()
        whole += before + content
        tokens += vocabulary.encode_control(before) + vocabulary.encode(content)
    tokens += vocabulary.encode_control(rendered)
    at_once = vocabulary.encode_control(whole + rendered)
    return at_once if vocabulary.controls(at_once) == vocabulary.controls(tokens) else tokens


def encode_plain(messages: Sequence[Message], told: str, tokenizer: Any, vocabulary: Vocabulary) -> list[int]:
    """Tokens of a conversation for a model without a chat template: the text, the instruction, a colon."""
    text = "\n\n".join(message.as_text().content for message in messages)
    tokens = vocabulary.encode(f"{text}\n\n{told}\n\nAnswer:\n")
    start = tokenizer.bos_token_id
    return [start, *tokens] if start is not None else tokens


@lru_cache(maxsize=1)
def _openai_harmony() -> tuple[Any, Any]:
    """OpenAI's package and its encoding, which it would read anew for each prompt.

    Raises:
        MissingExtra: the package is not installed.
        ModelError: it does not find its vocabulary.
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
    return harmony, encoding


def encode_harmony(request: Request, vocabulary: Vocabulary) -> list[int]:
    """Tokens of a request in the harmony format, written by openai-harmony.

    Raises:
        MissingExtra: openai-harmony is not installed.
        ModelError: it does not find its vocabulary, or the tokenizer has another one.
    """
    harmony, encoding = _openai_harmony()
    make, role = harmony.Message.from_role_and_content, harmony.Role
    told = [message.content for message in request.conversation if message.role in INSTRUCTING]
    said = [m for message in request.conversation if message.role not in INSTRUCTING for m in _said(message, harmony)]
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


def _said(message: Message, harmony: Any) -> Iterator[Any]:
    """A message as openai-harmony's: a call and a tool's answer stand in the commentary channel."""
    make, role = harmony.Message.from_role_and_content, harmony.Role(message.role)
    if message.tool:
        author = harmony.Author.new(role, f"functions.{message.tool}")
        answer = harmony.Message.from_author_and_content(author, message.content)
        yield answer.with_channel("commentary").with_recipient("assistant")
    elif message.role != "assistant":
        yield make(role, message.content)
    elif message.content or not message.calls:
        yield make(role, message.content).with_channel("commentary" if message.calls else "final")
    for call in message.calls:
        made = make(role, dumped(call.arguments)).with_channel("commentary")
        yield made.with_recipient(f"functions.{call.name}").with_content_type("<|constrain|>json")


def encode_embedded(request: Request, vocabulary: Vocabulary, window: int | None) -> list[int]:
    """Tokens of a request in the form the embedded model was trained on; `window` is what it sees of them.

    Raises:
        ModelError: it has tools or examples.
    """
    from harmony_gen.models import prompt_parts

    schema, has_calls = request.schema, any(message.calls for message in request.messages)
    if schema is None or request.tools or request.examples or has_calls:
        raise ModelError("The embedded model knows neither tools nor examples: pass another as model=….")
    text = "\n".join(message.content for message in request.messages).strip()
    described = {"type": "string"} if schema.json_schema is None else schema.json_schema
    for notes in (True, False):
        tokens: list[int] = []
        for part, is_control in prompt_parts(text, described, notes=notes):
            tokens += vocabulary.encode_control(part) if is_control else vocabulary.encode(part)
        if window is None or len(tokens) <= _SHARE_FOR_NOTES * window:
            break
    return tokens
