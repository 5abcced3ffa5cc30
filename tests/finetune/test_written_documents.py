from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from finetune.embedded import domain, metric
from finetune.embedded.documents import DEVELOPMENT, DOCUMENTS, documents

ALL = documents()
TEMPLATES = sorted((Path(domain.__file__).parent / "domains").glob("*.txt"))
NAMED = [
    pytest.param(document, id=f"{directory.name}/{path.stem}")
    for directory in (DOCUMENTS, DEVELOPMENT)
    for document, path in zip(documents(directory), sorted(directory.glob("*.json")), strict=True)
]


def schema_of_leaf(schema: dict[str, Any], pointer: str) -> dict[str, Any]:
    for part in pointer.split("/")[1:]:
        schema = schema["properties"][part] if "properties" in schema else schema["items"]
    return schema


def test_there_are_sixty_and_a_fifth_is_chinese() -> None:
    languages = Counter(document.language for document in ALL)
    assert len(ALL) == 60
    assert languages["zh"] >= 11
    assert len({document.domain for document in ALL}) >= 25


def test_no_document_that_steers_the_work_also_judges_it() -> None:
    judged = {document.text for document in ALL}
    steering = documents(DEVELOPMENT)
    assert len(steering) == 61
    assert not judged & {document.text for document in steering}


def runs_of_words(text: str) -> set[tuple[str, ...]]:
    """Runs of six English words and of twelve Chinese characters: shorter ones are set phrases."""
    words, signs = re.findall(r"[a-z']+", text.lower()), re.findall(r"[\u4e00-\u9fff]", text)
    found = {tuple(words[start : start + 6]) for start in range(len(words) - 5)}
    return found | {tuple(signs[start : start + 12]) for start in range(len(signs) - 11)}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_no_template_says_what_a_judged_document_says(path: Path) -> None:
    judged = set().union(*(runs_of_words(document.text) for document in ALL))
    pieces = re.split(r"\{[^}]*\}|\[|\]|\||\\n|\n", path.read_text(encoding="utf-8"))
    assert [piece for piece in pieces if runs_of_words(piece) & judged] == []


@pytest.mark.parametrize("document", NAMED)
def test_gold_value_is_valid_and_stands_in_the_text(document: Any) -> None:
    jsonschema.validate(document.value, document.schema)
    assert list(document.value) == list(document.schema["properties"])
    for pointer, value in metric.leaves(document.value).items():
        schema = schema_of_leaf(document.schema, pointer)
        if isinstance(value, str) and "enum" not in schema and "format" not in schema:
            assert value in document.text, pointer
