"""Paths of elements and attributes: the small part of XPath in which schemas name keys, and users name fields.

`order/line/@id`, `.//p:part`, `a/*|b/p:*/.`: steps to children, `.//` in front, `@` at the end, `|` between options.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harmony_gen.schema.markup.reading import Element, Piece

_NAME = r"(?:[^\W\d][\w.\-]*:)?(?:[^\W\d][\w.\-]*|\*)"
_PATH = re.compile(rf"(?P<deep>\.?//)?(?P<steps>(?:{_NAME}|\.)(?:/(?:{_NAME}|\.))*)?(?:/?@(?P<attribute>{_NAME}))?")


class Test(NamedTuple):
    """Which names a step takes: None stands for any namespace, or any local part."""

    namespace: str | None
    local: str | None

    def takes(self, name: str) -> bool:
        """Whether it takes an expanded name."""
        space, _, local = name[1:].rpartition("}") if name.startswith("{") else ("", "", name)
        return self.namespace in (None, space) and self.local in (None, local)


class _Option(NamedTuple):
    """Steps to children, perhaps from any depth, perhaps to an attribute at the end."""

    is_deep: bool
    steps: tuple[Test, ...]
    attribute: Test | None

    def elements(self, start: Element) -> Iterable[Element]:
        """The elements that the steps lead to."""
        found: Iterable[Element] = start.descendants() if self.is_deep else [start]
        for step in self.steps:
            found = [child for element in found for child in element.children if step.takes(child.name)]
        return found


class Path:
    """A path, read."""

    def __init__(self, text: str, namespaces: Mapping[str, str], default: str = "") -> None:
        """Reads a path.

        Args:
            text: the path.
            namespaces: of its prefixes.
            default: the namespace of elements without a prefix.

        Raises:
            ValueError: it is none that is known here, or has a prefix that is not.
        """
        plain = re.sub(r"\s+", "", text).replace("child::", "").replace("attribute::", "@")
        self._options = [_option(part, namespaces, default, text) for part in plain.split("|")]

    def elements(self, start: Element) -> list[Element]:
        """The elements it leads to, each once."""
        found = (element for option in self._options if option.attribute is None for element in option.elements(start))
        return list(dict.fromkeys(found))

    def values(self, start: Element) -> Iterator[Piece]:
        """The attributes, and the texts of the elements, that it leads to."""
        for element in self.elements(start):
            yield element.text
        for option in self._options:
            if option.attribute is not None:
                for element in option.elements(start):
                    yield from (piece for name, piece in element.attributes.items() if option.attribute.takes(name))


def _option(plain: str, namespaces: Mapping[str, str], default: str, text: str) -> _Option:
    match = _PATH.fullmatch(plain)
    if match is None or not plain:
        message = f"{text!r} is no path like a/b, .//b or a/@id."
        raise ValueError(message)
    steps = [step for step in (match["steps"] or ".").split("/") if step != "."]
    attribute = match["attribute"]
    return _Option(
        match["deep"] is not None,
        tuple(_test(step, namespaces, default) for step in steps),
        None if attribute is None else _test(attribute, namespaces, ""),
    )


def _test(name: str, namespaces: Mapping[str, str], default: str) -> Test:
    prefix, colon, local = name.rpartition(":")
    if name == "*":
        return Test(None, None)
    if colon and prefix not in namespaces:
        message = f"The prefix {prefix!r} of a path is not declared."
        raise ValueError(message)
    return Test(namespaces[prefix] if colon else default, None if local == "*" else local)
