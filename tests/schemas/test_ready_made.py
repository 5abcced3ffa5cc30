"""Ready-made schemas: the JSON Schema, the Pydantic model and the examples of a folder agree."""

import importlib.util
import json
import sys
from functools import cache
from pathlib import Path

import pydantic
import pytest
from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[2] / "schemas"
FOLDERS = sorted(path.parent for path in SCHEMAS.glob("*/schema.json"))
VALID = sorted(SCHEMAS.glob("*/valid/*.json"))
INVALID = sorted(SCHEMAS.glob("*/invalid/*.json"))
KEYWORDS = """
    $schema $defs $ref title description type properties required additionalProperties items enum const format
    pattern minLength maxLength minimum maximum exclusiveMinimum minItems maxItems uniqueItems anyOf
"""
FORMATS = {"date", "date-time", "email", "uri", "uuid"}

in_each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def name_of(path):
    return f"{path.parent.parent.name}/{path.stem}"


@cache
def schema_of(folder):
    return json.loads((folder / "schema.json").read_text(encoding="utf-8"))


@cache
def judge_of(folder):
    return Draft202012Validator(schema_of(folder), format_checker=Draft202012Validator.FORMAT_CHECKER)


@cache
def model_of(folder):
    """The model named like the folder, in its model.py, which is not part of a package."""
    spec = importlib.util.spec_from_file_location(f"ready_made_{folder.name}", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return getattr(module, "".join(word.capitalize() for word in folder.name.split("_")))


def errors_of_model(folder, text):
    try:
        model_of(folder).model_validate_json(text)
    except pydantic.ValidationError as error:
        return error.errors()
    return []


def errors_of_schema(folder, text):
    return list(judge_of(folder).iter_errors(json.loads(text)))


def subschemas(schema):
    """The schema itself and every schema in it."""
    yield schema
    inner = [
        *schema.get("properties", {}).values(),
        *schema.get("$defs", {}).values(),
        *schema.get("anyOf", []),
    ]
    inner += [schema["items"]] if "items" in schema else []
    for subschema in inner:
        yield from subschemas(subschema)


def constraints(schema):
    """A copy without `$schema` and titles, which Pydantic makes up for every field."""
    if isinstance(schema, dict):
        return {key: constraints(value) for key, value in schema.items() if key not in {"$schema", "title"}}
    return [constraints(value) for value in schema] if isinstance(schema, list) else schema


def test_the_six_document_types_are_there():
    names = [folder.name for folder in FOLDERS]
    assert names == ["financials", "invoice", "log_event", "order", "person", "support_ticket"]


@in_each_folder
def test_schema_is_one(folder):
    Draft202012Validator.check_schema(schema_of(folder))


@in_each_folder
def test_schema_stays_within_the_guaranteed_keywords(folder):
    for schema in subschemas(schema_of(folder)):
        assert schema.keys() <= set(KEYWORDS.split())
        assert schema.get("format", "date") in FORMATS


@in_each_folder
def test_objects_are_closed_and_every_field_is_required(folder):
    for schema in subschemas(schema_of(folder)):
        if "properties" in schema:
            assert schema["additionalProperties"] is False
            assert schema["required"] == list(schema["properties"])


@in_each_folder
def test_model_and_schema_say_the_same(folder):
    model = constraints(model_of(folder).model_json_schema())
    schema = constraints(schema_of(folder))
    assert list(model["properties"]) == list(schema["properties"]), "the order of the fields is part of the schema"
    assert model == schema


@in_each_folder
def test_there_are_enough_examples(folder):
    assert len(list(folder.glob("valid/*.json"))) >= 3
    assert len(list(folder.glob("invalid/*.json"))) >= 3


@pytest.mark.parametrize("path", VALID, ids=name_of)
def test_valid_example_passes_both_judges(path):
    folder, text = path.parents[1], path.read_text(encoding="utf-8")
    assert errors_of_schema(folder, text) == []
    assert errors_of_model(folder, text) == []


@pytest.mark.parametrize("path", INVALID, ids=name_of)
def test_invalid_example_is_wrong_for_one_reason(path):
    """Both judges name one error; a business rule (`rule-…`) only the model knows."""
    folder, text = path.parents[1], path.read_text(encoding="utf-8")
    of_schema, of_model = errors_of_schema(folder, text), errors_of_model(folder, text)
    if path.name.startswith("rule-"):
        assert of_schema == []
        assert [error["type"] for error in of_model] == ["value_error"]
    else:
        assert len(of_schema) == len(of_model) == 1
