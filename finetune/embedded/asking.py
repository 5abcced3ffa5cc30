"""From facts to a schema that asks for some of them, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from finetune.embedded.naming import is_chinese, name_style, named, schema_words
from finetune.embedded.records import Fact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from finetune.embedded.domain import Field
    from finetune.embedded.draw import Draw
    from finetune.embedded.records import Record

_PLAIN = {"str": "string", "int": "integer", "num": "number", "bool": "boolean"}
_VAGUE = ("value", "info", "detail", "field1", "x", "data", "item", "result", "content", "part")
_GROUP_NAMES = ("details", "info", "further data", "meta", "facts", "main", "extra", "particulars", "summary", "core")
_MISSING = 0.45
_GROUPS = 0.12
_FEWEST_GROUPED = 4
_OTHER_TYPE = 0.04
_VAGUE_NAMES = 0.03
_ABSENT = object()


@dataclass(frozen=True)
class Request:
    """How one schema asks.

    Attributes:
        style: of its names.
        chinese: whether names are Chinese where there are such.
        optional: what stands for a missing fact: "null", "absent", or "default" (null and not required).
        doubt: how often a fact that is there is called optional.
        wordy: how often a property is described.
        nouns: what the text is about.
    """

    style: Callable[[list[str]], str]
    chinese: bool
    optional: str
    doubt: float
    wordy: float
    nouns: tuple[str, ...]


@dataclass(frozen=True)
class Property:
    """One property of a schema with its value in the answer; `_ABSENT` if it is left out there."""

    name: str
    schema: dict[str, Any]
    required: bool
    value: Any


def new_request(draw: Draw, nouns: tuple[str, ...]) -> Request:
    """Decide how a schema asks."""
    return Request(
        style=name_style(draw),
        chinese=draw.language == "zh" and draw.chance(0.55),
        optional=draw.pick(("null", "null", "null", "default", "absent")),
        doubt=draw.pick((0, 0, 0.1, 0.2, 0.5, 1)),
        wordy=draw.pick((0, 0, 0, 0, 0.2, 1)),
        nouns=nouns,
    )


def choose(draw: Draw, record: Record) -> list[tuple[Field, Fact | None]]:
    """Some of the fields a text tells, and a few that it does not, in the order of the schema."""
    told = list(record.facts.values())
    count = draw.pick((1, 2, 3, 3, 4, 5, 5, 6, 7, 8, 9, 10, 12, 14))
    wanted: list[tuple[Field, Fact | None]] = [(fact.field, fact) for fact in _some(draw, told, count)]
    if draw.chance(_MISSING):
        lacking = [field for field in record.untold() if not _hinted(field, told)]
        missing = draw.sample(lacking, draw.pick((1, 1, 1, 2, 2, 3)))
        wanted += [(field, None) for field in missing]
    return draw.shuffled(wanted) if draw.chance(0.6) else sorted(wanted, key=lambda pair: _place(record, pair[0]))


def _hinted(field: Field, told: list[Fact]) -> bool:
    """Whether a field the text does not tell is told in another form, as a part or as a whole."""
    for fact in told:
        if fact.field.rival == field.key or field.rival == fact.field.key:
            return True
        if _share_names(field.parts, (fact.field,)) or _share_names(fact.field.parts, (field,)):
            return True
    return False


def _share_names(fields: Sequence[Field], others: Sequence[Field]) -> bool:
    names = {name for field in fields for name in field.names}
    return any(name in names for other in others for name in other.names)


def _some(draw: Draw, told: list[Fact], count: int) -> list[Fact]:
    if draw.split == "aliases" and any(fact.field.held_names for fact in told):
        told = [fact for fact in told if fact.field.held_names]
    return draw.sample(told, count)


def _place(record: Record, field: Field) -> int:
    return record.domain.fields.index(field)


def ask(draw: Draw, wanted: Sequence[tuple[Field, Fact | None]], request: Request) -> tuple[dict[str, Any], Any]:
    """The schema that asks for these fields, and the answer.

    Args:
        draw: chance.
        wanted: fields with their facts; None where the text has none.
        request: how the schema asks.
    """
    kinds = [field.kind for field, fact in wanted if fact is not None]
    properties: dict[str, Property] = {}
    for field, fact in wanted:
        exact = fact is None and field.kind in kinds
        made = _property(draw, field, fact, request, exact=exact)
        if made is not None and made.name not in properties:
            properties[made.name] = made
    listed = list(properties.values())
    return _object(_grouped(draw, listed, request) if draw.chance(_GROUPS) else listed)


def _grouped(draw: Draw, properties: list[Property], request: Request) -> list[Property]:
    """The same with some neighbours one level deeper."""
    if len(properties) < _FEWEST_GROUPED:
        return properties
    start = draw.below(len(properties) - 2)
    end = draw.between(start + 2, min(start + 4, len(properties)))
    name = named(request.style, draw.pick(_GROUP_NAMES))
    if any(one.name == name for one in properties):
        return properties
    schema, value = _object(properties[start:end])
    return [*properties[:start], Property(name, schema, required=True, value=value), *properties[end:]]


def ask_rows(
    draw: Draw, fields: Sequence[Field], rows: Sequence[dict[str, Fact]], request: Request
) -> tuple[dict[str, Any], list[Any]]:
    """The schema of an array whose items tell the same fields, and its answer."""
    items, names, forms = _items(draw, fields, request, rows)
    answers = [
        {names[field.key]: forms[field.key](row.get(field.key)) for field in fields if field.key in names}
        for row in rows
    ]
    return {"type": "array", "items": items}, answers


def _items(
    draw: Draw, fields: Sequence[Field], request: Request, rows: Sequence[dict[str, Fact]]
) -> tuple[dict[str, Any], dict[str, str], dict[str, Callable[[Fact | None], Any]]]:
    """An item's schema, the name of each field, and what makes a fact an answer."""
    properties: list[Property] = []
    names: dict[str, str] = {}
    forms: dict[str, Callable[[Fact | None], Any]] = {}
    for field in fields:
        facts = [row.get(field.key) for row in rows]
        name = named(request.style, schema_words(draw, field, request.nouns, chinese=request.chinese, exact=False))
        if name in names.values():
            continue
        schema, form = _form(draw, field, [fact for fact in facts if fact is not None], request)
        if any(fact is None or fact.gold is None for fact in facts) or draw.chance(request.doubt * 0.5):
            schema = _nullable(draw, schema)
        names[field.key], forms[field.key] = name, form
        properties.append(Property(name, schema, required=True, value=None))
    return _object(properties)[0], names, forms


def _property(draw: Draw, field: Field, fact: Fact | None, request: Request, *, exact: bool) -> Property | None:
    if field.kind in ("rows", "object"):
        return _nested(draw, field, fact, request, exact=exact)
    words = schema_words(draw, field, request.nouns, chinese=request.chinese, exact=exact)
    schema, form = _form(draw, field, [fact] if fact is not None else [], request)
    return _finished(draw, field, (words, schema, form(fact)), request)


def _finished(draw: Draw, field: Field, made: tuple[str, dict[str, Any], Any], request: Request) -> Property:
    """Adds what says that a fact may be missing, and descriptions."""
    words, schema, value = made
    name = named(request.style, words)
    if draw.chance(_VAGUE_NAMES) and request.nouns[0].isascii():
        name = named(request.style, draw.pick(_VAGUE))
        schema = {**schema, "description": _description(draw, field, request)}
    elif draw.chance(request.wordy):
        schema = {**schema, "description": _description(draw, field, request)}
    optional = value is None or draw.chance(request.doubt)
    if not optional:
        return Property(name, schema, required=True, value=value)
    if value is None and field.kind in ("list", "rows") and draw.chance(0.6):
        return Property(name, schema, required=True, value=[])
    if request.optional == "absent":
        return Property(name, schema, required=False, value=_ABSENT if value is None else value)
    return Property(name, _nullable(draw, schema), required=request.optional == "null", value=value)


_DESCRIPTIONS = (
    "The {}",
    "the {}",
    "{}",
    "The {} of the {noun}",
    "{} of the {noun}",
    "{} as given in the text",
    "{}, if mentioned",
    "Extract the {}",
    "{} or null",
    "What the text gives as {}",
)


def _description(draw: Draw, field: Field, request: Request) -> str:
    """What a property means, in words of its own."""
    if field.description and draw.chance(0.5):
        text = field.description
    else:
        names = field.held_names if draw.split == "aliases" and field.held_names else field.names
        names = tuple(name for name in names if is_chinese(name) == request.chinese) or names
        text = draw.pick(_DESCRIPTIONS).format(draw.pick(names), noun=request.nouns[0])
        if request.chinese:
            text = draw.pick(("{}", "文中的{}", "{}（如有）", "提取{}")).format(draw.pick(names))
    return text[:1].upper() + text[1:] if draw.chance(0.6) else text


def _nested(draw: Draw, field: Field, fact: Fact | None, request: Request, *, exact: bool) -> Property | None:
    parts = draw.sample(field.parts, draw.between(min(2, len(field.parts)), len(field.parts)))
    if draw.chance(0.7):
        parts = [part for part in field.parts if part in parts]
    golds = [] if fact is None or fact.gold is None else fact.gold if field.kind == "rows" else [fact.gold]
    cells = fact.cells if fact is not None else ()
    rows = [
        {key: _part(field, key, cell[key].surface, gold[key]) for key in gold if gold[key] is not None}
        for gold, cell in zip(golds, cells, strict=False)
    ]
    schema, answers = ask_rows(draw, parts, rows, request)
    words = schema_words(draw, field, request.nouns, chinese=request.chinese, exact=exact)
    if field.kind == "rows":
        return _finished(draw, field, (words, schema, answers if golds else None), request)
    return _finished(draw, field, (words, schema["items"], answers[0] if golds else None), request)


def _part(field: Field, key: str, surface: str, gold: Any) -> Fact:
    return Fact(next(part for part in field.parts if part.key == key), surface, gold)


def _form(
    draw: Draw, field: Field, facts: Sequence[Fact], request: Request
) -> tuple[dict[str, Any], Callable[[Fact | None], Any]]:
    """The schema of a simple field, and what makes a fact an answer."""
    if field.kind == "enum":
        return _enumeration(draw, field, facts, chinese=request.chinese)
    if field.kind == "list":
        return {"type": "array", "items": {"type": "string"}}, _gold
    if field.kind == "bool" and draw.chance(_OTHER_TYPE):
        return {"enum": ["yes", "no"]}, _yes_or_no
    if field.kind in ("int", "num", "date") and draw.chance(_OTHER_TYPE):
        return {"type": "string"}, _surface
    return _plainly(draw, field, facts), _gold


def _plainly(draw: Draw, field: Field, facts: Sequence[Fact]) -> dict[str, Any]:
    """The schema of a field by its kind."""
    if field.kind == "date":
        return {"type": "string", "format": "date"}
    whole = all(isinstance(fact.gold, int) for fact in facts)
    if field.kind == "num" and facts and whole and draw.chance(2 * _OTHER_TYPE):
        return {"type": "integer"}
    if field.kind == "int" and draw.chance(_OTHER_TYPE):
        return {"type": "number"}
    return {"type": _PLAIN[field.kind]}


def _gold(fact: Fact | None) -> Any:
    return None if fact is None else fact.gold


def _surface(fact: Fact | None) -> Any:
    return None if fact is None or fact.gold is None else fact.surface


def _yes_or_no(fact: Fact | None) -> Any:
    return None if fact is None or fact.gold is None else "yes" if fact.gold else "no"


def _underscored(text: str) -> str:
    return text.replace(" ", "_")


_WAYS: tuple[Callable[[str], str], ...] = (str, str, str, str.upper, str.capitalize, _underscored)


def _enumeration(
    draw: Draw, field: Field, facts: Sequence[Fact], *, chinese: bool
) -> tuple[dict[str, Any], Callable[[Fact | None], Any]]:
    """An enumeration of what the facts say and of some more."""
    way = draw.pick(_WAYS)
    chinese = chinese or draw.chance(0.2)
    literals = [way(draw.pick(_in_language(option.literals, chinese=chinese))) for option in field.options]
    said = {fact.gold for fact in facts if fact.gold is not None}
    kept = said | set(draw.sample(range(len(literals)), max(2, draw.between(1, len(literals)))))
    shown = draw.shuffled([literals[index] for index in sorted(kept)])
    schema: dict[str, Any] = {"enum": shown}
    if draw.chance(0.4):
        schema = {"type": "string", **schema}
    return schema, lambda fact: None if fact is None or fact.gold is None else literals[fact.gold]


def _in_language(literals: tuple[str, ...], *, chinese: bool) -> tuple[str, ...]:
    """Chinese literals or the others, where there are such."""
    return tuple(literal for literal in literals if is_chinese(literal) == chinese) or literals


def _nullable(draw: Draw, schema: dict[str, Any]) -> dict[str, Any]:
    if draw.chance(0.3):
        description = {"description": schema["description"]} if "description" in schema else {}
        rest = {key: value for key, value in schema.items() if key != "description"}
        return {"anyOf": [rest, {"type": "null"}], **description}
    changed = dict(schema)
    if "type" in schema:
        changed["type"] = [schema["type"], "null"]
    if "enum" in schema:
        changed["enum"] = [*schema["enum"], None]
    return changed


def _object(properties: list[Property]) -> tuple[dict[str, Any], dict[str, Any]]:
    schema = {
        "type": "object",
        "properties": {one.name: one.schema for one in properties},
        "required": [one.name for one in properties if one.required],
        "additionalProperties": False,
    }
    return schema, {one.name: one.value for one in properties if one.value is not _ABSENT}
