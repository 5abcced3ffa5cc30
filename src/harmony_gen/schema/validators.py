"""The validator classes of jsonschema, one for each dialect, that read patterns as ECMA 262 does.

jsonschema hands patterns to Python's `re`, whose dialect is another. Here all keywords that look at patterns have
them translated first. References lead to the dialect of what they name.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import jsonschema
from jsonschema.exceptions import ValidationError
from referencing.jsonschema import DRAFT4, DRAFT6, DRAFT7, DRAFT201909, DRAFT202012, lookup_recursive_ref

from harmony_gen.schema.strings.factors import factors
from harmony_gen.schema.subschema import Subschema, dialect_of, matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harmony_gen.schema.subschema import Specification


def _pattern(validator: Any, pattern: str, instance: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, table: dict[str, Any], instance: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        for pattern, schema in table.items():
            for key in (key for key in instance if matches(pattern, key)):
                yield from validator.descend(instance[key], schema, path=key, schema_path=pattern)


def _additional_properties(
    validator: Any, value: Any, instance: Any, schema: dict[str, Any]
) -> Iterable[ValidationError] | None:
    if validator.is_type(instance, "object") and "patternProperties" in schema:
        schema = {"properties": dict.fromkeys(_named(instance, schema))}
    plain: Any = jsonschema.Draft202012Validator.VALIDATORS["additionalProperties"]
    errors: Iterable[ValidationError] | None = plain(validator, value, instance, schema)
    return errors


def _named(instance: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """The keys of an object that `properties` and `patternProperties` speak of."""
    patterns = schema.get("patternProperties", ())
    named = schema.get("properties", ())
    return {key for key in instance if key in named or any(matches(pattern, key) for pattern in patterns)}


def _unevaluated_properties(
    validator: Any, value: Any, instance: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    others = {keyword: value for keyword, value in schema.items() if keyword != "unevaluatedProperties"}
    evaluated = _evaluated(validator, instance, others)
    for key in instance:
        if key not in evaluated and value is False:
            yield ValidationError(f"Unevaluated properties are not allowed ({key!r} was unexpected)")
        elif key not in evaluated:
            yield from validator.descend(instance[key], value, path=key)


def _evaluated(validator: Any, instance: dict[str, Any], schema: Any) -> set[str]:
    """The keys of an object that a schema, under which it is valid, has looked at."""
    if isinstance(schema, bool):
        return set()
    if not schema.keys().isdisjoint(("additionalProperties", "unevaluatedProperties")):
        return set(instance)
    found = _named(instance, schema)
    for inner in _in_place(validator, instance, schema):
        if inner.is_valid(instance):
            found |= _evaluated(inner, instance, inner.schema)
    return found


def _in_place(validator: Any, instance: dict[str, Any], schema: dict[str, Any]) -> Iterator[Any]:
    """Validators of the schemas that a schema applies to the same value, if they are valid for it."""
    for keyword in {"$ref", "$dynamicRef"} & schema.keys() & validator.VALIDATORS.keys():
        yield _named_by(validator, validator._resolver.lookup(schema[keyword]))
    if "$recursiveRef" in schema and "$recursiveRef" in validator.VALIDATORS:
        yield _named_by(validator, lookup_recursive_ref(validator._resolver))
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from (validator.evolve(schema=part) for part in schema.get(keyword, ()))
    for key, part in schema.get("dependentSchemas", {}).items():
        if key in instance:
            yield validator.evolve(schema=part)
    if "if" in schema:
        condition = validator.evolve(schema=schema["if"])
        yield condition
        branch = "then" if condition.is_valid(instance) else "else"
        if branch in schema:
            yield validator.evolve(schema=schema[branch])


def _named_by(validator: Any, resolved: Any) -> Any:
    """A validator of what a reference names."""
    kind = KINDS[dialect_of(resolved, _specification(validator)).name]
    return kind(resolved.contents, format_checker=validator.format_checker, _resolver=resolved.resolver)


_judged: ContextVar[dict[tuple[int, int, Any], list[ValidationError] | None]] = ContextVar("judged")
"""The first error, if any, that references have come to in this judgement, by value, schema, and dynamic scope; None
for those that are being followed."""


@contextmanager
def judgement() -> Iterator[None]:
    """Within it no reference is followed twice for one value, so that no schema takes exponential time.

    The values must live as long as it does.
    """
    token = _judged.set({})
    try:
        yield
    finally:
        _judged.reset(token)


def _reference(validator: Any, ref: str, instance: Any, _: Any) -> Iterator[ValidationError]:
    named = _named_by(validator, validator._resolver.lookup(ref))
    judged = _judged.get()
    key = (id(instance), id(named.schema), named._resolver._previous)
    if key in judged:
        yield from _again(judged[key])
        return
    judged[key] = None
    first: list[ValidationError] = []
    for error in named.descend(instance, named.schema, resolver=named._resolver):
        if not first:
            first.append(ValidationError.create_from(error))  # whoever takes the error will change its path
            judged[key] = first
        yield error
    judged[key] = first


def _again(known: list[ValidationError] | None) -> list[ValidationError]:
    if known is None:
        raise RecursionError("the schema refers to itself without end, at the same value")
    return [ValidationError.create_from(error) for error in known]


def _evolve(self: Any, **changes: Any) -> Any:
    """As jsonschema's own, but it stays among the classes of this module, and sees the URIs of inner resources."""
    schema = changes.get("schema", self.schema)
    place = Subschema(self.schema, self._resolver, _specification(self)).child(schema)
    return KINDS[place.specification.name](
        schema,
        format_checker=changes.get("format_checker", self.format_checker),
        _resolver=changes.get("_resolver", place.resolver),
    )


def _verbatim(_: Any, source: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """A string that is to stand in a source does, once the schema is bound to one."""
    if not isinstance(instance, str) or not isinstance(source, str):
        return
    if instance not in factors(source, whole=schema.get("x-whole-words") is True):
        yield ValidationError(f"{instance!r:.200} does not stand in the source")


def _specification(validator: Any) -> Specification:
    found: Specification = _SPECIFICATIONS[type(validator)]
    return found


def _kind(base: Any) -> Any:
    """A validator class of jsonschema with the keywords of this module."""
    own = {
        "$ref": _reference,
        "$dynamicRef": _reference,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "unevaluatedProperties": _unevaluated_properties,
    }
    keywords = {keyword: check for keyword, check in own.items() if keyword in base.VALIDATORS}
    keywords["x-verbatim"] = _verbatim
    extend: Any = jsonschema.validators.extend
    kind = extend(base, keywords)
    kind.evolve = _evolve
    return kind


KINDS: dict[str, Any] = {
    DRAFT4.name: _kind(jsonschema.Draft4Validator),
    DRAFT6.name: _kind(jsonschema.Draft6Validator),
    DRAFT7.name: _kind(jsonschema.Draft7Validator),
    DRAFT201909.name: _kind(jsonschema.Draft201909Validator),
    DRAFT202012.name: _kind(jsonschema.Draft202012Validator),
}
"""The validator class of each dialect, by the name of its specification."""

_SPECIFICATIONS = {
    KINDS[specification.name]: specification for specification in (DRAFT4, DRAFT6, DRAFT7, DRAFT201909, DRAFT202012)
}
