from __future__ import annotations

from collections import Counter
from typing import Any

import jsonschema
import pytest

from finetune.embedded import metric
from finetune.embedded.documents import DOCUMENTS, documents

ALL = documents()


def schema_of_leaf(schema: dict[str, Any], pointer: str) -> dict[str, Any]:
    for part in pointer.split("/")[1:]:
        schema = schema["properties"][part] if "properties" in schema else schema["items"]
    return schema


def test_there_are_sixty_and_a_fifth_is_chinese() -> None:
    languages = Counter(document.language for document in ALL)
    assert len(ALL) == 60
    assert languages["zh"] >= 11
    assert len({document.domain for document in ALL}) >= 25


@pytest.mark.parametrize("document", ALL, ids=[path.stem for path in sorted(DOCUMENTS.glob("*.json"))])
def test_gold_value_is_valid_and_stands_in_the_text(document: Any) -> None:
    jsonschema.validate(document.value, document.schema)
    assert list(document.value) == list(document.schema["properties"])
    for pointer, value in metric.leaves(document.value).items():
        schema = schema_of_leaf(document.schema, pointer)
        if isinstance(value, str) and "enum" not in schema and "format" not in schema:
            assert value in document.text, pointer
