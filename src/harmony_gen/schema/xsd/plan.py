"""What compiling finds out about a schema: all that decoding needs, kept in files by the content of the schema."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harmony_gen.schema import disk
from harmony_gen.schema.markup import stored

if TYPE_CHECKING:
    from harmony_gen.schema.markup import Grammar
    from harmony_gen.schema.xsd.options import Options
    from harmony_gen.schema.xsd.origin import Origin

_PACKAGES = ("harmony_gen", "xmlschema", "elementpath", "llguidance")


class Plan(NamedTuple):
    """A compiled schema without what xmlschema holds of it.

    Attributes:
        grammar: for the mask engine.
        documents: the same, for completions.
        coverage: see `Schema`.
        description: see `Schema`.
        left_out: see `Schema`.
        roots: the names of the elements a document may begin with.
        names: how names are written; see `Names.state`.
        links: what values depend on each other; see `linking.described`.
        asserts: the elements with assertions, as written, and values that may satisfy them; empty without any.
        completing: grammars of those documents that completions are also looked for among, where values are linked or
            conditions asserted.
    """

    grammar: str
    documents: Grammar
    coverage: dict[str, str]
    description: str
    left_out: tuple[str, ...]
    roots: tuple[str, ...]
    names: dict[str, Any]
    links: dict[str, Any]
    asserts: dict[str, Any]
    completing: tuple[Grammar, ...]


def key(origin: Origin, options: Options) -> str:
    """The name under which the plan of a source is kept."""
    facts = (origin.digest, origin.main, options, *_circumstances())
    return f"xsd-{sha256(repr(facts).encode()).hexdigest()}"


@cache
def _circumstances() -> tuple[str, ...]:
    """What else a plan depends on: versions, and the code that makes it."""
    code = sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        code.update(path.read_bytes())
    versions = (f"{package} {version(package)}" for package in _PACKAGES)
    return *versions, f"{sys.version_info[:2]}", unicodedata.unidata_version, code.hexdigest()


def read(name: str) -> Plan | None:
    """The plan that is kept under a name; None if there is none that can be read."""
    found = disk.read(name)
    try:
        return None if found is None else _plan(**found)
    except (TypeError, ValueError, KeyError):
        return None


def write(name: str, plan: Plan) -> None:
    """Keeps a plan under a name."""
    grammars = {"documents": stored.to_json(plan.documents), "completing": [*map(stored.to_json, plan.completing)]}
    disk.write(name, plan._asdict() | grammars)


def _plan(*, documents: str, completing: list[str], left_out: list[str], roots: list[str], **others: Any) -> Plan:
    return Plan(
        documents=stored.from_json(documents),
        completing=tuple(map(stored.from_json, completing)),
        left_out=tuple(left_out),
        roots=tuple(roots),
        **others,
    )
