"""From a schema of xmlschema to all that decodes its documents."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import SchemaError, UnsatisfiableError
from harmony_gen.schema import engine
from harmony_gen.schema.markup import limited, written
from harmony_gen.schema.xsd.asserts import needed_by, words_of
from harmony_gen.schema.xsd.content import Documents
from harmony_gen.schema.xsd.linking import described, fields_of, identities_of, targets_of
from harmony_gen.schema.xsd.names import SCHEMA, split
from harmony_gen.schema.xsd.origin import listed
from harmony_gen.schema.xsd.outline import outline
from harmony_gen.schema.xsd.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harmony_gen.schema.markup import Grammar
    from harmony_gen.schema.xsd.options import Options


def plan_of(schema: Any, options: Options) -> Plan:
    """Compiles a schema of xmlschema.

    Raises:
        SchemaError: its root is not plain, or it is too large.
        UnsatisfiableError: no document is valid.
    """
    roots = _roots(schema, options.root)
    new = partial(Documents, schema, roots, options)
    documents = new()
    grammar = _limited(documents, options.depth)
    if "start" not in grammar.rules:
        reasons = "; ".join(sorted(documents.left_out)[:3])
        raise UnsatisfiableError(f"No document is valid under the schema{': ' + reasons if reasons else ''}.")
    text = engine.grammar_of_lark(written(grammar))
    try:
        engine.byte_matcher(text)
    except engine.GrammarError as error:
        raise SchemaError(f"The schema is too large to be compiled: {str(error).splitlines()[0]}") from error
    keyed = [element for several in documents.keyed.values() for element in several]
    documents.simple.checked |= {
        (name, f"assert[{test}]") for name, tests in documents.asserted.items() for test in tests
    }
    if schema.XSD_VERSION != "1.0":  # in which some documents of 1.0 are not valid
        documents.simple.checked.add(("xs:schema", "version 1.1"))
    links = described(keyed, documents.linked, documents.simple.checked)
    tests = [test for several in documents.asserted.values() for test in several]
    form = outline(roots, documents.names)
    return Plan(
        grammar=text,
        documents=grammar,
        coverage=_coverage(documents),
        links=links,
        asserts={"tags": [*documents.asserted], "words": words_of(tests)} if tests else {},
        completing=(*(_completing(new, keyed, documents) if links else ()), *_satisfying(new, schema, tests)),
        description=f"an XML document{documents.names.declarations() and ' with' + documents.names.declarations()} of "
        f"this form (elements with how often they occur, @attributes, types):\n{form}\n",
        left_out=tuple(sorted(documents.left_out)),
        roots=tuple(element.name for element in roots),
        names=documents.names.state(),
    )


def _limited(documents: Documents, depth: int | None) -> Grammar:
    """The grammar of the documents, no deeper than a user wants.

    Raises:
        UnsatisfiableError: all of them are deeper.
    """
    grammar = documents.grammar()
    if depth is None or "start" not in grammar.rules:
        return grammar
    shallow = limited(grammar, depth)
    if "start" not in shallow.rules:
        raise UnsatisfiableError(f"No valid document has at most {depth} elements open at a time. Raise depth=….")
    if shallow.rules != grammar.rules:
        documents.left_out.add(f"elements within {depth} others")
    return shallow


def _coverage(documents: Documents) -> dict[str, str]:
    """How parts are guaranteed, by a path of names."""
    found = {"": "masked"}
    for name, elements in sorted(documents.keyed.items()):
        found |= {f"/{name}/{kind}[{of}]": "checked" for element in elements for kind, of in identities_of(element)}
    found |= {f"/{name}/{what}": "checked" for name, what in sorted(documents.simple.checked)}
    return found


def _completing(new: Callable[..., Documents], keyed: list[Any], documents: Documents) -> Iterator[Grammar]:
    """Grammars of documents that hold what keys compare, and what references may lead to."""
    fields = fields_of(keyed)
    targets = fields | targets_of(keyed)
    refers = any(kind.startswith("IDREF") for kinds in documents.linked.values() for kind in kinds)
    for needed in dict.fromkeys((fields, targets, targets | documents.identifying if refers else targets)):
        grammar = new(needed=needed).grammar()
        if needed and "start" in grammar.rules:
            yield grammar


def _satisfying(documents: Callable[..., Documents], schema: Any, tests: list[str]) -> Iterator[Grammar]:
    """Grammars of documents that may satisfy the conditions of assertions."""
    known: list[Grammar] = []
    for needed, repeats in needed_by(schema, tests):
        grammar = documents(needed=needed, repeats=repeats).grammar()
        if "start" in grammar.rules and all(grammar.rules != other.rules for other in known):
            known.append(grammar)
            yield grammar


def _roots(schema: Any, root: str | None) -> list[Any]:
    """The elements that a document may begin with."""
    everything = [element for name, element in schema.maps.elements.items() if split(name)[0] != SCHEMA]
    declared = {e.name: e for e in everything if split(e.name)[0] == schema.target_namespace}
    if root is not None:
        found = [element for element in everything if root in (element.name, split(element.name)[1])]
        own = [element for element in found if element.name in declared] or found
        if len(own) != 1 or own[0].abstract:
            why = (
                "" if not own else " (it is abstract)" if len(own) == 1 else " (several namespaces do: {namespace}name)"
            )
            known = _named(element for element in declared.values() if not element.abstract) or "none"
            raise SchemaError(
                f"The schema declares no element {root!r} that a document may begin with{why}; it has: {known}."
            )
        return own
    candidates = [element for element in declared.values() if not element.abstract]
    if not candidates:
        why = f"all are abstract: {_named(declared.values())}" if declared else "there is none at its top"
        raise SchemaError(f"The schema declares no element that a document may begin with: {why}.")
    if len(candidates) > 1:
        used = _referred(schema)
        candidates = [element for element in candidates if element.name not in used] or candidates
    if len(candidates) > 1:
        raise SchemaError(f"A document may begin with several elements; say root=… with one of: {_named(candidates)}.")
    return candidates


def _named(elements: Iterable[Any]) -> str:
    return listed(sorted(split(element.name)[1] for element in elements))


def _referred(schema: Any) -> set[str]:
    """The global elements that occur inside others."""
    from xmlschema.validators import XsdElement

    return {part.name for part in schema.iter_components(XsdElement) if part.ref is not None}
