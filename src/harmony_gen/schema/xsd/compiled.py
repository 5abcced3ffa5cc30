"""Schemas that are ready to decode: from memory, from files, or compiled.

What xmlschema holds of a schema takes seconds to load. It is loaded when a judge is first asked.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from harmony_gen.errors import SchemaError, UnsatisfiableError
from harmony_gen.schema import engine
from harmony_gen.schema.markup import Automaton, Completer, written
from harmony_gen.schema.markup.place import Place
from harmony_gen.schema.markup.quoting import QuotingJudge, quoted
from harmony_gen.schema.xsd import plan as plans
from harmony_gen.schema.xsd.asserts import AssertRule
from harmony_gen.schema.xsd.links import Links
from harmony_gen.schema.xsd.origin import origin
from harmony_gen.schema.xsd.quick import QuickJudge
from harmony_gen.schema.xsd.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from harmony_gen.schema.judge import Judge
    from harmony_gen.schema.rules import Rule
    from harmony_gen.schema.xsd.options import Options
    from harmony_gen.schema.xsd.origin import Origin
    from harmony_gen.schema.xsd.plan import Plan

_KEPT = 16
"""Schemas that stay in memory; a large one takes a hundred megabytes."""


@dataclass(frozen=True, eq=False)
class Compiled:
    """A schema that is ready to decode.

    Attributes:
        plan: what compiling has found out.
        judge: xmlschema.
        finisher: completes documents so that the judge accepts them.
        reader: reads finished documents.
        quick_judge: of documents that the grammar admits; None if there is none quicker than xmlschema.
        rules: conditions on values that are decided as they close.
    """

    plan: Plan
    judge: Judge
    finisher: Completer
    reader: Reader
    quick_judge: Judge | None
    rules: tuple[Rule, ...]


@lru_cache(maxsize=_KEPT)
def quoting(compiled: Compiled, places: tuple[str, ...], source: str) -> Compiled:
    """A schema whose documents hold quotations of a source.

    Args:
        compiled: the schema without them.
        places: of quotations; see `Place`.
        source: what is quoted.

    Raises:
        SchemaError: a place is none, the source is empty, documents have no text at any of the places, or all is too
            large with quotations.
        UnsatisfiableError: every document has texts there that the source does not hold.
    """
    if not source:
        raise SchemaError("verbatim wants quotations of the source, and the source is empty.")
    plan = compiled.plan
    try:
        paths = [Place(place) for place in places]
    except ValueError as error:
        raise SchemaError(str(error)) from error
    documents = quoted(plan.documents, paths, source)
    if documents is None:
        raise SchemaError("verbatim names no place with text in the documents of this schema.")
    if "start" not in documents.rules:
        raise UnsatisfiableError("The source holds nothing that can stand where verbatim wants quotations of it.")
    text = engine.grammar_of_lark(written(documents))
    try:
        engine.byte_matcher(text)
    except engine.GrammarError as error:
        message = f"With quotations the schema is too large to be compiled: {str(error).splitlines()[0]}"
        raise SchemaError(message) from error
    completing = (quoted(one, paths, source) or one for one in plan.completing)
    possible = tuple(one for one in completing if "start" in one.rules)
    changed = plan._replace(grammar=text, documents=documents, completing=possible)
    judge = QuotingJudge(compiled.judge, paths, source, compiled.reader.canonical)
    return _judged(changed, judge, compiled.reader.quoting(paths), compiled.rules)


def compile_xsd(source: str | Path | Any, main: str | None, options: Options) -> Compiled:
    """Compiles a schema, if that has not been done before; see `Schema.from_xsd`."""
    if isinstance(source, str | Path):
        return _compiled(origin(source, main), options)
    import xmlschema

    from harmony_gen.schema.xsd.compiling import plan_of

    if not isinstance(source, xmlschema.XMLSchemaBase):
        raise SchemaError(f"An XML Schema is a path, a text or an xmlschema.XMLSchema, not {source!r:.80}.")
    if source.XSD_VERSION != "1.0":
        raise SchemaError(
            f"The schema is XML Schema {source.XSD_VERSION}. Build it with xmlschema.XMLSchema10; if it has "
            "assertions, pass its path or its text."
        )
    return _ready(plan_of(source, options), lambda: source)


@lru_cache(maxsize=_KEPT)
def _compiled(found: Origin, options: Options) -> Compiled:
    """The schema of an origin."""
    load = Loader(found)
    name = plans.key(found, options)
    plan = plans.read(name)
    if plan is None:
        from harmony_gen.schema.xsd.compiling import plan_of

        plan = plan_of(load(), options)
        if load.is_known():
            plans.write(name, plan)
    return _ready(plan, load)


def _ready(plan: Plan, load: Callable[[], Any]) -> Compiled:
    rules = (AssertRule(load, plan.asserts["tags"]),) if plan.asserts else ()
    return _judged(plan, LaterJudge(load, plan.roots), Reader(load, plan.names), rules)


def _judged(plan: Plan, judge: Judge, reader: Reader, rules: tuple[Rule, ...]) -> Compiled:
    links = Links(plan.links) if plan.links else None
    is_exact = "checked" not in plan.coverage.values()
    quick = QuickJudge(links, judge) if links or is_exact else None
    automata = [Automaton(documents) for documents in (plan.documents, *plan.completing)]
    clashes = links.clashes if links else None
    completer = Completer(automata, judge.accepts, clashes, quick.accepts if quick else None, plan.asserts.get("words"))
    return Compiled(plan, judge, completer, reader, quick, rules)


class Loader:
    """Loads a schema when it is first asked for."""

    def __init__(self, found: Origin) -> None:
        self._origin = found
        self._loaded: Any = None
        self._lock = threading.Lock()

    def __call__(self) -> Any:
        """The schema.

        Raises:
            SchemaError: its files are no longer what they were; or see `loading.load`.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> Any:
        from harmony_gen.schema.xsd.loading import load

        if not self._is_unchanged():
            raise SchemaError("The files of the schema have changed since it was compiled. Make it again.")
        return load(self._origin.source, self._origin.main)

    def is_known(self) -> bool:
        """Whether all files that were loaded are known to belong to the origin, and have not changed since."""
        from xmlschema.locations import SCHEMAS_DIR

        return self._is_unchanged() and all(
            path in self._origin.files or path.is_relative_to(SCHEMAS_DIR) or not path.exists()
            for path in _files(self())
        )

    def _is_unchanged(self) -> bool:
        return origin(self._origin.source, self._origin.main).digest == self._origin.digest


def _files(schema: Any) -> set[Path]:
    """The files a schema was loaded from."""
    return {Path(url2pathname(urlsplit(one.url).path)).resolve() for one in schema.maps.iter_schemas() if one.url}


class LaterJudge:
    """A judge that is made when it is first asked."""

    def __init__(self, load: Callable[[], Any], roots: tuple[str, ...]) -> None:
        """Takes what loads a schema, and the names that a root element may have."""
        self._load = load
        self._roots = roots

    def accepts(self, text: bytes) -> bool:
        """Whether a document is valid."""
        return self._judge.accepts(text)

    def check(self, text: str | bytes) -> None:
        """Raises ValidationError with the first reason if a document is not valid."""
        self._judge.check(text)

    @cached_property
    def _judge(self) -> Judge:
        from harmony_gen.schema.xsd.judge import XsdJudge

        return XsdJudge(self._load(), frozenset(self._roots))
