"""Whether a given text can be written under a constraint."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from harmony_gen.decoding.finishing import is_spaced
from harmony_gen.decoding.matcher import Matcher
from harmony_gen.schema.separators import Joint, compacted

if TYPE_CHECKING:
    from llguidance import LLMatcher

    from harmony_gen.decoding.turn_matcher import TurnMatcher
    from harmony_gen.decoding.vocabulary import Vocabulary
    from harmony_gen.schema import Schema
    from harmony_gen.schema.scanner import Scan

_UNLIMITED = 2**31
"""A budget that is no constraint, in tokens."""

_LONGEST_FRACTION = 20
"""Digits of a number that is written without an exponent; integers always are."""


def accepts(schema: Schema[Any], vocabulary: Vocabulary, text: str) -> bool:
    """Whether a text, or the same JSON value in the spelling of answers, can be written under a schema.

    Args:
        schema: what a right answer is.
        vocabulary: the model's.
        text: the answer. Members of its objects keep their order.
    """
    data = _utf8(text)
    if data is None or not schema.accepts(data):
        return False
    spellings = dict.fromkeys([_utf8(respelled(text)) if schema.is_json else None, data])
    if schema.canonical is not None:
        spellings = {_utf8(schema.canonical(text)): None}
    return any(spelling is not None and _can_write(schema, vocabulary, spelling) for spelling in spellings)


def _utf8(text: str) -> bytes | None:
    """The bytes of a text, or None if it holds half a surrogate pair, which is no character."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def _can_write(schema: Schema[Any], vocabulary: Vocabulary, text: bytes) -> bool:
    if not schema.accepts(text):
        return False
    text = compacted(text) if schema.is_json else text
    matcher = Matcher(scripted(schema, text), vocabulary, _UNLIMITED)
    return reachable(matcher, vocabulary, spelled(schema, vocabulary, text))


def scripted(schema: Schema[Any], text: bytes) -> Schema[Any]:
    """A schema for writing one valid, compact text: it ends what has been begun, and nothing is searched for."""
    known = _KnownText(text)
    return replace(schema, finisher=known, structural_finisher=known)


def spelled(schema: Schema[Any], vocabulary: Vocabulary, text: bytes) -> bytes:
    """A compact text in the spelling of the vocabulary's model."""
    return Joint().spaced(text) if is_spaced(schema, vocabulary) else text


class _KnownText:
    """Knows one valid, compact text, and so a finish of all its beginnings: nothing needs to be searched for."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    def finish(
        self,
        prefix: bytes,
        scan: Scan,  # noqa: ARG002 - the signature is that of all finishers
        matcher: LLMatcher,  # noqa: ARG002
        *,
        nodes: int = 0,  # noqa: ARG002
    ) -> bytes | None:
        """See `Finisher.finish`."""
        return self.text[len(prefix) :] if self.text.startswith(prefix) else None


def reachable(matcher: Matcher | TurnMatcher, vocabulary: Vocabulary, text: bytes) -> bool:
    """Writes a text token by token, as the decode loop would.

    Args:
        matcher: at the start of an answer.
        vocabulary: the matcher's.
        text: the answer, in the spelling of the vocabulary's model.

    Returns:
        Whether no mask, rule or judge stood in the way.
    """
    planned = vocabulary.encode_bytes(text)
    while not matcher.finished:
        forced = matcher.forced()
        tokens = forced or planned[:1] or list(vocabulary.ends[:1])
        possible = forced or tokens[0] in matcher.allowed()
        if not possible or not all(_write(matcher, vocabulary, token, text) for token in tokens):
            return False
        if tokens == planned[: len(tokens)]:
            del planned[: len(tokens)]
        else:
            planned = vocabulary.encode_bytes(text[len(matcher.text) :])
    return True


def _write(matcher: Matcher | TurnMatcher, vocabulary: Vocabulary, token: int, text: bytes) -> bool:
    """Commits a token if it spells what comes next of a text."""
    rest = text[len(matcher.text) :]
    if token in vocabulary.ends:
        return not rest and matcher.accept(token)
    return rest.startswith(vocabulary.bytes_of([token])) and matcher.accept(token)


def respelled(text: str) -> str:
    """A JSON text in the spelling of answers: compact, characters as they are, numbers without exponents if short.

    Args:
        text: a JSON text that `read_json` reads.
    """
    return _spelled(json.loads(text, parse_float=Decimal))


def _spelled(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_spelled(key)}:{_spelled(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_spelled, value)) + "]"
    return _spelled_number(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def _spelled_number(value: Decimal) -> str:
    """An integer without a point, a short fraction without an exponent, another one as it is."""
    if value == value.to_integral_value():
        return str(int(value))
    plain = f"{value.normalize():f}"
    return plain if len(plain) <= _LONGEST_FRACTION else str(value.normalize()).replace("E", "e")
