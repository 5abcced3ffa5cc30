"""What the documents of a schema look like, in few lines, for a model to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xmlschema.validators import XsdElement, XsdGroup

from harmony_gen.schema.xsd.names import SCHEMA, split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.xsd.names import Names

_DEEPEST = 8
_LONGEST = 6_000
_LISTED = 12


def outline(roots: list[Any], names: Names) -> str:
    """Elements as an indented list: name, how often, attributes, type; `…` stands for what was described before."""
    lines: list[str] = []
    size = 0
    seen: set[int] = set()
    for root in roots:
        for line in _element(root, names, 0, seen):
            size += len(line) + 1
            if size > _LONGEST:
                return "\n".join([*lines, "…"])
            lines.append(line)
    return "\n".join(lines)


def _element(element: Any, names: Names, depth: int, seen: set[int], often: str = "") -> Iterator[str]:
    type_ = element.type
    indent, name = "  " * depth, names.element(element.name)
    attributes = "".join(f" {one}" for one in _attributes(type_, names))
    if type_.is_simple() or type_.has_simple_content():
        value = element.fixed or _described(type_ if type_.is_simple() else type_.content)
        yield f"{indent}{name}{often}{attributes}: {value}"
        return
    if id(type_) in seen or depth >= _DEEPEST:
        yield f"{indent}{name}{often}{attributes} …"
        return
    seen.add(id(type_))
    yield f"{indent}{name}{often}{attributes}"
    if split(type_.name or "")[0] != SCHEMA:
        yield from _group(type_.content, names, depth + 1, seen)


def _group(group: Any, names: Names, depth: int, seen: set[int]) -> Iterator[str]:
    if not isinstance(group, XsdGroup):
        return
    is_choice = group.model == "choice" and len(group) > 1
    if is_choice:
        yield f"{'  ' * depth}one of{_often(group)}"
        depth += 1
    for member in group:
        if isinstance(member, XsdGroup):
            yield from _group(member, names, depth, seen)
        elif isinstance(member, XsdElement):
            yield from _element(member, names, depth, seen, _often(member))


def _attributes(type_: Any, names: Names) -> Iterator[str]:
    if type_.is_simple():
        return
    for name, attribute in type_.attributes.items():
        if name is not None and attribute.use != "prohibited":
            optional = "" if attribute.use == "required" else "?"
            yield f"@{names.attribute(attribute.name)}{optional}={attribute.fixed or _described(attribute.type)}"


def _often(particle: Any) -> str:
    """?, *, + or {m,n}."""
    least, most = particle.min_occurs, particle.max_occurs
    known = {(1, 1): "", (0, 1): "?", (0, None): "*", (1, None): "+"}.get((least, most))
    return known if known is not None else f"{{{least},{'' if most is None else most}}}"


def _described(type_: Any) -> str:
    """The values of a simple type in a few words."""
    values = getattr(type_, "enumeration", None)
    if values:
        shown = "|".join(map(str, values[:_LISTED]))
        return f"{shown}|…" if len(values) > _LISTED else shown
    primitive = getattr(type_, "primitive_type", None)
    name = str(getattr(primitive, "local_name", None) or type_.local_name or "text")
    patterns = getattr(type_, "patterns", None)
    written = [element.get("value") for element in getattr(patterns, "_elements", None) or ()]
    return f"{name} matching {written[0]}" if len(written) == 1 else name
