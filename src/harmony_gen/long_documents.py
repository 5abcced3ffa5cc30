"""Documents that are longer than a model sees at once: cut where sentences end, answered in parts, put together.

Parts overlap, so that what stands at a border is read whole by one of them. What a part does not hold it leaves open
(`missing="null"`), or each would invent it; so the answer of the whole is made of what parts have found.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from harmony_gen.equality import Equality
from harmony_gen.errors import HarmonyError, PromptError, SchemaError, ValidationError
from harmony_gen.messages import Message
from harmony_gen.request import request_of
from harmony_gen.result import Field, Result
from harmony_gen.schema import Schema, scanner
from harmony_gen.schema.gaps import with_gaps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from harmony_gen.generator import Generator
    from harmony_gen.request import Request, Shared
    from harmony_gen.result import Span

T = TypeVar("T")

_BORDER = re.compile(r"\n+|[.!?][\"”’)]?[ \t]+|[。！？]+")
"""Where a text may be cut: behind lines and sentences."""

_MOST = 2048
"""Tokens of a part, if the model sees more."""

_LOOSE = Equality(ignore_case=True)
_LEAST = 16
_OVERLAP = 8
"""Parts overlap by one of so many tokens."""

PAGE_BREAK = "\n"
"""What stands between pages."""


@dataclass(frozen=True)
class Part:
    """A part of a document, and what was found in it.

    Attributes:
        span: where it stands in the document.
        result: the answer, with what is missing as null; or why there is none.
    """

    span: Span
    result: Result[Any] | HarmonyError


@dataclass(frozen=True)
class LongResult(Generic[T]):
    """A valid answer, put together from those to parts of a document.

    Attributes:
        value: as `Result.value`.
        text: as JSON.
        fields: the scalars by JSON Pointer; `source_span` is where it stands in `source`, `text_span` in `text`.
        source: the document; of pages, all of them with a line break between.
        parts: what was found where.
        problem: why the answers to parts do not make a valid one together; the value is then the answer to the part
            that holds most. None if they do. What the schema demands and no part holds comes from there, too, and is
            `missing` in its field.
    """

    value: T
    text: str
    fields: Mapping[str, Field]
    source: str
    parts: tuple[Part, ...]
    problem: ValidationError | None = None


def extract_long(
    generator: Generator,
    pages: str | Sequence[str],
    schema: Any,
    *,
    chunk_tokens: int | None,
    overlap_tokens: int | None,
    batch_size: int,
    options: Shared,
) -> LongResult[Any]:
    """See `Generator.extract_long`."""
    pages = [pages] if isinstance(pages, str) else list(pages)
    document = PAGE_BREAK.join(pages)
    request = request_of(document, schema, source=document, **options)
    whole = request.schema
    if whole is None or not whole.is_json:
        raise SchemaError("Long documents need a schema whose answers are JSON: others cannot be put together.")
    size = _size(generator, request, chunk_tokens)
    overlap = size // _OVERLAP if overlap_tokens is None else overlap_tokens
    if not 0 <= overlap <= size // 2:
        message = f"overlap_tokens must be between 0 and half of the {size} tokens of a part; it is {overlap_tokens}."
        raise ValueError(message)
    spans, start = [], 0
    for page in pages:
        found = cuts(page, lambda text: len(generator._vocabulary.encode(text)), size, overlap)
        spans += [(start + first, start + last) for first, last in found]
        start += len(page) + len(PAGE_BREAK)
    if not spans:
        raise PromptError("The document is empty.")
    texts = [document[slice(*span)] for span in spans]
    rows = generator.generate_batch(texts, schema, sources=texts, batch_size=batch_size, **_open(schema, options))
    parts = tuple(Part(span, row) for span, row in zip(spans, rows, strict=True))
    trees = [tree for part in parts if (tree := _tree_of(part)) is not None]
    if not trees:
        raise next(part.result for part in parts if isinstance(part.result, HarmonyError))
    tree = merged(trees)
    try:
        return _whole(whole, tree, document, parts)
    except ValidationError:
        best = _best(generator, schema, document, parts, options)
    try:
        return _whole(whole, filled(tree, _tree_of(best)), document, parts)
    except ValidationError as problem:
        tree = _tree_of(best)
        return replace(_whole(whole, tree, document, parts), problem=problem)


def _whole(schema: Schema[Any], tree: Any, document: str, parts: tuple[Part, ...]) -> LongResult[Any]:
    """A result; raises ValidationError if it is not valid."""
    text = json.dumps(_values(tree), ensure_ascii=False, separators=(",", ":"))
    return LongResult(schema.validate(text), text, _fields(tree, text), document, parts)


def _best(generator: Generator, schema: Any, document: str, parts: tuple[Part, ...], options: Shared) -> Part:
    """The part that holds most, asked once more with everything that the schema demands."""

    def held(part: Part) -> float:
        fields = part.result.fields.values() if isinstance(part.result, Result) else ()
        return sum(field.confidence for field in fields if not field.missing)

    span = max(parts, key=held).span
    text = document[slice(*span)]
    return Part(span, generator.generate(text, schema, source=text, **options))


def _size(generator: Generator, request: Request, given: int | None) -> int:
    """Tokens of a part.

    Raises:
        ValueError: it is given and too small.
        PromptError: schema and answer leave no room.
    """
    if given is not None:
        if given < _LEAST:
            message = f"chunk_tokens must be at least {_LEAST}; it is {given}."
            raise ValueError(message)
        return given
    window = generator._window
    others = len(generator._encode_request(replace(request, messages=[Message("user", "x")])))
    room = _MOST if window is None else window - others - request.max_new_tokens
    if room < _LEAST:
        raise PromptError(
            f"Of the model's context window of {window} tokens, the schema and {request.max_new_tokens} new tokens "
            f"leave {room} for the text. Lower max_new_tokens, or give chunk_tokens.",
            limit=max(room, 0),
        )
    return min(room, _MOST)


def _open(schema: Any, options: Shared) -> Shared:
    """Options with which a part may leave open what it does not hold."""
    if options.get("missing") is not None:
        return options
    try:
        with_gaps(Schema.of(schema), "null")
    except SchemaError:  # a condition stands in the way
        return options
    return {**options, "missing": "null"}


def cuts(text: str, count: Callable[[str], int], size: int, overlap: int) -> list[Span]:
    """Cuts a text into parts that overlap, behind lines and sentences where that is possible.

    Args:
        text: the text.
        count: how many tokens a text has.
        size: the most tokens of a part.
        overlap: the most tokens that a part has in common with the next one.

    Returns:
        Half-open ranges of characters, in order, that hold all of the text but white space; [] if there is no more.
    """
    units = list(_units(text, count, size))
    found: list[Span] = []
    first = 0
    while first < len(units):
        last, used = first, 0
        while last < len(units) and used + units[last][1] <= size:
            used += units[last][1]
            last += 1
        last = max(last, first + 1)
        found.append((units[first][0][0], units[last - 1][0][1]))
        if last == len(units):
            break
        following, used = last, 0
        while following > first + 1 and used + units[following - 1][1] <= overlap:
            following -= 1
            used += units[following][1]
        first = following
    return [span for span in found if text[slice(*span)].strip()]


def _units(text: str, count: Callable[[str], int], size: int) -> Iterator[tuple[Span, int]]:
    """Sentences and lines with their tokens; those that are too long in halves, at a space if there is one."""
    ends = [0, *(match.end() for match in _BORDER.finditer(text)), len(text)]
    waiting = [(start, end) for start, end in pairwise(ends) if start < end][::-1]
    while waiting:
        start, end = waiting.pop()
        tokens = count(text[start:end])
        if tokens <= size or end - start == 1:
            yield (start, end), tokens
            continue
        middle = (start + end) // 2
        space = text.rfind(" ", start + 1, middle)
        cut = middle if space < 0 else space + 1
        waiting += [(cut, end), (start, cut)]


class _Found(NamedTuple):
    """A scalar that was found in a part."""

    value: Any
    field: Field


def _tree_of(part: Part) -> Any:
    """The answer to a part, each scalar with its field, whose place is that in the document; None without answer."""
    if isinstance(part.result, HarmonyError):
        return None
    fields = part.result.fields

    def tree(value: Any, pointer: str) -> Any:
        if isinstance(value, dict):
            return {key: tree(member, pointer + scanner.pointer((key,))) for key, member in value.items()}
        if isinstance(value, list):
            return [tree(item, f"{pointer}/{index}") for index, item in enumerate(value)]
        field = _moved(fields[pointer], part.span[0])
        return _Found(value, field)

    return tree(json.loads(part.result.text), "")


def _moved(field: Field, by: int) -> Field:
    span = field.source_span
    return field if span is None else replace(field, source_span=(span[0] + by, span[1] + by))


def merged(trees: Sequence[Any]) -> Any:
    """One answer from several.

    Objects are put together member by member, arrays without what another one has said already; of scalars the one
    with the highest confidence is taken. What is missing gives way.
    """
    there = [tree for tree in trees if not _is_missing(tree)]
    if not there:
        return trees[0]
    kind = type(there[0])
    alike = [tree for tree in there if type(tree) is kind]
    if kind is dict:
        keys = dict.fromkeys(key for tree in alike for key in tree)
        return {key: merged([tree[key] for tree in alike if key in tree]) for key in keys}
    if kind is list:
        return _joined(alike)
    return max(alike, key=lambda found: found.field.confidence)


def _is_missing(tree: Any) -> bool:
    return isinstance(tree, _Found) and tree.field.missing


def filled(tree: Any, other: Any) -> Any:
    """An answer in which another one stands for what is missing, and is marked as missing."""
    if isinstance(tree, _Found):
        return _marked(other) if tree.value is None else tree
    if not isinstance(tree, dict) or not isinstance(other, dict):
        return tree
    keys = dict.fromkeys([*tree, *other])
    return {key: filled(tree[key], other.get(key, tree[key])) if key in tree else _marked(other[key]) for key in keys}


def _marked(tree: Any) -> Any:
    """An answer of which all is missing."""
    if isinstance(tree, dict):
        return {key: _marked(member) for key, member in tree.items()}
    if isinstance(tree, list):
        return [_marked(item) for item in tree]
    return _Found(tree.value, replace(tree.field, missing=True))


def _joined(lists: Sequence[list[Any]]) -> list[Any]:
    """The items of several arrays; one that agrees with an item of an earlier array completes it."""
    found: list[Any] = []
    for items in lists:
        earlier = list(found)
        for item in items:
            twin = next(
                (index for index, other in enumerate(earlier) if other is not None and _agree(item, other)), None
            )
            if twin is None:
                found.append(item)
            else:
                found[twin] = merged([earlier[twin], item])
                earlier[twin] = None  # two items of one array are two
    return found


def _agree(one: Any, other: Any) -> bool:
    """Whether two items are the same, as far as both are known; spaces and case do not count."""
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = [(one[key], other[key]) for key in one if key in other]
        known = [pair for pair in pairs if not any(map(_is_missing, pair))]
        return bool(known) and all(_agree(*pair) for pair in known)
    return _LOOSE.same(_values(one), _values(other))


def _values(tree: Any) -> Any:
    """The value of a tree."""
    if isinstance(tree, dict):
        return {key: _values(member) for key, member in tree.items()}
    return [_values(item) for item in tree] if isinstance(tree, list) else tree.value


def _leaves(tree: Any) -> Iterator[Field]:
    if isinstance(tree, _Found):
        yield tree.field
    else:
        for inner in tree.values() if isinstance(tree, dict) else tree:
            yield from _leaves(inner)


def _fields(tree: Any, text: str) -> dict[str, Field]:
    """The fields of an answer that was put together."""
    data = text.encode()
    pairs: Iterable[tuple[scanner.Scalar, Field]] = zip(scanner.scalars(data), _leaves(tree), strict=True)
    return {
        item.pointer: replace(
            field,
            pointer=item.pointer,
            text_span=(len(data[: item.span[0]].decode()), len(data[: item.span[1]].decode())),
        )
        for item, field in pairs
    }
