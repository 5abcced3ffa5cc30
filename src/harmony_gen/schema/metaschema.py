"""Whether a schema is one: its meta-schema decides, and for what that does not reach, the same again.

jsonschema-rs says yes in microseconds; where it does not, jsonschema decides and words the error.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema
import jsonschema_rs
from jsonschema.exceptions import best_match
from jsonschema_specifications import REGISTRY
from referencing.jsonschema import DRAFT4, DRAFT6, DRAFT7, DRAFT201909, DRAFT202012

from harmony_gen.errors import SchemaError
from harmony_gen.schema.scanner import pointer
from harmony_gen.schema.subschema import Subschema, compiled, dialect, inner_dialect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.scanner import Path
    from harmony_gen.schema.subschema import JsonSchema, Registry

KINDS: dict[str, tuple[Any, Any]] = {
    DRAFT4.name: (jsonschema_rs.Draft4Validator, jsonschema.Draft4Validator),
    DRAFT6.name: (jsonschema_rs.Draft6Validator, jsonschema.Draft6Validator),
    DRAFT7.name: (jsonschema_rs.Draft7Validator, jsonschema.Draft7Validator),
    DRAFT201909.name: (jsonschema_rs.Draft201909Validator, jsonschema.Draft201909Validator),
    DRAFT202012.name: (jsonschema_rs.Draft202012Validator, jsonschema.Draft202012Validator),
}
"""By dialect the validators of jsonschema-rs and of jsonschema."""

_DEEPEST = 256
_WITHOUT_DEFS = frozenset((DRAFT4.name, DRAFT6.name, DRAFT7.name))
_NAMING = frozenset(("$schema", "$id", "id"))
_REFERENCES = frozenset(("$ref", "$dynamicRef", "$recursiveRef"))


def checked(schema: JsonSchema, registry: Registry = REGISTRY) -> Subschema:
    """A schema that has passed its meta-schema, with all that it refers to, and whose patterns can be read.

    Args:
        schema: what may be a JSON Schema.
        registry: the documents it may refer to.

    Raises:
        SchemaError: names pointer and keyword of what is wrong.
    """
    name = dialect(schema).name
    traits = _traits(schema)
    _check(schema, name, ())
    root = Subschema.root(schema, registry)
    if traits.holds_resources or traits.refers_oddly(name) or not all(map(_is_pattern, traits.patterns)):
        _check_reached(root)
    return root


class _Traits(NamedTuple):
    """What a schema seems to hold; data may look like it."""

    references: set[str]
    patterns: set[str]
    holds_resources: bool

    def refers_oddly(self, name: str) -> bool:
        """Whether it may refer to what the meta-schema of a dialect has not looked at."""
        plain = re.compile("#(/definitions/[^/]*)?" if name in _WITHOUT_DEFS else r"#(/(definitions|\$defs)/[^/]*)?")
        return not all(map(plain.fullmatch, self.references))


def _traits(schema: JsonSchema) -> _Traits:
    """Looks at every object in a schema.

    Raises:
        SchemaError: it is nested too deeply.
    """
    references: set[str] = set()
    patterns: set[str] = set()
    holds_resources = False
    level: list[Any] = [schema] if isinstance(schema, dict) else []
    for _ in range(_DEEPEST):
        if not level:
            return _Traits(references, patterns, holds_resources)
        for value in (value for value in level if isinstance(value, dict)):
            named = value is not schema and any(isinstance(value[key], str) for key in _NAMING & value.keys())
            holds_resources = holds_resources or named
            references.update(text for key in _REFERENCES & value.keys() if isinstance(text := value[key], str))
            if isinstance(pattern := value.get("pattern"), str):
                patterns.add(pattern)
            if isinstance(table := value.get("patternProperties"), dict):
                patterns.update(table)
        level = [
            part
            for value in level
            for part in (value.values() if isinstance(value, dict) else value)
            if isinstance(part, dict | list)
        ]
    raise _too_deep()


def _too_deep() -> SchemaError:
    return SchemaError("The schema is nested too deeply. Put inner parts under `$defs`.")


def _is_pattern(pattern: str) -> bool:
    try:
        compiled(pattern)
    except ValueError:
        return False
    return True


@cache
def _judges(name: str) -> tuple[Any, Any]:
    """Two validators of the meta-schema of a dialect: the quick one, and the one with words."""
    quick, kind = KINDS[name]
    formats = jsonschema.FormatChecker(())
    formats.checkers = {known: check for known, check in kind.FORMAT_CHECKER.checkers.items() if known != "regex"}
    return quick(kind.META_SCHEMA, validate_formats=True), kind(kind.META_SCHEMA, format_checker=formats)


def _check(schema: Any, name: str, path: Path) -> None:
    """Raises SchemaError if what stands at a path breaks the meta-schema of a dialect."""
    quick, wordy = _judges(name)
    if quick.is_valid(schema):
        return
    try:
        bare, resources = _apart(schema, name)
        error = best_match(wordy.iter_errors(bare))
    except RecursionError:
        raise _too_deep() from None
    if error is not None:
        place: Path = (*path, *error.absolute_path)
        keyword = next((step for step in reversed(place) if isinstance(step, str)), None)
        message = f"This is not a valid JSON Schema: at {pointer(place) or 'the root'}: {error.message:.300}"
        raise SchemaError(message, pointer=pointer(place), keyword=keyword) from error
    for inner, resource in resources:
        _check(resource, dialect(resource).name, path + inner)


def _apart(schema: Any, name: str, path: Path = ()) -> tuple[Any, list[tuple[Path, Any]]]:
    """A schema with `true` in the place of each resource that names another dialect, and these with their places."""
    if isinstance(schema, dict | list):
        if path and isinstance(schema, dict) and "$id" in schema:
            own = inner_dialect(schema, is_resource=False)
            if own is not None and own.name != name:
                return True, [(path, schema)]
        pairs = schema.items() if isinstance(schema, dict) else enumerate(schema)
        found = {key: _apart(part, name, (*path, key)) for key, part in pairs}
        bare = {key: part for key, (part, _) in found.items()}
        inner = [item for _, items in found.values() for item in items]
        return bare if isinstance(schema, dict) else list(bare.values()), inner
    return schema, []


def _check_reached(root: Subschema) -> None:
    """Checks all schemas that a value may meet, and their patterns."""
    todo: list[tuple[Path, Subschema]] = [((), root)]
    seen: set[int] = set()
    while todo:
        path, schema = todo.pop()
        if id(schema.contents) in seen:
            continue
        seen.add(id(schema.contents))
        _check_patterns(path, schema)
        for keyword, named in _named(path, schema):
            if id(named.contents) not in seen:
                _check(named.contents, named.specification.name, (*path, keyword))
                todo.append(((*path, keyword), named))
        todo.extend(((*path, *place), part) for place, part in _parts(path, schema))


def _parts(path: Path, schema: Subschema) -> list[tuple[Path, Subschema]]:
    try:
        return list(schema.parts())
    except SchemaError as error:
        message = f"Below {pointer(path) or 'the root'}: {error}"
        raise SchemaError(message, pointer=pointer(path), keyword=error.keyword) from error


def _check_patterns(path: Path, schema: Subschema) -> None:
    found = [(("patternProperties", pattern), pattern) for pattern in schema.keywords.get("patternProperties", ())]
    if "pattern" in schema.keywords:
        found.append((("pattern", ""), schema.keywords["pattern"]))
    for (keyword, name), pattern in found:
        try:
            compiled(pattern)
        except ValueError as error:
            place = pointer((*path, keyword, name) if name else (*path, keyword))
            message = f"The regular expression {pattern!r:.100} at {place:.300} cannot be read: {error}."
            raise SchemaError(message, pointer=place, keyword=keyword) from error


def _named(path: Path, schema: Subschema) -> Iterator[tuple[str, Subschema]]:
    """The schemas that a schema refers to, each with the keyword that does."""
    for keyword in ("$ref", "$dynamicRef"):
        try:
            named = schema.named(keyword)
        except SchemaError as error:
            place = pointer((*path, keyword))
            raise SchemaError(f"At {place}: {error}", pointer=place, keyword=keyword) from error
        if named is not None:
            yield keyword, named
