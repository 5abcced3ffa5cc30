"""Rules: conditions a grammar cannot express, decided when a value closes, before its last token is taken.

A rule only ever says no earlier than the judge would; the judge still has the last word on the whole text.
"""
# ruff: noqa: ARG002 - all rules have one signature

from __future__ import annotations

import json
import math
import re
import sys
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from harmony_gen.errors import ValidationError
from harmony_gen.schema.scanner import Closed, Frame, Path, pointer
from harmony_gen.schema.subschema import Subschema, certain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harmony_gen.schema.judge import JsonSchemaJudge, Judge
    from harmony_gen.schema.scanner import Scanner

DEEPEST = 200
"""Levels of nesting in an answer: judges read no deeper."""
_PLACES = 256
_VALUES = 4096
_NUMERIC = frozenset(b"-0123456789")


class Rejection(NamedTuple):
    """What a rule refused.

    Attributes:
        pointer: JSON Pointer of the value.
        text: its JSON text.
        reason: why, in a sentence.
        start: byte offset of the value in the answer.
    """

    pointer: str
    text: str
    reason: str
    start: int


class Rule(Protocol):
    """A condition on the values of a document that is being written."""

    def rejects(self, text: bytes, scan: Any, closed: Sequence[Closed]) -> Rejection | None:
        """Judges the values that have just closed.

        Args:
            text: the document so far.
            scan: the state of the scanner after it.
            closed: the values its last token closed.

        Returns:
            A rejection if no valid document starts like this, else None.
        """
        ...


class Readable:
    """Every value can be read: no number is larger, no value stands deeper than the judges take."""

    def rejects(self, text: bytes, scan: Any, closed: Sequence[Closed]) -> Rejection | None:
        """See Rule."""
        for item in closed:
            if len(item.path) > DEEPEST:
                return rejection(text, item, f"this value stands more than {DEEPEST} levels deep")
            start, end = item.span
            if text[start] in _NUMERIC and not _is_finite(text[start:end]):
                return rejection(text, item, "this number is larger than can be read")
        return None


def _is_finite(number: bytes) -> bool:
    """Whether a float can hold a JSON number."""
    few = len(number) <= sys.float_info.max_10_exp and b"e" not in number and b"E" not in number
    return few or math.isfinite(float(number))


class UniqueKeys:
    """No object holds a key twice."""

    def rejects(self, text: bytes, scan: Any, closed: Sequence[Closed]) -> Rejection | None:
        """See Rule."""
        objects = [(item.path, item.parent) for item in closed if item.parent is not None]
        objects += [(scan.path_of(depth), frame) for depth, frame in enumerate(scan.frames) if frame.keys]
        for path, frame in objects:
            if frame.kind == "{" and frame.keys[-1] in frame.keys[:-1]:
                key = json.dumps(frame.keys[-1], ensure_ascii=False)
                _, before = frame.members[len(frame.keys) - 2]
                return Rejection(pointer(path), key, "this key is in the object already", text.index(b'"', before))
        return None


class UniqueItems:
    """`uniqueItems`, decided as each item closes."""

    def __init__(self, root: Subschema) -> None:
        self._root = root

    def rejects(self, text: bytes, scan: Any, closed: Sequence[Closed]) -> Rejection | None:
        """See Rule."""
        for item in closed:
            frame = item.parent
            if frame is not None and frame.kind == "[" and self._applies(item.path[:-1]):
                items = [_canonical(text[start:end]) for start, end in frame.members]
                if items[-1] in items[:-1]:
                    return rejection(text, item, "this item is in the array already")
        return None

    def _applies(self, path: Path) -> bool:
        return any(schema.keywords.get("uniqueItems") is True for schema in certain(self._root, path))


class SchemaParts:
    """The schemas that certainly apply to a value, judged as it closes."""

    def __init__(self, root: Subschema, judge: JsonSchemaJudge) -> None:
        self._judge = judge
        self._parts = lru_cache(maxsize=_PLACES)(partial(_parts, root))

    def rejects(self, text: bytes, scan: Any, closed: Sequence[Closed]) -> Rejection | None:
        """See Rule."""
        for item in closed:
            parts = self._parts(item.path)
            if not parts:
                continue
            value = json.loads(text[slice(*item.span)])
            if not all(self._judge.accepts_part(part, value) for part in parts):
                return rejection(text, item, "not valid under the schema of this place")
        return None


def _parts(root: Subschema, path: Path) -> list[Subschema]:
    """The schemas at a place that say something."""
    return [part for part in certain(root, path) if part.contents is not True]


def rejection(text: bytes, item: Closed, reason: str) -> Rejection:
    """The rejection of a value that has closed."""
    start, end = item.span
    return Rejection(pointer(item.path), text[start:end].decode(errors="replace"), reason, start)


@lru_cache(maxsize=_VALUES)
def _canonical(text: bytes) -> Any:
    """A value in a form in which JSON's equality is Python's: 1 equals 1.0, but not true."""
    return _tagged(json.loads(text))


def _tagged(value: Any) -> Any:
    if isinstance(value, dict):
        return ("object", frozenset((key, _tagged(member)) for key, member in value.items()))
    if isinstance(value, list):
        return ("array", tuple(_tagged(item) for item in value))
    if isinstance(value, bool):
        return ("boolean", value)
    return value


def members(text: bytes, frame: Frame) -> dict[str, bytes]:
    """The JSON texts of an object's closed members by key."""
    return {key: text[start:end] for key, (start, end) in zip(frame.keys, frame.members, strict=False)}


_POINTER = re.compile(r"(/([^~/]|~[01])*)*")


class PointerRule:
    """A user's condition on the values at one place.

    Attributes:
        place: a JSON Pointer; of XML, a path.
    """

    def __init__(self, place: str, condition: Callable[[Any], object]) -> None:
        if not _POINTER.fullmatch(place):
            message = f'The place of a rule must be a JSON Pointer like "/total" or "/items/*"; it is {place!r}.'
            raise ValueError(message)
        self.place = place
        parts = ("[^/]*" if part == "*" else re.escape(part) for part in place.split("/"))
        self._pattern = re.compile("/".join(parts))
        self._condition = condition

    def rejects(self, text: bytes, scan: Any, closed: Sequence[Closed]) -> Rejection | None:
        """See Rule."""
        for item in closed:
            if self._pattern.fullmatch(pointer(item.path)):
                reason = self.reason(json.loads(text[slice(*item.span)]))
                if reason is not None:
                    return rejection(text, item, reason)
        return None

    def reason(self, value: Any) -> str | None:
        """Why a value is refused; None if it is not."""
        try:
            verdict = self._condition(value)
            refused = verdict is not None and not verdict
        except Exception as error:  # noqa: BLE001 - a user's code may raise anything: it is a no
            return str(error) or type(error).__name__
        return "the rule refuses this value" if refused else None


def rule(place: str, condition: Callable[[Any], object]) -> PointerRule:
    """A condition on the values at one place, enforced while decoding.

    Args:
        place: a JSON Pointer; "*" stands for any one key or index. "" is the whole answer. Of XML an XPath from the
            root, as "/order/total", "//line/@no" or "/order/*", with names as answers write them.
        condition: called with each value there as it closes; it refuses the value by returning False (or
            anything false but None) or by raising an exception, whose message becomes the reason.

    Raises:
        ValueError: the place is no JSON Pointer.
    """
    return PointerRule(place, condition)


class RulesJudge:
    """Rules as a judge: a text is valid if they would let it be written."""

    def __init__(self, rules: Sequence[Rule], before: Judge | None, start: Scanner) -> None:
        self._rules = rules
        self._before = before
        self._start = start

    def accepts(self, text: bytes) -> bool:
        """Whether a text keeps the rules."""
        return (self._before is None or self._before.accepts(text)) and self._broken(text) is None

    def check(self, text: str | bytes) -> None:
        """Raises ValidationError for the first rule a text breaks."""
        if self._before is not None:
            self._before.check(text)
        broken = self._broken(text.encode() if isinstance(text, str) else text)
        if broken is not None:
            raise ValidationError(f"At {broken.pointer or 'the root'}: {broken.reason}", pointer=broken.pointer)

    def _broken(self, text: bytes) -> Rejection | None:
        return first_rejection(self._rules, text, self._start, text)


def first_rejection(rules: Sequence[Rule], text: bytes, scan: Scanner, rest: bytes) -> Rejection | None:
    """What the first of some rules that refuses anything refuses at the end of a document.

    Args:
        rules: the rules.
        text: the whole document.
        scan: the state of the scanner before the last bytes of it.
        rest: these bytes.
    """
    after, closed = scan.feed(rest)
    closed += after.end()[1]
    return next((found for rule in rules if (found := rule.rejects(text, after, closed))), None)
