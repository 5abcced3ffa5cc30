"""Simple types as plain trees of the texts of their values, before a document spells them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from xmlschema.validators import XsdComplexType, XsdList, XsdUnion

from harmony_gen.schema.markup.text import LEGAL, normal, text_node
from harmony_gen.schema.strings.expression import (
    EMPTY,
    NOTHING,
    Character,
    Node,
    alternation,
    both,
    concat,
    repeat,
)
from harmony_gen.schema.xsd import dates, numbers
from harmony_gen.schema.xsd.asserts import tests_of
from harmony_gen.schema.xsd.builtin import (
    ANY,
    BASE64,
    BASE64_ENDS,
    COLLAPSED,
    LISTS,
    PATTERNS,
    REPLACED,
    SPACE,
    UNPREFIXED,
    WHOLE,
    WHOLE_NUMBER,
    WORD,
    Unwritable,
    builtin_tree,
)
from harmony_gen.schema.xsd.numbers import Bound
from harmony_gen.schema.xsd.regex import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harmony_gen.schema.xsd.names import Names

XSD = "{http://www.w3.org/2001/XMLSchema}"

_LINKED = frozenset("ID IDREF IDREFS ENTITY ENTITIES".split())
"""Types whose values depend on others of the document."""

_BOUNDS = {
    "minInclusive": (True, False),
    "minExclusive": (True, True),
    "maxInclusive": (False, False),
    "maxExclusive": (False, True),
}
"""Whether a facet is a lower bound, and whether it excludes the bound itself."""

_LONGEST_FLOAT = 45
"""Powers of ten beyond which bounds of floats are not written out."""


class SimpleTypes:
    """Trees of the simple types of a schema.

    Attributes:
        checked: what was left out of a tree, for the judge to decide: (name of the type, what).
    """

    def __init__(self, names: Names) -> None:
        """Takes what knows the prefixes that documents declare."""
        self.checked: set[tuple[str, str]] = set()
        self._names = names
        self._known: dict[int, tuple[Any, Node]] = {}

    def tree(self, type_: Any) -> Node:
        """The texts of the values of a type.

        Raises:
            Unwritable: there are none, or it is not known which.
        """
        known = self._known.get(id(type_))
        if known is None:
            known = self._known[id(type_)] = type_, self._tree(type_)
            self.checked |= {(str(type_.name or "a local type"), f"assertion[{test}]") for test in tests_of(type_)}
        return known[1]

    def is_empty_allowed(self, type_: Any) -> bool:
        """Whether the empty text is a value."""
        return bool(type_.is_valid("")) and _primitive(type_) not in ("QName", "NOTATION")

    def _tree(self, type_: Any) -> Node:
        name = _builtin(type_)
        if name is not None:
            return self._builtin(name)
        if isinstance(type_, XsdComplexType):
            return self.tree(type_.content)
        if isinstance(type_, XsdUnion):
            return alternation(self.tree(member) for member in type_.member_types)
        if isinstance(type_, XsdList):
            return self._row(both([self.tree(type_.item_type), WORD]), 0, None)
        return self._restricted(type_)

    def _builtin(self, name: str) -> Node:
        """A built-in type."""
        if name in _LINKED:
            self.checked.add((f"xs:{name}", "within the document"))
        if name in LISTS:
            return self._row(builtin_tree(LISTS[name]), 1, None)
        return self._qualified() if name in ("QName", "NOTATION") else builtin_tree(name)

    def _row(self, item: Node, least: int, most: int | None) -> Node:
        """Items with a space between them."""
        if most == 0:
            return EMPTY
        behind = repeat(concat([SPACE, item]), max(least - 1, 0), None if most is None else most - 1)
        row = concat([item, behind])
        return row if least else repeat(row, 0, 1)

    def _qualified(self) -> Node:
        """Names with a prefix that the document declares, or none."""
        prefixes = alternation(text_node(prefix + ":") for prefix in self._names.in_values().values())
        return concat([repeat(prefixes, 0, 1), UNPREFIXED])

    def _restricted(self, type_: Any) -> Node:
        """A type that is derived by facets."""
        facets = _facets(type_)
        if "enumeration" in facets:
            texts = list(self._listed(type_, facets["enumeration"]))
            if not texts:
                message = "none of its enumerated values is valid"
                raise Unwritable(message)
            return alternation(map(text_node, texts))
        if _primitive(type_) == "decimal" and not type_.is_list():
            numeral = self._decimal(type_)
            if numeral is not None:
                return numeral
        base = self.tree(type_.base_type)
        least, most = _lengths(facets)
        if type_.is_list() and (least or most is not None):
            base = self._counted(type_, least, most)
            least, most = 0, None
        parts = [base, *self._facets(type_, facets), *self._sized(_primitive(type_), least, most)]
        return _possible(both(parts))

    def _decimal(self, type_: Any) -> Node | None:
        """A type of decimals: one interval, and what patterns and digits say; None if values have been enumerated."""
        low: Bound | None = None
        high: Bound | None = None
        parts: list[Node] = []
        while (name := _builtin(type_)) is None:
            facets = _facets(type_)
            if "enumeration" in facets:
                return None
            low, high = _tighter(low, high, facets)
            parts += self._written(facets, "decimal")
            type_ = type_.base_type
            if isinstance(type_, XsdComplexType):
                type_ = type_.content
        if name in WHOLE:
            below, above = WHOLE[name]
            low, high = _higher(low, below), _lower(high, above)
        whole = name in WHOLE
        known = numbers.between(low, high, whole=whole)
        if low is None or high is None:  # digits without end are not written
            parts.append(WHOLE_NUMBER if whole else parse(PATTERNS["decimal"]))
        return _possible(both([known, *parts]))

    def _counted(self, type_: Any, least: int, most: int | None) -> Node:
        """A list of so many items, with the patterns of the types it is derived from."""
        base = type_.base_type
        while not isinstance(base, XsdList):
            if base is None or _builtin(base) in LISTS:
                name = LISTS[_builtin(base) or "NMTOKENS"]
                return self._row(builtin_tree(name), max(least, 1), most)
            base = base.base_type
        rows = self._row(both([self.tree(base.item_type), WORD]), least, most)
        return both([rows, self.tree(type_.base_type)])

    def _sized(self, primitive: str | None, least: int, most: int | None) -> Iterator[Node]:
        """Texts of so many characters, or bytes."""
        if (least == 0 and most is None) or primitive in ("QName", "NOTATION"):
            return
        if primitive == "hexBinary":
            yield repeat(parse("[0-9a-fA-F]{2}"), least, most)
        elif primitive == "base64Binary":
            yield _base64(least, most)
        else:
            yield repeat(Character(LEGAL), least, most)

    def _facets(self, type_: Any, facets: dict[str, Any]) -> Iterator[Node]:
        """What patterns, bounds, digits and white space say."""
        primitive = _primitive(type_)
        yield from self._written(facets, primitive)
        bounds = {name: str(_values(facets[name])[0]).strip() for name in _BOUNDS if name in facets}
        for name, bound in bounds.items():
            is_lower, exclusive = _BOUNDS[name]
            if dates.zone_of(bound) == dates.zone_of(next(iter(bounds.values()))):
                yield from self._bound(type_, primitive, bound, is_lower=is_lower, exclusive=exclusive)
            else:  # values are in the zone of the first
                self._note(type_, bound)

    def _written(self, facets: dict[str, Any], primitive: str | None) -> Iterator[Node]:
        """What patterns, digits and white space say."""
        if "pattern" in facets:
            yield alternation(_pattern(pattern) for pattern in _values(facets["pattern"]))
        if primitive == "decimal" and facets.keys() & {"totalDigits", "fractionDigits"}:
            total, fraction = (_number(facets, name) for name in ("totalDigits", "fractionDigits"))
            yield numbers.digits(total, fraction)
        if "whiteSpace" in facets and primitive != "decimal":
            mode = facets["whiteSpace"].value
            yield {"collapse": COLLAPSED, "replace": REPLACED}.get(mode, ANY)

    def _bound(
        self, type_: Any, primitive: str | None, bound: str, *, is_lower: bool, exclusive: bool
    ) -> Iterator[Node]:
        """The values on one side of a bound."""
        if primitive == "decimal":
            end = Bound(Decimal(bound), exclusive)
            yield numbers.between(end if is_lower else None, None if is_lower else end, whole=False)
        elif primitive in ("float", "double"):
            yield from _float_bound(bound, is_lower=is_lower, exclusive=exclusive)
        else:
            try:
                yield dates.bounded(primitive or "", bound, is_lower=is_lower, exclusive=exclusive)
            except (ValueError, KeyError):
                self._note(type_, bound)

    def _note(self, type_: Any, bound: str) -> None:
        """Notes a bound that is checked."""
        self.checked.add((str(type_.name or "a local type"), f"the bound {bound}"))

    def _listed(self, type_: Any, facet: Any) -> Iterator[str]:
        """The enumerated values that are valid."""
        qualified = _primitive(type_) in ("QName", "NOTATION")
        for text in dict.fromkeys(map(str, _values(facet))):
            value = self._requalified(type_, text) if qualified else _normal(type_, text)
            if value is not None and (qualified or type_.is_valid(value)):
                yield value

    def _requalified(self, type_: Any, text: str) -> str | None:
        """A qualified name with the prefix that documents have for its namespace; None without any."""
        prefix, _, local = text.strip().rpartition(":")
        namespace = type_.schema.namespaces.get(prefix, "")
        if not namespace:
            return None if self._names.has_default else local
        return f"{self._names.in_value(namespace)}:{local}"


def _facets(type_: Any) -> dict[str, Any]:
    """The facets of one step of derivation, by their local names."""
    return {name.removeprefix(XSD): facet for name, facet in type_.facets.items() if name and facet is not None}


def _possible(tree: Node) -> Node:
    """A tree that matches something, as far as it shows."""
    if tree == NOTHING:
        message = "its facets contradict each other"
        raise Unwritable(message)
    return tree


def _tighter(low: Bound | None, high: Bound | None, facets: dict[str, Any]) -> tuple[Bound | None, Bound | None]:
    """An interval, cut down by the facets of one step."""
    for name, (is_lower, exclusive) in _BOUNDS.items():
        if name in facets:
            end = Bound(Decimal(str(_values(facets[name])[0]).strip()), exclusive)
            low, high = (_higher(low, end), high) if is_lower else (low, _lower(high, end))
    return low, high


def _higher(one: Bound | None, other: Bound | None) -> Bound | None:
    """The tighter of two lower ends."""
    if one is None or other is None:
        return one or other
    return max(one, other)


def _lower(one: Bound | None, other: Bound | None) -> Bound | None:
    """The tighter of two upper ends."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda bound: (bound.value, not bound.is_open))


def _builtin(type_: Any) -> str | None:
    """The name of a built-in type."""
    name = getattr(type_, "name", None)
    return name.removeprefix(XSD) if name and name.startswith(XSD) else None


def _primitive(type_: Any) -> str | None:
    """The name of the primitive type that an atomic one comes from."""
    primitive = getattr(type_, "primitive_type", None)
    return None if primitive is None else primitive.local_name


def _normal(type_: Any, text: str) -> str:
    """A text with its white space as the type has it."""
    return normal(text, type_.white_space)


def _values(facet: Any) -> list[Any]:
    """The `value` attributes of a facet, in order."""
    elements = getattr(facet, "_elements", None) or [facet.elem]
    return [element.get("value") for element in elements]


def _number(facets: dict[str, Any], name: str) -> int | None:
    return int(facets[name].value) if name in facets else None


def _lengths(facets: dict[str, Any]) -> tuple[int, int | None]:
    """The bounds of the facets of length."""
    exact = _number(facets, "length")
    if exact is not None:
        return exact, exact
    least, most = _number(facets, "minLength") or 0, _number(facets, "maxLength")
    if most is not None and most < least:
        message = "its lengths contradict each other"
        raise Unwritable(message)
    return least, most


def _pattern(pattern: str) -> Node:
    try:
        return parse(pattern)
    except ValueError as error:
        message = f"the regular expression {pattern!r:.80} cannot be read: {error}"
        raise Unwritable(message) from error


def _float_bound(bound: str, *, is_lower: bool, exclusive: bool) -> Iterable[Node]:
    """Floats on one side of a bound, in decimal notation."""
    if bound == "NaN":
        return [text_node("NaN")]
    if bound in ("INF", "-INF"):
        if (bound == "INF") == is_lower:
            return [NOTHING if exclusive else text_node(bound)]
        return [parse(r"[+\-]?[0-9]+(\.[0-9]*)?")] if exclusive else []
    value = Decimal(bound)
    if abs(value.adjusted()) > _LONGEST_FLOAT:
        value = Decimal(0) if value.adjusted() < 0 else value
    end = Bound(value, exclusive)
    return [numbers.between(end if is_lower else None, None if is_lower else end, whole=False)]


def _base64(least: int, most: int | None) -> Node:
    """Base64 of so many bytes."""
    options = []
    for missing, end in enumerate(BASE64_ENDS):
        groups = -(-(least + missing) // 3)
        limit = None if most is None else (most + missing) // 3
        if missing:
            groups, limit = max(groups, 1) - 1, None if limit is None else limit - 1
        if limit is None or limit >= groups:
            options.append(concat([repeat(parse(f"{BASE64}{{4}}"), groups, limit), parse(end) if end else EMPTY]))
    return alternation(options)
