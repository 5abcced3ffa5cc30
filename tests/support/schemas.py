"""Small random schemas over all keywords of a dialect, and values to try them on."""

from __future__ import annotations

import json
import random
from functools import cache
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from harmony_gen.schema import engine
from harmony_gen.schema.subschema import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony_gen.schema.json_schema import Lowered
    from harmony_gen.schema.subschema import Subschema

DRAFTS = dict(zip((4, 6, 7, 2019, 2020), DIALECTS, strict=True))
"""The dialects by the number of the draft, or its year."""

NAMES = "abc"
ATOMS: tuple[Any, ...] = (0, 1, 2, 3, -1, 1.5, "x", "y", "xy", "", None, True)


def _values() -> Iterator[Any]:
    yield from ATOMS
    yield {}
    yield from ({name: value} for name in "abcd" for value in (1, 2, "x", {}, {"a": 1}, [1]))
    for names in permutations("abcd", 2):
        yield from (dict(zip(names, values, strict=True)) for values in ((1, 1), (1, "x"), ("x", 2)))
    yield from (dict.fromkeys("abc", 1), dict.fromkeys("cba", 1), dict.fromkeys("abcd", "x"))
    yield from ({"a": {"a": {"a": 1}}}, {"a": {"b": "x", "a": 1}, "b": {"a": {}}}, {"b": [{"a": 1}, {"b": "x"}]})
    yield []
    yield from ([atom] for atom in ATOMS)
    yield from ([one, other] for one in (1, "x", 2) for other in (1, "x", 2))
    yield from ([1, 2, 3], ["x", "x", 1], [{}, {}], [{"a": 1}], [[1], ["x"]], [[[]]])


VALUES: tuple[Any, ...] = tuple(_values())
"""Values of all types, two or three levels deep, many of them valid under a schema of `schemas`."""


def spelled(value: Any) -> bytes:
    """The JSON text of a value in the spelling of answers, members in their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def reordered(value: Any) -> Iterator[Any]:
    """A value with its members in all orders, its own first."""
    if isinstance(value, list):
        yield from map(list, product(*map(_reorderings, value)))
    elif isinstance(value, dict):
        for names in permutations(value):
            for members in product(*(_reorderings(value[name]) for name in names)):
                yield dict(zip(names, members, strict=True))
    else:
        yield value


def _reorderings(value: Any) -> list[Any]:
    return list(reordered(value))


def admits(lowered: Lowered, value: Any) -> bool:
    """Whether a grammar alone admits a value."""
    return engine.completes(engine.byte_matcher(lowered.grammar), spelled(value))


def is_masked(lowered: Lowered) -> bool:
    """Whether the grammar alone is said to guarantee all of a schema."""
    return set(lowered.coverage.values()) <= {"masked"}


_ENDS = b'"]}'
_PLAIN = b",:[{abcdxyz0123-."
_LONGEST = 80


def written(lowered: Lowered, seed: int) -> bytes | None:
    """A text that a grammar derives, by a random walk over bytes that likes to end; None if it does not end soon."""
    choose, matcher, text = random.Random(seed), engine.byte_matcher(lowered.grammar), bytearray()
    while len(text) < _LONGEST:
        if matcher.is_accepting() and (matcher.is_stopped() or choose.random() < 1 / 2):
            return bytes(text)
        mask = matcher.compute_bitmask()
        allowed = [byte for byte in range(256) if mask[byte >> 3] >> (byte & 7) & 1]
        liked = [byte for byte in allowed if byte in _ENDS] or [byte for byte in allowed if byte in _PLAIN]
        if not allowed:
            return None
        byte = choose.choice(liked if liked and choose.random() < 2 / 3 else allowed)
        assert matcher.consume_token(byte)
        text.append(byte)
    return None


TYPES = st.sampled_from(["object", "object", "array", "array", "string", "integer", "number", ["object", "null"]])
LEAVES = st.sampled_from(
    [
        {},
        {"type": "integer"},
        {"type": "string"},
        {"enum": ["x", 1]},
        {"enum": ["x"]},
        {"minimum": 2},
        {"required": ["a"]},
        {"maxLength": 1},
        {"maxItems": 1},
        {"not": {}},
    ]
)
CONSTANTS = st.sampled_from([1, "x", "y", {}, {"a": 1}, [], [1], None, True, {"a": "x", "b": 1}, [1, "x"]])
PATTERNS = st.sampled_from(["^a", "b$", "[cd]", "^[^a]", "a|b"])
COUNTS = st.sampled_from([0, 1, 1, 2])
A_NAME = st.sampled_from(NAMES)
A_FEW = st.lists(A_NAME, min_size=1, max_size=2, unique=True)
NAMING = st.sampled_from(
    [{"pattern": "^[ab]"}, {"maxLength": 1}, {"enum": ["a", "c"]}, {"not": {"enum": ["b"]}}, {"minLength": 2}]
)


@cache
def schemas(draft: int = 2020, depth: int = 2, references: tuple[str, ...] = ()) -> st.SearchStrategy[Any]:
    """Schemas of one to four keywords, and so the schemas inside them.

    Args:
        draft: number or year of the dialect, whose own keywords are used.
        depth: levels of schemas inside others.
        references: what `$ref` may be.
    """
    leaves = LEAVES if draft == 4 else LEAVES | st.booleans()
    if references:
        leaves |= st.sampled_from(references).map(lambda reference: {"$ref": reference})
    if depth == 0:
        return leaves
    inner = schemas(draft, depth - 1, references)
    keywords = st.one_of([*_plain(draft), *_combining(draft, inner), *_objects(draft, inner), *_arrays(draft, inner)])
    parts = st.lists(keywords, min_size=1, max_size=4)
    return parts.map(_merged) if depth > 1 else leaves | parts.map(_merged)


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The keywords of all parts, but for what jsonschema cannot judge beside a boolean `items`."""
    found = {keyword: value for part in parts for keyword, value in part.items()}
    if isinstance(found.get("items"), bool):
        found.pop("additionalItems", None)
        found.pop("unevaluatedItems", None)
    return found


def _some(given: dict[str, Any], /, **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(given, optional=optional)


def _plain(draft: int) -> Iterator[st.SearchStrategy[Any]]:
    yield _some({"type": TYPES})
    yield _some({"enum": st.lists(CONSTANTS, min_size=1, max_size=3, unique_by=spelled)})
    if draft > 4:
        yield _some({"const": CONSTANTS})
        yield _some({"exclusiveMinimum": st.sampled_from([-1, 0, 1.5])}, maximum=st.sampled_from([1, 1.5, 2]))
    else:
        bounds = st.sampled_from([0, 1, 2])
        yield _some({"minimum": bounds, "exclusiveMinimum": st.booleans()}, maximum=bounds)
        yield _some({"maximum": bounds, "exclusiveMaximum": st.booleans()})
    yield _some({"multipleOf": st.sampled_from([2, 3, 0.5])})
    yield _some({"pattern": st.sampled_from(["^x", "y$", "^(?!x)", "^.{0,1}$"])})
    yield _some({}, minLength=COUNTS, maxLength=COUNTS)


def _combining(draft: int, inner: st.SearchStrategy[Any]) -> Iterator[st.SearchStrategy[Any]]:
    some = st.lists(inner, min_size=1, max_size=3)
    yield from (_some({keyword: some}) for keyword in ("allOf", "anyOf", "oneOf"))
    yield _some({"not": inner})
    if draft >= 7:
        yield _some({"if": inner, "then": inner}, **{"else": inner})
        yield _some({"if": inner, "else": inner})


def _objects(draft: int, inner: st.SearchStrategy[Any]) -> Iterator[st.SearchStrategy[Any]]:
    named = st.dictionaries(A_NAME, inner, min_size=1, max_size=3)
    yield _some({"properties": named}, required=A_FEW, additionalProperties=inner)
    yield _some({"properties": named, "additionalProperties": st.just(False)})
    yield _some({"required": A_FEW})
    yield _some({"additionalProperties": inner})
    yield _some({"patternProperties": st.dictionaries(PATTERNS, inner, min_size=1, max_size=2)})
    yield _some({}, minProperties=COUNTS, maxProperties=COUNTS)
    if draft > 4:
        yield _some({"propertyNames": NAMING})
    if draft < 2019:
        yield _some({"dependencies": st.dictionaries(A_NAME, inner | A_FEW, min_size=1, max_size=2)})
    else:
        yield _some({"dependentRequired": st.dictionaries(A_NAME, A_FEW, min_size=1, max_size=2)})
        yield _some({"dependentSchemas": st.dictionaries(A_NAME, inner, min_size=1, max_size=2)})
        yield _some({"unevaluatedProperties": inner})


def _arrays(draft: int, inner: st.SearchStrategy[Any]) -> Iterator[st.SearchStrategy[Any]]:
    some = st.lists(inner, min_size=1, max_size=2)
    yield _some({"items": inner})
    yield _some({}, minItems=COUNTS, maxItems=COUNTS)
    yield _some({"uniqueItems": st.just(True)}, items=st.just({"enum": ["x", 1, 2]}))
    if draft == 2020:
        yield _some({"prefixItems": some}, items=inner)
    else:
        yield _some({"items": some}, additionalItems=inner)
    if draft >= 2019:
        yield _some({"contains": inner}, minContains=COUNTS, maxContains=COUNTS)
        yield _some({"unevaluatedItems": inner})
    elif draft > 4:
        yield _some({"contains": inner})


@st.composite
def referring(draw: st.DrawFn, draft: int = 2020) -> dict[str, Any]:
    """Schemas with definitions that refer to each other and to the root: by pointer, by anchor and by URI."""
    keyword = "definitions" if draft < 2019 else "$defs"
    names = (f"#/{keyword}/p", "#q", f"http://schemas.test/r#/{keyword}/s", "http://schemas.test/r", "#")
    part = schemas(draft, 1, names)
    local = schemas(draft, 1, (f"#/{keyword}/s", "#"))
    definitions = {
        "p": draw(part),
        "q": {**_anchor(draft), **_dict(draw(part))},
        "r": {**_id(draft), **_dict(draw(local)), keyword: {"s": draw(local)}},
    }
    root = draw(schemas(draft, 2, names))
    return {**_dict(root), keyword: definitions}


def _dict(schema: Any) -> dict[str, Any]:
    """A schema as one that further keywords may stand in; before 2019-09 they count for nothing beside a `$ref`."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return {"allOf": [schema]} if "$ref" in schema else schema


def _anchor(draft: int) -> dict[str, Any]:
    return {"id": "#q"} if draft == 4 else {"$id": "#q"} if draft < 2019 else {"$anchor": "q"}


def _id(draft: int) -> dict[str, Any]:
    return {"id" if draft == 4 else "$id": "http://schemas.test/r"}


def in_draft(schema: Any, draft: int) -> Any:
    """A schema that names its dialect; the newest is that of those that name none."""
    return schema if isinstance(schema, bool) or draft == 2020 else {"$schema": DRAFTS[draft], **schema}


_IN_PLACE = frozenset("allOf anyOf oneOf not if then else dependentSchemas dependencies".split())


def is_endless(root: Subschema) -> bool:
    """Whether a schema, or one inside it, applies itself to the value that it applies to: no judge comes to an end."""
    done: dict[int, bool] = {}  # False while a schema is being looked at

    def ends(schema: Subschema) -> bool:
        if isinstance(schema.contents, bool) or id(schema.contents) in done:
            return isinstance(schema.contents, bool) or done[id(schema.contents)]
        done[id(schema.contents)] = False
        inner = [part for place, part in schema.parts() if place[0] in _IN_PLACE]
        found = all(ends(part) for part in [*inner, *filter(None, [schema.reference])])
        done[id(schema.contents)] = found
        return found

    todo, seen = [root], set()
    while todo:
        schema = todo.pop()
        if not ends(schema):
            return True
        if id(schema.contents) not in seen:
            seen.add(id(schema.contents))
            todo += [part for _, part in schema.parts()] + list(filter(None, [schema.reference]))
    return False
