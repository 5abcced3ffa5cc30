"""`Schema`: what a right answer is, made from whatever a user has."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from harmony_gen.errors import MissingExtra, SchemaError, UnsatisfiableError
from harmony_gen.schema import scanner, search, sources
from harmony_gen.schema.caveats import Caveat, caveats
from harmony_gen.schema.grounded import grounded
from harmony_gen.schema.judge import JsonSchemaJudge, Judge, read_json
from harmony_gen.schema.markup.completion import Completer
from harmony_gen.schema.markup.text import unescaped
from harmony_gen.schema.rules import Rule, RulesJudge
from harmony_gen.schema.search import Finisher, JsonFinisher
from harmony_gen.schema.verbatim import bound, has_quotations, with_places

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from harmony_gen.schema.json_schema import Lowered
    from harmony_gen.schema.scanner import Closed, Scalar, Scanner
    from harmony_gen.schema.sources import Documents
    from harmony_gen.schema.subschema import JsonSchema
    from harmony_gen.schema.verbatim import VerbatimPlace
    from harmony_gen.schema.xsd.reader import Reader

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, eq=False)
class Schema(Generic[T]):
    """What a right answer is: a grammar that masks, rules that check, and judges with the last word.

    Make one with `Schema.of` or the `from_…` methods, not directly.

    Attributes:
        grammar: grammar text for the mask engine; admits every valid text in the chosen spelling.
        coverage: how each constraining keyword is guaranteed, by its JSON Pointer: "masked" (no token that
            breaks it is ever offered) or "checked" (a token that breaks it is refused before it is taken).
        json_schema: the JSON Schema, or None for a regex or a Lark grammar.
        rules: conditions decided as values close.
        judge: the validator of everything that can be decided from the schema alone.
        finisher: completes texts so that every judge accepts them.
        parse: makes the value of a valid text.
        description: what a model is told to answer with, for the prompt.
        property_order: in which order members of an object, or attributes, may be written: "schema", that of
            `properties`, or "any".
        validators: the validators a user wrote, as a judge; None without any. What they admit is not known
            beforehand.
        structural_finisher: completes texts so that `judge` accepts them, whatever the validators say.
        lowered: what the JSON Schema was compiled to; None for anything else.
        reader: reads XML documents; None for anything else.
        left_out: what valid XML documents may hold and answers never do, in words.
        quick_judge: a judge of texts that the grammar admits, if there is one that is quicker than `judge`.
        remade: makes a schema of the same kind from a changed JSON Schema; None for anything else.
        gapped: makes one of plain values, whose validators do not mind what is missing; None for anything else.
        kind: the type that Pydantic reads; None for anything else.
        quoted: makes a schema of XML documents that quote a source at some places; None for anything else.
        quotations: these places.
    """

    grammar: str
    coverage: Mapping[str, str]
    json_schema: JsonSchema | None
    rules: tuple[Rule, ...]
    judge: Judge
    finisher: Finisher
    parse: Callable[[str], T]
    description: str
    property_order: str
    validators: Judge | None
    structural_finisher: Finisher
    lowered: Lowered | None = None
    reader: Reader | None = None
    left_out: tuple[str, ...] = ()
    quick_judge: Judge | None = None
    remade: Callable[[JsonSchema], Schema[T]] | None = None
    gapped: Callable[[JsonSchema], Schema[Any]] | None = None
    kind: Any = None
    quoted: Callable[[Sequence[VerbatimPlace], str], Schema[T]] | None = None
    quotations: tuple[VerbatimPlace, ...] = ()

    @classmethod
    def of(cls, source: Any) -> Schema[Any]:
        """Makes a schema from a JSON Schema (dict, bool, path of a .json file), a type, or an outlines term.

        Types are Pydantic models and whatever Pydantic reads: dataclasses, TypedDicts, `list[int]`, enums.

        Raises:
            SchemaError: it is no schema, or holds a keyword that cannot be guaranteed.
        """
        from harmony_gen.schema import making

        if isinstance(source, Schema):
            return source
        if source is None:
            raise SchemaError("None is no schema. Pass a dict, a path, or a type; NoneType is the type of null.")
        if isinstance(source, dict | bool):
            return cls.from_json_schema(source)
        if isinstance(source, str | FilePath):
            return making.from_file(FilePath(source))
        if type(source).__module__.startswith("outlines."):
            return making.from_outlines(source)
        return cls.from_pydantic(source)

    @classmethod
    def from_json_schema(
        cls,
        schema: JsonSchema | FilePath | str,
        *,
        registry: Documents | None = None,
        property_order: str = "schema",
    ) -> Schema[Any]:
        """Makes a schema from a JSON Schema.

        The dialect is the one `$schema` names, draft 4 to 2020-12; 2020-12 by default.

        Args:
            schema: a dict, a bool, or the path of a file that holds one.
            registry: the documents it may refer to: a dict by URI, or a `referencing.Registry`. Nothing is ever
                fetched, whatever its `retrieve` does; the meta-schemas are always there. A document that names no
                dialect is in that of the schema.
            property_order: of members of an object: "schema", as in `properties`, or "any".

        Raises:
            SchemaError: it is no schema, or holds a keyword that cannot be guaranteed.
            UnsatisfiableError: it is plain that nothing satisfies it.
            ValueError: there is no such property order.
        """
        from harmony_gen.schema import making  # which needs this module

        sources.check_order(property_order)
        if isinstance(schema, str | FilePath):
            schema = sources.read_schema(FilePath(schema))
        if not isinstance(schema, dict | bool):
            raise SchemaError(f"A JSON Schema is a dict or a bool, not {schema!r:.80}.")
        try:
            text = sources.json_text(schema)
            if registry is None:
                return making.from_json_text(text, property_order)
            return making.of_json_schema(json.loads(text), sources.registry_of(registry, schema), property_order)
        except RecursionError as error:
            raise SchemaError("The schema is nested too deeply. Put inner parts under `$defs`.") from error

    @classmethod
    def from_pydantic(cls, kind: type[U] | Any, *, property_order: str = "schema") -> Schema[U]:
        """Makes a schema from a Pydantic model, or any type Pydantic reads. Results are values of that type.

        Field and model validators run while decoding. Objects are closed: keys the model does not name are
        not written, unless it says `extra="allow"`.

        Args:
            kind: the type.
            property_order: of members of an object: "schema", as of the fields, or "any".

        Raises:
            SchemaError: Pydantic cannot describe it, or its schema cannot be guaranteed.
            ValueError: there is no such property order.
        """
        from harmony_gen.schema import making

        sources.check_order(property_order)
        try:
            return making.from_type(cast("Any", kind), property_order)
        except TypeError as error:
            if "unhashable" not in str(error):
                raise
            return making.from_type.__wrapped__(kind, property_order)

    @classmethod
    def from_regex(cls, pattern: str) -> Schema[str]:
        """Makes a schema of the texts that a regular expression (Rust syntax) matches as a whole."""
        from harmony_gen.schema import making

        return making.from_regex(pattern)

    @classmethod
    def from_lark(cls, grammar: str) -> Schema[str]:
        """Makes a schema of the texts of a grammar in llguidance's dialect of Lark."""
        from harmony_gen.schema import making

        return making.from_lark(grammar)

    @classmethod
    def from_xsd(  # noqa: PLR0913 - choices of the user, all with a default
        cls,
        source: str | FilePath | Any,
        root: str | None = None,
        *,
        main: str | None = None,
        prefixes: Mapping[str, str] | None = None,
        foreign: Collection[str] = (),
        attribute_order: str = "schema",
        depth: int | None = None,
        longest_text: int | None = None,
    ) -> Schema[Any]:
        """Makes a schema of the documents of an XML Schema 1.0. Results are elements, lxml's if that is installed.

        Nothing is fetched from a network. Documents are written in one spelling: without white space between elements
        (see `indented`), attributes in the order of the schema, all namespaces declared on the root.

        Args:
            source: a path of a file, a folder or a zip archive; the text of a schema; or an `xmlschema.XMLSchema`.
            root: the root element, by its local name or as {namespace}name; needed where there could be several.
            main: in a folder or an archive, the document to begin with.
            prefixes: prefixes of namespaces, by namespace; "" for the default one. Namespaces that the schema does not
                know may be named, too, for values that are qualified names.
            foreign: names of elements, {namespace}name, and of attributes, @{namespace}name, that wildcards may hold
                though the schema does not declare them. What they hold is not constrained.
            attribute_order: in which order attributes may be written: "schema" or "any".
            depth: the most elements that may be open at a time, the root included; None is no limit.
            longest_text: the most characters of a text or an attribute whose type sets no limit; None is no limit.

        Raises:
            ValueError: an option is none.
            SchemaError: it is no XML Schema 1.0, a document it needs is missing, or the root is not plain.
            UnsatisfiableError: no document is valid.
            MissingExtra: xmlschema is not installed.
        """
        if find_spec("xmlschema") is None:
            raise MissingExtra("xmlschema", "xml")
        from harmony_gen.schema import making
        from harmony_gen.schema.xsd.options import Options

        options = Options(
            root=root,
            prefixes=tuple((prefixes or {}).items()),
            foreign=tuple(foreign),
            attribute_order=attribute_order,
            depth=depth,
            longest_text=longest_text,
        )
        return making.from_xsd(source, main, options)

    @property
    def is_json(self) -> bool:
        """Whether answers are JSON texts."""
        return self.json_schema is not None

    @property
    def canonical(self) -> Callable[[str], str] | None:
        """Respells a valid XML document as answers are spelled; None for anything else."""
        return None if self.reader is None else self.reader.canonical

    def grammar_of(self, *, spaced: bool) -> str:
        """The grammar, of compact texts or of those with a space behind each comma and colon."""
        return self.lowered.spaced_grammar if spaced and self.lowered is not None else self.grammar

    @property
    def scan(self) -> Scanner:
        """What follows answers while they are written."""
        if self.reader is not None:
            return self.reader.scan
        return scanner.Scan() if self.is_json else scanner.Blind()

    def accepts(self, text: bytes) -> bool:
        """Whether every judge accepts a text."""
        return self.judge.accepts(text) and (self.validators is None or self.validators.accepts(text))

    def quoting(self, places: Sequence[VerbatimPlace]) -> Schema[T]:
        """This schema with quotations where `verbatim` says so; raises SchemaError if answers have no places."""
        if not places:
            return self
        if self.quoted is not None:
            return replace(self, quotations=(*self.quotations, *places))
        if self.remade is None or self.json_schema is None:
            raise SchemaError("Quotations need answers in JSON or XML: verbatim names no place of this schema.")
        return self.remade(with_places(self.json_schema, places))

    def bound(self, source: str, *, is_grounded: bool = False) -> Schema[T]:
        """This schema with quotations of a source, which is not empty then; in JSON also with all that it states."""
        if is_grounded and (self.remade is None or self.json_schema is None):
            raise SchemaError("Only answers in JSON can be grounded. Of XML documents `verbatim` names the places.")
        if self.quoted is not None and self.quotations:
            return self.quoted(self.quotations, source)
        if self.remade is None or self.json_schema is None or not (is_grounded or has_quotations(self.json_schema)):
            return self
        quoting = bound(self.json_schema, source)
        found = self.remade(grounded(quoting, source) if is_grounded else quoting)
        return replace(found, description=self.description, json_schema=self.json_schema)

    def with_rules(self, rules: Sequence[Rule]) -> Schema[T]:
        """This schema with further conditions, as made by `rule`.

        Raises:
            SchemaError: answers are neither JSON nor XML, so there are no places for rules.
        """
        if not rules:
            return self
        if not isinstance(self.finisher, JsonFinisher | Completer):
            raise SchemaError("Rules need answers in JSON or XML: this schema is a grammar of plain text.")
        if self.reader is not None:
            rules = [self.reader.rule(rule) for rule in rules]
        validators = RulesJudge(tuple(rules), self.validators, self.scan)
        judge = self.quick_judge or self.judge

        def accepts(text: bytes) -> bool:
            return judge.accepts(text) and validators.accepts(text)

        finisher = self.finisher.judged_by(accepts)
        return replace(self, rules=(*self.rules, *rules), finisher=finisher, validators=validators)

    def validate(self, text: str) -> T:
        """The value of a text.

        Raises:
            ValidationError: a judge refuses the text.
        """
        self.judge.check(text)
        if self.validators is not None:
            self.validators.check(text)
        return self.parse(text)

    def field(self, text: bytes, closed: Closed) -> tuple[str, Any]:
        """Where a value stands that has just closed, and what it is; of XML its text: types are known at the end."""
        written = text[slice(*closed.span)]
        if self.reader is None:
            return scanner.pointer(closed.path), read_json(written)
        return "".join(f"/{step}" for step in closed.path), unescaped(written.decode())

    def scalars(self, text: bytes) -> Iterable[Scalar]:
        """The scalars of a valid answer, in order; none of a plain text."""
        if self.reader is not None:
            return self.reader.scalars(text)
        return scanner.scalars(text) if self.is_json else ()

    def to_dict(self, document: str | Any) -> Any:
        """An XML document as dicts, lists and scalars, as `xmlschema.to_dict` makes them.

        Args:
            document: its text, or an element; of `xml.etree` elements names are written `{namespace}name`, for they
                know no prefixes.

        Raises:
            ValidationError: it is not valid.
            SchemaError: answers are not XML.
        """
        if self.reader is None:
            raise SchemaError("Only XML documents are turned into dicts. Of other answers take the value itself.")
        if isinstance(document, str):
            self.judge.check(document)
        return self.reader.to_dict(document)

    def indented(self, document: str, spaces: int = 2) -> str:
        """A valid XML document in lines, indented where white space means nothing: between elements that hold no text.

        Raises:
            ValidationError: it is not well-formed.
            SchemaError: answers are not XML.
        """
        if self.reader is None:
            raise SchemaError("Only XML documents are indented. Other answers are what they are.")
        return self.reader.canonical(document, spaces)

    def caveats(self) -> list[Caveat]:
        """What the author of a schema may want to know: values without a limit, words that mean nothing.

        Of an XML Schema: what its documents may hold and answers never do.
        """
        if isinstance(self.judge, JsonSchemaJudge):
            return caveats(self.judge.root)
        return [Caveat("", f"answers leave out {what}") for what in self.left_out]

    def witness(self) -> str:
        """A short valid text.

        Raises:
            UnsatisfiableError: none was found; the schema contradicts itself or is out of the search's reach.
        """
        if self._witness is None and self.reader is not None:
            checked = "; ".join(place for place, how in self.coverage.items() if how == "checked")
            beside = checked and f" What is checked, not masked: {checked}"
            what = "Either the schema contradicts itself, or only values satisfy it that the search does not guess."
            raise UnsatisfiableError(f"No valid document was found. {what}{beside}")
        if self._witness is None:
            raise UnsatisfiableError(
                "No valid answer to this schema was found. Either it contradicts itself, or only values satisfy it "
                "that the search does not guess; `examples` in the schema help it."
            )
        return self._witness

    @cached_property
    def _witness(self) -> str | None:
        return _witness(self.grammar, self.finisher)

    @cached_property
    def structural_witness(self) -> str | None:
        """A short text that is valid but for the user's validators; None if none was found."""
        return _witness(self.grammar, self.structural_finisher)


def _witness(grammar: str, finisher: Finisher) -> str | None:
    return None if (found := search.witness(grammar, finisher)) is None else found.decode()
