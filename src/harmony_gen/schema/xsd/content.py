"""The grammar of the documents of a schema: a rule for each element declaration and each type.

Documents have one spelling: no declaration, comments or CDATA sections; attributes in the order of the schema; elements
without content as empty tags; all namespaces declared on the root.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from xmlschema.validators import XsdAnyElement, XsdElement, XsdGroup

from harmony_gen.schema.markup.lengths import shortest
from harmony_gen.schema.markup.text import LEGAL, normal, spelled, text_node
from harmony_gen.schema.markup.tree import (
    NEVER,
    NOTHING_MORE,
    AnyOrder,
    Choice,
    Grammar,
    Part,
    Reference,
    Sequence,
    Times,
    choice,
    lexeme,
    literal,
    optional,
    sequence,
    times,
    without_nothing,
)
from harmony_gen.schema.strings.expression import Character, Node, both, concat, is_nullable, repeat, width
from harmony_gen.schema.xsd.asserts import tests_of
from harmony_gen.schema.xsd.builtin import ANY, Unwritable
from harmony_gen.schema.xsd.derivation import Derivations
from harmony_gen.schema.xsd.linking import kind_of
from harmony_gen.schema.xsd.names import SCHEMA, Names, split
from harmony_gen.schema.xsd.simple import SimpleTypes
from harmony_gen.schema.xsd.wildcards import Wildcards, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from harmony_gen.schema.xsd.options import Options

_ANY_TYPE = f"{{{SCHEMA}}}anyType"
_MOST_IN_ANY_ORDER = 60
_MOST_NEEDED = 1_000_000
_NON_EMPTY = repeat(Character(LEGAL), 1, None)


class Documents:
    """Writes the grammar of the documents of a schema.

    Attributes:
        names: how names are written.
        simple: the simple types.
        left_out: what the grammar does not offer though the schema would allow it, in words.
        keyed: the declarations of elements that occur and have identity constraints, by their names as written.
        linked: which of ID, IDREF and IDREFS the attributes of elements may be, by the names of both, and the texts of
            elements, by their name and None; "" for other types.
        identifying: identities of the declarations of attributes that are IDs.
        asserted: the conditions of assertions, by the names of elements as written.
    """

    def __init__(
        self, schema: Any, roots: Iterable[Any], options: Options, needed: Container[int] = (), repeats: int = 0
    ) -> None:
        """Takes a schema.

        Args:
            schema: from xmlschema.
            roots: the elements that a document may begin with.
            options: what a user chooses.
            needed: identities of declarations of attributes, which must be there, and of elements, which must be there
                and hold something.
            repeats: how often such elements occur at least, where they may; 0 is once, and in choices perhaps not.
        """
        self.names = Names(schema, dict(options.prefixes), options.foreign)
        self.simple = SimpleTypes(self.names)
        self.left_out: set[str] = set()
        self.keyed: dict[str, list[Any]] = {}
        self.linked: dict[tuple[str, str | None], set[str]] = {}
        self.identifying: set[int] = set()
        self.asserted: dict[str, list[str]] = {}
        self._needed = needed
        self._repeats = repeats
        self._derivations = Derivations(schema)
        self._wildcards = Wildcards(schema.maps, self.names, checked(options.foreign))
        self._known: dict[tuple[Any, ...], str] = {}
        self._waiting: deque[tuple[str, Callable[[], Part]]] = deque()
        self._kept: list[Any] = []  # keys hold identities of types: these must live as long
        self._rules: dict[str, Part] = {}
        self._roots = list(roots)
        self._options = options
        self._some_words = lexeme(spelled(self._short(_NON_EMPTY), attribute=False))
        self._mixed = optional(self._some_words)

    def grammar(self) -> Grammar:
        """The grammar; its rule `start` has no text if no document is valid."""
        start = choice(
            self._rule(("root", root.name), partial(self._element, root, is_root=True)) for root in self._roots
        )
        while self._waiting:
            name, write = self._waiting.popleft()
            self._rules[name] = self._attempt(write)
        self._rules["start"] = start
        self._rules["declarations"] = literal(self.names.declarations())
        return Grammar(self._rules).cleaned()

    def _attempt(self, write: Callable[[], Part]) -> Part:
        """What a rule says; never, if that cannot be written."""
        try:
            return write()
        except Unwritable as error:
            self.left_out.add(str(error))
            return NEVER

    def _rule(self, key: tuple[Any, ...], write: Callable[[], Part]) -> Part:
        name = self._known.get(key)
        if name is None:
            name = self._known[key] = f"r{len(self._known)}"
            self._waiting.append((name, write))
        return Reference(name)

    # Elements

    def _declared(self, element: Any) -> Part:
        """A particle that names an element: the element, or those that may be substituted for it."""
        return choice(self._named(one) for one in self._derivations.substitutes(element))

    def _named(self, element: Any) -> Part:
        self._kept.append(element.type)
        key = (element.name, id(element.type), element.nillable, element.fixed, element.default, element.block)
        return self._rule(key, lambda: self._element(element, is_root=False))

    def _element(self, element: Any, *, is_root: bool) -> Part:
        """An element with its tags, in each of the types it may have."""
        name = self.names.element(element.name)
        if element.identities:
            self.keyed.setdefault(name, []).append(element)
        opening = [literal(f"<{name}"), *([Reference("declarations")] if is_root else [])]
        kinds: list[Part] = []
        type_ = element.type
        if not getattr(type_, "abstract", False):
            kinds.append(self._attempt(lambda: self._typed(element, type_, name)))
            if element.nillable and element.fixed is None and not self._is_needed(element):
                nil = literal(f' {self.names.instance("nil")}="true"')
                kinds.append(sequence([nil, self._attributes(type_), literal("/>")]))
        others = self._derivations.derived(element)
        kinds += [self._attempt(partial(self._retyped, element, derived, name)) for derived in others]
        return sequence([*opening, choice(kinds)])

    def _retyped(self, element: Any, type_: Any, name: str) -> Part:
        """What follows the name of an element whose type is named by xsi:type."""
        if not split(type_.name)[0] and self.names.has_default:
            message = f"the type {type_.name} has no namespace, so xsi:type cannot name it"
            raise Unwritable(message)
        attribute = f' {self.names.instance("type")}="{self.names.element(type_.name)}"'
        return sequence([literal(attribute), self._typed(element, type_, name)])

    def _typed(self, element: Any, type_: Any, name: str) -> Part:
        """Attributes, content and end of an element of a type."""
        self._link(element, type_)
        start, empty, end = self._attributes(type_), literal("/>"), literal(f"</{name}>")
        if type_.is_simple() or type_.has_simple_content():
            content = self._text(element, type_ if type_.is_simple() else type_.content)
        elif element.fixed is not None:
            content = choice([NOTHING_MORE, self._certain(element.fixed)])
        else:
            is_needed = type_.name != _ANY_TYPE and self._holds_needed(type_.content)
            content = choice(
                [*([NOTHING_MORE] if _may_be_empty(type_) and not is_needed else []), self._children(type_)]
            )
        may_be_empty, content = _without_nothing(content)
        options = [empty] if may_be_empty else []
        if content != NEVER:
            options.append(sequence([literal(">"), content, end]))
        return sequence([start, choice(options)])

    def _text(self, element: Any, type_: Any) -> Part:
        """The text of an element of a simple type; nothing at all stands for a default or fixed value."""
        if element.fixed is not None:
            return choice([NOTHING_MORE, self._certain(normal(element.fixed, type_.white_space))])
        tree = self._short(self.simple.tree(type_))
        options: list[Part] = []
        if is_nullable(tree):
            tree = both([tree, _NON_EMPTY])
        options.append(lexeme(spelled(tree, attribute=False)))
        may_be_empty = element.default is not None or self.simple.is_empty_allowed(type_)
        if may_be_empty and not self._is_needed(element):
            options.append(NOTHING_MORE)
        return choice(options)

    def _is_needed(self, declaration: Any) -> bool:
        return id(declaration) in self._needed or id(declaration.ref) in self._needed

    def _link(self, element: Any, type_: Any) -> None:
        """Notes which attributes of an element, and whether its text, may be linked to others; and its conditions."""
        attributes = [one.type for name, one in (getattr(type_, "attributes", None) or {}).items() if name is not None]
        tests = [test for one in (type_, *attributes) for test in tests_of(one)]
        if tests:
            self.asserted.setdefault(self.names.element(element.name), []).extend(tests)
        if type_.is_simple() or type_.has_simple_content():
            kind = kind_of(type_ if type_.is_simple() else type_.content)
            self.linked.setdefault((element.name, None), set()).add(kind)
        for name, attribute in (getattr(type_, "attributes", None) or {}).items():
            if name is not None:
                kind = kind_of(attribute.type)
                self.linked.setdefault((element.name, name), set()).add(kind)
                if kind == "ID":
                    self.identifying.add(id(attribute))

    def _short(self, tree: Node) -> Node:
        """A tree of texts without a limit, with one if a user has set it and if any are so short."""
        most = self._options.longest_text
        if most is None or width(tree)[1] is not None:
            return tree
        short = both([tree, repeat(Character(LEGAL), 0, most)])
        return tree if shortest(short, 0) is None else short

    def _certain(self, text: str) -> Part:
        return lexeme(spelled(text_node(text), attribute=False))

    # Attributes

    def _attributes(self, type_: Any) -> Part:
        if type_.is_simple():
            return NOTHING_MORE
        self._kept.append(type_)
        return self._rule(("attributes", id(type_)), lambda: self._row(self._each_attribute(type_)))

    def _row(self, attributes: Iterable[Part]) -> Part:
        """Attributes in the order that a user has chosen."""
        found = [part for part in attributes if part != NOTHING_MORE]
        if self._options.attribute_order == "schema" or len(found) == 1:
            return sequence(found)
        if len(found) > _MOST_IN_ANY_ORDER:
            self.left_out.add("other orders of more than 60 attributes of an element")
            return sequence(found)
        return AnyOrder(tuple((part.body, False) if isinstance(part, Times) else (part, True) for part in found))

    def _each_attribute(self, type_: Any) -> Iterable[Part]:
        for name, attribute in type_.attributes.items():
            if name is None:
                yield from self._further(attribute, type_)
            elif attribute.use != "prohibited":
                yield self._attribute(attribute)

    def _further(self, wildcard: Any, type_: Any) -> Iterable[Part]:
        """The attributes that a wildcard admits."""
        self.left_out.add("under xs:anyAttribute, attributes that the schema does not declare")
        for attribute in self._wildcards.attributes(wildcard, type_.attributes):
            yield optional(self._attribute(attribute))
        for name in self._wildcards.foreign_attributes(wildcard, type_.attributes):
            yield optional(self._foreign_attribute(name))

    def _foreign_attribute(self, name: str) -> Part:
        opening = text_node(f' {self.names.attribute(name)}="')
        return lexeme(concat([opening, spelled(self._short(ANY), attribute=True), text_node('"')]))

    def _attribute(self, attribute: Any) -> Part:
        is_needed = (attribute.use == "required" and attribute.parent is not None) or self._is_needed(attribute)
        try:
            if attribute.fixed is not None:
                tree: Node = text_node(normal(attribute.fixed, attribute.type.white_space))
            else:
                tree = self._short(self.simple.tree(attribute.type))
        except Unwritable as error:
            if is_needed:
                raise
            self.left_out.add(f"the attribute {attribute.local_name}: {error}")
            return NOTHING_MORE
        opening = text_node(f' {self.names.attribute(attribute.name)}="')
        part = lexeme(concat([opening, spelled(tree, attribute=True), text_node('"')]))
        return part if is_needed else optional(part)

    # Content

    def _children(self, type_: Any) -> Part:
        self._kept.append(type_)
        return self._rule(("children", id(type_)), lambda: without_nothing(self._content(type_), self._shared))

    def _shared(self, part: Part) -> Part:
        """A rule of several parts in a row; anything else as it is."""
        is_row = isinstance(part, Sequence) and part != NOTHING_MORE
        return self._rule(("shared", part), lambda: part) if is_row else part

    def _content(self, type_: Any) -> Part:
        if type_.name == _ANY_TYPE:
            declared = map(self._named, self._wildcards.elements)
            foreign = map(self._foreign, self._wildcards.foreign_elements)
            return times(choice([self._some_words, *declared, *foreign]), 0, None)
        particles = self._particle(type_.content, mixed=type_.mixed)
        return sequence([self._mixed, particles]) if type_.mixed else particles

    def _particle(self, particle: Any, *, mixed: bool) -> Part:
        """A particle, as often as it may occur."""
        least, most = particle.min_occurs, particle.max_occurs
        if self._holds_needed(particle) and (self._repeats or isinstance(particle, XsdElement)):
            least = max(least, 1, self._repeats if most is None else min(most, self._repeats))
        if most == 0:
            return NOTHING_MORE
        if least > _MOST_NEEDED:
            message = f"minOccurs={least} needs documents that are too long"
            raise Unwritable(message)
        if isinstance(particle, XsdGroup):
            if self._repeats and most is None and particle.model == "choice":
                return self._each_needed(particle, mixed=mixed)
            return times(self._group(particle, mixed=mixed), least, most)
        part = self._wildcard(particle) if isinstance(particle, XsdAnyElement) else self._declared(particle)
        return times(sequence([part, self._mixed]) if mixed else part, least, most)

    def _group(self, group: Any, *, mixed: bool) -> Part:
        members = [member for member in group if member.max_occurs != 0]
        if group.model == "choice":
            if self._repeats:
                members = [member for member in members if self._holds_needed(member)] or members
            return choice(self._particle(member, mixed=mixed) for member in members)
        if group.model == "all" and 1 < len(members) <= _MOST_IN_ANY_ORDER:
            return AnyOrder(
                tuple((self._once(one, mixed=mixed), one.min_occurs > 0 or self._is_needed(one)) for one in members)
            )
        if group.model == "all" and len(members) > 1:
            self.left_out.add("other orders of an xs:all of more than 60 elements")
        return sequence(self._particle(member, mixed=mixed) for member in members)

    def _each_needed(self, group: Any, *, mixed: bool) -> Part:
        """A choice without limit that is made until all that is needed is there."""
        members = [member for member in group if member.max_occurs != 0]
        others = times(choice(self._particle(member, mixed=mixed) for member in members), 0, None)
        needed = [self._particle(member, mixed=mixed) for member in members if self._holds_needed(member)]
        return sequence([others, *(part for one in needed for part in (one, others))])

    def _holds_needed(self, member: Any) -> bool:
        """Whether something that is needed is in a particle."""
        if not self._needed:
            return False
        inner = member.iter_elements() if isinstance(member, XsdGroup) else [member]
        return any(isinstance(one, XsdElement) and self._is_needed(one) for one in inner)

    def _once(self, member: Any, *, mixed: bool) -> Part:
        part = self._wildcard(member) if isinstance(member, XsdAnyElement) else self._declared(member)
        return sequence([part, self._mixed]) if mixed else part

    def _wildcard(self, wildcard: Any) -> Part:
        """The elements that a wildcard admits."""
        declared, foreign = self._wildcards.admitted(wildcard)
        self.left_out.add("under xs:any, elements that the schema does not declare")
        if not declared and not foreign and wildcard.process_contents != "strict":
            return self._wildcards.stranger(wildcard)
        return choice([*map(self._named, declared), *map(self._foreign, foreign)])

    def _foreign(self, name: str) -> Part:
        """An element of which nothing but the name is known: it holds text and other foreign ones."""
        return self._rule(("foreign", name), lambda: self._foreign_element(name))

    def _foreign_element(self, name: str) -> Part:
        written = self.names.element(name)
        attributes = [optional(self._foreign_attribute(one)) for one in self._wildcards.foreign_attributes(None)]
        inner = times(choice([self._some_words, *map(self._foreign, self._wildcards.foreign_elements)]), 1, None)
        content = sequence([literal(">"), inner, literal(f"</{written}>")])
        return sequence([literal(f"<{written}"), *attributes, choice([literal("/>"), content])])


def _may_be_empty(type_: Any) -> bool:
    """Whether an element of a complex type may have no content."""
    return type_.name == _ANY_TYPE or bool(type_.content.is_emptiable())


def _without_nothing(part: Part) -> tuple[bool, Part]:
    """Whether a part may be nothing by itself, and the part without that."""
    if part == NOTHING_MORE:
        return True, NEVER
    if isinstance(part, Choice) and NOTHING_MORE in part.options:
        return True, choice(option for option in part.options if option != NOTHING_MORE)
    return False, part
