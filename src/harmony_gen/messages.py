"""Conversations: what a user passes as a prompt, read and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from harmony_gen.errors import PromptError
from harmony_gen.result import ToolCall

Prompt = str | Sequence[Mapping[str, Any]]
"""A text, or chat messages with "role" and "content". Of the assistant they may have "tool_calls", a list of `ToolCall`
or of OpenAI's dicts; those with the role "tool" hold what a tool returned, and may have its "name" or a
"tool_call_id"."""

SPEAKING = frozenset(("user", "tool"))
"""Roles whose texts values may come from."""

INSTRUCTING = frozenset(("system", "developer"))
"""Roles that say how to answer."""


@dataclass(frozen=True)
class Message:
    """One message of a conversation.

    Attributes:
        role: who speaks.
        content: what is said; of a tool, what it returned.
        calls: the tools that are called; their arguments are JSON.
        number: of the first of the calls, or of the call that is answered, among all of the conversation.
        tool: of a tool's message, its name.
    """

    role: str
    content: str
    calls: tuple[ToolCall, ...] = ()
    number: int = 0
    tool: str = ""

    def as_openai(self) -> dict[str, Any]:
        """The form in which chat templates take messages."""
        message: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.calls:
            message["tool_calls"] = [
                {
                    "id": _id(number),
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for number, call in enumerate(self.calls, self.number)
            ]
        if self.tool:
            message |= {"name": self.tool, "tool_call_id": _id(self.number)}
        return message

    def as_text(self) -> Message:
        """The same without calls and tools, for templates that know of none."""
        if self.tool:
            return Message("user", f"<tool_response>\n{self.content}\n</tool_response>")
        calls = (
            f'<tool_call>\n{{"name":"{call.name}","arguments":{dumped(call.arguments)}}}\n</tool_call>'
            for call in self.calls
        )
        return Message(self.role, "\n".join(filter(None, (self.content, *calls))))


def dumped(arguments: Mapping[str, Any]) -> str:
    """The arguments of a call as they were written."""
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))


def _id(number: int) -> str:
    """Templates want nine letters and digits."""
    return f"call{number:05}"


def messages_of(prompt: Prompt) -> list[Message]:
    """A prompt as chat messages.

    Raises:
        PromptError: it is empty, or no prompt; or a tool answers that has not been called.
    """
    if isinstance(prompt, str):
        messages = [Message("user", prompt)]
    else:
        reader = _Reader()
        try:
            messages = [reader.message(item) for item in prompt]
        except (TypeError, KeyError, AttributeError) as error:
            raise PromptError(
                f"A prompt is a text, or a list of messages with 'role' and 'content', both texts; this is "
                f"{prompt!r:.80}."
            ) from error
    for message in messages:
        _check_unicode(message.as_text().content)
    if not any(message.content.strip() for message in messages):
        raise PromptError("The prompt is empty. Pass the text to extract from, or a question.")
    return messages


class _Reader:
    """Reads messages in order, and knows which calls have not been answered."""

    def __init__(self) -> None:
        self._names: list[str] = []  # of all calls
        self._ids: list[str | None] = []
        self._open: list[int] = []

    def message(self, item: Mapping[str, Any]) -> Message:
        """One more message."""
        role, content = item["role"], item.get("content")
        given = item.get("tool_calls") or ()
        content = "" if content is None and given else content
        if not isinstance(role, str) or not isinstance(content, str):
            raise TypeError
        if role == "tool":
            number = self._answered(item)
            return Message(role, content, (), number, self._names[number])
        number = len(self._names)
        return Message(role, content, tuple(map(self._call, given)), number if given else 0)

    def _call(self, given: ToolCall | Mapping[str, Any]) -> ToolCall:
        """One more call."""
        id_ = None
        if not isinstance(given, ToolCall):
            function = given.get("function", given)
            arguments = function.get("arguments") or {}
            arguments = _read(arguments) if isinstance(arguments, str) else arguments
            id_, given = given.get("id"), ToolCall(function["name"], arguments)
        try:
            arguments = to_jsonable_python(given.arguments)
        except PydanticSerializationError as error:
            raise PromptError(
                f"The arguments of a call of {given.name!r} cannot be written as JSON: {error}"
            ) from error
        if not isinstance(arguments, dict):
            raise TypeError
        self._open.append(len(self._names))
        self._names.append(given.name)
        self._ids.append(id_)
        return ToolCall(given.name, arguments)

    def _answered(self, item: Mapping[str, Any]) -> int:
        """The number of the call that a tool's message answers: the one it names, or the first that is open."""
        id_, name = item.get("tool_call_id"), item.get("name")
        fitting = [n for n in self._open if id_ in (None, self._ids[n]) and name in (None, self._names[n])]
        if not fitting:
            which = "no tool" if name is None and id_ is None else f"the tool {name or id_!r}"
            raise PromptError(
                f"A message holds what a tool returned, but {which} had been called before it. Put the call in front: "
                '{"role": "assistant", "tool_calls": [result.value]}.'
            )
        self._open.remove(fitting[0])
        return fitting[0]


def _read(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError as error:
        raise PromptError(f"The arguments of a tool's call are no JSON: {arguments!r:.80}.") from error


def _check_unicode(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PromptError(
            f"The prompt is not Unicode text: character {error.start} is half a surrogate pair "
            f"(U+{ord(text[error.start]):04X}). Decode the text again, with the encoding it was written in."
        ) from error


def source_of(messages: Sequence[Message]) -> str:
    """The text that values may come from: what the user said and tools returned."""
    return "\n".join(message.content for message in messages if message.role in SPEAKING)
