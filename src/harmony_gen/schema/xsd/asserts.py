"""Assertions of XML Schema 1.1: XPath conditions on elements and values, which no grammar knows.

xmlschema decides them. What is done here is to find out which declarations they speak of, so that ways to end a
document can be looked for among those that may satisfy them; and to ask as soon as an element closes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harmony_gen.schema.markup.scan import completed
from harmony_gen.schema.rules import Rejection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harmony_gen.schema.scanner import Closed

_FACET = "{http://www.w3.org/2001/XMLSchema}assertion"
_TEXTS = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_NUMBERS = re.compile(r"(?<![\w.\-])\d+(?:\.\d+)?(?![\w.\-])")
_NAMES = re.compile(r"[^\W\d][\w.\-]*")
_START_TAG = re.compile(rb"<[^/]")
_MOST_NAMES = 6
_MOST_LETTERS = 64
REPEATS = (2, 3, 5)
"""How often elements are written that a condition may count."""


def tests_of(type_: Any) -> list[str]:
    """The conditions on a type and on the types it is derived from."""
    found = [str(one.path) for one in getattr(type_, "assertions", ())]
    simple = type_.content if getattr(type_, "content", None) is not None and type_.has_simple_content() else type_
    seen: set[int] = set()
    while simple is not None and id(simple) not in seen:
        seen.add(id(simple))
        facets = (getattr(simple, "facets", None) or {}).get(_FACET, [])
        found += [str(one.path) for one in (facets if isinstance(facets, list) else [facets])]
        simple = simple.base_type
    return list(dict.fromkeys(found))


def words_of(tests: Iterable[str]) -> list[str]:
    """Values that may satisfy conditions: what they name, and texts as long as the numbers in them."""
    found: dict[str, None] = {}
    for test in tests:
        found.update(dict.fromkeys(one or other for one, other in _TEXTS.findall(test)))
        bare = _TEXTS.sub("", test)
        for number in _NUMBERS.findall(bare):
            found[number] = None
            if number.isdigit() and len(number) < 3 and 0 < int(number) < _MOST_LETTERS:  # noqa: PLR2004 - digits
                found.update(dict.fromkeys("a" * size for size in (int(number), int(number) + 1)))
    return list(found)


def needed_by(schema: Any, tests: Iterable[str]) -> Iterator[tuple[frozenset[int], int]]:
    """What documents must hold to satisfy conditions, perhaps: identities of declarations, and how often.

    First what is named alone, then all that is named, then several of each.
    """
    from xmlschema.validators import XsdAttribute, XsdElement

    named = {name for test in tests for name in _NAMES.findall(_TEXTS.sub("", test))}
    found: dict[str, set[int]] = {}
    for part in schema.iter_components((XsdAttribute, XsdElement)):
        if part.local_name in named:
            found.setdefault(part.local_name, set()).add(id(part))
    everything = frozenset(one for several in found.values() for one in several)
    if 1 < len(found) <= _MOST_NAMES:
        yield from ((frozenset(several), 1) for several in found.values())
    if found:
        yield from ((everything, times) for times in (1, *REPEATS))


class AssertRule:
    """The conditions of a schema, asked about each element as it closes."""

    def __init__(self, schema: Callable[[], Any], tags: Iterable[str]) -> None:
        """Takes what loads the schema, and the names, as written, of the elements that have conditions."""
        self._schema = schema
        self._tags = frozenset(tags)

    def rejects(self, text: bytes, scan: Any, closed: Sequence[Closed]) -> Rejection | None:
        """See `rules.Rule`."""
        found = [item for item in closed if str(item.path[-1]).partition("[")[0] in self._tags]
        if not found:
            return None
        broken = self._broken(completed(text, scan))
        for item in found:
            start, end = item.span
            reason = broken.get(_number(text, start, end))
            if reason is not None:
                path = "".join(f"/{step}" for step in item.path)
                return Rejection(path, text[start:end].decode(errors="replace"), reason, start)
        return None

    def _broken(self, document: bytes) -> dict[int, str]:
        """Which elements of a document break a condition, by their number in it, and why."""
        from xmlschema.validators.assertions import XsdAssert
        from xmlschema.validators.facets import XsdAssertionFacet

        from harmony_gen.schema.xsd.judge import read_document

        source = read_document(document)
        errors = [
            error
            for error in self._schema().iter_errors(source)
            if isinstance(error.validator, XsdAssert | XsdAssertionFacet)
        ]
        numbers = {id(element): number for number, element in enumerate(source.root.iter())} if errors else {}
        return {
            numbers[id(error.elem)]: f"breaks the condition {error.validator.path}"
            for error in errors
            if id(error.elem) in numbers
        }


def _number(text: bytes, start: int, end: int) -> int:
    """The number, from 0, of the element with a span, which is that of its text if it holds no elements."""
    before = len(_START_TAG.findall(text, 0, start))
    return before if start < end and text[start : start + 1] == b"<" else before - 1
