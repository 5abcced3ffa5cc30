"""How the turns of a model look: the answer alone, thoughts in tags before it, or OpenAI's harmony format.

The harmony format is described in the documentation of the package openai-harmony (docs/format.md). Of its spellings
of a tool call's header all are offered: the recipient behind the role or behind the channel, with and without the type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harmony_gen.decoding.turn import Body, Branches, Part, Text
from harmony_gen.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.schema import Schema

Name = Literal["plain", "think", "harmony"]

NAMES: tuple[Name, ...] = ("plain", "think", "harmony")

_PREAMBLE = 64
"""Tokens of what is said to the user before a tool is called."""

_TAG = re.compile(r"<\|?/?[\w:]*?(?:think|thought|reason)\w*\|?>|\[/?THINK\]", re.IGNORECASE)
"""What opens or closes thoughts in the templates of reasoning models."""

_TOOL_CALL = ("<tool_call>\n", "\n</tool_call>")


@dataclass(frozen=True)
class Format:
    """How the turns of a model look.

    Attributes:
        name: plain, think or harmony.
        opens: the tag that opens thoughts; "" but for "think".
        closes: the tag that closes them.
    """

    name: Name
    opens: str = ""
    closes: str = ""


def format_of(template: str | None, vocabulary: Vocabulary, name: str = "auto") -> Format:
    """The format of a model's turns.

    Args:
        template: the chat template of its tokenizer.
        vocabulary: the model's.
        name: plain, think or harmony; or auto, which finds out.

    Raises:
        ModelError: the name is unknown, or template and vocabulary contradict it.
    """
    if name not in ("auto", *NAMES):
        raise ModelError(f"Unknown turn format {name!r}. Choose one of: auto, {', '.join(NAMES)}.")
    speaks_harmony = all(len(vocabulary.encode_control(text)) == 1 for text in _HARMONY)
    tags = _tags(template or "")
    if name == "harmony" and not speaks_harmony:
        missing = next(text for text in _HARMONY if len(vocabulary.encode_control(text)) != 1)
        raise ModelError(f'turn="harmony" needs the control token {missing}, which the tokenizer does not have.')
    if name == "think" and tags is None:
        raise ModelError(
            'turn="think" needs a chat template with tags for thoughts, as <think> and </think>; the tokenizer '
            'has none. Leave it out, or use turn="plain".'
        )
    if name == "plain" and "<|channel|>" in (template or "") and speaks_harmony:
        raise ModelError('turn="plain" contradicts the chat template, which writes harmony channels. Leave it out.')
    if name == "harmony" or (name == "auto" and speaks_harmony):
        return Format("harmony")
    if tags is not None and name != "plain":
        return Format("think", *tags)
    return Format("plain")


_HARMONY = ("<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|return|>", "<|call|>", "<|constrain|>")


def _tags(template: str) -> tuple[str, str] | None:
    """The tags that open and close thoughts in a template."""
    found = dict.fromkeys(_TAG.findall(template))
    pairs = ((opens, closes) for opens in found for closes in (_closing(opens),) if closes in found)
    return next(pairs, None)


def _closing(opens: str) -> str:
    """The tag that closes what another opens."""
    for start, end in (("START_", "END_"), ("begin_", "end_")):
        if start in opens:
            return opens.replace(start, end)
    return f"{opens[0]}/{opens[1:]}"


def turn_of(
    form: Format,
    vocabulary: Vocabulary,
    schema: Schema[Any] | None,
    *,
    tools: Mapping[str, Schema[Any]],
    reasoning: int,
    prompt: str,
) -> Part:
    """The first part of a turn.

    Args:
        form: the format.
        vocabulary: the model's.
        schema: what a right answer is; None if only a tool may be called.
        tools: the schemas of the arguments of tools, by their names.
        reasoning: the most tokens of thoughts; 0 for none.
        prompt: the end of the prompt, as text: it may have begun the thoughts.
    """
    if form.name == "harmony":
        return _Harmony(vocabulary).turn(schema, tools, reasoning)
    answer = _answer(vocabulary, schema, tools)
    if form.name == "plain" and reasoning:
        raise ModelError(
            "The model has no format for thoughts: its chat template has no tags for them. Leave reasoning out."
        )
    if form.name == "plain":
        return answer
    return _thoughts(form, vocabulary, answer, reasoning, prompt)


def _answer(vocabulary: Vocabulary, schema: Schema[Any] | None, tools: Mapping[str, Schema[Any]]) -> Part:
    """An answer without channels: under the schema, or a call between tags."""
    end = vocabulary.ends[0]
    headers: list[tuple[tuple[int, ...], Part]] = []
    for name, arguments in tools.items():
        header = f'{_TOOL_CALL[0]}{{"name":"{name}","arguments":'
        close = (*vocabulary.encode_control("}" + _TOOL_CALL[1]), end)
        headers.append((tuple(vocabulary.encode_control(header)), Body(arguments, close, name)))
    if schema is None:
        return Branches(tuple(headers))
    body = Body(schema, ())
    return Branches((((), body), *headers)) if headers else body


def _thoughts(form: Format, vocabulary: Vocabulary, answer: Part, reasoning: int, prompt: str) -> Part:
    """Thoughts between tags before an answer."""
    begun = prompt.rstrip().endswith(form.opens)
    mark = vocabulary.encode_control(form.closes)
    is_control = len(mark) == 1 and mark[0] in vocabulary.control
    behind = tuple(vocabulary.encode("\n\n"))
    if not reasoning:
        empty = ("" if prompt.endswith("\n") else "\n") + form.closes + "\n\n"
        return Branches(((tuple(vocabulary.encode_control(empty)), answer),)) if begun else answer
    close = (mark[0], *behind) if is_control else behind
    text = Text("reasoning", reasoning, close, answer, mark="" if is_control else form.closes)
    return text if begun else Branches(((tuple(vocabulary.encode_control(form.opens + "\n")), text),))


class _Harmony:
    """Turns in the harmony format, behind `<|start|>assistant`."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._encode = vocabulary.encode_control
        self._next = (*self._encode("<|end|><|start|>assistant"),)

    def turn(self, schema: Schema[Any] | None, tools: Mapping[str, Schema[Any]], reasoning: int) -> Part:
        """See `turn_of`."""
        headers = [] if schema is None else [self._header("<|channel|>final<|message|>", self._final(schema))]
        for name, arguments in tools.items():
            call = Body(arguments, (*self._encode("<|call|>"),), name)
            headers += [self._header(spelling, call) for spelling in _spellings(name)]
        answer = Branches(tuple(headers))
        if tools:
            preamble = Text("preamble", _PREAMBLE, self._next, answer)
            said = self._header("<|channel|>commentary<|message|>", preamble)
            answer = Branches((*headers, said))
        if not reasoning:
            return answer
        thoughts = Text("reasoning", reasoning, self._next, answer)
        return Branches((self._header("<|channel|>analysis<|message|>", thoughts),))

    def _final(self, schema: Schema[Any]) -> Body:
        return Body(schema, (*self._encode("<|return|>"),))

    def _header(self, text: str, then: Part) -> tuple[tuple[int, ...], Part]:
        return (*self._encode(text),), then


def _spellings(tool: str) -> list[str]:
    """The headers of a call, as the documentation and the models spell them."""
    recipient, channel = f" to=functions.{tool}", "<|channel|>commentary"
    types = (" <|constrain|>json", "<|constrain|>json", " json", "")
    starts = (channel + recipient, recipient + channel)
    return [f"{start}{kind}<|message|>" for start in starts for kind in types]
