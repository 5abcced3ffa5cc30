"""Documents respelled as they are decoded: one spelling for each document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony_gen.schema.markup.text import escaped, normal
from harmony_gen.schema.xsd.declared import NIL, TYPE, Declared
from harmony_gen.schema.xsd.names import INSTANCE, XML

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from harmony_gen.schema.xsd.names import Names

_LOCATIONS = (f"{{{INSTANCE}}}schemaLocation", f"{{{INSTANCE}}}noNamespaceSchemaLocation")


def canonical(schema: Any, names: Names, text: str, spaces: int | None = None) -> str:
    """A valid document in the spelling of answers.

    Args:
        schema: from xmlschema.
        names: how names are written.
        text: the document.
        spaces: where white space means nothing, begin lines, indented by so many spaces a level; None: no white space.

    Raises:
        ValidationError: it is not well-formed.
    """
    document = Declared(schema, text)
    return _Writer(names.copied(), document, spaces).element(document.root)


class _Writer:
    """Writes elements of one document."""

    def __init__(self, names: Names, document: Declared, spaces: int | None) -> None:
        self._names = names
        self._document = document
        self._spaces = spaces

    def element(self, element: Element, depth: int = 0) -> str:
        """An element with all it holds."""
        name = self._names.element(element.tag)
        type_ = self._document.type(element)
        attributes, content = "".join(self._attributes(element, type_)), "".join(self._content(element, type_, depth))
        opening = f"<{name}{'' if depth else self._names.declarations()}{attributes}"  # all names are known by now
        return f"{opening}>{content}</{name}>" if content else f"{opening}/>"

    def _attributes(self, element: Element, type_: Any) -> Iterator[str]:
        found = {name: value for name, value in element.attrib.items() if name not in _LOCATIONS}
        named, is_nil = found.pop(TYPE, None), found.pop(NIL, None)
        declaration = self._document.declaration(element)
        if named is not None and type_ is not getattr(declaration, "type", None):
            yield f' {self._names.instance("type")}="{self._qualified(named, element, is_type=True)}"'
        if is_nil is not None and is_nil.strip() in ("true", "1"):
            yield f' {self._names.instance("nil")}="true"'
        known = getattr(type_, "attributes", None) or {}
        for name in [*(name for name in known if name in found), *(name for name in found if name not in known)]:
            value = found[name]
            attribute_type = getattr(known.get(name), "type", None)
            if attribute_type is not None:
                value = self._value(value, element, attribute_type)
            yield f' {self._names.attribute(name)}="{escaped(value, attribute=True)}"'

    def _content(self, element: Element, type_: Any, depth: int) -> Iterator[str]:
        texts = [element.text or "", *(child.tail or "" for child in element)]
        is_simple = type_ is not None and (type_.is_simple() or type_.has_simple_content())
        if is_simple and not len(element):
            texts[0] = self._value(texts[0], element, type_ if type_.is_simple() else type_.content)
        elif type_ is None or not type_.mixed or (len(element) and not any(map(str.strip, texts))):
            texts = [text if text.strip() else "" for text in texts]
        if self._spaces is not None and len(element) and type_ is not None and type_.is_element_only():
            lines = ["\n" + " " * (self._spaces * level) for level in (depth, depth + 1)]
            texts = [*(len(element) * lines[1:]), lines[0]]
        yield escaped(texts[0], attribute=False)
        for child, text in zip(element, texts[1:], strict=True):
            yield self.element(child, depth + 1)
            yield escaped(text, attribute=False)

    def _value(self, text: str, element: Element, type_: Any) -> str:
        """A value with its white space as the type has it, names with the prefixes of answers."""
        item = _item_type(type_)
        primitive = getattr(item, "primitive_type", None)
        if primitive is not None and primitive.local_name in ("QName", "NOTATION"):
            return " ".join(
                self._qualified(name, element, is_type=False) for name in normal(text, "collapse").split(" ")
            )
        return normal(text, type_.white_space)

    def _qualified(self, text: str, element: Element, *, is_type: bool) -> str:
        prefix, _, local = text.strip().rpartition(":")
        space = XML if prefix == "xml" else self._document.prefixes(element).get(prefix, "")
        if is_type:
            return self._names.element(f"{{{space}}}{local}" if space else local)
        return f"{self._names.in_value(space)}:{local}" if space else local


def _item_type(type_: Any) -> Any:
    """The type of the items of a list; of any other type, itself."""
    one = type_
    while one is not None:
        if getattr(one, "item_type", None) is not None:
            return one.item_type
        one = one.base_type
    return type_
