"""The values of a document as its schema types them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from xmlschema import XMLSchemaException

from harmony_gen.schema.markup.values import values
from harmony_gen.schema.scanner import Scalar
from harmony_gen.schema.xsd.declared import NIL, Declared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from harmony_gen.schema.markup.values import Value


_START_TAG = re.compile(rb"<[^/]")


def scalars(schema: Any, document: bytes) -> Iterator[Scalar]:
    """The values of a valid document in the spelling of answers, in order.

    These are attributes, and the texts of elements that may hold some; elements that are empty by their type have none.
    """
    declared = Declared(schema, document.decode())
    elements = list(declared.root.iter())
    for found in values(document):
        element = elements[found.element]
        if _has_value(declared, element, found):
            value = _value(declared, element, found)
            sought = value if value is None or isinstance(value, int | float | Decimal) else found.text
            yield Scalar(found.path, value, sought, found.span, found.decided)


def value_at(schema: Any, document: bytes, start: int) -> Any:
    """The value that begins at a byte of a document in the spelling of answers, or the element that does."""
    for scalar in scalars(schema, document):
        if scalar.span[0] == start:
            return scalar.value
    before = len(_START_TAG.findall(document, 0, start))
    return list(Declared(schema, document.decode()).root.iter())[before]


def _has_value(declared: Declared, element: Element, found: Value) -> bool:
    """Whether what was found may hold a text."""
    type_ = declared.type(element)
    if found.attribute is not None or found.text or type_ is None:
        return True
    return bool(type_.is_simple() or type_.has_simple_content() or (type_.mixed and found.is_whole))


def _value(declared: Declared, element: Element, found: Value) -> Any:
    """A text as its type has it; as it is where there is none."""
    if found.attribute is not None:
        type_ = declared.attribute_type(element, list(element.attrib)[found.attribute])
        return _decoded(type_, found.text)
    type_ = declared.type(element)
    if type_ is None or not (type_.is_simple() or type_.has_simple_content()):
        return found.text
    if element.get(NIL) in ("true", "1"):
        return None
    declaration = declared.declaration(element)
    text = found.text or declaration.fixed or declaration.default or ""
    return _decoded(type_ if type_.is_simple() else type_.content, text)


def _decoded(type_: Any, text: str) -> Any:
    """A text as a value; dates, durations and bytes are texts."""
    if type_ is None:
        return text
    try:
        value = type_.decode(text)
    except XMLSchemaException:  # of names, which need the prefixes of the document
        return text
    if isinstance(value, list):
        return [_plain(item, word) for item, word in zip(value, text.split(), strict=True)]
    return _plain(value, text)


def _plain(value: Any, text: str) -> Any:
    return value if isinstance(value, str | int | float | Decimal) else text
